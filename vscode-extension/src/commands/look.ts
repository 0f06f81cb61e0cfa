/** Looking closer: the report of what is installed, and tmux itself in a terminal of the editor. */
import * as vscode from "vscode";
import type { Services } from "../services";
import { oneLine } from "../views/words";
import { chooseRole, chooseRun } from "./choose";
import { command } from "./guard";

export function lookCommands(services: Services): vscode.Disposable[] {
  return [
    command(services, "politerm.runDoctor", async () => doctor(services)),
    command(services, "politerm.attach", attach),
  ];
}

/** What a person pastes into a report: as data, in a document that can be read before it is sent anywhere. */
async function doctor({ server, context }: Services): Promise<void> {
  const options = { location: vscode.ProgressLocation.Notification, title: "PoliTerm: looking at what is installed" };
  const report = await vscode.window.withProgress({ ...options, cancellable: true }, (_, token) =>
    server.request("politerm.doctor", {}, token),
  );
  const editor = { name: vscode.env.appName, version: vscode.version, remote: vscode.env.remoteName ?? null };
  const extension = context.extension.packageJSON.version as string;
  const content = `${JSON.stringify({ editor, extension, ...report }, null, 2)}\n`;
  const document = await vscode.workspace.openTextDocument({ content, language: "json" });
  await vscode.window.showTextDocument(document, { preview: false });
}

const READ = { label: "Watch", description: "read only", readOnly: true };
const TYPE = { label: "Watch and type", description: "what you type goes to the agent", readOnly: false };

async function attach(services: Services, given: unknown): Promise<void> {
  const view = await chooseRun(services, given, (each) => each.state !== "ended", "is under way");
  const role = view && (await chooseRole(view, given, "Whose pane?"));
  const way =
    role && (await vscode.window.showQuickPick([READ, TYPE], { title: `Attach to the ${role.toLowerCase()}` }));
  if (view === undefined || role === undefined || way === undefined) {
    return;
  }
  const { readOnly } = way;
  const { command: argv } = await services.server.request("politerm.pane.attach", {
    runId: view.runId,
    role,
    readOnly,
  });
  const [shellPath, ...shellArgs] = argv;
  const terminal = vscode.window.createTerminal({
    name: `tmux: ${role.toLowerCase()}, ${oneLine(view.task, 30)}`,
    shellPath,
    shellArgs,
    // Inside somebody's own tmux, tmux refuses to attach to another one.
    env: { TMUX: null, TMUX_PANE: null },
    iconPath: new vscode.ThemeIcon("terminal-tmux"),
    isTransient: true,
  });
  terminal.show();
}
