import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import "../../src/index.js";
import { backend } from "../../src/wasm/backend.js";
import { memory, type Region } from "../../src/wasm/memory.js";
import {
  hot,
  program,
  provideInWorkers,
  runOnAll,
  runsAnywhere,
  setThreads,
  stopPool,
  threads,
} from "../../src/wasm/threads/index.js";
import { workerSource } from "../../src/wasm/threads/workerSource.js";
import { game, gameInJs, gameUnits, meet, moduleOf, normalise, normaliseInJs, ownUnits } from "./threadsRun.js";

/** Long enough for workers to start on a busy machine; nothing waits as long where all goes well. */
const wait = 20_000;

const i32 = (region: Region): Int32Array =>
  memory()
    .views()
    .i32.subarray(region.address / 4, (region.address + region.bytes) / 4);
const f32 = (region: Region): Float32Array =>
  memory()
    .views()
    .f32.subarray(region.address / 4, (region.address + region.bytes) / 4);
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Long runs, which take minutes while other processes have the cores. */
const full = process.env["CHECK_FULL"] !== undefined;

/** The row that the game begins with. */
const opening = Int32Array.from({ length: 2 * gameUnits }, (_, i) => i * i + 1);
const board = memory().allocate(8 * gameUnits);

const warned: string[] = [];
const listen = ({ message }: Error): void => void warned.push(message);

beforeEach(() => {
  warned.length = 0;
  process.on("warning", listen);
});

afterEach(() => {
  process.off("warning", listen);
  setThreads("auto");
});

/** A module in which thread 1 (and thread 0, in its turn) does something between two barriers. */
const between = (what: (code: Parameters<Parameters<typeof moduleOf>[0]>[0]) => void): WebAssembly.Module =>
  moduleOf((code, barrier) => {
    meet(code, barrier);
    what(code);
    meet(code, barrier);
  });

/** Plays once and says how many threads did. */
function played(rounds: number, options: Parameters<typeof runOnAll>[1] = { wait }): number {
  i32(board).set(opening);
  const step = program(game(board, rounds));
  const took = runOnAll(step, options);
  step.drop();
  expect(i32(board)).toEqual(gameInJs(opening, rounds));
  return took;
}

describe("steps on several threads", () => {
  // Where threads share a core they take turns: a barrier costs them a thousand times as much.
  it.each([
    [2, full ? 100_000 : 20_000],
    [3, full ? 100_000 : 2_000],
  ])("%i threads meet at %i barriers", (n, barriers) => {
    setThreads(n);
    expect(played(barriers)).toBe(n);
  });

  it("computes the same bits on 1, 2 and 3 threads", () => {
    const [units, length] = [37, 50];
    const [x, partial] = [memory().allocate(4 * units * length), memory().allocate(4 * units)];
    const start = Float32Array.from({ length: units * length }, (_, i) => Math.sin(i * i) + 1.5);
    const step = program(normalise(x, partial, units, length));
    const seen = [1, 2, 3].map((n) => {
      setThreads(n);
      f32(x).set(start);
      return [runOnAll(step, { wait }), new Uint8Array(f32(x).slice().buffer)];
    });
    const right = new Uint8Array(normaliseInJs(start, units, length).buffer);
    expect(seen).toEqual([1, 2, 3].map((n) => [n, right]));
  });

  it("runs thousands of steps, with workers spinning and sleeping in between", async () => {
    setThreads(2);
    i32(board).set(opening);
    const [odd, even] = [program(game(board, 1)), program(game(board, 2))];
    runOnAll(odd, { wait });
    let right = gameInJs(opening, 1);
    for (let i = 1; i < (full ? 10_000 : 2_000); i++) {
      const step = i % 3 === 0 ? odd : even;
      if (runOnAll(step, { wait }) !== 2) throw new Error(`step ${i} ran alone`);
      right = gameInJs(right, i % 3 === 0 ? 1 : 2);
      if (i % 500 === 0) await later(1);
    }
    expect(i32(board)).toEqual(right);
  });

  it("runs alone while workers are starting, and never waits for them unless told", () => {
    setThreads(2);
    expect(hot()).toBe(false);
    expect(played(3, {})).toBe(1);
    expect(played(3)).toBe(2);
    expect(played(3, {})).toBe(1);
  });

  it("runs alone where it is told to, and where there is one thread", () => {
    setThreads(2);
    i32(board).set(opening);
    expect(runOnAll(program(game(board, 5), {}, { threaded: false }), { wait })).toBe(1);
    setThreads(1);
    expect(played(5)).toBe(1);
  });

  it("lets a function of thread 0 run steps of its own and change the number of threads", () => {
    setThreads(2);
    const seen: unknown[] = [];
    const host = (): void => {
      seen.push(played(7));
      setThreads(3);
      seen.push(threads());
    };
    const outer = moduleOf(
      (code, barrier, [callee]) => {
        meet(code, barrier);
        code
          .get(0)
          .op("i32.eqz")
          .if(() => code.call(callee as { index: number }));
        meet(code, barrier);
      },
      ["host"],
    );
    expect(runOnAll(program(outer, { host }), { wait })).toBe(2);
    expect(seen).toEqual([1, 3]);
    expect(played(7)).toBe(3);
  });

  it("makes workers forget a plan that is dropped", () => {
    const size = 2048;
    const counting = "(programs.delete(message.drop), Atomics.store(words, 512, programs.size))";
    stopPool({ source: workerSource.replace("programs.delete(message.drop)", counting) });
    memory().views().i32[size / 4] = -1;
    // One drop is read with the program that follows.
    for (let i = 0; i < 20; i++) expect(played(3)).toBe(threads());
    expect(memory().views().i32[size / 4]).toBe(threads() === 1 ? -1 : 0);
    const step = program(game(board, 2));
    for (let i = 0; i < 3; i++) {
      runOnAll(step, { wait });
      step.drop();
    }
  });
});

