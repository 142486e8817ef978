import { fail } from "../base/errors.js";
import { arenaOf } from "../compile/arena.js";
import { counted } from "../compile/columns.js";
import { describePlan } from "../compile/describe.js";
import { lower } from "../compile/lower.js";
import type { Plan } from "../compile/plan.js";
import { everyStep, workOfRounds } from "../compile/work.js";
import type { Tensor } from "../graph/tensor.js";
import { currentRuntime, insideTransform, installRuntime, type Runtime } from "../graph/trace.js";
import { ancestors } from "../graph/walk.js";
import { currentBlas } from "../wasm/blas.js";
import { memory } from "../wasm/memory.js";
import { costOfRounds, costOfStep } from "../wasm/program/cost.js";
import { isShared } from "../wasm/program/driver.js";
import { emitProgram } from "../wasm/program.js";
import { features } from "../wasm/threads/features.js";
import { threads } from "../wasm/threads/index.js";
import { compiles } from "./choose.js";
import { passedBuffers } from "./passing.js";

/** Totals of one call of a program. */
export interface ProgramTotals {
  /** How often it was called. */
  readonly calls: number;
  readonly steps: number;
  readonly buffers: number;
  readonly arenaBytes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;
  /** An estimate for one thread. */
  readonly nanoseconds: number;
  /** Names of the operations that are computed outside of the compiled code. */
  readonly host: readonly string[];
}

/** One compiled program that was called: totals, a text that names every step, and its code. */
export interface ProgramReport {
  readonly totals: ProgramTotals;
  readonly text: string;
  /** WebAssembly text. Addresses count from the beginning of the memory of the program. */
  readonly wat: string;
}

/** What `explainPlan` found: as data and as text (`String(…)`). */
export interface PlanExplanation {
  /** The compiled programs, in the order in which they ran first. */
  readonly programs: readonly ProgramReport[];
  /** Graphs that the interpreter computed, short ones that were read once among them, and the operations in them. */
  readonly interpreted: { readonly graphs: number; readonly operations: number };
  readonly text: string;
  /** The code of all programs. */
  readonly wat: string;
  toString(): string;
}

/**
 * Calls `f` and says what was computed in it: for every compiled program its fused loops, products, buffers, bytes and operations. What
 * is compiled is what runs again and again (functions of `compile`, expectations) and what takes long; the interpreter does the rest.
 * @throws inside a transform, or where f gives a Promise
 */
export function explainPlan(f: () => unknown): PlanExplanation {
  if (insideTransform())
    fail({
      where: "explainPlan",
      got: "a call inside a transform, where nothing is computed",
      expected: "a call outside",
      write: "explainPlan(() => g(x)) with g = grad(f), compile(f), …",
    });
  const before = currentRuntime();
  const watch = new Watch(before);
  installRuntime(watch);
  let result: unknown;
  try {
    result = f();
  } finally {
    if (currentRuntime() === watch) installRuntime(before);
  }
  if (result instanceof Promise) {
    result.catch(() => undefined);
    fail({
      where: "explainPlan",
      got: "a Promise from f",
      expected: "a function that computes before it returns",
      write: "explainPlan(() => g(x))",
    });
  }
  return watch.explanation();
}

/** A graph that was compiled. It is lowered when it is first called: reading may change it. */
class Seen implements ProgramReport {
  calls = 0;
  private readonly outputs: readonly Tensor[];
  private readonly inputs: readonly Tensor[];
  private readonly plan: Plan;
  private readonly elsewhere: ReadonlySet<number>;

  constructor(outputs: readonly Tensor[], inputs: readonly Tensor[]) {
    this.outputs = outputs;
    this.inputs = inputs;
    this.plan = lower(outputs, inputs);
    this.elsewhere = passedBuffers(this.plan);
  }

