import { fail } from "../base/errors.js";
import type { NDArray } from "../kernel/ndarray.js";
import type { Tensor } from "./tensor.js";

/**
 * What is going on around the code that builds a graph: how many transforms are open (then reading keeps the inputs of a node, or
 * the gradient would be cut silently), who draws samples, who wants to hear of reads, and the runtime that reads numbers.
 */
let depth = 0;

export function insideTransform(): boolean {
  return depth > 0;
}

/** The latest result of each black box with a state, within the outermost transform; outside there is no order to keep. */
let calls = new Map<unknown, Tensor>();

export function lastCall(): Map<unknown, Tensor> {
  return depth > 0 ? calls : new Map();
}

let steps: readonly Tensor[] = [];

/** The steps (uint32 []) of the loops around the code that is traced, the outermost first: what noise inside them is numbered by. */
export function loopSteps(): readonly Tensor[] {
  return steps;
}

let bodies = 0;

/** Whether the body of a loop or a branch is being traced. */
export function insideBody(): boolean {
  return bodies > 0;
}

/** Traces the body of a loop, with its step, or of a branch (null). Black boxes with a state have no place in it. */
export function looping<T>(where: string, step: Tensor | null, body: () => T): T {
  const [before, around] = [calls, steps];
  calls = new Map();
  if (step !== null) steps = [...steps, step];
  bodies++;
  try {
    const result = body();
    if (calls.size > 0)
      fail({
        where,
        what: "an external function with a state was called inside; the graph cannot keep its calls in order",
        write: "external(f, { pure: true }) if it has no state, or a JavaScript loop around it",
      });
    return result;
  } finally {
    bodies--;
    calls = before;
    steps = around;
  }
}

/** Runs `body` inside one more transform. An async body is an error: its later half would run outside. */
export function transforming<T>(where: string, body: () => T): T {
  if (depth === 0) calls = new Map();
  depth++;
  try {
    const result = body();
    if (result instanceof Promise) {
      // The promise may reject later for the same reason; it is ours to silence.
      result.catch(() => undefined);
      fail({
        where,
        got: "a Promise from the program",
        expected: "a value: a program is traced once and must be synchronous",
        write: "gather what is awaited first and pass it in data, or record draws outside and pass them as given",
      });
    }
    return result;
  } finally {
    depth--;
  }
}

export interface Runtime {
  readonly name: string;
  /** The numbers of the outputs. Placeholders are looked up in `feeds`. */
  run(outputs: readonly Tensor[], feeds: ReadonlyMap<Tensor, NDArray>): NDArray[];
  /** The same graph for many values of `inputs`. */
  prepare(outputs: readonly Tensor[], inputs: readonly Tensor[]): Prepared;
  /** Who runs the bodies of loops and branches that are interpreted. Default: this one. */
  readonly interpreter?: Runtime;
}

/** From the numbers of the inputs to those of the outputs. */
export type Prepared = (values: readonly NDArray[]) => NDArray[];

let runtime: Runtime | null = null;

export function installRuntime(next: Runtime): void {
  runtime = next;
}

export function currentRuntime(): Runtime {
  return runtime ?? fail({ where: "read", what: "no runtime is installed", write: 'import from "samplegrad"' });
}

let eager = false;

/** Whether black boxes are called as soon as they are met: in a dynamic program, whose order of calls is the order of events. */
export function callsAtOnce(): boolean {
  return eager;
}

export function callingAtOnce<T>(body: () => T): T {
  const before = eager;
  eager = true;
  try {
    return body();
  } finally {
    eager = before;
  }
}

/** Dynamic programs listen to reads: a number that was read may steer everything built later. */
export type ReadListener = (node: Tensor) => void;
const listeners: ReadListener[] = [];

export function listening<T>(listener: ReadListener, body: () => T): T {
  listeners.push(listener);
  try {
    return body();
  } finally {
    listeners.pop();
  }
}

/** To all of them: what a program inside another one reads may depend on samples of the outer one. */
export function announceRead(node: Tensor): void {
  for (const listener of [...listeners]) listener(node);
}
