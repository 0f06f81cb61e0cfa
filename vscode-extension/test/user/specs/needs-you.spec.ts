/** What waits for a person is in one list, answered there, and told once. */
import { expect, test } from "../fixtures";
import { CAST, conversation, counting, TASK } from "../talk";

const ASKING = { ...counting({ rounds: 1 }), e: { kind: "asking", role: "executer", rounds: 1 } };

test("a permission question is answered in the list", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({ folders: ["notes"] }, (each) =>
    each.agents(conversation({ executer: { ask: "prompt", memory: each.folder("memory") } })),
  );
  await politerm.show();
  await politerm.start(TASK, CAST);
  await expect(politerm.need("allowed.txt").first()).toBeVisible();
  await expect(window.badge("PoliTerm")).toHaveText("1");
  await expect(politerm.status).toContainText("1");
  // Who has the list before their eyes needs no notification of the same thing.
  await expect(window.notification("allowed.txt")).toHaveCount(0);
  await window.picture("needs-you");
  expect(house.has("allowed.txt")).toBe(false);

  // It asks in both of its turns.
  await politerm.need(/^allow$/i).click();
  await expect.poll(() => house.has("allowed.txt")).toBe(true);
  await expect(politerm.message("one test fails")).toBeVisible();
  await politerm.need(/^allow$/i).click();
  await politerm.completed();
  await expect(politerm.need("allowed.txt")).toHaveCount(0);
  await expect(window.badge("PoliTerm")).toBeHidden();
});

test("a question is a notification where it is not in sight, and no is no", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, (each) =>
    each.agents({ ...ASKING, e: { kind: "asking", role: "executer", rounds: 1, hold: each.holding() } }),
  );
  await politerm.start("write the file");
  await expect(politerm.message("Step 1 of 1.")).toBeVisible();
  await window.command("View: Close Editor");
  house.release();
  const told = window.notification("allowed.txt");
  await expect(told).toBeVisible();
  await expect(told).toHaveCount(1);
  await window.picture("needs-you-notification");
  await told.getByRole("button", { name: "Deny" }).click();
  await window.command("PoliTerm: Open Timeline");
  await expect(politerm.message("I was not allowed")).toBeVisible();
  expect(house.has("allowed.txt")).toBe(false);
});

test("a question is answered in the timeline", async ({ furnish }) => {
  const { house, politerm } = await furnish({}, (each) => each.agents(ASKING));
  await politerm.start("write the file");
  const asked = politerm.timeline.locator(".is-attention");
  await expect(asked).toContainText("allowed.txt");
  await asked.getByRole("button", { name: /^allow$/i }).click();
  await politerm.completed();
  expect(house.has("allowed.txt")).toBe(true);
  await expect(asked).toContainText("by you");
});
