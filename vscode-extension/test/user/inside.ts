/** A function of a test, run in the real extension host, where `vscode` is. Only its source and JSON travel. */
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "@playwright/test";
import type * as vscode from "vscode";
import type { House } from "./house";

type Inside<A, R> = (api: typeof vscode, argument: A) => R | PromiseLike<R>;

/** The function may use nothing from around it: it is given all it needs. */
export async function inside<R, A = null>(house: House, run: Inside<A, R>, argument: A | null = null): Promise<R> {
  const path = join(house.root, "inside.sock");
  await expect.poll(() => existsSync(path), "the extension host is up").toBe(true);
  const line = await exchange(path, JSON.stringify({ source: run.toString(), argument }));
  const { value, error } = JSON.parse(line);
  if (error !== undefined) {
    throw new Error(`In the extension host: ${error}`);
  }
  return value;
}

function exchange(path: string, line: string): Promise<string> {
  return new Promise((answered, failed) => {
    const socket = connect(path);
    socket.once("error", failed);
    socket.once("close", () => failed(new Error("The extension host went away before it answered.")));
    createInterface(socket).once("line", (told) => {
      answered(told);
      socket.end();
    });
    socket.write(`${line}\n`);
  });
}
