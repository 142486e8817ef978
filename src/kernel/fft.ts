import { fromLines, toLines } from "./lines.js";
import type { NDArray } from "./ndarray.js";

/**
 * The discrete Fourier transform X[k] = Σ x[j] e^(∓2πi jk/n), unnormalised, in float64. Decimation in time over the prime factors of n,
 * four at a time where possible (Cooley and Tukey 1965); lengths with a large prime factor become a convolution of a power of two
 * (Bluestein 1970). O(n log n) for every n.
 */

/** Primes up to here are done directly, in p² steps for p numbers. */
const LARGEST_DIRECT = 31;

interface Plan {
  readonly n: number;
  /** Of n, in the order they are split off; null: Bluestein. */
  readonly factors: readonly number[] | null;
  /** cos and sin of 2πk/n. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
  readonly chirp: Chirp | null;
}

interface Chirp {
  readonly plan: Plan;
  /** e^(−πi j²/n) */
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** The transform of its conjugate, wrapped around the length of `plan`. */
  readonly filterRe: Float64Array;
  readonly filterIm: Float64Array;
}

const plans = new Map<number, Plan>();
const MOST_PLANS = 32;

function planOf(n: number): Plan {
  const known = plans.get(n);
  if (known) return known;
  const plan = makePlan(n);
  if (plans.size >= MOST_PLANS) plans.delete(plans.keys().next().value as number);
  plans.set(n, plan);
  return plan;
}

function makePlan(n: number): Plan {
  const factors = factorsOf(n);
  const direct = factors.every((p) => p <= LARGEST_DIRECT);
  const [cos, sin] = circle(direct ? n : 0);
  return { n, factors: direct ? factors : null, cos, sin, chirp: direct ? null : makeChirp(n) };
}

/** 4s first, then 2, 3, 5, … */
function factorsOf(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (let p = 4; rest > 1; p = p === 4 ? 2 : p === 2 ? 3 : p + 2) {
    if (p > 4 && p * p > rest) p = rest;
    for (; rest % p === 0; rest /= p) factors.push(p);
  }
  return factors;
}

/** cos and sin of 2πk/n for k < n, each from an angle of at most π/4, so that they are right to the last bit or so. */
function circle(n: number): [Float64Array, Float64Array] {
  const [cos, sin] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    const quarter = Math.round((4 * k) / n);
    const angle = (Math.PI * (4 * k - n * quarter)) / (2 * n);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    cos[k] = [c, -s, -c, s][quarter % 4] as number;
    sin[k] = [s, c, -s, -c][quarter % 4] as number;
  }
  return [cos, sin];
}

function makeChirp(n: number): Chirp {
  let size = 1;
  while (size < 2 * n - 1) size *= 2;
  const plan = planOf(size);
  const [cos, sin] = circle(2 * n);
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const [wrappedRe, wrappedIm] = [new Float64Array(size), new Float64Array(size)];
  let square = 0; // j² mod 2n
  for (let j = 0; j < n; j++) {
    re[j] = cos[square] as number;
    im[j] = -(sin[square] as number);
    for (const at of [j, (size - j) % size]) {
      wrappedRe[at] = re[j] as number;
      wrappedIm[at] = -(im[j] as number);
    }
    square = (square + 2 * j + 1) % (2 * n);
  }
  const [filterRe, filterIm] = transform(plan, wrappedRe, wrappedIm);
  return { plan, re, im, filterRe, filterIm };
}

type Pair = readonly [Float64Array, Float64Array];

/** The forward transform of one line. */
function transform(plan: Plan, re: Float64Array, im: Float64Array): Pair {
  const out: Pair = [new Float64Array(plan.n), new Float64Array(plan.n)];
  if (plan.chirp) bluestein(plan.chirp, re, im, out);
  else split(plan, 0, re, im, 0, 1, out, 0, plan.n);
  return out;
}

/** Transforms the `n` numbers at from, from + stride, … into out[to …]: those of every p-th of them, then butterflies. */
function split(
  plan: Plan,
  level: number,
  re: Float64Array,
  im: Float64Array,
  from: number,
  stride: number,
  out: Pair,
  to: number,
  n: number,
): void {
  if (n === 1) {
    out[0][to] = re[from] as number;
    out[1][to] = im[from] as number;
    return;
  }
  const p = (plan.factors as readonly number[])[level] as number;
  const m = n / p;
  for (let q = 0; q < p; q++) split(plan, level + 1, re, im, from + q * stride, stride * p, out, to + q * m, m);
  if (p === 4) four(plan, out, to, m, stride);
  else if (p === 2) two(plan, out, to, m, stride);
  else any(plan, out, to, m, stride, p);
}

/** Of the p results for one k, each m apart, turned by e^(−2πi qk/n); `stride` is the step in the table of the whole length. */
function two({ cos, sin }: Plan, [re, im]: Pair, to: number, m: number, stride: number): void {
  for (let k = 0; k < m; k++) {
    const [a, b] = [to + k, to + k + m];
    const [c, s] = [cos[k * stride] as number, sin[k * stride] as number];
    const [x, y] = [re[b] as number, im[b] as number];
    const [u, v] = [x * c + y * s, y * c - x * s];
    const [r, i] = [re[a] as number, im[a] as number];
    re[a] = r + u;
    im[a] = i + v;
    re[b] = r - u;
    im[b] = i - v;
  }
}

