import { fail } from "../../base/errors.js";
import { memory } from "../memory.js";
import { features } from "./features.js";
import { canStartWorkers, cores } from "./platform.js";
import { Pool, type PoolOptions, type Runnable, WorkersLost } from "./pool.js";
import { warnOnce } from "./warn.js";

/** An instantiated plan, on this thread and, from its first parallel run on, on the workers. */
export interface Program {
  /** Of the instance of this thread. */
  readonly exports: WebAssembly.Exports;
  /** Runs the part of thread `tid` of `threads`; run(0, 1) is the whole step. */
  readonly run: (tid: number, threads: number) => void;
  readonly threaded: boolean;
  readonly runnable: Runnable;
  /** Nobody runs it any more: workers may forget it. */
  drop(): void;
}

export interface ProgramOptions {
  /** Whether workers may take part; false where a loop calls a function that only this thread has. */
  readonly threaded?: boolean;
}

export interface RunOptions {
  /**
   * Puts the inputs of the plan back as they were before the step. Called before the step is computed once more on this thread, because
   * workers stopped answering in its middle. Without it such a step throws.
   */
  readonly again?: () => void;
  /** How long this may wait for workers that are starting or have not got the program yet, in ms. */
  readonly wait?: number;
}

/** More threads than this gain little in steps of a few milliseconds. */
const most = 8;

/** Sources of functions that workers make for themselves, by the names of their imports. */
const provided = new Map<string, string>();

let wanted: number | "auto" = "auto";
let pool: Pool | null = null;
let poolOptions: PoolOptions = {};
/** Threads are off until somebody asks for them again: the pool was lost, or could not be made. */
let broken = false;
/** A step is running on all threads: steps inside it (functions that read) run alone. */
let running = false;
/** Somebody inside that step asked for other threads. */
let stopping = false;
let programs = 0;
let together = 0;

/** How many steps all threads have computed so far. */
export function stepsTogether(): number {
  return together;
}

/** Why steps cannot run on several threads here; null: they can. */
function obstacle(): string | null {
  if (!canStartWorkers()) return "there are no workers here";
  if (features().threads) return null;
  return (
    "SharedArrayBuffer is missing; a page has it when it is cross-origin isolated, that is, served with the headers " +
    "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp"
  );
}

/**
 * How many threads compute a step; "auto", the default: the cores of the machine, at most 8. Results are the same bits for every
 * number. Threads start when a step is large enough for them.
 * @throws where n is not a whole number from 1 on
 */
export function setThreads(n: number | "auto"): void {
  if (n !== "auto" && !(Number.isInteger(n) && n >= 1 && n <= 256))
    fail({ where: "setThreads", got: String(n), expected: 'a whole number from 1 to 256, or "auto"' });
  wanted = n;
  stopPool();
  const reason = n !== "auto" && n > 1 ? obstacle() : null;
  if (reason !== null) warnOnce(reason);
}

/** How many threads compute a large step. */
export function threads(): number {
  if (broken || obstacle() !== null) return 1;
  return wanted === "auto" ? Math.max(1, Math.min(most, cores())) : wanted;
}

/** Ends the workers, after the step they are in; the next large step starts others. @param options of those (tests) */
export function stopPool(options: PoolOptions = {}): void {
  poolOptions = options;
  broken = false;
  stopping = running;
  if (running) return;
  pool?.retire();
  pool = null;
}

/** Whether workers spin now, so that a step begins on them within a microsecond; waking them takes 12 to 70. */
export function hot(): boolean {
  return pool?.hot ?? false;
}

/** Whether a function that a module imports under this name exists on every thread. */
export function runsAnywhere(name: string): boolean {
  return provided.has(name) || (name.startsWith("Math.") && name.slice(5) in Math);
}

/**
 * Gives workers a function of their own. @param source a JavaScript expression of `require` (in Node) and `memory` (WebAssembly.Memory)
 * whose value is the function
 */
export function provideInWorkers(name: string, source: string): void {
  provided.set(name, source);
}

/** Instantiates a plan whose module exports run(tid: i32, threads: i32). @param imports functions it imports from `env`, of this thread */
export function program(
  module: WebAssembly.Module,
  imports: Readonly<Record<string, WebAssembly.ImportValue>> = {},
  { threaded = true }: ProgramOptions = {},
): Program {
  const { exports } = new WebAssembly.Instance(module, { env: { ...imports, memory: memory().wasm } });
  const run = exports["run"] as Program["run"];
  const own = WebAssembly.Module.imports(module).filter(({ name }) => provided.has(name));
  const sources = Object.fromEntries(own.map(({ name }) => [name, provided.get(name) as string]));
  const runnable = { id: programs++, module, provided: sources, run };
  return { exports, run, threaded, runnable, drop: () => dropProgram(runnable.id) };
}

/** As `Program.drop`, for those who may not hold the program: it is dropped once nobody can reach it. */
export function dropProgram(id: number): void {
  pool?.drop(id);
}

/**
 * Computes a step on all threads, or on this one alone while the others are not ready. Imported functions other than those of
 * `runsAnywhere` may be called by thread 0 only. Returns how many threads took part.
 * @throws what any thread threw
 */
export function runOnAll(step: Program, { again, wait = 0 }: RunOptions = {}): number {
  const on = step.threaded && !running ? current() : null;
  if (on === null || !on.prepare(step.runnable, wait)) {
    if (on !== null && on.lost !== null) abandon(on.lost);
    step.run(0, 1);
    return 1;
  }
  running = true;
  try {
    on.run(step.runnable);
    together++;
    return on.threads;
  } catch (error) {
    if (on.lost !== null) abandon(on.lost);
    if (!(error instanceof WorkersLost)) throw error;
  } finally {
    running = false;
    if (stopping) stopPool(poolOptions);
  }
  if (again === undefined)
    fail({
      where: "threads",
      what: "a worker stopped answering in the middle of a step that changes its own inputs",
      write: "start again from what was saved last; steps run on one thread from here on",
    });
  again();
  step.run(0, 1);
  return 1;
}

/** The pool, started if need be; null: there is but one thread. */
function current(): Pool | null {
  if (pool !== null) return pool;
  const count = threads();
  if (count === 1) return null;
  try {
    pool = new Pool(count, poolOptions);
  } catch (error) {
    abandon(`workers could not be started (${error instanceof Error ? error.message : String(error)})`);
  }
  return pool;
}

function abandon(why: string): void {
  pool = null;
  broken = true;
  warnOnce(why);
}
