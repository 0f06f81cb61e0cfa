/** Restricted Mode: views explain, nothing starts; trust is all that is missing. */
import { expect, test } from "../fixtures";
import { counting } from "../talk";

test("nothing starts before the folder is trusted", async ({ furnish }) => {
  const { house, window, politerm } = await furnish(
    { asksForTrust: true, settings: { "security.workspace.trust.startupPrompt": "never" } },
    (each) => each.agents(counting({ rounds: 1 })),
  );
  await politerm.show();
  await expect(window.view("Runs")).toContainText("Restricted Mode");
  await expect(window.view("Needs you")).toContainText("Restricted Mode");
  await window.picture("restricted");
  await window.inPalette("PoliTerm: ", () => expect(window.choice("PoliTerm: Show Logs")).toBeVisible());
  await expect(window.choice("PoliTerm: Start Run...")).toHaveCount(0);
  await window.page.keyboard.press("Escape");
  expect(house.servers()).toEqual([]);

  await window.view("Runs").getByRole("button", { name: "Manage Workspace Trust" }).click();
  await window.page.locator(".workspace-trust-editor").getByRole("button", { name: "Trust", exact: true }).click();
  await expect(window.view("Runs")).toContainText("Start Run");
  expect(house.servers()).toEqual([]);
  await politerm.start("now it may");
  await politerm.completed();
});
