/** Do the server and the extension belong together? */
import { PROTOCOL_VERSION } from "../protocol/generated";
import { StartFailed } from "./failure";
import type { ServerCommand } from "./process";

/** The part of `initialize`'s answer that is looked at. */
export interface Introduction {
  readonly serverInfo?: { readonly name: string; readonly version?: string };
  readonly capabilities: { readonly experimental?: unknown };
}

/** A sentence where they differ but can talk. Throws StartFailed where they cannot. */
export function checkVersion(
  answer: Introduction | undefined,
  own: string,
  source: ServerCommand["source"],
): string | undefined {
  const experimental = answer?.capabilities.experimental as { politerm?: { protocolVersion?: number } } | undefined;
  const spoken = experimental?.politerm?.protocolVersion;
  const version = answer?.serverInfo?.version ?? "of an unknown version";
  const remedies = source === "setting" ? (["own", "settings"] as const) : (["retry"] as const);
  if (spoken === undefined) {
    throw new StartFailed(
      `The program that was started is not PoliTerm's server (${answer?.serverInfo?.name ?? "it has no name"}).`,
      remedies,
    );
  }
  if (spoken !== PROTOCOL_VERSION) {
    const older = spoken < PROTOCOL_VERSION ? "older" : "newer";
    throw new StartFailed(
      `The server is PoliTerm ${version}, too much ${older} than this extension (${own}). Install PoliTerm ${own}, or use ` +
        "the extension's own.",
      remedies,
    );
  }
  if (version !== own) {
    return `The server is PoliTerm ${version}, the extension ${own}. Install the same version, or use the extension's own.`;
  }
  return undefined;
}
