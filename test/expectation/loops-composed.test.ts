import { describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  compile,
  enumerate,
  expectation,
  grad,
  Normal,
  sample,
  scoreFunction,
  stack,
  tanh,
  vmap,
  where,
} from "../../src/index.js";
import { bits, q } from "./creditProgram.js";
import { creditPrograms } from "./creditPrograms.js";
import { directionalMoments, exactDirectional, type Loss, numbersOf, t64 } from "./exact.js";
import { cond, scan } from "./unrolled.js";

/** Loops with sites inside other things: transforms, compiled functions, expectations, dynamic programs, recorded values. */
type P = { theta: Tensor };
type Program = (params: P) => Tensor;

const params = { theta: t64([0.3, -0.2]) };
const all = (make: () => unknown, ...names: string[]): { [site: string]: Estimator<never> } =>
  Object.fromEntries(names.map((name) => [name, make() as Estimator<never>]));

function exactly(f: Program, ...names: string[]): number[] {
  const { value, grad: g } = expectation(f, { estimators: all(enumerate, ...names) }).valueAndGrad(params, {});
  return [value.mean.item(), ...numbersOf(g.mean.theta)];
}

function close(found: readonly number[], truth: readonly number[]): void {
  expect(found.length).toBe(truth.length);
  found.forEach((x, i) => {
    expect(x).toBeCloseTo(truth[i] as number, 12);
  });
}

const chance = (x: number): number => 1 / (1 + Math.exp(-x));

describe("vmap of a scan", () => {
  const one =
    (theta: Tensor) =>
    (x: Tensor): Tensor =>
      scan(
        (c) => {
          const a = bits(c.mul(theta.at(0)).add(x));
          return [a, q(a.sub(0.3))];
        },
        x,
        null,
        { length: 3 },
      )[1].sum();

  it("is the scan of a batch, and lanes are charged apart", () => {
    const mapped: Program = ({ theta }) => vmap(one(theta))(theta).mul([1, 2]).sum();
    const batched: Program = ({ theta }) =>
      scan(
        (c) => {
          const a = bits(c.mul(theta.at(0)).add(theta));
          return [a, q(a.sub(0.3))];
        },
        theta,
        null,
        { length: 3 },
      )[1]
        .mul([1, 2])
        .sum();
    close(exactly(mapped, "a"), exactly(batched, "a"));
    const [site] = expectation(mapped, { estimators: all(scoreFunction, "a") }).explain(params, { key: 0 }).sites;
    expect(site?.credit[0]).toContain("[s0 ≤ n1, s1 = n0]");
  });

  it("a site in a branch that only some lanes take", () => {
    const mapped: Program = ({ theta }) =>
      vmap((x: Tensor) => {
        const [, costs] = scan(
          (c) => {
            const a = cond(
              c.greater(0.1),
              (last) => bits(last.mul(theta.at(0)).add(x)),
              (last) => last.mul(0).add(0.5),
              c,
            );
            return [a, q(a.sub(0.3))];
          },
          x,
          null,
          { length: 3 },
        );
        return costs.sum();
      })(theta)
        .mul([1, 2])
        .sum();
    const masked: Program = ({ theta }) =>
      scan(
        (c) => {
          const a = where(c.greater(0.1), bits(c.mul(theta.at(0)).add(theta)), 0.5);
          return [a, q(a.sub(0.3))];
        },
        theta,
        null,
        { length: 3 },
      )[1]
        .mul([1, 2])
        .sum();
    const truth = exactly(masked, "a");
    close(exactly(mapped, "a"), truth);
    const scored = expectation(mapped, { samples: 2000, estimators: all(scoreFunction, "a") });
    const { grad: g } = scored.valueAndGrad(params, { key: 0 });
    [...numbersOf(g.mean.theta)].forEach((x, i) => {
      expect(Math.abs(x - (truth[i + 1] as number)) / (numbersOf(g.stderr.theta)[i] as number)).toBeLessThan(5.5);
    });
  });
});

describe("other elements of the same run as the baseline", () => {
  // Each cost of the delay line is charged with one draw, those of the batch with draws of their own problem.
  it.each(["delay", "mdp, the costs stacked"])("%s: exact at orders 1, 2 and 3", (name) => {
    const { f, params: p } = creditPrograms.find((each) => each.name === name) as (typeof creditPrograms)[number];
    const size = (p.theta as Tensor).size;
    const direction = Array.from({ length: size }, (_, i) => Math.cos(1 + 2.3 * i));
    const exact = exactDirectional(f as Loss, p, direction, 3);
    directionalMoments(f as Loss, p, direction, 3, { baseline: "aligned" }).forEach(({ mean }, k) => {
      expect(mean[0]).toBeCloseTo(exact[k] as number, 12);
    });
  });
});

