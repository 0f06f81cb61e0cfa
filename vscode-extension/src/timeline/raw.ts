/** What stands in an event, as a document: a message as it was written, a prompt as it was typed. */
import * as vscode from "vscode";
import type { Server } from "../protocol/api";
import { rawText } from "./rawText";

const SCHEME = "politerm-event";

export class RawTexts implements vscode.TextDocumentContentProvider {
  constructor(private readonly server: Server) {}

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  async open(runId: string, seq: number): Promise<void> {
    // The last part is what the tab is called; its ending chooses the language.
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${runId}/${seq}/event ${seq}.md` });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const [, runId = "", seq = "0"] = uri.path.split("/");
    const { events } = await this.server.request("politerm.run.events", { runId, after: Number(seq) - 1, limit: 1 });
    const [envelope] = events;
    return envelope === undefined ? "This event is not there any more.\n" : rawText(envelope);
  }
}
