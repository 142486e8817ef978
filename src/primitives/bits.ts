import type { DType } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { range, type Shape, sameShape, show, sizeOf } from "../base/shape.js";
import { inside } from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { leading, pointwise } from "../graph/reads.js";
import { apply, type Primitive, type Tensor, type Type } from "../graph/tensor.js";
import type { Builder, Value } from "../kernel/expr/block.js";
import { map1, map2 } from "../kernel/loops.js";
import { elements, empty, type NDArray } from "../kernel/ndarray.js";
import { fillBits, fillJaxBits, threefry2x32 } from "../kernel/threefry.js";
import { allBatched } from "./linear.js";

/** Random bits: counters through Threefry-2x32-20 (Salmon et al. 2011). Same key and place, same bits, on any machine. */

function isKey(where: string, key: Type, word?: Type): void {
  if (key.dtype !== "uint32" || key.shape[key.shape.length - 1] !== 2) {
    fail({
      where,
      got: `a key ${key.dtype}${show(key.shape)}`,
      expected: "uint32[..., 2]",
      write: "key(seed), split(key, n) or foldIn(key, i)",
    });
  }
  if (word && (word.dtype !== "uint32" || !sameShape(word.shape, key.shape.slice(0, -1)))) {
    fail({
      where,
      got: `a key ${show(key.shape)} and words ${word.dtype}${show(word.shape)}`,
      expected: `one uint32 word per key, ${show(key.shape.slice(0, -1))}`,
    });
  }
}

export interface BitsParams {
  readonly shape: Shape;
  /** -1: element e of run s is half (w & 1) of block w >> 1, with w = s·size + e; 0 or 1: that half of block w. */
  readonly lane: -1 | 0 | 1;
}

/** key uint32 [...b, 2], run uint32 [...b] -> uint32 [...b, ...shape]. */
export const randomBits: Primitive<BitsParams> = {
  name: "randomBits",
  type: ([key, run], { shape }) => {
    isKey("randomBits", key as Type, run as Type);
    return { shape: [...(run as Type).shape, ...shape], dtype: "uint32" };
  },
  run: ([key, run], { shape, lane }, out) => {
    const [keys, runs] = [elements(key as NDArray), elements(run as NDArray)];
    const result = empty("uint32", out.shape);
    const size = sizeOf(shape);
    for (let b = 0; b < runs.length; b++) {
      const part = (result.data as Uint32Array).subarray(b * size, (b + 1) * size);
      fillBits(part, keys[2 * b] as number, keys[2 * b + 1] as number, (runs[b] as number) * size, lane);
    }
    return result;
  },
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => apply(randomBits, allBatched(inputs, batched, size), params),
  reads: (_params, [, run]) => {
    const batch = (run as Type).shape.length;
    return [leading([...(run as Type).shape, 2], batch), pointwise((run as Type).shape)];
  },
  smooth: "jump",
  lower: { kind: "bits", words: ({ shape, lane }) => ({ size: sizeOf(shape), lane }) },
  laws: [
    {
      inputs: [
        { shape: [2], dtype: "uint32" },
        { shape: [], dtype: "uint32" },
      ],
      params: { shape: [3], lane: -1 },
    },
    {
      inputs: [
        { shape: [2, 2], dtype: "uint32" },
        { shape: [2], dtype: "uint32" },
      ],
      params: { shape: [2, 2], lane: 1 },
    },
  ],
};

/**
 * A new key per counter: both words of the block (data, domain). key [...b, 2], data uint32 [...b] -> [...b, 2].
 * The domain keeps `foldIn` and `split` away from each other and from the counters of draws, whose high word stays below 2²¹.
 */
export const deriveKey: Primitive<{ readonly domain: number }> = {
  name: "deriveKey",
  type: ([key, data]) => {
    isKey("foldIn", key as Type, data as Type);
    return { shape: [...(data as Type).shape, 2], dtype: "uint32" };
  },
  run: ([key, data], { domain }, out) => {
    const [keys, words] = [elements(key as NDArray), elements(data as NDArray)];
    const result = empty("uint32", out.shape);
    for (let b = 0; b < words.length; b++) {
      const part = (result.data as Uint32Array).subarray(2 * b, 2 * b + 2);
      threefry2x32(keys[2 * b] as number, keys[2 * b + 1] as number, words[b] as number, domain, part);
    }
    return result;
  },
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => apply(deriveKey, allBatched(inputs, batched, size), params),
  reads: (_params, [key, data]) => {
    const batch = (data as Type).shape.length;
    return [leading((key as Type).shape, batch), pointwise((data as Type).shape)];
  },
  smooth: "jump",
  lower: { kind: "block", domain: ({ domain }) => domain },
  laws: [
    {
      inputs: [
        { shape: [2], dtype: "uint32" },
        { shape: [], dtype: "uint32" },
      ],
      params: { domain: 7 },
    },
    {
      inputs: [
        { shape: [3, 2], dtype: "uint32" },
        { shape: [3], dtype: "uint32" },
      ],
      params: { domain: 7 },
    },
  ],
};