describe("composition", () => {
  it("a compiled function is the function", () => {
    const step = (c: Tensor, a: Tensor): Tensor => tanh(c.add(a.mul(2)).sub(1));
    const using =
      (f: typeof step): Program =>
      ({ theta }) =>
        scan(
          (c) => {
            const next = f(c, bits(c.mul(theta.at(0)).add(theta.at(1))));
            return [next, q(next)];
          },
          t64(0.5),
          null,
          { length: 3 },
        )[1].sum();
    close(exactly(using(compile(step) as typeof step), "a"), exactly(using(step), "a"));
  });

  it("a gradient of a scan with draws, inside the program", () => {
    const looped: Program = ({ theta }) =>
      grad((w: Tensor) =>
        scan(
          (c) => {
            const a = bits(theta.at(0));
            return [c.mul(w).add(a), c.mul(a).mul(q(w))];
          },
          w,
          null,
          { length: 2 },
        )[1].sum(),
      )(theta.at(1)) as Tensor;
    const byHand: Program = ({ theta }) => {
      const [a, b] = [bits(theta.at(0)), bits(theta.at(0), "b")];
      return grad((w: Tensor) =>
        w
          .mul(a)
          .mul(q(w))
          .add(q(w).add(a).mul(b).mul(q(w))),
      )(theta.at(1)) as Tensor;
    };
    close(exactly(looped, "a"), exactly(byHand, "a", "b"));
  });

  it("an inner expectation leaves the draws of an outer scan alone", () => {
    const f: Program = ({ theta }) => {
      const x = theta.at(0);
      const z = scan((c) => [bits(x.add(c)), c], t64(0), null, { length: 3 })[1].sum();
      return expectation((p: Tensor) => bits(p, "inner").add(z))
        .value(x, {})
        .mean.square();
    };
    const p = chance(0.3);
    let truth = 0;
    for (const a of [0, 1])
      for (const b of [0, 1]) truth += (a ? p : 1 - p) * (b ? chance(0.3 + a) : 1 - chance(0.3 + a)) * (p + a + b) ** 2;
    expect(exactly(f, "a")[0]).toBeCloseTo(truth, 12);
  });

  it("steps kept or computed again are the same draws", () => {
    const using =
      (residuals: "auto" | "save" | "recompute"): Program =>
      ({ theta }) =>
        scan(
          (c) => {
            const next = tanh(c.add(bits(c.mul(theta.at(0)).add(theta.at(1)))));
            return [next, q(next)];
          },
          t64(0.5),
          null,
          { length: 4, residuals },
        )[1].sum();
    const truth = exactly(using("auto"), "a");
    close(exactly(using("save"), "a"), truth);
    close(exactly(using("recompute"), "a"), truth);
  });

  it("a dynamic program reads its draws between scans", () => {
    const rows = (theta: Tensor, a: Tensor): Tensor => stack([a, a.add(1), theta.at(0)]);
    const first = (theta: Tensor, a: Tensor): [Tensor, Tensor] =>
      scan((c, x) => [c.mul(theta.at(1)).add(a), c.mul(x).add(a)], t64(0.5), rows(theta, a)) as [Tensor, Tensor];
    const second = (b: Tensor): Tensor => scan((c) => [c.add(b), q(c)], b, null, { length: 2 })[1].sum();
    const read: Program = ({ theta }) => {
      const a = bits(theta.at(0));
      const [c, ys] = first(theta, a);
      if (a.item() < 0.5) return ys.sum();
      const b = bits(theta.at(1), "b");
      return ys.sum().add(c.mul(b)).add(second(b));
    };
    const masked: Program = ({ theta }) => {
      const a = bits(theta.at(0));
      const [c, ys] = first(theta, a);
      const b = bits(theta.at(1), "b");
      return ys.sum().add(where(a.greater(0.5), c.mul(b).add(second(b)), 0));
    };
    const { value, grad: g } = expectation(read, {
      dynamic: true,
      estimators: all(enumerate, "a", "b"),
    }).valueAndGrad(params, { key: 0 });
    close([value.mean.item(), ...numbersOf(g.mean.theta)], exactly(masked, "a", "b"));
  });
});

