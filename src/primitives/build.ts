import type { Lowering } from "../graph/lowering.js";
import type { Builder, Outside, Value } from "../kernel/expr/block.js";

/** What an element-wise primitive computes, as an expression. */
export type Build = Extract<Lowering<null, unknown>, { kind: "map" }>["build"];

/** Of one argument. */
export type Build1 = (b: Builder, x: Value) => Value;

/** A function that is called element by element. */
export function calling(name: string, f: Outside): Build {
  return (b, args, _params, { out }) => b.call(name, f, args, out.dtype);
}
