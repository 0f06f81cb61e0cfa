/**
 * The panes as terminals of the editor: one terminal for each role of a run, opened beside each other or as tabs, and
 * opened again after a reload of the window.
 */
import * as vscode from "vscode";
import { chooseRole, chooseRun } from "../commands/choose";
import { command } from "../commands/guard";
import type { Disposable } from "../protocol/api";
import type { Role, RunView } from "../protocol/generated";
import type { Services } from "../services";
import type { Pane, PaneKey } from "./pane";

type Place = "panel" | "editor";

interface Shown {
  readonly pane: Pane;
  readonly terminal: vscode.Terminal;
  readonly place: Place;
}

/** What is kept over a reload of the window. */
interface Remembered extends PaneKey {
  readonly place: Place;
  /** It was the terminal in use. */
  readonly active: boolean;
}

/** What a command may be given: a row of a tree, or just the names. */
interface Given {
  readonly runId?: string;
  readonly role?: string;
  readonly preserveFocus?: boolean;
}

const lives = (view: RunView): boolean => view.state !== "ended";
const UNDER_WAY = "is under way";

const KEY = "politerm.panes";
/** The colours that the timeline gives them, too. */
const LOOKS: Partial<Record<Role, { icon: string; colour: string }>> = {
  PLANNER: { icon: "compass", colour: "terminal.ansiMagenta" },
  EXECUTER: { icon: "tools", colour: "terminal.ansiBlue" },
};

export function registerPanes(services: Services): vscode.Disposable[] {
  return [new Panes(services)];
}

class Panes implements Disposable {
  private readonly shown = new Map<string, Shown>();
  private readonly parts: Disposable[];
  /** Panes of before a reload, until their runs are known again. */
  private remembered: readonly Remembered[];

  constructor(private readonly services: Services) {
    const { server, store, context } = services;
    this.remembered = context.workspaceState.get(KEY, []);
    const on = (name: string, work: (given: Given | undefined) => Promise<void> | undefined) =>
      command(services, name, async (_, given) => work(given as Given | undefined));
    this.parts = [
      server.on("politerm/paneOutput", (frame) => this.shown.get(keyOf(frame))?.pane.frame(frame)),
      store.onChange((change) => this.storeChanged(change.what, "runId" in change ? change.runId : undefined)),
      vscode.window.onDidChangeActiveTerminal(() => this.activeChanged()),
      on("politerm.openPane", (given) => this.openPicked(given, placeSetting())),
      on("politerm.openPaneInEditor", (given) => this.openPicked(given, "editor")),
      on("politerm.openPanes", (given) => this.openAll(given)),
      on("politerm.takeOverPane", () => this.active()?.takeOver(true)),
      on("politerm.releasePane", () => this.active()?.takeOver(false)),
    ];
    this.tellContext();
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
    for (const { terminal } of this.shown.values()) {
      terminal.dispose();
    }
  }

  // ---- opening

  private async openPicked(given: Given | undefined, place: Place): Promise<void> {
    const run = await chooseRun(this.services, given, lives, UNDER_WAY);
    const role = run && (await chooseRole(run, given, "Which pane?"));
    if (run === undefined || role === undefined) {
      return;
    }
    if (run.state === "ended") {
      await offerTimeline(run);
      return;
    }
    await this.open({ runId: run.runId, role }, place, given?.preserveFocus === true);
  }

  /** Every role of the run, beside each other. */
  private async openAll(given: Given | undefined): Promise<void> {
    const run = await chooseRun(this.services, given, lives, UNDER_WAY);
    if (run?.state === "ended") {
      await offerTimeline(run);
      return;
    }
    for (const role of run === undefined ? [] : rolesOf(run)) {
      await this.open({ runId: run?.runId ?? "", role }, placeSetting(), given?.preserveFocus === true);
    }
  }

  private async open(key: PaneKey, place: Place, preserveFocus: boolean): Promise<void> {
    const shown = this.shown.get(keyOf(key)) ?? (await this.create(key, place));
    shown.terminal.show(preserveFocus);
  }

