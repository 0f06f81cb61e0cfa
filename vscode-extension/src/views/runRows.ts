/** The rows of *Runs*: run, its roles, its rounds, their messages. From views and events to rows; no editor. */
import type { RoleView, RunView } from "../protocol/generated";
import type { Item, Outline, Round } from "./outline";
import type { Hover, Icon, Row } from "./tree";
import * as words from "./words";

const RUNNING: Icon = { name: "loading~spin", colour: "charts.blue" };
const WAITS: Icon = { name: "bell-dot", colour: "list.warningForeground" };

export interface Shown {
  /** Newest first. */
  readonly runs: readonly RunView[];
  /** Of those runs whose events are followed. */
  readonly outlines?: ReadonlyMap<string, Outline>;
  /** The runs that are open in the tree. */
  readonly open?: ReadonlySet<string>;
  readonly now: number;
  /** There are runs that have not been asked for. */
  readonly older?: boolean;
}

export function runRows({ runs, outlines, open, now, older }: Shown): Row[] {
  const rows: Row[] = runs.map((view) => ({
    ...runRow(view, outlines?.get(view.runId), now),
    open: open?.has(view.runId) === true ? ("expanded" as const) : ("collapsed" as const),
  }));
  if (older === true) {
    rows.push({
      id: "older",
      label: "Show older runs",
      icon: { name: "history" },
      command: { command: "politerm.loadOlderRuns", title: "Show Older Runs", arguments: [] },
    });
  }
  return rows;
}

function runRow(view: RunView, outline: Outline | undefined, now: number): Row {
  const title = words.oneLine(view.task, 70) || view.runId;
  const standing = runStanding(view, now);
  const roles = Object.entries(view.roles).map(([role, seen]) => roleRow(view, role, seen, now));
  const rounds = outline?.rounds.map((round) => roundRow(view, round)) ?? [];
  return {
    id: view.runId,
    label: title,
    description: standing,
    icon: runIcon(view),
    hover: () => runHover(view, now),
    spoken: `Run ${title}, ${runState(view)}, ${words.spokenDuration(words.runSeconds(view, now))}`,
    context: `run.${view.state}`,
    command: { command: "politerm.openTimeline", title: "Open Timeline", arguments: [{ runId: view.runId }] },
    children: [...roles, ...rounds],
    runId: view.runId,
  };
}

/**
 * "round 2 of 20 · 3 min", "completed · 2 rounds · 12 min ago". In minutes: the editor draws everything below a row again
 * when the row changes.
 */
export function runStanding(view: RunView, now: number): string {
  const parts = [];
  if (view.attention > 0 && view.state !== "ended") {
    parts.push("needs you");
  }
  if (view.state !== "running") {
    parts.push(runState(view));
  }
  if (view.state === "ended") {
    parts.push(words.plural(view.round, "round"), words.ago(view.endedAt ?? view.startedAt, now));
  } else {
    if (view.round > 0) {
      parts.push(roundOf(view));
    }
    const seconds = words.runSeconds(view, now);
    parts.push(seconds < 60 ? "under a minute" : words.rough(seconds));
  }
  return parts.join(" · ");
}

export function roundOf(view: RunView): string {
  return view.maxRounds === undefined || view.maxRounds === 0
    ? `round ${view.round}`
    : `round ${view.round} of ${view.maxRounds}`;
}

/** One word, or two, for people. */
export function runState(view: RunView): string {
  if (view.state !== "ended") {
    return view.state;
  }
  return view.outcome === "limit" ? "limit reached" : (view.outcome ?? "ended");
}

export function runIcon(view: RunView): Icon {
  switch (view.state) {
    case "queued":
      return { name: "clock" };
    case "paused":
      return view.attention > 0 ? WAITS : { name: "debug-pause", colour: "charts.yellow" };
    case "ended":
      return outcomeIcon(view.outcome);
    default:
      return view.attention > 0 ? WAITS : RUNNING;
  }
}

