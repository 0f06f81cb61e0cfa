/** Runs to look at: short, with everything in it, in Chinese and Japanese, full of code, full of trouble, and long. */
import type { Envelope } from "../../protocol/generated";
import { Story } from "../webview/story";

const PLAN = `The checkout drops discounts because \`applyCoupons\` runs before taxes are known. Steps:

1. In \`src/checkout/total.ts\`, move the call of \`applyCoupons()\` after \`taxFor()\`; keep the signature.
2. Add a test in \`src/checkout/total.test.ts\`: a 10 % coupon on a cart of 20.00 with 19 % VAT gives **21.42**.
3. Run \`npm test -- checkout\` and report its output as it is.

It is done when all tests in \`src/checkout\` pass and \`git diff --stat\` names these two files only.`;

const RESULT = `Both files are changed, and the new test passes.

\`\`\`ts
export function total(cart: Cart, coupons: readonly Coupon[]): Money {
  const net = sum(cart.items.map((item) => item.price * item.count));
  // Taxes first: a coupon is a part of what is paid, not of the goods.
  const gross = net + taxFor(net, cart.country);
  return applyCoupons(gross, coupons);
}
\`\`\`

| file | lines |
| --- | --- |
| \`src/checkout/total.ts\` | +4 −3 |
| \`src/checkout/total.test.ts\` | +18 |

$ npm test -- checkout
PASS src/checkout/total.test.ts (1.2 s)
  total
    ✓ sums items (3 ms)
    ✓ applies a coupon after taxes (1 ms)

Tests: 14 passed, 14 total`;

/** Two rounds with a question, a check and an end. */
export function everyday(): Story {
  const story = new Story()
    .start(
      "Coupons are lost at checkout when a country has VAT. Find out why, fix it, and add a test that would have caught it.",
    )
    .prompt("PLANNER", "task")
    .after(38)
    .say("PLANNER", "plan", PLAN, "I have read the checkout code and its tests. The order of two calls is wrong.")
    .used("PLANNER", 18_400, 1_210, 0.11)
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .after(21)
    .state("EXECUTER", "blocked", "Allow npm test?")
    .question({
      role: "EXECUTER",
      title: "codex asks to run a command",
      text: "$ npm test -- checkout\n\nReason: run the tests of the checkout as the plan says",
      choices: [
        { id: "allow", label: "Allow once" },
        { id: "always", label: "Always in this run" },
        { id: "deny", label: "Deny", danger: true },
      ],
    })
    .after(9)
    .event({ type: "attentionAnswered", attentionId: "a1", choice: "allow", by: "user" })
    .event({ type: "keysRequested", keysId: "k1", role: "EXECUTER", keys: ["y"], purpose: "answer" })
    .event({ type: "keysSent", keysId: "k1", role: "EXECUTER", sent: true, detail: "" })
    .after(47)
    .say("EXECUTER", "result", RESULT, "The change is small. I ran only the tests of the checkout.")
    .used("EXECUTER", 31_200, 2_480, 0.19)
    .turnEnded("EXECUTER")
    .event({ type: "checkpointTaken", round: 1, files: 2, insertions: 22, deletions: 3 })
    .prompt("PLANNER")
    .after(14)
    .say(
      "PLANNER",
      "revision",
      "The test covers one coupon. Add a case with **two** coupons, of which one has expired, and run the whole suite.",
      "Nearly.",
    )
    .used("PLANNER", 22_000, 300, 0.06)
    .turnEnded("PLANNER")
    .round(2)
    .prompt("EXECUTER")
    .after(12)
    .say("EXECUTER", "status", "Writing the second case; the fixtures have no expired coupon yet, so I add one.")
    .after(33)
    .say(
      "EXECUTER",
      "result",
      "Added `twoCouponsOneExpired` and a fixture.\n\n- [x] new case passes\n- [x] whole suite passes\n- [ ] no snapshot changed: one did, `receipt.snap:12`, because totals are right now",
      "",
    )
    .used("EXECUTER", 36_000, 1_900, 0.2)
    .turnEnded("EXECUTER")
    .event({ type: "checkpointTaken", round: 2, files: 3, insertions: 41, deletions: 1 })
    .event({ type: "gateStarted", commands: ["npm test", "npm run lint"] })
    .after(11)
    .event({
      type: "gateFinished",
      passed: true,
      results: [
        { command: "npm test", exitCode: 0, seconds: 8.4, tail: "Tests: 231 passed, 231 total" },
        { command: "npm run lint", exitCode: 0, seconds: 2.6, tail: "" },
      ],
    })
    .prompt("PLANNER")
    .after(8)
    .say(
      "PLANNER",
      "complete",
      "Coupons are applied **after** taxes now. Two tests cover it; the whole suite passes, one snapshot was corrected.",
      "",
    )
    .used("PLANNER", 24_000, 180, 0.06)
    .turnEnded("PLANNER");
  return story.end("completed", {
    summary:
      "<COMPLETE>\nCoupons are applied **after** taxes now. Two tests cover it; the whole suite passes, one snapshot was corrected.\n</COMPLETE>",
  });
}

