import { addPairs, mulPairs, type Pair, scalePair, twoSum } from "./pair.js";

/**
 * The recurrence of monic orthogonal polynomials, π_{k+1}(x) = (x − a_k) π_k(x) − b_k π_{k−1}(x), for k < n; b_0 is the integral of
 * the weight, so that the product of the b_k with k < n is ‖π_{n−1}‖².
 */
export interface Recurrence {
  readonly n: number;
  readonly a: Float64Array;
  readonly b: readonly Pair[];
}

/** Values are kept between these by powers of two: monic polynomials of degree 1,000 leave the range of doubles. */
const LARGE = 2 ** 250;
const SMALL = 2 ** -250;

/** How many roots of π_n are larger than x (the sign changes of the Sturm sequence π_0, … π_n), and Newton's step π_n/π_n′. */
export function locate({ n, a, b }: Recurrence, x: number): { above: number; step: number } {
  let [p, q, dp, dq, above] = [1, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const t = x - (a[k] as number);
    const c = (b[k] as Pair)[0];
    const next = t * p - c * q;
    const slope = p + t * dp - c * dq;
    if (next < 0 !== p < 0) above++;
    q = p;
    dq = dp;
    p = next;
    dp = slope;
    const size = Math.max(Math.abs(p), Math.abs(q));
    if (size > SMALL && size < LARGE) continue;
    const factor = size >= LARGE ? SMALL : LARGE;
    p *= factor;
    q *= factor;
    dp *= factor;
    dq *= factor;
  }
  return { above, step: p / dp };
}

/** π_k and π_{k−1} with derivatives, and ‖π_{k−1}‖²; what is true of the squares is `power` powers of two away. */
interface Point {
  p: Pair;
  q: Pair;
  dp: Pair;
  dq: Pair;
  ddp: number;
  ddq: number;
  norm: Pair;
  power: number;
}

/**
 * With 32 digits, from x close to a root r: r − x, and the Christoffel number 1/Σ_{k<n} π_k(r)²/‖π_k‖², which is the weight of r in the
 * rule of Gauss. By Christoffel and Darboux the sum is (π_n′ π_{n−1} − π_n π_{n−1}′)/‖π_{n−1}‖²; the distance r − x enters it to first order.
 */
export function refine({ n, a, b }: Recurrence, x: number): { shift: number; weight: number } {
  const zero: Pair = [0, 0];
  const point: Point = { p: [1, 0], q: zero, dp: zero, dq: zero, ddp: 0, ddq: 0, norm: [1, 0], power: 0 };
  for (let k = 0; k < n; k++) {
    advance(point, twoSum(x, -(a[k] as number)), b[k] as Pair);
    rescale(point);
  }
  const { p, q, dp, dq, ddp, ddq, norm, power } = point;
  const shift = -p[0] / dp[0];
  const kernel = addPairs(mulPairs(dp, q), mulPairs([-p[0], -p[1]], dq))[0] + shift * (ddp * q[0] - p[0] * ddq);
  // In two halves: the weight may be representable where 2^power is not.
  return { shift, weight: (norm[0] / kernel) * 2 ** Math.ceil(power / 2) * 2 ** Math.floor(power / 2) };
}

function advance(point: Point, t: Pair, c: Pair): void {
  const { p, q, dp, dq, ddp, ddq } = point;
  const minus: Pair = [-c[0], -c[1]];
  point.p = addPairs(mulPairs(t, p), mulPairs(minus, q));
  point.dp = addPairs(p, addPairs(mulPairs(t, dp), mulPairs(minus, dq)));
  point.ddp = 2 * dp[0] + t[0] * ddp - c[0] * ddq;
  point.q = p;
  point.dq = dp;
  point.ddq = ddp;
  point.norm = mulPairs(point.norm, c);
}

function rescale(point: Point): void {
  const size = Math.max(Math.abs(point.p[0]), Math.abs(point.q[0]));
  const factor = size >= LARGE ? SMALL : size <= SMALL ? LARGE : 1;
  if (factor !== 1) {
    for (const key of ["p", "q", "dp", "dq"] as const) point[key] = scalePair(point[key], factor);
    point.ddp *= factor;
    point.ddq *= factor;
    point.power += factor === LARGE ? 500 : -500;
  }
  const shrink = point.norm[0] >= LARGE ? SMALL : point.norm[0] <= SMALL ? LARGE : 1;
  if (shrink === 1) return;
  point.norm = scalePair(point.norm, shrink);
  point.power += shrink === LARGE ? -250 : 250;
}
