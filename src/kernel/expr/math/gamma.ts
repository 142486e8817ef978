import { digamma as digammaOf } from "../../math/digamma.js";
import { lgamma as lgammaOf } from "../../math/lgamma.js";
import { trigamma as trigammaOf } from "../../math/polygamma.js";
import type { Builder, Value } from "../block.js";
import { isSingle, polynomial } from "./kit.js";
import { logNormal } from "./log.js";

/**
 * Functions of float32 numbers are computed in float64: their zeros then cost nothing, and the recurrence over eight steps needs no
 * table of cases. For float64 numbers they are those of kernel/math, one element at a time.
 */

const HALF_LOG_TWO_PI = 0.9189385332046728;
/** B₂ₖ/(2k(2k − 1)), of y·Σ cₖ/y^(2k): log Γ (DLMF 5.11.1). */
const STIRLING: readonly number[] = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
/** B₂ₖ/(2k), of −Σ cₖ/y^(2k): ψ (DLMF 5.11.2). */
const DIGAMMA: readonly number[] = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12];
/** B₂ₖ, of Σ cₖ/y^(2k)/y: ψ′ (DLMF 5.15.8). */
const TRIGAMMA: readonly number[] = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6];
const STEPS = 8;

type Function1 = (b: Builder, x: Value) => Value;

interface Shifted {
  /** x, or x + 8 where x < 8. */
  readonly y: Value;
  readonly inverse: Value;
  /** 1/y² */
  readonly w: Value;
  readonly isSmall: Value;
  /** x(x + 1)…(x + 7) and its first two derivatives. */
  readonly product: Value;
  readonly slope: Value;
  readonly bend: Value;
}

function shift(b: Builder, x: Value): Shifted {
  const one = b.like(x, 1);
  const isSmall = b.compare("lt", x, b.like(x, STEPS));
  const y = b.select(isSmall, b.add(x, b.like(x, STEPS)), x);
  let [product, slope, bend] = [x, one, b.like(x, 0)];
  for (let step = 1; step < STEPS; step++) {
    const factor = b.add(x, b.like(x, step));
    bend = step === 1 ? b.like(x, 2) : b.add(b.mul(bend, factor), b.add(slope, slope));
    slope = b.add(b.mul(slope, factor), product);
    product = b.mul(product, factor);
  }
  const inverse = b.div(one, y);
  return { y, inverse, w: b.mul(inverse, inverse), isSmall, product, slope, bend };
}

/** A function of a positive, finite x in float64, for float32 arguments; anything else goes to `run`. */
function throughDouble(name: string, run: (x: number) => number, build: Function1): Function1 {
  return (b, x) => {
    if (!isSingle(b, x)) return b.call(name, run, [x], "float64");
    const regular = b.binary("and", b.compare("gt", x, b.like(x, 0)), b.compare("lt", x, b.like(x, Infinity)));
    const fast = b.convert(build(b, b.convert(x, "float64")), "float32");
    return b.rare(b.unary("not", regular), b.call(name, run, [x], "float32"), fast);
  };
}

/** log |Γ(x)|. Source: DLMF 5.5.1, 5.11.1. */
export const lgamma: Function1 = throughDouble("lgamma", lgammaOf, (b, x) => {
  const { y, inverse, w, isSmall, product } = shift(b, x);
  const series = b.mul(inverse, polynomial(b, w, STIRLING));
  const main = b.mul(b.sub(y, b.like(x, 0.5)), logNormal(b, y));
  const far = b.add(b.sub(main, y), b.add(series, b.like(x, HALF_LOG_TWO_PI)));
  return b.select(isSmall, b.sub(far, logNormal(b, product)), far);
});

/** ψ(x). Source: DLMF 5.5.2, 5.11.2; the reciprocals of the recurrence are the logarithmic derivative of their product. */
export const digamma: Function1 = throughDouble("digamma", digammaOf, (b, x) => {
  const { y, inverse, w, isSmall, product, slope } = shift(b, x);
  const series = b.add(b.mul(inverse, b.like(x, 0.5)), b.mul(w, polynomial(b, w, DIGAMMA)));
  const far = b.sub(logNormal(b, y), series);
  return b.select(isSmall, b.sub(far, b.div(slope, product)), far);
});

/** ψ′(x). Source: DLMF 5.5.2, 5.15.8. */
export const trigamma: Function1 = throughDouble("trigamma", trigammaOf, (b, x) => {
  const { inverse, w, isSmall, product, slope, bend } = shift(b, x);
  const series = b.mul(b.mul(w, inverse), polynomial(b, w, TRIGAMMA));
  const far = b.add(b.add(inverse, b.mul(w, b.like(x, 0.5))), series);
  const steps = b.div(b.sub(b.mul(slope, slope), b.mul(product, bend)), b.mul(product, product));
  return b.select(isSmall, b.add(far, steps), far);
});
