/** The page at many sizes and in all themes: nothing sticks out, nothing complains. Pictures are left to be looked at. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunName, Theatre } from "./browser";
import type { Theme } from "./serve";

const PICTURES = process.env.POLITERM_PICTURES ?? path.resolve("dist/pictures");

const SHOWN: readonly (readonly [RunName, number, Theme])[] = [
  ["everyday", 1400, "dark"],
  ["everyday", 900, "dark"],
  ["everyday", 320, "dark"],
  ["everyday", 700, "light"],
  ["asking", 900, "dark"],
  ["asking", 320, "light"],
  ["asking", 700, "contrast"],
  ["working", 700, "dark"],
  ["trouble", 900, "dark"],
  ["trouble", 700, "contrast-light"],
  ["code", 900, "light"],
  ["code", 480, "dark"],
  ["cjk", 700, "dark"],
  ["cjk", 320, "light"],
];

let theatre: Theatre;

beforeAll(async () => {
  await mkdir(PICTURES, { recursive: true });
  theatre = await Theatre.open();
});
afterAll(() => theatre.close());

describe("the page", () => {
  it.each(SHOWN)("shows %s at %d in %s", async (run, width, theme) => {
    const scene = await theatre.scene({ width, height: width < 500 ? 1000 : 900, theme });
    await scene.play(run);
    await scene.page.screenshot({ path: path.join(PICTURES, `${run}-${width}-${theme}-end.png`) });
    await scene.page.keyboard.press("Tab");
    await scene.page.evaluate(() => document.querySelector(".viewport")?.scrollTo(0, 0));
    await scene.settled();
    await scene.page.screenshot({ path: path.join(PICTURES, `${run}-${width}-${theme}-start.png`) });
    const sticking = await scene.page.evaluate(() =>
      [...document.querySelectorAll(".timeline *")]
        .filter((each) => each.closest(".prose, .asked, .detail, .unseen") === null)
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
        .map((each) => each.className),
    );
    expect(sticking).toEqual([]);
    expect(scene.calm).toEqual([]);
    await scene.close();
  });
});
