/** Open items of Markdown check lists, as tasks. An item goes on over the lines that are indented under it. */

export interface Task {
  /** Lines from 0; `last` is inclusive. */
  readonly line: number;
  readonly last: number;
  readonly text: string;
}

const ITEM = /^(\s*)(?:[-*+]|\d{1,9}[.)])\s+\[ \]\s+(\S.*)$/;
const ANY_ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
const FENCE = /^\s*(`{3,}|~{3,})/;

export function openTasks(lines: readonly string[], most = 500): Task[] {
  const tasks: Task[] = [];
  for (const line of outsideFences(lines)) {
    const [, indent, text] = ITEM.exec(lines[line] ?? "") ?? [];
    if (indent !== undefined && text !== undefined && tasks.length < most) {
      tasks.push(taskAt(lines, line, indent, text));
    }
  }
  return tasks;
}

/** Lines of code are no tasks, whatever they look like. */
function* outsideFences(lines: readonly string[]): Generator<number> {
  let fence: string | undefined;
  for (const [line, text] of lines.entries()) {
    const mark = FENCE.exec(text)?.[1];
    if (mark === undefined) {
      if (fence === undefined) {
        yield line;
      }
    } else if (fence === undefined) {
      fence = mark;
    } else if (mark.startsWith(fence)) {
      fence = undefined;
    }
  }
}

function taskAt(lines: readonly string[], line: number, indent: string, first: string): Task {
  const said = [first.trim()];
  let last = line;
  for (let next = line + 1; next < lines.length; next++) {
    const text = lines[next] ?? "";
    const deeper = text.length - text.trimStart().length > indent.length;
    if (text.trim() === "" || !deeper || ANY_ITEM.test(text)) {
      break;
    }
    said.push(text.trim());
    last = next;
  }
  return { line, last, text: said.join("\n") };
}