  get totals(): ProgramTotals {
    const { calls, plan, elsewhere } = this;
    const steps = [...everyStep(plan.rounds)];
    const { read, written, flops } = workOfRounds(plan.rounds);
    return {
      calls,
      steps: steps.length,
      buffers: plan.buffers.length,
      arenaBytes: arenaOf(plan, elsewhere).bytes,
      bytesRead: read,
      bytesWritten: written,
      flops,
      nanoseconds: costOfRounds(plan.rounds),
      host: [...new Set(steps.flatMap((step) => (step.kind === "host" ? [step.primitive.name] : [])))],
    };
  }

  get text(): string {
    const { plan, inputs, outputs, elsewhere } = this;
    return describePlan(plan, {
      inputs,
      outputs,
      elsewhere,
      threads: threads(),
      timeOf: costOfStep,
      isShared: (step, inLoop) => isShared([[step]], inLoop),
    });
  }

  get wat(): string {
    const { shared, pages } = memory();
    const { wat } = emitProgram(this.plan, {
      numerics: "exact",
      relaxed: features().relaxedSimd,
      blas: currentBlas(),
      shared,
      pages,
      threads: threads(),
      elsewhere: this.elsewhere,
      allocate: () => 0,
    });
    return wat();
  }
}

/** A runtime that has all done by another one, and remembers what. */
class Watch implements Runtime {
  readonly name: string;
  readonly interpreter: Runtime;
  private readonly inner: Runtime;
  private readonly seen: Seen[] = [];
  private graphs = 0;
  private operations = 0;

  constructor(inner: Runtime) {
    this.name = inner.name;
    this.inner = inner;
    this.interpreter = inner.interpreter ?? inner;
  }

  run: Runtime["run"] = (outputs, feeds) => {
    // Reading cuts off what a node was made of: what is to be said of it is found before.
    if (compiles(this.inner, outputs, false)) {
      const seen = new Seen(outputs, [...feeds.keys()]);
      seen.calls = 1;
      this.seen.push(seen);
    } else this.interpreted(outputs);
    return this.inner.run(outputs, feeds);
  };

  prepare: Runtime["prepare"] = (outputs, inputs) => {
    const prepared = this.inner.prepare(outputs, inputs);
    if (!compiles(this.inner, outputs, true))
      return (values) => {
        this.interpreted(outputs);
        return prepared(values);
      };
    let seen: Seen | null = null;
    return (values) => {
      if (seen === null) {
        seen = new Seen(outputs, inputs);
        this.seen.push(seen);
      }
      seen.calls++;
      return prepared(values);
    };
  };

  private interpreted(outputs: readonly Tensor[]): void {
    const isOpen = (node: Tensor): boolean => node.value === null;
    this.graphs++;
    this.operations += ancestors(outputs, isOpen).filter((node) => isOpen(node) && node.primitive !== null).length;
  }

  explanation(): PlanExplanation {
    const programs = this.seen;
    const interpreted = { graphs: this.graphs, operations: this.operations };
    const text = (): string => textOf(programs, interpreted);
    return {
      programs,
      interpreted,
      get text(): string {
        return text();
      },
      get wat(): string {
        return programs.map((program, i) => `;; ${titleOf(program, i, programs.length)}\n${program.wat}`).join("\n\n");
      },
      toString: text,
    };
  }
}

function textOf(programs: readonly ProgramReport[], { graphs, operations }: PlanExplanation["interpreted"]): string {
  const parts = programs.map((program, i) => `${titleOf(program, i, programs.length)}\n\n${program.text}`);
  const rest = `${counted(graphs, "graph")} of ${counted(operations, "operation")} in all`;
  if (graphs > 0) parts.push(`Interpreted: ${rest}.`);
  return parts.length === 0 ? "Nothing was computed." : parts.join("\n\n");
}

function titleOf({ totals: { calls } }: ProgramReport, i: number, all: number): string {
  const which = all === 1 ? "" : ` ${i + 1} of ${all}`;
  return `Compiled program${which}, called ${calls === 1 ? "once" : `${calls} times`}`;
}
