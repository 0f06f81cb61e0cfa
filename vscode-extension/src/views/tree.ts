/**
 * Trees as data: what every row looks like, and which rows have to be drawn again when one tree takes the place of
 * another. Rows are the same when their ids are the same, so selection and expansion stay where they were.
 */

/** A theme icon by name, with a theme colour where it has one. */
export interface Icon {
  readonly name: string;
  readonly colour?: string;
}

/** One part of a hover: words, a label with its value, or text as it is, in a block. */
export type Hover =
  | { readonly kind: "title" | "words"; readonly text: string }
  | { readonly kind: "fact"; readonly label: string; readonly text: string }
  | { readonly kind: "code"; readonly text: string };

export interface Row {
  /** Unique in the tree, and the same as long as it is about the same thing. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly icon?: Icon;
  /** The parts are made when somebody hovers. They may say more than the row, and do not make it new. */
  readonly hover?: () => readonly Hover[];
  /** What a screen reader says instead of label and description. */
  readonly spoken?: string;
  /** `viewItem` in the conditions of menus. */
  readonly context?: string;
  readonly open?: "collapsed" | "expanded";
  readonly command?: { readonly command: string; readonly title: string; readonly arguments: readonly unknown[] };
  readonly children?: readonly Row[];
  /** What commands of the context menu are given. */
  readonly runId?: string;
  readonly role?: string;
  readonly seq?: number;
  readonly attentionId?: string;
  readonly agent?: string;
}

/** Ids of the rows that must be drawn again, or the whole tree. A row stands for everything below it. */
export type Changes = "all" | readonly string[];

export function changesBetween(old: readonly Row[], fresh: readonly Row[]): Changes {
  if (!sameIds(old, fresh)) {
    return "all";
  }
  const changed: string[] = [];
  compare(old, fresh, changed);
  return changed;
}

function compare(old: readonly Row[], fresh: readonly Row[], changed: string[]): void {
  for (const [index, row] of fresh.entries()) {
    const before = old[index];
    if (before === undefined || before === row) {
      continue;
    }
    if (!sameLook(before, row) || !sameIds(before.children ?? [], row.children ?? [])) {
      changed.push(row.id);
    } else {
      compare(before.children ?? [], row.children ?? [], changed);
    }
  }
}

function sameIds(old: readonly Row[], fresh: readonly Row[]): boolean {
  return old.length === fresh.length && fresh.every((row, index) => old[index]?.id === row.id);
}

function sameLook(a: Row, b: Row): boolean {
  return (
    a.label === b.label &&
    a.description === b.description &&
    a.spoken === b.spoken &&
    a.context === b.context &&
    a.open === b.open &&
    a.icon?.name === b.icon?.name &&
    a.icon?.colour === b.icon?.colour
  );
}
