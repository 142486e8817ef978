import type { AnyPrimitive } from "../graph/tensor.js";
import { primitives as straight } from "../primitives/index.js";
import { cond } from "./cond.js";
import { lanewise } from "./lanes.js";
import { scan } from "./scan.js";

/** Every primitive, those that hold graphs included. The law tests walk this list. */
export const primitives: readonly AnyPrimitive[] = Object.freeze([...straight, scan, cond, lanewise]);
