import { execPath } from "node:process";
import { expect, test } from "vitest";
import { failureOf } from "../../server/failures";
import { Patience } from "../../server/patience";
import { ServerProcess } from "../../server/process";
import { chosenSettings, serverEnvironment } from "../../server/settings";
import { checkVersion } from "../../server/version";

test("a server that keeps dying is left alone after a while, one that served well is started at once", () => {
  const patience = new Patience();
  const delays = Array.from({ length: 6 }, () => patience.ended(1));
  expect(delays.slice(0, 5).every((delay) => delay !== undefined)).toBe(true);
  expect(delays.slice(0, 5)).toEqual([...(delays.slice(0, 5) as number[])].sort((a, b) => a - b));
  expect(delays[5]).toBeUndefined();
  expect(patience.ended(3600)).toBe(delays[0]);
  patience.ended(1);
  patience.forgive();
  expect(patience.ended(1)).toBe(delays[0]);
});

function start(script: string): { started: Promise<ServerProcess>; lines: string[] } {
  const lines: string[] = [];
  const launch = { argv: [execPath, "-e", script], source: "setting" as const, cwd: undefined, env: process.env };
  return { started: ServerProcess.start({ ...launch, onLine: (line) => lines.push(line) }), lines };
}

test("a process tells its end, its exit code and its last words, whole lines only", async () => {
  const { started, lines } = start(
    'process.stderr.write("one\\ntw"); process.stderr.write("o\\nlast"); process.exitCode = 3',
  );
  const server = await started;
  expect(await server.ended).toBe("it ended with exit code 3");
  expect(lines).toEqual(["one", "two", "last"]);
  expect(server.lastLines.at(-1)).toBe("last");
});

test("a process that does not listen is ended all the same", async () => {
  const { started } = start('process.on("SIGTERM", () => {}); process.stdin.resume(); process.stderr.write("up\\n")');
  const server = await started;
  await new Promise<void>((up) => server.child.stderr.once("data", () => up()));
  await server.end(0.2);
  expect(await server.ended).toBe("it was ended by SIGKILL");
});

test("a program that is not there is an error of the start", async () => {
  const launch = { argv: ["/no/such/program"], source: "setting" as const, cwd: undefined, env: process.env };
  await expect(ServerProcess.start({ ...launch, onLine: () => undefined })).rejects.toMatchObject({ code: "ENOENT" });
});

test("errors of the wire keep their code and their words; a lost connection is called so", () => {
  const refused = { message: "Trust it first.", code: -32803, data: { code: "untrusted" } };
  expect(failureOf(refused)).toMatchObject({ code: "untrusted", message: "Trust it first." });
  expect(failureOf({ message: "task: empty", code: -32602 })).toMatchObject({ code: "invalidParams" });
  expect(failureOf({ message: "", code: -32800 })).toMatchObject({ code: "cancelled" });
  expect(failureOf({ message: "Pending response rejected", code: -32097 })).toMatchObject({ code: "lost" });
  expect(failureOf(new Error("write EPIPE"))).toMatchObject({ code: "lost" });
  expect(failureOf("strange")).toMatchObject({ code: "internal" });
});

test("only what somebody has set is told to the server, the narrowest word first", () => {
  const found: Record<string, object> = {
    "limits.rounds": { defaultValue: 20, globalValue: 5, workspaceValue: 7 },
    "limits.minutes": { defaultValue: 120 },
    "tmux.socket": { defaultValue: null, globalValue: null },
    "runs.queue": { defaultValue: false, globalValue: false },
  };
  const inspect = (name: string) => found[name] as never;
  expect(chosenSettings({ inspect })).toEqual({ "limits.rounds": 7, "runs.queue": false });
});

test("agents inherit the user's environment, and nothing that is the editor's own", () => {
  const own = { PATH: "/bin", VSCODE_IPC_HOOK: "x", ELECTRON_RUN_AS_NODE: "1", KEY: "old" };
  const environment = serverEnvironment(own, { KEY: "new" });
  expect(environment).toMatchObject({ PATH: "/bin", KEY: "new" });
  expect(Object.keys(environment).filter((name) => /VSCODE|ELECTRON/.test(name))).toEqual([]);
  expect(serverEnvironment({ POLITERM_SCRIPTED_PACE: "0" }, {}).POLITERM_SCRIPTED_PACE).toBe("0");
});

const introduced = (version: string, protocolVersion: number) => ({
  serverInfo: { name: "politerm", version },
  capabilities: { experimental: { politerm: { protocolVersion } } },
});

test("servers of the same version, of another, of another protocol, and what is no server of ours", () => {
  expect(checkVersion(introduced("1.2.0", 1), "1.2.0", "setting")).toBeUndefined();
  expect(checkVersion(introduced("1.1.0", 1), "1.2.0", "setting")).toContain("1.1.0");
  expect(() => checkVersion(introduced("0.9.0", 0), "1.2.0", "setting")).toThrow(/too much older.*own/s);
  expect(() => checkVersion(introduced("3.0.0", 2), "1.2.0", "private")).toThrow(/too much newer/);
  expect(() => checkVersion({ serverInfo: { name: "pylsp" }, capabilities: {} }, "1.2.0", "setting")).toThrow(/pylsp/);
});
