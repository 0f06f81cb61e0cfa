/** The demonstration: a whole run of two scripted agents in a folder of its own. No key, no agent, no cost. */

import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import { DEMO, type RunView } from "../protocol/generated";
import type { Services } from "../services";
import { command } from "./guard";
import { begin, freshRunId } from "./launch";

const FILES = "Show What They Wrote";

export function demoCommands(services: Services): vscode.Disposable[] {
  return [command(services, "politerm.startDemo", async () => demo(services))];
}

async function demo(services: Services): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), "politerm-demo-"));
  const runId = freshRunId();
  await begin(services, { ...DEMO, cwd, runId });
  void ended(services, runId).then((view) => offerFiles(view, cwd));
}

function ended({ store, context }: Services, runId: string): Promise<RunView> {
  return new Promise((resolve) => {
    const look = (): void => {
      const view = store.run(runId);
      if (view?.state === "ended") {
        subscription.dispose();
        resolve(view);
      }
    };
    const subscription = store.onChange(look);
    context.subscriptions.push(subscription);
    look();
  });
}

async function offerFiles(view: RunView, folder: string): Promise<void> {
  // Who is not looking at the run is told of its end by the views; nothing is said twice.
  if (view.outcome !== "completed" || !timelineInSight()) {
    return;
  }
  const message = "PoliTerm: The demonstration is done. The next run can be yours: “PoliTerm: Start Run”.";
  if ((await vscode.window.showInformationMessage(message, FILES)) !== FILES) {
    return;
  }
  const names = (await readdir(folder)).filter((name) => name.endsWith(".py")).sort();
  for (const name of names) {
    await vscode.window.showTextDocument(vscode.Uri.file(join(folder, name)), { preview: false });
  }
}

function timelineInSight(): boolean {
  const shown = vscode.window.tabGroups.all.map((group) => group.activeTab?.input);
  return shown.some((input) => input instanceof vscode.TabInputWebview && input.viewType.includes("politerm.timeline"));
}
