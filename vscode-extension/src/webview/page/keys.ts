/**
 * The keyboard. In the list: up and down (k, j), page up and down, Home, End, [ and ] between rounds, Enter opens or
 * folds, right and left through a row's buttons, c copies, Escape leaves. Anywhere: / searches.
 */
import { asMarkdown } from "../model/markdown";
import type { Page } from "./page";

type Key = (page: Page, event: KeyboardEvent) => void;

const IN_LIST: Readonly<Record<string, Key>> = {
  ArrowDown: (page) => page.feed.move(1),
  ArrowUp: (page) => page.feed.move(-1),
  j: (page) => page.feed.move(1),
  k: (page) => page.feed.move(-1),
  PageDown: (page) => page.feed.move(page.feed.pageSize),
  PageUp: (page) => page.feed.move(-page.feed.pageSize),
  Home: (page) => page.feed.move("first"),
  End: (page) => page.feed.move("last"),
  "]": (page) => page.feed.toRound(1),
  "[": (page) => page.feed.toRound(-1),
  c: (page) => copyActive(page),
  Enter: (page) => open(page),
  ArrowRight: (page) => within(page, 1),
  ArrowLeft: (page) => within(page, -1),
};

export function handleKeys(page: Page): void {
  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0];
    if (!(target instanceof HTMLElement)) {
      return;
    }
    if (isField(target)) {
      inField(page, event, target);
    } else if ((event.key === "f" && (event.ctrlKey || event.metaKey)) || isSearch(event)) {
      event.preventDefault();
      page.root.querySelector<HTMLElement>(".search")?.focus();
    } else if (page.rows.contains(target) || target === document.body) {
      inList(page, event, target);
    }
  });
  // The list itself can be focused, by a click on its ground or by Tab: then its last item is.
  page.rows.addEventListener("copy", (event) => {
    if (getSelection()?.isCollapsed !== false && page.rows.contains(document.activeElement)) {
      event.preventDefault();
      copyActive(page);
    }
  });
}

function isSearch(event: KeyboardEvent): boolean {
  return event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey;
}

function isField(target: HTMLElement): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

function inField(page: Page, event: KeyboardEvent, target: HTMLElement): void {
  const composer = target.closest(".composer") !== null;
  if (event.key === "Enter" && composer && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    page.actions.send(event.altKey ? true : undefined);
  } else if (event.key === "Escape") {
    if (!composer && page.filter.text !== "" && page.root.querySelector(".search")?.shadowRoot?.contains(target)) {
      page.setFilter({ ...page.filter, text: "" });
    }
    page.feed.focusActive();
  } else if (event.key === "Enter" && !composer && !(target instanceof HTMLTextAreaElement)) {
    page.feed.focusActive();
  }
}

function inList(page: Page, event: KeyboardEvent, target: HTMLElement): void {
  const row = target.closest<HTMLElement>(".row");
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (event.key === "Escape" && row !== null && target !== row) {
    row.focus({ preventScroll: true });
    return;
  }
  // A button does what buttons do; arrows go on to the next one.
  if (target !== row && (event.key === "Enter" || event.key === " ")) {
    if (event.key === "Enter" && target.dataset.file !== undefined) {
      page.actions.openFile(target);
    }
    return;
  }
  const key = Object.hasOwn(IN_LIST, event.key) ? IN_LIST[event.key] : undefined;
  if (key !== undefined) {
    event.preventDefault();
    key(page, event);
  }
}

function copyActive(page: Page): void {
  const item = page.feed.activeItem;
  if (item !== undefined) {
    page.actions.copy(asMarkdown(item), "the message");
  }
}

function open(page: Page): void {
  const item = page.feed.activeItem;
  const row = activeRow(page);
  if (item === undefined || row === null) {
    return;
  }
  const choice = row.querySelector<HTMLElement>(".free, vscode-button");
  if (choice !== null) {
    choice.focus();
  } else if (row.querySelector("[data-do=toggle]") !== null) {
    page.actions.toggle(item);
  } else {
    row.querySelector<HTMLElement>(".opens, [data-do=openText]")?.click();
  }
}

/** Through the buttons and links of the row that has the focus. */
function within(page: Page, by: number): void {
  const row = activeRow(page);
  if (row === null) {
    return;
  }
  const stops = [...row.querySelectorAll<HTMLElement>("button, a[href], [data-file], vscode-button")];
  const at = stops.indexOf(document.activeElement as HTMLElement);
  const next = at + by;
  (next < 0 ? row : (stops[Math.min(next, stops.length - 1)] ?? row)).focus({ preventScroll: true });
}

function activeRow(page: Page): HTMLElement | null {
  return (
    document.activeElement?.closest<HTMLElement>(".row") ?? page.rows.querySelector<HTMLElement>('.row[tabindex="0"]')
  );
}
