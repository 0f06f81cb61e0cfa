/** The head of the page: what runs, how far it is, who does what since when; search and filters. Templates only. */
import { html, nothing, type TemplateResult } from "lit";
import type { Role } from "../../protocol/generated";
import { type Filter, isDefault, KINDS, type Kind } from "../model/filter";
import type { RoleStatus, Run } from "../model/items";
import { actors, doing } from "../model/now";
import { count, duration, firstLine, money, plural, roleName, usedByRole } from "../model/text";
import { OUTCOME_ICON, OUTCOME_WORDS, ROLE_ICON, STATE_WORDS } from "./look";

export interface TopState {
  readonly run: Run;
  readonly now: number;
  readonly filter: Filter;
  readonly filtering: boolean;
  readonly shown: number;
  readonly total: number;
  readonly readOnly: boolean;
}

const KIND_WORDS: Record<Kind, readonly [string, string]> = {
  messages: ["Messages", "What planner and executer write to each other"],
  replies: ["Asides", "What agents say beside their messages"],
  questions: ["Questions", "What waited for you"],
  events: ["Events", "Reminders, limits, checks, changes, recoveries"],
  details: ["Details", "States, prompts, deliveries, usage"],
};

export function top(state: TopState): TemplateResult {
  return html`<div class="title">${stateIcon(state.run)}<h1 title=${state.run.task}>${firstLine(state.run.task, 200) || "PoliTerm"}</h1>
      <div class="actions">${actions(state)}</div></div>
    <div class="meta">${meta(state.run, state.now)}</div>
    <div class="toolbar"><div class="roles">${roles(state)}</div>${search(state)}</div>
    ${state.filtering ? filters(state) : nothing}`;
}

function stateIcon(run: Run): TemplateResult {
  if (run.state === "ended" && run.outcome !== undefined) {
    return html`<span class="state outcome-${run.outcome} codicon codicon-${OUTCOME_ICON[run.outcome]}" aria-hidden="true"></span>`;
  }
  if (run.state === "paused" || run.state === "queued") {
    return html`<span class="state codicon codicon-${run.state === "paused" ? "debug-pause" : "clock"}" aria-hidden="true"></span>`;
  }
  return html`<span class="state is-live codicon codicon-loading codicon-modifier-spin" aria-hidden="true"></span>`;
}

function stateWords(run: Run): string {
  switch (run.state) {
    case "unknown":
      return "Loading…";
    case "queued":
      return "Queued";
    case "starting":
      return "Starting";
    case "running":
      return "Running";
    case "paused":
      return "Paused";
    case "ended":
      return run.outcome === undefined ? "Ended" : OUTCOME_WORDS[run.outcome];
  }
}

/** Run time: what the server counted, and what has passed since for a run that lives. */
export function elapsed(run: Run, now: number): number {
  return run.state === "ended" ? run.clock : run.clock + Math.max(0, (now - run.at) / 1000);
}

function meta(run: Run, now: number): TemplateResult {
  const most = run.limits.rounds;
  const tokens = run.usage.tokensIn + run.usage.tokensOut;
  const limit = run.limits.usd;
  const cost = run.usage.usd === undefined ? "" : `${money(run.usage.usd)}${limit ? ` of ${money(limit)}` : ""}`;
  const facts = [
    run.round > 0 ? `Round ${run.round}${most && run.state !== "ended" ? ` of ${most}` : ""}` : "",
    run.startedAt === undefined ? "" : duration(elapsed(run, now)),
  ].filter((part) => part !== "");
  return html`<span class="now state-${run.state} ${run.outcome === undefined ? "" : `outcome-${run.outcome}`}">${stateWords(run)}</span>
    ${facts.map((fact) => html`<span>${fact}</span>`)}
    ${tokens > 0 ? html`<span title=${usedByRole(run.usage)}>${count(tokens)} tokens</span>` : nothing}
    ${cost === "" ? nothing : html`<span title=${usedByRole(run.usage)}>${cost}</span>`}
    ${run.state === "ended" && run.reason ? html`<span class="why">${firstLine(run.reason)}</span>` : nothing}`;
}

