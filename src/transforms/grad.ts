import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { range } from "../base/shape.js";
import type { TensorLike } from "../graph/leaves.js";
import { eye } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { transforming } from "../graph/trace.js";
import { alias, onesLike, permute, reshapeTo, zerosLike } from "../primitives/linear.js";
import { linearize, pushTangents } from "./jvp.js";
import { pullCotangents, transposeLinear } from "./transpose.js";
import { beside, type GradOf, type Like, type LikeAll, pathName, scalarLoss, tensorsOf } from "./trees.js";
import { batchAll } from "./vmap.js";

/** Derivatives of programs. Each runs the program once on fresh nodes and derives a graph; nothing is computed until it is read. */

/** The program's result at fresh nodes for its first argument. */
function atFreshNodes<P, R extends unknown[], T>(
  where: string,
  f: (params: P, ...rest: R) => T,
  params: Like<P>,
  rest: LikeAll<R>,
): { flat: ReturnType<typeof tensorsOf>; inputs: Tensor[]; result: T } {
  const flat = tensorsOf(where, params);
  flat.leaves.forEach((x, i) => {
    if (!isFloat(x.dtype)) {
      fail({
        where,
        got: `${pathName("params", flat.paths[i] as string)} of dtype ${x.dtype}`,
        expected: "float32 or float64",
        write: "pass what is not differentiated as a later argument",
      });
    }
  });
  const inputs = flat.leaves.map((x) => apply(alias, [x], null));
  const others = rest.map((tree) => {
    const { leaves, rebuild } = tensorsOf(where, tree);
    return rebuild(leaves);
  });
  const result = transforming(where, () => f(flat.rebuild(inputs) as P, ...(others as R)));
  return { flat, inputs, result };
}

/** Gradient nodes of a scalar with respect to nodes; zeros where it does not depend on one. */
export function gradients(loss: Tensor, inputs: readonly Tensor[]): Tensor[] {
  return pullCotangents([loss], inputs, [onesLike(loss)]).map((g, i) => g ?? zerosLike(inputs[i] as Tensor));
}

/**
 * The value and the gradient with respect to the first argument.
 * @throws where the program returns anything but a scalar, or an argument is not a float
 */
export function valueAndGrad<P, R extends unknown[]>(
  f: (params: P, ...rest: R) => TensorLike,
): (params: Like<P>, ...rest: LikeAll<R>) => { value: Tensor; grad: GradOf<P> } {
  return (params, ...rest) => {
    const { flat, inputs, result } = atFreshNodes("grad", f, params, rest);
    const loss = scalarLoss("grad", result);
    return { value: reshapeTo(loss, []), grad: flat.rebuild(gradients(loss, inputs)) as GradOf<P> };
  };
}

export function grad<P, R extends unknown[]>(
  f: (params: P, ...rest: R) => TensorLike,
): (params: Like<P>, ...rest: LikeAll<R>) => GradOf<P> {
  const both = valueAndGrad(f);
  return (params, ...rest) => both(params, ...rest).grad;
}

/** The value of f and its derivative along `tangents`, a tree like the argument. Any tree of tensors may come out of f. */
export function jvp<P, T>(f: (params: P) => T, params: Like<P>, tangents: Like<P>): { value: T; tangent: GradOf<T> } {
  const { flat, inputs, result } = atFreshNodes("jvp", f, params, []);
  const along = beside("jvp", "tangents", tangents, "the parameters", flat);
  const out = tensorsOf("jvp", result);
  const pushed = pushTangents(out.leaves, inputs, along).map((t, i) => t ?? zerosLike(out.leaves[i] as Tensor));
  return { value: out.rebuild(out.leaves) as T, tangent: out.rebuild(pushed) as GradOf<T> };
}

/** The value of f and the map from cotangents of its result to cotangents of its argument. */
export function vjp<P, T>(
  f: (params: P) => T,
  params: Like<P>,
): { value: T; pullback: (cotangents: Like<T>) => GradOf<P> } {
  const { flat, inputs, result } = atFreshNodes("vjp", f, params, []);
  const out = tensorsOf("vjp", result);
  // Linearised now: reading the value outside drops its inputs, and a later linearisation would find no path.
  const map = linearize(out.leaves, inputs);
  return {
    value: out.rebuild(out.leaves) as T,
    pullback: (cotangents) => {
      const back = beside("vjp", "cotangents", cotangents, "the result", out);
      const pulled = transposeLinear(map.outputs, map.tangents, back).map(
        (g, i) => g ?? zerosLike(inputs[i] as Tensor),
      );
      return flat.rebuild(pulled) as GradOf<P>;
    },
  };
}

/** For every pair of leaves the block [...shape of the first, ...shape of the second], as a tree of trees. */
export type HessianOf<P> = P extends Tensor ? Tensor : { [K in keyof P]: GradOf<P> };

/** Second derivatives of a scalar program: forward over reverse, one tangent per parameter, batched. */
export function hessian<P, R extends unknown[]>(
  f: (params: P, ...rest: R) => TensorLike,
): (params: Like<P>, ...rest: LikeAll<R>) => HessianOf<P> {
  return (params, ...rest) => {
    const { flat, inputs, result } = atFreshNodes("hessian", f, params, rest);
    const blocks = hessianBlocks(scalarLoss("hessian", result), inputs);
    return flat.rebuild(blocks.map((row) => flat.rebuild(row))) as HessianOf<P>;
  };
}

/** Block [i][j] of second derivatives of a scalar: [...inputs[i].shape, ...inputs[j].shape]. */
export function hessianBlocks(loss: Tensor, inputs: readonly Tensor[]): Tensor[][] {
  const slopes = gradients(loss, inputs);
  const columns = inputs.map((input) => jacobians(slopes, input));
  return slopes.map((_, i) => columns.map((column) => column[i] as Tensor));
}

/** d out / d input of shape [...out.shape, ...input.shape], one tangent per input element. */
export function jacobian(out: Tensor, input: Tensor): Tensor {
  return jacobians([out], input)[0] as Tensor;
}

/** The same for several outputs, linearised together. */
function jacobians(outs: readonly Tensor[], input: Tensor): Tensor[] {
  const { tangents, outputs } = linearize(outs, [input]);
  const basis = reshapeTo(eye(input.size, { dtype: input.dtype }), [input.size, ...input.shape]);
  const live = outputs.filter((tangent): tangent is Tensor => tangent !== null);
  const columns = batchAll(live, tangents, [basis], input.size);
  return outs.map((out, i) => {
    const tangent = outputs[i] ?? null;
    const shape = [...out.shape, ...input.shape];
    if (tangent === null) return zerosLike({ shape, dtype: out.dtype });
    const column = columns[live.indexOf(tangent)] as Tensor;
    return reshapeTo(permute(column, [...range(out.rank).map((k) => k + 1), 0]), shape);
  });
}
