/** The foot of the page: what goes on now, what waits for the reader, and a field to say something. Templates only. */
import { html, nothing, type TemplateResult } from "lit";
import type { Role } from "../../protocol/generated";
import type { AttentionItem, Run } from "../model/items";
import { actors, worker } from "../model/now";
import { duration, roleName } from "../model/text";
import type { Connection } from "../transport/messages";
import { waiting } from "./top";

export interface BottomState {
  readonly run: Run;
  readonly open: readonly AttentionItem[];
  readonly now: number;
  readonly connection: Connection;
  readonly message?: string;
  readonly readOnly: boolean;
  readonly to: Role;
  readonly queue: boolean;
  readonly sending: boolean;
  readonly failed?: string;
}

export function bottom(state: BottomState): TemplateResult {
  return html`${strip(state)}${composer(state)}`;
}

function strip(state: BottomState): TemplateResult | typeof nothing {
  const { run, open, connection } = state;
  if (connection === "failed" || connection === "waiting") {
    const name = connection === "failed" ? "error" : "debug-disconnect";
    return html`<div class="strip is-${connection}" role="status"><span class="codicon codicon-${name}" aria-hidden="true"></span>
      <span class="words">${state.message ?? "The server is not there; what is shown may be old."}</span></div>`;
  }
  if (state.failed !== undefined) {
    return html`<div class="strip is-failed" role="alert"><span class="codicon codicon-error" aria-hidden="true"></span>
      <span class="words">${state.failed}</span><button type="button" class="link" data-do="dismiss">Dismiss</button></div>`;
  }
  const first = open[0];
  if (first !== undefined) {
    const words = open.length === 1 ? first.title : waiting(open.length);
    return html`<div class="strip is-waiting"><span class="codicon codicon-bell-dot" aria-hidden="true"></span>
      <span class="words">${words}</span><button type="button" class="link" data-do="showQuestion">Show</button></div>`;
  }
  if (run.state === "paused") {
    return html`<div class="strip is-paused"><span class="codicon codicon-debug-pause" aria-hidden="true"></span>
      <span class="words">Paused${run.pausedBecause ? `: ${run.pausedBecause}` : ""}</span>
      ${state.readOnly ? nothing : html`<button type="button" class="link" data-do="resume">Resume</button>`}</div>`;
  }
  return working(state);
}

function working({ run, now }: BottomState): TemplateResult | typeof nothing {
  if (run.state !== "running" && run.state !== "starting") {
    return nothing;
  }
  const found = worker(run);
  const pulse = html`<span class="pulse" aria-hidden="true"><i></i><i></i><i></i></span>`;
  if (found === undefined) {
    return run.state === "starting"
      ? html`<div class="strip is-working">${pulse}<span class="words">The agents are starting</span></div>`
      : nothing;
  }
  const [role, since] = found;
  const passed = duration(Math.max(0, Math.floor((now - since) / 1000)));
  return html`<div class="strip is-working from-${role.toLowerCase()}">${pulse}
    <span class="words">${roleName(role)} is working</span><span class="aside">${passed}</span>
    <span class="gap"></span><button type="button" class="link" data-do="openPane" data-role=${role}>Show its pane</button></div>`;
}

function composer(state: BottomState): TemplateResult | typeof nothing {
  const { run, to, queue } = state;
  const targets = actors(run).map(([role]) => role);
  if (state.readOnly || targets.length === 0 || run.state === "ended" || run.state === "unknown") {
    return nothing;
  }
  const down = state.connection !== "live";
  const hint = queue
    ? `With the next prompt for ${roleName(to)}…`
    : `Say something to the ${roleName(to).toLowerCase()}…`;
  return html`<div class="composer">
    <textarea rows="1" placeholder=${hint} aria-label=${hint} ?disabled=${down}></textarea>
    <div class="bar">
      <div class="targets" role="radiogroup" aria-label="To whom">
        ${targets.map(
          (
            role,
          ) => html`<button type="button" role="radio" class="target from-${role.toLowerCase()}" data-do="target" data-role=${role}
            aria-checked=${role === to ? "true" : "false"}>${roleName(role)}</button>`,
        )}
      </div>
      <span class="gap"></span>
      <button type="button" class="when" data-do="queue" aria-pressed=${queue ? "true" : "false"}
        title=${queue ? "It goes with the next prompt. Click: send at once" : "It is sent at once, into the turn. Click: wait for the next prompt"}>
        <span class="codicon codicon-${queue ? "clock" : "zap"}" aria-hidden="true"></span>${queue ? "Next turn" : "Now"}</button>
      <button type="button" class="send codicon codicon-${state.sending ? "loading codicon-modifier-spin" : "send"}" data-do="send"
        title="Send (Enter)" aria-label="Send" ?disabled=${down || state.sending}></button>
    </div>
  </div>`;
}
