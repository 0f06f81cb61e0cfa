/** From a wish to a run that is under way: the folder, the agents, one start. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { newRunId, type Wish } from "../model/wish";
import { RequestFailed } from "../protocol/api";
import type { StartRun } from "../protocol/generated";
import type { Services } from "../services";
import { oneLine } from "../views/words";
import { askPair, forgetPair, rememberedPair } from "./agents";

/** The new run's id; undefined when a question was left without an answer. */
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

/** Starts the run and shows its timeline. From then on the views tell how it goes. */
export async function begin(services: Services, request: StartRun & { runId: string }): Promise<void> {
  const { runId } = request;
  const options = { location: vscode.ProgressLocation.Window, title: `Starting “${oneLine(request.task, 40)}”` };
  await vscode.window.withProgress(options, async () => {
    await startOnce(services, request);
    services.store.seen(await services.server.request("politerm.run.get", { runId }));
  });
  await vscode.commands.executeCommand("politerm.openTimeline", { runId });
}

/** A server that died under the question is asked once more: with the same id, nothing starts twice. */
async function startOnce({ server }: Services, request: StartRun): Promise<void> {
  try {
    await server.request("politerm.run.start", request);
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.code !== "lost") {
      throw error;
    }
    await server.request("politerm.run.start", request);
  }
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
