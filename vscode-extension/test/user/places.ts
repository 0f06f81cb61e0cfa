/** Where things are in this checkout. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = dirname(fileURLToPath(import.meta.url));
export const EXTENSION = resolve(HERE, "../..");
export const ROOT = resolve(EXTENSION, "..");
export const PYTHON = join(ROOT, ".venv/bin/python");
/** What a run of the tests leaves for people to look at: pictures, traces, the report. */
export const ARTEFACTS = join(HERE, "artefacts");
export const PICTURES = join(ARTEFACTS, "pictures");
/** The extension as it is shipped, installed once for all tests by `prepare.ts`. */
export const SHELF = join(ARTEFACTS, "extensions");

export interface Installed {
  readonly node: string;
  readonly codeServer: string;
  readonly browser: string;
}

/** What install.py put there. */
export function installed(): Installed {
  const folder = join(ROOT, ".editors");
  const list = join(folder, "installed.json");
  if (!existsSync(list)) {
    throw new Error("The editor is not installed: `make test-vscode` does that.");
  }
  const { node, codeServer, browser }: Installed = JSON.parse(readFileSync(list, "utf8"));
  return { node: resolve(folder, node), codeServer: resolve(folder, codeServer), browser };
}

/** The newest build of the extension. */
export function vsix(): string {
  const name = process.env.POLITERM_VSIX ?? readdirSync(EXTENSION).find((each) => each.endsWith(".vsix"));
  if (name === undefined) {
    throw new Error("There is no .vsix: `make vsix` builds it.");
  }
  return resolve(EXTENSION, name);
}
