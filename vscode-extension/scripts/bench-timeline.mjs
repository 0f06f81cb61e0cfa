// Measures the timeline's page in Chromium and prints what it found: src/test/page/bench.ts, bundled for this Node.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const outfile = path.resolve("dist/test/bench.mjs");
await mkdir(path.dirname(outfile), { recursive: true });
await build({
  entryPoints: ["src/test/page/bench.ts"],
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  outfile,
});
const { main } = await import(pathToFileURL(outfile).href);
await main();
