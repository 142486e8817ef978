import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfigFnObject } from "vitest/config";
import { TinyFirst } from "./tools/sequencer.js";

/** `--mode full` (npm run check:full) sets CHECK_FULL, which turns on the long suites and the larger sample sizes. */
const config: ViteUserConfigFnObject = defineConfig(({ mode }) => ({
  // Tests and examples name the package as a user does; without a build that name means the sources.
  resolve: { alias: { samplegrad: fileURLToPath(new URL("./src/index.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    // Processes, not threads: a test may start worker threads of its own, and a crash stays in its file.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: TinyFirst },
    reporters: ["default", "./tools/reporter.ts"],
    env: mode === "full" ? { CHECK_FULL: "1" } : {},
  },
}));

export default config;
