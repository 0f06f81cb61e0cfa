/** What each event changes in the timeline. One entry an event; what has none is shown by its name, as a detail. */
import type {
  AgentState,
  LimitReached,
  MessageReceived,
  PromptRequested,
  Role,
  RunEvent,
  UsageReported,
} from "../../protocol/generated";
import { capital, withNames } from "../../views/words";
import { type Draft, type Moment, notice, placed, replaceLast, setAgentState, setRole, setRun } from "./draft";
import type { AttentionItem, Delivery, EndItem, Level, Used } from "./items";
import { LATER } from "./later";
import { besideMessages, count, money, roleName, withoutTag } from "./text";

export type Change<E> = (draft: Draft, event: E, moment: Moment) => void;
type Event<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;
type Known = { readonly [T in RunEvent["type"]]?: Change<Event<T>> };

const KNOWN: Known = {
  runQueued: (draft, event, moment) => began(draft, event, moment),
  runStarted: (draft, event, moment) => began(draft, event, moment),
  agentStarting: (draft, event, moment) => {
    const again = event.incarnation > 1;
    setRole(draft, event.role, { agent: event.agent, turn: undefined, sending: undefined });
    setAgentState(draft, moment, event.role, "starting", "");
    notice(draft, moment, {
      level: again ? "info" : "detail",
      icon: again ? "debug-restart" : "rocket",
      role: event.role,
      text: again
        ? `${event.agent} is started again, ${event.resume ? "with its conversation" : "from the beginning"}`
        : `${event.agent} is starting`,
    });
  },
  agentReady: (draft, event, moment) => {
    setAgentState(draft, moment, event.role, "ready", "");
    const agent = draft.run.roles[event.role]?.agent ?? "The agent";
    const text = `${agent} is ready in pane ${event.pane}`;
    notice(draft, moment, { level: "detail", icon: "check", role: event.role, text });
    if (draft.run.state === "starting") {
      setRun(draft, { state: "running" });
    }
  },
  sessionNamed: (draft, event, moment) =>
    notice(draft, moment, { level: "detail", icon: "tag", role: event.role, text: `Conversation ${event.session}` }),
  agentStateChanged: (draft, event, moment) => {
    const why = [`${event.why.source}: ${event.why.rule}`, event.why.evidence].filter((part) => part !== "").join("\n");
    setAgentState(draft, moment, event.role, event.state, why);
    notice(draft, moment, { ...STATES[event.state], role: event.role, detail: why });
  },
  agentReplied: (draft, event, moment) => {
    const text = besideMessages(event.text);
    if (text !== "") {
      draft.items.push({ ...placed(moment), type: "reply", role: event.role, text });
    }
  },
  roundStarted: (draft, event, moment) => roundStarted(draft, event.round, moment),
  promptRequested: (draft, event, moment) => {
    setRole(draft, event.to, { sending: { promptId: event.promptId, messages: event.messages } });
    delivery(draft, event.messages, "sending");
    const again = event.attempt > 1 ? `, attempt ${event.attempt}` : "";
    const text = `${event.steer ? "Words in between" : ORIGINS[event.origin]} to ${roleName(event.to)}${again}`;
    notice(draft, moment, { level: "detail", icon: "arrow-right", role: event.to, text });
  },
  promptDelivered: (draft, event, moment) => {
    const sending = draft.run.roles[event.to]?.sending;
    if (sending?.promptId === event.promptId) {
      delivery(draft, sending.messages, "delivered");
    }
    const turn = { promptId: event.promptId, clock: moment.clock, at: moment.at };
    setRole(draft, event.to, { sending: undefined, turn });
    const text = `${roleName(event.to)} has it (${event.source})`;
    notice(draft, moment, { level: "detail", icon: "check-all", role: event.to, text });
  },
  promptUncertain: (draft, event, moment) => {
    const sending = draft.run.roles[event.to]?.sending;
    if (sending?.promptId === event.promptId) {
      delivery(draft, sending.messages, "uncertain");
    }
    const text = `It is not certain that ${roleName(event.to)} got what was sent`;
    notice(draft, moment, { level: "warning", icon: "question", role: event.to, text, detail: event.reason });
  },
  messageReceived: (draft, event, moment) => received(draft, event, moment),
  messageRefused: (draft, event, moment) =>
    notice(draft, moment, {
      level: "warning",
      icon: "circle-slash",
      role: event.from,
      text: `A message of ${roleName(event.from)} was refused: ${event.reason}`,
      detail: event.excerpt,
    }),
  turnEnded: (draft, event, moment) => {
    setRole(draft, event.role, { turn: undefined });
    const turn = TURNS[event.how];
    notice(draft, moment, {
      ...turn,
      role: event.role,
      text: `${roleName(event.role)} ${turn.text} (${event.source})`,
    });
  },
  nudged: (draft, event, moment) =>
    notice(draft, moment, {
      level: "info",
      icon: "bell-dot",
      role: event.role,
      text: `${roleName(event.role)} was reminded to answer${event.count > 1 ? `, time ${event.count}` : ""}`,
      detail: event.reason,
    }),
  planEdited: (draft, event, moment) => {
    const edited = withoutTag(event.body);
    const found = replaceLast(
      draft,
      "message",
      (item) => item.messageId === event.messageId,
      (item) => ({ ...item, edited }),
    );
    if (!found) {
      notice(draft, moment, { level: "info", icon: "edit", text: "A plan was edited", detail: edited });
    }
  },
  attentionRaised: (draft, event, moment) => {
    const { attentionId, kind, role, title, text, choices, freeText, about } = event;
    const item: AttentionItem = {
      ...placed(moment),
      type: "attention",
      attentionId,
      kind,
      role,
      title: withNames(title),
      text,
      choices: choices.map((choice) => ({ ...choice, label: capital(choice.label) })),
      freeText,
      about,
    };
    draft.items.push(item);
    draft.open = [...draft.open, item];
  },
  attentionAnswered: (draft, { attentionId, choice, text, by }, moment) => {
    const answered = { choice, text, by, at: moment.at };
    draft.open = draft.open.filter((item) => item.attentionId !== attentionId);
    replaceLast(
      draft,
      "attention",
      (item) => item.attentionId === attentionId,
      (item) => ({ ...item, answered }),
    );
  },
  keysRequested: (draft, event, moment) => {
    const text = `${event.purpose === "interrupt" ? "Interrupting" : "Answering"} ${roleName(event.role)}`;
    const level = event.purpose === "interrupt" ? "info" : "detail";
    notice(draft, moment, { level, icon: "keyboard", role: event.role, text, detail: event.keys.join(" ") });
  },
  keysSent: (draft, event, moment) =>
    notice(draft, moment, {
      level: event.sent ? "detail" : "warning",
      icon: "keyboard",
      role: event.role,
      text: event.sent ? `Keys reached ${roleName(event.role)}` : `Keys were not sent to ${roleName(event.role)}`,
      detail: event.detail,
    }),
  usageReported: (draft, event, moment) => usageReported(draft, event, moment),
  limitReached: (draft, event, moment) =>
    notice(draft, moment, {
      level: "warning",
      icon: "stop-circle",
      role: event.role,
      text: `Limit reached: ${LIMITS[event.limit]}`,
      detail: event.detail,
    }),
  runConfigured: (draft, event, moment) => {
    const limits = event.limits;
    if (limits !== undefined) {
      const given = Object.entries(limits).filter(([, value]) => value !== undefined);
      setRun(draft, { limits: { ...draft.run.limits, ...Object.fromEntries(given) } });
    }
    for (const [role, spec] of Object.entries(event.agents ?? {}) as [Role, { name: string }][]) {
      setRole(draft, role, { agent: spec.name });
    }
    const parts = [
      limits === undefined ? "" : "limits",
      event.approvePlans === undefined ? "" : `approval of plans: ${event.approvePlans}`,
      ...Object.entries(event.agents ?? {}).map(([role, spec]) => `${roleName(role as Role)} is ${spec?.name}`),
    ];
    const text = `Settings of the run changed: ${parts.filter((part) => part !== "").join(", ")}`;
    notice(draft, moment, { level: "info", icon: "settings-gear", text });
  },
  runPaused: (draft, event, moment) => {
    setRun(draft, { state: "paused", pausedBecause: event.reason });
    const text = event.by === "user" ? "Paused" : "The run paused itself";
    notice(draft, moment, {
      level: event.by === "user" ? "info" : "warning",
      icon: "debug-pause",
      text,
      detail: event.reason,
    });
  },
  runResumed: (draft, event, moment) => {
    setRun(draft, { state: "running", pausedBecause: undefined });
    notice(draft, moment, { level: "info", icon: "debug-continue", text: "Resumed", detail: event.reason });
  },
  recovered: (draft, event, moment) => {
    const what = event.role === undefined ? RECOVERED[event.what] : `${roleName(event.role)}'s agent`;
    const lost = event.contextLost ? "; its conversation was lost" : "";
    const text = `Recovered: ${what} was gone, and the run goes on${lost}`;
    notice(draft, moment, { level: "warning", icon: "history", role: event.role, text, detail: event.detail });
  },
  outputGap: (draft, event, moment) => {
    const text = `Some of ${roleName(event.role)}'s screen output was not recorded`;
    notice(draft, moment, { level: "detail", icon: "ellipsis", role: event.role, text, detail: event.reason });
  },
  runEnded: (draft, event, moment) => runEnded(draft, event, moment),
};

