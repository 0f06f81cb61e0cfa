/** What stands in the window before anything is started. */
import { expect, test } from "../fixtures";

test("the views are in a container of their own", async ({ furnish }) => {
  const { window } = await furnish();
  await window.showContainer("PoliTerm");
  for (const name of ["Needs you", "Runs", "Agents"]) {
    await expect(window.view(name)).toBeVisible();
  }
});
