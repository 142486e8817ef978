import { arenaOf } from "../compile/arena.js";
import type { Host, Plan } from "../compile/plan.js";
import { everyStep } from "../compile/work.js";
import type { Outside } from "../kernel/expr/block.js";
import { type Blas, type Gemm, gemmImport } from "./blas.js";
import { Code, ModuleBuilder } from "./encode.js";
import { costOfRounds } from "./program/cost.js";
import { Driver, isShared } from "./program/driver.js";
import { Kernels, type Numerics } from "./program/kernels.js";
import { Layout } from "./program/layout.js";
import { emitBarrier } from "./threads/barrier.js";

export interface EmitOptions extends Numerics {
  /** Computes the large products; null: the module itself does. */
  readonly blas: Blas | null;
  readonly shared: boolean;
  readonly pages: readonly [number, number];
  /** How many threads may run it at most. */
  readonly threads: number;
  /** Buffers that lie outside the arena: words say where, see `Layout.pointers`. */
  readonly elsewhere: ReadonlySet<number>;
  /** Where the memory of the plan begins: for so many bytes. */
  readonly allocate: (bytes: number) => number;
}

/** A plan as code, with what it needs of the world. */
export interface EmittedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  /** Imported functions by name; `host` and `alarm` aside. */
  readonly calls: ReadonlyMap<string, Outside | Gemm>;
  /** What `host(k)` means. */
  readonly hosts: readonly Host[];
  /** Whether more than one thread has work. */
  readonly threaded: boolean;
  /** Nanoseconds of one thread, roughly. */
  readonly cost: number;
  wat(): string;
}

/** Emits one module for a plan: functions for its steps, and a driver `run(tid, threads)` that calls them in order. */
export function emitProgram(plan: Plan, options: EmitOptions): EmittedProgram {
  const { shared, pages, threads, elsewhere, allocate, numerics, relaxed, blas } = options;
  const builder = new ModuleBuilder();
  const host = builder.importFunction("host", ["i32"], []);
  const alarm = builder.importFunction("alarm", [], []);
  const kernels = new Kernels(builder, { numerics, relaxed });
  for (const step of everyStep(plan.rounds)) {
    if (step.kind === "group") kernels.importCalls(step);
    else if (step.kind === "matmul" && blas) kernels.importGemm(step, blas);
  }
  const barrier = emitBarrier(builder, shared);
  const needs = kernels.measure(plan.rounds);
  const layout = new Layout(plan, arenaOf(plan, elsewhere), elsewhere, { ...needs, threads }, allocate);
  const run = new Code(["i32", "i32"], []);
  const { hosts } = new Driver(run, kernels, layout, { host, alarm, barrier }, plan.rounds);
  builder.add(run, "the steps in order", "run");
  return {
    bytes: builder.bytes({ shared, pages }),
    layout,
    calls: new Map<string, Outside | Gemm>([
      ...[...kernels.calls].map(([name, { run }]) => [name, run] as const),
      ...[...kernels.gemms].map(([dtype, { run }]) => [gemmImport(dtype), run] as const),
    ]),
    hosts,
    threaded: isShared(plan.rounds),
    cost: costOfRounds(plan.rounds),
    wat: () => builder.wat(),
  };
}