export const CHANGES: Readonly<Record<string, unknown>> = { ...LATER, ...KNOWN };

const STATES: Record<AgentState, { level: Level; icon: string; text: string }> = {
  starting: { level: "detail", icon: "rocket", text: "Starting" },
  ready: { level: "detail", icon: "circle-large", text: "Ready" },
  working: { level: "detail", icon: "play-circle", text: "Working" },
  blocked: { level: "detail", icon: "debug-pause", text: "Waits for an answer" },
  limited: { level: "warning", icon: "watch", text: "Its provider's limit is reached; it waits" },
  dead: { level: "error", icon: "error", text: "The agent is gone" },
  uncertain: { level: "warning", icon: "question", text: "It is not certain what it does" },
};

const TURNS: Record<"done" | "interrupted" | "failed" | "blocked", { level: Level; icon: string; text: string }> = {
  done: { level: "detail", icon: "pass", text: "ended its turn" },
  interrupted: { level: "info", icon: "debug-stop", text: "was interrupted" },
  failed: { level: "warning", icon: "error", text: "ended its turn with a failure" },
  blocked: { level: "detail", icon: "debug-pause", text: "stopped at a question" },
};

const ORIGINS: Record<PromptRequested["origin"], string> = {
  task: "The task",
  relay: "A message",
  nudge: "A reminder",
  user: "Your words",
  answer: "Your answer",
  primer: "The primer",
  recovery: "What it needs to go on",
};

