/** The channel between a webview of VS Code and its extension. */
import { readToPage, type ToPage, type Transport } from "./messages";

interface Editor {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): Editor;

/** What a page keeps over a reload of the window. */
export interface Kept {
  read(): unknown;
  write(state: unknown): void;
}

/** Can be called once a page. */
export function connectToEditor(): { transport: Transport; kept: Kept } {
  const editor = acquireVsCodeApi();
  return {
    transport: {
      post: (message) => editor.postMessage(message),
      receive: (listener) => {
        const heard = (event: MessageEvent<unknown>): void => {
          const message: ToPage | undefined = readToPage(event.data);
          if (message !== undefined) {
            listener(message);
          }
        };
        window.addEventListener("message", heard);
        return () => window.removeEventListener("message", heard);
      },
    },
    kept: { read: () => editor.getState(), write: (state) => editor.setState(state) },
  };
}
