import type { TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import type { HessianOf } from "../transforms/grad.js";
import type { Like, LikeAll } from "../transforms/trees.js";
import { type AuditOptions, type AuditResult, audit } from "./audit.js";
import { dynamicDerivatives, dynamicHessian, dynamicOf, dynamicValue, Once } from "./dynamicCalls.js";
import type { Estimate } from "./estimate.js";
import { type ExplainOptions, type Explanation, explain } from "./explain.js";
import { type CallOptions, type ExpectationOptions, type Settled, settle } from "./options.js";
import type { ProgramFunction } from "./program.js";
import type { ValueAndGrad } from "./results.js";
import type { OneRun } from "./runs.js";
import { inlineGrad, inlineHessian, inlineOf, Opener } from "./staticCalls.js";

/** E[f]: the value and the gradient of the expectation of a program with random choices in it. */
type Args<P, D extends readonly unknown[]> = [params: Like<P>, ...data: LikeAll<D>, options: CallOptions];
type ArgsMaybe<P, D extends readonly unknown[], O> =
  | [params: Like<P>, ...data: LikeAll<D>]
  | [params: Like<P>, ...data: LikeAll<D>, options: O];

export interface Expectation<P, D extends readonly unknown[]> {
  readonly f: (params: P, ...data: [...D]) => TensorLike;
  readonly options: Settled;
  /** The value. Inside grad, hessian, compile … its mean is a node whose derivatives are those of the expectation. */
  value(...args: Args<P, D>): Estimate<Tensor>;
  /** Value and gradient with respect to the first argument; the error bars of the gradient are computed when read. */
  valueAndGrad(...args: Args<P, D>): ValueAndGrad<P>;
  /** Second derivatives, blocks [...first, ...second] per pair of parameters. */
  hessian(...args: Args<P, D>): Estimate<HessianOf<P>>;
  /** Which estimator at which site and why, who is charged with which cost, values and adjoints of named nodes; as text and as a drawing. */
  explain(...args: ArgsMaybe<P, D, ExplainOptions>): Explanation;
  /** Bias, variance and cost of every admissible estimator at every site. */
  audit(...args: ArgsMaybe<P, D, AuditOptions>): Promise<AuditResult>;
  /** The traced program and its plan, for tools. */
  plan(...args: Args<P, D>): OneRun;
}

/**
 * The expectation of f over its random choices. f(params, ...data) returns one scalar cost per run and must be pure.
 * @throws where an option is out of range, a site is unknown, an estimator does not fit, or a derivative would be wrong
 */
export function expectation<P, D extends unknown[]>(
  f: (params: P, ...data: D) => TensorLike,
  options: ExpectationOptions = {},
): Expectation<P, D> {
  const settled = settle(options);
  const program = f as ProgramFunction;
  return {
    f: f as Expectation<P, D>["f"],
    options: settled,
    ...(settled.dynamic ? dynamicCalls<P, D>(program, settled) : tracedCalls<P, D>(program, settled)),
    explain: (...args) => explain({ f: program, options: settled }, args),
    audit: (...args) => audit({ f: program, options: settled }, args),
    plan: (...args) => new Opener(program, settled).open(args, settled.order, "params").traced.ev.core,
  };
}

type Calls<P, D extends readonly unknown[]> = Pick<Expectation<P, D>, "value" | "valueAndGrad" | "hessian">;

function dynamicCalls<P, D extends readonly unknown[]>(f: ProgramFunction, settled: Settled): Calls<P, D> {
  const checked = new Once();
  return {
    value: (...args) => dynamicValue(dynamicOf(f, args, settled, settled.order, checked)),
    valueAndGrad: (...args) => dynamicDerivatives(dynamicOf(f, args, settled, settled.order, checked)),
    hessian: (...args) => dynamicHessian(dynamicOf(f, args, settled, 2, checked)),
  };
}

function tracedCalls<P, D extends readonly unknown[]>(f: ProgramFunction, settled: Settled): Calls<P, D> {
  const opener = new Opener(f, settled);
  const asked = settled.order;
  return {
    value: (...args) => {
      if (insideTransform()) return inlineOf(opener.open(args, asked, "all"), settled, 0).value;
      const { traced, bound } = opener.bind(args, asked);
      return traced.evaluation(0).run(bound).value;
    },
    valueAndGrad: (...args) => {
      if (insideTransform()) return inlineGrad<P>(opener.open(args, asked, "all"), settled);
      const { traced, bound } = opener.bind(args, asked);
      return traced.valueAndGrad<P>(bound);
    },
    hessian: (...args) => {
      if (insideTransform()) return inlineHessian<P>(opener.open(args, 2, "all"), settled);
      const { traced, bound } = opener.bind(args, 2);
      return traced.hessian<P>(bound);
    },
  };
}
