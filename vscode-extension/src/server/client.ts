/**
 * The server as the extension has it: started when first asked for, one start at a time, started again when it dies.
 *
 *     off → (installing) → starting → ready → waiting → starting …     failed: a person has to act
 *
 * Where the program comes from is locate.ts, how patient we are patience.ts, what people are told trouble.ts. Every
 * request gets an answer or a `RequestFailed`, also when the server dies under it.
 */
import { homedir } from "node:os";
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { Signal } from "../model/signal";
import {
  type Answered,
  type Argument,
  type CommandName,
  type Disposable,
  type Notification,
  RequestFailed,
  type Server,
  type ServerState,
  type Token,
} from "../protocol/api";
import type { ClientNotifications, ServerNotifications } from "../protocol/generated";
import { StartFailed } from "./failure";
import { failureOf } from "./failures";
import type { Locator } from "./locate";
import { Patience } from "./patience";
import { type ServerCommand, ServerProcess } from "./process";
import { chosenSettings, serverEnvironment } from "./settings";
import { checkVersion } from "./version";

interface Session {
  readonly client: LanguageClient;
  readonly process: ServerProcess;
  readonly since: number;
}

const NOTIFICATIONS: readonly Notification[] = [
  "politerm/event",
  "politerm/paneOutput",
  "politerm/runChanged",
  "politerm/attentionChanged",
  "politerm/serverStatus",
];
/** Seconds for an orderly end, before the process is told by a signal. */
const FAREWELL = 2;

export class Client implements Server, Disposable {
  private session: Session | undefined;
  private starting: Promise<Session> | undefined;
  private restarting: Promise<void> | undefined;
  /** The end of the one before: the next starts when it is gone, and takes over its workspace at once. */
  private leaving: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private closing = false;
  private current: ServerState;
  private readonly patience = new Patience();
  private readonly states = new Signal<ServerState>();
  private readonly signals: { [N in Notification]: Signal<ServerNotifications[N]> } = {
    "politerm/event": new Signal(),
    "politerm/paneOutput": new Signal(),
    "politerm/runChanged": new Signal(),
    "politerm/attentionChanged": new Signal(),
    "politerm/serverStatus": new Signal(),
  };

  constructor(
    private readonly locator: Locator,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.current = { phase: vscode.workspace.isTrusted ? "off" : "restricted" };
  }

  // ---- what the rest of the extension uses

  get state(): ServerState {
    return this.current;
  }

  onState(handler: (state: ServerState) => void): Disposable {
    return this.states.on(handler);
  }

  on<N extends Notification>(method: N, handler: (params: ServerNotifications[N]) => void): Disposable {
    return this.signals[method].on(handler);
  }

  async request<C extends CommandName>(command: C, argument: Argument<C>, token?: Token): Promise<Answered<C>> {
    const { client } = await this.up();
    const params = { command, arguments: [argument] };
    try {
      // A plain request and not the command that the library registers: that one resolves to nothing when the
      // connection is lost, and cannot be cancelled.
      // A token that is undefined would count as a second parameter, and both would travel as an array.
      const withToken = token === undefined ? [] : [token as vscode.CancellationToken];
      return await client.sendRequest("workspace/executeCommand", params, ...withToken);
    } catch (error) {
      throw failureOf(error);
    }
  }

  notify<N extends keyof ClientNotifications>(method: N, params: ClientNotifications[N]): void {
    // A connection that closes while this is sent tells its end by itself.
    this.session?.client.sendNotification(method, params).catch(() => undefined);
  }

  wake(): void {
    if (this.current.phase !== "off" || this.starting !== undefined) {
      return;
    }
    const start = async (): Promise<void> => {
      if ((await this.locator.found()) !== undefined) {
        await this.up();
      }
    };
    // What is wrong is told by the state; here nobody has asked for anything.
    start().catch(() => undefined);
  }

  // ---- its life

