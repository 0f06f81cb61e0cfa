/**
 * Plans that wait for approval, as Markdown documents (plan.ts has their addresses and their words). A saved document
 * is kept with the workspace, so that a reload loses no edit; what was edited stays comparable in the run's own log.
 */
import * as vscode from "vscode";
import { tellFailure } from "../commands/guard";
import type { Disposable } from "../protocol/api";
import type { Attention } from "../protocol/generated";
import type { Services } from "../services";
import type { Answering } from "./answering";
import { Outline } from "./outline";
import * as plan from "./plan";

/** What is remembered of a plan: as the planner wrote it, and as it was last saved. */
interface Draft {
  readonly original: string;
  readonly saved?: string;
  readonly at: number;
}

const KEY = "politerm.plans";
const KEPT = 30;

export class PlanView implements vscode.FileSystemProvider, vscode.CodeLensProvider, Disposable {
  private readonly drafts: Map<string, Draft>;
  private readonly files = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  private readonly lenses = new vscode.EventEmitter<void>();
  readonly onDidChangeFile = this.files.event;
  readonly onDidChangeCodeLenses = this.lenses.event;
  private waiting = new Set<string>();
  /** The server has said what waits. */
  private heard = false;
  private readonly parts: Disposable[];
  /** Set once both exist: each needs the other. */
  answering: Answering | undefined;

