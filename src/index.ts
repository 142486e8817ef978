import "./tensor/methods.js";

export type { DType, TypedArray } from "./base/dtype.js";
export { NoGradientError, SamplegradError } from "./base/errors.js";
export type { Distribution } from "./distributions/distribution.js";
export * from "./distributions/index.js";
export { type Estimator, enumerate, pathwise, type ScoreFunctionOptions, scoreFunction } from "./estimators/index.js";
export type { AuditOptions, AuditResult, AuditRow } from "./expectation/audit.js";
export { bibtex, cite } from "./expectation/cite.js";
export { observe, randomKey, sample } from "./expectation/effects.js";
export type { Estimate } from "./expectation/estimate.js";
export { type Expectation, expectation } from "./expectation/expectation.js";
export type { ExplainOptions, Explanation } from "./expectation/explain.js";
export type { CallOptions, ExpectationOptions } from "./expectation/options.js";
export type { ValueAndGrad } from "./expectation/results.js";
export { arange, eye, type TensorLike, tensor } from "./graph/leaves.js";
export { isTensor, type Tensor } from "./graph/tensor.js";
export {
  type AdamOptions,
  adam,
  type LearningRate,
  type Optimizer,
  type OptimizerState,
  type SgdOptions,
  sgd,
} from "./optim/index.js";
export { foldIn, jaxBits, type KeyLike, key, split } from "./random/key.js";
export { setRuntime } from "./runtime/choose.js";
export { type CompileOptions, compile } from "./runtime/compile.js";
export { explainPlan, type PlanExplanation, type ProgramReport, type ProgramTotals } from "./runtime/explainPlan.js";
export { type ExternalOptions, external } from "./tensor/blackBox.js";
export * from "./tensor/construct.js";
export * from "./tensor/conv.js";
export * from "./tensor/cumulative.js";
export * from "./tensor/einsum.js";
export * from "./tensor/elementwise.js";
export * from "./tensor/fourier.js";
export * from "./tensor/indexing.js";
export * from "./tensor/integer.js";
export { type Integral, type IntegrateOptions, integrate } from "./tensor/integrate.js";
export type { Beyond, InterpOptions } from "./tensor/interpolate.js";
export { interp } from "./tensor/interpolate.js";
export * from "./tensor/linalg.js";
export { cond, type ScanOptions, scan } from "./tensor/loops.js";
export * from "./tensor/matrices.js";
export * from "./tensor/norms.js";
export { type OdeOptions, odeint } from "./tensor/ode.js";
export * from "./tensor/order.js";
export * from "./tensor/padding.js";
export { polyval } from "./tensor/polynomial.js";
export * from "./tensor/pooling.js";
export * from "./tensor/quadrature.js";
export * from "./tensor/reducing.js";
export * from "./tensor/resampling.js";
export { findRoot, fixedPoint, type IterationOptions, newton, type RootOptions } from "./tensor/roots.js";
export * from "./tensor/shaping.js";
export * from "./tensor/statistics.js";
export { type WhileOptions, whileLoop } from "./tensor/while.js";
export type { Padding, PerAxis, WindowOptions } from "./tensor/windows.js";
export { grad, hessian, jvp, valueAndGrad, vjp } from "./transforms/grad.js";
export { vmap } from "./transforms/map.js";
export { type Backend, backend } from "./wasm/backend.js";
export { setThreads } from "./wasm/threads/index.js";
