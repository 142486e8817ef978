import { fail } from "../base/errors.js";
import { Flow } from "../control/flow.js";
import type { AnyEstimator } from "../estimators/estimator.js";
import type { Tensor } from "../graph/tensor.js";
import { insideTransform } from "../graph/trace.js";
import { contiguous, type NDArray } from "../kernel/ndarray.js";
import { asKey } from "../random/key.js";
import type { HessianOf } from "../transforms/grad.js";
import type { GradOf } from "../transforms/trees.js";
import { siteParams } from "./differentiability.js";
import type { Choosing } from "./draft.js";
import type { DynamicCall } from "./dynamic.js";
import { type DynamicOptions, evaluateDynamic, inlineDynamic } from "./dynamicEvaluate.js";
import { numbersOf } from "./dynamicReads.js";
import { constantLike, type Estimate } from "./estimate.js";
import { recordedFor } from "./given.js";
import { type CallOptions, checkFloats, type Settled, split } from "./options.js";
import type { ProgramFunction, Trees } from "./program.js";
import { checkNames } from "./refuse.js";
import { lazyStderr, nested, type ValueAndGrad } from "./results.js";
import { paramsOf } from "./site.js";

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
  checkFloats(trees[0]);
  const estimators = (settled.estimators ?? {}) as { [site: string]: AnyEstimator };
  const recorded = how.given ?? {};
  const given = givenTo(recorded, settled.samples * settled.replicates);
  const sources = insideTransform() ? "all" : "params";
  const choosing: Choosing = {
    estimators,
    order,
    runs: settled.samples,
    given: new Set(Object.keys(recorded)),
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
    replicates: settled.replicates,
    chunk: settled.chunk,
    signal: how.signal,
    onProgress: how.onProgress,
  };
}

/** The recorded value of a site in a run, if there is one. Recorded values are checked once, not in every run. */
function givenTo(recorded: NonNullable<CallOptions["given"]>, runs: number): DynamicCall["given"] {
  const checked = new Map<string, Tensor>();
  return (name, run, site) => {
    const value = recorded[name];
    if (value === undefined) return null;
    const place = `${name} ${site.dtype}[${site.shape}] ${siteParams(site).family.support(paramsOf(site)).expected}`;
    const all = checked.get(place) ?? recordedFor(new Flow([site]), site, value, runs);
    all.value ??= contiguous(numbersOf([all])[0] as NDArray);
    checked.set(place, all);
    return all.at(run);
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
  if (insideTransform())
    fail({
      where: "expectation",
      what: "hessian of a dynamic program does not work inside another transform",
      write: "differentiate E.value(…).mean there, of an expectation with order: 2",
    });
  const { derivatives, spread: bars } = evaluateDynamic(options, 2);
  const { rebuild: one, leaves } = options.trees[0] as Trees[number];
  const rebuild = (list: readonly Tensor[]): HessianOf<P> => nested(one, leaves.length, list) as HessianOf<P>;
  return lazyStderr(rebuild(derivatives), () => bars, rebuild, bars.reason);
}
