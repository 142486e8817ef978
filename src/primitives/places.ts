import type { Shape } from "../base/shape.js";
import { leaf, type Tensor } from "../graph/tensor.js";
import { dense } from "../kernel/ndarray.js";
import { broadcastTo, reshapeTo } from "./linear.js";

/** The place of each element along an axis, int32. */
export function placesAlong(shape: Shape, axis: number): Tensor {
  const n = shape[axis] as number;
  const places = leaf(
    dense(
      Int32Array.from({ length: n }, (_, i) => i),
      "int32",
      [n],
    ),
  );
  return broadcastTo(
    reshapeTo(
      places,
      shape.map((_, k) => (k === axis ? n : 1)),
    ),
    shape,
  );
}
