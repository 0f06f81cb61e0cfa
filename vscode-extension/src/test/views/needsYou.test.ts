import { describe, expect, it } from "vitest";
import type { Attention } from "../../protocol/generated";
import { needsYouRows } from "../../views/needsYouRows";
import { buttonsOf, Notices } from "../../views/notice";
import { changesBetween } from "../../views/tree";
import { item, run, START } from "./samples";

const rowsOf = (about: Partial<Attention>, seconds = 0) =>
  needsYouRows([item(about)], [run()], START + seconds * 1000)[0];

describe("the rows of an item", () => {
  it("are its words and one for each choice, the dangerous one marked", () => {
    const row = rowsOf({});
    expect(row).toMatchObject({
      label: "Executer asks: run the tests?",
      description: "Fix the tests",
      context: "attention.permission.pane",
      open: "expanded",
    });
    expect(row?.children?.map(({ label, description, icon }) => [label, description, icon?.name])).toEqual([
      ["", "Bash(npm test)", undefined],
      ["Yes", undefined, "check"],
      ["Yes, and don't ask again", "careful", "warning"],
      ["No", undefined, "close"],
    ]);
  });

  it("answer with the choice that they name", () => {
    expect(rowsOf({})?.children?.[1]?.command).toEqual({
      command: "politerm.answerAttention",
      title: "Yes",
      arguments: [{ attentionId: "run-one.a1", choice: "allow" }],
    });
  });

  it("have a place for own words where those are taken", () => {
    const labels = (about: Partial<Attention>) => rowsOf(about)?.children?.map(({ label }) => label);
    expect(labels({ kind: "question", text: "", choices: [], freeText: true })).toEqual(["Answer…"]);
    expect(labels({ kind: "question", text: "", choices: [{ id: "a", label: "A" }], freeText: true })).toEqual([
      "A",
      "Answer in your own words…",
    ]);
  });

  it("lead from a plan to its document", () => {
    const row = rowsOf({ kind: "plan", text: "<PLAN>\none\n</PLAN>", freeText: true });
    expect(row?.children?.map(({ label, description }) => label || description).slice(0, 2)).toEqual([
      "Open and edit the plan",
      "Yes",
    ]);
    expect(row?.children?.some(({ id }) => id.endsWith("/words"))).toBe(false);
  });

  it("show the beginning of a long text and say how much more there is", () => {
    const text = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`).join("\n");
    const said = rowsOf({ text, choices: [] })?.children?.map(({ label, description }) => label || description);
    expect(said).toEqual(["line 1", "line 2", "line 3", "line 4", "line 5", "15 more lines…"]);
  });

  it("stay as they are for a minute, and say then how long somebody has waited", () => {
    const rows = (seconds: number) => needsYouRows([item()], [run()], START + seconds * 1000);
    expect(changesBetween(rows(1), rows(59))).toEqual([]);
    expect(rows(125)[0]?.description).toBe("Fix the tests · 2 min");
  });

  it("are there without a run, for what concerns the folder", () => {
    const row = rowsOf({ attentionId: "trust", runId: undefined, role: undefined, kind: "trust", title: "Trust?" });
    expect([row?.context, row?.description]).toEqual(["attention.trust", ""]);
  });
});

describe("notifications", () => {
  it("come once for each item", () => {
    const notices = new Notices();
    const ids = (items: readonly Attention[]) => notices.fresh(items).map(({ attentionId }) => attentionId);
    expect(ids([item()])).toEqual(["run-one.a1"]);
    expect(ids([item()])).toEqual([]);
    expect(ids([])).toEqual([]);
    expect(ids([item(), item({ attentionId: "run-one.a2" })])).toEqual(["run-one.a2"]);
  });

  it("offer what is safe, yes before no, and the list for the rest", () => {
    expect(buttonsOf(item()).map(({ label, choice }) => [label, choice])).toEqual([
      ["Yes", "allow"],
      ["No", "deny"],
      ["Show", undefined],
    ]);
    const reversed = item({ choices: [...item().choices].reverse() });
    expect(buttonsOf(reversed).map(({ label }) => label)).toEqual(["Yes", "No", "Show"]);
    expect(reversed.choices.map(({ id }) => id)).toEqual(["deny", "always", "allow"]);
  });

  it("ask for words where there is nothing to choose", () => {
    const question = item({ kind: "question", choices: [], freeText: true });
    expect(buttonsOf(question).map(({ does }) => does)).toEqual(["words", "list"]);
  });

  it("open a plan instead of approving it unread", () => {
    expect(buttonsOf(item({ kind: "plan" })).map(({ does }) => does)).toEqual(["open", "list"]);
  });
});
