/** The window is reloaded, the server is killed: the same run is there, and nothing of it is missing. */
import { expect, test } from "../fixtures";
import { kill } from "../house";
import { counting } from "../talk";

test("a reload in mid-run", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, (each) => {
    each.agents({ ...counting({ rounds: 3 }), e: { kind: "raw", role: "executer", hold: each.holding() } });
  });
  await politerm.show();
  await politerm.start("survive a reload");
  await window.command("PoliTerm: Open All Panes");
  await expect(politerm.message("Step 1 of 3")).toBeVisible();
  await expect(politerm.run("Executer")).toContainText("working");

  await politerm.reload();
  await expect(politerm.run("survive a reload")).toBeVisible();
  await expect(politerm.message("Step 1 of 3")).toBeVisible();
  await window.picture("reloaded");
  house.release();
  await politerm.completed();
  for (const step of [1, 2, 3]) {
    await expect(politerm.message(`Done with step ${step}.`)).toHaveCount(1);
  }
});

test("the server killed in mid-run", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, (each) => {
    each.agents({ ...counting({ rounds: 3 }), e: { kind: "raw", role: "executer", hold: each.holding() } });
  });
  await politerm.show();
  await politerm.start("survive a death");
  await expect(politerm.message("Step 1 of 3")).toBeVisible();
  await expect(politerm.run("Executer")).toContainText("working");
  const [server, ...others] = house.servers();
  expect(others).toEqual([]);
  kill(server ?? 0);
  await expect.poll(() => house.servers().filter((pid) => pid !== server).length).toBe(1);
  house.release();
  await politerm.completed();
  for (const step of [1, 2, 3]) {
    await expect(politerm.message(`Done with step ${step}.`)).toHaveCount(1);
  }
  await window.picture("server-killed");
});
