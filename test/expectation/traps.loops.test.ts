import { describe, expect, it, vi } from "vitest";
import type { Piece } from "../../src/control/branch.js";
import { Flow } from "../../src/control/flow.js";
import { sampleNode } from "../../src/expectation/site.js";
import { isConstant } from "../../src/graph/body.js";
import { bounded, type ReadLink } from "../../src/graph/reads.js";
import type { AnyPrimitive, Tensor } from "../../src/graph/tensor.js";
import { sum } from "../../src/index.js";
import { others } from "../../src/primitives/control.js";
import { setRuntime } from "../../src/runtime/choose.js";
import { bits, q } from "./creditProgram.js";
import { creditPrograms } from "./creditPrograms.js";
import { exactDirectional, gradientMoments, type How, type Loss, t64 } from "./exact.js";
import { cond, scan } from "./unrolled.js";

/**
 * Shortcuts of loops and branches: each charges too little or counts what did not happen, and the law test must see it by the error that was
 * computed beforehand, by summing the wrong charges over all outcomes.
 */
const wrong = vi.hoisted(() => ({ widen: false, branch: false }));

/** A bound of the carry's relation that has moved twice is left where it was. */
vi.mock("../../src/graph/relation/join.js", async (original) => {
  const honest = await original<typeof import("../../src/graph/relation/join.js")>();
  const widen: typeof honest.widen = (before, next) =>
    wrong.widen && before !== "bottom" ? before : honest.widen(before, next);
  return { ...honest, widen };
});

/** What a branch that is not taken would have said is counted, its law at the value 0. */
vi.mock("../../src/control/branch.js", async (original) => {
  const honest = await original<typeof import("../../src/control/branch.js")>();
  const counted = ([yes, no]: readonly [Piece, Piece]): readonly [Piece, Piece] => {
    const operands = new Map([...yes.operands, ...no.operands]);
    const side = (own: Piece, other: Piece): Piece => ({
      operands,
      outputs: own.outputs.map((x, k) => {
        const there = other.outputs[k] as Tensor;
        return k > 0 && isConstant(x) && !isConstant(there) ? there : x;
      }),
    });
    return [side(yes, no), side(no, yes)];
  };
  const condOf: typeof honest.condOf = (make, condition, pieces) =>
    honest.condOf(make, condition, wrong.branch ? counted(pieces) : pieces);
  return { ...honest, condOf };
});

type Program = { readonly f: Loss; readonly params: Readonly<Record<string, Tensor>> };

const named = (name: string): Program => creditPrograms.find((p) => p.name === name) as unknown as Program;

/** Draws that steer the next one's law, and nothing else. */
const chain = (length: number, theta: readonly number[]): Program => ({
  params: { theta: t64(theta) },
  f: ({ theta: w }) => {
    const [, costs] = scan(
      (last) => {
        const a = bits(w.at(0).mul(last).add(w.at(1)));
        return [a, q(a.sub(0.3))];
      },
      t64(0),
      null,
      { length },
    );
    return sum(costs);
  },
});

const twoBranches: Program = {
  params: { theta: t64([0.3, -0.7]) },
  f: ({ theta }) => {
    const a = bits(theta.at(0));
    const y = cond(
      a.greater(0.5),
      (x) => bits(x, "yes").add(0.5),
      (x) => bits(x.neg(), "no").mul(3).sub(1),
      theta.at(1),
    );
    return q(y);
  },
};

type Method = (this: Flow, ...args: never[]) => unknown;
const flow = Flow.prototype as unknown as Record<string, Method>;

/** One method of the opened graph with another in its place. */
function instead(name: string, make: (honest: Method) => Method) {
  return (): (() => void) => {
    const honest = flow[name] as Method;
    flow[name] = make(honest);
    return () => {
      flow[name] = honest;
    };
  };
}

function field(primitive: AnyPrimitive, name: string, make: (honest: never) => unknown) {
  const entry = primitive as unknown as Record<string, unknown>;
  return (): (() => void) => {
    const honest = entry[name];
    entry[name] = make(honest as never);
    return () => {
      entry[name] = honest;
    };
  };
}

