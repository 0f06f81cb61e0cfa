/** The parts of a hover as Markdown. What agents wrote is always text: no link, no image, no command of theirs works. */
import * as vscode from "vscode";
import type { Hover } from "./tree";

export function hoverText(parts: readonly Hover[]): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  for (const part of parts) {
    switch (part.kind) {
      case "title":
        text.appendMarkdown("**").appendText(part.text).appendMarkdown("**\n\n");
        break;
      case "fact":
        text.appendMarkdown(`${part.label}: `).appendText(part.text).appendMarkdown("  \n");
        break;
      case "code":
        text.appendMarkdown("\n").appendCodeblock(part.text, "text");
        break;
      case "words":
        text.appendText(part.text).appendMarkdown("\n\n");
        break;
      default:
        part satisfies never;
    }
  }
  return text;
}
