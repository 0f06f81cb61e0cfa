/** Both ends of a channel within one program: for tests, for the demonstration page, and for a host in the same page. */
import { readToHost, readToPage, type ToHost, type ToPage, type Transport } from "./messages";

export interface HostEnd {
  /** Says something to the page, as it would arrive there: as a copy, and checked. */
  tell(message: ToPage): void;
  hear(listener: (message: ToHost) => void): () => void;
}

export function connectInMemory(): { page: Transport; host: HostEnd } {
  const toPage = new Set<(message: ToPage) => void>();
  const toHost = new Set<(message: ToHost) => void>();
  return {
    page: {
      post: (message) => deliver(toHost, readToHost(structuredClone(message))),
      receive: (listener) => listen(toPage, listener),
    },
    host: {
      tell: (message) => deliver(toPage, readToPage(structuredClone(message))),
      hear: (listener) => listen(toHost, listener),
    },
  };
}

function deliver<T>(listeners: ReadonlySet<(message: T) => void>, message: T | undefined): void {
  if (message !== undefined) {
    for (const listener of [...listeners]) {
      listener(message);
    }
  }
}

function listen<T>(listeners: Set<(message: T) => void>, listener: (message: T) => void): () => void {
  const own = (message: T): void => listener(message);
  listeners.add(own);
  return () => void listeners.delete(own);
}
