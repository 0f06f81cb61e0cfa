// Makes politerm-VERSION.vsix: the bundle, and inside it the server as a wheel. One command, from a checkout with .venv.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = resolve(here, "..");
const python = join(root, ".venv/bin/python");
const run = (program, ...args) => execFileSync(program, args, { cwd: here, stdio: ["ignore", "ignore", "inherit"] });

if (!existsSync(python)) {
  console.error("The server's wheel is built with .venv, which is not there: run scripts/bootstrap first.");
  process.exit(2);
}

run(process.execPath, "esbuild.mjs");
const wheels = join(here, "dist/server");
mkdirSync(wheels, { recursive: true });
execFileSync(python, ["-m", "hatchling", "build", "-t", "wheel", "-d", wheels], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
});
const [wheel, ...others] = readdirSync(wheels);
if (wheel === undefined || others.length > 0) {
  console.error("One wheel was expected.");
  process.exit(1);
}
const name = `politerm-${wheel.split("-")[1]}.vsix`;
rmSync(join(here, name), { force: true });
run(
  process.execPath,
  "node_modules/@vscode/vsce/vsce",
  "package",
  "--no-dependencies",
  "--allow-missing-repository",
  "--out",
  name,
);
console.log(`vscode-extension/${name} (${Math.round(statSync(join(here, name)).size / 1024)} KiB)`);
