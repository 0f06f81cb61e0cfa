import { describe, expect, it } from "vitest";
import { agentRows, reportOf } from "../../views/agentRows";
import { openTasks } from "../../views/checklist";
import * as plan from "../../views/plan";
import * as words from "../../views/words";

describe("a plan as a document", () => {
  const body = "<PLAN>\n1. Do it.\n2. Test it.\n</PLAN>";

  it("has no tags, and is not edited by opening it", () => {
    const document = plan.planDocument(body);
    expect(document).toBe("1. Do it.\n2. Test it.\n");
    expect(plan.editedText(body, document)).toBeUndefined();
    expect(plan.editedText(body, document.replaceAll("\n", "\r\n"))).toBeUndefined();
    expect(plan.editedText(body, `${document}\n\n`)).toBeUndefined();
  });

  it("goes to the executer as it was edited", () => {
    expect(plan.editedText(body, "1. Do it well.\n")).toBe("1. Do it well.");
    expect(plan.editedText(body, " \n")).toBe("");
  });

  it("keeps the indentation of its first line", () => {
    expect(plan.planDocument("    code first\nthen words")).toBe("    code first\nthen words\n");
  });

  it("has addresses that can be read back", () => {
    expect(plan.attentionOf(plan.planPath("run-1.a2"))).toBe("run-1.a2");
    expect(plan.keptOf(plan.keptPath("run-1", "m3", "edited"))).toEqual({
      runId: "run-1",
      messageId: "m3",
      version: "edited",
    });
    expect([plan.attentionOf("/x/other.md"), plan.keptOf("/run-1/m3/other.md")]).toEqual([undefined, undefined]);
  });

  it("offers what can be done with it", () => {
    const commands = (standing: plan.Standing, edited: boolean) =>
      plan.planLenses(standing, edited).map(({ command }) => command.replace("politerm.", ""));
    expect(commands("waiting", false)).toEqual(["approvePlan", "sendBackPlan", "stopAtPlan"]);
    expect(commands("waiting", true)).toEqual(["approvePlan", "sendBackPlan", "stopAtPlan", "comparePlan"]);
    expect([commands("answered", false), commands("unknown", true)]).toEqual([[""], [""]]);
  });
});

describe("tasks of a check list", () => {
  it("are its open items, with the lines that belong to them", () => {
    const lines = [
      "# To do",
      "- [ ] first",
      "- [x] done",
      "* [ ] second",
      "  goes on here",
      "  - [ ] below it",
      "1. [ ] numbered",
      "",
      "text",
      "- [ ]",
    ];
    expect(openTasks(lines)).toEqual([
      { line: 1, last: 1, text: "first" },
      { line: 3, last: 4, text: "second\ngoes on here" },
      { line: 5, last: 5, text: "below it" },
      { line: 6, last: 6, text: "numbered" },
    ]);
  });

  it("are not found in code", () => {
    expect(openTasks(["```md", "- [ ] no", "```", "- [ ] yes", "~~~~", "~~~", "- [ ] no", "~~~~"])).toEqual([
      { line: 3, last: 3, text: "yes" },
    ]);
  });
});

describe("agents", () => {
  const agent = (name: string, available: boolean, version?: string) => ({
    name,
    command: [name],
    available,
    source: "built-in",
    ...(version === undefined ? {} : { version }),
  });

  it("that are installed come first, the demonstration pair after them", () => {
    const rows = agentRows(
      [agent("aider", false), agent("scripted-planner", true), agent("claude", true, "2.1.0")],
      new Map(),
    );
    expect(rows.map(({ label, description }) => [label, description])).toEqual([
      ["claude", "2.1.0"],
      ["scripted-planner", "installed"],
      ["aider", "not installed"],
    ]);
  });

  it("say what a check has found", () => {
    const report = reportOf({
      ok: false,
      state: "blocked",
      why: { source: "screen", rule: "login", evidence: "Please log in" },
      screen: ["Welcome", "Please log in"],
    });
    const [row] = agentRows([agent("claude", true)], new Map([["claude", report]]));
    expect(row?.description).toBe("installed · does not work");
    expect(row?.children?.map(({ label, description }) => [label, description])).toEqual([
      ["State: blocked", "source: screen"],
      ["Its screen", "Please log in"],
    ]);
    const [checking] = agentRows([agent("claude", true)], new Map([["claude", "checking"]]));
    expect(checking?.description).toBe("installed · checking…");
  });
});

it("times are said for eyes and for ears", () => {
  expect([0, 9.9, 65, 3725].map(words.duration)).toEqual(["0s", "9s", "1:05", "1:02:05"]);
  expect([5, 65, 3600, 3725].map(words.spokenDuration)).toEqual([
    "less than a minute",
    "1 minute",
    "1 hour",
    "1 hour 2 minutes",
  ]);
});

it("money and tokens are shown where they are known", () => {
  expect(words.spent({ tokensIn: 0, tokensOut: 0 })).toBe("");
  expect(words.spent({ tokensIn: 12_000, tokensOut: 345, usd: 0.421 })).toBe("$0.42 · 12.3k tokens");
});
