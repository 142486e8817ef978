import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** Prints `N passed, N failed[, N skipped]` alone on the last line of the run, for scripts and for people in a hurry. */
export default class LastLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const line = summary(modules, unhandled.length);
    // The default reporter still has its own summary to write; the line must come after it.
    process.once("exit", () => process.stdout.write(`${line}\n`));
  }
}

/**
 * A file that does not load, a hook that throws and an error outside of any test each count as one failure:
 * a run that exits with 1 must not end with "0 failed".
 */
function summary(modules: readonly TestModule[], unhandledErrors: number): string {
  let passed = 0;
  let failed = unhandledErrors;
  let skipped = 0;
  for (const module of modules) {
    if (module.errors().length > 0) failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") passed += 1;
      else if (state === "failed") failed += 1;
      else skipped += 1;
    }
  }
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
