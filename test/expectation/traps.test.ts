import { describe, expect, it } from "vitest";
import { sampleNode } from "../../src/expectation/site.js";
import { bounded, linked, pointwise, type ReadLink } from "../../src/graph/reads.js";
import type { AnyPrimitive, Tensor, Type } from "../../src/graph/tensor.js";
import { Bernoulli, mean, sample, sum } from "../../src/index.js";
import { mul } from "../../src/primitives/contract.js";
import { others, stopGradient } from "../../src/primitives/control.js";
import { cumsum } from "../../src/primitives/cumulative.js";
import { gather, scatterAdd } from "../../src/primitives/indexing.js";
import { broadcast, flip, reshape, slice } from "../../src/primitives/linear.js";
import { greater } from "../../src/primitives/pointwise.js";
import { setRuntime } from "../../src/runtime/choose.js";
import { creditPrograms } from "./creditPrograms.js";
import { exactDirectional, gradientMoments, type How, type Loss, numbersOf, t64 } from "./exact.js";

/**
 * Each trap is a shortcut that charges a site with too little. The sound rules have no error on its program; with the shortcut put in
 * place of one primitive's `reads` the largest error of a gradient component is the one that was computed beforehand.
 */
interface Trap {
  readonly shortcut: string;
  readonly program: string;
  readonly primitive: AnyPrimitive;
  readonly field: "reads" | "run" | "linear";
  readonly wrong: (honest: never) => unknown;
  readonly error: number;
  readonly how?: How;
}

type Reads = AnyPrimitive["reads"];
type Entry = readonly ReadLink[] | null;

/** The honest entries with those of some inputs replaced. */
const instead =
  (make: (inputs: readonly Type[], out: Type) => Record<number, Entry>) =>
  (honest: Reads): Reads =>
  (params, inputs, out, part) => {
    const wrong = make(inputs, out);
    return honest(params, inputs, out, part).map((entry, k) => (k in wrong ? (wrong[k] as Entry) : entry));
  };

const axis0 = (input: Type, out: Type): Entry => [linked(input.shape, 0, out.shape, 0, 1, 0, 0)];

const traps: readonly Trap[] = [
  {
    shortcut: "reshape keeps axis 0",
    program: "reshapeMix",
    primitive: reshape,
    field: "reads",
    error: 0.68,
    wrong: instead(([a], out) => (a?.shape.length === 2 ? { 0: axis0(a, out) } : ({} as Record<number, Entry>))),
  },
  {
    shortcut: "batch statistics treated as constants",
    program: "batchNorm",
    primitive: broadcast,
    field: "reads",
    error: 0.11,
    wrong: instead(() => ({ 0: null })),
  },
  {
    shortcut: "gather keeps the gathered axis",
    program: "gatherTable",
    primitive: gather,
    field: "reads",
    error: 0.26,
    wrong: instead(([a], out) => ({ 0: axis0(a as Type, out) })),
  },
  {
    shortcut: "a sampled index carries no influence",
    program: "gatherIdx",
    primitive: gather,
    field: "reads",
    error: 0.43,
    wrong: instead(() => ({ 1: null })),
  },
  {
    shortcut: "a comparison carries no influence",
    program: "maskDep",
    primitive: greater,
    field: "reads",
    error: 0.12,
    wrong: instead(() => ({ 0: null, 1: null })),
  },
  {
    shortcut: "stopGradient cuts influence",
    program: "stopGrad",
    primitive: stopGradient,
    field: "reads",
    error: 0.084,
    wrong: instead(() => ({ 0: null })),
  },
  {
    shortcut: "reverse cumsum taken as causal",
    program: "revCumsum",
    primitive: cumsum,
    field: "reads",
    error: 0.14,
    wrong: instead(([a]) => ({ 0: [linked((a as Type).shape, 0, (a as Type).shape, 0, 1, -Infinity, 0)] })),
  },
  {
    shortcut: "flip taken as elementwise",
    program: "revCumsum as flips",
    primitive: flip,
    field: "reads",
    error: 0.14,
    wrong: instead(([a]) => ({ 0: pointwise((a as Type).shape) })),
  },
  {
    shortcut: "scatter-add as elementwise",
    program: "scatter",
    primitive: scatterAdd,
    field: "reads",
    error: 0.18,
    wrong: instead(([a]) => ({ 0: pointwise((a as Type).shape) })),
  },
  {
    shortcut: "the offset of a slice forgotten",
    program: "finiteDiff",
    primitive: slice,
    field: "reads",
    error: 0.23,
    wrong: instead(([a], out) => ({ 0: axis0(a as Type, out) })),
  },
  {
    shortcut: "the window of a convolution forgotten",
    program: "conv as slices",
    primitive: slice,
    field: "reads",
    error: 0.24,
    wrong: instead(([a], { shape }) => ({
      0: [0, 1].map((axis) => linked((a as Type).shape, axis, shape, axis, 1, 0, 0)),
    })),
  },
  {
    shortcut: "a later draw cuts influence",
    program: "twoLayer",
    primitive: sampleNode,
    field: "reads",
    error: 0.0038,
    // No index is there, so nothing is read, and the parameter still has a derivative.
    wrong: instead(([a]) => ({ 0: [bounded((a as Type).shape, 0, 9, 9)] })),
  },
  {
    shortcut: "both factors charged though they share a site",
    program: "sharedFactors",
    primitive: mul,
    field: "linear",
    error: 0.11,
    wrong: () => "any",
  },
  {
    shortcut: "a baseline that includes its own run",
    program: "mdp",
    primitive: others,
    field: "run",
    error: 0.76,
    how: { runs: 2, baseline: "leaveOneOut" },
    wrong: withOwn,
  },
];

