import { defineConfig } from "vitest/config";

// Only what runs without an editor: pure models, and the wire against the real server.
export default defineConfig({
  test: {
    include: ["src/test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
