/** Folders as people have them: several at once, with spaces and quotes in their names. */
import { expect, test } from "../fixtures";
import { counting, playing } from "../talk";

test("a path with spaces, quotes and a dollar", async ({ furnish }) => {
  const { politerm } = await furnish({ folders: ['it\'s my "work" $HOME ünd so'] }, (each) =>
    each.agents(counting({ rounds: 1 })),
  );
  await politerm.start("count to one");
  await politerm.completed();
});

test("of several folders, the one that is picked", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({ folders: ["alpha", "beta gamma"] }, (each) =>
    each.agents({
      ...playing([[{ type: "plan", body: "Go." }], [{ type: "complete", to: "USER", body: "Gone." }]], []),
      e: { kind: "asking", role: "executer" },
    }),
  );
  await politerm.show();
  await window.command("PoliTerm: Start Run...");
  await window.answer("Start Run", "write where you are");
  await window.choice("beta gamma").click();
  await politerm.chooseAgents();
  await politerm.need(/^allow$/i).click();
  await politerm.completed();
  expect(house.has("allowed.txt")).toBe(false);
  expect(house.has("../beta gamma/allowed.txt")).toBe(true);
});
