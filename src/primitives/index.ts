import type { AnyPrimitive } from "../graph/tensor.js";
import * as bits from "./bits.js";
import * as check from "./check.js";
import * as concat from "./concat.js";
import * as contract from "./contract.js";
import * as control from "./control.js";
import * as conv from "./conv.js";
import * as cumulative from "./cumulative.js";
import * as decompose from "./decompose.js";
import * as determinant from "./determinant.js";
import * as elementary from "./elementary.js";
import * as expm from "./expm.js";
import { external } from "./external.js";
import * as factor from "./factor.js";
import * as fourier from "./fourier.js";
import * as indexing from "./indexing.js";
import * as integer from "./integer.js";
import * as linear from "./linear.js";
import * as order from "./order.js";
import * as pinv from "./pinv.js";
import * as place from "./place.js";
import * as pointwise from "./pointwise.js";
import * as pool from "./pool.js";
import * as quotient from "./quotient.js";
import * as reduce from "./reduce.js";
import * as solve from "./solve.js";
import * as special from "./special.js";

/** Every primitive. The law tests walk this list: a new one is tested by existing. */
export const primitives: readonly AnyPrimitive[] = Object.freeze(
  [
    linear,
    concat,
    elementary,
    pointwise,
    contract,
    conv,
    pool,
    indexing,
    reduce,
    special,
    bits,
    check,
    control,
    factor,
    solve,
    determinant,
    decompose,
    pinv,
    expm,
    quotient,
    cumulative,
    fourier,
    integer,
    order,
    place,
    { external },
  ].flatMap((room) =>
    Object.values(room).filter(
      (entry): entry is AnyPrimitive => typeof entry === "object" && entry !== null && "jvp" in entry,
    ),
  ),
);
