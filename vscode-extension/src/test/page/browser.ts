/** A browser with the page in it. */
import { type Browser, chromium, type Page } from "playwright-core";
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
