/** Start Run, from nothing, from a selection, from a list's item, from a problem. It asks for as little as it can. */
import * as vscode from "vscode";
import { fixTask, type Wish } from "../model/wish";
import type { ContextItem } from "../protocol/generated";
import type { Services } from "../services";
import { askPair, pairInWords, rememberedPair } from "./agents";
import { command } from "./guard";
import { launch } from "./launch";
import type { TaskDocument } from "./taskDocument";

/** A place in a file, as code lenses and code actions give it. */
interface Place {
  readonly task?: string;
  readonly uri?: vscode.Uri;
  readonly range?: vscode.Range;
  readonly diagnostics?: readonly vscode.Diagnostic[];
}

/** Lines around a problem that go with it. */
const AROUND = 5;
/** In documents of these languages a selection is a task, elsewhere it is what the task is about. */
const PROSE = new Set(["markdown", "plaintext", "restructuredtext", "asciidoc", "latex"]);

export function startCommands(services: Services, taskDocument: TaskDocument): vscode.Disposable[] {
  return [
    command(services, "politerm.startRun", async (_, given) => start(services, taskDocument, given as Place)),
    command(services, "politerm.startRunFromSelection", async (_, given) =>
      startFromSelection(services, taskDocument, given as Place),
    ),
    command(services, "politerm.fixProblem", async (_, given) => fix(services, given as Place)),
  ];
}

async function start(services: Services, taskDocument: TaskDocument, given: Place | undefined): Promise<void> {
  const context = given?.uri === undefined ? [] : [await contextOf(given.uri, given.range)];
  if (given?.task !== undefined) {
    // Somebody has pointed at this task and said start: there is nothing left to ask.
    await launch(services, { task: given.task, context });
    return;
  }
  await askAndStart(services, taskDocument, { context });
}

async function startFromSelection(services: Services, taskDocument: TaskDocument, given?: Place): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const uri = given?.uri ?? editor?.document.uri;
  const range = given?.range ?? editor?.selection;
  if (uri === undefined || range === undefined || range.isEmpty) {
    void vscode.window.showInformationMessage("PoliTerm: Select the lines first that the run shall be about.");
    return;
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const text = document.getText(range).trim();
  const context = [await contextOf(uri, range)];
  if (PROSE.has(document.languageId)) {
    await askAndStart(services, taskDocument, { task: text, context });
  } else {
    await askAndStart(services, taskDocument, { context }, "What shall be done with the selected lines?");
  }
}

