/**
 * The editor's window as a person sees it: palette, views, notifications, terminals, web pages inside. Names are those on
 * the screen; nothing here knows PoliTerm.
 */
import { join } from "node:path";
import { expect, type FrameLocator, type Locator, type Page } from "@playwright/test";
import { PICTURES } from "./places";

/** Milliseconds of one try, where there are several. */
const SHORT = 4000;

export class Workbench {
  constructor(readonly page: Page) {}

  /** Until the window is there and its extensions have been started. */
  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.ready();
  }

  async ready(): Promise<void> {
    await expect(this.page.locator(".monaco-workbench .part.activitybar")).toBeVisible();
    await expect(this.page.locator("#status\\.host")).toBeVisible();
    await expect(this.statusItem("Activating Extensions")).toHaveCount(0);
  }

  async reload(): Promise<void> {
    const gone = this.page.waitForEvent("framenavigated", (frame) => frame === this.page.mainFrame());
    await this.command("Developer: Reload Window");
    await gone;
    await this.ready();
  }

  async picture(name: string): Promise<void> {
    // The pointer would draw hover marks wherever the last click happened to be.
    await this.page.mouse.move(720, 2);
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }

  // ---- palette and quick input

  get quickInput(): Locator {
    return this.page.locator(".quick-input-widget");
  }

  get quickBox(): Locator {
    return this.quickInput.locator(".quick-input-box input, .quick-input-box textarea").first();
  }

  /** A command by its whole title. */
  async command(title: string): Promise<void> {
    await this.inPalette(title, () => this.choice(title).click({ timeout: SHORT }));
  }

  /** Opens the palette, types there and looks. Whatever takes the focus closes it: a person would begin again. */
  async inPalette(title: string, look: () => Promise<void>): Promise<void> {
    await expect(async () => {
      if (await this.quickBox.isVisible()) {
        await this.page.keyboard.press("Escape");
      }
      await this.page.keyboard.press("F1");
      await expect(this.quickBox).toHaveValue(">", { timeout: SHORT });
      await this.quickBox.fill(`>${title}`, { timeout: SHORT });
      await look();
    }).toPass();
  }

  /** An entry of the quick input, by its label. */
  choice(label: string): Locator {
    const exact = new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
    return this.quickInput
      .locator(".monaco-list-row")
      .filter({ has: this.page.locator(".label-name", { hasText: exact }) })
      .first();
  }

  /** Until the quick input asks this: its title. */
  async asks(title: string): Promise<void> {
    await expect(this.quickInput.locator(".quick-input-title")).toContainText(title);
  }

  /** Types the answer to what the quick input asks, and submits it. */
  async answer(title: string, text: string): Promise<void> {
    await this.asks(title);
    await this.quickBox.fill(text);
    await this.quickBox.press("Enter");
  }

  // ---- side bar

  async showContainer(title: string): Promise<void> {
    const tab = this.page.locator(".activitybar").getByRole("tab", { name: title });
    if ((await tab.getAttribute("aria-selected")) !== "true") {
      await tab.click();
    }
    await expect(this.page.locator(".part.sidebar .composite.title")).toContainText(title, { ignoreCase: true });
  }

  /** The badge on an activity bar icon. */
  badge(title: string): Locator {
    return this.page.locator(".activitybar").getByRole("tab", { name: title }).locator(".badge-content");
  }

  /** One section of the side bar. */
  view(name: string): Locator {
    return this.page
      .locator(".part.sidebar .pane")
      .filter({ has: this.page.getByRole("button", { name: `${name} Section` }) });
  }

  // ---- the rest of the window

  statusItem(text: string | RegExp): Locator {
    return this.page.locator(".statusbar .statusbar-item").filter({ hasText: text });
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-toast").filter({ hasText: text });
  }

  tab(title: string | RegExp): Locator {
    return this.page.locator(".editor-group-container").getByRole("tab", { name: title });
  }

  /** The rows of a terminal that is shown. */
  terminals(): Locator {
    return this.page.locator(".terminal-wrapper.active .xterm-rows");
  }

  /** A click where its text is: the text itself lies under another layer. */
  async focusTerminal(): Promise<void> {
    await this.page.locator(".terminal-wrapper.active").click();
  }

  /** The text of the editor that is shown, as rendered lines. */
  get text(): Locator {
    return this.page.locator(".editor-instance .view-lines").first();
  }

  /** The web page in the active tab. */
  webview(): FrameLocator {
    return this.page.frameLocator("iframe.webview.ready").first().frameLocator("iframe#active-frame");
  }

  dialog(): Locator {
    return this.page.locator(".monaco-dialog-box");
  }
}
