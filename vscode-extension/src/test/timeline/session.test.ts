import path from "node:path";
import { describe, expect, test } from "vitest";
import { Log } from "../../model/log";
import type { ServerState } from "../../protocol/api";
import type { Envelope } from "../../protocol/generated";
import { pageDocument } from "../../timeline/document";
import { within } from "../../timeline/places";
import { rawText } from "../../timeline/rawText";
import { Declined, Session } from "../../timeline/session";
import { emptyTimeline, reduce } from "../../webview/model/fold";
import type { Act, ToPage } from "../../webview/transport/messages";
import { Story } from "../webview/story";

/** A server's run behind a real log, and the page in front of the session. */
class House {
  readonly told: ToPage[] = [];
  readonly done: Act[] = [];
  readonly stored: Envelope[];
  serverState: ServerState = { phase: "ready" };
  wish: (act: Act) => Promise<void> = async (act) => void this.done.push(act);
  private readonly log: Log;
  private readonly watchers = new Set<(change: { what: string }) => void>();
  readonly session: Session;

  constructor(story: Story, upTo = story.envelopes.length) {
    this.stored = story.envelopes.slice(0, upTo);
    this.log = new Log(async (after, limit) => ({
      events: this.stored.slice(after, after + limit),
      last: this.stored.length,
    }));
    this.session = new Session(
      "run-1",
      { ...this.source(), serverState: this.serverState },
      {
        post: (message) => this.told.push(message),
        perform: (act) => this.wish(act),
        readOnly: false,
      },
    );
  }

  happens(envelope: Envelope): void {
    this.stored.push(envelope);
    this.log.told(envelope);
  }

  events(): Envelope[] {
    return this.told.flatMap((message) => (message.type === "events" ? message.events : []));
  }

  async until(found: () => boolean): Promise<void> {
    for (let turn = 0; turn < 200 && !found(); turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(found()).toBe(true);
  }

  last<T extends ToPage["type"]>(type: T): Extract<ToPage, { type: T }> | undefined {
    return this.told.findLast((message): message is Extract<ToPage, { type: T }> => message.type === type);
  }

  private source(): ConstructorParameters<typeof Session>[1] {
    return {
      serverState: this.serverState,
      follow: (_runId, reader, after) => this.log.add(reader, after ?? 0),
      onChange: (listener) => {
        this.watchers.add(listener);
        return { dispose: () => this.watchers.delete(listener) };
      },
    };
  }
}

const story = (): Story =>
  new Story().start("Fix it.").prompt("PLANNER", "task").say("PLANNER", "plan", "Do this.").round(1);

describe("a page and its host", () => {
  test("nothing is told before the page is ready; then the run, its events, and that it is all", async () => {
    const house = new House(story());
    expect(house.told).toEqual([]);
    house.session.heard({ type: "ready", after: 0 });
    await house.until(() => house.last("connection")?.state === "live");
    expect(house.told.map((message) => message.type)).toEqual(["run", "connection", "events", "connection"]);
    expect(reduce(emptyTimeline("run-1"), house.events())).toEqual(reduce(emptyTimeline("run-1"), story().envelopes));
  });

  test("a page that is made anew gets what it lacks, and what comes", async () => {
    const whole = story();
    const house = new House(whole, 6);
    house.session.heard({ type: "ready", after: 4 });
    await house.until(() => house.last("connection")?.state === "live");
    for (const envelope of whole.envelopes.slice(6)) {
      house.happens(envelope);
    }
    expect(house.events().map((each) => each.seq)).toEqual(whole.envelopes.slice(4).map((each) => each.seq));
    house.session.heard({ type: "missing", after: 8 });
    expect(house.events().at(-1)?.seq).toBe(whole.envelopes.length);
  });

  test("prompts and primers stay at home", async () => {
    const house = new House(story());
    house.session.heard({ type: "ready", after: 0 });
    await house.until(() => house.events().length > 0);
    expect(JSON.stringify(house.events())).not.toContain("the whole prompt again");
    expect(JSON.stringify(house.events())).toContain("Do this.");
  });

  test("a place to go to waits until the page has it", async () => {
    const house = new House(story());
    house.session.show(5);
    expect(house.last("reveal")).toBeUndefined();
    house.session.heard({ type: "ready", after: 0 });
    await house.until(() => house.last("reveal") !== undefined);
    expect(house.told.at(-1)).toEqual({ type: "reveal", seq: 5 });
  });

  test("what is asked for is done, or it is said why not", async () => {
    const house = new House(story());
    house.session.heard({ type: "act", id: 1, act: { do: "pause" } });
    await house.until(() => house.last("done")?.id === 1);
    expect(house.done).toEqual([{ do: "pause" }]);
    house.wish = () => Promise.reject(new Error("The run has ended."));
    house.session.heard({ type: "act", id: 2, act: { do: "pause" } });
    await house.until(() => house.last("done")?.id === 2);
    expect(house.last("done")?.failed).toBe("The run has ended.");
    house.wish = () => Promise.reject(new Declined());
    house.session.heard({ type: "act", id: 3, act: { do: "stop" } });
    await house.until(() => house.last("done")?.id === 3);
    expect(house.last("done")?.failed).toBe("");
  });

  test("what is no message of a page does nothing", () => {
    const house = new House(story());
    house.session.heard({ type: "act", id: 1, act: { do: "openLink", href: "command:workbench.action.quit" } });
    house.session.heard("ready");
    expect(house.told).toEqual([]);
  });
});

test("a file is looked for within the folders only", () => {
  const folders = ["/home/me/a", "/home/me/b/"];
  expect(within("src/x.py", folders, path.posix)).toEqual(["/home/me/a/src/x.py", "/home/me/b/src/x.py"]);
  expect(within("/home/me/a/x.py", folders, path.posix)).toEqual(["/home/me/a/x.py"]);
  expect(within("../secret", folders, path.posix)).toEqual([]);
  expect(within("/etc/passwd", folders, path.posix)).toEqual([]);
  expect(within("../ab/x", ["/home/me/a"], path.posix)).toEqual([]);
});

test("the page's policy allows one script and nothing from elsewhere", () => {
  const html = pageDocument({
    source: "https://files",
    script: "https://files/a.js",
    style: "https://files/a.css",
    nonce: "n0",
  });
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|img-src|connect-src/);
  expect(html.match(/<script/g)).toHaveLength(1);
});

test("raw text is the event's own words", () => {
  const texts = story().envelopes.map(rawText);
  expect(texts).toContain("<PLAN>\nDo this.\n</PLAN>");
  expect(texts).toContain("Fix it.");
  expect(texts.at(-1)).toContain('"roundStarted"');
});
