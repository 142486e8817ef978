import { fail } from "../base/errors.js";
import type { AnyEstimator } from "../estimators/estimator.js";
import { asTensor } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { asKey } from "../random/key.js";
import type { HessianOf } from "../transforms/grad.js";
import type { GradOf } from "../transforms/trees.js";
import { type Choosing, checkNames } from "./choose.js";
import { type DynamicOptions, evaluateDynamic, inlineDynamic } from "./dynamicEvaluate.js";
import { constantLike, type Estimate } from "./estimate.js";
import { type Settled, split } from "./options.js";
import type { ProgramFunction, Trees } from "./program.js";
import { lazyStderr, nested, type ValueAndGrad } from "./results.js";

/** The calls of an expectation of a dynamic program. */
/** Sites of a dynamic program may be rare, so only the first call checks that names are known. */
export class Once {
  private done = false;

  once(check: () => void): void {
    if (!this.done) check();
    this.done = true;
  }
}

export interface DynamicOpened extends DynamicOptions {
  readonly trees: Trees;
}

/** A dynamic call: nothing is cached, since every run may take another path. */
export function dynamicOf(
  f: ProgramFunction,
  args: readonly unknown[],
  settled: Settled,
  order: 1 | 2,
  checked: Once,
): DynamicOpened {
  const { trees, how } = split(args);
  const estimators = (settled.estimators ?? {}) as { [site: string]: AnyEstimator };
  const recorded = new Map(Object.entries(how.given ?? {}).map(([name, value]) => [name, asTensor(value)]));
  const given = (name: string, run: number): Tensor | null => {
    const value = recorded.get(name);
    if (value === undefined) return null;
    if (value.shape[0] !== settled.samples)
      fail({
        where: `given "${name}"`,
        got: `shape [${value.shape.join(", ")}]`,
        expected: `${settled.samples} recorded values in front: samples, then the site`,
      });
    return value.at(run);
  };
  const sources = insideTransform() ? "all" : "params";
  const choosing: Choosing = {
    estimators,
    order,
    runs: settled.samples,
    given: new Set(recorded.keys()),
    sources,
    dynamic: true,
  };
  const call = { f, trees, key: asKey("expectation", how.key), estimators, given };
  return {
    trees,
    call,
    choosing,
    checkNames: (known) => checked.once(() => checkNames(known, choosing)),
    samples: settled.samples,
    chunk: settled.chunk,
    signal: how.signal,
    onProgress: how.onProgress,
  };
}

export function dynamicValue(options: DynamicOpened): Estimate<Tensor> {
  if (!insideTransform()) return evaluateDynamic(options, 0).value;
  const mean = inlineDynamic(options);
  return {
    mean,
    stderr: constantLike(mean, Number.NaN),
    dof: 0,
    reason: "inside another transform a dynamic program has no error bar",
  };
}

export function dynamicDerivatives<P>(options: DynamicOpened): ValueAndGrad<P> {
  if (insideTransform())
    fail({
      where: "expectation",
      what: "valueAndGrad of a dynamic program does not work inside another transform",
      write: "differentiate E.value(…).mean there",
    });
  const { value, derivatives, spread: bars, biased } = evaluateDynamic(options, 1);
  const rebuild = (list: readonly Tensor[]): GradOf<P> => options.trees[0]?.rebuild(list) as GradOf<P>;
  return { value, grad: lazyStderr(rebuild(derivatives), () => bars, rebuild, bars.reason), biased };
}

export function dynamicHessian<P>(options: DynamicOpened): Estimate<HessianOf<P>> {
  const { derivatives, spread: bars } = evaluateDynamic(options, 2);
  const rebuild = (list: readonly Tensor[]): HessianOf<P> =>
    nested(options.trees[0] as Trees[number], list) as HessianOf<P>;
  return lazyStderr(rebuild(derivatives), () => bars, rebuild, bars.reason);
}