function outcomeIcon(outcome: string | undefined): Icon {
  switch (outcome) {
    case "completed":
      return { name: "pass-filled", colour: "testing.iconPassed" };
    case "failed":
      return { name: "error", colour: "testing.iconFailed" };
    case "limit":
      return { name: "warning", colour: "list.warningForeground" };
    default:
      return { name: "circle-slash" };
  }
}

function runHover(view: RunView, now: number): Hover[] {
  const hover: Hover[] = [
    { kind: "title", text: words.oneLine(view.task, 120) },
    { kind: "fact", label: "State", text: `${runState(view)}, ${roundOf(view)}` },
    { kind: "fact", label: "Time", text: words.duration(words.runSeconds(view, now)) },
  ];
  const spent = words.spent(view.usage);
  if (spent !== "") {
    hover.push({ kind: "fact", label: "Spent", text: spent });
  }
  for (const [role, seen] of Object.entries(view.roles)) {
    hover.push({ kind: "fact", label: words.roleName(role), text: `${seen.agent}, ${words.agentState(seen.state)}` });
  }
  hover.push({ kind: "fact", label: "Folder", text: view.cwd }, { kind: "fact", label: "Run", text: view.runId });
  const last = view.summary ?? view.reason;
  if (last !== undefined && last !== "") {
    hover.push({ kind: "words", text: words.withoutTags(last).slice(0, 600) });
  }
  return hover;
}

// ---- roles

function roleRow(view: RunView, role: string, seen: RoleView, now: number): Row {
  const name = words.roleName(role);
  const live = view.state !== "ended";
  const seconds = seen.since === undefined ? undefined : words.secondsBetween(seen.since, now);
  const time = live && seconds !== undefined ? ` · ${words.rough(seconds)}` : "";
  const spokenTime = time === "" ? "" : `, since ${words.spokenDuration(seconds ?? 0)}`;
  const state = live ? words.agentState(seen.state) : "ended";
  const open = { command: "politerm.openPane", title: "Open Pane", arguments: [{ runId: view.runId, role }] };
  return {
    id: `${view.runId}/${role}`,
    label: name,
    description: `${state}${time} · ${seen.agent}`,
    icon: roleIcon(live ? seen.state : "dead", live),
    hover: () => roleHover(name, seen, live, seconds),
    spoken: `${name}, ${seen.agent}, ${state}${spokenTime}`,
    context: live ? "role.live" : "role.ended",
    ...(live ? { command: open } : {}),
    runId: view.runId,
    role,
  };
}

function roleIcon(state: RoleView["state"], live: boolean): Icon {
  switch (state) {
    case "starting":
      return { name: "loading~spin" };
    case "working":
      return RUNNING;
    case "ready":
      return { name: "circle-large-outline" };
    case "blocked":
      return WAITS;
    case "limited":
      return { name: "watch", colour: "charts.yellow" };
    case "uncertain":
      return { name: "question", colour: "charts.yellow" };
    default:
      return live ? { name: "error", colour: "testing.iconFailed" } : { name: "circle-large-outline" };
  }
}

/** Why the state is said to be so: where it was seen, by which rule, and the evidence itself. */
function roleHover(name: string, seen: RoleView, live: boolean, seconds: number | undefined): Hover[] {
  const since = live && seconds !== undefined ? ` since ${words.duration(seconds)}` : "";
  const last = live ? "" : "last seen ";
  const state = words.agentState(seen.state);
  const hover: Hover[] = [{ kind: "title", text: `${name} (${seen.agent}): ${last}${state}${since}` }];
  if (seen.why !== undefined) {
    hover.push({ kind: "fact", label: "Seen in", text: seen.why.source });
    hover.push({ kind: "fact", label: "Rule", text: seen.why.rule });
    if (seen.why.evidence !== "") {
      hover.push({ kind: "code", text: seen.why.evidence.slice(0, 1000) });
    }
  }
  if (seen.pane !== undefined && live) {
    hover.push({ kind: "fact", label: "Pane", text: seen.pane });
  }
  return hover;
}

