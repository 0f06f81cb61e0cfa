/**
 * Finds terminal output that an agent pasted among its words without a fence, and puts one around it: Markdown would
 * make headings and rules of its lines and join the others. Pure, linear.
 *
 * It begins at a line like `$ command` and lasts to the end, unless after an empty line something comes that is prose
 * or Markdown for sure. Indented text, lists and what is fenced already are left alone.
 */
const PROMPT = /^(?:\$|❯|PS>|>>>) \S/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const PROSE = /^(?:[A-ZÀ-Þ"'`*(][^\n]* [^\n]*[.:!?)`*]|#{1,6} .*|[-*+] .*|\d{1,3}[.)] .*|\|.*\||> .*)$/;

export function withFences(text: string): string {
  if (!/^(?:\$|❯|PS>|>>>) /m.test(text)) {
    return text;
  }
  const out: string[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line)?.[1];
    const until =
      fence !== undefined ? endOfFence(lines, at, fence) : PROMPT.test(line) ? endOfOutput(lines, at) : at + 1;
    const part = lines.slice(at, until);
    out.push(...(fence === undefined && PROMPT.test(line) ? fencedLines(part) : part));
    at = until;
  }
  return out.join("\n");
}

function endOfFence(lines: readonly string[], from: number, fence: string): number {
  for (let at = from + 1; at < lines.length; at += 1) {
    const mark = FENCE.exec(lines[at] ?? "")?.[1];
    if (mark?.startsWith(fence) && (lines[at] ?? "").trim() === mark) {
      return at + 1;
    }
  }
  return lines.length;
}

function endOfOutput(lines: readonly string[], from: number): number {
  for (let at = from + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const before = lines[at - 1] ?? "";
    if (FENCE.test(line) || (before.trim() === "" && PROSE.test(line))) {
      return at;
    }
  }
  return lines.length;
}

function fencedLines(part: readonly string[]): readonly string[] {
  const last = part.findLastIndex((line) => line.trim() !== "") + 1;
  return ["```console", ...part.slice(0, last), "```", ...part.slice(last)];
}
