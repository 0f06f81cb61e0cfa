/** Runs told as dialogues: each call says what happened, and makes the events that a server would send for it. */
import type { AttentionRaised, Envelope, Role, RunEvent } from "../../protocol/generated";

type Loose = { type: string } & Record<string, unknown>;

export const START = Date.parse("2026-03-02T09:00:00.000Z");

export class Story {
  readonly envelopes: Envelope[] = [];
  private clock = 0;
  private messages = 0;
  private prompts = 0;
  private questions = 0;
  private turn: Partial<Record<Role, string>> = {};
  private delivering: readonly string[] = [];

  constructor(
    readonly runId = "run-1",
    private readonly began = START,
  ) {}

  /** Time passes. */
  after(seconds: number): this {
    this.clock += seconds;
    return this;
  }

  /** Any event, also one that this version of the page does not know. */
  event(event: RunEvent | Loose): this {
    const seq = this.envelopes.length + 1;
    const at = new Date(this.began + this.clock * 1000).toISOString();
    this.envelopes.push({ runId: this.runId, seq, at, clock: this.clock, event: event as RunEvent });
    return this;
  }

  start(task: string, agents: Partial<Record<Role, string>> = { PLANNER: "claude", EXECUTER: "codex" }): this {
    const specs = Object.entries(agents).map(([role, name]) => [
      role,
      { name, legacy: false, resumable: false, turnEnd: "known" },
    ]);
    this.event({
      type: "runStarted",
      mode: "dual",
      order: "dual",
      task,
      cwd: "/home/me/projects/shop",
      cwds: {},
      agents: Object.fromEntries(specs),
      limits: { rounds: 20, usd: 20, perRole: {} },
      primers: {},
      project: "",
      context: "",
      approvePlans: "off",
      nudges: 2,
      seed: "s",
    });
    for (const [role, agent] of Object.entries(agents)) {
      this.event({ type: "agentStarting", role, agent, incarnation: 1, resume: false });
    }
    this.after(2);
    for (const [at, role] of Object.keys(agents).entries()) {
      this.event({ type: "agentReady", role, pane: `%${at}`, incarnation: 1, resumed: false });
      this.state(role as Role, "ready");
    }
    return this;
  }

  state(role: Role, state: string, evidence = "❯"): this {
    return this.event({
      type: "agentStateChanged",
      role,
      state,
      why: { source: "screen", rule: `${state}: rule`, evidence },
    });
  }

  /** A prompt with the messages that were received since the last one, and its delivery. */
  prompt(to: Role, origin: "task" | "relay" | "user" | "nudge" = "relay"): this {
    this.ask(to, origin);
    this.after(0.4).event({ type: "promptDelivered", promptId: this.turn[to], to, source: "transcript" });
    return this.state(to, "working", "esc to interrupt");
  }

  /** A prompt of which nobody knows yet whether it arrived. */
  ask(to: Role, origin: "task" | "relay" | "user" | "nudge" = "relay"): this {
    this.prompts += 1;
    const promptId = `${this.runId}.p${this.prompts}`;
    this.turn[to] = promptId;
    const messages = this.delivering;
    this.delivering = [];
    return this.event({
      type: "promptRequested",
      promptId,
      to,
      text: "the whole prompt again",
      origin,
      key: "k",
      incarnation: 1,
      attempt: 1,
      messages,
      steer: false,
    });
  }

  say(from: Role, kind: string, body: string, beside = ""): this {
    const to = kind === "complete" ? "ORCHESTRATOR" : from === "PLANNER" ? "EXECUTER" : "PLANNER";
    this.messages += 1;
    const messageId = `m${this.messages}`;
    const tag = kind.toUpperCase();
    if (from !== "USER") {
      const block = `[[POLI:MSG {"type":"${kind}"}]]\n<${tag}>\n${body}\n</${tag}>\n[[/POLI:MSG]]`;
      this.event({ type: "agentReplied", role: from, text: `${beside}\n\n${block}`, source: "transcript" });
    }
    this.event({
      type: "messageReceived",
      messageId,
      from,
      to,
      kind,
      body: `<${tag}>\n${body}\n</${tag}>`,
      source: "transcript",
      round: 0,
      turn: this.turn[from],
      index: 0,
      header: {},
    });
    this.delivering = [...this.delivering, messageId];
    return this;
  }

  turnEnded(role: Role, how: "done" | "interrupted" | "failed" | "blocked" = "done"): this {
    this.event({ type: "turnEnded", role, how, source: "transcript", turn: this.turn[role] });
    return this.state(role, "ready");
  }

  used(role: Role, tokensIn: number, tokensOut: number, usd?: number): this {
    return this.event({ type: "usageReported", role, tokensIn, tokensOut, ...(usd === undefined ? {} : { usd }) });
  }

  round(round: number): this {
    return this.event({ type: "roundStarted", round });
  }

  question(fields: Partial<AttentionRaised> & { title: string }): this {
    this.questions += 1;
    return this.event({
      type: "attentionRaised",
      attentionId: `a${this.questions}`,
      kind: "permission",
      text: "",
      choices: [],
      freeText: false,
      keys: {},
      ...fields,
    });
  }

  end(outcome: "completed" | "failed" | "stopped" | "limit", fields: { reason?: string; summary?: string } = {}): this {
    return this.event({ type: "runEnded", outcome, ...fields });
  }
}