// ---- rounds and messages

/** A round that did not change keeps its row: a long run has thousands of messages, and its clock ticks. */
const known = new WeakMap<Round, { row: Row; current: boolean }>();

function roundRow(view: RunView, round: Round): Row {
  const current = view.state !== "ended" && round.number >= view.round;
  const before = known.get(round);
  if (before?.current === current) {
    return before.row;
  }
  const row = makeRoundRow(view, round, current);
  known.set(round, { row, current });
  return row;
}

function makeRoundRow(view: RunView, round: Round, current: boolean): Row {
  const messages = round.items.filter((item) => item.kind === "message").length;
  return {
    id: `${view.runId}/round/${round.number}`,
    label: `Round ${round.number}`,
    description: words.plural(messages, "message"),
    icon: { name: "git-compare" },
    spoken: `Round ${round.number}, ${words.plural(messages, "message")}`,
    context: "round",
    open: current ? "expanded" : "collapsed",
    children: round.items.map((item) => itemRow(view, item)),
    runId: view.runId,
  };
}

const MESSAGE_ICONS: Record<string, Icon> = {
  plan: { name: "list-ordered" },
  continue: { name: "arrow-right" },
  revision: { name: "edit" },
  complete: { name: "pass", colour: "testing.iconPassed" },
  result: { name: "output" },
  error: { name: "error", colour: "testing.iconFailed" },
  question: { name: "question", colour: "charts.yellow" },
  note: { name: "account" },
  status: { name: "info" },
};

function itemRow(view: RunView, item: Item): Row {
  const text = words.withoutTags(item.edited ?? item.text);
  const head = itemHead(item);
  const edited = item.edited === undefined ? "" : " (edited)";
  return {
    id: `${view.runId}/${item.seq}`,
    label: `${head}${edited}`,
    description: words.gist(text, 90),
    icon: itemIcon(item),
    hover: () => [
      { kind: "title", text: `${head}${edited}` },
      { kind: "code", text: text.slice(0, 3000) },
    ],
    spoken: `${head}${edited}: ${words.gist(text, 90)}`,
    context: item.edited === undefined ? item.kind : `${item.kind}.edited`,
    command: {
      command: "politerm.openTimeline",
      title: "Open Timeline",
      arguments: [{ runId: view.runId, seq: item.seq }],
    },
    runId: view.runId,
    seq: item.seq,
  };
}

/** "Planner: plan", "You to Executer", "Completed". */
function itemHead(item: Item): string {
  switch (item.kind) {
    case "message":
      return item.from === "USER"
        ? `You to ${words.roleName(item.to ?? "")}`
        : `${words.roleName(item.from ?? "")}: ${item.what}`;
    case "refused":
      return `${words.roleName(item.from ?? "")}: not taken`;
    case "limit":
      return "Limit reached";
    case "recovered":
      return "Recovered";
    case "paused":
      return "Paused";
    default:
      return words.capital(item.what);
  }
}

function itemIcon(item: Item): Icon {
  switch (item.kind) {
    case "message":
      return MESSAGE_ICONS[item.what] ?? { name: "comment" };
    case "refused":
    case "limit":
      return { name: "warning", colour: "list.warningForeground" };
    case "recovered":
      return { name: "debug-restart" };
    case "paused":
      return { name: "debug-pause" };
    default:
      return outcomeIcon(item.what);
  }
}

/** Where a run stands, for its progress: "round 2 of 20, Planner working". */
export function progressText(view: RunView): string {
  const busy = Object.entries(view.roles)
    .filter(([, seen]) => seen.state !== "ready" && seen.state !== "dead")
    .map(([role, seen]) => `${words.roleName(role)} ${words.agentState(seen.state)}`);
  return [...(view.round > 0 ? [roundOf(view)] : []), ...busy].join(", ") || runState(view);
}
