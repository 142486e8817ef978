import { type AnyFamily, type Distribution, define, type Family } from "../../src/distributions/distribution.js";
import { families } from "../../src/distributions/index.js";
import { compile, type Tensor, tensor } from "../../src/index.js";

/** What the law tests walk: every family at every one of its cases, in both float types. */
export type Float = "float32" | "float64";
export type Given = Readonly<Record<string, number | readonly number[]>>;
export type Tree = Record<string, Tensor>;

export interface Subject {
  readonly label: string;
  readonly family: AnyFamily;
  readonly given: Given;
  readonly dtype: Float;
}

export const subjects: readonly Subject[] = families.flatMap((family) =>
  family.cases.flatMap((given) =>
    (["float32", "float64"] as const).map((dtype) => ({
      label: `${family.name}(${JSON.stringify(given)}) ${dtype}`,
      family,
      given,
      dtype,
    })),
  ),
);

export function treeOf(given: Given, dtype: Float): Tree {
  const leaf = (x: number | readonly number[]): Tensor => tensor(typeof x === "number" ? x : [...x], { dtype });
  return Object.fromEntries(Object.entries(given).map(([name, x]) => [name, leaf(x)]));
}

/** The distribution as a user would make it. */
export function build(family: AnyFamily, params: Tree): Distribution {
  return (define(family as Family) as (params: object) => Distribution)(params);
}

export function distributionOf({ family, given, dtype }: Subject): Distribution {
  return build(family, treeOf(given, dtype));
}

/** The same law in float64, at the numbers the subject really has. */
export function twinOf({ family, given, dtype }: Subject): Distribution {
  const wide = Object.entries(treeOf(given, dtype)).map(([name, x]) => [name, x.toDType("float64")]);
  return build(family, Object.fromEntries(wide));
}

/** The row-major numbers. */
export function list(x: Tensor): number[] {
  return ([x.toArray()] as unknown[]).flat(Infinity) as number[];
}

/** Values of a distribution: in `dtype` where they are floats. */
export function valuesOf(d: Distribution, x: readonly number[], dtype: Float): Tensor {
  return tensor([...x], { dtype: d.dtype === "int32" ? "int32" : dtype });
}

const levels = [0.003, 0.03, 0.2, 0.41, 0.7, 0.94, 0.999];

/** Points of the support, spread over its mass, exact in the subject's dtype. */
export function spots(subject: Subject): number[] {
  const d = distributionOf(subject);
  if (subject.family.gives.enumerate) return list(d.enumerateSupport());
  const points = quantiles(twinOf(subject), levels).map((x) => (subject.dtype === "float32" ? Math.fround(x) : x));
  return [...new Set(points)];
}

/** Quantiles by the inverse cdf, or by bisection of the cdf where there is none. */
export function quantiles(d: Distribution, q: readonly number[]): number[] {
  if (d.family.icdf) return list(d.icdf([...q]));
  const cdf = compile((x: Tensor) => d.cdf(x));
  let [low, high] = [q.map(() => -1e9), q.map(() => 1e9)];
  for (let i = 0; i < 100; i++) {
    const middle = low.map((x, k) => (x + high[k]!) / 2);
    const reached = list(cdf(tensor(middle, { dtype: "float64" }))).map((p, k) => p >= q[k]!);
    low = low.map((x, k) => (reached[k] ? x : middle[k]!));
    high = high.map((x, k) => (reached[k] ? middle[k]! : x));
  }
  return high;
}

/** n copies of the parameters, [n, ...], so that a gradient comes out per value. */
export function repeated({ params }: Distribution, n: number): Tree {
  return Object.fromEntries(Object.entries(params).map(([name, x]) => [name, x.broadcastTo([n, ...x.shape])]));
}

export interface Direction {
  readonly name: string;
  readonly element: number;
  /** What finite differences may be scaled by. */
  readonly size: number;
  readonly unit: Tree;
}

/** The unit directions of the parameters, in float64. */
export function directions(given: Given): Direction[] {
  return Object.entries(given).flatMap(([name, numbers]) =>
    [numbers].flat().map((theta, element) => {
      const unit = Object.entries(given).map(([key, x]) => {
        const mark = (i: number): number => (key === name && i === element ? 1 : 0);
        return [key, typeof x === "number" ? mark(0) : x.map((_, i) => mark(i))] as const;
      });
      return {
        name,
        element,
        size: Math.max(Math.abs(theta), 0.1),
        unit: treeOf(Object.fromEntries(unit), "float64"),
      };
    }),
  );
}
