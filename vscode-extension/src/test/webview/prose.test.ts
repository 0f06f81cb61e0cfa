// @vitest-environment jsdom
import { describe, expect, test } from "vitest";
import { prose } from "../../webview/page/prose";

function drawn(markdown: string): HTMLElement {
  const place = document.createElement("div");
  place.innerHTML = prose(markdown);
  return place;
}

describe("an agent that means harm", () => {
  test.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='https://example.com'></iframe>",
    "<style>*{display:none}</style>",
    "<form action='https://example.com'><input name=a></form>",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mtext><table><mglyph><style><img src onerror=alert(1)>",
    "```html\n<script>alert(1)</script>\n```",
    "`<img src=x onerror=alert(1)>`",
    '~~~"><script>alert(1)</script>\nx\n~~~',
  ])("%s is text", (markdown) => {
    const place = drawn(markdown);
    expect(place.querySelector("script, img, svg, iframe, style, form, input, math, link, object, embed")).toBeNull();
    for (const element of place.querySelectorAll("*")) {
      expect([...element.attributes].filter(({ name }) => name.startsWith("on") || name === "style")).toEqual([]);
    }
  });

  test.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](command:workbench.action.terminal.new)",
    "[x](vscode://file/etc/passwd)",
    "[x](file:///etc/passwd)",
    "[x][a]\n\n[a]: command:x",
    "<command:x.quit>",
    "<vbscript:x>",
  ])("%s leads nowhere", (markdown) => {
    expect(drawn(markdown).querySelector("a[href]")).toBeNull();
    expect(drawn(markdown).textContent).toContain("x");
  });

  test("images load nothing and say what they were", () => {
    const place = drawn('![a cat](https://example.com/cat.png) ![](x.png "t")');
    expect(place.querySelector("img")).toBeNull();
    expect(place.querySelector(".image")?.textContent).toBe("a cat");
  });

  test("links to the web are links", () => {
    const place = drawn("[guide](https://example.com/a?b=c&d) and https://example.org and a@example.org");
    const links = [...place.querySelectorAll("a")].map((link) => link.getAttribute("href"));
    expect(links).toEqual(["https://example.com/a?b=c&d", "https://example.org", "mailto:a@example.org"]);
  });

  test("no depth or length of its text stops the page", () => {
    for (const text of [`${"> ".repeat(3000)}x`, `${"- ".repeat(3000)}x`, "*".repeat(20_000), `${"[".repeat(5000)}x`]) {
      expect(typeof prose(text)).toBe("string");
    }
  });
});

describe("an agent that means well", () => {
  test("names files with lines, which can be opened", () => {
    const place = drawn("See `src/app.ts:12`, `README.md`, `npm test` and [it](docs/a.md), not `1.5` or `a.b()`.");
    const files = [...place.querySelectorAll<HTMLElement>("[data-file]")].map((each) => ({ ...each.dataset }));
    expect(files).toEqual([{ file: "src/app.ts", line: "12" }, { file: "README.md" }, { file: "docs/a.md" }]);
  });

  test("writes code that has colours where its language is known", () => {
    expect(drawn("```python\ndef f(): pass\n```").querySelector(".hljs-keyword")?.textContent).toBe("def");
    expect(drawn("```nonsense\nif <b>\n```").querySelector("code")?.innerHTML).toBe("if &lt;b&gt;");
  });

  test("pastes output with rules and lines that stay lines", () => {
    const place = drawn("It fails.\n\n$ make test\n=======\nFAIL a\n-------\nRan 3 tests");
    expect(place.querySelector("h1, h2, hr")).toBeNull();
    expect(place.querySelector("pre")?.textContent).toBe("$ make test\n=======\nFAIL a\n-------\nRan 3 tests");
  });

  test("ticks off a list", () => {
    const labels = [...drawn("- [x] a\n- [ ] b").querySelectorAll("[role=img]")].map((each) =>
      each.getAttribute("aria-label"),
    );
    expect(labels).toEqual(["done", "to do"]);
  });
});
