/** Answers each line of a private socket: a function's source and its argument in, its result out, as JSON. */
const { rmSync } = require("node:fs");
const { createServer } = require("node:net");
const { join } = require("node:path");
const { createInterface } = require("node:readline");
const vscode = require("vscode");

async function answer(line) {
  try {
    const { source, argument } = JSON.parse(line);
    // Functions of the tests themselves, over a socket in their own private folder.
    // biome-ignore lint/security/noGlobalEval: that is what this extension is for
    const run = globalThis.eval(`(${source})`);
    return { value: (await run(vscode, argument)) ?? null };
  } catch (error) {
    return { error: String(error?.stack ?? error) };
  }
}

exports.activate = (context) => {
  const path = join(process.env.POLITERM_TEST_HOUSE, "inside.sock");
  // A reloaded window has a new host, and the old one may not have taken its socket away.
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    createInterface(socket).on("line", async (line) => socket.write(`${JSON.stringify(await answer(line))}\n`));
  });
  server.listen(path);
  context.subscriptions.push({ dispose: () => server.close() });
};
