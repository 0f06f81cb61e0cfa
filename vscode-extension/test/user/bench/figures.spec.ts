/** What the extension costs: its size, its own start, and a very long run in the timeline. Prints; asserts no time. */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "../fixtures";
import type { House } from "../house";
import { inside } from "../inside";
import { HERE, PYTHON, vsix } from "../places";

const MESSAGES = 10_000;
const RUN = "261121-000000-long";
/** The last one is for painting alone; here the tab, the page and the server's answer are in it. */
const GOALS = { vsixBytes: 2 * 1024 * 1024, activation: 100, firstPaint: 200 };

function tell(what: string, value: number, unit: string, goal: number): void {
  const ratio = (value / goal).toFixed(2);
  process.stdout.write(`${what.padEnd(52)} ${Math.round(value).toString().padStart(7)} ${unit.padEnd(4)} ${ratio} of the goal\n`);
}

test("size", () => {
  tell("the .vsix", statSync(vsix()).size / 1024, "KiB", GOALS.vsixBytes / 1024);
});

test("activation, as the editor itself counts it: loading our code and running it", async ({ furnish }) => {
  const { window } = await furnish();
  await window.command("Developer: Show Running Extensions");
  const row = window.page.locator(".runtime-extensions-editor .extension").filter({ hasText: "politerm" }).first();
  await expect(row).toContainText(/\d+ms/);
  const counted = /(\d+)ms/.exec((await row.textContent()) ?? "")?.[1];
  tell("activation", Number(counted), "ms", GOALS.activation);
});

test(`a run of ${MESSAGES} messages in the timeline`, async ({ furnish }) => {
  const { house, politerm } = await furnish({}, longRun);
  await politerm.show();
  await expect(politerm.run(`${MESSAGES} messages`).first()).toBeVisible();
  const from = performance.now();
  const opened = inside(house, (vscode, runId) => vscode.commands.executeCommand("politerm.openTimeline", { runId }), RUN);
  await expect(politerm.timeline.locator(".is-end")).toBeVisible();
  tell("from the command to the run's end on the screen", performance.now() - from, "ms", GOALS.firstPaint);
  await opened;
});

function longRun(house: House): void {
  execFileSync(PYTHON, [join(HERE, "bench/long_run.py"), house.workspace, String(MESSAGES)], {
    env: { ...process.env, POLITERM_STATE_DIR: house.state },
  });
}
