/** A plan waits for its reader: as a document, edited, approved or sent back. */
import { expect, test } from "../fixtures";
import type { House } from "../house";
import { CAST, conversation, TASK } from "../talk";

const APPROVING = { folders: ["notes"], settings: { "politerm.runs.approvePlans": "first" } };

function arrange(house: House): void {
  house.agents(conversation({ executer: { memory: house.folder("memory") } }));
}

test("the executer gets the plan as it was edited", async ({ furnish }) => {
  const { house, window, politerm } = await furnish(APPROVING, arrange);
  await politerm.show();
  await politerm.start(TASK, CAST);
  await expect(window.tab("Plan to approve.md")).toBeVisible();
  await expect(politerm.need("Open and edit the plan")).toBeVisible();
  await window.tab("Plan to approve.md").click();
  await expect(window.text).toContainText("Print one object per note");
  await window.picture("plan-waits");
  await window.text.click();
  await window.page.keyboard.press("ControlOrMeta+End");
  await window.page.keyboard.type("And mind the umlauts.");
  const lens = window.page.locator(".codelens-decoration");
  await expect(lens.getByText("Approve with My Changes")).toBeVisible();
  await window.picture("plan-edited");
  await lens.getByText("Approve with My Changes").click();

  await politerm.completed();
  const prompts = house.ledger("memory").filter((each) => each.role === "executer" && each.event === "prompt");
  expect(String(prompts[0]?.text)).toContain("And mind the umlauts.");
  await expect(window.tab("Plan to approve.md")).toHaveCount(0);
  await expect(politerm.message("And mind the umlauts.")).toContainText("edited by you");
  await window.picture("plan-approved");
});
