import { Unicode11Addon } from "@xterm/addon-unicode11";
import { Terminal } from "@xterm/headless";
import { afterEach, describe, expect, it } from "vitest";
import { PaneMirror, type Size } from "../../panes/mirror";

const PANE: Size = { columns: 160, rows: 50 };
const ended: (() => void)[] = [];

afterEach(() => {
  for (const end of ended.splice(0)) end();
});

/** A mirror, the terminal a person would see, and time that passes when the test says so. */
function stage(view: Size, pane: Size = PANE) {
  const seen = new Terminal({ cols: view.columns, rows: view.rows, scrollback: 1000, allowProposedApi: true });
  // As in the editor, whose terminal uses the same table.
  seen.loadAddon(new Unicode11Addon());
  seen.unicode.activeVersion = "11";
  const due: { work: () => void; milliseconds: number }[] = [];
  let written = "";
  const mirror = new PaneMirror(
    (text) => {
      written += text;
      seen.write(text);
    },
    (milliseconds, work) => {
      const entry = { work, milliseconds };
      due.push(entry);
      return () => {
        const at = due.indexOf(entry);
        if (at >= 0) due.splice(at, 1);
      };
    },
    pane,
  );
  mirror.resize(view);
  ended.push(() => {
    mirror.dispose();
    seen.dispose();
  });
  const pass = async (milliseconds: number) => {
    for (const entry of due.splice(0)) {
      if (entry.milliseconds <= milliseconds) entry.work();
      else due.push(entry);
    }
    await new Promise<void>((done) => seen.write("", done));
  };
  const feed = async (data: string) => {
    await new Promise<void>((done) => mirror.feed(data, done));
    await pass(20);
  };
  const reset = async (data: string) => {
    await new Promise<void>((done) => mirror.reset(data, pane, done));
    await pass(20);
  };
  const row = (y: number) => seen.buffer.active.getLine(y)?.translateToString(true) ?? "";
  return {
    mirror,
    feed,
    reset,
    pass,
    seen,
    take: () => {
      const text = written;
      written = "";
      return text;
    },
    screen: () => Array.from({ length: seen.rows }, (_, y) => row(seen.buffer.active.baseY + y)),
    all: () => Array.from({ length: seen.buffer.active.length }, (_, y) => row(y)),
  };
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`).join("\r\n");

describe("a view as large as its pane", () => {
  it("shows the same text in the same colours, with the cursor in its place", async () => {
    const { feed, screen, seen } = stage(PANE);
    await feed("\x1b[1;31mred\x1b[0m plain\x1b[3;5Hthere");
    expect(screen().slice(0, 3)).toEqual(["red plain", "", "    there"]);
    const cell = seen.buffer.active.getLine(0)?.getCell(0);
    expect([cell?.isBold() !== 0, cell?.getFgColor(), cell?.isFgPalette()]).toEqual([true, 1, true]);
    expect([seen.buffer.active.cursorX, seen.buffer.active.cursorY]).toEqual([9, 2]);
  });

  it("keeps what scrolls away in its own scrollback", async () => {
    const { feed, all } = stage(PANE);
    for (let n = 0; n < 30; n++) await feed(`${lines(10 * n + 1, 10 * n + 10)}\r\n`);
    expect(all().slice(0, 300)).toEqual(lines(1, 300).split("\r\n"));
  });

  it("shows a cleared screen from its top, and not below what scrolled away", async () => {
    const { feed, pass, screen } = stage(PANE);
    await feed(lines(1, 100));
    await feed("\x1b[2J\x1b[Hfresh");
    await pass(300);
    expect(screen().slice(0, 2)).toEqual(["fresh", ""]);
  });

  it("gives an emoji two columns, as tmux does", async () => {
    const { feed, screen } = stage(PANE);
    await feed("\u{1f680}x\x1b[1;4Hy");
    expect(screen()[0]).toBe("\u{1f680}xy");
  });
});

describe("a view smaller than its pane", () => {
  const view: Size = { columns: 40, rows: 8 };

  it("wraps words and has all of them", async () => {
    const { feed, screen } = stage(view);
    await feed(`The planner says: ${"word ".repeat(20)}end.`);
    const text = screen().join(" ").replace(/ +/g, " ").trim();
    expect(text).toBe(`The planner says: ${"word ".repeat(20)}end.`);
    expect(screen().every((row) => row.length <= 40)).toBe(true);
  });

  it("cuts frames instead of wrapping them", async () => {
    const { feed, screen } = stage(view);
    await feed(`╭${"─".repeat(158)}╮\r\n│ hello${" ".repeat(152)}│\r\n╰${"─".repeat(158)}╯`);
    expect(screen().slice(0, 4)).toEqual([`╭${"─".repeat(39)}`, "│ hello", `╰${"─".repeat(39)}`, ""]);
  });

  it("cuts lines that are drawn with one character", async () => {
    const { feed, screen } = stage(view);
    await feed(`${"-".repeat(70)}\r\n  ${"=".repeat(70)}\r\n${"a".repeat(50)}`);
    expect(screen().slice(0, 4)).toEqual(["-".repeat(40), `  ${"=".repeat(38)}`, "a".repeat(40), "a".repeat(10)]);
  });

  it("shows the end of a screen that is too high, the rest above it", async () => {
    const { feed, screen, all } = stage(view);
    await feed(lines(1, 30));
    expect(screen()).toEqual(lines(23, 30).split("\r\n"));
    expect(all()).toEqual(lines(1, 30).split("\r\n"));
  });

  it("writes only the rows that changed", async () => {
    const { feed, take, screen } = stage(view);
    await feed(lines(1, 30));
    take();
    await feed("\r\x1b[Kspinner 1");
    expect(screen().at(-1)).toBe("spinner 1");
    expect(take()).not.toContain("line");
  });

  it("puts right what changed above the view, when the pane is quiet", async () => {
    const { feed, pass, all, screen } = stage(view);
    await feed(lines(1, 30));
    await feed("\x1b[2;1H\x1b[Kchanged\x1b[30;8H");
    expect(screen()).toEqual(lines(23, 30).split("\r\n"));
    expect(all()[1]).toBe("line 2");
    await pass(300);
    expect(all()[1]).toBe("changed");
    expect(all()).toHaveLength(30);
  });

  it("comes back from a full screen program to what was there before", async () => {
    const { feed, pass, all } = stage(view);
    await feed(lines(1, 60));
    await feed("\x1b[?1049h\x1b[2J\x1b[Hmenu");
    await pass(300);
    expect(
      all()
        .filter((row) => row !== "")
        .at(-1),
    ).toBe("menu");
    await feed("\x1b[?1049l");
    await pass(600);
    expect(all()).toEqual(lines(1, 60).split("\r\n"));
  });

  it("fits itself to a view that changes its size", async () => {
    const { feed, mirror, pass, seen, all } = stage(view);
    await feed(`${lines(1, 70)}\r\n${"wide ".repeat(14)}`);
    mirror.resize({ columns: 80, rows: 10 });
    seen.resize(80, 10);
    await pass(20);
    expect(all()).toEqual([...lines(1, 70).split("\r\n"), "wide ".repeat(14).trim()]);
  });

  it("finds the cursor in a wrapped row", async () => {
    const { feed, seen } = stage(view);
    await feed(`${"x".repeat(50)}`);
    expect([seen.buffer.active.cursorX, seen.buffer.active.cursorY]).toEqual([10, 1]);
  });
});

it("says below the last words that nothing more comes", async () => {
  const { feed, mirror, pass, all } = stage({ columns: 80, rows: 10 });
  await feed("bye");
  mirror.finish("over");
  await pass(20);
  await pass(20);
  expect(all().filter((row) => row !== "")).toEqual(["bye", "over"]);
});

describe("a whole screen instead of a part", () => {
  it("takes the place of the old one and keeps what had scrolled away", async () => {
    const view: Size = { columns: 80, rows: 10 };
    const { feed, reset, pass, all } = stage(view);
    await feed(lines(1, 60));
    await reset("\x1b[H\x1b[2Jfresh\r\nscreen");
    await pass(300);
    expect(all().filter((row) => row !== "")).toEqual([...lines(1, 10).split("\r\n"), "fresh", "screen"]);
  });

  it("shows the same after any number of them", async () => {
    const { reset, screen } = stage({ columns: 80, rows: 10 });
    await reset("one");
    await reset("two");
    expect(screen()[0]).toBe("two");
  });
});

/** Text that moves, scrolls, clears, inserts, deletes and changes screens, the same for every run of the test. */
function* chaos(turns: number): Generator<string> {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const parts = [
    "word ",
    "\r\n",
    "界",
    "\u{1f680}",
    "\x1b[2J",
    "\x1b[H",
    "\x1b[7m",
    "\x1b[0m",
    "\x1b[2L",
    "\x1b[M",
    "\x1b[K",
  ];
  const rare = ["\x1b[?1049h", "\x1b[?1049l", "\x1b[5;20r", "\x1b[r", "\x1b[?25l", "\x1b[?25h", "\x1bM"];
  for (let turn = 0; turn < turns; turn++) {
    let text = "";
    for (let n = 0; n < 40; n++) {
      const kind = random(8);
      text += kind === 0 ? `\x1b[${1 + random(50)};${1 + random(160)}H` : (parts[random(parts.length)] ?? "");
      text += kind === 1 ? (rare[random(rare.length)] ?? "") : "";
    }
    yield text;
  }
}

it("a view as large as its pane shows the very same screen, whatever a program prints", async () => {
  const { feed, pass, screen } = stage(PANE);
  const plain = new Terminal({ cols: PANE.columns, rows: PANE.rows, allowProposedApi: true });
  plain.loadAddon(new Unicode11Addon());
  plain.unicode.activeVersion = "11";
  for (const text of chaos(150)) {
    await feed(text);
    await new Promise<void>((done) => plain.write(text, done));
    await pass(20_000);
    const { active } = plain.buffer;
    const rows = Array.from({ length: plain.rows }, (_, y) =>
      active.getLine(active.baseY + y)?.translateToString(true),
    );
    expect(screen().map((row) => row.trimEnd())).toEqual(rows.map((row) => row?.trimEnd()));
  }
});

it("a small view survives whatever a program prints", async () => {
  const { feed, pass, screen } = stage({ columns: 33, rows: 7 });
  for (const text of chaos(200)) {
    await feed(text);
  }
  await feed("\x1b[?1049l\x1b[0m\x1b[r\x1b[2J\x1b[Hthe end");
  await pass(20_000);
  expect(screen()).toEqual(["the end", "", "", "", "", "", ""]);
});
