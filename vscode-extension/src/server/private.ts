/**
 * The extension's own environment: made once from the wheel that travels with it, by uv where there is one, else by
 * Python's venv and pip. Each wheel has a folder of its own, so that a newer extension never changes what runs.
 *
 * No editor here; progress and the log are functions.
 */
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { execute } from "./execute";
import { StartFailed } from "./failure";
import { locked } from "./lock";

export interface Site {
  /** The folder that the environments are in. */
  readonly folder: string;
  readonly wheel: string;
  /** Interpreters that a person has named, the first choice first. */
  readonly pythons: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

const LEAST = [3, 11] as const;
const PYTHONS = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];
const READY = "ready";
/** Days after which an environment that nobody has started is thrown away. */
const KEPT_DAYS = 14;
const INSTALL_SECONDS = 600;
const ASK_SECONDS = 20;

/** The interpreter of the environment for this wheel, or undefined where it has not been made. */
export async function madeBefore(site: Site): Promise<string | undefined> {
  const home = await homeOf(site);
  try {
    await access(join(home, READY));
    await access(interpreter(home));
  } catch {
    return undefined;
  }
  const now = new Date();
  await utimes(join(home, READY), now, now).catch(() => undefined);
  return interpreter(home);
}

/** Makes the environment, unless another window does meanwhile. Rejects with StartFailed, or when it is cancelled. */
export async function make(site: Site, progress: (words: string) => void, signal: AbortSignal): Promise<string> {
  const home = await homeOf(site);
  const waiting = (): void => progress("another window is setting it up");
  return locked(
    `${home}.lock`,
    async () => {
      const found = await madeBefore(site);
      if (found !== undefined) {
        return found;
      }
      await rm(home, { recursive: true, force: true });
      try {
        await fill(site, home, progress, signal);
      } catch (error) {
        await rm(home, { recursive: true, force: true });
        throw error;
      }
      await writeFile(join(home, READY), new Date().toISOString());
      await throwAwayOld(site.folder, home);
      return interpreter(home);
    },
    waiting,
    signal,
  );
}

async function fill(site: Site, home: string, progress: (words: string) => void, signal: AbortSignal): Promise<void> {
  await mkdir(site.folder, { recursive: true });
  const step = async (words: string, argv: readonly string[]): Promise<void> => {
    progress(words);
    site.log(argv.join(" "));
    const onLine = (line: string): void => {
      site.log(line);
      const name = /^(?:Collecting|Downloading) ([\w.-]+)/.exec(line)?.[1];
      if (name !== undefined) {
        progress(`${words}: ${name}`);
      }
    };
    const { code, output } = await execute({ argv, env: site.env, onLine, signal, seconds: INSTALL_SECONDS });
    signal.throwIfAborted();
    if (code !== 0) {
      throw explain(argv, output, site.wheel);
    }
  };
  const uv = await findUv(site.env);
  if (uv !== undefined) {
    await step("making an environment with uv", [uv, "venv", "--python", `>=${LEAST.join(".")}`, home]);
    await step("installing the server", [uv, "pip", "install", "--python", interpreter(home), site.wheel]);
    return;
  }
  const python = await findPython(site);
  await step("making an environment", [python, "-m", "venv", home]);
  await step("installing the server", [
    ...[interpreter(home), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"],
    site.wheel,
  ]);
}

async function findUv(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const home = env.HOME ?? homedir();
  for (const name of ["uv", join(home, ".local/bin/uv"), join(home, ".cargo/bin/uv")]) {
    if ((await execute({ argv: [name, "--version"], env, seconds: ASK_SECONDS })).code === 0) {
      return name;
    }
  }
  return undefined;
}

/** The first that is new enough. */
async function findPython(site: Site): Promise<string> {
  const question = `import sys; sys.exit(sys.version_info < (${LEAST.join(", ")}))`;
  for (const name of [...site.pythons, ...PYTHONS]) {
    if ((await execute({ argv: [name, "-c", question], env: site.env, seconds: ASK_SECONDS })).code === 0) {
      return name;
    }
  }
  throw new StartFailed(
    `PoliTerm needs Python ${LEAST.join(".")} or newer, or uv, and found neither. Install one of them, or name a Python ` +
      "in the setting politerm.server.pythonPath, then try again.",
    ["retry", "settings"],
  );
}

const OFFLINE =
  /name resolution|Could not resolve|dns error|Failed to establish a new connection|Connection (?:refused|reset|timed out)|Network is unreachable|error sending request|ConnectTimeout|ProxyError|Could not find a version|No matching distribution|Failed to fetch/i;

/** What a person can do about a step that failed. */
export function explain(argv: readonly string[], output: string, wheel: string): StartFailed {
  if (/ensurepip is not available|No module named (?:venv|ensurepip)/.test(output)) {
    return new StartFailed(
      "This machine's Python comes without venv. Install it (on Debian and Ubuntu: sudo apt install python3-venv), or " +
        "install uv, then try again.",
    );
  }
  if (/No space left|ENOSPC/.test(output)) {
    return new StartFailed("The server could not be installed: the disk is full.");
  }
  if (OFFLINE.test(output)) {
    return new StartFailed(
      "The server needs packages that could not be downloaded: this machine seems to be offline, or behind a proxy that " +
        "uv and pip do not know. Connect it and try again. Where that cannot be, install PoliTerm by hand from " +
        `${wheel} and name its program in politerm.server.command.`,
      ["retry", "settings"],
    );
  }
  const last = output.trim().split("\n").at(-1)?.trim() ?? "";
  return new StartFailed(`The server could not be installed: ${argv[0]} said “${last}”. The log has all of it.`);
}

/** Named after the wheel's content: a new build of the same version gets a new environment. */
async function homeOf(site: Site): Promise<string> {
  let content: Buffer;
  try {
    content = await readFile(site.wheel);
  } catch {
    throw new StartFailed(
      "This build of the extension carries no server. Install the .vsix that `make vsix` builds, or name a program in " +
        "politerm.server.command.",
      ["settings"],
    );
  }
  return join(site.folder, `server-${createHash("sha256").update(content).digest("hex").slice(0, 12)}`);
}

function interpreter(home: string): string {
  return join(home, "bin/python");
}

async function throwAwayOld(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!/^server-[0-9a-f]{12}$/.test(name) || path === kept) {
      continue;
    }
    const used = await stat(join(path, READY)).catch(() => undefined);
    if (used === undefined || Date.now() - used.mtimeMs > KEPT_DAYS * 86_400_000) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
