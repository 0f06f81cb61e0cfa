/** A run starts where the cursor is: on a selection, a problem, an item of a check list, a long text. */
import { expect, type Home, test } from "../fixtures";
import type { House } from "../house";
import { inside } from "../inside";
import { counting } from "../talk";

const SOURCE = `def slug(title):
    return title.lower().replace(" ", "-")


def broken(:
    pass
`;

function arrange(house: House): void {
  house.write("slug.py", SOURCE);
  house.write("TODO.md", "# To do\n\n- [x] be\n- [ ] count to two\n      and stop there\n- [ ] rest\n");
  house.agents(counting({ rounds: 1, memory: house.folder("memory") }));
}

/** What the planner was told first. */
function told(house: House): string {
  const lines = house.ledger("memory").filter((each) => each.role === "planner" && each.event === "prompt");
  return String(lines[0]?.text);
}

/** Where the cursor begins and ends, each as a line and a column from 0. */
type Span = readonly [number, number, number, number];

async function select({ house, window }: Home, name: string, span: Span): Promise<void> {
  await inside(
    house,
    async (vscode, [path, ...at]) => {
      const document = await vscode.workspace.openTextDocument(path);
      await vscode.window.showTextDocument(document, { preview: false, selection: new vscode.Range(...at) });
    },
    [`${house.workspace}/${name}`, ...span] as const,
  );
  // What the host asked for, the window has only after a moment.
  await expect(window.statusItem(`Ln ${span[2] + 1}, Col ${span[3] + 1}`)).toBeVisible();
}

test("from a selection, with its lines", async ({ furnish }) => {
  const home = await furnish({}, arrange);
  const { house, window, politerm } = home;
  await select(home, "slug.py", [0, 0, 2, 0]);
  await window.command("PoliTerm: Start Run from Selection...");
  await window.answer("Start Run", "handle umlauts");
  await politerm.chooseAgents();
  await politerm.completed();
  expect(told(house)).toContain("handle umlauts");
  expect(told(house)).toContain("slug.py");
  expect(told(house)).toContain('return title.lower().replace(" ", "-")');
});

test("from a problem, with the problem and the lines around it", async ({ furnish }) => {
  const home = await furnish({}, arrange);
  const { house, window, politerm } = home;
  await inside(
    house,
    (vscode, path) => {
      const found = new vscode.Diagnostic(new vscode.Range(4, 11, 4, 12), "invalid syntax", 0);
      found.source = "checker";
      vscode.languages.createDiagnosticCollection("checker").set(vscode.Uri.file(path), [found]);
    },
    `${house.workspace}/slug.py`,
  );
  await select(home, "slug.py", [4, 11, 4, 11]);
  await expect(window.page.locator(".squiggly-error")).toBeVisible();
  await window.page.keyboard.press("ControlOrMeta+.");
  const action = window.page.locator(".action-widget").getByText("Fix with PoliTerm");
  await expect(action).toBeVisible();
  await window.picture("fix-problem");
  await action.click();
  await politerm.chooseAgents();
  await politerm.completed();
  expect(told(house)).toContain("invalid syntax");
  expect(told(house)).toContain("slug.py:5");
  expect(told(house)).toContain("def broken(:");
});

test("from an open item of a check list", async ({ furnish }) => {
  const home = await furnish({}, arrange);
  const { house, window, politerm } = home;
  await select(home, "TODO.md", [0, 0, 0, 0]);
  const lenses = window.page.locator(".codelens-decoration").getByText("Start Run");
  await expect(lenses).toHaveCount(2);
  await window.picture("check-list");
  await lenses.first().click();
  await politerm.chooseAgents();
  await politerm.completed();
  expect(told(house)).toContain("count to two\nand stop there");
  expect(told(house)).not.toContain("rest\n");
});

test("a long task is written in an editor tab", async ({ furnish }) => {
  const { house, window, politerm } = await furnish({}, arrange);
  await window.command("PoliTerm: Start Run...");
  await window.quickInput.getByRole("button", { name: /in an editor/ }).click();
  await expect(window.tab("PoliTerm Task.md")).toBeVisible();
  await window.page.keyboard.type("Count to one.\nThen rest.");
  await window.picture("task-in-editor");
  await window.page.locator(".codelens-decoration").getByText("Start Run").click();
  await politerm.chooseAgents();
  await politerm.completed();
  expect(told(house)).toContain("Count to one.\nThen rest.");
});
