import { isFloat } from "../base/dtype.js";
import { range } from "../base/shape.js";
import { type Primitive, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { ancestors, between } from "../graph/walk.js";
import { zerosLike } from "../primitives/linear.js";
import { part, tuple } from "../primitives/tuple.js";
import { pushTangents } from "../transforms/jvp.js";
import { LoopBuilder } from "./inputs.js";
import { emit, type MakeScan, type ScanParams } from "./loop.js";
import { chooseKept, keepCarries, takenBy } from "./residuals.js";

/**
 * The tangent of a scan is a scan over tangents. What its step takes from the step of the original comes in stacked: the original is
 * asked for one more output each (a residual), so it runs once for the value and for all derivatives.
 */
export function tangentScan(make: MakeScan): Primitive<ScanParams>["jvp"] {
  return (tangents, inputs, params, out, wanted) => {
    const { outputs } = params.body;
    const types = [...(out.parts as readonly Type[])];
    const { directions, slopes } = slopesOf(tangents, params, wanted ?? new Set(types.keys()));
    const places = range(types.length).filter((k) => (k < params.carries ? directions[k] : slopes.get(k)));
    if (places.length === 0) return null;
    const step = places.map((k) => slopes.get(k) ?? zerosLike(outputs[k] as Tensor));
    const made = tangentLoop(make, { tangents, directions, step, inputs, params, out });
    const where = new Map(places.map((k, i) => [k, i]));
    return tuple(
      types.map((_, k) => {
        const i = where.get(k);
        return i === undefined ? null : part(made, i);
      }),
      types,
    );
  };
}

/**
 * Directions for the inputs of the body that move (those with a tangent, and the carries that these reach in some step), and the
 * tangents of the next carries and of the outputs that are wanted.
 */
function slopesOf(
  tangents: readonly (Tensor | null)[],
  { body, carries }: ScanParams,
  wanted: ReadonlySet<number>,
): { directions: (Tensor | null)[]; slopes: Map<number, Tensor | null> } {
  const moving = tangents.map((t) => t !== null);
  const asked = range(body.outputs.length).filter((k) => k < carries || wanted.has(k));
  const results = asked.map((k) => body.outputs[k] as Tensor);
  for (;;) {
    const directions = body.inputs.map((input, k) => (moving[k] ? placeholder(input, `tangent ${k}`) : null));
    const pushed = pushTangents(results, body.inputs, directions);
    const slopes = new Map(asked.map((k, i) => [k, pushed[i] ?? null]));
    const more = range(carries).filter((k) => slopes.get(k) && !moving[k] && isFloat((body.inputs[k] as Tensor).dtype));
    if (more.length === 0) return { directions, slopes };
    for (const k of more) moving[k] = true;
  }
}

interface Slopes {
  readonly tangents: readonly (Tensor | null)[];
  readonly directions: readonly (Tensor | null)[];
  /** Tangents of the outputs that move, as nodes over `directions` and nodes of the body. */
  readonly step: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly params: ScanParams;
  readonly out: Tensor;
}

function tangentLoop(make: MakeScan, slopes: Slopes): Tensor {
  const { tangents, directions, step, inputs, params } = slopes;
  const { body, carries, stacked, length, reverse, residuals } = params;
  const builder = new LoopBuilder();
  body.inputs.forEach((input, k) => {
    const direction = directions[k] ?? null;
    const along = tangents[k] ?? zerosLike(inputs[k] as Tensor);
    const value = inputs[k] as Tensor;
    if (k < carries) {
      if (direction) builder.carry(direction, along);
    } else if (k < carries + stacked) {
      if (direction) builder.stack(direction, along);
      builder.stack(input, value);
    } else {
      if (direction) builder.constant(direction, along);
      builder.constant(input, value);
    }
  });
  for (const [node, rows] of residualsOf(slopes)) builder.stack(node, rows);
  const { inputs: made, ...built } = builder.build(step);
  return make(made, { ...built, length, reverse, alive: null, residuals });
}

/** What the tangent's step takes from the original's, with the stacked numbers of it. */
function residualsOf({ directions, step, params, out }: Slopes): [Tensor, Tensor][] {
  const { body, carries, stacked, residuals } = params;
  const frontier = takenBy(directions, step);
  const varying = new Set(between(body.inputs.slice(0, carries + stacked), frontier));
  const free = new Set(body.inputs.slice(carries));
  for (const node of ancestors(frontier)) if (!varying.has(node)) free.add(node);
  const wanted = frontier.filter((node) => varying.has(node) && !free.has(node));
  const own = body.inputs.slice(0, carries);
  const kept =
    residuals === "save"
      ? wanted
      : residuals === "recompute"
        ? keepCarries(wanted, own)
        : chooseKept(wanted, free, own);
  return kept.map((node) => [node, emit(out, node)]);
}
