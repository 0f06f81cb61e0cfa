/** Where the server comes from: the setting, the selected interpreter, an environment of the extension's own. */
import { readdir } from "node:fs/promises";
import * as vscode from "vscode";
import { selectedInterpreter, versionOf } from "./interpreter";
import { madeBefore, make, type Site } from "./private";
import type { ServerCommand } from "./process";

export class Locator {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  get version(): string {
    return String(this.context.extension.packageJSON.version);
  }

  /** The program, if nothing has to be installed first. */
  async found(): Promise<ServerCommand | undefined> {
    const argv = vscode.workspace.getConfiguration("politerm").get<readonly string[]>("server.command", []);
    if (argv.length > 0) {
      return { argv, source: "setting" };
    }
    const interpreter = await selectedInterpreter();
    if (interpreter !== undefined && (await this.fits(interpreter))) {
      return { argv: serving(interpreter), source: "interpreter" };
    }
    const made = await madeBefore(await this.site([]));
    return made === undefined ? undefined : { argv: serving(made), source: "private" };
  }

  /** The program, installed where it must be. Rejects with StartFailed. */
  async locate(installing: (words: string) => void): Promise<ServerCommand> {
    return (await this.found()) ?? this.install(installing);
  }

  private async install(installing: (words: string) => void): Promise<ServerCommand> {
    const interpreter = await selectedInterpreter();
    const site = await this.site(interpreter === undefined ? [] : [interpreter]);
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: "Setting up PoliTerm's server",
      cancellable: true,
    };
    return vscode.window.withProgress(options, async (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      const say = (words: string): void => {
        installing(`Setting up the server: ${words}`);
        progress.report({ message: words });
      };
      return { argv: serving(await make(site, say, stop.signal)), source: "private" };
    });
  }

  private async fits(interpreter: string): Promise<boolean> {
    const version = await versionOf(interpreter);
    if (version !== undefined && version !== this.version) {
      this.log.info(
        `${interpreter} has PoliTerm ${version} and is not used: this extension goes with ${this.version}.`,
      );
    }
    return version === this.version;
  }

  private async site(pythons: readonly string[]): Promise<Site> {
    const wheels = vscode.Uri.joinPath(this.context.extensionUri, "dist", "server").fsPath;
    const names = await readdir(wheels).catch(() => []);
    const chosen = vscode.workspace.getConfiguration("politerm").get("server.pythonPath", "").trim();
    return {
      folder: vscode.Uri.joinPath(this.context.globalStorageUri, "server").fsPath,
      wheel: vscode.Uri.joinPath(vscode.Uri.file(wheels), names.find((name) => name.endsWith(".whl")) ?? "none").fsPath,
      pythons: [...(chosen === "" ? [] : [chosen]), ...pythons],
      env: process.env,
      log: (line) => this.log.info(line),
    };
  }
}

/** -P keeps the workspace off Python's path: a file of its own named like one of ours must not be taken for it. */
function serving(interpreter: string): readonly string[] {
  return [interpreter, "-P", "-m", "politerm", "serve"];
}
