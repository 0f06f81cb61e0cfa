/**
 * Rows (tree.ts) as a tree of the editor's. The editor knows an element by its identity: a row that changes keeps its
 * element, and only rows that look different are drawn again.
 */
import * as vscode from "vscode";
import { hoverText } from "./hover";
import { changesBetween, type Row } from "./tree";

/** What the editor holds of a row, and what commands of its context menu are given. */
export type Element = Readonly<Pick<Row, "id" | "runId" | "role" | "seq" | "attentionId" | "agent">>;

export class LiveTree implements vscode.TreeDataProvider<Element>, vscode.Disposable {
  private rows: readonly Row[] = [];
  private readonly known = new Map<string, Row>();
  private elements = new Map<string, Element>();
  private readonly changed = new vscode.EventEmitter<Element | Element[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  /** `opening` is waited for before the children of a row are shown for the first time. */
  constructor(private readonly opening: (row: Row) => Promise<void> | undefined = () => undefined) {}

  dispose(): void {
    this.changed.dispose();
  }

  show(rows: readonly Row[]): void {
    const changes = changesBetween(this.rows, rows);
    this.rows = rows;
    if (changes === "all") {
      this.known.clear();
    }
    this.learn(rows);
    if (changes === "all") {
      this.elements = new Map([...this.elements].filter(([id]) => this.known.has(id)));
      this.changed.fire(undefined);
    } else if (changes.length > 0) {
      this.changed.fire(this.named(changes));
    }
  }

  /** Rows that are the same as before are passed over with all that is below them. */
  private learn(rows: readonly Row[]): void {
    for (const row of rows) {
      if (this.known.get(row.id) !== row) {
        this.known.set(row.id, row);
        this.learn(row.children ?? []);
      }
    }
  }

  get size(): number {
    return this.rows.length;
  }

  async getChildren(element?: Element): Promise<Element[]> {
    if (element === undefined) {
      return this.named(this.rows.map((row) => row.id));
    }
    const row = this.known.get(element.id);
    const opening = row === undefined ? undefined : this.opening(row);
    if (opening !== undefined) {
      await opening;
    }
    return this.named((this.known.get(element.id)?.children ?? []).map((child) => child.id));
  }

  private named(ids: readonly string[]): Element[] {
    return ids.flatMap((id) => {
      const row = this.known.get(id);
      if (row === undefined) {
        return [];
      }
      const element = this.elements.get(id) ?? elementOf(row);
      this.elements.set(id, element);
      return [element];
    });
  }

  getTreeItem({ id }: Element): vscode.TreeItem {
    const row = this.known.get(id);
    if (row === undefined) {
      // It has gone between the editor's two questions; the change that took it away is on its way.
      return new vscode.TreeItem("");
    }
    const item = new vscode.TreeItem(row.label, stateOf(row));
    item.id = row.id;
    item.accessibilityInformation = { label: row.spoken ?? `${row.label} ${row.description ?? ""}`.trim() };
    if (row.description !== undefined) {
      item.description = row.description;
    }
    if (row.icon !== undefined) {
      const colour = row.icon.colour === undefined ? undefined : new vscode.ThemeColor(row.icon.colour);
      item.iconPath = new vscode.ThemeIcon(row.icon.name, colour);
    }
    if (row.context !== undefined) {
      item.contextValue = row.context;
    }
    if (row.command !== undefined) {
      item.command = { ...row.command, arguments: [...row.command.arguments] };
    }
    return item;
  }

  /** Hovers are made when they are wanted, with the newest there is. */
  resolveTreeItem(item: vscode.TreeItem, { id }: Element): vscode.TreeItem {
    const parts = this.known.get(id)?.hover?.();
    item.tooltip = parts === undefined ? String(item.label ?? "") : hoverText(parts);
    return item;
  }
}

function elementOf({ id, runId, role, seq, attentionId, agent }: Row): Element {
  return { id, runId, role, seq, attentionId, agent };
}

function stateOf(row: Row): vscode.TreeItemCollapsibleState {
  switch (row.open) {
    case "collapsed":
      return vscode.TreeItemCollapsibleState.Collapsed;
    case "expanded":
      return vscode.TreeItemCollapsibleState.Expanded;
    default:
      return vscode.TreeItemCollapsibleState.None;
  }
}
