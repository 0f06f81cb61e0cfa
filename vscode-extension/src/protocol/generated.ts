// Written by `make generate` from the models of the server. Change those, not this.
// Fields that are absent on the wire are absent here; nothing is ever null.

export interface AgentList {
  agents: readonly AgentView[];
}

export interface AgentReady {
  type: "agentReady";
  role: Role;
  pane: string;
  incarnation: number;
  pid?: number;
  resumed: boolean;
}

/** What an agent said in a turn beside its messages, verbatim where a witness gave it. */
export interface AgentReplied {
  type: "agentReplied";
  role: Role;
  text: string;
  source: string;
}

/** What the run's logic must know about the agent that plays a role; the rest stays in its profile. */
export interface AgentSpec {
  name: string;
  legacy: boolean;
  resumable: boolean;
  turnEnd: "never" | "unsure" | "known";
  wakes: boolean;
}

/** Intent. Recovery: look for the pane by run, role, and incarnation; none there: start again. */
export interface AgentStarting {
  type: "agentStarting";
  role: Role;
  agent: string;
  incarnation: number;
  session?: string;
  resume: boolean;
}

export type AgentState = "starting" | "ready" | "working" | "blocked" | "limited" | "dead" | "uncertain";

export interface AgentStateChanged {
  type: "agentStateChanged";
  role: Role;
  state: AgentState;
  why: Why;
}

/** A profile with what is known of its program here. */
export interface AgentView {
  name: string;
  command: readonly string[];
  available: boolean;
  path?: string;
  version?: string;
  witness?: string;
  permissionMode?: string;
  source: string;
}

export interface Answer {
  choice?: string;
  text?: string;
  by: string;
}

export interface AnswerAttention {
  attentionId: string;
  choice?: string;
  text?: string;
}

/** What a person's terminal runs to be in the pane. */
export interface AttachCommand {
  command: readonly string[];
}

/** How a person attaches to a pane with tmux itself. */
export interface AttachPane {
  runId: string;
  role: Role;
  readOnly?: boolean;
}

/** Something that waits for a person. `run_id` is absent for what concerns the whole workspace (trust). */
export interface Attention {
  attentionId: string;
  runId?: string;
  role?: Role;
  kind: "permission" | "trust" | "plan" | "question" | "uncertain" | "budget" | "login" | "update";
  title: string;
  text: string;
  choices: readonly Choice[];
  freeText: boolean;
  raisedAt: string;
  answered?: Answer;
}

export interface AttentionAnswered {
  type: "attentionAnswered";
  attentionId: string;
  choice?: string;
  text?: string;
  by: "user" | "pane" | "run";
}

/** What waits for a person now. */
export interface AttentionItems {
  items: readonly Attention[];
}

export interface AttentionRaised {
  type: "attentionRaised";
  attentionId: string;
  role?: Role;
  kind: "permission" | "trust" | "plan" | "question" | "uncertain" | "budget" | "login" | "update";
  title: string;
  text: string;
  choices: readonly Choice[];
  freeText: boolean;
  keys: Record<string, readonly string[]>;
  about?: string;
}

export interface CheckAgent {
  agent: string;
}

export interface Choice {
  id: string;
  label: string;
  danger?: boolean;
}

export interface ConfigureRun {
  runId: string;
  limits?: Limits;
  order?: "dual" | "solo" | "plannerOnFailure";
  approvePlans?: "off" | "first" | "every";
  agents?: Partial<Record<Role, string>>;
}

/** A place in a file that belongs to the task. `range` is an LSP range; `diagnostics` are LSP diagnostics. */
export interface ContextItem {
  uri: string;
  range?: Record<string, unknown>;
  text?: string;
  diagnostics?: readonly (Record<string, unknown>)[];
}

/** It is done, and there is nothing else to say. */
export type Done = Record<string, never>;

/**
 * An event in its place. `seq` counts from 1 without gaps; `at` is ISO 8601 UTC; `clock` is seconds of run time (time
 * while some process of ours held the run), which deadlines are counted in.
 */
export interface Envelope {
  runId: string;
  seq: number;
  at: string;
  clock: number;
  event: RunEvent;
}

/** `last` is the newest number of the run; there are more pages while it is greater than the last event's. */
export interface EventPage {
  events: readonly Envelope[];
  last: number;
}

export interface ExportRun {
  runId: string;
  format?: "md" | "jsonl" | "cast";
}

export interface Exported {
  text: string;
}

/** Checks that are run before `complete` is believed. A string is a shell line of the user's, a list an argv. */
export interface GateSpec {
  commands: readonly (string | readonly string[])[];
  minutes?: number;
}

