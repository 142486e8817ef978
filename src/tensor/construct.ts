import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import { constant } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import { broadcastTo } from "../primitives/linear.js";

/** Tensors of one repeated number. */
export function full(shape: Shape, value: number, { dtype = "float32" }: { dtype?: DType } = {}): Tensor {
  return broadcastTo(constant(value, dtype), shape);
}

export function zeros(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: Shape, options: { dtype?: DType } = {}): Tensor {
  return full(shape, 1, options);
}