const LIMITS: Record<LimitReached["limit"], string> = {
  rounds: "rounds",
  minutes: "time of the run",
  idle: "time without a sign of life",
  total: "time for one turn",
  nudges: "reminders",
  restarts: "restarts of an agent",
  tokens: "tokens",
  usd: "cost",
};

const RECOVERED = { server: "the server", agent: "an agent", tmux: "tmux" } as const;

function began(draft: Draft, event: Event<"runQueued" | "runStarted">, moment: Moment): void {
  const names = Object.entries(event.agents).map(([role, spec]) => [role, spec?.name ?? ""] as const);
  const agents: Partial<Record<Role, string>> = Object.fromEntries(names);
  const queued = event.type === "runQueued";
  setRun(draft, {
    state: queued ? "queued" : "starting",
    task: event.task,
    mode: event.mode,
    cwd: event.cwd,
    limits: event.limits,
    startedAt: moment.at,
  });
  for (const [role, agent] of names) {
    setRole(draft, role as Role, { agent });
  }
  const fields = { text: event.task, cwd: event.cwd, agents, queued };
  const known = replaceLast(
    draft,
    "task",
    () => true,
    (item) => ({ ...item, ...fields }),
  );
  if (!known) {
    draft.items.push({ ...placed(moment), type: "task", ...fields });
  }
}

