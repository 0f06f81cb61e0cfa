import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { locked } from "../../server/lock";
import { explain, madeBefore, make, type Site } from "../../server/private";

let root: string;
let site: Site;
let log: string[];

/** A program of the test's own on the only PATH there is; what it was called with is noted. */
async function program(name: string, script: string): Promise<void> {
  const path = join(root, "bin", name);
  await writeFile(path, `#!/bin/sh\necho "${name} $*" >>"${join(root, "calls")}"\n${script}\n`);
  await chmod(path, 0o755);
}

const calls = async (): Promise<string[]> =>
  (await readFile(join(root, "calls"), "utf8").catch(() => "")).split("\n").filter((line) => line !== "");

/** What makes the environment: its last argument is the folder. */
const MAKES = `for last; do :; done; /bin/mkdir -p "$last/bin"; /bin/cp "${"$0"}" "$last/bin/python"`;

const now = (): AbortSignal => new AbortController().signal;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "politerm private "));
  await mkdir(join(root, "bin"));
  await writeFile(join(root, "server.whl"), "wheel");
  log = [];
  site = {
    folder: join(root, "storage"),
    wheel: join(root, "server.whl"),
    pythons: [],
    // Nothing of the machine that the tests run on.
    env: { PATH: join(root, "bin"), HOME: root },
    log: (line) => log.push(line),
  };
});

afterEach(() => rm(root, { recursive: true, force: true }));

test("uv makes it where there is one; the second time nothing is made", async () => {
  await program("uv", `case "$1" in venv) ${MAKES};; esac`);
  expect(await madeBefore(site)).toBeUndefined();
  const words: string[] = [];
  const python = await make(site, (each) => words.push(each), now());
  expect(python).toMatch(/storage\/server-[0-9a-f]{12}\/bin\/python$/);
  expect(words).toEqual(["making an environment with uv", "installing the server"]);
  expect(await madeBefore(site)).toBe(python);
  const before = (await calls()).length;
  expect(await make(site, () => undefined, now())).toBe(python);
  expect((await calls()).length).toBe(before);
});

test("without uv it is Python's own venv and pip, by the first Python that is new enough", async () => {
  await program("old", "exit 1");
  await program("new", `case "$2" in venv) ${MAKES};; pip) echo "Collecting pygls";; esac`);
  site = { ...site, pythons: ["old", "new"] };
  const words: string[] = [];
  await make(site, (each) => words.push(each), now());
  expect((await calls()).filter((line) => line.startsWith("new -m venv"))).toHaveLength(1);
  expect(words).toContain("installing the server");
});

test("a new build of the wheel gets an environment of its own, and long unused ones go", async () => {
  await program("uv", `case "$1" in venv) ${MAKES};; esac`);
  const first = await make(site, () => undefined, now());
  await writeFile(site.wheel, "another");
  const second = await make(site, () => undefined, now());
  expect(second).not.toBe(first);
  expect(await readdir(site.folder)).toHaveLength(2);
  const long = new Date("2020-01-01");
  await utimes(join(first, "../../ready"), long, long);
  await writeFile(site.wheel, "a third");
  await make(site, () => undefined, now());
  const left = (await readdir(site.folder)).map((name) => join(site.folder, name, "bin/python"));
  expect(left).not.toContain(first);
  expect(left).toContain(second);
});

test("what fails is taken away again, and says what to do", async () => {
  await program("uv", `case "$1" in venv) ${MAKES};; pip) echo "error: dns error: no such host"; exit 2;; esac`);
  await expect(make(site, () => undefined, now())).rejects.toThrow(/offline.*try again/is);
  expect(await readdir(site.folder)).toEqual([]);
  expect(log).toContain("error: dns error: no such host");
});

test("what is cancelled is taken away as well", async () => {
  await program("uv", `case "$1" in venv) ${MAKES};; pip) exec /bin/sleep 60;; esac`);
  const stop = new AbortController();
  const making = make(site, (words) => words.startsWith("installing") && stop.abort(), stop.signal);
  await expect(making).rejects.toMatchObject({ name: "AbortError" });
  expect(await readdir(site.folder)).toEqual([]);
});

test("no Python and no uv: what to install is said", async () => {
  await expect(make(site, () => undefined, now())).rejects.toThrow(/Python 3\.11 or newer, or uv/);
});

test("two windows at once make one environment", async () => {
  await program("uv", `case "$1" in venv) ${MAKES};; pip) /bin/sleep 0.5;; esac`);
  const words: string[] = [];
  const both = await Promise.all([1, 2].map(() => make(site, (each) => words.push(each), now())));
  expect(both[0]).toBe(both[1]);
  expect((await calls()).filter((line) => line.startsWith("uv venv"))).toHaveLength(1);
  expect(words).toContain("another window is setting it up");
});

test("a lock whose owner is gone is taken over", async () => {
  const path = join(root, "lock");
  await mkdir(path);
  const long = new Date("2020-01-01");
  await utimes(path, long, long);
  expect(await locked(path, async () => "mine")).toBe("mine");
  expect(await readdir(root)).not.toContain("lock");
});

test("each reason has its own advice", () => {
  const says = (output: string): string => explain(["pip"], output, "/x.whl").message;
  expect(says("The virtual environment was not created because ensurepip is not available.")).toContain("python3-venv");
  expect(says("OSError: [Errno 28] No space left on device")).toContain("disk is full");
  expect(says("ERROR: No matching distribution found for pygls")).toContain("offline");
  expect(says("first\nerror: strange thing\n")).toContain("strange thing");
});
