/** A new user: nothing but the .vsix, a clean home, and the walkthrough. */
import { expect, test } from "../fixtures";

test("from the .vsix on a clean home to the end of the demo run", async ({ furnish }) => {
  // The server's environment is made from the wheel inside the extension; its packages come over the network.
  test.setTimeout(300_000);
  const { house, window, politerm } = await furnish({ server: "private" });
  await politerm.show();
  await window.picture("first-look");
  await window.view("Runs").getByRole("button", { name: "Start Demo Run" }).click();

  // It takes a while, and says so from the first moment.
  await expect(window.notification(/setting up|installing|making an environment/i)).toBeVisible();
  await window.picture("first-start-progress");
  await expect(politerm.state).toBeVisible({ timeout: 240_000 });
  await politerm.completed();
  await window.picture("demo-completed");
  expect(house.servers().length).toBe(1);
  const [server] = house.processes(/-m politerm serve/);
  expect(server?.command).toContain(house.root);

  const done = window.notification("The demonstration is done");
  await done.getByRole("button", { name: "Show What They Wrote" }).click();
  await expect(window.tab("test_slugify.py")).toBeVisible();
  await window.picture("demo-files");
});
