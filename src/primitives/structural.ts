import type { Shape } from "../base/shape.js";
import type { Interval } from "../graph/interval.js";
import type { Lowering } from "../graph/lowering.js";
import type { ReadLink } from "../graph/reads.js";
import { apply, type LawCase, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import type { NDArray } from "../kernel/ndarray.js";

export interface Structural<P> {
  readonly name: string;
  readonly shape: (shape: Shape, params: P) => Shape;
  readonly run: (a: NDArray, params: P, out: Type) => NDArray;
  readonly transpose: (cotangent: Tensor, input: Tensor, params: P) => Tensor;
  readonly batch: (input: Tensor, params: P, size: number) => Tensor;
  readonly reads: (params: P, input: Shape, out: Shape) => readonly ReadLink[];
  readonly lower: Lowering<P, Tensor>;
  readonly laws: readonly LawCase<P>[];
  /** Left out: that of the input, whose elements it moves. */
  readonly range?: (input: Interval, params: P, node: Tensor) => Interval;
}

/** A linear map of one tensor that keeps its dtype: the tangent goes through the same map. */
export function structural<P>(rules: Structural<P>): Primitive<P> {
  const self: Primitive<P> = {
    name: rules.name,
    type: ([a], params) => ({ shape: rules.shape((a as Type).shape, params), dtype: (a as Type).dtype }),
    run: ([a], params, out) => rules.run(a as NDArray, params, out),
    needs: "all",
    jvp: ([t], _inputs, params) => (t ? apply(self, [t], params) : null),
    transpose: (ct, _linear, [a], params) => [rules.transpose(ct, a as Tensor, params)],
    linear: "any",
    batch: ([a], _batched, params, size) => rules.batch(a as Tensor, params, size),
    reads: (params, [a], out) => [rules.reads(params, (a as Type).shape, out.shape)],
    smooth: "smooth",
    range: ([a], params, node) => (rules.range ? rules.range(a as Interval, params, node) : (a as Interval)),
    lower: rules.lower,
    laws: rules.laws,
  };
  return self;
}
