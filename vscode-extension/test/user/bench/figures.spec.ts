/** What the extension costs: its size, its own start, and a very long run in the timeline. Prints; asserts no time. */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import type { House } from "../house";
import { HERE, PYTHON, vsix } from "../places";

const MESSAGES = 10_000;
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

test(`a run of ${MESSAGES} messages in the timeline`, async ({ furnish, page }) => {
  await page.addInitScript(watchRows);
  const { politerm } = await furnish({}, longRun);
  await politerm.show();
  await politerm.window.command("PoliTerm: Open Timeline");
  await expect(politerm.timeline.locator(".is-end")).toBeVisible();
  const seen = await firstPaint(page);
  tell("first event in the page → painted rows", seen.painted - seen.told, "ms", GOALS.firstPaint);
});

function longRun(house: House): void {
  execFileSync(PYTHON, [join(HERE, "bench/long_run.py"), house.workspace, String(MESSAGES)], {
    env: { ...process.env, POLITERM_STATE_DIR: house.state },
  });
}

interface Seen {
  told: number;
  painted: number;
}

declare global {
  interface Window {
    seen?: Seen;
  }
}

/** In every frame: when the first events came, and when rows had been painted after them. */
function watchRows(): void {
  const seen: Seen = { told: 0, painted: 0 };
  window.seen = seen;
  window.addEventListener("message", ({ data }) => {
    if (seen.told === 0 && data?.type === "events") {
      seen.told = performance.now();
      const look = (): void => {
        if (document.querySelector(".row") === null) {
          requestAnimationFrame(look);
        } else {
          requestAnimationFrame(() => setTimeout(() => (seen.painted = performance.now())));
        }
      };
      requestAnimationFrame(look);
    }
  });
}

async function firstPaint(page: Page): Promise<Seen> {
  for (const frame of page.frames()) {
    const seen = await frame.evaluate(() => window.seen).catch(() => undefined);
    if (seen !== undefined && seen.painted > 0) {
      return seen;
    }
  }
  throw new Error("No frame has painted a row.");
}
