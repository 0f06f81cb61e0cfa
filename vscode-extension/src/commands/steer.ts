/** Commands that act on a run that is under way: stop, pause, resume, interrupt, retry, delete. */
import * as vscode from "vscode";
import { namedIn } from "../model/named";
import type { RunView } from "../protocol/generated";
import type { Services } from "../services";
import { oneLine } from "../views/words";
import { chooseRun } from "./choose";
import { command, type Work } from "./guard";

const live = (view: RunView): boolean => view.state !== "ended";

export function steerCommands(services: Services): vscode.Disposable[] {
  return [
    command(services, "politerm.stopRun", stop),
    command(
      services,
      "politerm.pauseRun",
      act("politerm.run.pause", (view) => live(view) && view.state !== "paused", "is under way"),
    ),
    command(
      services,
      "politerm.resumeRun",
      act("politerm.run.resume", (view) => view.state === "paused", "is paused"),
    ),
    command(services, "politerm.retryRun", act("politerm.run.retry", live, "is under way")),
    command(services, "politerm.interruptRun", interrupt),
    command(services, "politerm.deleteRun", remove),
  ];
}

type Act = "politerm.run.pause" | "politerm.run.resume" | "politerm.run.retry";

function act(name: Act, suits: (view: RunView) => boolean, what: string): Work {
  return async (services, given) => {
    const view = await chooseRun(services, given, suits, what);
    if (view !== undefined) {
      services.store.seen(await services.server.request(name, { runId: view.runId }));
    }
  };
}

async function stop(services: Services, given: unknown): Promise<void> {
  const view = await chooseRun(services, given, live, "is under way");
  if (view === undefined || !(await sure("Stop", `Stop the run “${oneLine(view.task)}”?`, "Its agents are ended."))) {
    return;
  }
  const options = { location: vscode.ProgressLocation.Window, title: "PoliTerm: stopping" };
  await vscode.window.withProgress(options, async () => {
    services.store.seen(await services.server.request("politerm.run.stop", { runId: view.runId }));
  });
}

async function interrupt(services: Services, given: unknown): Promise<void> {
  const view = await chooseRun(services, given, live, "is under way");
  if (view !== undefined) {
    const role = namedIn(given)?.role;
    const argument = role === undefined ? { runId: view.runId } : { runId: view.runId, role };
    services.store.seen(await services.server.request("politerm.run.interrupt", argument));
  }
}

async function remove(services: Services, given: unknown): Promise<void> {
  const view = await chooseRun(services, given, (each) => each.state === "ended", "has ended");
  const detail = "Its messages and recordings are gone afterwards. Files in the workspace stay as they are.";
  if (view !== undefined && (await sure("Delete", `Delete the run “${oneLine(view.task)}”?`, detail))) {
    await services.server.request("politerm.run.delete", { runId: view.runId });
    services.store.forget(view.runId);
  }
}

async function sure(button: string, question: string, detail: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}
