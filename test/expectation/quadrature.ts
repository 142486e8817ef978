import type { AnyFamily, Params } from "../../src/distributions/distribution.js";
import { constant } from "../../src/graph/leaves.js";
import { placeholder, type Tensor } from "../../src/graph/tensor.js";
import { ancestors, substitute } from "../../src/graph/walk.js";
import { sum } from "../../src/index.js";
import { unitUniform } from "../../src/primitives/bits.js";
import { broadcastTo } from "../../src/primitives/linear.js";
import { numbersOf, t64 } from "./exact.js";

/** Expectations over the noise of a reparameterised sample by quadrature in the place of random numbers. */

/** The tanh-sinh rule on (a, b): exponentially accurate between singular ends. */
function tanhSinh(a: number, b: number): { x: number; w: number }[] {
  const h = 1 / 32;
  return Array.from({ length: 2 * 130 + 1 }, (_, i) => (i - 130) * h).flatMap((t) => {
    const s = (Math.PI / 2) * Math.sinh(t);
    // The distance to the nearer end keeps its digits: 1 − tanh|s| = 2/(1 + e^2|s|).
    const gap = (b - a) / (1 + Math.exp(2 * Math.abs(s)));
    const x = t < 0 ? a + gap : b - gap;
    const w = (((b - a) / 2) * h * (Math.PI / 2) * Math.cosh(t)) / Math.cosh(s) ** 2;
    return x > a && x < b && w > 0 ? [{ x, w }] : [];
  });
}

/** Nodes and weights on (0, 1), split where the integrand has a kink. */
export function unitRule(kinks: readonly number[]): { x: number[]; w: number[] } {
  const cuts = [0, ...kinks.filter((k) => k > 0 && k < 1).sort((a, b) => a - b), 1];
  const parts = cuts.slice(1).flatMap((b, i) => tanhSinh(cuts[i] as number, b));
  return { x: parts.map((p) => p.x), w: parts.map((p) => p.w) };
}

/**
 * E[f(x)] with x = value(noise, p), the one uniform of the noise replaced by quadrature nodes.
 * @param p scalar parameters, live
 */
export function integral(family: AnyFamily, p: Params, f: (x: Tensor) => Tensor): Tensor {
  const reparam = family.gives.reparam as NonNullable<typeof family.gives.reparam>;
  const bare = Object.fromEntries(Object.entries(p).map(([name, x]) => [name, placeholder(x, name)]));
  const key = placeholder({ shape: [2], dtype: "uint32" }, "key");
  const noise = reparam.noise({ key, run: constant(0, "uint32") }, [], bare);
  const uniforms = ancestors([noise]).filter((node) => node.primitive === unitUniform);
  if (uniforms.length !== 1) throw new Error(`${family.name} draws ${uniforms.length} uniforms`);
  // Every distribution here is a quantile function, so the kinks are where x crosses 0 and, for two-sided laws, the median.
  const zero = numbersOf((family.cdf as NonNullable<typeof family.cdf>)(t64(0), p))[0] as number;
  const { x, w } = unitRule([zero, 0.5]);
  const hole = placeholder({ shape: [x.length], dtype: "float64" }, "nodes");
  const wide = Object.fromEntries(Object.entries(p).map(([name, y]) => [name, broadcastTo(y, [x.length])]));
  const nodes = reparam.noise({ key, run: constant(0, "uint32") }, [x.length], wide);
  const uniform = ancestors([nodes]).find((node) => node.primitive === unitUniform) as Tensor;
  const values = substitute([reparam.value(nodes, wide)], new Map([[uniform, hole]])).outputs[0] as Tensor;
  return substitute([sum(f(values).mul(t64(w)))], new Map([[hole, t64(x)]])).outputs[0] as Tensor;
}

/** Values with their probabilities: quadrature nodes of a continuous law of fixed support, or all counts that matter. */
export function valueRule(family: AnyFamily, p: Params): { x: Tensor; w: Float64Array } {
  if (family.discrete) {
    const x = t64(Array.from({ length: 120 }, (_, k) => k));
    const wide = Object.fromEntries(Object.entries(p).map(([name, y]) => [name, broadcastTo(y, [120])]));
    return {
      x,
      w: numbersOf((family.gives.logProb as NonNullable<typeof family.gives.logProb>)(x, wide)).map(Math.exp),
    };
  }
  const zero = numbersOf((family.cdf as NonNullable<typeof family.cdf>)(t64(0), p))[0] as number;
  const { x, w } = unitRule([zero, 0.5]);
  const wide = Object.fromEntries(Object.entries(p).map(([name, y]) => [name, broadcastTo(y, [x.length])]));
  return { x: (family.icdf as NonNullable<typeof family.icdf>)(t64(x), wide), w: Float64Array.from(w) };
}
