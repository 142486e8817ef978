import { type AnyPrimitive, apply, type Tensor, type Type } from "../../src/graph/tensor.js";
import type { NDArray } from "../../src/kernel/ndarray.js";
import { entries, part, tuple, tupleType } from "../../src/primitives/tuple.js";
import type { Case } from "./draw.js";

/** A primitive with several results as one primitive per result, so that every law is asked of every part. */
export function views(primitive: AnyPrimitive): AnyPrimitive[] {
  const cases = primitive.laws as readonly Case[];
  const counts = cases.map((lawCase) => typeOf(primitive, lawCase).parts?.length ?? 0);
  const most = Math.max(0, ...counts);
  if (most === 0) return [primitive];
  return Array.from({ length: most }, (_, k) =>
    view(
      primitive,
      k,
      cases.filter((_case, i) => k < (counts[i] as number)),
    ),
  );
}

function typeOf(primitive: AnyPrimitive, { inputs, params }: Case): Type {
  return primitive.type(
    inputs.map(({ shape, dtype = "float64" }) => ({ shape, dtype })),
    params,
  );
}

function view(primitive: AnyPrimitive, k: number, laws: readonly Case[]): AnyPrimitive {
  const typesOf = (inputs: readonly Type[], params: unknown): readonly Type[] =>
    primitive.type(inputs, params).parts as readonly Type[];
  return {
    ...primitive,
    name: `${primitive.name}.${k}`,
    type: (inputs, params) => typesOf(inputs, params)[k] as Type,
    run: (inputs, params) => {
      const types = inputs.map((x) => ({ shape: x.shape, dtype: x.dtype }));
      const whole = primitive.run(inputs, params, tupleType(typesOf(types, params)), new Set([k]));
      return whole.parts?.[k] as NDArray;
    },
    jvp: (tangents, inputs, params) => {
      const t = primitive.jvp(tangents, inputs, params, apply(primitive, inputs, params));
      return t && (entries(t)[k] ?? null);
    },
    transpose:
      primitive.transpose &&
      ((ct, linear, inputs, params) => {
        const types = typesOf(inputs, params);
        const only = types.map((_, i): Tensor | null => (i === k ? ct : null));
        return primitive.transpose?.(tuple(only, types), linear, inputs, params) ?? [];
      }),
    batch: (...args) => part(primitive.batch(...args), k),
    reads: (params, inputs, out) => primitive.reads(params, inputs, out, k),
    laws,
  };
}
