/** A reader at the page: scrolls, follows, searches, answers, writes, with the mouse and without. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Scene, Theatre } from "./browser";

const MANY = 10_000;

let theatre: Theatre;
let scene: Scene;

beforeAll(async () => {
  theatre = await Theatre.open();
});
afterAll(() => theatre.close());
beforeEach(async () => {
  scene = await theatre.scene();
});
afterEach(async () => {
  expect(scene.calm).toEqual([]);
  await scene.close();
});

const rows = () => scene.page.locator(".row");
const jump = () => scene.page.locator(".jump");

describe("ten thousand messages", () => {
  it("are there, and few of them are drawn", async () => {
    await scene.playLong(MANY);
    expect(await rows().count()).toBeLessThan(60);
    expect(await rows().last().getAttribute("aria-setsize")).toMatch(/^\d{5}$/);
    await expect.poll(() => scene.atEnd()).toBe(true);
  });

  it("scroll without holes: wherever the reader is, rows fill the view and none lies on another", async () => {
    await scene.playLong(MANY);
    for (const part of [0, 0.13, 0.5, 0.77, 0.98, 1]) {
      await scene.scrollTo(part);
      expect(await scene.holes(), `at ${part}`).toEqual([]);
    }
  });

  it("stand still when more comes while the reader is elsewhere", async () => {
    await scene.playLong(2000);
    await scene.wheel(-3000);
    await expect.poll(() => jump().isVisible()).toBe(true);
    const before = await scene.topRow();
    await scene.goOn();
    expect(await scene.topRow()).toEqual(before);
    await jump().click();
    await expect.poll(() => scene.atEnd()).toBe(true);
    await expect.poll(() => jump().isVisible()).toBe(false);
  });
});

describe("what comes", () => {
  it("is followed while the reader is at the end", async () => {
    await scene.play("working");
    await scene.page.setViewportSize({ width: 700, height: 420 });
    for (let turn = 0; turn < 5; turn += 1) {
      await scene.goOn();
      await expect.poll(() => scene.atEnd()).toBe(true);
    }
    expect(await jump().isVisible()).toBe(false);
  });

  it("is said to who listens", async () => {
    await scene.play("working");
    await scene.goOn();
    await expect.poll(() => scene.page.locator("[aria-live=polite]").textContent()).toContain("Executer, result");
  });

  it("is asked for again when a part is missing", async () => {
    await scene.page.evaluate(() => {
      const { envelopes } = window.stage.runs.everyday();
      window.stage.host.tell({ type: "run", runId: "run-1", readOnly: false });
      window.stage.host.tell({ type: "events", events: envelopes.slice(0, 10) });
      window.stage.host.tell({ type: "events", events: envelopes.slice(20) });
    });
    await expect.poll(() => scene.heard("missing")).toEqual([{ type: "missing", after: 10 }]);
    await scene.page.evaluate(() => {
      window.stage.host.tell({ type: "events", events: window.stage.runs.everyday().envelopes.slice(10) });
    });
    await expect.poll(() => scene.page.locator(".is-end").count()).toBe(1);
  });
});

describe("the keyboard", () => {
  it("moves through the rows and keeps the focus in view", async () => {
    await scene.playLong(400);
    await scene.page.keyboard.press("/");
    await scene.page.keyboard.press("Escape");
    await scene.page.keyboard.press("Home");
    await expect.poll(() => scene.focusedRow()).toEqual({ place: 1, seen: true });
    for (let turn = 0; turn < 6; turn += 1) {
      await scene.page.keyboard.press("ArrowDown");
    }
    await expect.poll(() => scene.focusedRow()).toEqual({ place: 7, seen: true });
    await scene.page.keyboard.press("ArrowUp");
    await expect.poll(() => scene.focusedRow()).toEqual({ place: 6, seen: true });
    await scene.page.keyboard.press("End");
    await expect.poll(async () => (await scene.focusedRow())?.place).toBeGreaterThan(400);
    await expect.poll(() => scene.atEnd()).toBe(true);
    await scene.page.keyboard.press("[");
    await expect
      .poll(() => scene.page.evaluate(() => document.activeElement?.classList.contains("is-round")))
      .toBe(true);
  });

  it("copies a message as Markdown, and goes through its buttons", async () => {
    await scene.play("everyday");
    await scene.page.locator(".is-message.from-planner").first().focus();
    await scene.page.keyboard.press("c");
    const [copied] = await scene.acts("copy");
    expect(copied).toMatchObject({ text: expect.stringContaining("### Planner → Executer:") });
    await scene.page.keyboard.press("ArrowRight");
    expect(await scene.page.evaluate(() => document.activeElement?.tagName)).toBe("BUTTON");
    await scene.page.keyboard.press("Escape");
    expect(await scene.page.evaluate(() => document.activeElement?.classList.contains("row"))).toBe(true);
  });

  it("unfolds a long message", async () => {
    await scene.play("code");
    const long = scene.page.locator(".row:has(.folded)").last();
    const before = (await long.boundingBox())?.height ?? 0;
    const seq = await long.getAttribute("data-seq");
    await long.focus();
    await scene.page.keyboard.press("Enter");
    const row = scene.page.locator(`.row[data-seq="${seq}"]`);
    await expect.poll(async () => (await row.boundingBox())?.height ?? 0).toBeGreaterThan(before + 100);
    expect(await scene.holes()).toEqual([]);
  });
});

describe("search and filters", () => {
  it("leave what fits, with its words marked, and give all back", async () => {
    await scene.play("everyday");
    await scene.page.keyboard.press("/");
    await scene.page.keyboard.type("expired coupon yet");
    await expect.poll(() => scene.page.locator(".found").textContent()).toMatch(/^\d+ of \d+$/);
    await expect.poll(() => scene.page.locator(".row:not(.is-round)").count()).toBe(1);
    expect(await scene.page.evaluate(() => CSS.highlights.get("found")?.size)).toBeGreaterThan(2);
    await scene.page.keyboard.press("Escape");
    await expect.poll(() => scene.page.locator(".row:not(.is-round)").count()).toBeGreaterThan(8);
    expect(await scene.page.locator(".search").evaluate((field) => (field as HTMLInputElement).value)).toBe("");
  });

  it("show one side, or the details", async () => {
    await scene.play("everyday");
    await scene.page.locator("[data-do=filters]").click();
    await scene.page.locator(".toggle", { hasText: "Executer" }).click();
    await expect.poll(() => scene.page.locator(".is-message.from-planner").count()).toBe(0);
    expect(await scene.page.locator(".is-message.from-executer").count()).toBeGreaterThan(1);
    await scene.page.locator(".link", { hasText: "Reset" }).click();
    await scene.page.locator(".toggle", { hasText: "Details" }).click();
    await expect.poll(() => scene.page.locator(".level-detail").count()).toBeGreaterThan(3);
  });
});

describe("what a reader asks for", () => {
  it("an answer with a choice, or in words", async () => {
    await scene.play("asking");
    await scene.page.locator(".is-open [data-choice=allow]").click();
    await scene.page.locator(".is-open textarea").fill("In cents.");
    await scene.page.locator(".is-open vscode-button", { hasText: "Answer" }).click();
    expect(await scene.acts("answer")).toEqual([
      { do: "answer", attentionId: "a1", choice: "allow" },
      { do: "answer", attentionId: "a2", text: "In cents." },
    ]);
  });

  it("is told why an answer did not arrive, in its place", async () => {
    await scene.page.evaluate(() => {
      window.stage.refuse = "This was answered already.";
    });
    await scene.play("asking");
    await scene.page.locator(".is-open [data-choice=allow]").click();
    await expect.poll(() => scene.page.locator(".is-open .failed").textContent()).toContain("answered already");
  });

  it("words for an agent, which stay when they could not be sent", async () => {
    await scene.play("working");
    const field = scene.page.locator(".composer textarea");
    await field.fill("Use tabs.");
    await scene.page.locator(".target", { hasText: "Executer" }).click();
    await field.focus();
    await scene.page.keyboard.press("Shift+Enter");
    await scene.page.keyboard.type("Please.");
    await scene.page.keyboard.press("Enter");
    await expect.poll(() => field.inputValue()).toBe("");
    expect(await scene.acts("send")).toEqual([{ do: "send", to: "EXECUTER", text: "Use tabs.\nPlease.", when: "now" }]);
    await scene.page.evaluate(() => {
      window.stage.refuse = "The executer is not there.";
    });
    await field.fill("Hello?");
    await scene.page.keyboard.press("Alt+Enter");
    await expect.poll(() => scene.page.locator(".strip").textContent()).toContain("The executer is not there.");
    expect(await field.inputValue()).toBe("Hello?");
    expect((await scene.acts("send")).at(-1)).toMatchObject({ when: "next" });
  });

  it("the raw text, a file, a link, a pane", async () => {
    await scene.play("code");
    await scene.page.evaluate(() => document.querySelector(".viewport")?.scrollTo(0, 0));
    await scene.settled();
    const plan = scene.page.locator(".is-message.from-planner").first();
    await plan.locator(".more").click();
    await plan.locator("a", { hasText: "the guide" }).click();
    await plan.locator("[data-file]").click();
    await plan.hover();
    await plan.locator("[data-do=openText]").click();
    await scene.page.locator(".chip.from-executer").click();
    const acts = (await scene.heard("act")).map((message) => message.type === "act" && message.act);
    expect(acts).toMatchObject([
      { do: "openLink", href: "https://example.com/guide" },
      { do: "openFile", path: "server/app.py", line: 12 },
      { do: "openText" },
      { do: "openPane", role: "EXECUTER" },
    ]);
    expect(scene.page.url()).toContain("127.0.0.1");
  });
});

describe("a page that is made anew", () => {
  it("has the filter, the place and the draft of the one before", async () => {
    await scene.playLong(400);
    await scene.page.locator(".composer textarea").fill("not sent yet");
    await scene.wheel(-4000);
    const place = await scene.topRow();
    await expect.poll(() => scene.saved()).toMatchObject({ at: Number(place?.seq) });
    await scene.reload(await scene.saved());
    await scene.playLong(400);
    await expect.poll(async () => (await scene.topRow())?.seq).toBe(place?.seq);
    expect(await scene.page.locator(".composer textarea").inputValue()).toBe("not sent yet");
    expect(await jump().isVisible()).toBe(true);
  });
});
