import { isFloat } from "../base/dtype.js";
import { range } from "../base/shape.js";
import type { Body } from "../graph/body.js";
import { apply, type Primitive, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { zerosLike } from "../primitives/linear.js";
import { entries, part, tuple } from "../primitives/tuple.js";
import { pushTangents } from "../transforms/jvp.js";
import { transposeLinear } from "../transforms/transpose.js";
import { type CondParams, condOf, emitBranch, type MakeCond, type Piece, runCond, typeOfCond } from "./branch.js";
import { readsThrough } from "./influence.js";
import { batchedCond } from "./lanes.js";
import { condLaws } from "./laws.js";
import { chooseKept, takenBy } from "./residuals.js";

export const condNode: MakeCond = (inputs, branches) => {
  const parts = branches[0].outputs.map(({ shape, dtype }): Type => ({ shape, dtype }));
  return apply(cond, inputs, { branches, parts });
};

/** Runs one of two graphs, by a number that is known only when it runs. */
export const cond: Primitive<CondParams> = {
  name: "cond",
  type: typeOfCond,
  run: (inputs, params, _out, wanted) => runCond(inputs, params, wanted),
  needs: "all",
  jvp: tangentCond,
  transpose: (ct, linear, inputs, params) => transposedCond(entries(ct), linear, inputs, params),
  linear: [],
  batch: batchedCond(condNode),
  reads: (params, inputs, _out, index) => readsThrough(inputs, (outer) => part(apply(cond, outer, params), index)),
  smooth: "smooth",
  lower: { kind: "branch" },
  laws: condLaws,
};

/** The tangent of a cond is the cond of the tangents; what they need of a branch comes out of it, zero where it is not taken. */
function tangentCond(
  [, ...tangents]: readonly (Tensor | null)[],
  [condition, ...operands]: readonly Tensor[],
  { branches, parts }: CondParams,
  out: Tensor,
  wanted: ReadonlySet<number> = new Set(parts.keys()),
): Tensor | null {
  const types = [...parts];
  const asked = range(types.length).filter((k) => wanted.has(k) && isFloat((types[k] as Type).dtype));
  const slopes = branches.map(({ inputs, outputs }) => {
    const directions = inputs.map((x, k) => (tangents[k] ? placeholder(x, "tangent") : null));
    const results = asked.map((k) => outputs[k] as Tensor);
    const pushed = pushTangents(results, inputs, directions);
    return { directions, outputs: new Map(asked.map((k, i) => [k, pushed[i] ?? null])) };
  });
  const moving = asked.filter((k) => slopes.some((s) => s.outputs.get(k)));
  if (moving.length === 0) return null;
  const pieces = slopes.map(({ directions, outputs }, b): Piece => {
    const body = branches[b] as Body;
    const step = moving.map((k) => outputs.get(k) ?? zerosLike(types[k] as Type));
    const known = new Map<Tensor, Tensor>(body.inputs.map((x, k) => [x, operands[k] as Tensor]));
    directions.forEach((d, k) => {
      if (d) known.set(d, tangents[k] as Tensor);
    });
    for (const node of keptOf(body, directions, step)) known.set(node, emitBranch(out, b as 0 | 1, node));
    return { operands: known, outputs: step };
  });
  const made = condOf(condNode, condition as Tensor, pieces as [Piece, Piece]);
  return tuple(
    types.map((_, k) => (moving.includes(k) ? part(made, moving.indexOf(k)) : null)),
    types,
  );
}

function keptOf(body: Body, directions: readonly (Tensor | null)[], step: readonly Tensor[]): Tensor[] {
  const free = new Set(body.inputs);
  return chooseKept(takenBy(directions, step), free, []).filter((node) => !free.has(node));
}

function transposedCond(
  cotangents: readonly (Tensor | null)[],
  [, ...linear]: readonly boolean[],
  [condition, ...operands]: readonly Tensor[],
  { branches, parts }: CondParams,
): (Tensor | null)[] {
  const from = parts.flatMap((_, k) => (cotangents[k] ? [k] : []));
  const unknown = operands.flatMap((_, k) => (linear[k] ? [k] : []));
  const pieces = branches.map(({ inputs, outputs }): Piece => {
    const holes = from.map((k) => placeholder(parts[k] as Type, "cotangent"));
    const sources = unknown.map((k) => inputs[k] as Tensor);
    const pulled = transposeLinear(
      from.map((k) => outputs[k] as Tensor),
      sources,
      holes,
    );
    const known = new Map<Tensor, Tensor>(holes.map((hole, i) => [hole, cotangents[from[i] as number] as Tensor]));
    inputs.forEach((x, k) => {
      if (!linear[k]) known.set(x, operands[k] as Tensor);
    });
    return { operands: known, outputs: pulled.map((t, i) => t ?? zerosLike(sources[i] as Tensor)) };
  });
  const made = condOf(condNode, condition as Tensor, pieces as [Piece, Piece]);
  return [null, ...operands.map((_, k) => (linear[k] ? part(made, unknown.indexOf(k)) : null))];
}
