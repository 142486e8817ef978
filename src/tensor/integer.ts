import { asTensor } from "../graph/leaves.js";
import { apply } from "../graph/tensor.js";
import * as primitives from "../primitives/integer.js";
import { abs, equal, notEqual, sub } from "./elementwise.js";
import { type Binary, binary, noBool, toBool, type Unary, unary } from "./operands.js";

/**
 * Whole numbers: bits and division with a remainder, and what kind of number a float is. int32 and uint32 wrap modulo 2³²; beside each
 * other they become int32.
 */

/** The same bits are asked of one dtype; truth values have `logicalAnd`, `logicalOr`, `logicalXor`, `logicalNot`. */
export const bitAnd: Binary = binary("bitAnd", primitives.bitAnd);
export const bitOr: Binary = binary("bitOr", primitives.bitOr);
export const bitXor: Binary = binary("bitXor", primitives.bitXor);
export const bitNot: Unary = (x) => apply(primitives.bitNot, [asTensor(x)], null);
/** How many bits are 1. */
export const populationCount: Unary = (x) => apply(primitives.populationCount, [asTensor(x)], null);
/** x · 2^n modulo 2³²; 0 from n = 32 on. @throws on reading, where n is negative */
export const shiftLeft: Binary = binary("shiftLeft", primitives.shiftLeft);
/** ⌊x / 2^n⌋: int32 keeps its sign (arithmetic), uint32 takes in zeros (logical). @throws on reading, where n is negative */
export const shiftRight: Binary = binary("shiftRight", primitives.shiftRight);

/** ⌊a / b⌋. Floats divided by 0 are ±∞ or NaN. @throws on reading, where a whole number is divided by 0 */
export const floorDivide: Binary = binary("floorDivide", primitives.floorDivide, noBool);
/**
 * a − b·⌊a / b⌋, with the sign of b as in Python and NumPy; its derivatives are 1 and −⌊a / b⌋. Floats: NaN where b is 0 or a infinite.
 * @throws on reading, where a whole number is divided by 0
 */
export const remainder: Binary = binary("remainder", primitives.remainder, noBool);

/** Towards zero. */
export const trunc: Unary = unary(primitives.trunc);

export const logicalXor: Binary = (a, b) => notEqual(toBool(a), toBool(b));

const notANumber: Unary = (x) => notEqual(x, x);
/** Neither infinite nor NaN. */
const finite: Unary = (x) => equal(sub(x, x), 0);
export const isInfinite: Unary = (x) => equal(abs(x), Infinity);
export { finite as isFinite, notANumber as isNaN };