const sharedFactors = {
  name: "sharedFactors",
  params: { theta: t64([0.3, -0.2]) },
  f: ({ theta }: { theta: Tensor }): Tensor => {
    const a = sample(Bernoulli({ logits: theta }), { name: "a" });
    return mean(a)
      .add(0.5)
      .mul(sum(t64([0.2, 0.9]).mul(a)));
  },
};

/** The mean over the others, plus half of the difference to oneself: for two runs the mean of both. */
function withOwn(honest: AnyPrimitive["run"]): AnyPrimitive["run"] {
  return (inputs, params, out, wanted) => {
    const result = honest(inputs, params, out, wanted);
    const own = inputs[0] as (typeof inputs)[number];
    const back = honest([result], params, out, wanted);
    expect(own.shape).toEqual(result.shape);
    result.data.forEach((x, i) => {
      result.data[i] = (x + (back.data[i] as number)) / 2;
    });
    return result;
  };
}

function withShortcut<T>({ primitive, field, wrong }: Trap, body: () => T): T {
  const entry = primitive as unknown as Record<string, unknown>;
  const honest = entry[field];
  entry[field] = wrong(honest as never);
  // Who runs the kernels, one of which is wrong.
  setRuntime("reference");
  try {
    return body();
  } finally {
    setRuntime("wasm");
    entry[field] = honest;
  }
}

/** The largest error of the expected gradient. */
function bias(f: Loss, params: Readonly<Record<string, Tensor>>, how: How = {}): number {
  const size = Object.values(params).reduce((n, x) => n + numbersOf(x).length, 0);
  const { mean } = gradientMoments(f, params, how);
  const unit = (i: number): number[] => Array.from({ length: size }, (_, k) => (k === i ? 1 : 0));
  return Math.max(...mean.map((g, i) => Math.abs(g - (exactDirectional(f, params, unit(i), 1)[0] as number))));
}

describe("shortcuts that credit does not take", () => {
  it.each(traps)("$shortcut ($program)", (trap) => {
    const { f, params } = [...creditPrograms, sharedFactors].find(
      ({ name }) => name === trap.program,
    ) as (typeof creditPrograms)[number];
    expect(bias(f as Loss, params, trap.how)).toBeLessThan(1e-12);
    const error = withShortcut(trap, () => bias(f as Loss, params, trap.how));
    expect(error).toBeCloseTo(trap.error, trap.error < 0.01 ? 4 : trap.error < 0.1 ? 3 : 2);
    expect(bias(f as Loss, params, trap.how)).toBeLessThan(1e-12);
  });
});
