import { type Tensor, tensor } from "../../src/index.js";

/** Points and weights: Σ w f(x) is an integral of f. */
export interface Rule {
  readonly x: readonly number[];
  readonly w: readonly number[];
}

/**
 * Gauss–Hermite for the standard normal: Σ w f(ε) = E[f(ε)], exact for polynomials up to degree 2n − 1. Roots of the
 * orthonormal Hermite polynomials by Newton's method (Numerical Recipes §4.6, in the probabilists' scale).
 */
export function gaussHermite(n = 48): Rule {
  const positive: { x: number; w: number }[] = [];
  for (let i = 0; i < Math.ceil(n / 2); i++) {
    let x = guess(i, n, positive);
    let slope = 0;
    for (let step = 0; step < 40; step++) {
      const [value, before] = hermite(n, x);
      slope = Math.sqrt(n) * before;
      const move = value / slope;
      x -= move;
      if (Math.abs(move) < 1e-15 * Math.max(1, Math.abs(x))) break;
    }
    positive.push({ x, w: 1 / (slope * slope) });
  }
  const middle = n % 2 === 1 ? positive.pop() : undefined;
  const right = [...positive].reverse();
  const all = [...positive.map(({ x, w }) => ({ x: -x, w })), ...(middle ? [{ x: 0, w: middle.w }] : []), ...right];
  return { x: all.map(({ x }) => x), w: all.map(({ w }) => w) };
}

/** h_n and h_{n−1}, orthonormal under the standard normal. */
function hermite(n: number, x: number): [number, number] {
  let [now, before] = [1, 0];
  for (let k = 1; k <= n; k++) [now, before] = [(x * now - Math.sqrt(k - 1) * before) / Math.sqrt(k), now];
  return [now, before];
}

function guess(i: number, n: number, found: readonly { x: number }[]): number {
  const z = (k: number): number => (found[k] as { x: number }).x / Math.SQRT2;
  if (i === 0) return Math.SQRT2 * (Math.sqrt(2 * n + 1) - 1.85575 * (2 * n + 1) ** (-1 / 6));
  if (i === 1) return Math.SQRT2 * (z(0) - (1.14 * n ** 0.426) / z(0));
  if (i === 2) return Math.SQRT2 * (1.86 * z(1) - 0.86 * z(0));
  if (i === 3) return Math.SQRT2 * (1.91 * z(2) - 0.91 * z(1));
  return Math.SQRT2 * (2 * z(i - 1) - z(i - 2));
}

/** tanh-sinh on [a, b]: Σ w f(x) = ∫ f(x) dx, for smooth f however it behaves at the ends. Takahasi & Mori 1974. */
export function tanhSinh(a: number, b: number, half = 200): Rule {
  const h = 3.2 / half;
  const t = Array.from({ length: 2 * half + 1 }, (_, i) => (i - half) * h);
  const radius = (b - a) / 2;
  return {
    x: t.map((s) => (a + b) / 2 + radius * Math.tanh((Math.PI / 2) * Math.sinh(s))),
    w: t.map((s) => (radius * h * (Math.PI / 2) * Math.cosh(s)) / Math.cosh((Math.PI / 2) * Math.sinh(s)) ** 2),
  };
}

/** One rule after the other: for integrands that jump between them. */
export function joined(...rules: readonly Rule[]): Rule {
  return { x: rules.flatMap(({ x }) => x), w: rules.flatMap(({ w }) => w) };
}

/** Σ w f(x) as a node in float64, which grad differentiates. f sees all points at once, [points]. */
export function integrate({ x, w }: Rule, f: (x: Tensor) => Tensor): Tensor {
  return f(tensor([...x], { dtype: "float64" }))
    .mul(tensor([...w], { dtype: "float64" }))
    .sum();
}

/** Σ w f(x) of a plain function. */
export function integral({ x, w }: Rule, f: (x: number) => number): number {
  return x.reduce((total, xi, i) => total + (w[i] as number) * f(xi), 0);
}

/**
 * The derivative of a plain function: central differences of fourth order, wrong by about 1e-11 on functions of size 1.
 */
export function slope(f: (x: number) => number, x: number, h = 1e-3): number {
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
}
