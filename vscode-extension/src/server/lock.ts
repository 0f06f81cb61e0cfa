/**
 * One at a time, over all windows: a folder that only one process can make. Its owner touches it while it works; one that
 * has not been touched for a while belongs to nobody any more.
 */
import { mkdir, rm, stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const TOUCHED_EVERY = 2_000;
const STALE_AFTER = 15_000;
const LOOKED_EVERY = 300;

export interface LockTimes {
  readonly staleAfter: number;
  readonly lookedEvery: number;
}

/** Does `work` with the lock held. `onWait` is called once when another one has it. */
export async function locked<T>(
  path: string,
  work: () => Promise<T>,
  onWait: () => void = () => undefined,
  signal?: AbortSignal,
  times: LockTimes = { staleAfter: STALE_AFTER, lookedEvery: LOOKED_EVERY },
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await taken(path))) {
    if (await stale(path, times.staleAfter)) {
      await rm(path, { recursive: true, force: true });
      continue;
    }
    if (!told) {
      told = true;
      onWait();
    }
    await sleep(times.lookedEvery, undefined, { signal });
  }
  const touch = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, TOUCHED_EVERY);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(path, { recursive: true, force: true });
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  }
}

async function stale(path: string, after: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > after;
  } catch {
    return false;
  }
}
