/** Before all tests: the .vsix is installed as a user does it, once; each test has a copy of that folder. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ARTEFACTS, EXTENSION, HERE, installed, PICTURES, SHELF, vsix } from "./places";

export default function prepare(): void {
  for (const folder of [SHELF, PICTURES]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const inside = join(ARTEFACTS, "inside.vsix");
  const vsce = join(EXTENSION, "node_modules/@vscode/vsce/vsce");
  const flags = ["--no-dependencies", "--allow-missing-repository", "--skip-license", "--out", inside];
  execFileSync(process.execPath, [vsce, "package", ...flags], { cwd: join(HERE, "inside"), stdio: "pipe" });
  const { node, codeServer } = installed();
  const folders = ["--user-data-dir", join(ARTEFACTS, "shelf-data"), "--extensions-dir", SHELF];
  for (const package_ of [vsix(), inside]) {
    execFileSync(node, [codeServer, ...folders, "--install-extension", package_, "--force"], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, EXTENSIONS_GALLERY: "{}" },
    });
  }
}
