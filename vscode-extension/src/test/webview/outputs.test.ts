import { describe, expect, test } from "vitest";
import { withFences } from "../../webview/model/outputs";
import { besideMessages, count, duration, money, withoutTag } from "../../webview/model/text";

describe("terminal output among words", () => {
  test("gets a fence from its prompt to its end", () => {
    const text = "It fails.\n\n$ npm test\nFAIL  a.test.ts\n======\n\n1 failed";
    expect(withFences(text)).toBe("It fails.\n\n```console\n$ npm test\nFAIL  a.test.ts\n======\n\n1 failed\n```");
  });

  test("ends where prose or Markdown goes on", () => {
    const text = "$ ls\na.py\n\nBoth files are there.\n\n$ pwd\n/tmp\n\n- next step";
    expect(withFences(text)).toBe(
      "```console\n$ ls\na.py\n```\n\nBoth files are there.\n\n```console\n$ pwd\n/tmp\n```\n\n- next step",
    );
  });

  test("that is fenced already, or is no output, is left alone", () => {
    for (const text of ["```\n$ ls\na\n```", "It costs $ 5.", "~~~sh\n$ a\n```\n~~~\nEnd.", "    $ indented", ""]) {
      expect(withFences(text)).toBe(text);
    }
  });
});

test("a reply loses its messages and keeps its words", () => {
  const block = '[[POLI:MSG {"type":"plan"}]]\n<PLAN>\nx\n</PLAN>\n[[/POLI:MSG]]';
  expect(besideMessages(`Before.\n\n${block}\n\n${block}\n\nAfter.`)).toBe("Before.\n\nAfter.");
  expect(besideMessages("Open [[POLI:MSG {} and never closed")).toBe("Open [[POLI:MSG {} and never closed");
  const many = "[[POLI:MSG".repeat(20_000);
  expect(besideMessages(many)).toBe(many);
});

test("a body loses the tag around it and no other", () => {
  expect(withoutTag("<PLAN>\n  - a\n</PLAN>\n")).toBe("  - a");
  expect(withoutTag("<PLAN>\na")).toBe("<PLAN>\na");
  expect(withoutTag("see <PLAN>x</PLAN>")).toBe("see <PLAN>x</PLAN>");
});

test("numbers as people read them", () => {
  expect([0.04, 9.94, 42.4, 185, 7800, 273_600].map(duration)).toEqual([
    "0 s",
    "9.9 s",
    "42 s",
    "3 m 05 s",
    "2 h 10 m",
    "3 d 4 h",
  ]);
  expect([0, 999, 1000, 12_345, 999_499, 4_100_000].map(count)).toEqual(["0", "999", "1k", "12.3k", "999k", "4.1M"]);
  expect([0, 0.001, 0.119, 20].map(money)).toEqual(["$0.00", "< $0.01", "$0.12", "$20.00"]);
});
