/**
 * A plan as a document: its address, what is shown above it, and what of it goes to the server.
 *
 *     politerm-plan:/<attention id>/Plan to approve.md   the plan that waits; edits are what the executer gets
 *     politerm-plan-kept:/<run>/<message>/planner.md     what the planner wrote
 *     politerm-plan-kept:/<run>/<message>/edited.md      what the executer was given
 *     politerm-plan-kept:/waiting/<attention id>/planner.md
 */
import * as words from "./words";

export const PLAN_SCHEME = "politerm-plan";
export const KEPT_SCHEME = "politerm-plan-kept";

/** In the place of a run: the plan of an attention item that still waits. */
export const WAITING = "waiting";

export type Version = "planner" | "edited";

/** Paths of both schemes. Ids are the server's, and hold no slash. */
export function planPath(attentionId: string): string {
  return `/${attentionId}/Plan to approve.md`;
}

export function attentionOf(path: string): string | undefined {
  return /^\/([^/]+)\/Plan to approve\.md$/.exec(path)?.[1];
}

export function keptPath(runId: string, messageId: string, version: Version): string {
  return `/${runId}/${messageId}/${version}.md`;
}

export function keptOf(path: string): { runId: string; messageId: string; version: Version } | undefined {
  const [, runId, messageId, version] = /^\/([^/]+)\/([^/]+)\/(planner|edited)\.md$/.exec(path) ?? [];
  return runId === undefined || messageId === undefined ? undefined : { runId, messageId, version: version as Version };
}

/** The plan as a person edits it: without the tags around it, and ending with a line end as files do. */
export function planDocument(body: string): string {
  return `${words.withoutTags(body)}\n`;
}

/** The text to send with the approval; undefined when the plan is as the planner wrote it. */
export function editedText(body: string, document: string): string | undefined {
  const plain = document.replace(/\r\n/g, "\n").replace(/\s+$/, "");
  return plain === words.withoutTags(body).replace(/\s+$/, "") ? undefined : plain;
}

export interface Lens {
  readonly title: string;
  readonly command: string;
  readonly hover: string;
}

/** unknown: after a reload, until the server has said whether it still waits. */
export type Standing = "unknown" | "waiting" | "answered";

/** What stands above the plan. */
export function planLenses(standing: Standing, edited: boolean): readonly Lens[] {
  if (standing === "unknown") {
    return [{ title: "$(loading~spin) Asking the server about this plan", command: "", hover: "" }];
  }
  if (standing === "answered") {
    return [{ title: "$(check) This plan was answered", command: "", hover: "Nothing waits here any more." }];
  }
  const lenses: Lens[] = [
    {
      title: edited ? "$(check) Approve with My Changes" : "$(check) Approve",
      command: "politerm.approvePlan",
      hover: "The executer gets this document as it is now, saved or not.",
    },
    {
      title: "$(reply) Send Back with a Note…",
      command: "politerm.sendBackPlan",
      hover: "The planner is asked for another plan.",
    },
    { title: "$(debug-stop) Stop the Run", command: "politerm.stopAtPlan", hover: "The run ends here." },
  ];
  if (edited) {
    lenses.push({
      title: "$(diff) Show My Changes",
      command: "politerm.comparePlan",
      hover: "What the planner wrote beside this document.",
    });
  }
  return lenses;
}
