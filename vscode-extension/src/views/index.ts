/** The trees, the status bar item, and what asks for attention. */
import * as vscode from "vscode";
import type { Services } from "../services";
import { AgentsView } from "./agentsView";
import { Answering } from "./answering";
import { registerCodeActions } from "./codeActions";
import { NeedsYouView } from "./needsYouView";
import { Notifications, type Sight } from "./notifications";
import { PlanView } from "./planView";
import { RunsView } from "./runsView";
import { StatusItem } from "./statusItem";

export function registerViews(services: Services): vscode.Disposable[] {
  const plans = new PlanView(services);
  const answering = new Answering(services, (item) => plans.open(item, false));
  plans.answering = answering;
  const runs = new RunsView(services);
  const needsYou = new NeedsYouView(services);
  const sight: Sight = {
    item: ({ attentionId, runId }) =>
      needsYou.visible || plans.visible(attentionId) || (runId !== undefined && services.inSight.has(runId)),
    run: (runId) => needsYou.visible || runs.visible || plans.visible() || services.inSight.has(runId),
  };
  return [
    plans,
    answering,
    runs,
    needsYou,
    new AgentsView(services),
    new StatusItem(services),
    new Notifications(services, sight, answering, (item) => plans.open(item)),
    ...contextKeys(services),
    ...registerCodeActions(),
  ];
}

/** What the words of empty views depend on. */
function contextKeys({ store }: Services): vscode.Disposable[] {
  const tell = () => {
    void vscode.commands.executeCommand("setContext", "politerm.phase", store.serverState.phase);
  };
  tell();
  const subscription = store.onChange(({ what }) => {
    if (what === "server") {
      tell();
    }
  });
  return [subscription];
}
