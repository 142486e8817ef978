import type { AnyPrimitive } from "../graph/tensor.js";
import * as bits from "./bits.js";
import * as check from "./check.js";
import * as contract from "./contract.js";
import * as control from "./control.js";
import * as elementary from "./elementary.js";
import { external } from "./external.js";
import * as indexing from "./indexing.js";
import * as linear from "./linear.js";
import * as pointwise from "./pointwise.js";
import * as reduce from "./reduce.js";
import * as special from "./special.js";

/** Every primitive. The law tests walk this list: a new one is tested by existing. */
export const primitives: readonly AnyPrimitive[] = Object.freeze(
  [linear, elementary, pointwise, contract, indexing, reduce, special, bits, check, control, { external }].flatMap(
    (room) =>
      Object.values(room).filter(
        (entry): entry is AnyPrimitive => typeof entry === "object" && entry !== null && "jvp" in entry,
      ),
  ),
);
