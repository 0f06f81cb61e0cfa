/** What clicks do. Elements carry `data-do`; the nearest row says which item is meant. */
import type { Role } from "../../protocol/generated";
import { EVERYTHING_BUT_DETAILS, type Filter, KINDS, type Kind } from "../model/filter";
import type { Item } from "../model/items";
import { asMarkdown } from "../model/markdown";
import { type Act, isSafeLink } from "../transport/messages";
import type { Page } from "./page";

interface Click {
  readonly element: HTMLElement;
  readonly item: Item | undefined;
}

const FLASH = 1600;
const SEARCH_PAUSE = 120;

export class Actions {
  to: Role = "PLANNER";
  queue = false;
  sending = false;
  failed: string | undefined;
  draft = "";
  private lastId = 0;
  private readonly waiting = new Map<number, (failed: string | undefined) => void>();
  private searchTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly page: Page) {
    page.root.addEventListener("click", (event) => this.clicked(event));
    page.root.addEventListener("input", (event) => this.typed(event));
  }

  /** Asks the host; `then` is told how it went. A failure without a place of its own is shown at the foot. */
  ask(act: Act, then?: (failed: string | undefined) => void): void {
    this.lastId += 1;
    this.waiting.set(this.lastId, (failed) => {
      if (then === undefined) {
        this.failed = failed === "" ? undefined : failed;
      } else {
        then(failed);
      }
    });
    this.failed = undefined;
    this.page.act(act, this.lastId);
  }

  done(id: number, failed: string | undefined): void {
    this.waiting.get(id)?.(failed);
    this.waiting.delete(id);
    this.page.changed();
  }

  copy(text: string, what: string): void {
    this.ask({ do: "copy", text }, (failed) =>
      failed === undefined ? this.flash(`Copied ${what}`) : this.flash(failed),
    );
  }

  toggle(item: Item): void {
    if (!this.page.unfolded.delete(item.seq)) {
      this.page.unfolded.add(item.seq);
    }
    this.page.save();
    this.page.changed();
  }

  send(queue = this.queue): void {
    const text = this.draft.trim();
    if (text === "" || this.sending) {
      return;
    }
    this.sending = true;
    this.ask({ do: "send", to: this.target(), text, when: queue ? "next" : "now" }, (failed) => {
      this.sending = false;
      this.failed = failed;
      if (failed === undefined) {
        this.draft = "";
        const field = this.field();
        if (field !== null) {
          field.value = "";
        }
        this.page.save();
      }
    });
    this.page.changed();
  }

  /** The field keeps what was written when it is drawn anew. */
  fitDraft(): void {
    const field = this.field();
    if (field !== null && field.value !== this.draft && document.activeElement !== field) {
      field.value = this.draft;
    }
  }

  private target(): Role {
    const roles = Object.keys(this.page.timeline.run.roles) as Role[];
    return roles.includes(this.to) ? this.to : (roles[0] ?? this.to);
  }

  private field(): HTMLTextAreaElement | null {
    return this.page.root.querySelector<HTMLTextAreaElement>(".composer textarea");
  }

  private typed(event: Event): void {
    const { target } = event;
    if (target instanceof HTMLTextAreaElement && target.closest(".composer") !== null) {
      this.draft = target.value;
      this.page.save();
    } else if (target instanceof HTMLTextAreaElement && target.matches(".free")) {
      this.page.words.set(Number(target.closest<HTMLElement>("[data-seq]")?.dataset.seq), target.value);
      this.page.save();
    } else if (target instanceof HTMLElement && target.matches(".search")) {
      clearTimeout(this.searchTimer);
      this.searchTimer = setTimeout(() => {
        this.page.setFilter({ ...this.page.filter, text: (target as HTMLElement & { value: string }).value });
      }, SEARCH_PAUSE);
    }
  }

  private clicked(event: MouseEvent): void {
    const from = event.target instanceof Element ? event.target : null;
    const link = from?.closest("a[href]");
    if (link) {
      event.preventDefault();
      this.openLink(link.getAttribute("href") ?? "");
      return;
    }
    const file = from?.closest<HTMLElement>("[data-file]");
    if (file) {
      this.openFile(file);
      return;
    }
    const copied = from?.closest(".copy-code");
    if (copied) {
      this.copy(copied.parentElement?.querySelector("code")?.textContent ?? "", "the code");
      return;
    }
    const element = from?.closest<HTMLElement>("[data-do]");
    if (element) {
      const seq = element.closest<HTMLElement>("[data-seq]")?.dataset.seq;
      const item = seq === undefined ? undefined : this.page.item(Number(seq));
      this.perform(element.dataset.do ?? "", { element, item });
    }
  }

  openFile(file: HTMLElement): void {
    const { file: path, line } = file.dataset;
    if (path !== undefined) {
      this.ask({ do: "openFile", path, ...(line === undefined ? {} : { line: Number(line) }) });
    }
  }

  openLink(href: string): void {
    if (isSafeLink(href)) {
      this.ask({ do: "openLink", href });
    }
  }

  private perform(what: string, click: Click): void {
    const action = this.table[what];
    action?.(click);
    this.page.changed();
  }

  private readonly table: Readonly<Record<string, (click: Click) => void>> = {
    pause: () => this.ask({ do: "pause" }),
    resume: () => this.ask({ do: "resume" }),
    stop: () => this.ask({ do: "stop" }),
    retry: () => this.ask({ do: "retry" }),
    interrupt: () => this.ask({ do: "interrupt" }),
    openChanges: ({ item }) => this.ask({ do: "openChanges", round: item?.round ?? this.page.timeline.run.round }),
    openPane: ({ element, item }) => {
      const role = element.dataset.role ?? (item !== undefined && "role" in item ? item.role : undefined);
      if (role !== undefined) {
        this.ask({ do: "openPane", role: role as Role });
      }
    },
    openPlan: ({ item }) => {
      const messageId = item?.type === "message" ? item.messageId : item?.type === "attention" ? item.about : undefined;
      if (messageId !== undefined) {
        this.ask({ do: "openPlan", messageId });
      }
    },
    openText: ({ item }) => {
      if (item !== undefined) {
        this.ask({ do: "openText", seq: item.seq });
      }
    },
    copy: ({ item }) => {
      if (item !== undefined) {
        this.copy(asMarkdown(item), "the message");
      }
    },
    copyAll: () => this.copy(this.page.copyable(), "the timeline"),
    toggle: ({ item }) => {
      if (item !== undefined) {
        this.toggle(item);
      }
    },
    answer: (click) => this.answer(click),
    showQuestion: () => {
      const first = this.page.timeline.open[0];
      if (first !== undefined) {
        this.page.reveal(first.seq);
      }
    },
    dismiss: () => {
      this.failed = undefined;
    },
    latest: () => this.page.feed.toEnd(),
    filters: () => {
      this.page.filtering = !this.page.filtering;
      this.page.save();
    },
    clearFilter: () => this.page.setFilter(EVERYTHING_BUT_DETAILS),
    kind: ({ element }) => this.page.setFilter(withKind(this.page.filter, element.dataset.name as Kind)),
    role: ({ element }) => this.page.setFilter(withRole(this.page.filter, element.dataset.name as Role)),
    target: ({ element }) => {
      this.to = element.dataset.role as Role;
    },
    queue: () => {
      this.queue = !this.queue;
    },
    send: () => this.send(),
  };

  private answer({ element, item }: Click): void {
    if (item?.type !== "attention") {
      return;
    }
    const field = element.closest(".row")?.querySelector<HTMLTextAreaElement>(".free");
    const text = field?.value.trim();
    const { attentionId } = item;
    const choice = element.dataset.choice;
    if (choice === undefined && (text === undefined || text === "")) {
      field?.focus();
      return;
    }
    this.page.answering.set(attentionId, undefined);
    this.ask(
      { do: "answer", attentionId, ...(choice === undefined ? {} : { choice }), ...(text ? { text } : {}) },
      (failed) => {
        if (failed === undefined || failed === "") {
          this.page.answering.delete(attentionId);
        } else {
          this.page.answering.set(attentionId, failed);
        }
      },
    );
  }

  private flash(words: string): void {
    const element = document.createElement("div");
    element.className = "flash";
    element.textContent = words;
    this.page.root.append(element);
    this.page.announcer.say(words);
    setTimeout(() => element.remove(), FLASH);
  }
}

function withKind(filter: Filter, kind: Kind): Filter {
  const on = !filter.kinds.includes(kind);
  return { ...filter, kinds: KINDS.filter((each) => (each === kind ? on : filter.kinds.includes(each))) };
}

function withRole(filter: Filter, role: Role): Filter {
  const roles = filter.roles.includes(role) ? filter.roles.filter((each) => each !== role) : [...filter.roles, role];
  return { ...filter, roles };
}
