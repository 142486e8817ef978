import type { Builder, Value } from "../block.js";
import { fromBits, isSingle, magnitude, pick, polynomial, rounder, toBits, whole } from "./kit.js";

// π/2 in three parts, all positive (for −0's sake), the first two short enough that their whole multiples up to 2^6 (2^20) are exact.
const HALF_PI = [
  [1.5707855224609375, 1.0804273188114166e-5, 6.07710062827671e-11],
  [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21],
] as const;
/** Beyond this reduction is done in float64 (float32), or by the engine (float64). */
const REACH = [100, 1.6e6] as const;

/** (sin r − r)/r³ and (cos r − 1 + r²/2)/r⁴ in r² ≤ (π/4)²; minimax; fitted by test/reference/fit-expr.py. */
const SIN32: readonly number[] = [-0.16666655242443085, 0.008332191966474056, -0.0001951878803083673];
const COS32: readonly number[] = [0.04166664555668831, -0.00138873013202101, 2.4430684788967483e-5];
const SIN64: readonly number[] = [
  -0.16666666666666632, 0.008333333333322488, -0.00019841269829856665, 2.7557313706766898e-6, -2.5050760223730187e-8,
  1.5896908869731642e-10,
];
const COS64: readonly number[] = [
  0.0416666666666666, -0.0013888888888874472, 2.4801587289669372e-5, -2.7557314400246296e-7, 2.0875729158836046e-9,
  -1.1359927274470617e-11,
];

interface Angle {
  /** The quadrant, in the low bits. */
  readonly k: Value;
  /** |sin x| and |cos x| but for the sign. */
  readonly sin: Value;
  readonly cos: Value;
}

/** x = k π/2 + r. Source: Cody and Waite 1980, own minimax polynomials. */
function angle(b: Builder, x: Value): Angle {
  const magic = b.like(x, rounder(b, x));
  const t = b.add(b.mul(x, b.like(x, 2 / Math.PI)), magic);
  const n = b.sub(t, magic);
  const r = pick(b, x, HALF_PI).reduce<Value>((rest, part) => b.sub(rest, b.mul(n, b.like(x, part))), x);
  const z = b.mul(r, r);
  const one = b.like(x, 1);
  // A product, so that −0 stays what it is.
  const sine = b.mul(r, b.add(b.mul(z, polynomial(b, z, pick(b, x, [SIN32, SIN64]))), one));
  const bend = b.mul(b.mul(z, z), polynomial(b, z, pick(b, x, [COS32, COS64])));
  const cosine = b.add(b.sub(one, b.mul(z, b.like(x, 0.5))), bend);
  const k = toBits(b, t);
  const even = b.compare("eq", b.binary("and", k, whole(b, x, 1)), whole(b, x, 0));
  return { k, sin: b.select(even, sine, cosine), cos: b.select(even, cosine, sine) };
}

/** Changes the sign of x where bit `at` of k is set. */
function flip(b: Builder, x: Value, k: Value, at: 0 | 1): Value {
  const by = pick(b, x, [31, 63]) - at;
  const sign = at === 0 ? b.shift("shl", k, by) : b.shift("shl", b.binary("and", k, whole(b, x, 2)), by);
  return fromBits(b, x, b.binary("xor", toBits(b, x), sign));
}

type Circular = (b: Builder, x: Value) => Value;

function circular(name: string, run: (x: number) => number, fast: Circular): Circular {
  const build = (b: Builder, x: Value): Value => {
    const far = b.compare("gt", magnitude(b, x), b.like(x, pick(b, x, REACH)));
    const slow = isSingle(b, x)
      ? b.convert(build(b, b.convert(x, "float64")), "float32")
      : b.call(name, run, [x], "float64");
    return b.rare(far, slow, fast(b, x));
  };
  return build;
}

/** sin x. */
export const sin: Circular = circular("sin", Math.sin, (b, x) => {
  const { k, sin } = angle(b, x);
  return flip(b, sin, k, 1);
});

/** cos x: all but the last steps are those of sin x. */
export const cos: Circular = circular("cos", Math.cos, (b, x) => {
  const { k, cos } = angle(b, x);
  return flip(b, cos, b.add(k, whole(b, x, 1)), 1);
});

/** tan x: the quotient of the two. */
export const tan: Circular = circular("tan", Math.tan, (b, x) => {
  const { k, sin, cos } = angle(b, x);
  return flip(b, b.div(sin, cos), k, 0);
});
