/** Serves the page to a browser of the tests: bundled from the sources, in a theme of VS Code, under the real policy. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Everything runs in the extension's folder; this module itself may run from a bundle. */
const HERE = path.resolve("src/test/page");
const require = createRequire(import.meta.url);

export const THEMES = {
  dark: "dark-v2",
  light: "light-v2",
  contrast: "hc-dark",
  "contrast-light": "hc-light",
} as const;
export type Theme = keyof typeof THEMES;

const CLASSES: Record<Theme, string> = {
  dark: "vscode-dark",
  light: "vscode-light",
  contrast: "vscode-dark vscode-high-contrast",
  "contrast-light": "vscode-light vscode-high-contrast vscode-high-contrast-light",
};

export interface Served {
  address(theme?: Theme): string;
  close(): Promise<void>;
}

export async function serve(): Promise<Served> {
  const files = await bundle();
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? "/", "http://page");
      const file = files.get(url.pathname.slice(1));
      if (file !== undefined) {
        const type = { ".css": "text/css", ".js": "text/javascript", ".ttf": "font/ttf" }[path.extname(url.pathname)];
        response.writeHead(200, { "content-type": type ?? "application/octet-stream" }).end(file);
        return;
      }
      const theme = (url.searchParams.get("theme") ?? "dark") as Theme;
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(await document(theme));
    })().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: (theme = "dark") => `http://127.0.0.1:${port}/?theme=${theme}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function bundle(): Promise<Map<string, Uint8Array>> {
  const made = await build({
    entryPoints: [path.join(HERE, "stage.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    outdir: "/out",
    loader: { ".ttf": "file" },
    assetNames: "[name]",
    legalComments: "none",
  });
  return new Map(made.outputFiles.map((file) => [path.basename(file.path), file.contents]));
}

async function document(theme: Theme): Promise<string> {
  const variables = (await themeOf(theme)).map(([name, value]) => `${name}: ${value};`).join("\n");
  const policy = "default-src 'none'; script-src 'self'; font-src 'self'; style-src 'self' 'nonce-theme'";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Timeline</title>
<meta http-equiv="Content-Security-Policy" content="${policy}">
<style nonce="theme">:root { ${variables}
  --vscode-font-family: "Noto Sans", "DejaVu Sans", sans-serif; --vscode-font-size: 13px;
  --vscode-editor-font-family: "DejaVu Sans Mono", monospace; --vscode-editor-font-size: 12px; }</style>
<link rel="stylesheet" href="stage.css" id="vscode-codicon-stylesheet"></head>
<body class="${CLASSES[theme]}"><div id="timeline"></div><script src="stage.js"></script></body></html>`;
}

async function themeOf(theme: Theme): Promise<readonly [string, string][]> {
  const file = path.join(
    path.dirname(require.resolve("@vscode-elements/webview-playground/package.json")),
    "dist/themes",
    `${THEMES[theme]}.js`,
  );
  await readFile(file);
  const { theme: variables } = (await import(pathToFileURL(file).href)) as { theme: readonly [string, string][] };
  return variables;
}