  constructor(private readonly services: Services) {
    const { context, store } = services;
    this.drafts = new Map(context.workspaceState.get<[string, Draft][]>(KEY, []));
    const onPlan = (name: string, work: (item: Attention, uri: vscode.Uri) => Promise<void>) =>
      vscode.commands.registerCommand(name, async (uri?: vscode.Uri) => {
        const found = uri ?? vscode.window.activeTextEditor?.document.uri;
        const item = found === undefined ? undefined : this.itemOf(found);
        if (found === undefined || item === undefined) {
          void vscode.window.showInformationMessage("No plan waits in this editor.");
          return;
        }
        await work(item, found);
      });
    this.parts = [
      this.files,
      this.lenses,
      vscode.workspace.registerFileSystemProvider(plan.PLAN_SCHEME, this, { isCaseSensitive: true }),
      vscode.workspace.registerTextDocumentContentProvider(plan.KEPT_SCHEME, {
        provideTextDocumentContent: (uri) => this.kept(uri),
      }),
      vscode.languages.registerCodeLensProvider({ scheme: plan.PLAN_SCHEME }, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme === plan.PLAN_SCHEME) {
          this.lenses.fire();
        }
      }),
      store.onChange(({ what }) => {
        if (what === "attention") {
          this.attentionChanged();
        }
      }),
      vscode.commands.registerCommand("politerm.openPlan", (given?: { attentionId?: string }) => this.openOne(given)),
      onPlan("politerm.approvePlan", (item, uri) => this.approve(item, uri)),
      onPlan("politerm.sendBackPlan", async (item, uri) => {
        await save(uri);
        if (await this.answering?.sendBack(item)) {
          await closeDocument(uri);
        }
      }),
      onPlan("politerm.stopAtPlan", async (item, uri) => {
        await save(uri);
        if (await this.answering?.choose(item, "stop")) {
          await closeDocument(uri);
        }
      }),
      onPlan("politerm.comparePlan", async (item, uri) => {
        const before = vscode.Uri.from({
          scheme: plan.KEPT_SCHEME,
          path: plan.keptPath(plan.WAITING, item.attentionId, "planner"),
        });
        await vscode.commands.executeCommand("vscode.diff", before, uri, "Plan: the planner's ↔ mine");
      }),
      vscode.commands.registerCommand("politerm.showPlanChanges", (given?: { runId?: string; seq?: number }) =>
        this.showChanges(given),
      ),
    ];
  }

  dispose(): void {
    for (const part of this.parts) {
      part.dispose();
    }
  }

  /** Beside nothing and without taking the focus: the reader may be typing somewhere. */
  async open(item: Attention, preserveFocus = true): Promise<void> {
    this.remember(item);
    const document = await vscode.workspace.openTextDocument(uriOf(item.attentionId));
    await vscode.window.showTextDocument(document, { preview: false, preserveFocus });
  }

  /** Is this plan's document in a visible editor, or any plan's? */
  visible(attentionId?: string): boolean {
    const uri = attentionId === undefined ? undefined : uriOf(attentionId).toString();
    if (uri === undefined) {
      return vscode.window.visibleTextEditors.some(({ document }) => document.uri.scheme === plan.PLAN_SCHEME);
    }
    return vscode.window.visibleTextEditors.some(({ document }) => document.uri.toString() === uri);
  }

  // ---- commands

  private async openOne(given: { attentionId?: string } | undefined): Promise<void> {
    const plans = this.services.store.attention.filter((item) => item.kind === "plan");
    const item = plans.find(({ attentionId }) => attentionId === given?.attentionId) ?? plans[0];
    if (item === undefined) {
      void vscode.window.showInformationMessage("No plan waits for your approval.");
      return;
    }
    await this.open(item, false);
  }

  private async approve(item: Attention, uri: vscode.Uri): Promise<void> {
    const document = await vscode.workspace.openTextDocument(uri);
    const text = plan.editedText(item.text, document.getText());
    if (text === "") {
      void vscode.window.showWarningMessage("The plan is empty. Send it back instead, or undo your changes.");
      return;
    }
    await save(uri);
    if (await this.answering?.send(item, { choice: "approve", ...(text === undefined ? {} : { text }) })) {
      await closeDocument(uri);
    }
  }

  /** What the planner wrote beside what the executer was given, for a message in *Runs*. */
  private async showChanges(given: { runId?: string; seq?: number } | undefined): Promise<void> {
    if (given?.runId === undefined || given.seq === undefined) {
      return;
    }
    const { runId, seq } = given;
    try {
      const outline = await this.outlineOf(runId);
      const item = outline.at(seq);
      if (item?.messageId === undefined) {
        return;
      }
      const { messageId } = item;
      const side = (version: plan.Version) =>
        vscode.Uri.from({ scheme: plan.KEPT_SCHEME, path: plan.keptPath(runId, messageId, version) });
      await vscode.commands.executeCommand(
        "vscode.diff",
        side("planner"),
        side("edited"),
        "Plan: the planner's ↔ mine",
      );
    } catch (error) {
      void tellFailure(this.services, error);
    }
  }

  // ---- what is known

  private itemOf(uri: vscode.Uri): Attention | undefined {
    const id = uri.scheme === plan.PLAN_SCHEME ? plan.attentionOf(uri.path) : undefined;
    return this.services.store.attention.find((item) => item.attentionId === id);
  }

  private standingOf(item: Attention | undefined): plan.Standing {
    if (item !== undefined) {
      return "waiting";
    }
    return this.heard ? "answered" : "unknown";
  }

  private attentionChanged(): void {
    const plans = this.services.store.attention.filter((item) => item.kind === "plan");
    const waiting = new Set(plans.map((item) => item.attentionId));
    const changed = [...waiting, ...this.waiting].filter((id) => waiting.has(id) !== this.waiting.has(id));
    this.waiting = waiting;
    for (const item of plans) {
      this.remember(item);
    }
    if (changed.length > 0 || !this.heard) {
      this.heard = true;
      this.lenses.fire();
      const type = vscode.FileChangeType.Changed;
      this.files.fire(changed.map((id) => ({ type, uri: uriOf(id) })));
    }
  }

  private remember(item: Attention): void {
    if (!this.drafts.has(item.attentionId)) {
      this.keep(item.attentionId, { original: plan.planDocument(item.text), at: Date.now() });
    }
  }

  private keep(id: string, draft: Draft): void {
    this.drafts.set(id, draft);
    const newest = [...this.drafts].sort(([, a], [, b]) => b.at - a.at).slice(0, KEPT);
    void this.services.context.workspaceState.update(KEY, newest);
  }

  private async outlineOf(runId: string): Promise<Outline> {
    const outline = new Outline();
    for (let after = 0; ; ) {
      const page = await this.services.server.request("politerm.run.events", { runId, after, limit: 5000 });
      outline.add(page.events);
      after = page.events.at(-1)?.seq ?? page.last;
      if (after >= page.last) {
        return outline;
      }
    }
  }

  private async kept(uri: vscode.Uri): Promise<string> {
    const named = plan.keptOf(uri.path);
    if (named === undefined) {
      return "";
    }
    if (named.runId === plan.WAITING) {
      return this.drafts.get(named.messageId)?.original ?? "";
    }
    const item = (await this.outlineOf(named.runId)).message(named.messageId);
    return plan.planDocument((named.version === "edited" ? item?.edited : item?.text) ?? "");
  }

  // ---- lenses

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const item = this.itemOf(document.uri);
    const edited = item !== undefined && plan.editedText(item.text, document.getText()) !== undefined;
    const top = new vscode.Range(0, 0, 0, 0);
    return plan.planLenses(this.standingOf(item), edited).map(({ title, command, hover }) => {
      const pressed = { title, command, tooltip: hover, arguments: [document.uri] };
      return new vscode.CodeLens(top, pressed);
    });
  }

  // ---- the file system of plans

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    const draft = this.draftOf(uri);
    const size = Buffer.byteLength(draft.saved ?? draft.original);
    const answered = this.standingOf(this.itemOf(uri)) === "answered";
    const permissions = answered ? vscode.FilePermission.Readonly : undefined;
    return { type: vscode.FileType.File, ctime: 0, mtime: draft.at, size, ...(permissions ? { permissions } : {}) };
  }

  readFile(uri: vscode.Uri): Uint8Array {
    const draft = this.draftOf(uri);
    return Buffer.from(draft.saved ?? draft.original);
  }

  writeFile(uri: vscode.Uri, content: Uint8Array): void {
    const id = plan.attentionOf(uri.path);
    const draft = this.draftOf(uri);
    if (id !== undefined) {
      this.keep(id, { ...draft, saved: Buffer.from(content).toString("utf8"), at: Date.now() });
      this.files.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    }
  }

  private draftOf(uri: vscode.Uri): Draft {
    const draft = this.drafts.get(plan.attentionOf(uri.path) ?? "");
    if (draft === undefined) {
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    return draft;
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): void {
    throw vscode.FileSystemError.NoPermissions(uri);
  }
}

function uriOf(attentionId: string): vscode.Uri {
  return vscode.Uri.from({ scheme: plan.PLAN_SCHEME, path: plan.planPath(attentionId) });
}

/** Before it is answered: what is answered cannot be written any more, and closing must not ask whether to save. */
async function save(uri: vscode.Uri): Promise<void> {
  const key = uri.toString();
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === key);
  if (document?.isDirty === true) {
    await document.save();
  }
}

async function closeDocument(uri: vscode.Uri): Promise<void> {
  const key = uri.toString();
  const tabs = vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === key);
  await vscode.window.tabGroups.close(tabs);
}
