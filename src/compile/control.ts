import { sizeOf } from "../base/shape.js";
import type { CondParams } from "../control/branch.js";
import type { ScanParams } from "../control/loop.js";
import type { Tensor, Type } from "../graph/tensor.js";
import type { Place, Rounds, Stacked, Step } from "./plan.js";
import type { Around } from "./program.js";

/** Which parts of a loop or branch are taken, and by what nodes. */
type Parts = ReadonlyMap<number, readonly Tensor[]>;

/** A place that moves on by a row with each step of a loop. */
function rowOf(place: Place, cell: number, stride: number): Place {
  return { ...place, rows: [...place.rows, { cell, stride }] };
}

/**
 * A scan: carries live in buffers of their own, which are filled before the first row and after each; stacked inputs are read and stacked
 * results written where their row lies.
 */
export function lowerLoop(level: Around, node: Tensor, round: number, parts: Parts): void {
  const params = node.params as ScanParams;
  const { body, carries, stacked, length, reverse, alive } = params;
  const { program } = level;
  const cell = program.cells++;
  const types = node.parts as readonly Type[];
  const own = body.inputs.slice(0, carries).map((x) => program.buffer(x.dtype, x.size));
  node.inputs.slice(0, carries).forEach((x, k) => {
    copy(level, round, x, level.place(x), own[k] as Place);
  });
  const given = new Map<Tensor, Place>(body.inputs.map((x, k) => [x, level.place(node.inputs[k] as Tensor)]));
  body.inputs.forEach((x, k) => {
    if (k < carries) given.set(x, own[k] as Place);
    else if (k < carries + stacked) given.set(x, rowOf(level.place(node.inputs[k] as Tensor), cell, x.size));
  });
  const results = [...parts.keys()]
    .filter((k) => k >= carries)
    .map((k) => stackedResult(level, types[k] as Type, k, parts));
  for (const [k, takers] of parts) if (k < carries) for (const taker of takers) level.setPlace(taker, own[k] as Place);
  const outputs = [...body.outputs.slice(0, carries), ...results.map(({ index }) => body.outputs[index] as Tensor)];
  const to = [...own, ...results.map(({ place, size }) => rowOf(place, cell, size))];
  const rounds = bodyRounds(level, given, outputs, to, carries);
  level.add(round + 0.5, {
    kind: "loop",
    length,
    reverse,
    cell,
    rounds,
    alive: alive === null ? null : { place: own[alive] as Place, size: (body.inputs[alive] as Tensor).size },
    stacked: results,
  });
}

function stackedResult(level: Around, type: Type, index: number, parts: Parts): Stacked & { readonly index: number } {
  const size = sizeOf(type.shape.slice(1));
  const place = level.program.buffer(type.dtype, sizeOf(type.shape));
  for (const taker of parts.get(index) ?? []) level.setPlace(taker, place);
  return { place, dtype: type.dtype, size, index };
}

/** @param kept how many of the first outputs are read, as they were, by others: these are written last */
function bodyRounds(
  level: Around,
  given: ReadonlyMap<Tensor, Place>,
  outputs: readonly Tensor[],
  to: readonly Place[],
  kept: number,
): Rounds {
  const destinations = new Map<Tensor, Place>();
  outputs.forEach((node, k) => {
    if (k >= kept && !destinations.has(node)) destinations.set(node, to[k] as Place);
  });
  const { places, rounds } = level.inner(given, outputs, destinations);
  const [first, last]: [Step[], Step[]] = [[], []];
  outputs.forEach((node, k) => {
    const [from, goal] = [places[k] as Place, to[k] as Place];
    if (same(from, goal) || node.size === 0) return;
    const step = (a: Place, b: Place): Step => ({ kind: "copy", dtype: node.dtype, from: a, to: b, size: node.size });
    // A carry that becomes another one must be read before that one is written.
    if (k < kept && to.slice(0, kept).some((other) => same(other, from))) {
      const between = level.program.buffer(node.dtype, node.size);
      first.push(step(from, between));
      last.push(step(between, goal));
    } else (k < kept ? last : first).push(step(from, goal));
  });
  return [...rounds, first, last].filter((steps) => steps.length > 0);
}

function same(a: Place, b: Place): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function copy(level: Around, round: number, { dtype, size }: Tensor, from: Place, to: Place): void {
  if (size > 0) level.add(round, { kind: "copy", dtype, from, to, size });
}

/** A cond: both sides write their results to the same places. */
export function lowerBranch(level: Around, node: Tensor, round: number, parts: Parts): void {
  const { branches } = node.params as CondParams;
  const [condition, ...operands] = node.inputs as [Tensor, ...Tensor[]];
  const types = node.parts as readonly Type[];
  const places = [...parts].map(([k, takers]) => {
    const type = types[k] as Type;
    const place = level.program.buffer(type.dtype, sizeOf(type.shape));
    for (const taker of takers) level.setPlace(taker, place);
    return { k, place };
  });
  const sides = branches.map((body) => {
    const given = new Map(body.inputs.map((x, k) => [x, level.place(operands[k] as Tensor)]));
    const outputs = places.map(({ k }) => body.outputs[k] as Tensor);
    return bodyRounds(
      level,
      given,
      outputs,
      places.map(({ place }) => place),
      0,
    );
  });
  level.add(round, {
    kind: "branch",
    condition: level.place(condition),
    sides: sides as unknown as readonly [Rounds, Rounds],
  });
}
