/** What a reader of the timeline may do, done: through the server, or with the editor's own means. */
import path from "node:path";
import * as vscode from "vscode";
import type { Services } from "../services";
import type { Act } from "../webview/transport/messages";
import { within } from "./places";
import type { RawTexts } from "./raw";
import { Declined } from "./session";

type Doing<D extends Act["do"]> = Extract<Act, { do: D }>;

export class Acts {
  constructor(
    private readonly services: Services,
    private readonly runId: string,
    private readonly texts: RawTexts,
  ) {}

  /** Rejects with words for people when it cannot be done, and with `Declined` when the person did not want it. */
  async perform(act: Act): Promise<void> {
    const { runId } = this;
    const { server } = this.services;
    switch (act.do) {
      case "answer":
        return this.answer(act);
      case "send":
        await server.request("politerm.message.send", { runId, to: act.to, text: act.text, when: act.when });
        return;
      case "pause":
        return this.steer("politerm.run.pause");
      case "resume":
        return this.steer("politerm.run.resume");
      case "retry":
        return this.steer("politerm.run.retry");
      case "interrupt":
        this.services.store.seen(
          await server.request(
            "politerm.run.interrupt",
            act.role === undefined ? { runId } : { runId, role: act.role },
          ),
        );
        return;
      case "stop":
        return this.command("politerm.stopRun", { runId });
      case "openPane":
        return this.command("politerm.openPane", { runId, role: act.role });
      case "openChanges":
        return this.command("politerm.showRoundChanges", { runId, round: act.round });
      case "openPlan":
        return this.openPlan(act);
      case "openText":
        return this.texts.open(runId, act.seq);
      case "openFile":
        return this.openFile(act);
      case "openLink":
        await vscode.env.openExternal(vscode.Uri.parse(act.href, true));
        return;
      case "copy":
        await vscode.env.clipboard.writeText(act.text);
        return;
    }
  }

  private async steer(command: "politerm.run.pause" | "politerm.run.resume" | "politerm.run.retry"): Promise<void> {
    this.services.store.seen(await this.services.server.request(command, { runId: this.runId }));
  }

  private async command(name: string, argument: unknown): Promise<void> {
    await vscode.commands.executeCommand(name, argument);
  }

  private async answer({ attentionId, choice, text }: Doing<"answer">): Promise<void> {
    const item = this.services.store.attention.find((each) => each.attentionId === attentionId);
    const chosen = item?.choices.find((each) => each.id === choice);
    if (chosen?.danger === true) {
      const options = { modal: true, detail: item?.title ?? "" };
      if ((await vscode.window.showWarningMessage(`${chosen.label}?`, options, chosen.label)) === undefined) {
        throw new Declined();
      }
    }
    await this.services.server.request("politerm.attention.answer", {
      attentionId,
      ...(choice === undefined ? {} : { choice }),
      ...(text === undefined ? {} : { text }),
    });
  }

  /** A plan that waits is opened to be approved or edited; one that was edited, beside what became of it. */
  private async openPlan({ messageId }: Doing<"openPlan">): Promise<void> {
    const { runId } = this;
    const { store, server } = this.services;
    const events = store.events(runId);
    const raised = events.findLast(({ event }) => event.type === "attentionRaised" && event.about === messageId)?.event;
    if (raised?.type === "attentionRaised") {
      const { attentionId } = raised;
      if (store.attention.some((item) => item.attentionId === attentionId)) {
        return this.command("politerm.openPlan", { attentionId });
      }
    }
    const of = (type: "messageReceived" | "planEdited") =>
      events.find(({ event }) => event.type === type && "messageId" in event && event.messageId === messageId)?.seq;
    const seq = of("messageReceived");
    if (seq === undefined) {
      throw new Error("This plan is not there any more.");
    }
    const edited = of("planEdited") !== undefined && server.state.phase === "ready";
    return edited ? this.command("politerm.showPlanChanges", { runId, seq }) : this.texts.open(runId, seq);
  }

  /** Only files of the run's folders and of the workspace: a name in an agent's text opens nothing else. */
  private async openFile({ path: name, line }: Doing<"openFile">): Promise<void> {
    const view = this.services.store.run(this.runId);
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    const places = view === undefined ? folders : [view.cwd, ...folders];
    for (const place of within(name, places, path)) {
      const uri = vscode.Uri.file(place);
      try {
        await vscode.workspace.fs.stat(uri);
      } catch {
        continue;
      }
      const at = new vscode.Position(Math.max(0, (line ?? 1) - 1), 0);
      await vscode.window.showTextDocument(uri, { preview: true, selection: new vscode.Range(at, at) });
      return;
    }
    throw new Error(`There is no file ${name} in this run's folder.`);
  }
}
