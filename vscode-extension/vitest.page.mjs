import { defineConfig } from "vitest/config";

// The timeline's page in a real browser: Chromium, at CHROMIUM or where Debian puts it.
export default defineConfig({
  test: {
    include: ["src/test/page/**/*.page.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
