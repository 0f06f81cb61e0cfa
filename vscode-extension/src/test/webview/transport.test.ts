import { describe, expect, test } from "vitest";
import { readSaved } from "../../webview/page/saved";
import { connectInMemory } from "../../webview/transport/memory";
import { readToHost, readToPage, type ToHost, type ToPage } from "../../webview/transport/messages";
import { Story } from "./story";

const { envelopes } = new Story().start("Fix it.");

describe("what a host says", () => {
  test.each<ToPage>([
    { type: "run", runId: "r", readOnly: false },
    { type: "events", events: envelopes },
    { type: "connection", state: "waiting", message: "soon" },
    { type: "connection", state: "live" },
    { type: "done", id: 3 },
    { type: "done", id: 3, failed: "no" },
    { type: "reveal", seq: 9 },
  ])("is understood: $type", (message) => expect(readToPage(message)).toEqual(message));

  test.each<unknown>([
    null,
    "run",
    {},
    { type: "nonsense" },
    { type: "toString" },
    { type: "__proto__" },
    { type: "run", runId: 3, readOnly: false },
    { type: "events", events: {} },
    { type: "events", events: [{ runId: "r", seq: -1, at: "", event: { type: "x" } }] },
    { type: "events", events: [{ runId: "r", seq: 1, at: "", event: null }] },
    { type: "connection", state: "fine" },
    { type: "done", id: "3" },
  ])("is ignored when it is none of that: %j", (value) => expect(readToPage(value)).toBeUndefined());
});

describe("what a page says", () => {
  const act = (fields: unknown): unknown => ({ type: "act", id: 1, act: fields });

  test.each<unknown>([
    { type: "ready", after: 0 },
    { type: "missing", after: 12 },
    act({ do: "answer", attentionId: "a", choice: "yes" }),
    act({ do: "answer", attentionId: "a", text: "words" }),
    act({ do: "send", to: "PLANNER", text: "hello", when: "now" }),
    act({ do: "openFile", path: "a.py", line: 3 }),
    act({ do: "openLink", href: "https://example.com/" }),
    act({ do: "interrupt" }),
    act({ do: "stop" }),
  ])("is understood: %j", (message) => expect(readToHost(message)).toEqual(message));

  test.each<unknown>([
    undefined,
    { type: "ready" },
    { type: "ready", after: -1 },
    { type: "ready", after: Number.NaN },
    { type: "act", id: 1 },
    act({ do: "runCommand", command: "rm" }),
    act({ do: "constructor" }),
    act({ do: "send", to: "ROOT", text: "x", when: "now" }),
    act({ do: "send", to: "PLANNER", text: "x", when: "later" }),
    act({ do: "openLink", href: "command:workbench.action.quit" }),
    act({ do: "openLink", href: "javascript:alert(1)" }),
    act({ do: "openLink", href: "file:///etc/passwd" }),
    act({ do: "openFile", path: 3 }),
    act({ do: "copy", text: { toString: 1 } }),
  ])("is ignored when it is none of that: %j", (value) => expect(readToHost(value)).toBeUndefined());
});

test("in one program, both ends hear checked copies until they stop listening", () => {
  const { page, host } = connectInMemory();
  const atHost: ToHost[] = [];
  const atPage: ToPage[] = [];
  host.hear((message) => atHost.push(message));
  const stop = page.receive((message) => atPage.push(message));
  page.post({ type: "ready", after: 4 });
  page.post({ type: "act", id: 1, act: { do: "openLink", href: "command:x" } });
  const events: ToPage = { type: "events", events: envelopes };
  host.tell(events);
  stop();
  host.tell({ type: "reveal", seq: 1 });
  expect(atHost).toEqual([{ type: "ready", after: 4 }]);
  expect(atPage).toEqual([events]);
  expect(atPage[0]).not.toBe(events);
});

test("what a page kept is read with care", () => {
  const saved = {
    runId: "r",
    filter: { kinds: ["messages"], roles: ["PLANNER"], text: "x" },
    filtering: true,
    unfolded: [3],
    at: 7,
    draft: "d",
    words: [[3, "w"]],
  };
  expect(readSaved(structuredClone(saved))).toEqual(saved);
  expect(readSaved(undefined)).toBeUndefined();
  expect(readSaved({ runId: 3 })).toBeUndefined();
  expect(
    readSaved({ runId: "r", filter: { kinds: ["nonsense", "events"], roles: 3 }, unfolded: ["x"], words: [3, ["a"]] }),
  ).toEqual({
    runId: "r",
    filter: { kinds: ["events"], roles: [], text: "" },
    filtering: false,
    unfolded: [],
    draft: "",
    words: [],
  });
});
