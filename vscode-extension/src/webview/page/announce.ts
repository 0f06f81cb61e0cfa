/** Says what is new to who does not see it: one sentence at a time, never a flood. */
import type { Item } from "../model/items";
import { plural } from "../model/text";
import { inOneLine } from "./look";

const PAUSE = 900;

export class Announcer {
  private readonly polite: HTMLElement;
  private readonly urgent: HTMLElement;
  private waiting: Item[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parent: HTMLElement) {
    this.polite = region(parent, "polite");
    this.urgent = region(parent, "assertive");
  }

  items(fresh: readonly Item[]): void {
    const question = fresh.findLast((item) => item.type === "attention" && item.answered === undefined);
    if (question !== undefined) {
      this.urgent.textContent = inOneLine(question);
    }
    const news = fresh.filter((item) => item.type === "message" || item.type === "end" || item.type === "gate");
    if (news.length > 0) {
      this.waiting.push(...news);
      this.timer ??= setTimeout(() => this.speak(), PAUSE);
    }
  }

  say(words: string): void {
    this.polite.textContent = words;
  }

  private speak(): void {
    const last = this.waiting.at(-1);
    const more = this.waiting.length - 1;
    this.timer = undefined;
    this.waiting = [];
    if (last !== undefined) {
      this.polite.textContent = more > 0 ? `${plural(more + 1, "new message")}. ${inOneLine(last)}` : inOneLine(last);
    }
  }
}

function region(parent: HTMLElement, how: "polite" | "assertive"): HTMLElement {
  const element = document.createElement("div");
  element.className = "unseen";
  element.setAttribute("aria-live", how);
  parent.append(element);
  return element;
}
