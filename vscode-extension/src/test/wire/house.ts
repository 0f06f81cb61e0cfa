/** The real server for tests, spoken to as the extension does, in a home and a workspace of its own. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { Signal } from "../../model/signal";
import type {
  Answered,
  Argument,
  CommandName,
  Disposable,
  Notification,
  Server,
  ServerState,
  Token,
} from "../../protocol/api";
import type { ClientNotifications, ServerNotifications } from "../../protocol/generated";
import { failureOf } from "../../server/failures";

export const PYTHON = resolve(import.meta.dirname, "../../../../.venv/bin/python");
export const HAVE_SERVER = existsSync(PYTHON);
/** Long enough for a slow machine, short enough to be told before the test's own limit. */
const WITHIN = 25_000;

export class House implements Server {
  private child: ChildProcessWithoutNullStreams | undefined;
  private connection: MessageConnection | undefined;
  private readonly states = new Signal<ServerState>();
  private readonly told = new Signal<{ method: string; params: unknown }>();
  state: ServerState = { phase: "off" };
  initialized: unknown;

  private constructor(
    readonly root: string,
    readonly workspace: string,
  ) {}

  /** The folder's name has a space and a quote: paths of people do. */
  static async build(): Promise<House> {
    const root = await realpath(await mkdtemp(join(tmpdir(), "politerm-vs-")));
    const workspace = join(root, "it's a project");
    await mkdir(workspace);
    return new House(root, workspace);
  }

  async open(options: Record<string, unknown> = { trusted: true }): Promise<void> {
    const env = {
      PATH: process.env.PATH,
      HOME: this.root,
      LANG: "C.UTF-8",
      POLITERM_STATE_DIR: join(this.root, "state"),
      POLITERM_CONFIG_DIR: join(this.root, "config"),
    };
    const child = spawn(PYTHON, ["-P", "-m", "politerm", "serve"], { cwd: this.workspace, env, stdio: "pipe" });
    child.stderr.resume();
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    connection.onNotification((method, params) => this.told.tell({ method, params }));
    connection.onClose(() => this.become("waiting"));
    connection.listen();
    this.child = child;
    this.connection = connection;
    const client = { attention: true, progress: true };
    this.initialized = await connection.sendRequest("initialize", {
      processId: process.pid,
      workspaceFolders: [{ uri: new URL(`file://${encodeURI(this.workspace)}`).href, name: "project" }],
      capabilities: {},
      initializationOptions: { politerm: { client, ...options } },
    });
    await connection.sendNotification("initialized", {});
    this.become("ready");
  }

  /** SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.child;
    if (child !== undefined && child.exitCode === null) {
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await gone;
    }
    this.connection?.dispose();
    this.become("waiting");
  }

  /** Everything of it is gone afterwards: runs, agents, files. */
  async tearDown(): Promise<void> {
    if (this.state.phase === "ready") {
      const { runs } = await this.request("politerm.run.list", {});
      for (const { runId } of runs.filter((view) => view.state !== "ended")) {
        await this.request("politerm.run.stop", { runId });
      }
      await this.connection?.sendRequest("shutdown");
      await this.connection?.sendNotification("exit");
    }
    await this.kill();
    await this.endTmux();
    await rm(this.root, { recursive: true, force: true });
  }

  /** A test that failed half-way leaves agents; and a tmux server that never had a session waits for one for ever. */
  private async endTmux(): Promise<void> {
    const state = join(this.root, "state");
    const folders = await readdir(state).catch(() => []);
    for (const folder of folders) {
      spawnSync("tmux", ["-S", join(state, folder, "tmux.sock"), "kill-server"], { stdio: "ignore" });
    }
  }

  wake(): void {}

  async request<C extends CommandName>(command: C, argument: Argument<C>, token?: Token): Promise<Answered<C>> {
    const params = [{ command, arguments: [argument] }, ...(token === undefined ? [] : [token])] as const;
    try {
      return await (this.connection as MessageConnection).sendRequest(
        "workspace/executeCommand",
        ...(params as [unknown]),
      );
    } catch (error) {
      throw failureOf(error);
    }
  }

  notify<N extends keyof ClientNotifications>(method: N, params: ClientNotifications[N]): void {
    void this.connection?.sendNotification(method, params);
  }

  on<N extends Notification>(method: N, handler: (params: ServerNotifications[N]) => void): Disposable {
    return this.told.on((each) => {
      if (each.method === method) {
        handler(each.params as ServerNotifications[N]);
      }
    });
  }

  onState(handler: (state: ServerState) => void): Disposable {
    return this.states.on(handler);
  }

  private become(phase: ServerState["phase"]): void {
    if (this.state.phase !== phase) {
      this.state = { phase };
      this.states.tell(this.state);
    }
  }
}

/** Waits until `look` has something to say, looking again whenever `changes` tells that something has happened. */
export function until<T>(
  changes: { onChange(listener: () => void): Disposable },
  look: () => T | undefined | false,
): Promise<T> {
  return new Promise((resolvePromise, reject) => {
    const timer = setTimeout(() => {
      subscription.dispose();
      reject(new Error(`nothing came within ${WITHIN} ms: ${look}`));
    }, WITHIN);
    const check = (): void => {
      const found = look();
      if (found !== undefined && found !== false) {
        clearTimeout(timer);
        subscription.dispose();
        resolvePromise(found);
      }
    };
    const subscription = changes.onChange(check);
    check();
  });
}