/** In the middle of a run: a question is open, the executer waits. */
export function asking(): Story {
  return new Story("run-1", Date.now() - 140_000)
    .start("Make the importer read the new bank format.")
    .prompt("PLANNER", "task")
    .after(31)
    .say(
      "PLANNER",
      "plan",
      "1. Read `docs/bank-format.md`.\n2. Extend `importer/parse.py` with the new columns.\n3. Run `pytest importer`.",
      "",
    )
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .after(44)
    .say("EXECUTER", "status", "The new format has two date columns. I take the booking date.")
    .after(12)
    .state("EXECUTER", "blocked", "Do you want to make this edit to parse.py?")
    .question({
      role: "EXECUTER",
      title: "claude asks to change a file",
      text: "Edit importer/parse.py\n\n  41 -    booked = row['date']\n  41 +    booked = row.get('booking_date') or row['date']\n\nDo you want to make this edit to parse.py?",
      choices: [
        { id: "allow", label: "Yes" },
        { id: "always", label: "Yes, and do not ask again" },
        { id: "deny", label: "No", danger: true },
      ],
    })
    .question({
      kind: "question",
      title: "The planner asks",
      role: "PLANNER",
      text: "Are amounts in the old files in cents or in euros? `sample-2019.csv` and `sample-2023.csv` disagree.",
      freeText: true,
    });
}

/** An executer works at this moment. */
export function working(): Story {
  return new Story("run-1", Date.now() - 95_000)
    .start("Write a small module slugify.py that turns a title into the last part of a web address, with a test.")
    .prompt("PLANNER", "task")
    .after(20)
    .say(
      "PLANNER",
      "plan",
      "1. Write `slugify.py`.\n2. Write `test_slugify.py` and run it.",
      "A small module with a test. This is how I would do it:",
    )
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .after(30);
}

const TRACE = `Traceback (most recent call last):
  File "/home/me/projects/shop/importer/parse.py", line 88, in <module>
    main()
  File "/home/me/projects/shop/importer/parse.py", line 71, in main
    rows = [Row.of(line) for line in reader]
KeyError: 'booking_date'`;

/** Everything that can go wrong did. */
export function trouble(): Story {
  return new Story()
    .start("Upgrade the web framework to the next major version.", { PLANNER: "claude", EXECUTER: "opencode" })
    .prompt("PLANNER", "task")
    .after(50)
    .say("PLANNER", "plan", "Upgrade in three steps: dependencies, code mods, tests.", "")
    .turnEnded("PLANNER")
    .round(1)
    .ask("EXECUTER")
    .event({
      type: "promptUncertain",
      promptId: "run-1.p2",
      to: "EXECUTER",
      reason: "the pane was redrawn while the text was pasted",
    })
    .question({
      kind: "uncertain",
      role: "EXECUTER",
      title: "Did the executer get the plan?",
      text: "PoliTerm typed the prompt, but the agent's own record does not have it and its screen does not show it.",
      choices: [
        { id: "again", label: "Send again" },
        { id: "there", label: "It has it" },
      ],
    })
    .after(20)
    .event({ type: "attentionAnswered", attentionId: "a1", choice: "again", by: "user" })
    .prompt("EXECUTER")
    .after(80)
    .event({
      type: "messageRefused",
      from: "EXECUTER",
      reason: "the header is not JSON",
      excerpt: '[[POLI:MSG {"to":"PLANNER","type":result}]]',
    })
    .turnEnded("EXECUTER")
    .event({ type: "nudged", role: "EXECUTER", count: 1, reason: "its turn ended without a result" })
    .prompt("EXECUTER", "nudge")
    .after(35)
    .state("EXECUTER", "limited", "You have reached your usage limit. Resets at 14:00.")
    .event({ type: "limitReached", limit: "idle", role: "EXECUTER", detail: "no sign of life for 15 minutes" })
    .event({ type: "runPaused", reason: "the executer reached its idle limit", by: "run" })
    .after(600)
    .event({
      type: "runConfigured",
      limits: { rounds: 30, perRole: {} },
      agents: { EXECUTER: { name: "claude", legacy: false, resumable: true, turnEnd: "known" } },
    })
    .event({ type: "runResumed", reason: "" })
    .state("EXECUTER", "dead", "exit code 137")
    .event({
      type: "recovered",
      what: "agent",
      role: "EXECUTER",
      contextLost: true,
      detail: "The program was killed (signal 9).",
    })
    .event({ type: "agentStarting", role: "EXECUTER", agent: "claude", incarnation: 2, resume: false })
    .event({ type: "agentReady", role: "EXECUTER", pane: "%4", incarnation: 2, resumed: false })
    .prompt("EXECUTER")
    .after(70)
    .say(
      "EXECUTER",
      "error",
      `The code mod fails on one file:\n\n\`\`\`\n${TRACE}\n\`\`\`\n\nI stopped before the third step.`,
    )
    .turnEnded("EXECUTER", "failed")
    .event({
      type: "gateFinished",
      passed: false,
      results: [
        { command: "pytest -q", exitCode: 1, seconds: 41.7, tail: `${TRACE}\n2 failed, 118 passed in 41.32s` },
        { command: "ruff check .", exitCode: 0, seconds: 0.4, tail: "All checks passed!" },
      ],
    })
    .event({ type: "limitReached", limit: "usd", detail: "$20.00 of $20.00" })
    .end("limit", { reason: "The run's cost reached its limit of $20.00." });
}

