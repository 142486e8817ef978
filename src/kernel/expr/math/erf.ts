import type { Builder, Value } from "../block.js";
import { exp } from "./exp.js";
import { fromBits, isSingle, magnitude, pick, polynomial, signed, toBits, whole } from "./kit.js";

// Minimax polynomials, fitted by test/reference/fit-expr.py.
/** erf(x)/x − 1 in x² ≤ 1. */
const EXCESS32: readonly number[] = [
  0.12837916612625122, -0.3761262595653534, 0.11283578723669052, -0.02685335837304592, 0.005187210626900196,
  -0.0007998510845936835, 7.809761154931039e-5,
];
const EXCESS64: readonly number[] = [
  0.12837916709551256, -0.37612638903183343, 0.11283791670936949, -0.026866170641952382, 0.005223977596629481,
  -0.0008548325478047156, 0.00012055280250364173, -1.4924460438041689e-5, 1.6444083049974185e-6, -1.6183462681781117e-7,
  1.3614409249370162e-8, -7.603591741429722e-10,
];
/** erfc(5/2 + t) for |t| ≤ 3/2, to an absolute 2^−24. */
const BEYOND: readonly number[] = [
  0.0004069076385349035, -0.002177990972995758, 0.005447560455650091, -0.00835420936346054, 0.008609886281192303,
  -0.006100347265601158, 0.0028298443648964167, -0.0005738352774642408, -0.0002976844261866063, 0.00028068828396499157,
  -5.7003835536306724e-5, -2.1372801711549982e-5, 8.330715900228824e-6,
];
/** (1 + 2y)·e^(y²)·erfc(y) in t = (y − K)/(y + K), K = 2 (float32) or 3. */
const SCALED32: readonly number[] = [
  1.2769783735275269, -0.0927639976143837, -0.16603156924247742, 0.16405566036701202, -0.054202623665332794,
  -0.008060881868004799, 0.008625359274446964, 0.0013125636614859104, -0.001222343766130507, -0.0003961053444072604,
];
const SCALED64: readonly number[] = [
  1.2530080582697296, -0.13562110612458056, -0.04756229435344938, 0.12964515870269114, -0.11927366341538129,
  0.06830802734627672, -0.023770514917000298, 0.002529391781050138, 0.0018886903379988977, -0.0007798319765304272,
  -0.00010515962744818794, 0.00012509783498937865, 4.948570706606902e-6, -2.009560192696064e-5, -7.283274657610485e-7,
  3.4618812187110288e-6, 3.495913494541211e-7, -6.023331298082586e-7, -1.3102961709043428e-7, 8.997460907707878e-8,
  3.2414460813106124e-8, -7.928800284960189e-9, -3.958016320099763e-9,
];

/** e^(y²)·erfc(y) for y ≥ 0. Source: the variable of Shepherd and Laframboise 1981. */
function scaledErfc(b: Builder, y: Value): Value {
  const k = b.like(y, pick(b, y, [2, 3]));
  const t = b.div(b.sub(y, k), b.add(y, k));
  const p = polynomial(b, t, pick(b, y, [SCALED32, SCALED64]));
  return b.div(p, b.add(b.add(y, y), b.like(y, 1)));
}

/**
 * factor·e^(−scale·y²) without the loss of e^(−(y²)): what rounding takes from y² is found exactly and enters to first order.
 * @param scale 1 or ½
 */
function timesGaussian(b: Builder, factor: Value, y: Value, scale: 1 | 0.5): Value {
  const square = b.mul(y, y);
  // The upper half of the digits, whose square is exact.
  const top = fromBits(b, y, b.binary("and", toBits(b, y), whole(b, y, pick(b, y, [-0x1000n, -0x8000000n]))));
  const rest = b.add(b.sub(b.mul(top, top), square), b.mul(b.sub(y, top), b.add(y, top)));
  const by = b.like(y, scale);
  const [exponent, error] = scale === 1 ? [square, rest] : [b.mul(square, by), b.mul(rest, by)];
  const e = exp(b, b.unary("neg", exponent));
  return b.mul(b.sub(e, b.mul(e, error)), factor);
}

/** erfc |x|. */
function upper(b: Builder, x: Value): Value {
  const y = b.binary("pmin", magnitude(b, x), b.like(x, pick(b, x, [11, 28])));
  return timesGaussian(b, scaledErfc(b, y), y, 1);
}

/** erf x where |x| ≤ 1. Source: DLMF 7.2.1; x and a polynomial that is small beside it. */
function central(b: Builder, x: Value): Value {
  return b.add(x, b.mul(x, polynomial(b, b.mul(x, x), pick(b, x, [EXCESS32, EXCESS64]))));
}

/** erf x. Beyond 1 it is 1 − erfc, in float32 by a polynomial of its own, which need not be small to full accuracy. */
export function erf(b: Builder, x: Value): Value {
  const size = magnitude(b, x);
  const one = b.like(x, 1);
  const rest = isSingle(b, x) ? restOf(b, size) : upper(b, x);
  return b.select(b.compare("lt", size, one), central(b, x), signed(b, b.sub(one, rest), x));
}

function restOf(b: Builder, size: Value): Value {
  const t = b.sub(b.binary("pmin", size, b.like(size, 4)), b.like(size, 2.5));
  return b.binary("pmax", polynomial(b, t, BEYOND), b.like(size, 0));
}

/** erfc x = 1 − erf x, with full relative accuracy in the right tail. */
export function erfc(b: Builder, x: Value): Value {
  const right = upper(b, x);
  return b.select(b.compare("lt", x, b.like(x, 0)), b.sub(b.like(x, 2), right), right);
}

/** Φ(x), the distribution function of the standard normal law, with full relative accuracy in the left tail. */
export function ndtr(b: Builder, x: Value): Value {
  const y = b.binary("pmin", magnitude(b, x), b.like(x, pick(b, x, [15, 39])));
  const g = b.mul(scaledErfc(b, b.mul(y, b.like(x, Math.SQRT1_2))), b.like(x, 0.5));
  const tail = timesGaussian(b, g, y, 0.5);
  return b.select(b.compare("gt", x, b.like(x, 0)), b.sub(b.like(x, 1), tail), tail);
}
