import { type DType, isFloat, promote } from "../base/dtype.js";
import { fail, listed } from "../base/errors.js";
import { broadcastShapes, type Shape } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { validate } from "../primitives/check.js";
import { broadcastTo } from "../primitives/linear.js";
import type { KeyLike } from "../random/key.js";
import { type Stream, streamOf } from "../random/uniform.js";
import { exp, sqrt, toDType } from "../tensor/elementwise.js";
import type { Constraint } from "./constraint.js";

/**
 * What a distribution is: a family (functions of a value and of parameters) at given parameters. Estimators look at what a family
 * gives and never at its name.
 */
export type Params = { readonly [name: string]: Tensor };

/** How often a reparameterised sample may be differentiated in its parameters. */
export type Orders = number | "any";

/** What a distribution can give to an estimator, in its own terms. Each has its own law test. */
export interface Capabilities {
  /** log p(x; params) of shape [...batch], differentiable in every parameter but those in `supportDepends`. */
  readonly logProb: (x: Tensor, p: Params) => Tensor;
  /** x = g(ε, params) with the noise ε free of parameters and explicit, so that quadrature can stand in for it. */
  readonly reparam: {
    noise(stream: Stream, shape: Shape, p: Params): Tensor;
    value(noise: Tensor, p: Params): Tensor;
    /** Parameters it differentiates in. */
    readonly params: readonly string[];
    readonly orders: Orders;
  };
  /** All values [size, ...batch, ...event], the same for every element of the batch. */
  readonly enumerate: { size(p: Params): number; values(p: Params): Tensor };
}
export type Capability = keyof Capabilities;

export interface Parameter {
  readonly name: string;
  readonly constraint: Constraint;
  /** Rank of one parameter: 0 for a number, 1 for a vector. Default 0. */
  readonly eventRank?: number;
  /** Used when the parameter is left out. */
  readonly default?: number;
}

/** One file defines one family; the order of fields is the order of the file. */
export interface Family<G extends Capability = Capability> {
  readonly name: string;
  /** Alternatives, for instance probs or logits: exactly one form is given. */
  readonly forms: readonly (readonly Parameter[])[];
  readonly discrete: boolean;
  support(p: Params): Constraint;
  /** Parameters with which the support moves: the score function would lose the boundary term. */
  readonly supportDepends: readonly string[];
  eventShape(p: Params): Shape;
  /** Of values. */
  dtype(p: Params): DType;
  /** One draw of shape [...batch, ...event]. */
  sample(stream: Stream, p: Params): Tensor;
  readonly gives: Pick<Capabilities, G>;
  readonly mean?: (p: Params) => Tensor;
  readonly variance?: (p: Params) => Tensor;
  readonly mode?: (p: Params) => Tensor;
  readonly entropy?: (p: Params) => Tensor;
  readonly cdf?: (x: Tensor, p: Params) => Tensor;
  readonly icdf?: (q: Tensor, p: Params) => Tensor;
  /** Parameters the laws are tried at. */
  readonly cases: readonly { readonly [name: string]: number | readonly number[] }[];
}

/** A family whose capabilities are not known to the compiler. */
export type AnyFamily = Omit<Family<never>, "gives"> & { readonly gives: Partial<Capabilities> };

export interface Distribution<G extends Capability = Capability> {
  readonly name: string;
  readonly family: Family<G>;
  /** Broadcast to the batch, of one dtype, checked when their numbers are known. */
  readonly params: Params;
  readonly batchShape: Shape;
  readonly eventShape: Shape;
  /** Of values. */
  readonly dtype: DType;
  readonly support: Constraint;
  readonly gives: Pick<Capabilities, G>;
  /** Independent draws [...sampleShape, ...batch, ...event]. */
  sample(key: KeyLike, options?: { readonly sampleShape?: Shape }): Tensor;
  /** [...batch]; −∞ outside the support. */
  logProb(x: TensorLike): Tensor;
  prob(x: TensorLike): Tensor;
  /** @throws naming the distribution where it has none; so do all below */
  cdf(x: TensorLike): Tensor;
  icdf(q: TensorLike): Tensor;
  mean(): Tensor;
  variance(): Tensor;
  stddev(): Tensor;
  mode(): Tensor;
  entropy(): Tensor;
  /** [size, ...batch, ...event] */
  enumerateSupport(): Tensor;
}

/** The constructor of a family. @throws on unknown, missing or doubly given parameters, and on values outside their constraint */
export function define<G extends Capability, A extends object>(family: Family<G>): (params: A) => Distribution<G> {
  return (params) => at(family, settle(family, params as Record<string, TensorLike | undefined>));
}

