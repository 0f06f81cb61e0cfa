/** PoliTerm as a person uses it: where to look and what to press, in the words that are on the screen. */
import { expect, type FrameLocator, type Locator } from "@playwright/test";
import type { House } from "./house";
import type { Workbench } from "./workbench";

export class PoliTerm {
  constructor(
    readonly house: House,
    readonly window: Workbench,
  ) {}

  /** Until the extension has been started. */
  async ready(): Promise<void> {
    await expect(this.status).toBeVisible();
  }

  /** The window anew. */
  async reload(): Promise<void> {
    await this.window.reload();
    await this.ready();
  }

  /** From the palette to the first sign of the run, with the agents named in the two questions. */
  async start(task: string, { planner = "p", executer = "e" } = {}): Promise<void> {
    await this.window.command("PoliTerm: Start Run...");
    await this.window.answer("Start Run", task);
    await this.chooseAgents(planner, executer);
  }

  async chooseAgents(planner = "p", executer = "e"): Promise<void> {
    for (const [question, agent] of [
      ["Who plans?", planner],
      ["Who executes?", executer],
    ] as const) {
      await this.window.asks(question);
      await this.window.choice(agent).click();
    }
  }

  // ---- the timeline

  get timeline(): FrameLocator {
    return this.window.webview();
  }

  /** A message in the timeline, by its words. */
  message(text: string | RegExp): Locator {
    return this.timeline.locator(".is-message").filter({ hasText: text });
  }

  /** The run's state in the timeline's head. */
  get state(): Locator {
    return this.timeline.locator(".meta .now");
  }

  async completed(): Promise<void> {
    await expect(this.state).toHaveText("Completed");
  }

  // ---- the views

  async show(): Promise<void> {
    await this.window.showContainer("PoliTerm");
  }

  /** Rows of *Runs*. */
  run(text: string | RegExp): Locator {
    return this.window.view("Runs").getByRole("treeitem").filter({ hasText: text });
  }

  /** Rows of *Needs you*. */
  need(text: string | RegExp): Locator {
    return this.window.view("Needs you").getByRole("treeitem").filter({ hasText: text });
  }

  get status(): Locator {
    return this.window.statusItem("PoliTerm");
  }
}
