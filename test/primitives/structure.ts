import { isFloat } from "../../src/base/dtype.js";
import { SamplegradError } from "../../src/base/errors.js";
import { sizeOf } from "../../src/base/shape.js";
import {
  type AnyPrimitive,
  apply,
  type LawInput,
  leaf,
  placeholder,
  type Tensor,
  type Type,
} from "../../src/graph/tensor.js";
import { dense, elements, type NDArray } from "../../src/kernel/ndarray.js";
import { reference } from "../../src/runtime/reference.js";
import { batchGraph } from "../../src/transforms/vmap.js";
import {
  applied,
  type Case,
  dice,
  draw,
  drawAll,
  dtypeOf,
  numbersOf,
  outputOf,
  redraw,
  rowOf,
  subsets,
} from "./draw.js";
import { firstOf, type Law } from "./lawbook.js";
import { allowedBy, reach } from "./links.js";

/** The laws of batching, access and types. */

function sameNumbers(what: string, got: readonly number[], expected: readonly number[]): string | null {
  const at = expected.findIndex((x, i) => !(x === got[i] || (Number.isNaN(x) && Number.isNaN(got[i]))));
  return at < 0 && got.length === expected.length ? null : `${what}: ${got} against ${expected}`;
}

/** (c) The batched operation is the loop, for every subset of batched inputs; the new axis keeps its elements apart. */
export const batchLaw: Law = (primitive, lawCase, float, seed) => {
  const roll = dice(seed);
  return firstOf(
    subsets(lawCase.inputs.length).flatMap((flags) => [3, 1, 0].map((size) => ({ flags, size }))),
    ({ flags, size }) => {
      const inputs = lawCase.inputs.map((input, k) => draw(input, float, roll, flags[k] ? [size] : []));
      const nodes = inputs.map(leaf);
      const out = primitive.batch(nodes, flags, lawCase.params, size, null);
      const rows = Array.from({ length: size }, (_, r) => inputs.map((x, k) => (flags[k] ? rowOf(x, r) : x)));
      const one = applied(primitive, drawAll(lawCase, float, roll), lawCase.params);
      if (String(out.shape) !== String([size, ...one.shape]) || out.dtype !== one.dtype)
        return `batch gives ${out.dtype}[${out.shape}]`;
      const expected = rows.flatMap((row) => outputOf(primitive, row, lawCase.params));
      return (
        sameNumbers(`batch of inputs ${flags}`, numbersOf(out), expected) ??
        apart(
          nodes.filter((_, k) => flags[k]),
          out,
          size,
        )
      );
    },
  );
};

/** Whether the declared reads, composed along the batched graph, link the new axis exactly. */
function apart(sources: readonly Tensor[], out: Tensor, size: number): string | null {
  return firstOf(sources, (source) =>
    firstOf(reach(source, out).entries(), ([i, reached]) => {
      const row = Math.floor(i / (source.size / size));
      const other = [...reached].find((o) => Math.floor(o / (out.size / size)) !== row);
      return other === undefined ? null : `after batch, element ${i} of row ${row} may reach ${other} of another row`;
    }),
  );
}

/** (c) A batch of a batch is the double loop, for every two subsets. */
export const nestedBatchLaw: Law = (primitive, lawCase, float, seed) => {
  const roll = dice(seed);
  const flags = subsets(lawCase.inputs.length);
  const pairs = flags.flatMap((inner) => flags.map((outer) => [inner, outer] as const));
  return firstOf(pairs, ([inner, outer]) => {
    const lead = (k: number): number[] => [...(outer[k] ? [2] : []), ...(inner[k] ? [3] : [])];
    const inputs = lawCase.inputs.map((input, k) => draw(input, float, roll, lead(k)));
    const nodes = inputs.map((x, k) =>
      outer[k] ? placeholder({ shape: x.shape.slice(1), dtype: x.dtype }, `input ${k}`) : leaf(x),
    );
    const once = primitive.batch(nodes, inner, lawCase.params, 3, null);
    const holes = nodes.filter((_, k) => outer[k]);
    const twice = batchGraph([once], holes, inputs.filter((_, k) => outer[k]).map(leaf), 2);
    const expected = [0, 1].flatMap((p) =>
      [0, 1, 2].flatMap((q) => {
        const rows = inputs.map((x, k) => (outer[k] ? rowOf(x, p) : x)).map((x, k) => (inner[k] ? rowOf(x, q) : x));
        return outputOf(primitive, rows, lawCase.params);
      }),
    );
    return sameNumbers(`batch ${outer} of batch ${inner}`, numbersOf(twice.outputs[0] as Tensor), expected);
  });
};

