import { defineConfig } from "@playwright/test";
import { ARTEFACTS, installed } from "./places";

/** Two slow cores run an editor, a browser, a server, tmux and agents: patience costs nothing when all goes well. */
const PATIENCE = 30_000;

export default defineConfig({
  testDir: "specs",
  globalSetup: "./prepare.ts",
  outputDir: `${ARTEFACTS}/results`,
  // A real editor on a busy machine: a second and third try are allowed, and the closing line says when one was needed.
  retries: 2,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: PATIENCE },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"], ["html", { outputFolder: `${ARTEFACTS}/report`, open: "never" }]],
  use: {
    actionTimeout: PATIENCE,
    navigationTimeout: PATIENCE,
    viewport: { width: 1440, height: 900 },
    screenshot: "only-on-failure",
    trace: "on-first-retry",
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      executablePath: installed().browser,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
