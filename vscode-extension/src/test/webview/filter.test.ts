import { describe, expect, test } from "vitest";
import { EVERYTHING_BUT_DETAILS, type Filter, filtered, isDefault, wordsOf } from "../../webview/model/filter";
import { emptyTimeline, reduce } from "../../webview/model/fold";
import { allAsMarkdown, asMarkdown } from "../../webview/model/markdown";
import { everyday } from "../page/runs";
import { Story } from "./story";

const { items } = reduce(
  emptyTimeline("run-1"),
  new Story()
    .start("Fix the Parser.")
    .prompt("PLANNER", "task")
    .say("PLANNER", "plan", "Change `parse.py`.", "I looked at it.")
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .question({ role: "EXECUTER", title: "Run the tests?", choices: [{ id: "y", label: "Yes" }] })
    .event({ type: "attentionAnswered", attentionId: "a1", choice: "y", by: "user" })
    .say("EXECUTER", "result", "Parser changed.")
    .turnEnded("EXECUTER")
    .prompt("PLANNER")
    .say("PLANNER", "continue", "Go on with the lexer.")
    .round(2)
    .event({ type: "nudged", role: "EXECUTER", count: 1, reason: "silence" }).envelopes,
);

const types = (filter: Partial<Filter>): string[] =>
  filtered(items, { ...EVERYTHING_BUT_DETAILS, ...filter }).passed.map((item) => item.type);

describe("what is shown", () => {
  test("everything but details, at first", () => {
    expect(types({})).toEqual([
      "task",
      "round",
      "reply",
      "message",
      "attention",
      "message",
      "round",
      "message",
      "notice",
    ]);
    expect(isDefault(EVERYTHING_BUT_DETAILS)).toBe(true);
  });

  test("details too, when they are wanted", () => {
    const all = types({ kinds: ["messages", "replies", "questions", "events", "details"] });
    expect(all.length).toBe(items.length);
  });

  test("one role's own, under the headings of the rounds that have any of it", () => {
    expect(types({ roles: ["EXECUTER"] })).toEqual(["round", "attention", "message", "round", "notice"]);
    expect(types({ roles: ["USER"] })).toEqual(["task"]);
  });

  test("words in any case, each of them somewhere; words in quotes as they are", () => {
    expect(types({ text: "PARSER changed" })).toEqual(["round", "message"]);
    expect(types({ text: '"the parser"' })).toEqual(["task"]);
    expect(types({ text: "silence" })).toEqual(["round", "notice"]);
    expect(types({ text: "nowhere to be found" })).toEqual([]);
    expect(wordsOf(' one "two three" FOUR ')).toEqual(["one", "two three", "four"]);
  });
});

test("going on where it left off shows the same as beginning anew", () => {
  const { envelopes } = everyday();
  const filters: Partial<Filter>[] = [
    {},
    { roles: ["EXECUTER"] },
    { text: "coupon" },
    { kinds: ["details", "events"] },
  ];
  for (const part of filters) {
    const filter = { ...EVERYTHING_BUT_DETAILS, ...part };
    let timeline = emptyTimeline("run-1");
    let shown = filtered([], filter);
    for (const envelope of envelopes) {
      timeline = reduce(timeline, [envelope]);
      shown = filtered(timeline.items, filter, shown);
      expect(shown).toEqual(filtered(timeline.items, filter));
    }
  }
});

describe("as Markdown", () => {
  test("a message with its head, a question with its answer", () => {
    const [message, question] = [
      items.find((item) => item.type === "message"),
      items.find((item) => item.type === "attention"),
    ];
    expect(message && asMarkdown(message)).toBe("### Planner → Executer: plan\n\nChange `parse.py`.");
    expect(question && asMarkdown(question)).toBe("### Run the tests?\n\nAnswered: Yes");
  });

  test("output that holds fences keeps its own fence", () => {
    const gate = {
      type: "gate",
      seq: 1,
      at: 0,
      round: 0,
      passed: false,
      checks: [{ command: "x", exitCode: 1, tail: "```\nno\n```" }],
    };
    expect(asMarkdown(gate as never)).toContain("````console\n$ x → 1\n```\nno\n```\n````");
  });

  test("all that is shown, one after the other", () => {
    expect(allAsMarkdown(filtered(items, { ...EVERYTHING_BUT_DETAILS, roles: ["USER"] }).passed)).toBe(
      "## Task\n\nFix the Parser.\n",
    );
  });
});