/** The form that fits what was given. */
function chooseForm(family: AnyFamily, given: readonly string[]): readonly Parameter[] {
  const fitting = family.forms.find((form) => given.every((name) => form.some((p) => p.name === name)) && form.every((p) => p.default !== undefined || given.includes(p.name)));
  if (fitting) return fitting;
  const known = new Set(family.forms.flat().map((p) => p.name));
  const unknown = given.filter((name) => !known.has(name));
  const forms = family.forms.map((form) => `{ ${form.map((p) => p.name).join(", ")} }`).join(" or ");
  if (unknown.length > 0) fail({ where: family.name, got: `unknown parameter ${listed(unknown, "and")}`, expected: forms });
  return fail({ where: family.name, got: `{ ${given.join(", ")} }`, expected: forms });
}

/** Parameters as tensors of one dtype, validated and broadcast to one batch. */
function settle(family: AnyFamily, params: Record<string, TensorLike | undefined>): Params {
  const given = Object.keys(params ?? {}).filter((name) => params[name] !== undefined);
  const form = chooseForm(family, given);
  const raw = form.map((p) => asTensor(params[p.name] ?? (p.default as number)));
  // Bare numbers adapt to tensors, so they do not vote on the dtype.
  const votes = raw.filter((x, i) => typeof params[(form[i] as Parameter).name] !== "number" && isFloat(x.dtype) && given.includes((form[i] as Parameter).name));
  const dtype = votes.length === 0 ? "float32" : votes.map((x) => x.dtype).reduce(promote);
  const tensors = form.map((p, i) => {
    const x = toDType(typeof params[p.name] === "number" ? asTensor(params[p.name] as number, dtype) : (raw[i] as Tensor), dtype);
    const rank = p.eventRank ?? 0;
    if (x.rank < rank) fail({ where: family.name, got: `${p.name} of shape [${x.shape.join(", ")}]`, expected: `at least ${rank} axis` });
    return apply(validate, [x], { where: family.name, name: p.name, expected: p.constraint.expected, holds: p.constraint.holds });
  });
  const batch = tensors.map((x, i) => x.shape.slice(0, x.rank - (form[i]?.eventRank ?? 0))).reduce<Shape>((a, b) => broadcastShapes(family.name, a, b), []);
  return Object.fromEntries(
    tensors.map((x, i) => [(form[i] as Parameter).name, broadcastTo(x, [...batch, ...x.shape.slice(x.rank - (form[i]?.eventRank ?? 0))])]),
  );
}

/** The batch shape of settled parameters. */
export function batchShapeOf(family: AnyFamily, p: Params): Shape {
  const [name, x] = Object.entries(p)[0] as [string, Tensor];
  const rank = family.forms.flat().find((q) => q.name === name)?.eventRank ?? 0;
  return x.shape.slice(0, x.rank - rank);
}

/** The distribution of a family at settled parameters. */
export function at<G extends Capability>(family: Family<G>, p: Params): Distribution<G> {
  const batchShape = batchShapeOf(family, p);
  const { name } = family;
  const eventShape = family.eventShape(p);
  const need = <F>(f: F | undefined, what: string): F => f ?? fail({ where: name, what: `has no ${what}` });
  const value = (x: TensorLike): Tensor => {
    const t = asTensor(x, family.dtype(p));
    return typeof x === "number" || !isFloat(family.dtype(p)) ? toDType(t, family.dtype(p)) : toDType(t, promote(t.dtype, family.dtype(p)));
  };
  return {
    name,
    family,
    params: p,
    batchShape,
    eventShape,
    dtype: family.dtype(p),
    support: family.support(p),
    gives: family.gives,
    sample: (key, { sampleShape = [] } = {}) => family.sample(streamOf(`${name}.sample`, key), repeat(p, sampleShape)),
    logProb: (x) => logProbOf(family, value(x), p),
    prob: (x) => exp(logProbOf(family, value(x), p)),
    cdf: (x) => need(family.cdf, "cdf")(value(x), p),
    icdf: (q) => need(family.icdf, "icdf")(toDType(asTensor(q), Object.values(p)[0]?.dtype ?? "float32"), p),
    mean: () => need(family.mean, "mean")(p),
    variance: () => need(family.variance, "variance")(p),
    stddev: () => sqrt(need(family.variance, "variance")(p)),
    mode: () => need(family.mode, "mode")(p),
    entropy: () => need(family.entropy, "entropy")(p),
    enumerateSupport: () => need((family.gives as Partial<Capabilities>).enumerate, "finite support").values(p),
  };
}

/** log p(x): parameters and value broadcast against each other. */
function logProbOf(family: AnyFamily, x: Tensor, p: Params): Tensor {
  const { logProb } = family.gives;
  if (!logProb) return fail({ where: family.name, what: "has no logProb" });
  return logProb(x, p);
}

function repeat(p: Params, sampleShape: Shape): Params {
  return Object.fromEntries(Object.entries(p).map(([name, x]) => [name, broadcastTo(x, [...sampleShape, ...x.shape])]));
}
