import { fail } from "../base/errors.js";
import type { CondParams } from "../control/branch.js";
import type { ScanParams } from "../control/loop.js";
import type { Tensor } from "../graph/tensor.js";
import { installRuntime, type Runtime } from "../graph/trace.js";
import { ancestors } from "../graph/walk.js";
import { features } from "../wasm/threads/features.js";
import { engine } from "./engine.js";
import { reference } from "./reference.js";

/** Operations on single numbers from which compiling pays for a graph that runs once: some hundredths of a second of the interpreter. */
const worthCompiling = 4e6;
/** Compiling a graph takes some tens of microseconds a node; larger ones are interpreted. */
const mostNodes = 100_000;

/**
 * What runs once is interpreted unless it is long; what is prepared to run again is compiled. The choice hangs on the graph alone, so
 * that equal programs give equal bits.
 */
const wasm: Runtime = {
  name: "wasm",
  interpreter: reference,
  run: (outputs, feeds) => forOnce(outputs).run(outputs, feeds),
  prepare: (outputs, inputs) => forMany(outputs).prepare(outputs, inputs),
};

/** Who computes a graph that runs once. */
function forOnce(outputs: readonly Tensor[]): Runtime {
  return isLong(outputs) ? engine : reference;
}

/** Who computes a graph that runs again and again. */
function forMany(outputs: readonly Tensor[]): Runtime {
  return ancestors(outputs).length > mostNodes ? reference : engine;
}

/** Whether a runtime compiles a graph. @param again whether it is prepared to run again and again */
export function compiles(runtime: Runtime, outputs: readonly Tensor[], again: boolean): boolean {
  return runtime === engine || (runtime === wasm && (again ? forMany(outputs) : forOnce(outputs)) === engine);
}

/** Installs "wasm" where the machine can, "reference" elsewhere. */
export function installDefault(): void {
  installRuntime(features().simd ? wasm : reference);
}

const runtimes = { wasm, reference } as const;

function isLong(outputs: readonly Tensor[]): boolean {
  const nodes = ancestors(outputs, isOpen);
  return nodes.length <= mostNodes && workOf(nodes) > worthCompiling;
}

function isOpen(node: Tensor): boolean {
  return node.value === null;
}

/** Operations on single numbers. */
function workOf(nodes: readonly Tensor[]): number {
  return nodes.reduce((work, node) => (isOpen(node) && node.primitive !== null ? work + ownWork(node) : work), 0);
}

function ownWork(node: Tensor): number {
  const { lower, name } = node.primitive as NonNullable<Tensor["primitive"]>;
  if (lower.kind === "loop") {
    const { body, length } = node.params as ScanParams;
    return length * workOf(ancestors(body.outputs));
  }
  if (lower.kind === "branch")
    return Math.max(...(node.params as CondParams).branches.map(({ outputs }) => workOf(ancestors(outputs))));
  const inner = name === "matmul" ? (node.inputs[0]?.shape.at(-1) ?? 1) : 1;
  return inner * Math.max(node.size, ...node.inputs.map(({ size }) => size));
}

/**
 * Who computes from now on. "wasm", the default where the machine has WebAssembly SIMD: programs that run again and again are compiled to
 * one WebAssembly module each. "reference": the interpreter. Both agree to rounding.
 * @throws on any other name, or where the machine has no WebAssembly SIMD
 */
export function setRuntime(name: "wasm" | "reference"): void {
  const runtime = Object.hasOwn(runtimes, name) ? runtimes[name] : undefined;
  if (runtime === undefined)
    fail({ where: "setRuntime", got: JSON.stringify(name) ?? "nothing", expected: '"wasm" or "reference"' });
  if (runtime === wasm && !features().simd)
    fail({
      where: "setRuntime",
      got: '"wasm" on a machine without WebAssembly SIMD',
      expected: "an engine of 2021 or later",
      write: 'setRuntime("reference")',
    });
  installRuntime(runtime);
}