async function fix(services: Services, given: Place | undefined): Promise<void> {
  const uri = given?.uri ?? vscode.window.activeTextEditor?.document.uri;
  if (uri === undefined) {
    void vscode.window.showInformationMessage("PoliTerm: Open the file first that the problem is in.");
    return;
  }
  const found = given?.diagnostics ?? (await chooseProblem(uri));
  const range = found?.map((each) => each.range).reduce((a, b) => a.union(b));
  if (found === undefined || range === undefined) {
    return;
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const lines = new vscode.Range(Math.max(0, range.start.line - AROUND), 0, range.end.line + AROUND + 1, 0);
  const item = await contextOf(uri, document.validateRange(lines));
  const problems = found.map((each) => ({
    message: each.message,
    line: each.range.start.line,
    source: each.source,
    code: codeOf(each),
  }));
  await launch(services, {
    task: fixTask(vscode.workspace.asRelativePath(uri), problems),
    context: [{ ...item, diagnostics: found.map(onWire) }],
  });
}

/** Those at the cursor; the one that is picked where the cursor is at none. */
async function chooseProblem(uri: vscode.Uri): Promise<readonly vscode.Diagnostic[] | undefined> {
  const all = vscode.languages.getDiagnostics(uri);
  const cursor = vscode.window.activeTextEditor?.selection;
  const here = cursor === undefined ? [] : all.filter((each) => each.range.intersection(cursor) !== undefined);
  if (here.length > 0) {
    return here;
  }
  if (all.length === 0) {
    void vscode.window.showInformationMessage("PoliTerm: The editor reports no problem in this file.");
    return undefined;
  }
  const items = [...all]
    .sort((a, b) => a.severity - b.severity || a.range.start.line - b.range.start.line)
    .map((each) => ({
      label: each.message.split("\n")[0] ?? "",
      description: `line ${each.range.start.line + 1}${each.source === undefined ? "" : `, ${each.source}`}`,
      problem: each,
    }));
  const chosen = await vscode.window.showQuickPick(items, { title: "Which problem?", matchOnDescription: true });
  return chosen === undefined ? undefined : [chosen.problem];
}

async function contextOf(uri: vscode.Uri, range: vscode.Range | undefined): Promise<ContextItem> {
  if (range === undefined) {
    return { uri: uri.toString() };
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const { start, end } = range;
  const wire = {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
  return { uri: uri.toString(), range: wire, text: document.getText(range) };
}

function onWire(each: vscode.Diagnostic): Record<string, unknown> {
  const { start, end } = each.range;
  return {
    range: {
      start: { line: start.line, character: start.character },
      end: { line: end.line, character: end.character },
    },
    severity: each.severity + 1,
    message: each.message,
    ...(each.source === undefined ? {} : { source: each.source }),
    ...(codeOf(each) === undefined ? {} : { code: codeOf(each) }),
  };
}

function codeOf({ code }: vscode.Diagnostic): string | undefined {
  return code === undefined ? undefined : String(typeof code === "object" ? code.value : code);
}

// ---- the question

const EDITOR: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("edit"),
  tooltip: "Write it in an editor, with as many lines as it needs",
};
const AGENTS: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("organization"),
  tooltip: "Choose other agents",
};

/** A task of one line in an input box; one of several in an editor tab, where it can be read. */
async function askAndStart(
  services: Services,
  taskDocument: TaskDocument,
  wish: Wish,
  placeholder = "What shall be done?",
): Promise<void> {
  if (wish.task?.includes("\n")) {
    await taskDocument.open(wish);
    return;
  }
  const task = await askTask(services, wish.task ?? "", placeholder);
  if (typeof task === "object") {
    await taskDocument.open({ ...wish, task: task.draft });
  } else if (task !== undefined) {
    await launch(services, { ...wish, task });
  }
}

/** The task; `{draft}` where an editor is wanted for it; undefined when it was left. */
async function askTask(
  services: Services,
  draft: string,
  placeholder: string,
): Promise<string | { draft: string } | undefined> {
  const box = vscode.window.createInputBox();
  box.title = "Start Run";
  box.placeholder = placeholder;
  box.value = draft;
  box.ignoreFocusOut = true;
  box.buttons = [AGENTS, EDITOR];
  const say = (): void => {
    const pair = rememberedPair(services);
    box.prompt = pair === undefined ? "Then you choose the two agents." : `${pairInWords(pair)}. Enter starts the run.`;
  };
  say();
  try {
    return await new Promise((resolve, reject) => {
      // Another question takes the place of this one and gives it back afterwards.
      let aside = false;
      box.onDidAccept(() => {
        if (box.value.trim() === "") {
          box.validationMessage = "Say in a few words what shall be done.";
        } else {
          resolve(box.value.trim());
        }
      });
      box.onDidChangeValue(() => {
        box.validationMessage = undefined;
      });
      box.onDidHide(() => {
        if (!aside) {
          resolve(undefined);
        }
      });
      box.onDidTriggerButton((button) => {
        if (button === EDITOR) {
          resolve({ draft: box.value });
          return;
        }
        aside = true;
        askPair(services)
          .then(() => {
            aside = false;
            say();
            box.show();
          })
          .catch(reject);
      });
      box.show();
    });
  } finally {
    box.dispose();
  }
}