  private async create(key: PaneKey, place: Place): Promise<Shown> {
    // A terminal emulator is not loaded before there is something to show.
    const { Pane } = await import("./pane");
    const known = this.shown.get(keyOf(key));
    if (known !== undefined) {
      return known;
    }
    const pane = new Pane(
      this.services,
      key,
      () => this.tellContext(),
      (closed) => this.closed(closed),
    );
    const look = LOOKS[key.role] ?? { icon: "terminal", colour: "terminal.ansiGreen" };
    const terminal = vscode.window.createTerminal({
      name: pane.name,
      pty: pane,
      iconPath: new vscode.ThemeIcon(look.icon),
      color: new vscode.ThemeColor(look.colour),
      location: this.locationOf(key, place),
    });
    const shown = { pane, terminal, place };
    this.shown.set(keyOf(key), shown);
    this.remember();
    return shown;
  }

  /** In the panel, a second pane of the same run splits the first one's place. */
  private locationOf(key: PaneKey, place: Place): vscode.TerminalOptions["location"] {
    const peers = [...this.shown.values()].filter(({ pane }) => pane.key.runId === key.runId);
    if (place === "editor") {
      return { viewColumn: peers.length > 0 ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active };
    }
    const peer = peers.find((each) => each.place === "panel");
    return peer === undefined ? vscode.TerminalLocation.Panel : { parentTerminal: peer.terminal };
  }

  // ---- what happens

  private storeChanged(what: "runs" | "attention" | "server", runId: string | undefined): void {
    if (what === "server" && this.services.server.state.phase !== "ready") {
      for (const { pane } of this.shown.values()) {
        pane.serverLost();
      }
      return;
    }
    if (what === "runs" && runId === undefined) {
      this.reopen();
    }
    for (const { pane } of this.shown.values()) {
      if (runId === undefined || pane.key.runId === runId) {
        pane.runChanged();
      }
    }
  }

  /** After a reload: those whose runs still live come back, without taking the focus. */
  private async reopen(): Promise<void> {
    const remembered = this.remembered;
    this.remembered = [];
    for (const { runId, role, place, active } of remembered) {
      const view = this.services.store.run(runId);
      if (view !== undefined && view.state !== "ended" && !this.shown.has(keyOf({ runId, role }))) {
        const { terminal } = await this.create({ runId, role }, place);
        if (active) {
          terminal.show(true);
        }
      }
    }
    if (remembered.length > 0) {
      this.remember();
    }
  }

  private closed(pane: Pane): void {
    this.shown.delete(keyOf(pane.key));
    this.remember();
    this.tellContext();
  }

  private remember(): void {
    if (this.remembered.length > 0) {
      // Those of before the reload have not come back yet; forgetting them now would be for ever.
      return;
    }
    const panes = [...this.shown.values()]
      .filter(({ pane }) => !pane.ended)
      .map(({ pane, place }): Remembered => ({ ...pane.key, place, active: pane === this.active() }));
    void this.services.context.workspaceState.update(KEY, panes);
  }

  private activeChanged(): void {
    this.tellContext();
    this.remember();
  }

  private active(): Pane | undefined {
    const terminal = vscode.window.activeTerminal;
    return [...this.shown.values()].find((each) => each.terminal === terminal)?.pane;
  }

  /** For the menus: is the terminal in use one of ours, and who types there? */
  private tellContext(): void {
    const pane = this.active();
    const state = pane === undefined || pane.ended ? "none" : pane.taken ? "taken" : "shown";
    void vscode.commands.executeCommand("setContext", "politerm.activePane", state);
  }
}

function keyOf({ runId, role }: { runId: string; role: string }): string {
  return `${runId}/${role}`;
}

function rolesOf(run: RunView): Role[] {
  return Object.keys(run.roles) as Role[];
}

async function offerTimeline(run: RunView): Promise<void> {
  const open = "Open Timeline";
  const text = "This run has ended, and its panes with it. Its timeline has all that was said.";
  if ((await vscode.window.showInformationMessage(text, open)) === open) {
    await vscode.commands.executeCommand("politerm.openTimeline", { runId: run.runId });
  }
}

function placeSetting(): Place {
  return vscode.workspace.getConfiguration("politerm").get<Place>("panes.location", "panel");
}
