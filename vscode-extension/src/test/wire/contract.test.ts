import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Store } from "../../model/store";
import type { RequestFailed } from "../../protocol/api";
import { DEMO, type Envelope, type MessageReceived, type RunView } from "../../protocol/generated";
import { checkVersion, type Introduction } from "../../server/version";
import { HAVE_SERVER, House, until } from "./house";

// Without .venv there is no server to speak to; `make test` makes one first.
describe.skipIf(!HAVE_SERVER)("the server, as the extension uses it", () => {
  let house: House;
  let store: Store;

  beforeEach(async () => {
    house = await House.build();
    store = new Store(house);
  });

  afterEach(async () => {
    store.dispose();
    await house.tearDown();
  });

  async function started(runId: string, more: Record<string, unknown> = {}): Promise<string> {
    await house.request("politerm.run.start", { ...DEMO, runId, ...more });
    return runId;
  }

  const ended = (runId: string): Promise<RunView> =>
    until(store, () => (store.run(runId)?.state === "ended" ? store.run(runId) : undefined));

  function following(runId: string): Envelope[] {
    const seen: Envelope[] = [];
    store.follow(runId, { events: (batch) => seen.push(...batch) });
    return seen;
  }

  const numbers = (seen: readonly Envelope[]): number[] => seen.map((each) => each.seq);
  const counted = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

  test("it speaks our protocol and has our version", async () => {
    await house.open();
    const own = (await import("../../../package.json")).version;
    expect(checkVersion(house.initialized as Introduction, own, "private")).toBeUndefined();
  });

  test("a whole run: followed without a gap, listed, searched, exported, deleted", async () => {
    await house.open();
    const runId = await started("whole-run");
    const seen = following(runId);
    expect(await house.request("politerm.run.start", { ...DEMO, runId })).toEqual({ runId });
    const view = await ended(runId);
    expect(view.outcome).toBe("completed");
    await until(store, () => seen.length === view.lastSeq);
    expect(numbers(seen)).toEqual(counted(view.lastSeq));
    const said = seen
      .map(({ event }) => event)
      .filter((event): event is MessageReceived => event.type === "messageReceived");
    expect(said.map((each) => each.kind)).toContain("plan");
    expect(said.at(-1)?.kind).toBe("complete");

    const { runs } = await house.request("politerm.run.list", { limit: 10 });
    expect(runs.map((each) => each.runId)).toEqual([runId]);
    expect(await house.request("politerm.run.get", { runId })).toEqual(view);
    const { hits } = await house.request("politerm.search", { text: "slugify" });
    expect(hits[0]?.runId).toBe(runId);
    for (const format of ["md", "jsonl", "cast"] as const) {
      expect((await house.request("politerm.run.export", { runId, format })).text).not.toBe("");
    }
    await house.request("politerm.run.delete", { runId });
    expect((await house.request("politerm.run.list", {})).runs).toEqual([]);
  });

  test("a plan waits for a person, who sends a word, pauses, and says yes", async () => {
    await house.open();
    const runId = await started("with-a-plan", { approvePlans: "first" });
    const item = await until(store, () => store.attention.find((each) => each.kind === "plan"));
    expect(item.runId).toBe(runId);
    expect(item.choices.map((each) => each.id)).toContain("approve");
    expect((await house.request("politerm.attention.list", { runId })).items.map((each) => each.attentionId)).toEqual([
      item.attentionId,
    ]);
    const { promptId } = await house.request("politerm.message.send", {
      runId,
      to: "EXECUTER",
      text: "Mind the dashes.",
      when: "next",
    });
    expect(promptId).not.toBe("");
    expect((await house.request("politerm.run.pause", { runId })).state).toBe("paused");
    // The plan may be there before the executer is up.
    expect((await house.request("politerm.run.resume", { runId })).state).toMatch(/^(starting|running)$/);
    const configured = await house.request("politerm.run.configure", { runId, limits: { rounds: 12 } });
    expect(configured.maxRounds).toBe(12);
    const answered = await house.request("politerm.attention.answer", {
      attentionId: item.attentionId,
      choice: "approve",
    });
    expect(answered.answered?.choice).toBe("approve");
    await until(store, () => store.attention.length === 0);
    expect((await ended(runId)).outcome).toBe("completed");
  });

  test("a pane: opened, shown, typed into only after it is taken over, attached to", async () => {
    await house.open();
    const runId = await started("with-a-pane", { approvePlans: "every" });
    await until(store, () => store.attention.length > 0);
    const pane = { runId, role: "PLANNER" } as const;
    const opened = await house.request("politerm.pane.open", { ...pane, columns: 100, rows: 30, credit: 100_000 });
    expect(opened.columns).toBeGreaterThanOrEqual(160);
    expect(opened.snapshot).not.toBe("");
    const output = new Promise<string>((resolve) => {
      house.on("politerm/paneOutput", ({ data }) => data.includes("hello there") && resolve(data));
    });
    const refused = house.request("politerm.pane.input", { ...pane, data: "x" });
    await expect(refused).rejects.toMatchObject({ code: "wrongState" });
    const size = await house.request("politerm.pane.takeOver", { ...pane, on: true });
    expect(size).toEqual({ columns: opened.columns, rows: opened.rows });
    await house.request("politerm.pane.input", { ...pane, data: "hello there" });
    expect(await output).toContain("hello there");
    house.notify("politerm/paneCredit", { ...pane, bytes: 1000 });
    expect(await house.request("politerm.pane.resize", { ...pane, columns: 200, rows: 60 })).toMatchObject({
      columns: expect.any(Number),
    });
    await house.request("politerm.pane.takeOver", { ...pane, on: false });
    const { command } = await house.request("politerm.pane.attach", { ...pane, readOnly: true });
    expect(command[0]).toMatch(/tmux$/);
    expect(await house.request("politerm.pane.close", pane)).toEqual({});
  });

  test("interrupt pauses, stop ends, and what is left to retry is said", async () => {
    await house.open();
    const runId = await started("to-be-stopped", { approvePlans: "every" });
    await until(store, () => store.attention.length > 0);
    expect((await house.request("politerm.run.interrupt", { runId, role: "PLANNER" })).state).toBe("paused");
    const retried = await house.request("politerm.run.retry", { runId }).catch((error: RequestFailed) => error.code);
    expect(retried).toSatisfy((answer: unknown) => answer === "wrongState" || typeof answer === "object");
    const { promptId } = await house.request("politerm.primer.resend", { runId, role: "PLANNER" });
    expect(promptId).not.toBe("");
    expect((await house.request("politerm.run.stop", { runId, reason: "enough" })).state).toBe("ended");
    expect((await ended(runId)).outcome).toBe("stopped");
  });

  test("what is installed, as the views and the doctor show it", async () => {
    await house.open();
    const { agents } = await house.request("politerm.agent.list", {});
    const scripted = agents.find((each) => each.name === DEMO.planner);
    expect(scripted).toMatchObject({ available: true, source: expect.any(String) });
    expect(await house.request("politerm.agent.check", { agent: DEMO.planner })).toMatchObject({ ok: true });
    expect(await house.request("politerm.doctor", {})).toMatchObject({ folder: house.workspace });
  });

  test("refusals say what was wrong", async () => {
    await house.open();
    const unknown = house.request("politerm.run.get", { runId: "no-such-run" });
    await expect(unknown).rejects.toMatchObject({ name: "RequestFailed", code: "runNotFound" });
    const missing = house.request("politerm.run.start", { task: "x", planner: "nobody" });
    await expect(missing).rejects.toMatchObject({ code: "agentNotFound", message: expect.stringContaining("nobody") });
    const empty = house.request("politerm.run.start", { task: "" });
    await expect(empty).rejects.toMatchObject({ code: "invalidParams", message: expect.stringContaining("task") });
  });

  test("nothing starts in a folder that is not trusted, until it is", async () => {
    await house.open({ trusted: false });
    await expect(started("untrusted-run")).rejects.toMatchObject({ code: "untrusted" });
    house.notify("politerm/trustChanged", { trusted: true });
    await started("trusted-run");
    expect((await ended("trusted-run")).outcome).toBe("completed");
  });

  test("the server dies in mid-run: the same run is there again with nothing missing", async () => {
    await house.open();
    const runId = await started("survivor", { approvePlans: "first" });
    const seen = following(runId);
    await until(store, () => store.attention.length > 0);
    await house.kill();
    await expect(house.request("politerm.run.get", { runId })).rejects.toMatchObject({ code: "lost" });
    await house.open();
    const item = await until(store, () => store.attention.find((each) => each.kind === "plan"));
    await house.request("politerm.attention.answer", { attentionId: item.attentionId, choice: "approve" });
    const view = await ended(runId);
    expect(view.outcome).toBe("completed");
    await until(store, () => seen.length === view.lastSeq);
    expect(numbers(seen)).toEqual(counted(view.lastSeq));
  });
});
