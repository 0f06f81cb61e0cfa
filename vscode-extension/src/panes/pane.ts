/**
 * One pane as a terminal of the editor's. The editor's terminal is a view: it shows what the mirror writes, and keys go
 * to the agent only after the reader has taken the pane over.
 */
import * as vscode from "vscode";
import { tellFailure } from "../commands/guard";
import type { Role, RunView } from "../protocol/generated";
import type { Services } from "../services";
import * as words from "../views/words";
import { PaneLink } from "./link";
import { PaneMirror } from "./mirror";
import { lastLine, NO_PANE_YET, paneTitle } from "./title";

export interface PaneKey {
  readonly runId: string;
  readonly role: Role;
}

const FIRST_SIZE = { columns: 160, rows: 50 };
/** Milliseconds after which a pane that should be there is asked for again. */
const AGAIN = 1000;

export class Pane implements vscode.Pseudoterminal {
  private readonly written = new vscode.EventEmitter<string>();
  private readonly renamed = new vscode.EventEmitter<string>();
  private readonly closed = new vscode.EventEmitter<number | undefined>();
  readonly onDidWrite = this.written.event;
  readonly onDidChangeName = this.renamed.event;
  readonly onDidClose = this.closed.event;
  private readonly mirror: PaneMirror;
  private readonly link: PaneLink;
  private title: string;
  private shownPane: string | undefined;
  private over = false;
  private hinted = false;
  private asking: NodeJS.Timeout | undefined;

  constructor(
    private readonly services: Services,
    readonly key: PaneKey,
    private readonly changed: (pane: Pane) => void,
    private readonly gone: (pane: Pane) => void,
  ) {
    const { server, log } = services;
    const later = (milliseconds: number, work: () => void) => {
      const timer = setTimeout(work, milliseconds);
      return () => clearTimeout(timer);
    };
    this.mirror = new PaneMirror((text) => this.written.fire(text), later, FIRST_SIZE);
    this.link = new PaneLink(
      {
        open: (credit) => server.request("politerm.pane.open", { ...key, credit }),
        close: async () => void (await server.request("politerm.pane.close", { ...key })),
        takeOver: async (on) => void (await server.request("politerm.pane.takeOver", { ...key, on })),
        input: async (data) => void (await server.request("politerm.pane.input", { ...key, data })),
        credit: (bytes) => server.notify("politerm/paneCredit", { ...key, bytes }),
        refused: (error) => log.info(`The pane ${key.runId} ${key.role} cannot be shown yet: ${error}`),
      },
      {
        reset: (data, size, read) => this.mirror.reset(data, size, read),
        feed: (data, read) => this.mirror.feed(data, read),
      },
      () => this.linkChanged(),
    );
    this.title = paneTitle(key.role, this.view, this.link.state, false);
  }

  get name(): string {
    return this.title;
  }

  get taken(): boolean {
    return this.link.taken;
  }

  get ended(): boolean {
    return this.over;
  }

  private get view(): RunView | undefined {
    return this.services.store.run(this.key.runId);
  }

  // ---- what the editor asks

  open(size: vscode.TerminalDimensions | undefined): void {
    if (size !== undefined) {
      this.setDimensions(size);
    }
    this.mirror.feed(NO_PANE_YET);
    this.runChanged();
    if (!this.over) {
      void this.link.open();
    }
  }

  setDimensions(size: vscode.TerminalDimensions): void {
    this.mirror.resize(size);
  }

  handleInput(data: string): void {
    if (this.link.type(data, (error) => void tellFailure(this.services, error)) || this.over) {
      return;
    }
    if (!this.hinted) {
      this.hinted = true;
      void this.offer();
    } else {
      vscode.window.setStatusBarMessage("PoliTerm: this pane is only shown. Take it over to type.", 4000);
    }
  }

  /** The tab was closed. */
  close(): void {
    this.gone(this);
    this.over = true;
    clearTimeout(this.asking);
    void this.link.close();
    this.mirror.dispose();
    this.written.dispose();
    this.renamed.dispose();
    this.closed.dispose();
  }

  // ---- what the rest of the extension tells

  frame(frame: { seq: number; data: string; reset?: boolean }): void {
    this.link.frame(frame);
  }

  serverLost(): void {
    this.link.lost();
  }

  /** The view of its run is new, or the server is there again. */
  runChanged(): void {
    const view = this.view;
    const pane = view?.roles[this.key.role]?.pane;
    if (view?.state === "ended") {
      this.end(view);
    } else if (pane !== undefined && this.shownPane !== undefined && pane !== this.shownPane) {
      // Another agent plays the role now, in a pane of its own.
      void this.link.open();
    } else if (pane !== undefined && this.services.server.state.phase === "ready") {
      this.link.wake();
    }
    this.shownPane = pane ?? this.shownPane;
    this.retitle();
  }

  async takeOver(on: boolean): Promise<void> {
    try {
      await this.link.takeOver(on);
      const name = words.roleName(this.key.role);
      vscode.window.setStatusBarMessage(
        on
          ? `PoliTerm: you type into the ${name}'s pane. The run sends nothing there meanwhile.`
          : `PoliTerm: the ${name}'s pane is the run's again.`,
        5000,
      );
    } catch (error) {
      void tellFailure(this.services, error);
    }
  }

  private end(view: RunView): void {
    if (!this.over) {
      this.over = true;
      void this.link.close();
      this.mirror.finish(lastLine(view));
      this.changed(this);
    }
  }

  private async offer(): Promise<void> {
    const take = "Take Over";
    const name = words.roleName(this.key.role);
    const text = `This pane shows the ${name} at work. Take it over to type into it yourself.`;
    if ((await vscode.window.showInformationMessage(text, take)) === take) {
      await this.takeOver(true);
    }
  }

  private linkChanged(): void {
    this.retitle();
    if (this.link.state === "waiting" && !this.over) {
      // The answer that there is no pane may be older than the news that there is one.
      clearTimeout(this.asking);
      this.asking = setTimeout(() => this.runChanged(), AGAIN);
    }
  }

  private retitle(): void {
    const title = paneTitle(this.key.role, this.view, this.link.state, this.link.taken);
    if (title !== this.title) {
      this.title = title;
      this.renamed.fire(title);
    }
    this.changed(this);
  }
}