const DIFF = `\`\`\`diff
--- a/server/app.py
+++ b/server/app.py
@@ -10,7 +10,9 @@
 def create_app() -> App:
-    app = App()
+    app = App(lifespan=lifespan)
+    app.add_middleware(Compress, minimum=1024)
     return app
\`\`\``;

const LONG_CODE = `\`\`\`python
from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """How often and how long to wait; seconds."""

    times: int = 5
    first: float = 0.2
    factor: float = 2.0

    def delays(self) -> list[float]:
        return [self.first * self.factor**n for n in range(self.times)]


async def fetch(url: str, retry: Retry = Retry()) -> bytes:
    # The last failure is the one that is told.
    for delay in retry.delays():
        try:
            return await get(url)
        except ConnectionError:
            await asyncio.sleep(delay)
    raise ConnectionError(f"no answer from {url!r} after {retry.times} tries")
\`\`\``;

export function code(): Story {
  return new Story("run-1", Date.now() - 96_000)
    .start("Add retries to the client, and compress responses.")
    .prompt("PLANNER", "task")
    .after(25)
    .say(
      "PLANNER",
      "plan",
      `## Client\n\nWrite this, with a test for the delays:\n\n${LONG_CODE}\n\n## Server\n\n${DIFF}\n\n> Keep the public names as they are.\n\nThen \`make check\`; see [the guide](https://example.com/guide) and \`server/app.py:12\`.`,
    )
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .after(70)
    .say(
      "EXECUTER",
      "result",
      `Done.\n\n\`\`\`json\n{ "retries": 5, "compress": true, "sizes": [1024, 2048] }\n\`\`\`\n\n\`\`\`bash\nfor n in 1 2 3; do\n  curl -s localhost:8000/health | jq .status   # "ok"\ndone\n\`\`\`\n\n${"A line of a long report that goes on and on, with `code` and more.\n\n".repeat(24)}`,
    )
    .turnEnded("EXECUTER");
}

export function cjk(): Story {
  return new Story("run-1", Date.now() - 58_000)
    .start("设置页面在窄窗口里会溢出，请修复并补充测试。日本語の表示も確認してください。")
    .prompt("PLANNER", "task")
    .after(25)
    .say(
      "PLANNER",
      "plan",
      "1. 在 `src/settings/layout.css` 中把固定宽度改为 `minmax(0, 1fr)`。\n2. 为 320 像素宽的窗口添加测试。\n3. 运行 `npm test`，并原样报告输出。",
      "我已经看过布局代码，问题出在固定宽度上。",
    )
    .turnEnded("PLANNER")
    .round(1)
    .prompt("EXECUTER")
    .after(30)
    .say(
      "EXECUTER",
      "result",
      "修正しました。幅３２０ピクセルでもはみ出しません。テストを二つ追加し、すべて成功しています。長い文章がどのように折り返されるかを確かめるために、もう少し文字を続けて書いておきます。",
      "レイアウトを直しました。",
    )
    .turnEnded("EXECUTER");
}

const BODIES = [
  "The parser keeps the last token. Next: error positions.\n\n1. Add `span` to every node.\n2. Print it in messages.\n3. Run the tests.",
  RESULT,
  "All green. Go on with the next file.",
  PLAN,
  `It fails:\n\n\`\`\`\n${TRACE}\n\`\`\`\n\nThe column is missing in old files. I make it optional.`,
  LONG_CODE,
];

/** One message more, for a run that has events up to the one before `seq`. */
export function goingOn(runId: string, seq: number): Envelope[] {
  const story = new Story(runId, Date.now())
    .say("EXECUTER", "result", `${RESULT}\n\nThis came at ${seq}.`)
    .turnEnded("EXECUTER");
  return story.envelopes.map((envelope, at) => ({ ...envelope, seq: seq + at }));
}

/** A run with so many messages, with all the events around them that a server sends. */
export function long(messages: number): Story {
  const story = new Story()
    .start("Go through the whole repository, file by file, and modernise it.")
    .prompt("PLANNER", "task");
  for (let at = 0; at < messages; at += 2) {
    const body = BODIES[(at / 2) % BODIES.length] ?? "";
    story
      .after(20)
      .say(
        "PLANNER",
        at === 0 ? "plan" : "continue",
        `${body}\n\nThis is piece ${at / 2 + 1}.`,
        at % 3 === 0 ? "Looking at the next file." : "",
      )
      .used("PLANNER", 4_000, 300, 0.02)
      .turnEnded("PLANNER")
      .round(at / 2 + 1)
      .prompt("EXECUTER")
      .after(40)
      .say("EXECUTER", "result", BODIES[(at / 2 + 3) % BODIES.length] ?? "")
      .used("EXECUTER", 9_000, 700, 0.05)
      .turnEnded("EXECUTER")
      .prompt("PLANNER");
  }
  return story;
}
