import { type AnyPrimitive, apply, type Tensor } from "../../src/graph/tensor.js";
import * as contract from "../../src/primitives/contract.js";
import * as control from "../../src/primitives/control.js";
import { cumsum } from "../../src/primitives/cumulative.js";
import * as elementary from "../../src/primitives/elementary.js";
import * as linear from "../../src/primitives/linear.js";
import * as point from "../../src/primitives/pointwise.js";
import * as reduce from "../../src/primitives/reduce.js";
import { derivativeLaw, type Law, pullbackLaw, secondLaw, transposeLaw } from "./lawbook.js";

/** Copies of primitives with one wrong jvp or transpose rule each. */

export type Wrong = readonly [what: string, law: Law, primitive: AnyPrimitive];

const [times, negate] = [contract.times, linear.negate];

function otherFloat(t: Tensor): Tensor {
  return apply(point.cast, [t], { dtype: t.dtype === "float32" ? "float64" : "float32" } as const);
}

export const derivatives: Wrong[] = [
  [
    "sin with derivative −cos",
    derivativeLaw,
    { ...elementary.sin, jvp: ([t], [x]) => (t ? negate(times(t, apply(elementary.cos, [x as Tensor], null))) : null) },
  ],
  [
    "mul that forgets its second tangent",
    derivativeLaw,
    { ...contract.mul, jvp: ([s], [, b]) => (s ? times(s, b as Tensor) : null) },
  ],
  [
    "div with the wrong sign in the denominator",
    derivativeLaw,
    {
      ...contract.divide,
      jvp: ([s, t], [, b], _p, out) => s ?? (t ? times(out, apply(contract.divide, [t, b as Tensor], null)) : null),
    },
  ],
  ["exp with derivative zero", derivativeLaw, { ...elementary.exp, jvp: () => null }],
  ["floor with derivative one", derivativeLaw, { ...elementary.floor, jvp: ([t]) => t as Tensor }],
  [
    "max whose tangent goes to all elements",
    derivativeLaw,
    { ...reduce.max, jvp: ([t], _x, { axes }) => (t ? linear.sumOver(t, axes) : null) },
  ],
  ["a tangent of another dtype", derivativeLaw, { ...elementary.tanh, jvp: ([t]) => (t ? otherFloat(t) : null) }],
  ["stopGradient with a derivative", derivativeLaw, { ...control.stopGradient, jvp: ([t]) => t as Tensor }],
  ["a box without derivative", derivativeLaw, { ...control.box, jvp: () => null }],
  // Right at first order, where the laws evaluate; its own tangent treats the output as constant.
  [
    "exp with a stopped output",
    secondLaw,
    { ...elementary.exp, jvp: ([t], _x, _p, out) => (t ? times(t, apply(control.stopGradient, [out], null)) : null) },
  ],
];

export const transposes: Wrong[] = [
  [
    "sub that forgets a sign",
    transposeLaw,
    { ...linear.sub, transpose: (ct, which) => which.map((is) => (is ? ct : null)) },
  ],
  ["matmul without swapping", pullbackLaw, { ...contract.matmul, jvp: ([s, t]) => s ?? t ?? null }],
  [
    "cumsum that is its own transpose",
    transposeLaw,
    { ...cumsum, transpose: (ct, _l, _x, params) => [apply(cumsum, [ct], params)] },
  ],
  ["flip that forgets to flip back", transposeLaw, { ...linear.flip, transpose: (ct) => [ct] }],
  [
    "sum that forgets to repeat",
    transposeLaw,
    { ...linear.sum, transpose: (_ct, _l, [a]) => [linear.zerosLike(a as Tensor)] },
  ],
  ["slice whose cotangent keeps the small shape", transposeLaw, { ...linear.slice, transpose: (ct) => [ct] }],
  ["exp as linear", transposeLaw, { ...elementary.exp, linear: "any", transpose: (ct) => [ct] }],
  ["mul linear in both at once", transposeLaw, { ...contract.mul, linear: "any" }],
  ["linear without a rule", transposeLaw, { ...elementary.exp, linear: "any" }],
];