function actions({ run, readOnly }: TopState): TemplateResult | typeof nothing {
  const round = run.comparable ? button("openChanges", "diff", "Show what this round changed") : nothing;
  if (readOnly || run.state === "unknown" || run.state === "ended") {
    return html`${round}${button("copyAll", "copy", "Copy what is shown as Markdown")}`;
  }
  return html`${round}
    ${
      run.state === "paused"
        ? html`${button("resume", "debug-continue", "Resume")}${button("retry", "debug-restart", "Try the last step again")}`
        : html`${button("pause", "debug-pause", "Pause after this turn")}${button("interrupt", "debug-disconnect", "Interrupt the working agent and pause")}`
    }
    ${button("stop", "debug-stop", "Stop the run")}`;
}

function button(what: string, name: string, words: string): TemplateResult {
  return html`<vscode-toolbar-button icon=${name} data-do=${what} label=${words} title=${words}></vscode-toolbar-button>`;
}

function roles({ run, now }: TopState): TemplateResult[] {
  return actors(run).map(([role, status]) =>
    run.state === "ended" ? idleChip(role, status) : chip(role, status, now),
  );
}

function idleChip(role: Role, status: RoleStatus): TemplateResult {
  return html`<button type="button" class="chip from-${role.toLowerCase()} is-over" data-do="openPane" data-role=${role}
    title=${`${roleName(role)}: ${status.agent}\nClick: show its pane as it was`}>${chipName(role, status)}</button>`;
}

function chip(role: Role, status: RoleStatus, now: number): TemplateResult {
  const { state, since } = doing(status);
  const words = STATE_WORDS[state];
  const passed = since > 0 ? duration(Math.max(0, Math.floor((now - since) / 1000))) : "";
  const hover = [`${roleName(role)}: ${status.agent}, ${words}`, status.why ?? "", "Click: show its pane"];
  return html`<button type="button" class="chip from-${role.toLowerCase()} is-${state}" data-do="openPane" data-role=${role}
    title=${hover.filter((part) => part !== "").join("\n")}>${chipName(role, status)}<span class="dot" aria-hidden="true"></span>
    <span class="doing">${words}</span>${passed === "" ? nothing : html`<span class="since">${passed}</span>`}</button>`;
}

function chipName(role: Role, status: RoleStatus): TemplateResult {
  return html`<span class="codicon codicon-${ROLE_ICON[role]}" aria-hidden="true"></span><span class="who">${roleName(role)}</span>
    <span class="agent">${status.agent}</span>`;
}

function search({ filter, filtering, shown, total }: TopState): TemplateResult {
  const plain = isDefault(filter);
  return html`<div class="seek" role="search">
    ${plain ? nothing : html`<span class="found" role="status">${shown} of ${total}</span>`}
    <vscode-textfield class="search" type="search" placeholder="Search (/)" label="Search in the timeline" .value=${filter.text}>
      <span slot="content-before" class="codicon codicon-search" aria-hidden="true"></span>
    </vscode-textfield>
    <vscode-toolbar-button icon=${plain ? "filter" : "filter-filled"} data-do="filters" toggleable ?checked=${filtering}
      label="Filters" title="Filters" aria-expanded=${filtering ? "true" : "false"}></vscode-toolbar-button>
  </div>`;
}

function filters({ filter, run }: TopState): TemplateResult {
  const kinds = KINDS.map((kind) => toggle("kind", kind, ...KIND_WORDS[kind], filter.kinds.includes(kind)));
  const by = [...actors(run).map(([role]) => role), "USER" as const].map((role) =>
    toggle(
      "role",
      role,
      roleName(role),
      `Only what concerns ${roleName(role).toLowerCase()}`,
      filter.roles.includes(role),
    ),
  );
  return html`<div class="filters" role="group" aria-label="Filters">${kinds}<span class="divider" aria-hidden="true"></span>${by}
    ${isDefault(filter) ? nothing : html`<button type="button" class="link" data-do="clearFilter">Reset</button>`}</div>`;
}

function toggle(what: string, name: string, words: string, hover: string, on: boolean): TemplateResult {
  return html`<button type="button" class="toggle" data-do=${what} data-name=${name} aria-pressed=${on ? "true" : "false"} title=${hover}>
    <span class="codicon codicon-${on ? "check" : "blank"}" aria-hidden="true"></span>${words}</button>`;
}

/** "3 questions wait for you" */
export function waiting(number: number): string {
  return number === 1 ? "A question waits for you" : `${plural(number, "question")} wait for you`;
}
