/** Takes messages out of what agents write, and writes for people what the program counts. Pure. */
import type { Role } from "../../protocol/generated";
import type { Usage, Used } from "./items";

const OPENED = "[[POLI:MSG";
const CLOSED = "[[/POLI:MSG]]";
const WRAPPED = /^\s*<([A-Z]{4,12})>[^\S\n]*\n?([\s\S]*?)\n?[^\S\n]*<\/\1>\s*$/;

/** A reply without the messages in it, which are shown as messages. */
export function besideMessages(reply: string): string {
  let kept = "";
  let at = 0;
  for (let from = reply.indexOf(OPENED); from !== -1; from = reply.indexOf(OPENED, at)) {
    const to = reply.indexOf(CLOSED, from);
    if (to === -1) {
      break;
    }
    kept += reply.slice(at, from);
    at = to + CLOSED.length;
  }
  return `${kept}${reply.slice(at)}`.replace(/\n{3,}/g, "\n\n").trim();
}

/** A body without the tag around all of it. */
export function withoutTag(body: string): string {
  const inner = WRAPPED.exec(body)?.[2] ?? body;
  return inner.replace(/^\n+/, "").trimEnd();
}

export function firstLine(text: string, most = 120): string {
  const line = (text.split("\n").find((each) => each.trim() !== "") ?? "").trim();
  return line.length > most ? `${line.slice(0, most - 1).trimEnd()}…` : line;
}

/** "Planner": roles as people read them. */
export function roleName(role: Role): string {
  return role === "USER" ? "You" : `${role.slice(0, 1)}${role.slice(1).toLowerCase()}`;
}

/** 0.4 s · 42 s · 3 m 05 s · 2 h 10 m · 3 d 4 h */
export function duration(seconds: number): string {
  if (seconds < 10) {
    return `${Math.max(0, Math.round(seconds * 10) / 10)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, "0")} s`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 1440
    ? `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`
    : `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** 940 · 12.3k · 4.1M */
export function count(value: number): string {
  if (value < 1000) {
    return String(value);
  }
  const [scaled, unit] = value < 999_500 ? [value / 1000, "k"] : [value / 1_000_000, "M"];
  return `${scaled < 100 ? scaled.toFixed(1).replace(/\.0$/, "") : Math.round(scaled)}${unit}`;
}

export function money(usd: number): string {
  return usd > 0 && usd < 0.01 ? "< $0.01" : `$${usd.toFixed(2)}`;
}

/** "12.3k tokens · $0.12", or nothing where nothing was reported. */
export function used(usage: Used): string {
  const tokens = usage.tokensIn + usage.tokensOut;
  const parts = [tokens > 0 ? `${count(tokens)} tokens` : "", usage.usd === undefined ? "" : money(usage.usd)];
  return parts.filter((part) => part !== "").join(" · ");
}

/** Who used what, a line each. */
export function usedByRole(usage: Usage): string {
  return (Object.entries(usage.byRole) as [Role, Used][])
    .map(([role, each]) => {
      const cost = each.usd === undefined ? "" : `, ${money(each.usd)}`;
      return `${roleName(role)}: ${count(each.tokensIn)} in, ${count(each.tokensOut)} out${cost}`;
    })
    .join("\n");
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** "gateStarted" as "gate started". */
export function inWords(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

/** Text as HTML that shows just it. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
