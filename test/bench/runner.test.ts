import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { check } from "../../bench/check.js";
import { type Line, standing } from "../../bench/line.js";
import { measure } from "../../bench/measure.js";
import { measureSizes, sizesTable } from "../../bench/sizes.js";
import { ratiosTable, timesTable } from "../../bench/tables.js";
import { quantile, timed } from "../../bench/timing.js";
import type { Workload } from "../../bench/workload.js";

const about = { peer: "samplegrad", version: "0", threads: 1 };

/** A step that does nothing; its number is the number of steps taken. */
function counting(name: string, how: Workload["check"]): Workload {
  const start = () => {
    let steps = 0;
    return {
      step: () => {
        steps++;
      },
      numbers: () => [steps],
    };
  };
  return { name, check: how, variants: [{ name: "raw", start }] };
}

const values = (workload: Workload, reps: number): unknown =>
  [...measure(workload, about, { scale: "full", reps })].map((line) => line.value_check);

test("checks see the steps they ask for, whatever is timed", () => {
  expect(values(counting("W6", { kind: "last", steps: 20 }), 7)).toEqual([{ value: 20, expected: 399.177, ok: false }]);
  expect(values(counting("mine", { kind: "mean", steps: 4 }), 7)).toEqual([{ value: 2.5 }]);
  expect(values(counting("mine", { kind: "halves" }), 20)).toEqual([{ value: [1, 23], ok: false }]);
  expect(values(counting("mine", { kind: "halves" }), 19)).toEqual([undefined]);
});

test("a value is right within the tolerances, all of its numbers", () => {
  const [a, b] = [4.1427624026322745, -4.060983880580363];
  expect(check("W3", [a + 0.06, b]).ok).toBe(true);
  expect(check("W3", [a + 0.063, b]).ok).toBe(false);
  expect(check("W3", [a, b - 0.063]).ok).toBe(false);
  expect(check("W3", [a]).ok).toBe(false);
  expect(check("W3", [Number.NaN, b]).ok).toBe(false);
});

test("a variant that throws gives a line with the reason", () => {
  const workload: Workload = {
    name: "mine",
    variants: [
      {
        name: "raw",
        start: () => {
          throw new Error("no such operation");
        },
      },
    ],
  };
  expect([...measure(workload, about, { scale: "small" })]).toEqual([
    { ...about, workload: "mine", variant: "raw", ms_per_step_median: null, reason: "no such operation" },
  ]);
});

test("quantiles are NumPy's", () => {
  // numpy.quantile([3, 1, 4, 1.5, 9], [0, .1, .5, .9])
  expect([0, 0.1, 0.5, 0.9].map((p) => quantile([3, 1, 4, 1.5, 9], p))).toEqual([1, 1.2, 3, 7]);
});

test("the clock counts repetitions and not the steps before", () => {
  let steps = 0;
  const { reps } = timed(() => steps++, { inner: 10, warm: 2, reps: 3 });
  expect([reps, steps]).toEqual([3, 32]);
});

const line = (peer: string, workload: string, ms: number | null, p10?: number): Line => ({
  ...about,
  peer,
  workload,
  ms_per_step_median: ms,
  p10,
});

test("a short step stands by its tenth percentile, a long one by its median", () => {
  expect(standing(line("a", "W1-1", 5, 3.9))).toBe(3.9);
  expect(standing(line("a", "W1-1", 5, 4.1))).toBe(5);
  expect(standing(line("a", "W1-1", null))).toBe(null);
});

test("ratios are of the best lines; what is missing is a dash", () => {
  const text = ratiosTable(
    [line("me", "W3", 8, 7), line("me", "W3", 5, 4.5), line("you", "W3", 15, 12), line("they", "W3", null)],
    "me",
  );
  expect(text.split("\n")[3]).toBe("│ W3       │ 5.00 │ 15.0 (3.00 ×) │    – │");
});

