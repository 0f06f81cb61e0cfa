// Makes dist/: the extension as one file, and each web page as one file beside it.
import { existsSync, rmSync } from "node:fs";
import { context } from "esbuild";

const watch = process.argv.includes("--watch");
const common = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  legalComments: "none",
  logLevel: "warning",
  target: "es2022",
};

const host = {
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
  // Packages that have an ES module form as well are much smaller in it.
  mainFields: ["module", "main"],
};

const pages = ["src/webview/timeline.ts"].filter((entry) => existsSync(entry));
const web = {
  ...common,
  entryPoints: pages,
  outdir: "dist/webview",
  platform: "browser",
  format: "iife",
  loader: { ".svg": "text", ".ttf": "file" },
  assetNames: "[name]",
};

rmSync("dist", { recursive: true, force: true });
const contexts = await Promise.all([host, ...(pages.length > 0 ? [web] : [])].map((options) => context(options)));
if (watch) {
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  await Promise.all(contexts.map((each) => each.rebuild()));
  await Promise.all(contexts.map((each) => each.dispose()));
}
