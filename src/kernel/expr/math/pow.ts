import type { Builder, Value } from "../block.js";
import { exp } from "./exp.js";
import { isSingle, magnitude, signed } from "./kit.js";
import { logNormal } from "./log.js";

/** x^y, by the rules of Math.pow. A constant exponent is looked at. */
export function pow(b: Builder, x: Value, y: Value): Value {
  const exponent = b.ops[y];
  if (exponent?.op === "const") {
    const few = small(b, x, Number(exponent.value));
    if (few !== null) return few;
  }
  const type = isSingle(b, x) ? "float32" : "float64";
  const general = b.call("pow", Math.pow, [x, y], type);
  if (type === "float64") return general;
  const power = exponent?.op === "const" ? Number(exponent.value) : NaN;
  const isWhole = Number.isInteger(power);
  const base = isWhole ? magnitude(b, x) : x;
  const regular = b.binary("and", b.compare("gt", base, b.like(x, 0)), b.compare("lt", base, b.like(x, Infinity)));
  const size = throughDouble(b, base, y);
  const isOdd = isWhole && power % 2 !== 0;
  return b.rare(b.unary("not", regular), general, isOdd ? signed(b, size, x) : size);
}

/** Exponents whose powers are a few products. */
function small(b: Builder, x: Value, power: number): Value | null {
  if (power === 0) return b.like(x, 1);
  if (power === 1) return x;
  if (power === -1) return b.div(b.like(x, 1), x);
  if (power !== 2 && power !== 3 && power !== 4) return null;
  const square = b.mul(x, x);
  return power === 2 ? square : b.mul(square, power === 3 ? x : square);
}

/** e^(y log x) of float32 x > 0 in float64, which leaves room for the error of log x, magnified by y. */
function throughDouble(b: Builder, x: Value, y: Value): Value {
  const log = logNormal(b, b.convert(x, "float64"));
  return b.convert(exp(b, b.mul(b.convert(y, "float64"), log)), "float32");
}
