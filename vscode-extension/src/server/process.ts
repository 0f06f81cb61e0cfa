/** One process of the server: its start, its last words, its certain end. It knows nothing of the protocol. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

/** What is run, and how people are told where it comes from. */
export interface ServerCommand {
  readonly argv: readonly string[];
  readonly source: "setting" | "interpreter" | "private";
}

export interface Launch extends ServerCommand {
  readonly cwd: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Each line that the server writes to standard error: its log. */
  readonly onLine: (line: string) => void;
}

const LAST_LINES = 20;

export class ServerProcess {
  private readonly last: string[] = [];
  private rest = "";
  /** How it ended: a sentence. Settled once the process is gone. */
  readonly ended: Promise<string>;

  private constructor(
    readonly child: ChildProcessWithoutNullStreams,
    private readonly onLine: (line: string) => void,
  ) {
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => this.read(text));
    // Writing to a server that has just died is no error of its own; its end is told below.
    child.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.read("\n");
        resolve(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
      });
    });
  }

  /** Rejects when there is no such program or it cannot be run. */
  static start(launch: Launch): Promise<ServerProcess> {
    const [program, ...args] = launch.argv;
    return new Promise((resolve, reject) => {
      if (program === undefined) {
        reject(new Error("The setting politerm.server.command is an empty list."));
        return;
      }
      const child = spawn(program, args, { cwd: launch.cwd, env: launch.env, stdio: "pipe", windowsHide: true });
      child.once("error", reject);
      child.once("spawn", () => {
        child.off("error", reject);
        child.on("error", (error) => launch.onLine(`WARNING process: ${error.message}`));
        resolve(new ServerProcess(child, launch.onLine));
      });
    });
  }

  /** The newest lines of its log, for the message that says it is gone. */
  get lastLines(): readonly string[] {
    return this.last;
  }

  /** Ends it, politely first. SIGTERM leaves agents and their runs as they are. */
  async end(seconds: number): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await settled(this.ended, seconds)) {
        return;
      }
      this.child.kill(signal);
    }
    await settled(this.ended, seconds);
  }

  private read(text: string): void {
    const lines = (this.rest + text).split(/\r?\n/);
    this.rest = lines.pop() ?? "";
    for (const line of lines.filter((each) => each !== "")) {
      this.last.push(line);
      this.last.splice(0, this.last.length - LAST_LINES);
      this.onLine(line);
    }
  }
}

async function settled(promise: Promise<unknown>, seconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