  /** The running server; started when there is none. Rejects with a `RequestFailed`. */
  async up(): Promise<Session> {
    if (this.session !== undefined) {
      return this.session;
    }
    if (this.closing) {
      throw new RequestFailed("The editor is closing.", "unavailable");
    }
    if (!vscode.workspace.isTrusted) {
      throw new RequestFailed("This workspace is in Restricted Mode: trust it, and PoliTerm can start.", "untrusted");
    }
    clearTimeout(this.timer);
    this.starting ??= this.start().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  /** Ends what runs and starts anew. Calls that come while it works share its end. */
  restart(): Promise<void> {
    this.restarting ??= this.startAnew().finally(() => {
      this.restarting = undefined;
    });
    return this.restarting;
  }

  private async startAnew(): Promise<void> {
    this.patience.forgive();
    await this.starting?.catch(() => undefined);
    await this.down();
    await this.up();
  }

  /** Trust was granted: from now on it may be started. */
  trusted(): void {
    if (this.current.phase === "restricted") {
      this.become({ phase: "off" });
    }
    this.notify("politerm/trustChanged", { trusted: true });
  }

  dispose(): void {
    void this.close();
  }

  /** For the end of the extension: the server ends, agents and runs stay. */
  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.timer);
    await this.starting?.catch(() => undefined);
    await this.down();
  }

  private async start(): Promise<Session> {
    let process: ServerProcess | undefined;
    try {
      await this.leaving;
      const command = await this.locator.locate((message) => this.become({ phase: "installing", message }));
      this.become({ phase: "starting" });
      this.log.info(`Starting the server (${command.source}): ${command.argv.join(" ")}`);
      process = await this.launch(command);
      const client = await this.connect(process);
      const warning = checkVersion(client.initializeResult, this.locator.version, command.source);
      const session = { client, process, since: Date.now() };
      this.session = session;
      void process.ended.then((how) => this.ended(session, how));
      this.become(warning === undefined ? { phase: "ready" } : { phase: "ready", message: warning, remedies: ["own"] });
      return session;
    } catch (error) {
      await process?.end(FAREWELL);
      const { message, remedies } = explain(error, process);
      this.log.error(message);
      this.become({ phase: "failed", message, remedies });
      throw new RequestFailed(message, "unavailable");
    }
  }

  private async launch(command: ServerCommand): Promise<ServerProcess> {
    const chosen = vscode.workspace.getConfiguration("politerm").get<Record<string, string>>("server.environment", {});
    try {
      return await ServerProcess.start({
        ...command,
        cwd: vscode.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === "file")?.uri.fsPath ?? homedir(),
        env: serverEnvironment(process.env, chosen),
        onLine: (line) => this.logLine(line),
      });
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such program" : String(error);
      throw new StartFailed(`The server cannot be started with “${command.argv.join(" ")}”: ${reason}.`, [
        ...(command.source === "setting" ? (["settings", "own"] as const) : (["retry"] as const)),
      ]);
    }
  }

  private async connect(process: ServerProcess): Promise<LanguageClient> {
    // Loaded when a server starts: windows that never use PoliTerm do not pay for it.
    const library = await import("vscode-languageclient/node");
    const streams = { reader: process.child.stdout, writer: process.child.stdin };
    const client = new library.LanguageClient("politerm", "PoliTerm", () => Promise.resolve(streams), {
      outputChannel: this.log,
      revealOutputChannelOn: library.RevealOutputChannelOn.Never,
      // Restarting is ours: the library gives up after four times in three minutes, without a word.
      errorHandler: {
        error: () => ({ action: library.ErrorAction.Continue, handled: true }),
        closed: () => ({ action: library.CloseAction.DoNotRestart, handled: true }),
      },
      initializationFailedHandler: () => false,
      initializationOptions: {
        politerm: {
          trusted: vscode.workspace.isTrusted,
          client: { attention: true, progress: true },
          settings: chosenSettings(vscode.workspace.getConfiguration("politerm")),
        },
      },
    });
    for (const method of NOTIFICATIONS) {
      client.onNotification(method, (params) => this.signals[method].tell(params as never));
    }
    const gone = process.ended.then((how) => {
      throw new Error(`The server could not start: ${how}.`);
    });
    await Promise.race([client.start(), gone]);
    return client;
  }

  private async ended(session: Session, how: string): Promise<void> {
    if (this.session !== session) {
      return;
    }
    this.session = undefined;
    const delay = this.patience.ended((Date.now() - session.since) / 1000);
    if (delay === undefined) {
      const message = `The server ended again and again; the last time, ${how}.`;
      this.log.error(message);
      this.become({ phase: "failed", message, remedies: ["retry"] });
      return;
    }
    this.log.warn(`The server is gone: ${how}. It is started again in ${delay} s; runs go on meanwhile.`);
    this.become({ phase: "waiting", message: `The server is gone: ${how}. It is being started again.` });
    this.timer = setTimeout(() => this.up().catch(() => undefined), delay * 1000);
  }

  private async down(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    if (session !== undefined) {
      this.become({ phase: "off" });
      const stopped = session.client.stop(FAREWELL * 1000).catch(() => undefined);
      this.leaving = stopped.then(() => session.process.end(FAREWELL));
    }
    await this.leaving;
  }

  private become(state: ServerState): void {
    this.current = state;
    this.states.tell(state);
  }

  /** `10:11:12 WARNING politerm.tmux: ...` with the level that the server gave it. */
  private logLine(line: string): void {
    const [, level, text] = /^[\d:]{8} (DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)$/.exec(line) ?? [];
    const say = { DEBUG: "debug", INFO: "info", WARNING: "warn", ERROR: "error", CRITICAL: "error" } as const;
    this.log[say[(level ?? "WARNING") as keyof typeof say]](text ?? line);
  }
}

/** What went wrong, with the server's own last words where it had some. */
function explain(error: unknown, process: ServerProcess | undefined): StartFailed {
  if (error instanceof StartFailed) {
    return error;
  }
  if (error instanceof Error && error.name === "AbortError") {
    return new StartFailed("Setting up the server was cancelled.");
  }
  const reason = error instanceof Error ? error.message : String(error);
  const words = process?.lastLines.at(-1);
  return new StartFailed(words === undefined ? reason : `${reason} It said: ${words}`, ["retry", "settings"]);
}