function received(draft: Draft, event: MessageReceived, moment: Moment): void {
  const status = draft.run.roles[event.from];
  const seconds = status?.turn?.promptId === event.turn ? moment.clock - (status?.turn?.clock ?? 0) : undefined;
  draft.items.push({
    ...placed(moment),
    type: "message",
    messageId: event.messageId,
    from: event.from,
    to: event.to,
    kind: event.kind,
    agent: status?.agent,
    body: withoutTag(event.body),
    source: event.source,
    seconds: event.turn === undefined ? undefined : seconds,
  });
}

function delivery(draft: Draft, messages: readonly string[], state: Delivery): void {
  for (const id of messages) {
    replaceLast(
      draft,
      "message",
      (item) => item.messageId === id,
      (item) => ({ ...item, delivery: state }),
    );
  }
}

/**
 * A round begins with the planner's words that began it, which were received before anybody could know that they do:
 * so its heading goes before what the planner said since the executer's last word.
 */
function roundStarted(draft: Draft, round: number, moment: Moment): void {
  closeRound(draft, moment);
  let from = draft.items.length;
  for (let index = draft.items.length - 1; index > draft.roundAt; index -= 1) {
    const item = draft.items[index];
    if (item === undefined || item.type === "task" || (item.type === "message" && item.from !== "PLANNER")) {
      break;
    }
    if ((item.type === "message" || item.type === "reply") && !("role" in item && item.role !== "PLANNER")) {
      from = index;
    }
  }
  for (let index = from; index < draft.items.length; index += 1) {
    const item = draft.items[index];
    if (item !== undefined) {
      draft.items[index] = { ...item, round };
    }
  }
  draft.items.splice(from, 0, { ...placed(moment), type: "round", round, clock: moment.clock, tokens: 0 });
  draft.roundAt = from;
  setRun(draft, { round });
}

function closeRound(draft: Draft, moment: Moment): void {
  const item = draft.items[draft.roundAt];
  if (item?.type === "round") {
    draft.items[draft.roundAt] = { ...item, seconds: Math.max(0, moment.clock - item.clock) };
  }
}

function usageReported(draft: Draft, event: UsageReported, moment: Moment): void {
  const { usage } = draft.run;
  const mine = usage.byRole[event.role] ?? { tokensIn: 0, tokensOut: 0 };
  setRun(draft, { usage: { ...more(usage, event), byRole: { ...usage.byRole, [event.role]: more(mine, event) } } });
  const item = draft.items[draft.roundAt];
  if (item?.type === "round") {
    const tokens = item.tokens + event.tokensIn + event.tokensOut;
    draft.items[draft.roundAt] = { ...item, tokens, usd: added(item.usd, event.usd) };
  }
  const cost = event.usd === undefined ? "" : `, ${money(event.usd)}`;
  const text = `${roleName(event.role)} used ${count(event.tokensIn)} tokens in, ${count(event.tokensOut)} out${cost}`;
  notice(draft, moment, { level: "detail", icon: "graph", role: event.role, text });
}

function more(one: Used, two: Used): Used {
  return {
    tokensIn: one.tokensIn + two.tokensIn,
    tokensOut: one.tokensOut + two.tokensOut,
    usd: added(one.usd, two.usd),
  };
}

function added(one: number | undefined, two: number | undefined): number | undefined {
  return one === undefined && two === undefined ? undefined : (one ?? 0) + (two ?? 0);
}

function runEnded(draft: Draft, event: Event<"runEnded">, moment: Moment): void {
  closeRound(draft, moment);
  const { usage, round, startedAt } = draft.run;
  const summary = event.summary === undefined ? undefined : withoutTag(event.summary);
  const last = draft.items.findLast((item) => item.type === "message");
  // The planner's last words are the summary mostly, and stand right above.
  const repeated = last?.type === "message" && last.kind === "complete" && last.body === summary;
  const end: EndItem = {
    ...placed(moment),
    type: "end",
    outcome: event.outcome,
    reason: event.reason,
    summary: repeated ? undefined : summary,
    rounds: round,
    seconds: moment.clock > 0 ? moment.clock : (moment.at - (startedAt ?? moment.at)) / 1000,
    usage,
  };
  draft.items.push(end);
  draft.open = [];
  setRun(draft, { state: "ended", outcome: event.outcome, reason: event.reason, endedAt: moment.at });
}
