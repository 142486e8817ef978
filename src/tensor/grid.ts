import type { DType } from "../base/dtype.js";
import { doubleExponential, type Range } from "../kernel/quadrature/doubleExponential.js";
import { gaussRule } from "../kernel/quadrature/gauss.js";

export type Method = "tanhSinh" | "gauss";

/** Nodes of one rule with the coarser rules that judge it. */
export interface Grid {
  /** Between finite ends: distances to the nearer end as part of the whole. From one finite end: the distance. Else the nodes. */
  readonly at: Float64Array;
  /** Between finite ends: whether the left one is the nearer. */
  readonly left: Uint8Array;
  /** Of the rule, of a coarser one, and of one coarser still; 0 at nodes that do not belong to it. */
  readonly weights: readonly Float64Array[];
  /** Of double exponential rules. */
  readonly tails: Tails | null;
  /** A node in the middle of the range. */
  readonly middle: number;
}

export interface Tails {
  /** Nodes that may be left out where the integrand is not finite. */
  readonly outer: Uint8Array;
  /** What the integrand is multiplied by to see how much lies beyond a node. */
  readonly slope: Float64Array;
}

export function gridOf(range: Range, method: Method, order: number, dtype: DType): Grid {
  if (method === "gauss") return gauss(order);
  const { at, left, slope, outer, step } = doubleExponential(range, order, dtype === "float32" ? "single" : "double");
  const weights = [1, 2, 4].map((stride) => slope.map((w, i) => (i % stride === 0 ? w * step * stride : 0)));
  return { at, left, weights, tails: { outer, slope }, middle: (at.length - 1) / 2 };
}

/** The rules with n and ⌊n/2⌋ nodes side by side: they share none. */
function gauss(n: number): Grid {
  const [fine, coarse] = [gaussRule("legendre", n), gaussRule("legendre", Math.floor(n / 2))];
  const nodes = [...fine.nodes, ...coarse.nodes];
  const side = (first: Float64Array, second: Float64Array): Float64Array =>
    Float64Array.from([...first, ...second], (w) => w / 2);
  return {
    at: Float64Array.from(nodes, (x) => (1 - Math.abs(x)) / 2),
    left: Uint8Array.from(nodes, (x) => (x <= 0 ? 1 : 0)),
    weights: [side(fine.weights, new Float64Array(coarse.nodes.length)), side(new Float64Array(n), coarse.weights)],
    tails: null,
    middle: 0,
  };
}
