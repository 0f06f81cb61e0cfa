/**
 * One page that shows one run, from the host's side: what it is told, and when. It imports no editor, so that tests can
 * be the page and the server.
 */
import type { Disposable, ServerState } from "../protocol/api";
import type { Envelope } from "../protocol/generated";
import { slim } from "../webview/model/slim";
import { type Act, type Connection, readToHost, type ToHost, type ToPage } from "../webview/transport/messages";

/** What the session needs of the store. */
export interface Source {
  readonly serverState: ServerState;
  follow(
    runId: string,
    reader: {
      events(batch: readonly Envelope[]): void;
      settled?(): void;
      failed?(error: unknown): void;
    },
    after?: number,
  ): Disposable;
  onChange(listener: (change: { what: string }) => void): Disposable;
}

export interface Host {
  post(message: ToPage): void;
  /** Does what the page asks for. Rejects when it could not be done. */
  perform(act: Act): Promise<void>;
  /** Nothing may be answered or steered from here. */
  readonly readOnly: boolean;
}

/** The person thought better of it: nothing failed, and nothing happened. */
export class Declined extends Error {}

/** Events in one message to the page: so many are worked in within a few milliseconds. */
const PART = 2000;

export class Session implements Disposable {
  private following: Disposable | undefined;
  private reveal: number | undefined;
  private settled = false;
  private readonly watching: Disposable;

  constructor(
    readonly runId: string,
    private readonly source: Source,
    private readonly host: Host,
  ) {
    this.watching = source.onChange(({ what }) => {
      if (what === "server") {
        this.tellConnection();
      }
    });
  }

  dispose(): void {
    this.following?.dispose();
    this.watching.dispose();
  }

  /** Whatever the page posted; what is none of its messages is ignored. */
  heard(value: unknown): void {
    const message = readToHost(value);
    if (message !== undefined) {
      this.take(message);
    }
  }

  /** Scrolls to an event; a page that is not there yet does it when it is. */
  show(seq: number): void {
    this.reveal = seq;
    if (this.settled) {
      this.tellReveal();
    }
  }

  /** The page may do more, or less, than before. */
  trustChanged(): void {
    this.tellRun();
  }

  private take(message: ToHost): void {
    switch (message.type) {
      case "ready":
        this.tellRun();
        this.follow(message.after);
        break;
      case "missing":
        this.follow(message.after);
        break;
      case "act":
        void this.perform(message.id, message.act);
        break;
    }
  }

  private follow(after: number): void {
    this.following?.dispose();
    this.settled = false;
    this.tellConnection();
    const reader = {
      events: (batch: readonly Envelope[]) => this.tellEvents(batch),
      settled: () => {
        this.settled = true;
        this.tellConnection();
        this.tellReveal();
      },
      failed: (error: unknown) => this.tell("failed", error instanceof Error ? error.message : String(error)),
    };
    this.following = this.source.follow(this.runId, reader, after);
  }

  private async perform(id: number, act: Act): Promise<void> {
    try {
      await this.host.perform(act);
      this.host.post({ type: "done", id });
    } catch (error) {
      const failed = error instanceof Declined ? "" : error instanceof Error ? error.message : String(error);
      this.host.post({ type: "done", id, failed });
    }
  }

  private tellRun(): void {
    this.host.post({ type: "run", runId: this.runId, readOnly: this.host.readOnly });
  }

  private tellEvents(batch: readonly Envelope[]): void {
    for (let at = 0; at < batch.length; at += PART) {
      this.host.post({ type: "events", events: batch.slice(at, at + PART).map(slim) });
    }
  }

  private tellReveal(): void {
    if (this.reveal !== undefined) {
      this.host.post({ type: "reveal", seq: this.reveal });
      this.reveal = undefined;
    }
  }

  private tellConnection(): void {
    const { phase, message } = this.source.serverState;
    switch (phase) {
      case "ready":
        this.tell(this.settled ? "live" : "loading");
        break;
      case "failed":
        this.tell("failed", message ?? "The server is down. “PoliTerm: Show Logs” says why.");
        break;
      case "restricted":
        this.tell("waiting", "The workspace is not trusted, so nothing runs here.");
        break;
      case "off":
      case "installing":
      case "starting":
      case "waiting":
        this.tell("waiting", message ?? "The server is starting. What is shown may be old for a moment.");
        break;
    }
  }

  private tell(state: Connection, message?: string): void {
    this.host.post({ type: "connection", state, ...(message === undefined ? {} : { message }) });
  }
}
