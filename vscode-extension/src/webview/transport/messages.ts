/**
 * What a timeline page and its host say to each other. Both sides check what comes: the page because anything may post
 * to a window, the host because the page shows what agents wrote.
 */
import type { Envelope, Role } from "../../protocol/generated";

/** What a page may ask its host to do. The host knows for which run. */
export type Act =
  | { readonly do: "answer"; readonly attentionId: string; readonly choice?: string; readonly text?: string }
  | { readonly do: "send"; readonly to: Role; readonly text: string; readonly when: "now" | "next" }
  | { readonly do: "openPane"; readonly role: Role }
  | { readonly do: "openPlan"; readonly messageId: string }
  | { readonly do: "openChanges"; readonly round: number }
  /** The event as it is stored: a message's raw text. */
  | { readonly do: "openText"; readonly seq: number }
  | { readonly do: "openLink"; readonly href: string }
  | { readonly do: "openFile"; readonly path: string; readonly line?: number }
  | { readonly do: "copy"; readonly text: string }
  | { readonly do: "interrupt"; readonly role?: Role }
  | { readonly do: "pause" | "resume" | "stop" | "retry" };

export type ToHost =
  /** The page listens, and has everything up to `after`. */
  | { readonly type: "ready"; readonly after: number }
  /** Something between is missing: everything after `after`, please. */
  | { readonly type: "missing"; readonly after: number }
  | { readonly type: "act"; readonly id: number; readonly act: Act };

/** live: what is shown is what is. waiting: the server is not there, or starting. failed: a person must act. */
export type Connection = "live" | "loading" | "waiting" | "failed";

export type ToPage =
  /** Which run it is; comes before any event. */
  | { readonly type: "run"; readonly runId: string; readonly readOnly: boolean }
  | { readonly type: "events"; readonly events: readonly Envelope[] }
  | { readonly type: "connection"; readonly state: Connection; readonly message?: string }
  /** `failed`: why it could not be done; without words, the person declined. */
  | { readonly type: "done"; readonly id: number; readonly failed?: string }
  /** Scroll to this event. */
  | { readonly type: "reveal"; readonly seq: number };

/** A channel to the host: the editor's, a dashboard's, a test's. */
export interface Transport {
  post(message: ToHost): void;
  /** What the host says, checked. Returns how to stop listening. */
  receive(listener: (message: ToPage) => void): () => void;
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const string: Check = (value) => typeof value === "string";
const count: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const truth: Check = (value) => typeof value === "boolean";
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && values.includes(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const role = oneOf("PLANNER", "EXECUTER", "AGENT", "USER", "ORCHESTRATOR");

const ACTS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  answer: { attentionId: string, choice: maybe(string), text: maybe(string) },
  send: { to: role, text: string, when: oneOf("now", "next") },
  openPane: { role },
  openPlan: { messageId: string },
  openChanges: { round: count },
  openText: { seq: count },
  openLink: { href: (value) => typeof value === "string" && isSafeLink(value) },
  openFile: { path: string, line: maybe(count) },
  copy: { text: string },
  interrupt: { role: maybe(role) },
  pause: {},
  resume: {},
  stop: {},
  retry: {},
};

const TO_PAGE: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  run: { runId: string, readOnly: truth },
  events: { events: (value) => Array.isArray(value) && value.every(isEnvelope) },
  connection: { state: oneOf("live", "loading", "waiting", "failed"), message: maybe(string) },
  done: { id: count, failed: maybe(string) },
  reveal: { seq: count },
};

/** Links that a person may be taken to from an agent's text. */
export function isSafeLink(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)[^\s]+$/i.test(href);
}

export function isEnvelope(value: unknown): value is Envelope {
  const { runId, seq, at, event } = fieldsOf(value);
  return string(runId) && count(seq) && string(at) && string(fieldsOf(event).type);
}

/** What the host said, or undefined when it is none of what it may say. */
export function readToPage(value: unknown): ToPage | undefined {
  const fields = fieldsOf(value);
  return checked(TO_PAGE, fields, fields.type) ? (value as ToPage) : undefined;
}

/** What a page said, or undefined when it is none of what it may say. */
export function readToHost(value: unknown): ToHost | undefined {
  const fields = fieldsOf(value);
  switch (fields.type) {
    case "ready":
    case "missing":
      return count(fields.after) ? (value as ToHost) : undefined;
    case "act": {
      const act = fieldsOf(fields.act);
      return count(fields.id) && checked(ACTS, act, act.do) ? (value as ToHost) : undefined;
    }
    default:
      return undefined;
  }
}

function checked(
  table: Readonly<Record<string, Readonly<Record<string, Check>>>>,
  fields: Fields,
  name: unknown,
): boolean {
  const checks = typeof name === "string" && Object.hasOwn(table, name) ? table[name] : undefined;
  return checks !== undefined && Object.entries(checks).every(([field, check]) => check(fields[field]));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