describe("recorded values of a site in a scan", () => {
  const f: Program = ({ theta }) =>
    scan(
      (c) => {
        const a = bits(c.mul(theta.at(0)).add(theta.at(1)));
        return [a, q(a.sub(0.3))];
      },
      t64(0.5),
      null,
      { length: 3 },
    )[1].sum();
  const E = expectation(f, { estimators: all(() => scoreFunction({ baseline: "none" }), "a") });

  it("have time behind the runs, and are scored step by step", () => {
    const a = [1, 0, 1];
    const { value, grad: g } = E.valueAndGrad(params, { key: 0, given: { a: [a] } });
    const costs = a.map((x) => (x - 0.3) ** 2);
    const wanted = [0, 0];
    a.forEach((x, t) => {
      const last = t === 0 ? 0.5 : (a[t - 1] as number);
      const score = x - chance(0.3 * last - 0.2);
      const later = costs.slice(t).reduce((s, c) => s + c, 0);
      wanted[0] = (wanted[0] as number) + later * score * last;
      wanted[1] = (wanted[1] as number) + later * score;
    });
    expect(value.mean.item()).toBeCloseTo(1.07, 12);
    close([...numbersOf(g.mean.theta)], wanted);
  });

  it("say what is wrong with them", () => {
    const given = (a: number[] | number[][]) => () => E.value(params, { key: 0, given: { a } });
    expect(given([[0, 1]])).toThrow('given "a": got shape [1, 2], expected [1, 3]: samples, then the site.');
    expect(given([0, 2, 1])).toThrow('given "a": got value[1] = 2, expected a whole number in [0, 1].');
  });
});

describe("the choice of an estimator looks around the loop", () => {
  const sites = (f: Program, name: string): string | undefined =>
    expectation(f)
      .explain(params, { key: 0 })
      .sites.find((site) => site.name === name)?.estimator;

  it("a jump that a draw meets on its way to its own next step rules pathwise out", () => {
    const jump: Program = ({ theta }) =>
      scan(
        (x) => {
          const next = sample(Normal({ loc: where(x.greater(0), theta.at(0), theta.at(1)) }), { name: "x" });
          return [next, next];
        },
        t64(0.1),
        null,
        { length: 3 },
      )[1].sum();
    const smooth: Program = ({ theta }) =>
      scan(
        (x) => {
          const next = sample(Normal({ loc: tanh(x).mul(theta.at(0)) }), { name: "x" });
          return [next, next];
        },
        t64(0.1),
        null,
        { length: 3 },
      )[1].sum();
    expect(sites(jump, "x")).toBe("scoreFunction");
    expect(sites(smooth, "x")).toBe("pathwise");
  });

  it("a draw that decides a branch is scored", () => {
    const f: Program = ({ theta }) => {
      const x = sample(Normal({ loc: theta.at(0) }), { name: "x" });
      return cond(
        x.greater(0),
        (y) => y.mul(2),
        (y) => y.neg(),
        x,
      );
    };
    expect(sites(f, "x")).toBe("scoreFunction");
  });

  it("a smooth draw that feeds a scored one of the same step stays pathwise", () => {
    // x ~ N(θ₀ + b, 1/4), b ~ B(θ₁x): b is enumerated, so what is left is an integral over x, step by step.
    const f: Program = ({ theta }) =>
      scan(
        (last) => {
          const x = sample(Normal({ loc: last.add(theta.at(0)), scale: 0.5 }), { name: "x" });
          const b = sample(Bernoulli({ logits: x.mul(theta.at(1)) }), { name: "b" });
          return [b, b.mul(x).add(q(x))];
        },
        t64(0.1),
        null,
        { length: 2 },
      )[1].sum();
    expect(sites(f, "x")).toBe("pathwise");
    const nodes = Array.from({ length: 161 }, (_, k) => (k - 80) / 10);
    const at = ([a, b]: readonly [number, number]): number => {
      const step = (last: number, rest: (bit: number) => number): number =>
        nodes.reduce((sum, e) => {
          const x = last + a + 0.5 * e;
          const p = chance(b * x);
          const cost = x * x + p * x + (1 - p) * rest(0) + p * rest(1);
          return sum + (cost * Math.exp((-e * e) / 2)) / Math.sqrt(2 * Math.PI) / 10;
        }, 0);
      const last = [0, 1].map((bit) => step(bit, () => 0)) as [number, number];
      return step(0.1, (bit) => last[bit as 0 | 1]);
    };
    const h = 1e-4;
    const truth = [
      (at([0.3 + h, -0.2]) - at([0.3 - h, -0.2])) / (2 * h),
      (at([0.3, -0.2 + h]) - at([0.3, -0.2 - h])) / (2 * h),
    ];
    for (const estimator of [enumerate(), scoreFunction()]) {
      const E = expectation(f, { samples: 4000, estimators: { b: estimator as Estimator<never> } });
      const { grad: g } = E.valueAndGrad(params, { key: 0 });
      [...numbersOf(g.mean.theta)].forEach((x, i) => {
        expect(Math.abs(x - (truth[i] as number)) / (numbersOf(g.stderr.theta)[i] as number)).toBeLessThan(5.5);
      });
    }
  });
});

it("a carry whose sign alternates is traced in the end", () => {
  const f: Program = ({ theta }) => scan((c) => [bits(theta.at(0)).sub(c.mul(0.5)), c], t64(0), null, { length: 2 })[0];
  const p = chance(0.3);
  expect(exactly(f, "a")[0]).toBeCloseTo(p - 0.5 * p, 12);
});
