/** Marks the words that are searched for in what is drawn, without touching what is drawn. */

const MOST = 2000;

export function markFound(root: Node, words: readonly string[]): void {
  if (typeof CSS === "undefined" || CSS.highlights === undefined) {
    return;
  }
  if (words.length === 0) {
    CSS.highlights.delete("found");
    return;
  }
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null && ranges.length < MOST; node = walker.nextNode()) {
    const text = (node.nodeValue ?? "").toLowerCase();
    for (const word of words) {
      for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, Math.min(at + word.length, node.nodeValue?.length ?? 0));
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}
