/** A program that is run to its end, its output line by line. It knows nothing of what the programs are for. */
import { spawn } from "node:child_process";

export interface Run {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly seconds?: number;
}

export interface Ran {
  /** The exit code; 127 when there is no such program, 124 when it took too long or was cancelled. */
  readonly code: number;
  /** Both of its outputs, in the order in which they came. */
  readonly output: string;
}

const NOT_THERE = 127;
const TOO_LATE = 124;
/** More than this is not kept; the log has had it line by line. */
const KEPT = 100_000;

export function execute({ argv, cwd, env, onLine, signal, seconds }: Run): Promise<Ran> {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const limit = seconds === undefined ? [] : [AbortSignal.timeout(seconds * 1000)];
    const stop = AbortSignal.any([...(signal === undefined ? [] : [signal]), ...limit]);
    const child = spawn(program, args, {
      cwd,
      env,
      signal: stop,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    let output = "";
    let rest = "";
    const read = (text: string): void => {
      output = (output + text).slice(-KEPT);
      const lines = (rest + text).split(/[\r\n]+/);
      rest = lines.pop() ?? "";
      for (const line of lines.filter((each) => each.trim() !== "")) {
        onLine?.(line);
      }
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", read);
    }
    let failure: NodeJS.ErrnoException | undefined;
    child.once("error", (error) => {
      failure = error;
      if (child.pid === undefined) {
        resolve({ code: NOT_THERE, output: error.message });
      }
    });
    child.once("close", (code) => {
      read("\n");
      resolve({ code: failure === undefined ? (code ?? TOO_LATE) : TOO_LATE, output });
    });
  });
}
