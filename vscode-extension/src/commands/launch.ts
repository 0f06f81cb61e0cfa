/** From a wish to a run that is under way: the folder, the agents, one start, and its progress. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { titleOf } from "../model/named";
import { newRunId, startingOf, type Wish } from "../model/wish";
import { RequestFailed } from "../protocol/api";
import type { RunView, StartRun } from "../protocol/generated";
import type { Services } from "../services";
import { askPair, forgetPair, rememberedPair } from "./agents";

/** Resolves once the agents are up, or it is clear that they need somebody. Undefined: it was left. */
export async function launch(services: Services, wish: Wish & { readonly task: string }): Promise<string | undefined> {
  const cwd = wish.cwd ?? (await chooseFolder(wish));
  const pair = cwd && (wish.agents ?? rememberedPair(services) ?? (await askPair(services)));
  if (cwd === undefined || !pair) {
    return undefined;
  }
  const runId = freshRunId();
  const request = { task: wish.task, mode: "dual", cwd, ...pair, context: wish.context ?? [], runId } as const;
  try {
    await begin(services, request);
  } catch (error) {
    if (error instanceof RequestFailed && error.code === "agentNotFound") {
      await forgetPair(services);
    }
    throw error;
  }
  return runId;
}

/** Given by us, so that a start can be repeated. */
export function freshRunId(): string {
  return newRunId(new Date(), randomBytes(2).toString("hex"));
}

/** Starts the run, shows its timeline, and shows progress that ends with the start. Cancelling it stops the run. */
export async function begin(services: Services, request: StartRun & { runId: string }): Promise<void> {
  const { runId } = request;
  const title = `Starting “${titleOf(request.task, 50)}”`;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  await vscode.window.withProgress(options, async (progress, token) => {
    await startOnce(services, request, token);
    services.store.seen(await services.server.request("politerm.run.get", { runId }));
    void vscode.commands.executeCommand("politerm.openTimeline", { runId });
    await up(services, runId, progress, token);
    if (token.isCancellationRequested) {
      services.store.seen(await services.server.request("politerm.run.stop", { runId, reason: "cancelled" }));
    }
  });
}

/** A server that died under the question is asked once more: with the same id, nothing starts twice. */
async function startOnce({ server }: Services, request: StartRun, token: vscode.CancellationToken): Promise<void> {
  try {
    await server.request("politerm.run.start", request, token);
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.code !== "lost") {
      throw error;
    }
    await server.request("politerm.run.start", request, token);
  }
}

function up(
  { store }: Services,
  runId: string,
  progress: vscode.Progress<{ message?: string }>,
  token: vscode.CancellationToken,
): Promise<void> {
  return new Promise((resolve) => {
    const look = (view: RunView | undefined): void => {
      const words = startingOf(view);
      if (words === undefined || token.isCancellationRequested) {
        subscription.dispose();
        resolve();
      } else {
        progress.report({ message: words });
      }
    };
    const subscription = store.onChange(() => look(store.run(runId)));
    token.onCancellationRequested(() => look(store.run(runId)));
    look(store.run(runId));
  });
}

/** The folder of what the wish is about, the only one, or the one that is picked. */
async function chooseFolder(wish: Wish): Promise<string | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
  if (folders.length === 0) {
    const open = "Open Folder";
    const message = "PoliTerm: Agents work in a folder. Open the one that they shall work in.";
    if ((await vscode.window.showInformationMessage(message, open)) === open) {
      await vscode.commands.executeCommand("vscode.openFolder");
    }
    return undefined;
  }
  const about = wish.context?.[0]?.uri;
  const near = about === undefined ? undefined : vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(about));
  if (folders.length === 1 || near !== undefined) {
    return (near ?? folders[0])?.uri.fsPath;
  }
  const picked = await vscode.window.showWorkspaceFolderPick({ placeHolder: "In which folder shall they work?" });
  return picked?.uri.fsPath;
}
