/** What each item looks like. Templates only: what a click does, the page decides by the names in `data-do`. */
import { html, nothing, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { SHOWN_LINES } from "../model/heights";
import type {
  AttentionItem,
  ChangesItem,
  Check,
  EndItem,
  GateItem,
  Item,
  MessageItem,
  NoticeItem,
  ReplyItem,
  RoundItem,
  TaskItem,
} from "../model/items";
import { count, duration, money, plural, roleName, used, usedByRole } from "../model/text";
import { ATTENTION_ICON, clockTime, DELIVERY, fullTime, OUTCOME_ICON, OUTCOME_WORDS, ROLE_ICON, tone } from "./look";
import { prose } from "./prose";

/** What the page knows of an item beside the item. */
export interface RowState {
  readonly open: boolean;
  /** An answer is on its way. */
  readonly busy: boolean;
  /** Why the last thing that was asked for did not happen. */
  readonly failed?: string;
  readonly ended: boolean;
  /** What the reader began to answer before the row was drawn. */
  readonly words: string;
  readonly readOnly: boolean;
}

/** Long enough to be folded, in characters; lines count as well. */
const LONG = 2600;

export function row(item: Item, state: RowState): TemplateResult {
  switch (item.type) {
    case "task":
      return task(item, state);
    case "round":
      return round(item);
    case "message":
      return message(item, state);
    case "reply":
      return reply(item, state);
    case "attention":
      return attention(item, state);
    case "notice":
      return notice(item, state);
    case "gate":
      return gate(item, state);
    case "changes":
      return changes(item);
    case "end":
      return end(item, state);
  }
}

/** Rows that are alike to the eye share classes. */
export function rowClasses(item: Item): string {
  switch (item.type) {
    case "message":
      return `is-message from-${item.from.toLowerCase()} tone-${tone(item.kind)}`;
    case "reply":
      return `is-reply from-${item.role.toLowerCase()}`;
    case "notice":
      return `is-notice level-${item.level}${item.role === undefined ? "" : ` from-${item.role.toLowerCase()}`}`;
    case "attention":
      return `is-attention ${item.answered === undefined ? "is-open" : "is-answered"}`;
    case "end":
      return `is-end outcome-${item.outcome}`;
    case "gate":
      return `is-gate ${item.passed === undefined ? "is-running" : item.passed ? "is-passed" : "is-failed"}`;
    case "task":
      return "is-task from-user";
    case "round":
    case "changes":
      return `is-${item.type}`;
  }
}

function icon(name: string, words?: string): TemplateResult {
  return words === undefined
    ? html`<span class="codicon codicon-${name}" aria-hidden="true"></span>`
    : html`<span class="codicon codicon-${name}" role="img" aria-label=${words} title=${words}></span>`;
}

function rail(name: string): TemplateResult {
  return html`<div class="rail"><span class="mark codicon codicon-${name}" aria-hidden="true"></span></div>`;
}

function time(at: number): TemplateResult {
  return html`<time title=${fullTime(at)}>${clockTime(at)}</time>`;
}

function tool(what: string, name: string, words: string): TemplateResult {
  return html`<button type="button" class="tool codicon codicon-${name}" data-do=${what} title=${words} aria-label=${words} tabindex="-1"></button>`;
}

function isLong(text: string): boolean {
  if (text.length > LONG) {
    return true;
  }
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    lines += 1;
  }
  return lines > SHOWN_LINES + 4;
}

