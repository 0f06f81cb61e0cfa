/** *Agents*: asked for when the list is looked at, and again on wish; a check starts one agent without a prompt. */
import * as vscode from "vscode";
import { tellFailure } from "../commands/guard";
import type { Disposable } from "../protocol/api";
import type { AgentView } from "../protocol/generated";
import type { Services } from "../services";
import { agentRows, type Report, reportOf } from "./agentRows";
import { LiveTree } from "./liveTree";

export class AgentsView implements Disposable {
  private agents: readonly AgentView[] = [];
  private readonly checks = new Map<string, Report | "checking">();
  private asked = false;
  private readonly tree = new LiveTree();
  private readonly view: vscode.TreeView<unknown>;
  private readonly parts: Disposable[];

  constructor(private readonly services: Services) {
    this.view = vscode.window.createTreeView("politerm.agents", { treeDataProvider: this.tree });
    this.parts = [
      this.view,
      this.tree,
      this.view.onDidChangeVisibility(() => this.look()),
      services.store.onChange(({ what }) => {
        if (what === "server" && services.store.serverState.phase === "ready") {
          this.asked = false;
          this.look();
        }
      }),
      vscode.commands.registerCommand("politerm.refreshAgents", () => this.ask()),
      vscode.commands.registerCommand("politerm.checkAgent", (given?: { agent?: string }) => this.check(given?.agent)),
    ];
    this.look();
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  /** Looking at a list must not start a server that nobody has asked for; a running one is asked once. */
  private look(): void {
    if (this.view.visible && !this.asked && this.services.store.serverState.phase === "ready") {
      void this.ask();
    }
  }

  private async ask(): Promise<void> {
    this.asked = true;
    try {
      await vscode.window.withProgress({ location: { viewId: "politerm.agents" } }, async () => {
        this.agents = (await this.services.server.request("politerm.agent.list", {})).agents;
      });
      this.draw();
    } catch (error) {
      this.asked = false;
      void tellFailure(this.services, error);
    }
  }

  private async check(name: string | undefined): Promise<void> {
    const agent = name ?? (await this.pick());
    if (agent === undefined || this.checks.get(agent) === "checking") {
      return;
    }
    this.checks.set(agent, "checking");
    this.draw();
    try {
      const report = await this.services.server.request("politerm.agent.check", { agent });
      this.checks.set(agent, reportOf(report));
    } catch (error) {
      this.checks.delete(agent);
      void tellFailure(this.services, error);
    }
    this.draw();
  }

  private async pick(): Promise<string | undefined> {
    if (this.agents.length === 0) {
      await this.ask();
    }
    const entries = agentRows(this.agents, this.checks).map(({ label, description }) => ({
      label,
      ...(description === undefined ? {} : { description }),
    }));
    return (await vscode.window.showQuickPick(entries, { title: "Which agent should be checked?" }))?.label;
  }

  private draw(): void {
    this.tree.show(agentRows(this.agents, this.checks));
  }
}
