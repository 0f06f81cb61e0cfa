/**
 * How fast the page is with ten thousand messages: until they are seen, and while they are scrolled. Scrolling is compared
 * with an empty page of the same height in the same browser, since a busy machine drops frames of both.
 */
import type { Scene } from "./browser";
import { Theatre } from "./browser";

const MESSAGES = 10_000;
const TIMES = 5;
const FRAMES = 240;
const STEP = 90;
const GOAL = 200;

interface Frames {
  readonly median: number;
  readonly late: number;
  readonly worst: number;
}

async function painted(scene: Scene): Promise<{ first: number; whole: number; events: number; megabytes: number }> {
  return scene.page.evaluate(async (messages) => {
    const { host, runs, slim } = window.stage;
    const { envelopes } = runs.long(messages);
    const events = envelopes.map(slim);
    const after = (): Promise<number> =>
      new Promise((resolve) => {
        // The task after a frame's callbacks runs when that frame has been drawn.
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve(performance.now());
          port2.postMessage(undefined);
        });
      });
    const part = 2000;
    const began = performance.now();
    host.tell({ type: "run", runId: events[0]?.runId ?? "", readOnly: false });
    host.tell({ type: "events", events: events.slice(0, part) });
    const first = (await after()) - began;
    for (let at = part; at < events.length; at += part) {
      host.tell({ type: "events", events: events.slice(at, at + part) });
    }
    host.tell({ type: "connection", state: "live" });
    const whole = (await after()) - began;
    return { first, whole, events: events.length, megabytes: JSON.stringify(events).length / 1e6 };
  }, MESSAGES);
}

async function scrolled(scene: Scene, selector: string): Promise<Frames> {
  return scene.page.evaluate(
    async ({ selector, frames, step }) => {
      const view = document.querySelector(selector);
      const gaps: number[] = [];
      let last = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      for (let frame = 0; frame < frames; frame += 1) {
        view?.scrollBy(0, frame < frames / 2 ? -step : step);
        const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
        gaps.push(now - last);
        last = now;
      }
      gaps.sort((a, b) => a - b);
      const median = gaps[Math.floor(gaps.length / 2)] ?? 0;
      return { median, late: gaps.filter((gap) => gap > 25).length, worst: gaps.at(-1) ?? 0 };
    },
    { selector, frames: FRAMES, step: STEP },
  );
}

/** A page of the same height with nothing in it. */
async function emptied(scene: Scene): Promise<void> {
  await scene.page.evaluate(() => {
    const height = document.querySelector(".rows")?.clientHeight ?? 0;
    document.body.innerHTML = `<div id="empty"><div></div></div>`;
    const view = document.querySelector<HTMLElement>("#empty");
    const rows = view?.firstElementChild as HTMLElement;
    view?.style.setProperty("height", "100vh");
    view?.style.setProperty("overflow", "auto");
    rows.style.setProperty("height", `${height}px`);
    view?.scrollTo(0, height);
  });
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export async function main(): Promise<void> {
  const theatre = await Theatre.open();
  const paints = [];
  let frames: Frames | undefined;
  let empty: Frames | undefined;
  for (let time = 0; time < TIMES; time += 1) {
    const scene = await theatre.scene();
    paints.push(await painted(scene));
    if (time === TIMES - 1) {
      await scene.settled();
      frames = await scrolled(scene, ".viewport");
      await emptied(scene);
      empty = await scrolled(scene, "#empty");
    }
    await scene.close();
  }
  await theatre.close();
  const [first, whole] = [middle(paints.map((each) => each.first)), middle(paints.map((each) => each.whole))];
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(
    `timeline, ${MESSAGES} messages (${paints[0]?.events} events, ${paints[0]?.megabytes.toFixed(1)} MB), middle of ${TIMES}`,
  );
  print(`  first paint            ${ms(first)}   goal ${GOAL} ms: ${first <= GOAL ? "kept" : "missed"}`);
  print(`  last message on screen ${ms(whole)}`);
  print(
    `  scrolling, ${FRAMES} frames  median ${frames?.median.toFixed(1)} ms, late ${frames?.late}, worst ${ms(frames?.worst ?? 0)}`,
  );
  print(
    `  an empty page          median ${empty?.median.toFixed(1)} ms, late ${empty?.late}, worst ${ms(empty?.worst ?? 0)}`,
  );
}
