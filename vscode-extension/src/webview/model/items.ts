/**
 * What a reader of the timeline sees: a list of items, and what is true of the run as a whole.
 *
 * Everything here is data that never changes once it is made: an item that changes is another object, so that a page
 * can tell by identity what has to be drawn again. It knows no page and no editor.
 */
import type { AgentState, Choice, Limits, MessageReceived, Role, RunEnded } from "../../protocol/generated";

export type MessageKind = MessageReceived["kind"];
export type Outcome = RunEnded["outcome"];

interface Place {
  /** The event that made it, which is also its name: unique within a run, and kept for good. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The round it belongs to; 0 before the first. */
  readonly round: number;
}

/** How far a message is on its way to the agent that it is for. */
export type Delivery = "sending" | "delivered" | "uncertain";

export interface TaskItem extends Place {
  readonly type: "task";
  readonly text: string;
  readonly cwd: string;
  readonly agents: Partial<Record<Role, string>>;
  readonly queued: boolean;
}

export interface RoundItem extends Place {
  readonly type: "round";
  /** The run time at which it began. */
  readonly clock: number;
  /** Seconds of run time; undefined while it lasts. */
  readonly seconds?: number;
  readonly tokens: number;
  readonly usd?: number;
}

export interface MessageItem extends Place {
  readonly type: "message";
  readonly messageId: string;
  readonly from: Role;
  readonly to: Role;
  readonly kind: MessageKind;
  readonly agent?: string;
  /** The words, without the tags around them. */
  readonly body: string;
  /** What a person made of a plan before it went on. */
  readonly edited?: string;
  readonly source: string;
  readonly delivery?: Delivery;
  /** Seconds from the prompt to the answer. */
  readonly seconds?: number;
}

/** What an agent said beside its messages. */
export interface ReplyItem extends Place {
  readonly type: "reply";
  readonly role: Role;
  readonly text: string;
}

export interface Answer {
  readonly choice?: string;
  readonly text?: string;
  readonly by: string;
  readonly at: number;
}

export interface AttentionItem extends Place {
  readonly type: "attention";
  readonly attentionId: string;
  readonly kind: string;
  readonly role?: Role;
  readonly title: string;
  readonly text: string;
  readonly choices: readonly Choice[];
  readonly freeText: boolean;
  /** The message that it is about, where it is about one: a plan. */
  readonly about?: string;
  readonly answered?: Answer;
}

/** detail: of interest only to who looks for the cause of something. */
export type Level = "detail" | "info" | "warning" | "error";

export interface NoticeItem extends Place {
  readonly type: "notice";
  readonly level: Level;
  /** A codicon's name. */
  readonly icon: string;
  readonly role?: Role;
  readonly text: string;
  /** What it rests on, or the words it is about; shown on demand. */
  readonly detail?: string;
}

export interface Check {
  readonly command: string;
  readonly exitCode?: number;
  readonly seconds?: number;
  readonly tail: string;
}

export interface GateItem extends Place {
  readonly type: "gate";
  /** Undefined while the checks run. */
  readonly passed?: boolean;
  readonly checks: readonly Check[];
}

export interface ChangesItem extends Place {
  readonly type: "changes";
  readonly files?: number;
  readonly insertions?: number;
  readonly deletions?: number;
}

export interface EndItem extends Place {
  readonly type: "end";
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly summary?: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly usage: Usage;
}

export type Item =
  | TaskItem
  | RoundItem
  | MessageItem
  | ReplyItem
  | AttentionItem
  | NoticeItem
  | GateItem
  | ChangesItem
  | EndItem;

export interface Used {
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly usd?: number;
}

export interface Usage extends Used {
  readonly byRole: Partial<Record<Role, Used>>;
}

export interface RoleStatus {
  readonly agent: string;
  readonly state: AgentState;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly why?: string;
  /** The prompt that is on its way to it, with the messages in it. */
  readonly sending?: { readonly promptId: string; readonly messages: readonly string[] };
  /** The prompt that it works on, and the run time at which it had it. */
  readonly turn?: { readonly promptId: string; readonly clock: number; readonly at: number };
}

export type RunState = "unknown" | "queued" | "starting" | "running" | "paused" | "ended";

/** What is true of the run after the last event. */
export interface Run {
  readonly runId: string;
  readonly state: RunState;
  readonly task: string;
  readonly mode: string;
  readonly cwd: string;
  readonly limits: Limits;
  readonly round: number;
  readonly roles: Partial<Record<Role, RoleStatus>>;
  readonly usage: Usage;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Seconds of run time until the last event, and when that was: milliseconds since 1970. */
  readonly clock: number;
  readonly at: number;
  readonly outcome?: Outcome;
  readonly reason?: string;
  /** What a round changed can be shown: checkpoints are taken. */
  readonly comparable: boolean;
  readonly pausedBecause?: string;
}

export interface Timeline {
  readonly run: Run;
  /** The last event that is in here. All before it are, too. */
  readonly seq: number;
  readonly items: readonly Item[];
  /** Questions that nobody has answered yet, oldest first. */
  readonly open: readonly AttentionItem[];
  /** Events are missing: those after `seq` and before the ones that are held. */
  readonly gap: boolean;
}