export interface InterruptRun {
  runId: string;
  role?: Role;
}

/** Intent. Recovery: never redo; the state of the pane is looked at afresh. */
export interface KeysRequested {
  type: "keysRequested";
  keysId: string;
  role: Role;
  keys: readonly string[];
  purpose: "interrupt" | "answer";
  guard?: string;
}

export interface KeysSent {
  type: "keysSent";
  keysId: string;
  role: Role;
  sent: boolean;
  detail: string;
}

export interface LimitReached {
  type: "limitReached";
  limit: "rounds" | "minutes" | "idle" | "total" | "nudges" | "restarts" | "tokens" | "usd";
  role?: Role;
  detail: string;
}

/** Bounds of a run; 0 or absent lifts that one limit. */
export interface Limits {
  rounds?: number;
  minutes?: number;
  usd?: number;
  tokens?: number;
  perRole?: Partial<Record<Role, RoleLimits>>;
}

export interface ListAttention {
  runId?: string;
}

export interface ListRuns {
  states?: readonly ("queued" | "starting" | "running" | "paused" | "ended")[];
  limit?: number;
  before?: string;
}

/** A block, or words of the user (`note`), accepted into the run. `turn`: the prompt answered, `index`: place. */
export interface MessageReceived {
  type: "messageReceived";
  messageId: string;
  from: Role;
  to: Role;
  kind: "task" | "plan" | "continue" | "revision" | "complete" | "status" | "result" | "error" | "question" | "note";
  body: string;
  source: string;
  round: number;
  turn?: string;
  index: number;
  header: Record<string, unknown>;
}

export interface MessageRefused {
  type: "messageRefused";
  from: Role;
  reason: string;
  excerpt: string;
  turn?: string;
  index: number;
}

/** A command without arguments. */
export type Nothing = Record<string, never>;

export interface Nudged {
  type: "nudged";
  role: Role;
  count: number;
  reason: string;
}

export interface OpenPane {
  runId: string;
  role: Role;
  columns?: number;
  rows?: number;
  credit?: number;
}

export interface OutputGap {
  type: "outputGap";
  role: Role;
  reason: string;
}

/** `politerm/paneCredit`: so many bytes (UTF-8) of pane output were read. */
export interface PaneCredit {
  runId: string;
  role: Role;
  bytes: number;
}

export interface PaneInput {
  runId: string;
  role: Role;
  data: string;
}

/** `snapshot` is safe terminal text of the whole screen; the first paneOutput after it has number `seq` + 1. */
export interface PaneOpened {
  pane: string;
  columns: number;
  rows: number;
  snapshot: string;
  seq: number;
}

/** `reset`: clear first, `data` is the whole screen. The server writes this one by hand: it comes often. */
export interface PaneOutput {
  runId: string;
  role: Role;
  seq: number;
  data: string;
  reset?: boolean;
}

export interface PaneRef {
  runId: string;
  role: Role;
}

export interface PaneSize {
  columns: number;
  rows: number;
}

/** The body that goes to the executer instead of the planner's own. */
export interface PlanEdited {
  type: "planEdited";
  messageId: string;
  body: string;
}

export interface Primer {
  name: string;
  version: string;
  text: string;
}

export interface PromptDelivered {
  type: "promptDelivered";
  promptId: string;
  to: Role;
  source: string;
  file?: string;
}

/** Intent. Recovery: look (witness from `cursor`, tmux's own marks, the screen); then redo, finish, or uncertain. */
export interface PromptRequested {
  type: "promptRequested";
  promptId: string;
  to: Role;
  text: string;
  origin: "task" | "relay" | "nudge" | "user" | "answer" | "primer" | "recovery";
  key: string;
  incarnation: number;
  attempt: number;
  messages: readonly string[];
  steer: boolean;
  cursor?: string;
}

export interface PromptSent {
  promptId: string;
}

export interface PromptUncertain {
  type: "promptUncertain";
  promptId: string;
  to: Role;
  reason: string;
}

export interface ReadEvents {
  runId: string;
  after?: number;
  limit?: number;
}

/** Something died and the run goes on: what it was, and what was lost. */
export interface Recovered {
  type: "recovered";
  what: "server" | "agent" | "tmux";
  role?: Role;
  contextLost: boolean;
  detail: string;
}

export interface ResizePane {
  runId: string;
  role: Role;
  columns: number;
  rows: number;
}

/** Who speaks. The values are the wire spelling, `POLITERM_ROLE`, and JSON keys. */
export type Role = "PLANNER" | "EXECUTER" | "AGENT" | "USER" | "ORCHESTRATOR";

