/** Runs from where the cursor is: from a problem, from a selection, from an open item of a Markdown check list. */
import * as vscode from "vscode";
import { openTasks } from "./checklist";

const FILES: vscode.DocumentSelector = [{ scheme: "file" }, { scheme: "untitled" }];
const SELECTION = vscode.CodeActionKind.RefactorRewrite.append("politerm");

export function registerCodeActions(): vscode.Disposable[] {
  return [
    vscode.languages.registerCodeActionsProvider(FILES, new CodeActions(), {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix, SELECTION],
    }),
    vscode.languages.registerCodeLensProvider({ language: "markdown", scheme: "file" }, new TaskLenses()),
  ];
}

class CodeActions implements vscode.CodeActionProvider {
  provideCodeActions(
    document: vscode.TextDocument,
    range: vscode.Range | vscode.Selection,
    context: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    if (!vscode.workspace.isTrusted) {
      return [];
    }
    const actions = context.diagnostics.map((diagnostic) => fixOf(document, diagnostic));
    if (!range.isEmpty) {
      actions.push(startOf(document, range));
    }
    return actions;
  }
}

function fixOf(document: vscode.TextDocument, diagnostic: vscode.Diagnostic): vscode.CodeAction {
  const action = new vscode.CodeAction("Fix with PoliTerm", vscode.CodeActionKind.QuickFix);
  action.diagnostics = [diagnostic];
  action.command = {
    command: "politerm.fixProblem",
    title: "Fix Problem with PoliTerm",
    arguments: [{ uri: document.uri, diagnostics: [diagnostic] }],
  };
  return action;
}

function startOf(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction {
  const action = new vscode.CodeAction("Start PoliTerm run from selection…", SELECTION);
  action.command = {
    command: "politerm.startRunFromSelection",
    title: "Start Run from Selection",
    arguments: [{ uri: document.uri, range }],
  };
  return action;
}

class TaskLenses implements vscode.CodeLensProvider {
  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!vscode.workspace.isTrusted) {
      return [];
    }
    const lines = Array.from({ length: document.lineCount }, (_, line) => document.lineAt(line).text);
    return openTasks(lines).map((task) => {
      const range = new vscode.Range(task.line, 0, task.last, document.lineAt(task.last).text.length);
      return new vscode.CodeLens(new vscode.Range(task.line, 0, task.line, 0), {
        command: "politerm.startRun",
        title: "$(play) Start Run",
        tooltip: "Start a PoliTerm run for this task",
        arguments: [{ task: task.text, uri: document.uri, range }],
      });
    });
  }
}
