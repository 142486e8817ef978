import "./tensor/methods.js";

export type { DType, TypedArray } from "./base/dtype.js";
export { NoGradientError, SamplegradError } from "./base/errors.js";
export { arange, eye, tensor, type TensorLike } from "./graph/leaves.js";
export { isTensor, type Tensor } from "./graph/tensor.js";
export { compile } from "./runtime/compile.js";
export * from "./tensor/construct.js";
export * from "./tensor/elementwise.js";
export * from "./tensor/reducing.js";
export * from "./tensor/shaping.js";
export { grad, hessian, jvp, valueAndGrad, vjp } from "./transforms/grad.js";
export { vmap } from "./transforms/map.js";
export * from "./distributions/index.js";
export type { Distribution } from "./distributions/distribution.js";
export { foldIn, jaxBits, key, split, type KeyLike } from "./random/key.js";