/** Limits of one role. Seconds; 0 or absent lifts that one limit. */
export interface RoleLimits {
  idleSeconds?: number;
  totalSeconds?: number;
}

export interface RoleUsage {
  tokensIn: number;
  tokensOut: number;
  usd?: number;
}

export interface RoleView {
  agent: string;
  state: AgentState;
  why?: Why;
  pane?: string;
  since?: string;
}

export interface RoundStarted {
  type: "roundStarted";
  round: number;
}

/** pause, resume, retry, stop, delete. */
export interface RunAct {
  runId: string;
  reason?: string;
}

export interface RunConfigured {
  type: "runConfigured";
  limits?: Limits;
  approvePlans?: "off" | "first" | "every";
  agents?: Partial<Record<Role, AgentSpec>>;
}

/** Recovery: ending the agents is repeated; it does no harm where nothing is left. */
export interface RunEnded {
  type: "runEnded";
  outcome: "completed" | "failed" | "stopped" | "limit";
  reason?: string;
  summary?: string;
}

/** Newest first. */
export interface RunList {
  runs: readonly RunView[];
}

export interface RunPaused {
  type: "runPaused";
  reason: string;
  by: "user" | "run";
}

export interface RunQueued {
  mode: "dual";
  order: "dual";
  task: string;
  cwd: string;
  cwds: Partial<Record<Role, string>>;
  agents: Partial<Record<Role, AgentSpec>>;
  limits: Limits;
  primers: Partial<Record<Role, Primer>>;
  project: string;
  context: string;
  approvePlans: "off" | "first" | "every";
  nudges: number;
  seed: string;
  type: "runQueued";
}

export interface RunRef {
  runId: string;
}

export interface RunResumed {
  type: "runResumed";
  reason: string;
}

export interface RunStarted {
  mode: "dual";
  order: "dual";
  task: string;
  cwd: string;
  cwds: Partial<Record<Role, string>>;
  agents: Partial<Record<Role, AgentSpec>>;
  limits: Limits;
  primers: Partial<Record<Role, Primer>>;
  project: string;
  context: string;
  approvePlans: "off" | "first" | "every";
  nudges: number;
  seed: string;
  type: "runStarted";
}

/** Given at once, before any agent is up. */
export interface RunStarting {
  runId: string;
}

export interface RunView {
  runId: string;
  mode: string;
  order: string;
  task: string;
  state: "queued" | "starting" | "running" | "paused" | "ended";
  round: number;
  maxRounds?: number;
  startedAt: string;
  endedAt?: string;
  outcome?: "completed" | "failed" | "stopped" | "limit";
  reason?: string;
  summary?: string;
  cwd: string;
  roles: Partial<Record<Role, RoleView>>;
  attention: number;
  usage: Usage;
  lastSeq: number;
}

export interface SearchHit {
  runId: string;
  seq: number;
  excerpt: string;
}

export interface SearchHits {
  hits: readonly SearchHit[];
}

export interface SearchText {
  text: string;
  limit?: number;
}

export interface SendMessage {
  runId: string;
  to: Role;
  text: string;
  when?: "now" | "next";
}

/** The agent's conversation has this id, by which its CLI can resume it. */
export interface SessionNamed {
  type: "sessionNamed";
  role: Role;
  session: string;
}

export interface StartRun {
  task: string;
  mode?: "dual" | "autonomous" | "chat" | "monitor";
  planner?: string;
  executer?: string;
  agent?: string;
  cwd?: string;
  cwds?: Partial<Record<Role, string>>;
  limits?: Limits;
  gate?: GateSpec;
  approvePlans?: "off" | "first" | "every";
  order?: "dual" | "solo" | "plannerOnFailure";
  isolate?: "none" | "worktree";
  context?: readonly ContextItem[];
  queue?: boolean;
  runId?: string;
}

/** `politerm/serverStatus`. */
export interface Status {
  health: "ok" | "warning" | "error";
  message?: string;
  holder: boolean;
  readOnly: boolean;
}

export interface TakeOver {
  runId: string;
  role: Role;
  on: boolean;
}

/** The server reads this one by hand: it may come before any model is loaded. */
export interface TrustChanged {
  trusted: boolean;
}

export interface TurnEnded {
  type: "turnEnded";
  role: Role;
  how: "done" | "interrupted" | "failed" | "blocked";
  source: string;
  turn?: string;
  detail?: string;
}

export interface Usage {
  tokensIn: number;
  tokensOut: number;
  usd?: number;
  byRole: Partial<Record<Role, RoleUsage>>;
}

