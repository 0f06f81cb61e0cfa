/** A browser with the page in it. */
import { type Browser, chromium, type Page } from "playwright-core";
import type { Act, ToHost } from "../../webview/transport/messages";
import { type Served, serve, type Theme } from "./serve";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export type RunName = "everyday" | "asking" | "working" | "trouble" | "code" | "cjk";

export class Theatre {
  private constructor(
    private readonly browser: Browser,
    private readonly served: Served,
  ) {}

  static async open(): Promise<Theatre> {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    const [served, browser] = await Promise.all([serve(), chromium.launch({ executablePath, args: FLAGS })]);
    return new Theatre(browser, served);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.served.close();
  }

  /** An empty page. What its script complains about, or its policy forbids, is thrown by `Scene.calm`. */
  async scene({ width = 900, height = 800, theme = "dark" as Theme } = {}): Promise<Scene> {
    const context = await this.browser.newContext({ viewport: { width, height }, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        complaints.push(message.text());
      }
    });
    await page.goto(this.served.address(theme));
    await page.waitForFunction(() => "stage" in window);
    return new Scene(page, complaints);
  }
}

export class Scene {
  constructor(
    readonly page: Page,
    private readonly complaints: readonly string[],
  ) {}

  async play(run: RunName): Promise<void> {
    await this.page.evaluate((name) => window.stage.play(window.stage.runs[name]().envelopes), run);
    await this.settled();
  }

  /** A run with so many messages. */
  async playLong(messages: number): Promise<void> {
    await this.page.evaluate((count) => window.stage.play(window.stage.runs.long(count).envelopes), messages);
    await this.settled();
  }

  /** One message more comes. */
  async goOn(): Promise<void> {
    await this.page.evaluate(() => window.stage.goOn());
    await this.settled();
  }

  async wheel(pixels: number): Promise<void> {
    await this.page.locator(".viewport").hover();
    await this.page.mouse.wheel(0, pixels);
    await this.settled();
    await this.settled();
  }

  /** To a part of the whole: 0 is the beginning, 1 the end. */
  async scrollTo(part: number): Promise<void> {
    await this.page.evaluate((to) => {
      const view = document.querySelector(".viewport");
      view?.scrollTo(0, (view.scrollHeight - view.clientHeight) * to);
    }, part);
    // Scrolling ends a while after its last event; heights are measured then at the latest.
    await this.page.waitForTimeout(250);
    await this.settled();
  }

  async atEnd(): Promise<boolean> {
    return this.page.evaluate(() => {
      const view = document.querySelector(".viewport");
      return view !== null && view.scrollHeight - view.clientHeight - view.scrollTop < 3;
    });
  }

  /** Where rows do not join: gaps and overlaps in what is seen, in pixels. */
  async holes(): Promise<readonly string[]> {
    return this.page.evaluate(() => {
      const view = document.querySelector(".viewport")?.getBoundingClientRect() ?? new DOMRect();
      const boxes = [...document.querySelectorAll(".row")]
        .map((row) => row.getBoundingClientRect())
        .sort((a, b) => a.top - b.top)
        .filter((box) => box.bottom > view.top && box.top < view.bottom);
      const found = boxes.slice(1).map((box, at) => Math.round(box.top - (boxes[at]?.bottom ?? 0)));
      const wrong = found.filter((gap) => Math.abs(gap) > 1).map((gap) => `${gap} px between rows`);
      const first = (boxes[0]?.top ?? Number.POSITIVE_INFINITY) - view.top;
      const last = view.bottom - (boxes.at(-1)?.bottom ?? 0);
      return [...wrong, ...(first > 10 ? [`${first} px above`] : []), ...(last > 20 ? [`${last} px below`] : [])];
    });
  }

  /** The row at the top of what is seen, and how far it is from there. */
  async topRow(): Promise<{ seq: string | undefined; offset: number } | undefined> {
    return this.page.evaluate(() => {
      const top = document.querySelector(".viewport")?.getBoundingClientRect().top ?? 0;
      const row = [...document.querySelectorAll<HTMLElement>(".row")]
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        .find((each) => each.getBoundingClientRect().bottom > top + 2);
      return row && { seq: row.dataset.seq, offset: Math.round(row.getBoundingClientRect().top - top) };
    });
  }

  async focusedRow(): Promise<{ place: number; seen: boolean } | undefined> {
    return this.page.evaluate(() => {
      const row = document.activeElement?.closest(".row");
      const view = document.querySelector(".viewport")?.getBoundingClientRect();
      if (!row || !view) {
        return undefined;
      }
      const box = row.getBoundingClientRect();
      return { place: Number(row.getAttribute("aria-posinset")), seen: box.bottom > view.top && box.top < view.bottom };
    });
  }

  async heard<T extends ToHost["type"]>(type: T): Promise<Extract<ToHost, { type: T }>[]> {
    const heard = await this.page.evaluate(() => window.stage.heard);
    return heard.filter((message): message is Extract<ToHost, { type: T }> => message.type === type);
  }

  async acts(what: Act["do"]): Promise<Act[]> {
    return (await this.heard("act")).map(({ act }) => act).filter((act) => act.do === what);
  }

  async saved(): Promise<unknown> {
    return this.page.evaluate(() => window.stage.saved);
  }

  /** A new page that starts with what another one saved. */
  async reload(saved: unknown): Promise<void> {
    await this.page.evaluate((state) => sessionStorage.setItem("saved", JSON.stringify(state)), saved);
    await this.page.reload();
    await this.page.waitForFunction(() => "stage" in window);
  }

  /** Two frames have been drawn. */
  async settled(): Promise<void> {
    await this.page.evaluate(
      () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
    );
  }

  /** Nothing went wrong in the page so far. */
  get calm(): readonly string[] {
    return this.complaints;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
