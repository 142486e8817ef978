import { copyBody } from "../graph/body.js";
import { apply, placeholder, type Tensor } from "../graph/tensor.js";
import { concat } from "../primitives/concat.js";
import { reshapeTo, sliceAxis } from "../primitives/linear.js";
import { part } from "../primitives/tuple.js";
import { LoopBuilder } from "./inputs.js";
import type { MakeScan } from "./loop.js";
import { scanNode } from "./scan.js";

/**
 * A long scan as a scan over segments of √length steps. A derivative keeps the carry before every segment and runs one segment again
 * at a time, so memory grows with √length (Griewank & Walther 2008, chapter 12). What does not fill a segment is a scan of its own.
 * @returns the final carries and the stacked outputs
 */
export function inSegments(...[inputs, params]: Parameters<MakeScan>): Tensor[] {
  const { length, reverse, carries, stacked, body } = params;
  const size = Math.ceil(Math.sqrt(length));
  const count = size === 0 ? 0 : Math.floor(length / size);
  const whole = count * size;
  if (count < 2) return partsOf(scanNode(inputs, params), body.outputs.length);
  const rows = inputs.slice(carries, carries + stacked);
  const constants = inputs.slice(carries + stacked);
  const grouped = rows.map((x) => reshapeTo(sliceAxis(x, 0, 0, whole), [count, size, ...x.shape.slice(1)]));
  const rest = rows.map((x) => sliceAxis(x, 0, whole, length));
  // A body of its own: a derivative asks each of the two for more.
  const after = { ...params, body: copyBody(body), length: length - whole, residuals: "auto" as const };
  const tail = (carry: readonly Tensor[]): Tensor[] =>
    partsOf(scanNode([...carry, ...rest, ...constants], after), body.outputs.length);
  const head = (carry: readonly Tensor[]): Tensor[] => {
    const parts = overSegments(carry, grouped, constants, { ...params, length: size }, count);
    return parts.map((x, k) => (k < carries ? x : reshapeTo(x, [whole, ...x.shape.slice(2)])));
  };
  const first = reverse ? tail(inputs.slice(0, carries)) : head(inputs.slice(0, carries));
  const second = reverse ? head(first.slice(0, carries)) : tail(first.slice(0, carries));
  const [early, late] = reverse ? [second, first] : [first, second];
  return second.map((x, k) => (k < carries ? x : apply(concat, [early[k] as Tensor, late[k] as Tensor], { axis: 0 })));
}

function overSegments(
  first: readonly Tensor[],
  grouped: readonly Tensor[],
  constants: readonly Tensor[],
  params: Parameters<MakeScan>[1],
  count: number,
): Tensor[] {
  const builder = new LoopBuilder();
  const carry = first.map((x) => placeholder(x, "carry"));
  const segment = grouped.map((x) => placeholder({ shape: x.shape.slice(1), dtype: x.dtype }, "segment"));
  for (const [k, hole] of carry.entries()) builder.carry(hole, first[k] as Tensor);
  for (const [k, hole] of segment.entries()) builder.stack(hole, grouped[k] as Tensor);
  const inner = scanNode([...carry, ...segment, ...constants], { ...params, residuals: "auto" });
  const { inputs, ...built } = builder.build(partsOf(inner, params.body.outputs.length));
  const outer = scanNode(inputs, {
    ...built,
    length: count,
    reverse: params.reverse,
    alive: null,
    residuals: "recompute",
  });
  return partsOf(outer, params.body.outputs.length);
}

function partsOf(node: Tensor, count: number): Tensor[] {
  return Array.from({ length: count }, (_, k) => part(node, k));
}