/** (d) Change one input element: the outputs that change lie inside the declared links. NaN is NaN. */
export const readsLaw: Law = (primitive, lawCase, float, seed) => {
  // A promise of whoever applies it; asked of cond, whose lanes it is for.
  if (primitive.name === "lanewise") return null;
  const roll = dice(seed);
  const inputs = drawAll(lawCase, float, roll);
  const out = applied(primitive, inputs, lawCase.params);
  const entries = primitive.reads(lawCase.params, out.inputs, out, 0);
  if (entries.length !== inputs.length) return `${entries.length} entries for ${inputs.length} inputs`;
  const before = numbersOf(out);
  return firstOf(inputs.entries(), ([k, x]) => {
    const allowed = allowedBy(entries[k] ?? null, x.shape, out.shape);
    return firstOf(allowed.entries(), ([i, reached]) => {
      const data = x.data.slice();
      data[i] = redraw(lawCase.inputs[k] as LawInput, x, i, roll);
      const changed = inputs.map((other, j) => (j === k ? dense(data, x.dtype, x.shape) : other));
      const after = outputOf(primitive, changed, lawCase.params);
      const bad = after.findIndex((y, o) => !Object.is(y, before[o]) && !reached.has(o));
      return bad < 0 ? null : `input ${k}, element ${i} changed output ${bad} outside the declared links`;
    });
  });
};

/** Types near a legal one: another dtype, another rank, another size. */
function misfits({ shape, dtype }: Type): Type[] {
  const shapes = [
    [2, ...shape],
    [...shape, 2],
    shape.slice(1),
    shape.slice(0, -1),
    ...shape.map((_, axis) => shape.map((n, i) => (i === axis ? n + 1 : n))),
  ];
  const dtypes = (["float32", "float64", "int32", "uint32", "bool"] as const).filter((other) => other !== dtype);
  return [...shapes.map((other) => ({ shape: other, dtype })), ...dtypes.map((other) => ({ shape, dtype: other }))];
}

/** (f) Inputs that do not fit are a sentence; whatever is let through runs, and gives what the type said. */
export const typeLaw: Law = (primitive, lawCase, float, seed) => {
  const types = lawCase.inputs.map((input) => ({ shape: input.shape, dtype: dtypeOf(input, float) }));
  const tries = types.flatMap((type, k) =>
    misfits(type).map((misfit) => types.map((other, i) => (i === k ? misfit : other))),
  );
  return firstOf(tries, (inputs) => {
    const shown = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(", ");
    try {
      const complaint = runs(primitive, inputs, lawCase, seed);
      return complaint === null ? null : `${shown}: ${complaint}`;
    } catch (error) {
      if (error instanceof SamplegradError && /^[a-zA-Z0-9]+( "\w+")?: .*\.$/.test(error.message)) return null;
      return `${shown} threw ${error}`;
    }
  });
};

function runs(primitive: AnyPrimitive, inputs: readonly Type[], lawCase: Case, seed: number): string | null {
  const roll = dice(seed);
  const arrays = inputs.map(({ shape, dtype }, k) => draw({ ...lawCase.inputs[k], shape, dtype }, "float64", roll));
  const out = apply(primitive, arrays.map(leaf), lawCase.params);
  if (!out.shape.every((n) => Number.isInteger(n) && n >= 0)) return `type says [${out.shape}]`;
  const [value] = reference.run([out], new Map()) as [NDArray];
  if (value.dtype !== out.dtype || String(value.shape) !== String(out.shape))
    return `type says ${out.dtype}[${out.shape}], run gives ${value.dtype}[${value.shape}]`;
  const list = [...elements(value)];
  if (list.length !== sizeOf(out.shape)) return `${list.length} numbers for shape [${out.shape}]`;
  return isFloat(out.dtype) && list.some(Number.isNaN) ? "run reads numbers that are not there" : null;
}
