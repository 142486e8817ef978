import { type Pair, quotient } from "./pair.js";
import { locate, type Recurrence, refine } from "./recurrence.js";

/**
 * The rules of Gauss: n nodes and weights with Σ w f(x) = ∫ f(x) ω(x) dx for every polynomial f of degree up to 2n − 1.
 *
 * Nodes are found one by one, from the largest: Newton's method on the three-term recurrence from an asymptotic start, kept on its root by
 * Sturm's count of the roots above. Two last steps are taken with 32 digits, so that nodes and weights keep all of their 16.
 *
 * Source: N. Hale and A. Townsend, Fast and accurate computation of Gauss–Legendre and Gauss–Jacobi quadrature nodes and weights, SIAM J. Sci.
 * Comput. 35 (2013), §2 for the starts of Legendre; F. G. Tricomi, Sugli zeri delle funzioni di cui si conosce una rappresentazione
 * asintotica, Ann. Mat. Pura Appl. 26 (1947) for those of Hermite and Laguerre.
 * Error against 60 digits: 1 ulp of nodes and 2 of weights for the n of the tests, up to 500, where weights do not underflow.
 */
export interface GaussRule {
  /** Ascending. */
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

interface Family {
  readonly a: (k: number) => number;
  readonly b: (k: number) => Pair;
  /** All roots of π_n lie between. */
  readonly ends: (n: number) => readonly [number, number];
  /** About the k-th largest root of π_n, k = 0, 1, … */
  readonly start: (k: number, n: number) => number;
  /** Whether the weight is even: half of the roots are minus the other half. */
  readonly even: boolean;
}

/** ω = 1 on [−1, 1]. */
const legendre: Family = {
  a: () => 0,
  b: (k) => (k === 0 ? [2, 0] : quotient(k * k, 4 * k * k - 1)),
  ends: () => [-1, 1],
  start: (k, n) => (1 - (n - 1) / (8 * n ** 3)) * Math.cos((Math.PI * (4 * k + 3)) / (4 * n + 2)),
  even: true,
};

/** ω = exp(−x²). */
const hermite: Family = {
  a: () => 0,
  b: (k) => (k === 0 ? [1.772453850905516, -7.666586499825799e-17] : [k / 2, 0]),
  ends: (n) => [-Math.sqrt(2 * n + 1), Math.sqrt(2 * n + 1)],
  start: (k, n) => Math.sqrt(2 * n + 1) * Math.cos(tricomi(((4 * k + 3) * Math.PI) / (2 * n + 1)) / 2),
  even: true,
};

/** ω = exp(−x²/2). */
const hermiteE: Family = {
  ...hermite,
  b: (k) => (k === 0 ? [2.5066282746310007, -1.8328579980459167e-16] : [k, 0]),
  ends: (n) => [-Math.sqrt(4 * n + 2), Math.sqrt(4 * n + 2)],
  start: (k, n) => Math.SQRT2 * hermite.start(k, n),
};

/** ω = exp(−x) on [0, ∞). */
const laguerre: Family = {
  a: (k) => 2 * k + 1,
  b: (k) => (k === 0 ? [1, 0] : [k * k, 0]),
  ends: (n) => [0, 4 * n + 2],
  start: (k, n) => (4 * n + 2) * Math.cos(tricomi(((4 * k + 3) * Math.PI) / (4 * n + 2)) / 2) ** 2,
  even: false,
};

/** The solution of t − sin t = c in [0, π]. */
function tricomi(c: number): number {
  let t = Math.min(Math.PI, Math.cbrt(6 * c));
  for (let i = 0; i < 6; i++) t -= (t - Math.sin(t) - c) / (1 - Math.cos(t));
  return t;
}

/** Families with what was computed for them before. */
const families: Readonly<Record<GaussFamily, { readonly family: Family; readonly rules: Map<number, GaussRule> }>> = {
  legendre: { family: legendre, rules: new Map() },
  hermite: { family: hermite, rules: new Map() },
  hermiteE: { family: hermiteE, rules: new Map() },
  laguerre: { family: laguerre, rules: new Map() },
};

export type GaussFamily = "legendre" | "hermite" | "hermiteE" | "laguerre";

/** The rule with n ≥ 1 nodes; computed once. Not to be written to. */
export function gaussRule(name: GaussFamily, n: number): GaussRule {
  const { family, rules } = families[name];
  const known = rules.get(n);
  if (known) return known;
  const rule = construct(family, n);
  rules.set(n, rule);
  return rule;
}

function construct(family: Family, n: number): GaussRule {
  const recurrence: Recurrence = {
    n,
    a: Float64Array.from({ length: n }, (_, k) => family.a(k)),
    b: Array.from({ length: n }, (_, k) => family.b(k)),
  };
  const [nodes, weights] = [new Float64Array(n), new Float64Array(n)];
  const own = family.even ? Math.floor(n / 2) : n;
  let last = family.ends(n)[1];
  for (let k = 0; k < own; k++) {
    last = root(family, recurrence, k, last);
    last += refine(recurrence, last).shift;
    const { weight, shift } = refine(recurrence, last);
    nodes[n - 1 - k] = last + shift;
    weights[n - 1 - k] = weight;
    if (!family.even) continue;
    nodes[k] = -(last + shift);
    weights[k] = weight;
  }
  if (family.even && n % 2 === 1) weights[own] = refine(recurrence, 0).weight;
  return { nodes, weights };
}

/** The k-th largest root, to 10 digits or more; all of them lie below `high`. */
function root(family: Family, recurrence: Recurrence, k: number, high: number): number {
  const { n } = recurrence;
  let low = family.ends(n)[0];
  let x = family.start(k, n);
  if (!(x > low && x < high)) x = (low + high) / 2;
  for (let i = 0; i < 200; i++) {
    const { above, step } = locate(recurrence, x);
    if (above > k) low = x;
    else high = x;
    // Between its two neighbours Newton's method can only find this root.
    const near = above === k || above === k + 1;
    if (near && Math.abs(step) <= 1e-10 * Math.abs(x)) return x - step;
    const next = x - step;
    x = near && next > low && next < high ? next : (low + high) / 2;
  }
  return x;
}
