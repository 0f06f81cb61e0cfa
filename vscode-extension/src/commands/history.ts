/** Looking back: search over all runs of the workspace, and a run as a document. */
import * as vscode from "vscode";
import { plainExcerpt } from "../model/wish";
import type { ExportRun, SearchHit } from "../protocol/generated";
import type { Services } from "../services";
import { oneLine } from "../views/words";
import { chooseRun } from "./choose";
import { command } from "./guard";

export function historyCommands(services: Services): vscode.Disposable[] {
  return [
    command(services, "politerm.searchRuns", async () => search(services)),
    command(services, "politerm.exportRun", exportRun),
  ];
}

interface HitItem extends vscode.QuickPickItem {
  readonly hit: SearchHit;
}

/** As long as fingers may rest between two letters. */
const REST = 200;

/** Results come while one types. The list ends with the pick, or when it is left. */
async function search({ server, store, log }: Services): Promise<void> {
  const picker = vscode.window.createQuickPick<HitItem>();
  picker.title = "Search Runs";
  picker.placeholder = "Words that were said in a run";
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  let timer: NodeJS.Timeout | undefined;
  let asking: vscode.CancellationTokenSource | undefined;
  const ask = async (text: string): Promise<void> => {
    const source = new vscode.CancellationTokenSource();
    asking = source;
    picker.busy = true;
    try {
      const { hits } = await server.request("politerm.search", { text, limit: 100 }, source.token);
      // alwaysShow: the server has matched already, and not letter by letter as the picker would.
      picker.items = hits.map((hit) => ({
        label: oneLine(plainExcerpt(hit.excerpt), 120),
        description: oneLine(store.run(hit.runId)?.task ?? hit.runId, 60),
        alwaysShow: true,
        hit,
      }));
      picker.placeholder = hits.length === 0 ? `Nothing was said about “${text}”` : picker.placeholder;
    } catch (error) {
      log.debug(String(error));
    } finally {
      picker.busy = source.token.isCancellationRequested;
      source.dispose();
    }
  };
  picker.onDidChangeValue((text) => {
    clearTimeout(timer);
    asking?.cancel();
    if (text.trim() === "") {
      picker.items = [];
    } else {
      timer = setTimeout(() => void ask(text.trim()), REST);
    }
  });
  const hit = await new Promise<SearchHit | undefined>((resolve) => {
    picker.onDidAccept(() => resolve(picker.selectedItems[0]?.hit));
    picker.onDidHide(() => resolve(undefined));
    picker.show();
  });
  clearTimeout(timer);
  asking?.cancel();
  picker.dispose();
  if (hit !== undefined) {
    await vscode.commands.executeCommand("politerm.openTimeline", { runId: hit.runId, seq: hit.seq });
  }
}

interface Format extends vscode.QuickPickItem {
  readonly format: NonNullable<ExportRun["format"]>;
}

const FORMATS: readonly Format[] = [
  { label: "Markdown", description: "the conversation, to read", format: "md" },
  { label: "JSON lines", description: "every event, for programs", format: "jsonl" },
  { label: "asciicast", description: "the recorded panes, for players", format: "cast" },
];

/** Opened as a document: where it is saved, if at all, is left to the reader. */
async function exportRun({ server, ...services }: Services, given: unknown): Promise<void> {
  const view = await chooseRun({ server, ...services }, given, () => true, "is here yet");
  const chosen =
    view && (await vscode.window.showQuickPick(FORMATS, { title: `Export “${oneLine(view.task, 40)}” as` }));
  if (view === undefined || chosen === undefined) {
    return;
  }
  const { text } = await server.request("politerm.run.export", { runId: view.runId, format: chosen.format });
  const language = chosen.format === "md" ? "markdown" : chosen.format === "jsonl" ? "jsonl" : "plaintext";
  const known = await vscode.languages.getLanguages();
  const document = await vscode.workspace.openTextDocument({
    content: text,
    language: known.includes(language) ? language : "plaintext",
  });
  await vscode.window.showTextDocument(document, { preview: false });
}
