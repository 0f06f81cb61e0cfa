/**
 * An agent's words as safe HTML. What agents write is not trusted: raw HTML is shown as the text that it is, images as
 * their description, links only to http, https and mail; and what comes of it goes through a sanitiser all the same.
 */
import DOMPurify from "dompurify";
import { Marked, type Tokens } from "marked";
import { withFences } from "../model/outputs";
import { escaped } from "../model/text";
import { isSafeLink } from "../transport/messages";
import { highlight } from "./highlight";

/** A name in backticks that looks like a file of the project, perhaps with a line: `src/app.ts:12`. */
const FILE = /^(?:\.{0,2}\/)?(?:[\w@.+-]+\/)*[\w@+-][\w@.+-]*\.[A-Za-z]\w{0,9}(?::(\d+))?(?::\d+)?$/;
const FOLDED = 200_000;
const KEPT = 400;

const marked = new Marked({
  gfm: true,
  // Lines of dashes or equals signs in agents' texts are output nearly always, and a heading under them never is.
  tokenizer: { lheading: () => undefined },
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escaped(text),
    image: ({ text, href }: Tokens.Image) => `<span class="image">${escaped(text || href)}</span>`,
    link({ href, tokens }: Tokens.Link) {
      const words = this.parser.parseInline(tokens);
      return isSafeLink(href)
        ? `<a href="${escaped(href)}" title="${escaped(href)}">${words}</a>`
        : fileLink(href, words);
    },
    codespan: ({ text }: Tokens.Codespan) => fileLink(text, `<code>${escaped(text)}</code>`),
    code: ({ text, lang }: Tokens.Code) => {
      const language = (lang ?? "").trim().split(/\s/)[0] ?? "";
      const label =
        language === "" || language === "console" ? "" : `<span class="language">${escaped(language)}</span>`;
      const copy = '<button type="button" class="copy-code codicon codicon-copy" aria-label="Copy code"></button>';
      return `<div class="code">${label}${copy}<pre tabindex="-1"><code>${highlight(text, language)}</code></pre></div>`;
    },
    table(token: Tokens.Table) {
      const row = (cells: readonly Tokens.TableCell[], tag: "th" | "td"): string =>
        `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
      const body = token.rows.map((cells) => row(cells, "td")).join("");
      return `<div class="table"><table><thead>${row(token.header, "th")}</thead><tbody>${body}</tbody></table></div>`;
    },
    checkbox: ({ checked }: Tokens.Checkbox) =>
      `<span class="codicon codicon-${checked ? "pass-filled" : "circle-large"}" role="img" aria-label="${checked ? "done" : "to do"}"></span> `,
  },
});

const purifier = DOMPurify(window);

const SAFE = {
  ALLOWED_TAGS: [
    ...["a", "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "span", "div"],
    ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "button"],
  ],
  ALLOWED_ATTR: ["href", "title", "class", "start", "type", "tabindex", "role", "aria-label", "data-file", "data-line"],
  // The sanitiser would take the values of these for addresses, and addresses may lead to the web only.
  ADD_URI_SAFE_ATTR: ["start", "type", "tabindex", "aria-label", "data-file", "data-line"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const made = new Map<string, string>();

/** Safe HTML for Markdown; what was made lately is kept. */
export function prose(text: string): string {
  const known = made.get(text);
  if (known !== undefined) {
    return known;
  }
  const html = purifier.sanitize(rendered(text), SAFE);
  const oldest = made.size >= KEPT ? made.keys().next().value : undefined;
  if (oldest !== undefined) {
    made.delete(oldest);
  }
  made.set(text, html);
  return html;
}

function rendered(text: string): string {
  try {
    const shown = text.length > FOLDED ? `${text.slice(0, FOLDED)}\n\n…` : text;
    return marked.parse(withFences(shown), { async: false });
  } catch {
    // No text of an agent may keep the timeline from being drawn.
    return `<pre>${escaped(text)}</pre>`;
  }
}

function fileLink(target: string, words: string): string {
  const match = FILE.exec(target);
  if (match === null || target.length > 300) {
    return words;
  }
  const path = target.replace(/(?::\d+){1,2}$/, "");
  const line = match[1] === undefined ? "" : ` data-line="${match[1]}"`;
  return `<span class="file" role="link" tabindex="-1" title="Open ${escaped(target)}" data-file="${escaped(path)}"${line}>${words}</span>`;
}
