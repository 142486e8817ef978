import { type DType, isFloat, isTypedArray, promote } from "../base/dtype.js";
import { fail, listed } from "../base/errors.js";
import { broadcastShapes, type Shape } from "../base/shape.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, isTensor, type Tensor } from "../graph/tensor.js";
import { validate } from "../primitives/check.js";
import { type LimitParams, limit } from "../primitives/control.js";
import { broadcastTo } from "../primitives/linear.js";
import type { KeyLike } from "../random/key.js";
import { type Stream, streamOf } from "../random/uniform.js";
import { exp, sqrt, toDType } from "../tensor/elementwise.js";
import type { Constraint } from "./constraint.js";
import { type Edge, edgeOf } from "./edges.js";

/**
 * What a distribution is: a family (functions of a value and of parameters) at given parameters. Estimators look at what a family
 * gives and never at its name.
 */
export type Params = { readonly [name: string]: Tensor };

/** How often a reparameterised sample may be differentiated in its parameters. */
export type Orders = number | "any";

/** What a distribution can give to an estimator, in its own terms. Each has its own law test. */
export interface Capabilities {
  /** log p(x; params), [...batch], differentiable in all parameters but `supportDepends`. `edge`: default `fixed`, for an own sample. */
  readonly logProb: (x: Tensor, p: Params, edge?: Edge) => Tensor;
  /** x = g(ε, params) with the noise ε free of parameters and explicit, so that quadrature can stand in for it. */
  readonly reparam: {
    noise(stream: Stream, shape: Shape, p: Params): Tensor;
    value(noise: Tensor, p: Params): Tensor;
    /** Parameters it differentiates in. */
    readonly params: readonly string[];
    readonly orders: Orders;
  };
  /** A finite support. */
  readonly enumerate: {
    size(p: Params): number;
    /** All values [size, ...batch, ...event], the same for every element of the batch. */
    values(p: Params): Tensor;
    /** P(x) of a value in the support [...batch], differentiable also where it is 0. */
    prob(x: Tensor, p: Params): Tensor;
  };
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
export interface Family<G extends Capability = never> {
  readonly name: string;
  /** Alternatives, for instance probs or logits: exactly one form is given. */
  readonly forms: readonly (readonly Parameter[])[];
  /** Conditions on parameters together, as `relate` nodes in what comes back. */
  readonly check?: (p: Params) => Params;
  readonly discrete: boolean;
  support(p: Params): Constraint;
  /** Parameters with which the support moves: the score function would lose the boundary term. */
  readonly supportDepends: readonly string[];
  /** Parameters in which the density has a kink: the score function is right for one derivative, not for two. */
  readonly densityKinks?: readonly string[];
  eventShape(p: Params): Shape;
  /** Of values. */
  dtype(p: Params): DType;
  /** One draw of shape [...batch, ...event]. */
  sample(stream: Stream, p: Params): Tensor;
  readonly gives: Pick<Capabilities, G>;
  /** The parameters as the score function takes them: checked where it would lose part of the derivative. */
  readonly scored?: (p: Params) => Params;
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

export interface Distribution<G extends Capability = never> {
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
  const fitting = family.forms.find(
    (form) =>
      given.every((name) => form.some((p) => p.name === name)) &&
      form.every((p) => p.default !== undefined || given.includes(p.name)),
  );
  if (fitting) return fitting;
  const known = new Set(family.forms.flat().map((p) => p.name));
  const unknown = given.filter((name) => !known.has(name));
  const forms = family.forms.map((form) => `{ ${form.map((p) => p.name).join(", ")} }`).join(" or ");
  if (unknown.length > 0)
    fail({ where: family.name, got: `unknown parameter ${listed(unknown, "and")}`, expected: forms });
  return fail({
    where: family.name,
    got: given.length === 0 ? "no parameters" : `{ ${given.join(", ")} }`,
    expected: forms,
  });
}

/** Parameters as tensors of one dtype, validated and broadcast to one batch. */
function settle(family: AnyFamily, params: Record<string, TensorLike | undefined>): Params {
  const given = Object.keys(params ?? {}).filter((name) => params[name] !== undefined);
  const form = chooseForm(family, given);
  // Bare numbers and arrays of them adapt to tensors and typed arrays, so they do not vote on the dtype.
  const votes = form
    .map((p) => params[p.name])
    .filter((x) => isTensor(x) || isTypedArray(x))
    .map((x) => asTensor(x as TensorLike).dtype);
  const dtype = votes.filter(isFloat).reduce(promote, "bool");
  const float = isFloat(dtype) ? dtype : "float32";
  const tensors = form.map((p) => {
    const x = toDType(asTensor(params[p.name] ?? (p.default as number), float), float);
    const rank = p.eventRank ?? 0;
    if (x.rank < rank)
      fail({
        where: family.name,
        got: `${p.name} of shape [${x.shape.join(", ")}]`,
        expected: `at least ${rank} axis`,
      });
    return apply(validate, [x], { ...p.constraint, where: family.name, name: p.name });
  });
  const batch = tensors
    .map((x, i) => x.shape.slice(0, x.rank - (form[i]?.eventRank ?? 0)))
    .reduce<Shape>((a, b) => broadcastShapes(family.name, a, b), []);
  const settled = Object.fromEntries(
    tensors.map((x, i) => [
      (form[i] as Parameter).name,
      broadcastTo(x, [...batch, ...x.shape.slice(x.rank - (form[i]?.eventRank ?? 0))]),
    ]),
  );
  return family.check ? family.check(settled) : settled;
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
  const float = Object.values(p)[0]?.dtype ?? "float32";
  const value = (x: TensorLike): Tensor => readAs(family.dtype(p), float, x);
  return {
    name,
    family,
    params: p,
    batchShape,
    eventShape,
    dtype: family.dtype(p),
    support: family.support(p),
    gives: family.gives,
    sample: (key, { sampleShape = [] } = {}) =>
      family.sample(streamOf(`${name}.sample`, key), repeat(drawable(family, p), sampleShape)),
    logProb: (x) => logProbOf(family, value(x), p),
    prob: (x) => exp(logProbOf(family, value(x), p)),
    cdf: (x) => need(family.cdf, "cdf")(value(x), widened(p, value(x))),
    icdf: (q) => need(family.icdf, "icdf")(readAs(float, float, q), widened(p, readAs(float, float, q))),
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
  return logProb(x, widened(p, x), edgeOf(x, family, p));
}

/** A value as its family reads it: whole numbers written as fractions stay so (truncated, 1.5 would get the probability of 1). */
function readAs(dtype: DType, float: DType, x: TensorLike): Tensor {
  if (!isFloat(dtype)) return asTensor(x, float);
  const t = asTensor(x, dtype);
  return toDType(t, promote(t.dtype, dtype));
}

/** Parameters with the precision of a value that has more. */
function widened(p: Params, { dtype }: Tensor): Params {
  return dtype === "float64" ? Object.fromEntries(Object.entries(p).map(([name, x]) => [name, toDType(x, dtype)])) : p;
}

/** Parameters for a plain draw: where draws do not move with them, a derivative that comes in is an error and not a silent zero. */
function drawable(family: AnyFamily, p: Params): Params {
  if (family.gives.reparam) return p;
  const why = (param: string): LimitParams => ({
    orders: 0,
    where: `${family.name}.sample`,
    what: `∂x/∂${param} does not exist: a draw of a discrete variable is a constant`,
    write: `use sample(d) inside expectation(f), or stopGradient(${param}) where it is made`,
  });
  return Object.fromEntries(Object.entries(p).map(([param, x]) => [param, apply(limit, [x, x], why(param))]));
}

function repeat(p: Params, sampleShape: Shape): Params {
  return Object.fromEntries(Object.entries(p).map(([name, x]) => [name, broadcastTo(x, [...sampleShape, ...x.shape])]));
}
