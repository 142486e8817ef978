import type { Builder, Value } from "../block.js";
import { isSingle, magnitude, pick, polynomial, signed } from "./kit.js";
import { log } from "./log.js";

interface Ratio {
  readonly p: readonly number[];
  readonly q: readonly number[];
}

// Near-minimax rational functions, fitted by test/reference/fit-expr.py; all coefficients of the centre are positive, so that nothing cancels.
/** (Φ⁻¹(p)/(p − ½) − √2π)/(p − ½)² in v = p(1 − p), from v = LEAST to ¼. */
const CENTER32: Ratio = {
  p: [20.010866165161133, 37558.95703125, 10239400, 593621824, 7387949568, 14102971392],
  q: [1, 2578.6064453125, 959818.75, 82366912, 1822721920, 9701577728, 8521393152],
};
const CENTER64: Ratio = {
  p: [
    20.99975996263675, 82138.58216160824, 68998827.36263226, 20364646486.696426, 2561027951769.3784, 150241111316618.28,
    4271816434259287.0, 5.895397311301546e16, 3.81423357739644e17, 1.0631149720944872e18, 1.0671721122019461e18,
    2.4692975351137162e17,
  ],
  q: [
    1.0, 5008.348025884205, 5088545.915876674, 1799007906.9650643, 272991761141.97693, 19692513049663.17,
    709910805342742.4, 1.300496159789173e16, 1.1969082831930062e17, 5.300015943452619e17, 1.0309096447472627e18,
    7.316710613341697e17, 1.2003055183322706e17,
  ],
};
/** √2π as the sum of two doubles. */
const ROOT_TWO_PI = [2.5066282746310007, -1.8328579980459167e-16] as const;
const LEAST = [0.0019, 0.006] as const;
/** −Φ⁻¹(m) in r = √(−log m), down to the smallest number. */
const TAIL32: Ratio = {
  p: [-2.4956629276275635, -0.13593028485774994, 3.089193820953369, 0.8286874294281006],
  q: [1, 2.209904193878174, 0.5851939916610718, 1.4118650142336264e-5],
};
/** In float64 less 11/8·r. */
const TAIL64: Ratio = {
  p: [
    -3.353223633287239, -23.40528422804541, -37.441379225501564, -28.54387313278137, -10.47232386562872,
    -1.270420851409405, 0.08380629026641415, 0.026680341258221198, 0.0016804936522795647, 3.575079829048427e-5,
    2.0418576831782122e-7,
  ],
  q: [
    1.0, 11.662322429252395, 29.691878760678346, 32.40034455064698, 19.268861555943626, 5.757364658713524,
    0.7740825716575711, 0.04354328036917152, 0.0009119634767113661, 5.2067217427197145e-6,
  ],
};

function ratio(b: Builder, t: Value, { p, q }: Ratio): Value {
  return b.div(polynomial(b, t, p), polynomial(b, t, q));
}

/** −Φ⁻¹(m) for m < LEAST; Infinity at 0, NaN below. */
function tail(b: Builder, m: Value): Value {
  const r = b.unary("sqrt", b.unary("neg", log(b, m)));
  const inside = isSingle(b, m) ? ratio(b, r, TAIL32) : b.add(b.mul(r, b.like(m, 1.375)), ratio(b, r, TAIL64));
  return b.select(b.compare("eq", m, b.like(m, 0)), b.like(m, Infinity), inside);
}

/** Φ⁻¹(½ + q)/q from q and v = ¼ − q². */
function center(b: Builder, q: Value, v: Value): { isTail: Value; quotient: Value } {
  const isTail = b.compare("lt", v, b.like(v, pick(b, v, LEAST)));
  const bend = b.mul(b.mul(q, q), ratio(b, v, pick(b, v, [CENTER32, CENTER64])));
  // In float32 its nearest number is √2π to another eight digits.
  const rest = isSingle(b, v) ? bend : b.add(bend, b.like(v, ROOT_TWO_PI[1]));
  return { isTail, quotient: b.add(rest, b.like(v, ROOT_TWO_PI[0])) };
}

/**
 * Φ⁻¹(p), the quantile of the standard normal law; ∓Infinity at 0 and 1, NaN outside.
 * The variable p(1 − p) of the centre keeps full relative accuracy where p − ½ has lost it, so that the centre can reach out to where
 * all but one draw in 250 (float32; 80) lie.
 */
export function ndtri(b: Builder, p: Value): Value {
  const q = b.sub(p, b.like(p, 0.5));
  const upper = b.sub(b.like(p, 1), p);
  const { isTail, quotient } = center(b, q, b.mul(p, upper));
  const left = b.compare("lt", q, b.like(p, 0));
  const slow = signed(b, tail(b, b.select(left, p, upper)), q);
  return b.rare(isTail, slow, b.mul(q, quotient));
}

/** The inverse of erf; ±Infinity at ±1, NaN outside. It is Φ⁻¹((1 + y)/2)/√2. */
export function erfinv(b: Builder, y: Value): Value {
  const half = b.like(y, 0.5);
  const [one, scale] = [b.like(y, 1), b.like(y, Math.SQRT1_2)];
  const v = b.mul(b.mul(b.sub(one, y), half), b.mul(b.add(y, one), half));
  const { isTail, quotient } = center(b, b.mul(y, half), v);
  const far = b.mul(tail(b, b.mul(b.sub(one, magnitude(b, y)), half)), scale);
  return b.rare(isTail, signed(b, far, y), b.mul(y, b.mul(quotient, b.like(y, Math.SQRT1_2 / 2))));
}
