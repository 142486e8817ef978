import type { DType, TypedArray } from "../base/dtype.js";
import { fail, NoGradientError } from "../base/errors.js";
import { type Shape, show, sizeOf } from "../base/shape.js";
import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type Primitive, type Type } from "../graph/tensor.js";
import { elements, empty, type NDArray } from "../kernel/ndarray.js";
import { allBatched } from "./linear.js";

/** What a black box is given: the numbers of each input, row-major, and their shapes. */
export type ExternalFunction = (
  ...inputs: readonly { readonly data: TypedArray; readonly shape: Shape }[]
) => ArrayLike<number> | number;

export interface ExternalParams {
  readonly fn: ExternalFunction;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** How many leading axes inputs and output share element by element: fn treats them independently. */
  readonly maps: number;
  /** Axes that vmap put in front: fn is called once for each of their elements. */
  readonly outer: Shape;
  /** Whether the last input is the token of the previous call, which may have left a state behind. */
  readonly chained: boolean;
}

/** A function of the user's world as a node. It has values and influence, and no derivative is pretended. */
export const external: Primitive<ExternalParams> = {
  name: "external",
  type: (_inputs, { outer, shape, dtype }) => ({ shape: [...outer, ...shape], dtype }),
  run: (inputs, params, out) => runExternal(params.chained ? inputs.slice(0, -1) : inputs, params, out),
  needs: "all",
  jvp: (tangents, _inputs, { name, chained }) => {
    const direct = chained ? tangents.slice(0, -1) : tangents;
    if (direct.every((t) => t === null)) return null;
    throw new NoGradientError({
      where: `external "${name}"`,
      what: "a black box has no derivative, and a parameter reaches it without a sample in between",
      write:
        "sample between the parameters and the black box (the score function sees through it), or stopGradient what goes in",
    });
  },
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => {
    if (params.chained) mixedStates(params.name);
    return apply(external, allBatched(inputs, batched, size), { ...params, outer: [size, ...params.outer] });
  },
  reads: ({ maps, outer, chained }, inputs) =>
    inputs.map((input, i) => {
      const direct = !(chained && i === inputs.length - 1);
      return leading(input.shape, Math.min(outer.length + (direct ? maps : 0), input.shape.length));
    }),
  smooth: "jump",
  lower: onHost,
  laws: [
    {
      inputs: [{ shape: [2, 3] }],
      params: {
        fn: (x) => Float64Array.from(x.data, Math.floor),
        name: "law",
        shape: [2, 3],
        dtype: "float64",
        maps: 2,
        outer: [],
        chained: false,
      },
    },
  ],
};

function mixedStates(name: string): never {
  return fail({
    where: `external "${name}"`,
    what: "a black box that is not pure is called after another in one run, and many runs are computed together, so their states would mix",
    write:
      "expectation(f, { dynamic: true }), pure: true if equal inputs give equal outputs, or a state: of its own if the calls do not influence each other",
  });
}

function runExternal(inputs: readonly NDArray[], { fn, name, shape, outer }: ExternalParams, out: Type): NDArray {
  const result = empty(out.dtype, out.shape);
  const calls = sizeOf(outer);
  const size = sizeOf(shape);
  const values = inputs.map(elements);
  const shapes = inputs.map((a) => a.shape.slice(outer.length));
  for (let call = 0; call < calls; call++) {
    const args = values.map((data, i) => {
      const n = sizeOf(shapes[i] as Shape);
      return { data: data.slice(call * n, (call + 1) * n), shape: shapes[i] as Shape };
    });
    const got = fn(...args);
    const list = typeof got === "number" ? [got] : got;
    if (list === null || list === undefined || list.length !== size) {
      fail({
        where: `external "${name}"`,
        got: `${list?.length ?? String(list)} numbers`,
        expected: `${size}, for shape ${show(shape)}`,
      });
    }
    for (let i = 0; i < size; i++) result.data[call * size + i] = list[i] as number;
  }
  return result;
}
