import type { Capabilities, Distribution } from "../../src/distributions/distribution.js";
import { list, quantiles } from "./subjects.js";

/** Points and weights with Σ w f(x) = ∫ f dx (or the sum over the support, for whole numbers). */
export interface Rule {
  readonly x: readonly number[];
  readonly w: readonly number[];
}

/** Gauss–Legendre on [−1, 1]: roots of P_n by Newton's method (Numerical Recipes §4.6). Exact up to degree 2n − 1. */
function gaussLegendre(n: number): Rule {
  const x: number[] = [];
  const w: number[] = [];
  for (let i = 0; i < n; i++) {
    let t = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 8; step++) {
      let [p, before] = [1, 0];
      for (let k = 1; k <= n; k++) [p, before] = [((2 * k - 1) * t * p - (k - 1) * before) / k, p];
      slope = (n * (t * p - before)) / (t * t - 1);
      t -= p / slope;
    }
    x.push(t);
    w.push(2 / ((1 - t * t) * slope * slope));
  }
  return { x, w };
}

const panel = gaussLegendre(20);
const lower = [1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.15, 0.3];
const cuts = [...lower, 0.5, ...lower.map((q) => 1 - q).reverse()];

/**
 * A rule for one density: panels between its quantiles, and past the last of them panels that double, up to 2⁴⁰ widths. The
 * quantiles only place the panels: were they wrong, the density would not integrate to 1.
 */
export function ruleFor(d: Distribution): Rule {
  if (d.family.discrete) return counting(d);
  const [first, last] = quantiles(d, [0, 1]) as [number, number];
  const inner = quantiles(d, cuts).filter((x) => x > first && x < last);
  const edges = [...tail(first, inner[0]!, inner[1]!).reverse(), ...inner, ...tail(last, inner.at(-1)!, inner.at(-2)!)];
  const x: number[] = [];
  const w: number[] = [];
  for (let i = 1; i < edges.length; i++) {
    const [middle, half] = [(edges[i]! + edges[i - 1]!) / 2, (edges[i]! - edges[i - 1]!) / 2];
    panel.x.forEach((t, k) => {
      x.push(middle + half * t);
      w.push(half * panel.w[k]!);
    });
  }
  return { x, w };
}

/** From the outermost cut to the end of the support. */
function tail(end: number, outer: number, next: number): number[] {
  if (Number.isFinite(end)) return [end];
  return Array.from({ length: 40 }, (_, i) => outer + (outer - next) * (2 ** (i + 1) - 1));
}

function counting(d: Distribution): Rule {
  const { enumerate }: Partial<Capabilities> = d.family.gives;
  if (enumerate) {
    const x = list(d.enumerateSupport());
    return { x, w: x.map(() => 1) };
  }
  const [low] = d.support.interval;
  const [top] = quantiles(d, [1 - 1e-15]) as [number];
  const x = Array.from({ length: top - low + 30 }, (_, i) => low + i);
  return { x, w: x.map(() => 1) };
}
