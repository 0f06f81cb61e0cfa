import { describe, expect, it } from "vitest";
import { type Opened, PaneLink, type PaneWire, WINDOW } from "../../panes/link";

/** A server with one pane, and the screen that a reader sees, as lists of what was said to each. */
function stage() {
  const said: string[] = [];
  const drawn: string[] = [];
  const unread: (() => void)[] = [];
  const server = {
    seq: 0,
    screen: "first screen",
    refusal: undefined as string | undefined,
    hold: undefined as Promise<void> | undefined,
  };
  const wire: PaneWire = {
    open: async (credit): Promise<Opened> => {
      said.push(`open ${credit}`);
      await server.hold;
      if (server.refusal !== undefined) throw new Error(server.refusal);
      return { columns: 160, rows: 50, snapshot: server.screen, seq: server.seq };
    },
    close: async () => void said.push("close"),
    takeOver: async (on) => void said.push(`takeOver ${on}`),
    input: async (data) => void said.push(`input ${data}`),
    credit: (bytes) => void said.push(`credit ${bytes}`),
    refused: () => {},
  };
  const screen = {
    reset: (data: string, _: unknown, read: () => void) => {
      drawn.push(`reset ${data}`);
      unread.push(read);
    },
    feed: (data: string, read: () => void) => {
      drawn.push(data);
      unread.push(read);
    },
  };
  const states: string[] = [];
  const link: PaneLink = new PaneLink(wire, screen, () => states.push(link.state));
  const settle = () => new Promise<void>((done) => setImmediate(done));
  return { link, server, said, drawn, states, unread, settle };
}

describe("opening", () => {
  it("shows the screen and then what comes after it", async () => {
    const { link, server, drawn } = stage();
    server.seq = 7;
    await link.open();
    link.frame({ seq: 8, data: "a" });
    link.frame({ seq: 9, data: "b" });
    expect(drawn).toEqual(["reset first screen", "a", "b"]);
  });

  it("keeps frames that overtake the answer, and drops those that are on the screen already", async () => {
    const { link, server, drawn } = stage();
    let release = () => {};
    server.hold = new Promise((done) => {
      release = done;
    });
    const opening = link.open();
    link.frame({ seq: 3, data: "on the screen" });
    link.frame({ seq: 4, data: "new" });
    server.seq = 3;
    release();
    await opening;
    expect(drawn).toEqual(["reset first screen", "new"]);
  });

  it("waits for a pane that is not there yet", async () => {
    const { link, server, drawn, settle } = stage();
    server.refusal = "The PLANNER has no living pane.";
    await link.open();
    expect(link.state).toBe("waiting");
    server.refusal = undefined;
    link.wake();
    await settle();
    expect([link.state, drawn]).toEqual(["live", ["reset first screen"]]);
  });
});

describe("what goes wrong", () => {
  it("opens again when a frame is missing", async () => {
    const { link, server, said, drawn, settle } = stage();
    await link.open();
    link.frame({ seq: 1, data: "a" });
    server.seq = 5;
    server.screen = "whole screen";
    link.frame({ seq: 4, data: "lost its place" });
    await settle();
    link.frame({ seq: 6, data: "b" });
    expect(drawn).toEqual(["reset first screen", "a", "reset whole screen", "b"]);
    expect(said.filter((what) => what.startsWith("open"))).toHaveLength(2);
  });

  it("goes on after the server was gone, and takes over again", async () => {
    const { link, said, drawn, settle } = stage();
    await link.open();
    await link.takeOver(true);
    link.lost();
    expect(link.type("x", () => {})).toBe(false);
    link.wake();
    await settle();
    expect(drawn).toEqual(["reset first screen", "reset first screen"]);
    expect(said).toEqual([`open ${WINDOW}`, "takeOver true", `open ${WINDOW}`, "takeOver true"]);
  });

  it("ignores an answer that comes after the pane was closed", async () => {
    const { link, drawn, said } = stage();
    const opening = link.open();
    await link.close();
    await opening;
    link.wake();
    expect([link.state, drawn, said]).toEqual(["closed", [], [`open ${WINDOW}`, "close"]]);
  });
});

describe("reading and typing", () => {
  it("gives credit for what was drawn, and not before", async () => {
    const { link, said, unread } = stage();
    await link.open();
    link.frame({ seq: 1, data: "é".repeat(WINDOW / 8) });
    expect(said).toEqual([`open ${WINDOW}`]);
    for (const read of unread.splice(0)) read();
    expect(said).toEqual([`open ${WINDOW}`, `credit ${WINDOW / 4}`]);
  });

  it("types only after a take-over, keys in their order", async () => {
    const { link, said, settle } = stage();
    await link.open();
    expect(link.type("a", () => {})).toBe(false);
    await link.takeOver(true);
    expect([link.type("b", () => {}), link.type("c", () => {})]).toEqual([true, true]);
    await settle();
    expect(said.slice(1)).toEqual(["takeOver true", "input b", "input c"]);
  });
});
