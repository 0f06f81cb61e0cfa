/** A word to an agent: now, which steers a working one, or with its next prompt. */
import * as vscode from "vscode";
import type { Role, RunView, SendMessage } from "../protocol/generated";
import type { Services } from "../services";
import { oneLine } from "../views/words";
import { chooseRole, chooseRun } from "./choose";
import { command } from "./guard";

export function talkCommands(services: Services): vscode.Disposable[] {
  return [command(services, "politerm.sendMessage", send)];
}

async function send(services: Services, given: unknown): Promise<void> {
  const view = await chooseRun(services, given, (each) => each.state !== "ended", "is under way");
  const to = view === undefined ? undefined : await chooseRole(view, given, "To whom?");
  if (view === undefined || to === undefined) {
    return;
  }
  const text = await vscode.window.showInputBox({
    title: `Message to the ${to.toLowerCase()} of “${oneLine(view.task, 40)}”`,
    prompt: "It is passed on word for word.",
    ignoreFocusOut: true,
  });
  const when = text === undefined || text.trim() === "" ? undefined : await chooseTime(view, to);
  if (text !== undefined && when !== undefined) {
    await services.server.request("politerm.message.send", { runId: view.runId, to, text, when });
    vscode.window.setStatusBarMessage(`PoliTerm: sent to the ${to.toLowerCase()}`, 3000);
  }
}

/** An agent that is not working gets it at once; there is nothing to ask. */
async function chooseTime(view: RunView, to: Role): Promise<SendMessage["when"] | undefined> {
  if (view.roles[to]?.state !== "working") {
    return "now";
  }
  const items = [
    { label: "Now", description: "typed into the working agent, which may change its mind", when: "now" as const },
    { label: "With the next prompt", description: "the turn goes on undisturbed", when: "next" as const },
  ];
  return (await vscode.window.showQuickPick(items, { title: `The ${to.toLowerCase()} is working` }))?.when;
}