/** JAX's layout (jax.random.bits with jax_threefry_partitionable, the default since 0.5): key [...b, 2] -> [...b, ...shape]. */
export const jaxRandomBits: Primitive<{ readonly shape: Shape }> = {
  name: "jaxBits",
  type: ([key], { shape }) => {
    isKey("jaxBits", key as Type);
    return { shape: [...(key as Type).shape.slice(0, -1), ...shape], dtype: "uint32" };
  },
  run: ([key], { shape }, out) => {
    const keys = elements(key as NDArray);
    const result = empty("uint32", out.shape);
    const size = sizeOf(shape);
    for (let b = 0; b < keys.length / 2; b++) {
      fillJaxBits(
        (result.data as Uint32Array).subarray(b * size, (b + 1) * size),
        keys[2 * b] as number,
        keys[2 * b + 1] as number,
      );
    }
    return result;
  },
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: ([key], _batched, params) => apply(jaxRandomBits, [key as Tensor], params),
  reads: (_params, [key]) => [leading((key as Type).shape, (key as Type).shape.length - 1)],
  smooth: "jump",
  lower: onHost,
  laws: [{ inputs: [{ shape: [2], dtype: "uint32" }], params: { shape: [2, 3] } }],
};

/**
 * The centre of one of 2²³ equal cells of (0, 1) (float32, one word) or of 2⁵² (float64, two words): never 0 or 1, symmetric
 * about ½, exact in its dtype.
 */
export const unitUniform: Primitive<{ readonly dtype: DType }> = {
  name: "unitUniform",
  type: (words, { dtype }) => {
    const [first] = words as [Type];
    const fits =
      words.length === (dtype === "float64" ? 2 : 1) &&
      words.every((w) => w.dtype === "uint32" && sameShape(w.shape, first.shape));
    if (!fits)
      fail({
        where: "unitUniform",
        got: words.map((w) => `${w.dtype}${show(w.shape)}`).join(" and "),
        expected: "one uint32 word for float32, two of one shape for float64",
      });
    return { shape: first.shape, dtype };
  },
  run: ([high, low], { dtype }, out) =>
    dtype === "float64"
      ? map2((h, l) => ((h >>> 6) * 2 ** 26 + (l >>> 6) + 0.5) * 2 ** -52, high as NDArray, low as NDArray, out.dtype)
      : map1((h) => ((h >>> 9) + 0.5) * 2 ** -23, high as NDArray, out.dtype),
  needs: "all",
  jvp: () => null,
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => apply(unitUniform, allBatched(inputs, batched, size), params),
  reads: (_params, inputs, out) => inputs.map(() => pointwise(out.shape)),
  smooth: "jump",
  range: () => ({ ...inside(0, 1), random: true }),
  lower: {
    kind: "map",
    build: (b, [high, low], { dtype }) =>
      dtype === "float64" ? cell64(b, high as Value, low as Value) : cell32(b, high as Value),
  },
  laws: [
    { inputs: [{ shape: [2, 3], dtype: "uint32", from: [0, 2 ** 32 - 1] }], params: { dtype: "float32" } },
    {
      inputs: range(2).map(() => ({ shape: [2, 3], dtype: "uint32" as const, from: [0, 2 ** 32 - 1] as const })),
      params: { dtype: "float64" },
    },
  ],
};

/** ((h >>> 9) + ½) · 2⁻²³: the 24 bits are exact in float32. */
function cell32(b: Builder, high: Value): Value {
  const whole = b.convert(b.bits(b.shift("shr", high, 9), "int32"), "float32");
  return b.mul(b.add(whole, b.constant(0.5, "float32")), b.constant(2 ** -23, "float32"));
}

function cell64(b: Builder, high: Value, low: Value): Value {
  const part = (word: Value): Value => b.convert(b.bits(b.shift("shr", word, 6), "int32"), "float64");
  const whole = b.add(b.mul(part(high), b.constant(2 ** 26, "float64")), part(low));
  return b.mul(b.add(whole, b.constant(0.5, "float64")), b.constant(2 ** -52, "float64"));
}
