/**
 * What the rest of the extension knows of the server: typed requests, typed notifications, and the phase it is in.
 *
 * It imports no editor and no transport, so that models and tests need neither. `server/client.ts` is the real one.
 */
import type { ClientNotifications, Commands, ServerNotifications } from "./generated";

export type CommandName = keyof Commands;
export type Argument<C extends CommandName> = Commands[C]["argument"];
export type Answered<C extends CommandName> = Commands[C]["answer"];
export type Notification = keyof ServerNotifications;

/** As the editor's own; anything that can be ended. */
export interface Disposable {
  dispose(): void;
}

/** As the editor's own cancellation token. */
export interface Token {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): Disposable;
}

/**
 * off: nobody has asked for it yet. restricted: the workspace is not trusted. installing: its private environment is
 * being made. waiting: it ended, and is started again after a while. failed: it stays down until a person acts.
 */
export type Phase = "off" | "restricted" | "installing" | "starting" | "ready" | "waiting" | "failed";

/** What a person can do about a server that does not start. own: use the extension's own environment instead. */
export type Remedy = "retry" | "settings" | "own";

export interface ServerState {
  readonly phase: Phase;
  /** A sentence for people, where there is something to say. */
  readonly message?: string;
  readonly remedies?: readonly Remedy[];
}

export interface Server {
  readonly state: ServerState;
  /** Starts the server if that takes no installation, and quietly: for a view that has become visible. */
  wake(): void;
  /** The server's answer; the server is started when it is not up. Rejects with a `RequestFailed`. */
  request<C extends CommandName>(command: C, argument: Argument<C>, token?: Token): Promise<Answered<C>>;
  /** Quietly nothing while the server is not up. */
  notify<N extends keyof ClientNotifications>(method: N, params: ClientNotifications[N]): void;
  /** Any number of handlers a notification; they outlive restarts of the server. */
  on<N extends Notification>(method: N, handler: (params: ServerNotifications[N]) => void): Disposable;
  onState(handler: (state: ServerState) => void): Disposable;
}

/** `data.code` of the contract's errors, and three of the client's own. */
export type FailureCode =
  | "invalidParams"
  | "wrongState"
  | "runNotFound"
  | "agentNotFound"
  | "attentionNotFound"
  | "untrusted"
  | "readOnly"
  | "tmuxMissing"
  | "holderGone"
  | "internal"
  | "cancelled"
  | "lost"
  | "unavailable"
  | (string & {});

/** The server refused, or could not be asked. The message is a sentence for people; hints are part of it. */
export class RequestFailed extends Error {
  constructor(
    message: string,
    readonly code: FailureCode,
  ) {
    super(message);
    this.name = "RequestFailed";
  }
}