function flag(name: keyof typeof wrong) {
  return (): (() => void) => {
    wrong[name] = true;
    return () => {
      wrong[name] = false;
    };
  };
}

/** The mean over all runs, one's own too. */
const withOwn = (honest: AnyPrimitive["run"]): AnyPrimitive["run"] => {
  return (inputs, params, out, wanted) => {
    const result = honest(inputs, params, out, wanted);
    const back = honest([result], params, out, wanted);
    result.data.forEach((x, i) => {
      result.data[i] = (x + (back.data[i] as number)) / 2;
    });
    return result;
  };
};

interface Trap {
  readonly shortcut: string;
  readonly program: Program;
  readonly inject: () => () => void;
  readonly error: number;
  readonly how?: How;
}

const stacked = named("mdp, the costs stacked");

const traps: readonly Trap[] = [
  {
    shortcut: "a reward is charged to the action of its step only",
    program: stacked,
    inject: instead("shifted", () => () => null),
    error: 0.34,
  },
  {
    shortcut: "a reward is charged to the action of its step only, added up in the carry",
    program: named("mdp, the costs added up in the carry"),
    inject: instead("shifted", () => () => null),
    error: 0.34,
  },
  {
    shortcut: "a later draw cuts influence",
    program: chain(3, [1.2, -0.45]),
    inject: instead(
      "inTime",
      (honest) =>
        function (...args) {
          const [node, input] = args as readonly Tensor[] as readonly [Tensor, Tensor];
          // No index is there, so nothing is read, and the parameter still has a derivative.
          if (node.primitive === sampleNode) return [bounded(this.shape(input), 0, 99, 99)];
          return honest.apply(this, args);
        },
    ),
    error: 0.06222,
  },
  {
    shortcut: "a baseline that includes its own run",
    program: stacked,
    inject: field(others as AnyPrimitive, "run", withOwn as never),
    error: 0.76,
    how: { runs: 2, baseline: "leaveOneOut" },
  },
  {
    shortcut: "the carry's relation is not widened",
    // Each draw is charged with its own cost and those of the next two steps.
    program: chain(5, [3, -1.5]),
    inject: flag("widen"),
    error: 0.04028,
  },
  {
    shortcut: "the shift by one is forgotten",
    program: named("delay"),
    inject: instead(
      "shifted",
      (honest) =>
        function (...args) {
          return (honest.apply(this, args) as readonly ReadLink[]).map((link) => ({ ...link, lo: 0, hi: 0 }));
        },
    ),
    // Nothing is left of the gradient.
    error: 0.1814,
  },
  {
    shortcut: "the condition of a branch is not read",
    program: twoBranches,
    inject: instead("conditionReads", () => () => null),
    error: 0.5111,
  },
  {
    shortcut: "the log-probability of a branch that is not taken is counted",
    program: twoBranches,
    inject: flag("branch"),
    error: 0.07358,
  },
];

/** The largest error of the expected gradient. */
function bias({ f, params }: Program, how: How = {}): number {
  const { mean } = gradientMoments(f, params, how);
  const unit = (i: number): number[] => mean.map((_, k) => (k === i ? 1 : 0));
  return Math.max(...mean.map((g, i) => Math.abs(g - (exactDirectional(f, params, unit(i), 1)[0] as number))));
}

describe("shortcuts of loops that credit does not take", () => {
  it.each(traps)("$shortcut", ({ program, inject, error, how }) => {
    expect(bias(program, how)).toBeLessThan(1e-12);
    const restore = inject();
    let found = 0;
    // Who runs the kernels, one of which may be wrong.
    setRuntime("reference");
    try {
      found = bias(program, how);
    } finally {
      setRuntime("wasm");
      restore();
    }
    expect(found).toBeCloseTo(error, error < 0.1 ? 4 : 2);
    expect(bias(program, how)).toBeLessThan(1e-12);
  });
});
