import { type DType, isFloat } from "../../base/dtype.js";
import type { Tensor } from "../../graph/tensor.js";
import { and, cast, convert, not, or, where } from "../../primitives/pointwise.js";
import { type Build, type Identity, operand } from "./identity.js";

/** Truth values, choices between two, and changes of dtype. */

type Three = readonly [Tensor, Tensor, Tensor];

/** Of `and` (true) and `or` (false): the other operand, where one is that constant. */
function neutral(inputs: readonly Tensor[], number: number, build: Build): Tensor | null {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  if (build.number(b) === number) return a;
  return build.number(a) === number ? b : null;
}

/** Whether every number of `from` is one of `to`, so that a detour over `to` changes nothing. */
function fits(from: DType, to: DType): boolean {
  if (from === to || from === "bool" || to === "float64") return true;
  // Whole numbers wrap modulo 2³², and come back.
  return !isFloat(from) && !isFloat(to) && to !== "bool";
}

export const choices: readonly Identity[] = [
  {
    name: "where(true, a, b) = a, where(false, a, b) = b",
    of: [where],
    why: "where copies; applied only if nobody misses the other branch",
    rewrite: ({ inputs }, _out, build) => {
      const [mask, a, b] = inputs as unknown as Three;
      const taken = build.number(mask);
      if (taken === null) return null;
      return build.canBeDropped(taken ? b : a) ? (taken ? a : b) : null;
    },
  },
  {
    name: "where(c, a, a) = a",
    of: [where],
    why: "where copies, and its tangent is where(c, ȧ, ȧ); applied only if nobody misses the condition",
    rewrite: ({ inputs }, _out, build) => {
      const [mask, a, b] = inputs as unknown as Three;
      return a === b && build.canBeDropped(mask) ? a : null;
    },
  },
  {
    name: "where(not c, a, b) = where(c, b, a)",
    of: [where],
    why: "where copies",
    rewrite: ({ inputs }, _out, build) => {
      const [mask, a, b] = inputs as unknown as Three;
      const c = operand(mask, not);
      return c && build.apply(where, [c, b, a], null);
    },
  },
  {
    name: "not(not c) = c",
    of: [not],
    why: "truth values are 0 and 1",
    rewrite: ({ inputs: [c] }) => operand(c, not),
  },
  {
    name: "c and c = c, c or c = c",
    of: [and, or],
    why: "truth values are 0 and 1",
    rewrite: ({ inputs: [a, b] }) => (a === b ? (a as Tensor) : null),
  },
  {
    name: "c and true = c, c or false = c",
    of: [and, or],
    why: "truth values are 0 and 1",
    rewrite: ({ primitive, inputs }, _out, build) => neutral(inputs, primitive === and ? 1 : 0, build),
  },
  {
    name: "a dtype to itself",
    of: [cast, convert],
    why: "the number is stored as it is; between floats the tangent goes the same way, whole numbers have none",
    rewrite: ({ inputs: [x] }, { dtype }) => (x?.dtype === dtype ? x : null),
  },
  {
    name: "a dtype over one that holds all its numbers",
    of: [cast, convert],
    why: "the detour keeps every number (whole numbers modulo 2³²), so only the last step rounds; whole numbers have no derivative",
    rewrite: ({ inputs: [middle] }, { dtype }, build) => {
      const x = operand(middle, cast) ?? operand(middle, convert);
      if (!x || !fits(x.dtype, (middle as Tensor).dtype) || !wrapsAlike(x.dtype, (middle as Tensor).dtype, dtype))
        return null;
      return build.apply(isFloat(x.dtype) && isFloat(dtype) ? cast : convert, [x], { dtype });
    },
  },
];

/** A number that wrapped reads otherwise as a float. */
function wrapsAlike(from: DType, over: DType, to: DType): boolean {
  const wraps = from !== over && from !== "bool" && !isFloat(over);
  return !wraps || !isFloat(to);
}
