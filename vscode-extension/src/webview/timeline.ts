/** The timeline in a webview of VS Code: puts the page and its channel together. */
import "./elements";
import "./style/timeline.css";
import { Page } from "./page/page";
import { connectToEditor } from "./transport/vscode";

const root = document.getElementById("timeline");
if (root !== null) {
  const { transport, kept } = connectToEditor();
  new Page(root, transport, kept);
}
