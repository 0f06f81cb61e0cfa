/** A run under way: interrupted, paused, spoken to, stopped. */
import { expect, test } from "../fixtures";
import { counting } from "../talk";

/** Agents that begin their first turn and stay in it. */
const BUSY = counting({ silent: true });

test("interrupt presses the agent's own key and pauses; resume goes on", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, (each) => {
    each.agents(counting({ hold: each.holding() }));
  });
  await politerm.show();
  await politerm.start("count");
  await expect(politerm.run("Planner")).toContainText("working");
  await window.command("PoliTerm: Interrupt");
  await expect(politerm.state).toHaveText("Paused");
  await expect(politerm.status).toContainText("paused");
  await window.picture("interrupted");
  house.release();
  await window.command("PoliTerm: Resume");
  await politerm.completed();
});

test("stop asks once, and leaves no process", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, (each) => each.agents(BUSY));
  await politerm.show();
  await politerm.start("never ends");
  await expect(politerm.run("Planner")).toContainText("working");
  expect(house.processes(/program\.py/).length).toBeGreaterThan(0);
  await window.command("PoliTerm: Stop");
  await expect(window.dialog()).toContainText("never ends");
  await window.picture("stop-question");
  await window.dialog().getByRole("button", { name: "Stop" }).click();
  await expect(politerm.state).toHaveText("Stopped");
  await expect.poll(() => house.processes(/program\.py/)).toEqual([]);
});

test("a word to an agent is passed on and shown", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, (each) => {
    each.agents(counting({ hold: each.holding() }));
  });
  await politerm.start("count");
  await expect(politerm.timeline.locator(".composer")).toBeVisible();
  const box = politerm.timeline.locator(".composer textarea");
  await politerm.timeline.getByRole("button", { name: "Now" }).click();
  await box.fill("Mind the gap.");
  await box.press("Enter");
  await expect(politerm.message("Mind the gap.")).toBeVisible();
  house.release();
  await politerm.completed();
  await window.picture("spoken-to");
});

test("keys reach the agent only after the pane was taken over", async ({ furnish }) => {
  const { window, politerm } = await furnish({}, (each) =>
    each.agents({ ...BUSY, e: { kind: "raw", role: "executer" } }),
  );
  await politerm.start("never ends");
  await window.command("PoliTerm: Open Pane");
  await window.choice("Executer").click();
  await expect(window.terminals()).toContainText("mine>");
  await window.focusTerminal();
  await window.page.keyboard.type("unheard");
  const hint = window.notification("Take it over");
  await expect(hint).toBeVisible();
  await window.picture("pane-hint");
  await hint.getByRole("button", { name: "Take Over" }).click();
  await expect(hint).toHaveCount(0);
  await window.focusTerminal();
  await expect(async () => {
    await window.page.keyboard.type("heard");
    await expect(window.terminals()).toContainText("heard", { timeout: 3000 });
  }).toPass();
  await expect(window.terminals()).not.toContainText("unheard");
  await window.picture("pane-taken-over");
});
