import { fail } from "../base/errors.js";
import { type Primitive, placeholder, type Tensor } from "../graph/tensor.js";
import { between } from "../graph/walk.js";
import { plus, zerosLike } from "../primitives/linear.js";
import { entries, part } from "../primitives/tuple.js";
import { transposeLinear } from "../transforms/transpose.js";
import { LoopBuilder } from "./inputs.js";
import type { MakeScan, ScanParams } from "./loop.js";

/**
 * The transpose of a scan that is linear in its carries: a scan from the other end, whose carries are the cotangents of the carries and
 * the sums of those of the constants.
 */
export function transposedScan(make: MakeScan): NonNullable<Primitive<ScanParams>["transpose"]> {
  return (ct, linear, inputs, params) => {
    const unknown = unknownInputs(linear, params);
    const step = pulledStep(entries(ct), unknown, inputs, params);
    const { inputs: made, ...built } = step.builder.build(step.outputs);
    const { length, reverse, residuals } = params;
    const loop = make(made, { ...built, length, reverse: !reverse, alive: null, residuals });
    return inputs.map((_, k) => {
      const place = step.places.indexOf(k);
      return linear[k] && place >= 0 ? part(loop, place) : null;
    });
  };
}

/** Inputs of the body that carry the unknown: those of the loop that do, and the carries they reach. */
function unknownInputs(linear: readonly boolean[], { body, carries }: ScanParams): boolean[] {
  const unknown = [...linear];
  for (;;) {
    const reached = new Set(
      between(
        body.inputs.filter((_, k) => unknown[k]),
        body.outputs.slice(0, carries),
      ),
    );
    const more = body.outputs.slice(0, carries).flatMap((node, k) => (reached.has(node) && !unknown[k] ? [k] : []));
    if (more.length === 0) break;
    for (const k of more) unknown[k] = true;
  }
  if (body.inputs.some((_, k) => k < carries && !unknown[k]))
    fail({ where: "scan", what: "a linear scan with a carry that does not carry the unknown was transposed" });
  return unknown;
}

interface Pulled {
  readonly builder: LoopBuilder;
  readonly outputs: readonly Tensor[];
  /** The input of the original that each output is the cotangent of. */
  readonly places: readonly number[];
}

function pulledStep(
  cotangents: readonly (Tensor | null)[],
  unknown: readonly boolean[],
  inputs: readonly Tensor[],
  { body, carries, stacked }: ScanParams,
): Pulled {
  const builder = new LoopBuilder();
  const from: Tensor[] = [];
  const holes: Tensor[] = [];
  body.outputs.forEach((node, k) => {
    const ct = cotangents[k] ?? null;
    if (k >= carries && ct === null) return;
    const hole = placeholder(node, "cotangent");
    from.push(node);
    holes.push(hole);
    if (k < carries) builder.carry(hole, ct ?? zerosLike(node));
    else builder.stack(hole, ct as Tensor);
  });
  const places = body.inputs.flatMap((_, k) => (unknown[k] ? [k] : []));
  const sources = places.map((k) => body.inputs[k] as Tensor);
  const pulled = transposeLinear(from, sources, holes).map((t, i) => t ?? zerosLike(sources[i] as Tensor));
  // Constants meet every step: their cotangents are summed in carries of their own.
  const order = [...places.keys()];
  const rank = (i: number): number => {
    const k = places[i] as number;
    return k < carries ? 0 : k < carries + stacked ? 2 : 1;
  };
  order.sort((a, b) => rank(a) - rank(b) || a - b);
  const outputs = order.map((i) => {
    const share = pulled[i] as Tensor;
    if (rank(i) !== 1) return share;
    const total = placeholder(share, "sum");
    builder.carry(total, zerosLike(share));
    return plus(total, share);
  });
  body.inputs.forEach((input, k) => {
    if (unknown[k]) return;
    if (k < carries + stacked) builder.stack(input, inputs[k] as Tensor);
    else builder.constant(input, inputs[k] as Tensor);
  });
  return { builder, outputs, places: order.map((i) => places[i] as number) };
}