/** The part that is worth drawing while the rest is folded away. */
function head(text: string): string {
  const lines = text.slice(0, LONG * 2).split("\n", SHOWN_LINES * 2);
  const shown = lines.join("\n");
  const fences = lines.filter((line) => /^\s{0,3}(```|~~~)/.test(line)).length;
  return fences % 2 === 1 ? `${shown}\n\`\`\`` : shown;
}

function body(text: string, state: RowState): TemplateResult {
  const long = isLong(text);
  const folded = long && !state.open;
  const all = plural(text.split("\n").length, "line");
  return html`<div class="prose ${folded ? "folded" : ""}">${unsafeHTML(prose(folded ? head(text) : text))}</div>${
    long
      ? html`<button type="button" class="more" data-do="toggle" aria-expanded=${state.open ? "true" : "false"} tabindex="-1">
          ${icon(state.open ? "chevron-up" : "chevron-down")}${state.open ? "Show less" : `Show all ${all}`}
        </button>`
      : nothing
  }`;
}

function task(item: TaskItem, state: RowState): TemplateResult {
  const agents = Object.entries(item.agents).map(([role, agent]) => `${roleName(role as "PLANNER")}: ${agent}`);
  return html`${rail("account")}
    <div class="card">
      <header><span class="who">Task</span>${item.queued ? html`<span class="pill">queued</span>` : nothing}
        <span class="gap"></span><span class="tools">${tool("copy", "copy", "Copy as Markdown")}</span>${time(item.at)}</header>
      ${body(item.text, state)}
      <div class="facts"><span title="Working folder">${icon("folder")}${item.cwd}</span>
        ${agents.map((words) => html`<span>${words}</span>`)}</div>
    </div>`;
}

function round(item: RoundItem): TemplateResult {
  const facts = [
    item.seconds === undefined ? "" : duration(item.seconds),
    item.tokens > 0 ? `${count(item.tokens)} tokens` : "",
    item.usd === undefined ? "" : money(item.usd),
  ].filter((part) => part !== "");
  return html`<div class="round" role="heading" aria-level="2"><span class="name">Round ${item.round}</span>
    <span class="line"></span>
    ${facts.length > 0 ? html`<span class="facts">${facts.join(" · ")}</span>` : nothing}</div>`;
}

function message(item: MessageItem, state: RowState): TemplateResult {
  const delivery = item.delivery === undefined ? undefined : DELIVERY[item.delivery];
  const plan = item.from === "PLANNER" && ["plan", "continue", "revision"].includes(item.kind);
  return html`${rail(ROLE_ICON[item.from])}
    <div class="card">
      <header>
        <span class="who">${roleName(item.from)}</span>
        <span class="pill">${item.kind}</span>
        ${item.edited === undefined ? nothing : html`<span class="pill edited">edited by you</span>`}
        ${item.from === "USER" ? html`<span class="aside">to ${roleName(item.to)}</span>` : nothing}
        ${item.agent ? html`<span class="aside agent">${item.agent}</span>` : nothing}
        <span class="gap"></span>
        <span class="tools">
          ${plan ? tool("openPlan", "go-to-file", "Open the plan in an editor") : nothing}
          ${tool("openText", "code", "Show the raw text")}
          ${tool("copy", "copy", "Copy as Markdown")}
        </span>
        ${item.seconds === undefined || item.seconds < 1 ? nothing : html`<span class="aside took" title="From the prompt to this message">${duration(item.seconds)}</span>`}
        ${delivery === undefined ? nothing : html`<span class="delivery is-${item.delivery}">${icon(delivery.icon, `${delivery.words}: ${roleName(item.to)}`)}</span>`}
        ${time(item.at)}
      </header>
      ${body(item.edited ?? item.body, state)}
    </div>`;
}

function reply(item: ReplyItem, state: RowState): TemplateResult {
  const long = item.text.length > 420 || item.text.split("\n").length > 6;
  const folded = long && !state.open;
  return html`${rail("circle-small-filled")}
    <div class="says">
      <div class="prose ${folded ? "folded" : ""}">${unsafeHTML(prose(folded ? head(item.text) : item.text))}</div>
      ${
        long
          ? html`<button type="button" class="more" data-do="toggle" aria-expanded=${state.open ? "true" : "false"} tabindex="-1">
              ${state.open ? "Show less" : "Show more"}
            </button>`
          : nothing
      }
    </div>`;
}

function notice(item: NoticeItem, state: RowState): TemplateResult {
  const who = item.role === undefined ? nothing : html`<span class="who">${roleName(item.role)}</span>`;
  const words = html`<span class="words">${item.text}</span>`;
  const named = item.role === undefined || item.text.includes(roleName(item.role));
  const detail = item.detail === undefined || item.detail === "" ? undefined : item.detail;
  return html`${rail(item.icon)}
    <div class="note">
      <div class="line">
        ${
          detail === undefined
            ? html`${named ? nothing : who}${words}`
            : html`<button type="button" class="opens" data-do="toggle" aria-expanded=${state.open ? "true" : "false"} tabindex="-1">
                ${named ? nothing : who}${words}${icon(state.open ? "chevron-up" : "chevron-down")}
              </button>`
        }
        <span class="gap"></span>${time(item.at)}
      </div>
      ${detail !== undefined && state.open ? html`<pre class="detail" tabindex="-1">${detail}</pre>` : nothing}
    </div>`;
}

function attention(item: AttentionItem, state: RowState): TemplateResult {
  const { answered } = item;
  return html`${rail(ATTENTION_ICON[item.kind] ?? "question")}
    <div class="card">
      <header>
        <span class="who">${item.title}</span>
        ${item.role === undefined ? nothing : html`<span class="aside">${roleName(item.role)}</span>`}
        <span class="gap"></span>${time(item.at)}
      </header>
      ${asked(item)}
      ${answered === undefined ? (state.ended ? html`<div class="facts">The run ended before it was answered.</div>` : answers(item, state)) : answer(item)}
      ${state.failed === undefined ? nothing : html`<div class="failed" role="alert">${icon("error")}${state.failed}</div>`}
    </div>`;
}

/** What an agent's dialog says keeps its shape; what is written for people is prose. A plan stands above as a message. */
function asked({ kind, text, about }: AttentionItem): TemplateResult | typeof nothing {
  if (text === "" || (kind === "plan" && about !== undefined)) {
    return nothing;
  }
  return kind === "permission"
    ? html`<pre class="asked" tabindex="-1">${text}</pre>`
    : html`<div class="prose asked-prose">${unsafeHTML(prose(text))}</div>`;
}

function answers(item: AttentionItem, state: RowState): TemplateResult {
  const off = state.busy || state.readOnly;
  const main = item.choices.find((choice) => choice.danger !== true)?.id;
  return html`${
    item.freeText
      ? html`<textarea class="free field" rows="2" placeholder="Your answer…" aria-label="Your answer" .value=${state.words} ?disabled=${off}></textarea>`
      : nothing
  }<div class="choices">
      ${item.choices.map(
        (choice) =>
          html`<vscode-button data-do="answer" data-choice=${choice.id} ?secondary=${choice.id !== main} ?disabled=${off}
            class=${choice.danger === true ? "danger" : ""}>${choice.label}</vscode-button>`,
      )}
      ${
        item.freeText && item.choices.length === 0
          ? html`<vscode-button data-do="answer" ?disabled=${off}>Answer</vscode-button>`
          : nothing
      }
      ${item.kind === "plan" && item.about !== undefined ? html`<vscode-button secondary data-do="openPlan">Open plan</vscode-button>` : nothing}
      ${item.role === undefined ? nothing : html`<button type="button" class="link" data-do="openPane">Show its pane</button>`}
      ${state.busy ? html`<span class="aside" role="status">${icon("loading codicon-modifier-spin")} sending…</span>` : nothing}
    </div>`;
}

function answer(item: AttentionItem): TemplateResult {
  const { answered } = item;
  const label = item.choices.find((choice) => choice.id === answered?.choice)?.label ?? answered?.choice;
  const by = answered?.by === "pane" ? "in the pane" : answered?.by === "run" ? "by the run" : "by you";
  // Whoever approves a plan with words has edited it: those stand in the message.
  const said = item.kind === "plan" && answered?.choice === "approve" ? "" : answered?.text;
  return html`<div class="answer">${icon("check")}<span><b>${label ?? "Answered"}</b>${
    said ? html`: ${said}` : nothing
  } <span class="aside">${by}, ${clockTime(answered?.at ?? item.at)}</span></span></div>`;
}

function gate(item: GateItem, state: RowState): TemplateResult {
  const [words, name] =
    item.passed === undefined
      ? ["Checks are running", "loading codicon-modifier-spin"]
      : item.passed
        ? ["Checks passed", "pass-filled"]
        : ["Checks failed", "error"];
  return html`${rail(item.passed === false ? "beaker-stop" : "beaker")}
    <div class="card">
      <header><span class="state">${icon(name)}</span><span class="who">${words}</span><span class="gap"></span>
        <span class="tools">${tool("copy", "copy", "Copy as Markdown")}</span>${time(item.at)}</header>
      <ul class="checks">${item.checks.map((each) => check(each, state))}</ul>
      ${item.checks.some((each) => each.tail !== "" && each.exitCode === 0) ? html`<button type="button" class="more" data-do="toggle" aria-expanded=${state.open ? "true" : "false"} tabindex="-1">${icon(state.open ? "chevron-up" : "chevron-down")}${state.open ? "Hide output" : "Show all output"}</button>` : nothing}
    </div>`;
}

function check({ command, exitCode, seconds, tail }: Check, state: RowState): TemplateResult {
  const failed = exitCode !== undefined && exitCode !== 0;
  const name = exitCode === undefined ? "circle-large" : failed ? "close" : "check";
  return html`<li class=${failed ? "is-failed" : ""}>
    <div class="check">${icon(name)}<code>${command}</code><span class="gap"></span>
      ${failed ? html`<span class="aside">exit ${exitCode}</span>` : nothing}
      ${seconds === undefined ? nothing : html`<span class="aside">${duration(seconds)}</span>`}</div>
    ${tail !== "" && (failed || state.open) ? html`<pre class="detail" tabindex="-1">${tail}</pre>` : nothing}
  </li>`;
}

function changes(item: ChangesItem): TemplateResult {
  const total = (item.insertions ?? 0) + (item.deletions ?? 0);
  const added = total === 0 ? 0 : Math.round((5 * (item.insertions ?? 0)) / total);
  return html`${rail("diff")}
    <div class="note"><div class="line">
      <button type="button" class="opens" data-do="openChanges" tabindex="-1">
        <span class="words">${item.files === undefined ? "Files" : plural(item.files, "file")} changed</span>
        ${item.insertions === undefined ? nothing : html`<span class="plus">+${item.insertions}</span>`}
        ${item.deletions === undefined ? nothing : html`<span class="minus">−${item.deletions}</span>`}
        ${total === 0 ? nothing : html`<span class="blocks" aria-hidden="true">${[0, 1, 2, 3, 4].map((at) => html`<i class=${at < added ? "plus" : "minus"}></i>`)}</span>`}
      </button>
      <span class="gap"></span>${time(item.at)}
    </div></div>`;
}

function end(item: EndItem, state: RowState): TemplateResult {
  const facts = [plural(item.rounds, "round"), duration(item.seconds), used(item.usage)].filter((part) => part !== "");
  return html`${rail(OUTCOME_ICON[item.outcome])}
    <div class="card">
      <header><span class="who">${OUTCOME_WORDS[item.outcome]}</span>
        <span class="aside" title=${usedByRole(item.usage)}>${facts.join(" · ")}</span>
        <span class="gap"></span><span class="tools">${tool("copyAll", "copy", "Copy the whole run as Markdown")}</span>${time(item.at)}</header>
      ${item.reason ? html`<div class="reason">${item.reason}</div>` : nothing}
      ${item.summary ? body(item.summary, state) : nothing}
    </div>`;
}
