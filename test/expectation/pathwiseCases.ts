import { readFileSync } from "node:fs";
import { type AnyFamily, type at, define } from "../../src/distributions/distribution.js";
import { families } from "../../src/distributions/index.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { abs, cos, exp, log1p, sample, sin, square } from "../../src/index.js";
import { t64 } from "./exact.js";

/** The cases of test/reference/pathwise.json for the families there are. */
export interface PathwiseCase {
  readonly label: string;
  readonly family: AnyFamily;
  readonly name: string;
  readonly params: Readonly<Record<string, Tensor>>;
  readonly g: (x: Tensor) => Tensor;
  readonly value: number;
  /** In the order of the parameters. */
  readonly grad: readonly number[];
  readonly hessian: readonly number[] | null;
}

const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "x^2": square,
  "sin(x)": sin,
  "exp(-x^2)": (x) => exp(square(x).neg()),
  "log1p(|x|)": (x) => log1p(abs(x)),
  "0.5x^3-x^2+2x-1": (x) => x.mul(0.5).sub(1).mul(x).add(2).mul(x).sub(1),
  "cos(x)": cos,
  "cos(2x)": (x) => cos(x.mul(2)),
  "exp(cos(x))": (x) => exp(cos(x)),
  x: (x) => x.mul(1),
};

interface Entry {
  readonly dist: string;
  readonly params: Readonly<Record<string, number | readonly number[]>>;
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly expectation: number;
        readonly grad: Readonly<Record<string, number | readonly number[]>>;
        readonly hessian?: { readonly matrix: readonly (readonly number[])[] };
      }
    >
  >;
}

const entries: readonly Entry[] = JSON.parse(
  readFileSync(new URL("../reference/pathwise.json", import.meta.url), "utf8"),
).cases;

export const pathwiseCases: readonly PathwiseCase[] = entries.flatMap((entry) => {
  const family = families.find(({ name }) => name === entry.dist);
  if (!family) return [];
  const params = Object.fromEntries(Object.entries(entry.params).map(([name, x]) => [name, t64(x as number)]));
  return Object.entries(entry.functions).map(([name, { expectation, grad, hessian }]) => ({
    label: `${entry.dist}(${JSON.stringify(entry.params)}): ${name}`,
    family,
    name,
    params,
    g: functions[name] as (x: Tensor) => Tensor,
    value: expectation,
    grad: Object.keys(params).flatMap((p) => [grad[p]].flat() as number[]),
    hessian: hessian ? hessian.matrix.flat() : null,
  }));
});

/** E-able: one sample, one function of it. */
export function lossOf({ family, g }: PathwiseCase): (params: never) => Tensor {
  const make = define(family as Parameters<typeof define>[0]);
  return (params) => {
    const x = sample(make(params) as unknown as ReturnType<typeof at>, { name: "x" });
    return g(x.toDType("float64"));
  };
}
