/**
 * A guess how high an item will be, before it is drawn: it decides where the scroll bar stands until the item is
 * measured. It knows the style sheet's sizes roughly, and needs to know no more.
 */
import type { Item } from "./items";

/** Lines of a body that are shown before "Show more". */
export const SHOWN_LINES = 24;
const LINE = 20;

export function guessHeight(item: Item, width: number): number {
  const columns = Math.max(24, Math.floor((Math.min(width, 980) - 72) / 7));
  switch (item.type) {
    case "task":
      return 74 + LINE * lines(item.text, columns, SHOWN_LINES);
    case "message":
      return 66 + LINE * lines(item.edited ?? item.body, columns, SHOWN_LINES);
    case "reply":
      return 14 + LINE * lines(item.text, columns, 6);
    case "attention":
      return (item.answered === undefined ? 110 : 84) + LINE * lines(item.text, columns, 12);
    case "notice":
      return 26 * Math.ceil((item.text.length + 8) / columns);
    case "round":
      return 48;
    case "gate":
      return 60 + 28 * item.checks.length;
    case "changes":
      return 32;
    case "end":
      return 90 + LINE * lines(item.summary ?? item.reason ?? "", columns, SHOWN_LINES);
  }
}

function lines(text: string, columns: number, most: number): number {
  let found = 0;
  for (let at = 0; at < text.length && found < most; ) {
    const next = text.indexOf("\n", at);
    const end = next === -1 ? text.length : next;
    found += Math.max(1, Math.ceil((end - at) / columns));
    at = end + 1;
  }
  return Math.min(found, most);
}
