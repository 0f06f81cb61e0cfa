/**
 * A house of its own for one test: home, configuration, state and workspaces in a temporary folder, and the editor's
 * server living there. Nothing of the person who runs the tests is read or written. Whatever process is left of it at the
 * end is ended by its id.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { installed, PYTHON, ROOT, SHELF } from "./places";

/** Settings of a person who wants no news, no accounts and no animations; and a terminal whose text can be read. */
const SETTINGS = {
  "chat.disableAIFeatures": true,
  "extensions.ignoreRecommendations": true,
  "remote.autoForwardPorts": false,
  "telemetry.telemetryLevel": "off",
  "terminal.integrated.gpuAcceleration": "off",
  "update.mode": "none",
  "window.commandCenter": false,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the editor fills it in
  "window.title": "${activeEditorShort}${separator}${rootName}",
  "workbench.colorTheme": "Dark Modern",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

export interface Furnishing {
  /** The name of the workspace folder; several make a multi-root workspace. */
  readonly folders?: readonly string[];
  /** The user's settings, over the usual ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Where the server comes from: this checkout, or, as for a new user, the wheel in the extension. */
  readonly server?: "checkout" | "private";
  /** Whether the editor asks for trust. Without it every folder is trusted. */
  readonly asksForTrust?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a test agent is like; the words of tests/agents. */
export interface AgentHabits {
  readonly kind: string;
  readonly [option: string]: unknown;
}

export class House {
  readonly root: string;
  readonly home: string;
  readonly config: string;
  readonly state: string;
  readonly folders: readonly string[];
  private readonly furnishing: Furnishing;
  private editor: ChildProcess | undefined;
  private address = "";
  private readonly words: string[] = [];

  constructor(furnishing: Furnishing = {}) {
    this.furnishing = furnishing;
    // Short: a Unix socket's path may hold 100 bytes, and this is where they are.
    this.root = realpathSync(mkdtempSync(join(tmpdir(), "pt-")));
    this.home = this.folder("home");
    this.config = this.folder("config");
    this.state = join(this.root, "state");
    this.folders = (furnishing.folders ?? ["workspace"]).map((name) => this.folder(name));
  }

  /** The first workspace folder. */
  get workspace(): string {
    return this.folders[0] ?? this.root;
  }

  folder(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A file of the workspace. */
  write(name: string, text: string): string {
    const path = join(this.workspace, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.workspace, name), "utf8");
  }

  has(name: string): boolean {
    return existsSync(join(this.workspace, name));
  }

  /** Profiles of test agents in the user's configuration, by name. */
  agents(agents: Readonly<Record<string, AgentHabits>>): void {
    const script = [
      "import json, sys",
      "from pathlib import Path",
      "from tests.agents import install",
      "for name, habits in json.load(sys.stdin).items():",
      "    install(Path(sys.argv[1]), name, **habits)",
    ].join("\n");
    execFileSync(PYTHON, ["-c", script, this.config], { cwd: ROOT, input: JSON.stringify(agents) });
  }

  /** What the agents with this `memory` noted, in order. */
  ledger(memory: string): Record<string, unknown>[] {
    const lines = readFileSync(join(this.root, memory, "ledger.jsonl"), "utf8")
      .trim()
      .split("\n");
    return lines.map((line) => JSON.parse(line));
  }

  /** A file that stops agents who were told of it (`hold`), from the beginning of their next turn to `release`. */
  holding(name = "hold"): string {
    const path = join(this.root, name);
    writeFileSync(path, "");
    return path;
  }

  release(name = "hold"): void {
    rmSync(join(this.root, name), { force: true });
  }

  // ---- the editor's server

  /** Where a browser finds this editor with the workspace open. */
  async start(): Promise<string> {
    const { node, codeServer } = installed();
    const data = this.folder("editor");
    const extensions = join(this.root, "extensions");
    cpSync(SHELF, extensions, { recursive: true });
    const { settings, server = "checkout" } = this.furnishing;
    this.settings("User", { ...SETTINGS, ...settings });
    // A setting that names a program counts only where it is said for this machine.
    this.settings(
      "Machine",
      server === "checkout" ? { "politerm.server.command": [PYTHON, "-m", "politerm", "serve"] } : {},
    );
    writeFileSync(join(this.root, "editor.yaml"), "");
    const args = [
      ...["--config", join(this.root, "editor.yaml"), "--bind-addr", "127.0.0.1:0", "--auth", "none"],
      ...[
        "--disable-telemetry",
        "--disable-update-check",
        "--disable-getting-started-override",
        "--ignore-last-opened",
      ],
      ...["--user-data-dir", data, "--extensions-dir", extensions],
      ...(this.furnishing.asksForTrust === true ? [] : ["--disable-workspace-trust"]),
    ];
    this.editor = spawn(node, [codeServer, ...args], {
      cwd: this.root,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.address = await this.listening(this.editor);
    return this.url;
  }

  get url(): string {
    const [only, ...others] = this.folders;
    if (only !== undefined && others.length === 0) {
      return `${this.address}/?folder=${encodeURIComponent(only)}`;
    }
    const file = join(this.root, "several.code-workspace");
    writeFileSync(file, JSON.stringify({ folders: this.folders.map((path) => ({ path })) }));
    return `${this.address}/?workspace=${encodeURIComponent(file)}`;
  }

  private settings(scope: "User" | "Machine", settings: Readonly<Record<string, unknown>>): void {
    const folder = this.folder(join("editor", scope));
    writeFileSync(join(folder, "settings.json"), JSON.stringify(settings, null, 2));
  }

  private get environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(VSCODE_|TMUX|POLI|PORT$|XDG_|PLAYWRIGHT)/.test(name),
    );
    return {
      ...Object.fromEntries(kept),
      HOME: this.home,
      EXTENSIONS_GALLERY: "{}",
      POLITERM_CONFIG_DIR: this.config,
      POLITERM_STATE_DIR: this.state,
      POLITERM_TEST_HOUSE: this.root,
      ...this.furnishing.env,
    };
  }

  private listening(editor: ChildProcess): Promise<string> {
    return new Promise((found, failed) => {
      for (const stream of [editor.stdout, editor.stderr]) {
        if (stream !== null) {
          createInterface(stream).on("line", (line) => {
            this.words.push(line);
            const address = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
            if (address !== undefined) {
              found(address);
            }
          });
        }
      }
      editor.once("exit", (code) => failed(new Error(`The editor ended with ${code}:\n${this.words.join("\n")}`)));
    });
  }

  // ---- its processes

  /** Every process that was started in this house: the house stands in its environment, or in its arguments. */
  processes(pattern = /./): { pid: number; command: string }[] {
    const environment = process.platform === "darwin" ? "axwwE" : "axwwe";
    const listed = execFileSync("ps", [environment, "-o", "pid=,command="], { maxBuffer: 1 << 26, encoding: "utf8" });
    return listed
      .split("\n")
      .filter((line) => line.includes(this.root))
      .map((line) => /^\s*(\d+) (.*)$/.exec(line))
      .flatMap((found) => (found?.[1] && found[2] ? [{ pid: Number(found[1]), command: found[2] }] : []))
      .filter(({ pid, command }) => pid !== process.pid && pattern.test(command));
  }

  /** The language servers that are up. */
  servers(): number[] {
    return this.processes(/(-m politerm|bin\/politerm) serve/).map(({ pid }) => pid);
  }

  /** Ends everything and takes the house down. */
  async close(): Promise<void> {
    for (let round = 0; round < 5; round += 1) {
      const left = this.processes();
      for (const { pid } of left) {
        kill(pid);
      }
      if (left.length === 0) {
        break;
      }
      await new Promise((wake) => setTimeout(wake, 100));
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** SIGKILL; nothing when it is gone already. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw error;
    }
  }
}
