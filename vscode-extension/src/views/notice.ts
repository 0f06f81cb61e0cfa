/**
 * Which items deserve to be told, and with which buttons. Each one is fresh once, whether it is told then or not: what
 * was seen in the list, or came and went while somebody else answered it, never comes back as a notification.
 */
import type { Attention } from "../protocol/generated";
import { choiceIcon } from "./needsYouRows";
import * as words from "./words";

export class Notices {
  private readonly known = new Set<string>();

  /** The items that were not there before. */
  fresh(items: readonly Attention[]): readonly Attention[] {
    const fresh = items.filter((item) => !this.known.has(item.attentionId));
    for (const item of fresh) {
      this.known.add(item.attentionId);
    }
    return fresh;
  }
}

/** Buttons of a notification have room for a few words each. */
const BUTTONS = 2;

export interface Button {
  readonly label: string;
  /** choice: answers with it. open: opens the plan. list: shows the list. words: asks for own words. */
  readonly does: "choice" | "open" | "list" | "words";
  readonly choice?: string;
}

/**
 * The buttons for one item. What is dangerous is left to the list, where it cannot be hit by a click that was meant for
 * something else; what says yes comes first.
 */
export function buttonsOf(item: Attention): readonly Button[] {
  if (item.kind === "plan") {
    return [
      { label: "Open Plan", does: "open" },
      { label: "Show", does: "list" },
    ];
  }
  const safe = item.choices.filter((choice) => choice.danger !== true);
  const buttons: Button[] = safe
    .sort((a, b) => Number(choiceIcon(a).name === "close") - Number(choiceIcon(b).name === "close"))
    .slice(0, BUTTONS)
    .map((choice) => ({ label: words.capital(choice.label), does: "choice", choice: choice.id }));
  if (item.freeText && buttons.length < BUTTONS) {
    buttons.push({ label: "Answer…", does: "words" });
  }
  return [...buttons, { label: "Show", does: "list" }];
}