/** What an agent says it used since its last report. Tokens are counts, `usd` US dollars. */
export interface UsageReported {
  type: "usageReported";
  role: Role;
  tokensIn: number;
  tokensOut: number;
  usd?: number;
}

/** What a claim about an agent rests on: where it was seen, by which rule, and the text or record itself. */
export interface Why {
  source: string;
  rule: string;
  evidence: string;
  until?: string;
}

export type RunEvent =
  | AgentReady
  | AgentReplied
  | AgentStarting
  | AgentStateChanged
  | AttentionAnswered
  | AttentionRaised
  | KeysRequested
  | KeysSent
  | LimitReached
  | MessageReceived
  | MessageRefused
  | Nudged
  | OutputGap
  | PlanEdited
  | PromptDelivered
  | PromptRequested
  | PromptUncertain
  | Recovered
  | RoundStarted
  | RunConfigured
  | RunEnded
  | RunPaused
  | RunQueued
  | RunResumed
  | RunStarted
  | SessionNamed
  | TurnEnded
  | UsageReported;

export const PROTOCOL_VERSION = 1;

/** The settings that are the server's, below `politerm.` */
export const SERVER_SETTINGS = [
  "planner.agent",
  "planner.command",
  "planner.cwd",
  "planner.idleSeconds",
  "planner.totalSeconds",
  "executer.agent",
  "executer.command",
  "executer.cwd",
  "executer.idleSeconds",
  "executer.totalSeconds",
  "limits.rounds",
  "limits.minutes",
  "limits.usd",
  "limits.tokens",
  "runs.queue",
  "runs.parallel",
  "runs.nudges",
  "runs.approvePlans",
  "pane.columns",
  "pane.rows",
  "tmux.socket",
  "log.level",
  "log.file",
] as const;

/** What the demonstration is started with. */
export const DEMO = {
  "task": "Write a small module slugify.py that turns a title into the last part of a web address, with a test. Then fix what the test finds.",
  "planner": "scripted-planner",
  "executer": "scripted-executer",
  "limits": {
    "rounds": 10,
    "minutes": 5
  }
};

/** Every command: what it is given, and what it answers. */
export interface Commands {
  "politerm.run.start": { argument: StartRun; answer: RunStarting };
  "politerm.run.list": { argument: ListRuns; answer: RunList };
  "politerm.run.get": { argument: RunRef; answer: RunView };
  "politerm.run.events": { argument: ReadEvents; answer: EventPage };
  "politerm.run.pause": { argument: RunAct; answer: RunView };
  "politerm.run.stop": { argument: RunAct; answer: RunView };
  "politerm.run.configure": { argument: ConfigureRun; answer: RunView };
  "politerm.run.export": { argument: ExportRun; answer: Exported };
  "politerm.search": { argument: SearchText; answer: SearchHits };
  "politerm.attention.list": { argument: ListAttention; answer: AttentionItems };
  "politerm.pane.open": { argument: OpenPane; answer: PaneOpened };
  "politerm.pane.close": { argument: PaneRef; answer: Done };
  "politerm.pane.takeOver": { argument: TakeOver; answer: PaneSize };
  "politerm.pane.resize": { argument: ResizePane; answer: PaneSize };
  "politerm.pane.attach": { argument: AttachPane; answer: AttachCommand };
  "politerm.agent.list": { argument: Nothing; answer: AgentList };
  "politerm.agent.check": { argument: CheckAgent; answer: Record<string, unknown> };
  "politerm.doctor": { argument: Nothing; answer: Record<string, unknown> };
  "politerm.run.resume": { argument: RunAct; answer: RunView };
  "politerm.run.retry": { argument: RunAct; answer: RunView };
  "politerm.run.delete": { argument: RunAct; answer: RunView };
  "politerm.run.interrupt": { argument: InterruptRun; answer: RunView };
  "politerm.message.send": { argument: SendMessage; answer: PromptSent };
  "politerm.attention.answer": { argument: AnswerAttention; answer: Attention };
  "politerm.pane.input": { argument: PaneInput; answer: Done };
  "politerm.primer.resend": { argument: PaneRef; answer: PromptSent };
}

/** What the server tells. */
export interface ServerNotifications {
  "politerm/event": Envelope;
  "politerm/paneOutput": PaneOutput;
  "politerm/runChanged": RunView;
  "politerm/attentionChanged": AttentionItems;
  "politerm/serverStatus": Status;
}

/** What the server is told. */
export interface ClientNotifications {
  "politerm/paneCredit": PaneCredit;
  "politerm/trustChanged": TrustChanged;
}
