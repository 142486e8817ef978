import { enumerate } from "./enumerate.js";
import type { AnyEstimator } from "./estimator.js";
import { pathwise } from "./pathwise.js";
import { scoreFunction } from "./scoreFunction.js";

export { enumerate } from "./enumerate.js";
export type { Baseline, Estimator } from "./estimator.js";
export { pathwise } from "./pathwise.js";
export { type ScoreFunctionOptions, scoreFunction } from "./scoreFunction.js";

/** Every estimator, made with its defaults, in the order in which remedies are named. Audits and law tests walk this list. */
export const estimators: readonly (() => AnyEstimator)[] = Object.freeze([pathwise, scoreFunction, enumerate]);
