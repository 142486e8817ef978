import { isFloat } from "../../src/base/dtype.js";
import { everyNode } from "../../src/graph/body.js";
import { type AnyPrimitive, apply, placeholder, smoothness, type Tensor } from "../../src/graph/tensor.js";
import { ancestors, substitute } from "../../src/graph/walk.js";
import { dense, elements, type NDArray } from "../../src/kernel/ndarray.js";
import { engine } from "../../src/runtime/engine.js";
import { reference } from "../../src/runtime/reference.js";

/**
 * The engine against the reference, which agree to rounding. Where a program decides by numbers (comparisons, floor, argmax, ...) a number
 * near a tie may fall on the other side: such a decision of the reference is then forced into both, and counted.
 */
export interface Count {
  /** Elements of decisions met, and of those that had to be forced. */
  decided: number;
  forced: number;
  graphs: number;
}

/** The largest number a tensor may be off, in float32 and float64, for numbers of size 1. */
const unit = { float32: 2 ** -24, float64: 2 ** -53 } as const;

const wholeOf = (value: NDArray): boolean => !isFloat(value.dtype);

/** Numbers whose inputs are each off by some units in the last place: what the reference itself makes of rounding. */
function jittered(values: readonly NDArray[], seed: number): NDArray[] {
  let state = seed + 1;
  const roll = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return values.map((value) => {
    if (wholeOf(value)) return value;
    const u = unit[value.dtype as "float32"];
    const data = elements(value).map((x) => x + 8 * u * roll() * Math.max(Math.abs(x), 1e-3));
    return dense(data, value.dtype, value.shape);
  });
}

/** The first element that differs by more than rounding, in words; null: none does. */
function difference(
  found: readonly NDArray[],
  expected: readonly NDArray[],
  moved: readonly NDArray[][],
  u: number,
): string | null {
  for (const [k, value] of expected.entries()) {
    const other = found[k] as NDArray;
    if (other.dtype !== value.dtype || `${other.shape}` !== `${value.shape}`)
      return `output ${k} is ${other.dtype}[${other.shape}], expected ${value.dtype}[${value.shape}]`;
    const [x, y] = [elements(other), elements(value)];
    const shifts = moved.map((run) => elements(run[k] as NDArray));
    const bound = wholeOf(value) ? 0 : tolerance(y, shifts, u);
    for (let i = 0; i < y.length; i++) {
      const [a, b] = [x[i] as number, y[i] as number];
      if (Object.is(a, b) || a === b || Math.abs(a - b) <= bound) continue;
      return `output ${k}, element ${i}: ${a}, expected ${b} within ${bound}`;
    }
  }
  return null;
}

/** Rounding of the coarsest float that a program goes through. */
function coarsest(outputs: readonly Tensor[]): number {
  return everyNode(outputs).some(({ dtype }) => dtype === "float32") ? unit.float32 : unit.float64;
}

/** 64 units in the last place of the largest number, and 64 times what the reference is moved by units in its inputs. */
function tolerance(y: ArrayLike<number>, shifts: readonly ArrayLike<number>[], u: number): number {
  let [scale, shift] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    const b = y[i] as number;
    if (!Number.isFinite(b)) continue;
    scale = Math.max(scale, Math.abs(b));
    for (const moved of shifts)
      if (Number.isFinite(moved[i])) shift = Math.max(shift, Math.abs((moved[i] as number) - b));
  }
  return 64 * u * Math.max(scale, 1) + 64 * shift;
}

/** Nodes by which a program decides: their numbers jump where those of their inputs move on. */
function decisionsOf(outputs: readonly Tensor[], inputs: readonly Tensor[]): Tensor[] {
  return ancestors(outputs).filter(
    (node) =>
      node.primitive !== null &&
      node.parts === undefined &&
      node.value === null &&
      !inputs.includes(node) &&
      node.inputs.some(
        (x, i) =>
          isFloat(x.dtype) &&
          x.parts === undefined &&
          (!isFloat(node.dtype) || smoothness(node.primitive as AnyPrimitive, i) === "jump"),
      ) &&
      node.primitive.name !== "stopGradient",
  );
}

/** @throws where the engine is not the reference */
export function compare(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  values: readonly NDArray[],
  count: Count,
): void {
  count.graphs++;
  const run = reference.prepare(outputs, inputs);
  const expected = run(values);
  const moved = [1, 2].map((seed) => run(jittered(values, seed)));
  const found = engine.prepare(outputs, inputs)(values);
  const decisions = decisionsOf(outputs, inputs);
  count.decided += decisions.reduce((sum, { size }) => sum + size, 0);
  const first = difference(found, expected, moved, coarsest(outputs));
  if (first === null) return;
  const why = forced(outputs, inputs, values, decisions, count);
  if (why !== null) throw new Error(`${why} (with ${decisions.length} decisions forced; before: ${first})`);
}

/** The same where the reference decides for both. */
function forced(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  values: readonly NDArray[],
  decisions: readonly Tensor[],
  count: Count,
): string | null {
  const known = reference.prepare(decisions, inputs)(values);
  const holes = decisions.map((node, i) => placeholder(node, `decision ${i}`));
  const map = new Map(decisions.map((node, i) => [node, holes[i] as Tensor]));
  // Each decision once more, of operands that are the reference's.
  const operands = substitute(
    decisions.flatMap((node) => node.inputs),
    map,
  ).outputs;
  const from: number[] = [];
  decisions.forEach((_, i) => {
    from.push(i === 0 ? 0 : (from[i - 1] as number) + (decisions[i - 1] as Tensor).inputs.length);
  });
  const again = decisions.map(({ primitive, inputs: { length }, params }, i) =>
    apply(primitive as AnyPrimitive, operands.slice(from[i], (from[i] as number) + length), params),
  );
  const graph = [...substitute(outputs, map).outputs, ...again];
  const all = [...inputs, ...holes];
  const run = reference.prepare(graph, all);
  const expected = run([...values, ...known]);
  const moved = [1, 2].map((seed) => run([...jittered(values, seed), ...known]).slice(0, outputs.length));
  const found = engine.prepare(graph, all)([...values, ...known]);
  found.slice(outputs.length).forEach((value, k) => {
    const [x, y] = [elements(value), elements(known[k] as NDArray)];
    for (let i = 0; i < y.length; i++) if (!Object.is(x[i], y[i]) && x[i] !== y[i]) count.forced++;
  });
  return difference(found.slice(0, outputs.length), expected.slice(0, outputs.length), moved, coarsest(outputs));
}