test("the table says what is wrong, and why something is missing", () => {
  const wrong = { ...line("me", "W6", 8, 7), value_check: { value: 3, expected: 4, ok: false } };
  const text = timesTable([wrong, { ...line("me", "W5", null), reason: "needs Gamma" }]);
  expect(text).toContain("WRONG 3");
  expect(text).toContain("needs Gamma");
});

const folder = mkdtempSync(join(tmpdir(), "bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function bench(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  return new Promise((done) => {
    const program = ["--import", "tsx", resolve("bench/main.ts"), ...args];
    execFile(process.execPath, program, { env: { ...process.env, ...env } }, (error, out, err) =>
      done({ status: Number(error?.code ?? 0), out, err }),
    );
  });
}

const lines = (text: string): Line[] =>
  text
    .split("\n")
    .filter((row) => row !== "")
    .map((row) => JSON.parse(row) as Line);

const timing = ["ms_per_step_median", "p10", "p90", "min", "cpu_ms_per_step"] as const;

test("--json prints a line for each variant of each workload", async () => {
  const { status, out } = await bench(["--json", "--quick", "--threads", "1", "--reps", "1", "--only", "W1-1,W5,W8"]);
  expect(status).toBe(0);
  const found = lines(out);
  expect(found.map(({ workload, variant }) => [workload, variant])).toEqual([
    ["W1-1", "distributions"],
    ["W1-1", "raw"],
    ["W5", undefined],
    ["W8", "raw"],
  ]);
  for (const each of found) {
    expect(each).toMatchObject({ peer: "samplegrad", threads: 1 });
    if (each.workload === "W5") expect(each.reason).toBe("needs Gamma (distributions)");
    else for (const key of timing) expect([key, each[key]]).toEqual([key, expect.any(Number)]);
  }
  expect(found.filter(({ env_steps_per_s: rate }) => rate !== undefined).map(({ workload }) => workload)).toEqual([
    "W8",
  ]);
});

test("a wrong command line ends with status 2 and one line", async () => {
  expect(await bench(["--only", "X"])).toMatchObject({
    status: 2,
    out: "",
    err: expect.stringMatching(/^option.*\n$/),
  });
});

test("peers are run beside, and missing ones are named", async () => {
  const script = join(folder, "peer.mjs");
  const theirs = { ...line("torch", "W10", 50, 40), version: "1", threads: 1 };
  writeFileSync(script, `console.log(${JSON.stringify(JSON.stringify(theirs))});`);
  const missing = { ...line("jax", "W10", null), version: null, reason: "import failed" };
  const other = join(folder, "missing.mjs");
  writeFileSync(other, `console.log(${JSON.stringify(JSON.stringify(missing))});`);
  // In place of Python something that runs the script whatever its arguments are.
  const runs = (name: string, file: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${file}"\n`, { mode: 0o755 });
    return path;
  };
  const env = { PEERS_TORCH_PYTHON: runs("torch", script), PEERS_JAX_PYTHON: runs("jax", other) };
  const args = ["--json", "--quick", "--reps", "1", "--only", "W10", "--threads", "1", "--peers", folder];
  const { status, out, err } = await bench(args, env);
  expect(status).toBe(0);
  expect(lines(out).map(({ peer, workload }) => [peer, workload])).toEqual([
    ["samplegrad", "W10"],
    ["samplegrad", "W10"],
    ["torch", "W10"],
  ]);
  expect(err).toContain("without jax: import failed");
  expect(err).toContain("without jax-js: ");
  expect(err).toContain("without tfjs: ");
});

test("sizes are given for the core, everything and the engine, with a verdict on the budget", async () => {
  const sizes = await measureSizes();
  expect(sizes.map(({ name }) => name.split(",")[0])).toEqual(["core", "grad", "everything", "the engine"]);
  for (const { minified, gzipped, folders } of sizes) {
    expect(gzipped).toBeLessThan(minified);
    expect(folders.length).toBeGreaterThan(0);
  }
  const [core] = sizes;
  expect(core?.budget).toBe(60_000);
  expect(sizesTable(sizes)).toContain((core?.gzipped ?? 0) <= 60_000 ? "60.0 pass" : "60.0 FAIL");
});
