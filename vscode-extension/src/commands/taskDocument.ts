/**
 * A task of many lines, written in an editor tab: a real file of the extension's own, so that nothing is lost with the
 * window, with a lens that starts it.
 */
import * as vscode from "vscode";
import { taskIn, type Wish } from "../model/wish";
import type { Services } from "../services";
import { askPair, pairInWords, rememberedPair } from "./agents";
import { command } from "./guard";
import { launch } from "./launch";

/** The `when` clauses of package.json know this name. */
const NAME = "PoliTerm Task.md";
const EXPLAINED = "<!-- Write the task below, as long as it needs to be. “Start Run” above starts it. -->\n\n";
/** What the draft is about beside its words. */
const KEY = "politerm.draft";

export class TaskDocument implements vscode.CodeLensProvider {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly services: Services) {}

  register(): vscode.Disposable[] {
    return [
      this.changed,
      vscode.languages.registerCodeLensProvider({ scheme: "file", pattern: `**/${NAME}` }, this),
      command(this.services, "politerm.writeTask", async () => this.open({})),
      command(this.services, "politerm.startWrittenTask", async () => this.start()),
      command(this.services, "politerm.chooseAgents", async () => {
        await askPair(this.services);
        this.changed.fire();
      }),
    ];
  }

  /** Shows the draft; a wish that has words replaces what is written there. */
  async open(wish: Wish): Promise<void> {
    const { uri, folder } = this.place();
    await vscode.workspace.fs.createDirectory(folder);
    const exists = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => false,
    );
    if (!exists) {
      await vscode.workspace.fs.writeFile(uri, Buffer.from(EXPLAINED));
    }
    const document = await vscode.workspace.openTextDocument(uri);
    if (wish.task !== undefined && wish.task.trim() !== "") {
      await this.write(document, `${EXPLAINED}${wish.task}\n`);
    }
    await this.services.context.workspaceState.update(KEY, { context: wish.context ?? [] });
    const { end } = document.lineAt(document.lineCount - 1).range;
    // With the opening, not after it: who types at once would type above the explanation.
    await vscode.window.showTextDocument(document, { preview: false, selection: new vscode.Range(end, end) });
  }

  provideCodeLenses(): vscode.CodeLens[] {
    const place = new vscode.Range(0, 0, 0, 0);
    const pair = rememberedPair(this.services);
    const who = pair === undefined ? "Choose the agents" : pairInWords(pair);
    return [
      new vscode.CodeLens(place, { title: "$(play) Start Run", command: "politerm.startWrittenTask" }),
      new vscode.CodeLens(place, { title: `$(organization) ${who}`, command: "politerm.chooseAgents" }),
    ];
  }

  private async start(): Promise<void> {
    const document = await vscode.workspace.openTextDocument(this.place().uri);
    const task = taskIn(document.getText());
    if (task === "") {
      void vscode.window.showInformationMessage("PoliTerm: Write first what shall be done.");
      return;
    }
    const { context } = this.services.context.workspaceState.get<Wish>(KEY, {});
    const runId = await launch(this.services, { task, context: context ?? [] });
    if (runId !== undefined) {
      await this.write(document, EXPLAINED);
      await this.close();
    }
  }

  private async write(document: vscode.TextDocument, text: string): Promise<void> {
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
    await document.save();
  }

  private async close(): Promise<void> {
    const { uri } = this.place();
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    const ours = tabs.filter(({ input }) => input instanceof vscode.TabInputText && input.uri.fsPath === uri.fsPath);
    await vscode.window.tabGroups.close(ours);
  }

  private place(): { uri: vscode.Uri; folder: vscode.Uri } {
    const { storageUri, globalStorageUri } = this.services.context;
    const folder = storageUri ?? globalStorageUri;
    return { folder, uri: vscode.Uri.joinPath(folder, NAME) };
  }
}
