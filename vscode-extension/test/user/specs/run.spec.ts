/** A whole run, from the palette to its result. */
import { join } from "node:path";
import { expect, test } from "../fixtures";
import { CAST, conversation, playing, TASK } from "../talk";

test("palette, task, live panes and timeline, result", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({ folders: ["notes"] }, (each) =>
    each.agents(conversation({ planner: { hold: join(each.root, "second") }, executer: { hold: each.holding() } })),
  );
  await politerm.show();
  await politerm.start(TASK, CAST);
  await expect(window.tab(/json flag/)).toBeVisible();
  await expect(politerm.message("Print one object per note")).toBeVisible();
  await expect(politerm.run(TASK)).toBeVisible();
  await window.command("PoliTerm: Open All Panes");
  await expect(window.terminals().first()).toContainText("[[/POLI:MSG]]");

  // The executer reports, and the planner thinks about it.
  house.holding("second");
  house.release();
  await expect(politerm.message("one test fails")).toBeVisible();
  await expect(politerm.run("Planner").first()).toContainText("working");
  await expect(politerm.status).toContainText("round 1");
  await window.picture("run-under-way");

  house.release("second");
  await politerm.completed();
  await expect(politerm.message("41 passed")).toBeVisible();
  await expect(politerm.message("all 41 tests pass")).toBeVisible();
  await expect(politerm.timeline.locator(".is-end")).toContainText("2 rounds");
  await expect(politerm.run("completed").first()).toBeVisible();
  await window.picture("run-completed");
});

test("the second run asks only for its task", async ({ furnish }) => {
  const { window, politerm } = await furnish({}, (house) =>
    house.agents(playing([[{ type: "complete", to: "USER", body: "Nothing to do." }]], [])),
  );
  await politerm.start("first things first");
  await politerm.completed();
  await window.command("PoliTerm: Start Run...");
  await expect(window.quickInput).toContainText("p plans, e executes");
  await window.answer("Start Run", "one thing more");
  await expect(window.tab(/one thing more/)).toBeVisible();
  await politerm.completed();
});