function four({ cos, sin }: Plan, [re, im]: Pair, to: number, m: number, stride: number): void {
  for (let k = 0; k < m; k++) {
    const [a, b, c, d] = [to + k, to + k + m, to + k + 2 * m, to + k + 3 * m];
    const [w1, w2, w3] = [k * stride, 2 * k * stride, 3 * k * stride];
    const [c1, s1, c2, s2] = [cos[w1] as number, sin[w1] as number, cos[w2] as number, sin[w2] as number];
    const [c3, s3] = [cos[w3] as number, sin[w3] as number];
    const [xb, yb, xc, yc] = [re[b] as number, im[b] as number, re[c] as number, im[c] as number];
    const [xd, yd] = [re[d] as number, im[d] as number];
    const [ub, vb] = [xb * c1 + yb * s1, yb * c1 - xb * s1];
    const [uc, vc] = [xc * c2 + yc * s2, yc * c2 - xc * s2];
    const [ud, vd] = [xd * c3 + yd * s3, yd * c3 - xd * s3];
    const [xa, ya] = [re[a] as number, im[a] as number];
    const [p0, q0, p1, q1] = [xa + uc, ya + vc, xa - uc, ya - vc];
    const [p2, q2, p3, q3] = [ub + ud, vb + vd, ub - ud, vb - vd];
    re[a] = p0 + p2;
    im[a] = q0 + q2;
    re[b] = p1 + q3;
    im[b] = q1 - p3;
    re[c] = p0 - p2;
    im[c] = q0 - q2;
    re[d] = p1 - q3;
    im[d] = q1 + p3;
  }
}

function any({ n, cos, sin }: Plan, [re, im]: Pair, to: number, m: number, stride: number, p: number): void {
  const [x, y] = [new Float64Array(p), new Float64Array(p)];
  for (let k = 0; k < m; k++) {
    for (let q = 0; q < p; q++) {
      x[q] = re[to + k + q * m] as number;
      y[q] = im[to + k + q * m] as number;
    }
    for (let r = 0; r < p; r++) {
      let [u, v] = [x[0] as number, y[0] as number];
      const step = (k + r * m) * stride;
      for (let q = 1, w = step; q < p; q++, w = (w + step) % n) {
        const [c, s] = [cos[w] as number, sin[w] as number];
        u += (x[q] as number) * c + (y[q] as number) * s;
        v += (y[q] as number) * c - (x[q] as number) * s;
      }
      re[to + k + r * m] = u;
      im[to + k + r * m] = v;
    }
  }
}

/** jk = (j² + k² − (k − j)²) / 2: the transform is a convolution with a chirp between two products with it. */
function bluestein(
  { plan, re: cos, im: sin, filterRe, filterIm }: Chirp,
  re: Float64Array,
  im: Float64Array,
  out: Pair,
): void {
  const size = plan.n;
  const [x, y] = [new Float64Array(size), new Float64Array(size)];
  for (let j = 0; j < cos.length; j++) {
    const [a, b, c, s] = [re[j] as number, im[j] as number, cos[j] as number, sin[j] as number];
    x[j] = a * c - b * s;
    y[j] = a * s + b * c;
  }
  const [u, v] = transform(plan, x, y);
  // The inverse transform is the forward one with real and imaginary parts exchanged, on both sides.
  for (let k = 0; k < size; k++) {
    const [a, b, c, s] = [u[k] as number, v[k] as number, filterRe[k] as number, filterIm[k] as number];
    y[k] = a * c - b * s;
    x[k] = a * s + b * c;
  }
  const [q, p] = transform(plan, x, y);
  for (let k = 0; k < cos.length; k++) {
    const [a, b] = [(p[k] as number) / size, (q[k] as number) / size];
    const [c, s] = [cos[k] as number, sin[k] as number];
    out[0][k] = a * c - b * s;
    out[1][k] = a * s + b * c;
  }
}

/** Of every line along `axis`. `inverse` has the other sign in the exponent, and no 1/n. */
export function fft(re: NDArray, im: NDArray, axis: number, inverse: boolean): readonly [NDArray, NDArray] {
  const n = re.shape[axis] as number;
  const plan = planOf(n);
  const [x, y] = [Float64Array.from(toLines(re, axis)), Float64Array.from(toLines(im, axis))];
  for (let from = 0; from < x.length; from += n) {
    const [a, b] = [x.subarray(from, from + n), y.subarray(from, from + n)];
    const [p, q] = inverse ? transform(plan, b, a) : transform(plan, a, b);
    a.set(inverse ? q : p);
    b.set(inverse ? p : q);
  }
  return [stored(x, re, axis), stored(y, im, axis)];
}

function stored(x: Float64Array, like: NDArray, axis: number): NDArray {
  const data = like.dtype === "float64" ? x : Float32Array.from(x);
  return fromLines(data, like.dtype, like.shape, axis);
}
