import type { Builder, Value } from "../block.js";
import { moderate } from "./exp.js";
import { magnitude, pick, polynomial, signed } from "./kit.js";

/** (tanh x − x)/x³ in x² ≤ 0.55²; minimax; fitted by test/reference/fit-expr.py. */
const P32: readonly number[] = [
  -0.33333319425582886, 0.13332636654376984, -0.053856849670410156, 0.02108829841017723, -0.006295615341514349,
];
const P64: readonly number[] = [
  -0.3333333333333235, 0.1333333333317338, -0.053968253878191215, 0.021869486021610377, -0.008863195091111763,
  0.003591724144313501, -0.001453237508497294, 0.0005791953621438316, -0.00021039303646847588, 5.1081229485894556e-5,
];

/**
 * tanh x = 1 − 2/(e^(2x) + 1) from 0.55 on, where the quotient is at most ½, so that its error weighs less; below, x and a polynomial
 * that is small beside it.
 * Source: definition; own minimax polynomial.
 */
export function tanh(b: Builder, x: Value): Value {
  const size = magnitude(b, x);
  const z = b.mul(size, size);
  const near = b.add(size, b.mul(b.mul(size, z), polynomial(b, z, pick(b, x, [P32, P64]))));
  const inside = b.binary("pmin", size, b.like(x, pick(b, x, [10, 20])));
  const { q, scale } = moderate(b, b.add(inside, inside));
  const one = b.like(x, 1);
  const sum = b.add(b.mul(scale, q), b.add(scale, one));
  const far = b.sub(one, b.div(b.like(x, 2), sum));
  return signed(b, b.select(b.compare("lt", size, b.like(x, 0.55)), near, far), x);
}