describe("errors in a step", () => {
  const host = ["host"];
  const onThread = (tid: number): WebAssembly.Module =>
    moduleOf((code, barrier, [callee]) => {
      meet(code, barrier);
      code
        .get(0)
        .i32(tid)
        .op("i32.eq")
        .if(() => code.call(callee as { index: number }));
      meet(code, barrier);
      meet(code, barrier);
    }, host);

  beforeEach(() => {
    setThreads(3);
    expect(played(2)).toBe(3);
  });

  /** The pool is as good as before. */
  afterEach(() => {
    expect(played(50)).toBe(3);
    expect(warned).toEqual([]);
  });

  it("throws the very object that a function of thread 0 threw", () => {
    const thrown = { any: "thing" };
    const step = program(onThread(0), {
      host: () => {
        throw thrown;
      },
    });
    let caught: unknown = null;
    try {
      runOnAll(step, { wait });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(thrown);
  });

  it("throws where a worker calls a function that only thread 0 has", () => {
    const step = program(onThread(2), { host: () => {} });
    for (let i = 0; i < 2; i++)
      expect(() => runOnAll(step, { wait })).toThrow("host was called by thread 2; only thread 0 has it");
  });

  it("throws what a function of a worker threw, however long and strange", () => {
    const text = '"\\\u0000\ud83d'.repeat(1000);
    provideInWorkers(
      "strange",
      `() => { const e = new TypeError(${JSON.stringify(text)}); e.stack = e.message; throw e; }`,
    );
    provideInWorkers("number", "() => { throw 5; }");
    const module = (name: string): WebAssembly.Module =>
      moduleOf((code, _, [callee]) => void code.get(0).if(() => code.call(callee as { index: number })), [name]);
    const thrown = (name: string): Error => {
      try {
        runOnAll(program(module(name), { [name]: () => {} }), { wait });
      } catch (error) {
        return error as Error;
      }
      throw new Error("nothing was thrown");
    };
    const { name, message } = thrown("strange");
    expect([name, message]).toEqual(["TypeError", text.slice(0, 300)]);
    expect(thrown("number").message).toBe("5");
    expect([
      runsAnywhere("strange"),
      runsAnywhere("Math.sin"),
      runsAnywhere("Math.sine"),
      runsAnywhere("host"),
    ]).toEqual([true, true, false, false]);
  });

  it.each([0, 1, 2])("throws the trap of thread %i", (tid) => {
    const early = between((code) =>
      code
        .get(0)
        .i32(tid)
        .op("i32.eq")
        .if(() => code.i32(1).i32(0).op("i32.div_s").op("drop")),
    );
    const late = moduleOf((code) =>
      code
        .get(0)
        .i32(tid)
        .op("i32.eq")
        .if(() => code.i32(1).i32(0).op("i32.div_s").op("drop")),
    );
    for (const module of [early, late]) {
      const step = program(module);
      for (let i = 0; i < 20; i++) {
        const run = (): number => runOnAll(step, { wait });
        expect(run).toThrow(WebAssembly.RuntimeError);
        expect(run).toThrow("divide by zero");
      }
    }
  });

  it("throws where every thread traps", () => {
    const step = program(between((code) => code.op("unreachable")));
    for (let i = 0; i < 20; i++) expect(() => runOnAll(step, { wait })).toThrow("unreachable");
  });
});

it("calls functions of Math and provided ones on every thread", () => {
  setThreads(2);
  const out = memory().allocate(8 * 8);
  provideInWorkers(
    "mark",
    `() => { new Int32Array(memory.buffer)[${out.address / 4} + 1] = require("node:os").EOL.length; }`,
  );
  const module = moduleOf((code, _, [mark]) => ownUnits(code, 2, () => code.call(mark as { index: number })), ["mark"]);
  const mark = (): void => void i32(out).fill(7, 0, 1);
  i32(out).fill(0);
  expect(runOnAll(program(module, { mark }), { wait })).toBe(2);
  expect([...i32(out).subarray(0, 2)]).toEqual([7, 1]);
});

describe("workers that fail", () => {
  /** Runs until the loss is noticed: a worker's end is an event. */
  async function noticed(): Promise<void> {
    for (let i = 0; i < 400 && threads() > 1; i++) {
      expect(played(4, {})).toBe(1);
      await later(5);
    }
    await later(0);
  }

  const calling = "programs.get(request)(start.tid, start.threads)";
  const sleeping = (ms: string): string =>
    `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0${ms}); ${calling}`;

  it.each([
    ["throw", 'throw new Error("boom")', "a worker could not go on (boom)"],
    ["exit", "process.exit(3)", "a worker could not go on (it ended with exit code 3)"],
    ["never wait for work", "setInterval(() => {}, 1e6)", "workers did not start in time"],
    [
      "cannot be made",
      5 as unknown as string,
      "workers could not be started (The property 'options.eval' must be false when 'filename' is not a string. Received true)",
    ],
  ])("at the start (%s): one thread goes on, after one warning", async (_, source, why) => {
    const startWithin = why.endsWith("in time") ? 50 : 20_000;
    setThreads(3);
    stopPool({ source, startWithin });
    await noticed();
    expect(threads()).toBe(1);
    expect(warned).toEqual([`samplegrad runs on one thread: ${why}`]);
    stopPool({ source, startWithin });
    await noticed();
    expect(warned.length).toBe(1);
    setThreads(2);
    expect(played(4)).toBe(2);
  });

  it.each([
    ["sleeps", sleeping(""), 100],
    ["computes for ever", `for (;;); ${calling}`, 100],
    ["comes too late", sleeping(", 300"), 10_000],
  ])("in a step (%s): it is computed again on one thread", async (_, instead, grace) => {
    setThreads(3);
    stopPool({ source: workerSource.replace(calling, instead), patience: 50, grace });
    expect(played(9, { wait, again: () => i32(board).set(opening) })).toBe(1);
    expect(threads()).toBe(1);
    expect(played(9)).toBe(1);
    await later(0);
    expect(warned.every((text) => text === "samplegrad runs on one thread: a worker stopped answering")).toBe(true);
    setThreads(3);
    expect(played(9)).toBe(3);
  });

  it("in a step whose inputs nobody puts back: it throws, and later steps run on one thread", () => {
    setThreads(2);
    stopPool({ source: workerSource.replace(calling, sleeping("")), patience: 50, grace: 100 });
    expect(() => played(9)).toThrow(
      "threads: a worker stopped answering in the middle of a step that changes its own inputs; " +
        "start again from what was saved last; steps run on one thread from here on.",
    );
    expect(played(9)).toBe(1);
  });
});

it("refuses numbers of threads that make no sense", () => {
  for (const bad of [0, -1, 1.5, 257, Number.NaN])
    expect(() => setThreads(bad)).toThrow(`setThreads: got ${bad}, expected a whole number from 1 to 256, or "auto".`);
  setThreads(5);
  expect(backend()).toMatchObject({ threads: 5, simd: true, sharedMemory: true, blas: null });
});

describe("a process of its own", () => {
  const folder = mkdtempSync(join(tmpdir(), "samplegrad-"));
  const bundle = join(folder, "child.mjs");

  beforeAll(async () => {
    const entryPoints = ["test/wasm/threadsChild.ts"];
    await build({ entryPoints, outfile: bundle, bundle: true, minify: true, format: "esm", platform: "node" });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** What it prints; it has to end by itself. */
  function printed(...args: readonly string[]): string {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 40_000 });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
    return stdout.trim();
  }

  it("ends although its workers are parked (from a bundle)", () => {
    expect(printed(bundle, "exits")).toBe("3 true");
  });

  it("ends although its workers are parked (from the sources)", () => {
    expect(printed("--import", "tsx", "test/wasm/threadsChild.ts", "exits")).toBe("3 true");
  });

  it("runs in what knows browsers only: Worker, Blob and no modules of Node", () => {
    expect(printed(bundle, "page")).toBe("2 true");
  });

  it("gives regions back when their owners are collected", () => {
    expect(printed("--expose-gc", bundle, "frees")).toBe("256000 0 1088 a result");
  });
});
