import { describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import { describe as inWords } from "../../src/expectation/credit/describe.js";
import { batchOf, type SiteParams } from "../../src/expectation/site.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { Categorical, enumerate, expectation, hessian, sample, stack, tanh, valueAndGrad } from "../../src/index.js";
import { bits, q } from "./creditProgram.js";
import {
  directionalMoments,
  exactDirectional,
  exactLoss,
  type How,
  judge,
  type Loss,
  numbersOf,
  outcomesOf,
  t64,
  traced,
} from "./exact.js";
import { cond, scan, whileLoop } from "./unrolled.js";

/**
 * Sites in the bodies of loops and branches. The oracle runs the same program unrolled on the host, for every joint outcome; what stands in
 * a branch that is not taken has no probability.
 */
interface Case {
  readonly name: string;
  readonly f: (params: { theta: Tensor }) => Tensor;
  readonly theta?: Tensor;
  /** Who is charged with what, a line per leaf. */
  readonly charged: readonly string[];
}

const zero = t64(0);
const float = (t: Tensor): Tensor => t.toDType("float64");

const cases: readonly Case[] = [
  {
    name: "a draw that only steers the next draw's law",
    f: ({ theta }) => {
      const [, costs] = scan(
        (last) => {
          const a = bits(last.mul(theta.at(0)).add(theta.at(1)));
          return [a, q(a.sub(0.3))];
        },
        zero,
        null,
        { length: 3 },
      );
      return costs.sum();
    },
    charged: ["a: s ≤ n"],
  },
  {
    name: "a chain of categories",
    theta: t64([
      [0.3, -0.2, 0.1],
      [0.5, 0, -1],
      [1, 0.2, -0.3],
    ]),
    f: ({ theta }) => {
      const first = sample(Categorical({ logits: theta.at(0) }), { name: "z0" });
      const [, costs] = scan(
        (z) => {
          const next = sample(Categorical({ logits: theta.take(z) }), { name: "z" });
          return [next, t64([0.3, -1, 2]).take(next).mul(theta.take(z).sum())];
        },
        first,
        null,
        { length: 2 },
      );
      return costs.sum();
    },
    charged: ["z0: mixed; z: s ≤ n"],
  },
  {
    name: "a site in one branch and another in the other",
    f: ({ theta }) => {
      const a = bits(theta.at(0));
      const y = cond(
        a.greater(0.5),
        (x) => bits(x, "yes").mul(2).add(x),
        (x) => bits(x.neg(), "no").mul(-3),
        theta.at(1),
      );
      return y.square().add(a);
    },
    charged: ["a: mixed; yes: none; no: none", "a: mixed; yes: mixed; no: mixed"],
  },
  {
    name: "branches in a branch",
    f: ({ theta }) => {
      const a = bits(theta.at(0));
      const y = cond(
        a.greater(0.5),
        (x) => {
          const b = bits(x, "b");
          return cond(
            b.greater(0.5),
            (z) => bits(z, "c").add(1),
            (z) => z,
            x.add(b),
          );
        },
        (x) => bits(x.neg(), "no").mul(-3),
        theta.at(1),
      );
      return y.square().add(a);
    },
    charged: ["a: mixed; b: none; c: none; no: none", "a: mixed; b: mixed; c: mixed; no: mixed"],
  },
  {
    name: "a branch in a scan, its condition a draw of the step before",
    f: ({ theta }) => {
      const [, costs] = scan(
        (last, x) => {
          const a = cond(
            last.greater(0.5),
            (y) => bits(y, "again"),
            (y) => bits(y.mul(2), "first").mul(1.5),
            theta.at(0).add(x),
          );
          return [a, q(a.sub(x))];
        },
        t64(1),
        stack([theta.at(0), theta.at(1)]),
      );
      return costs.mul([1, 2]).sum();
    },
    charged: ["again: s ≤ n; first: s ≤ n"],
  },
  {
    name: "a scan in a branch",
    f: ({ theta }) => {
      const b = bits(theta.at(1), "b");
      const y = cond(
        b.greater(0.5),
        (x) => scan((c) => [c.add(bits(c.mul(x))), c], x, null, { length: 2 })[0],
        (x) => x.mul(3),
        theta.at(0),
      );
      return q(y.sub(0.5)).add(b.mul(theta.at(0)));
    },
    charged: ["b: mixed; a: none", "b: mixed; a: mixed"],
  },
  {
    name: "a loop that ends when its draws say so",
    f: ({ theta }) => {
      const [x, n] = whileLoop(
        ([at]) => at.less(1.7),
        ([at, count]) => [at.add(bits(theta.at(0).add(count.mul(theta.at(1))))).add(0.5), count.add(1)],
        [zero, zero],
        { limit: 4 },
      );
      return x.square().add(n);
    },
    // How often it went does not hang on the last draw.
    charged: ["a: mixed", "a: s ≤ 2"],
  },
  {
    name: "a loop whose test is the draw, which may reach its limit",
    f: ({ theta }) => {
      const [x, n] = whileLoop(
        ([last]) => last.less(0.5),
        ([, count]) => [bits(theta.at(0).add(count.mul(theta.at(1)))), count.add(1)],
        [zero, zero],
        { limit: 3, onLimit: "stop" },
      );
      return x.mul(theta.at(0)).add(n.square());
    },
    charged: ["a: mixed", "a: s ≤ 1"],
  },
  {
    name: "sites in both of two nested scans",
    f: ({ theta }) => {
      const [, costs] = scan(
        (c, x) => {
          const o = bits(c.add(x), "o");
          const [d, inner] = scan(
            (e, w) => {
              const i = bits(e.add(o).mul(w), "i");
              return [e.add(i), q(i.add(c))];
            },
            c,
            stack([theta.at(1), x]),
          );
          return [tanh(d), inner.sum().add(o)];
        },
        theta.at(0),
        stack([theta.at(0), theta.at(1)]),
      );
      return costs.mul([1, 2]).sum();
    },
    charged: ["o: s ≤ n; i: s0 = n − 1, s1 ≤ n", "o: s ≤ n; i: s0 ≤ n"],
  },
  {
    name: "costs added up in the carries of two nested scans",
    f: ({ theta }) => {
      const [[total]] = scan(
        ([sum, c], x) => {
          const [[d, part]] = scan(
            ([e, acc]) => {
              const i = bits(e.add(x), "i");
              return [[i, acc.add(q(i.add(c)))], null];
            },
            [x, zero],
            null,
            { length: 2 },
          );
          return [[sum.add(part), d], null];
        },
        [zero, t64(0.2)],
        stack([theta.at(0), theta.at(1)]),
      );
      return total;
    },
    charged: ["i: s0 ≤ n"],
  },
  {
    name: "an inner total that starts with a number of the outer step",
    f: ({ theta }) => {
      const [, costs] = scan(
        (c, x, t) => {
          const [[d, part]] = scan(
            ([, acc]) => {
              const i = bits(x.add(c), "i");
              return [[i, acc.sub(q(i.add(x)))], null];
            },
            [x, x.mul(float(t))],
            null,
            { length: 2 },
          );
          return [d, part];
        },
        t64(0.2),
        stack([theta.at(0), theta.at(1)]),
      );
      return costs.mul([1, 2]).sum();
    },
    // What the next outer step gets is the last inner draw.
    charged: ["i: s0 ≤ n0, s1 ≥ n1"],
  },
  {
    name: "inner totals of a causal cost, from zero and from a constant of the program",
    f: ({ theta }) => {
      const base = theta.at(1).mul(0.5);
      const [, costs] = scan(
        (c, x) => {
          const [[, up, down]] = scan(
            ([e, rising, falling]) => {
              const i = bits(e.add(x), "i");
              return [[e.add(i), rising.add(q(e.add(i).sub(x))), falling.sub(i.mul(theta.at(0)))], null];
            },
            [theta.at(1), zero, base],
            null,
            { length: 2 },
          );
          return [c, up.add(down)];
        },
        zero,
        theta,
      );
      return costs.sum();
    },
    charged: ["i: s0 = n0, s1 ≤ n1", "i: s0 = n0, s1 ≤ n1"],
  },
  {
    name: "from the last row to the first",
    f: ({ theta }) => {
      const [, costs] = scan(
        (c, x) => {
          const a = bits(c.add(x));
          return [a.sub(c.mul(0.3)), q(a.sub(x))];
        },
        theta.at(0),
        stack([theta.at(0), theta.at(1), theta.at(0).mul(2)]),
        { reverse: true },
      );
      return costs.mul([1, 2, 3]).sum();
    },
    charged: ["a: s ≥ n"],
  },
  {
    name: "a scored factor from outside",
    f: ({ theta }) => {
      const g = bits(theta.at(0), "g");
      const [, costs] = scan(
        (c, x) => {
          const a = bits(c.add(x));
          return [a, q(a.sub(x)).mul(g.add(1)).add(g)];
        },
        theta.at(0),
        stack([theta.at(0), theta.at(1)]),
      );
      return costs.sum();
    },
    charged: ["g: mixed; a: none", "g: mixed; a: none", "g: none; a: s ≤ n"],
  },
  {
    name: "a site of rows, and the first carry drawn",
    f: ({ theta }) => {
      const g = bits(stack([theta.at(0), theta.at(1)]), "g");
      const [, costs] = scan(
        (c, x) => {
          const a = bits(c.add(x));
          return [tanh(c.add(x)), q(a.sub(x)).add(c)];
        },
        bits(theta.at(1), "start"),
        g,
      );
      return costs.sum();
    },
    charged: ["g: s = n − 1; start: mixed; a: none", "g: s ≤ n; start: mixed; a: s = n"],
  },
  {
    name: "a draw whose result nobody takes, beside one that counts",
    f: ({ theta }) => {
      const dead = bits(theta.at(0), "dead");
      const [, ys] = scan(
        ([c, unused]) => {
          const a = bits(c);
          return [[c.mul(theta.at(1)).add(a), unused.add(bits(c, "b"))], { cost: q(a.sub(0.2)), other: unused }];
        },
        [theta.at(0), dead],
        null,
        { length: 2 },
      );
      return ys.cost.sum();
    },
    charged: ["a: s ≤ n"],
  },
  {
    name: "no steps",
    f: ({ theta }) => {
      const [c, ys] = scan((s, x) => [s.add(bits(s.add(x))), s], theta.at(0), t64([]).reshape([0]));
      return (ys === null ? zero : ys.sum()).add(q(c)).add(bits(theta.at(1), "b"));
    },
    charged: ["b: mixed; a: none"],
  },
];

const params = ({ theta = t64([0.3, -0.2]) }: Case): { theta: Tensor } => ({ theta });
const slanted = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.cos(1 + 2.3 * i));

describe.each(cases)("$name", (each) => {
  const f = each.f as Loss;
  const p = params(each);

  it("charges each site with what it can influence", () => {
    const { program, plan } = judge(f, p).core;
    const { flow } = program;
    const lines = plan.credit.leaves.map((leaf) =>
      program.sites
        .map((site) =>
          inWords(
            plan.credit.relation(site, leaf),
            batchOf(flow, site),
            flow.shape(leaf),
            (site.params as SiteParams).name,
          ),
        )
        .join("; "),
    );
    expect(lines.sort()).toEqual([...each.charged].sort());
  });

  it("is unbiased at orders 1, 2 and 3, without a baseline and with one", () => {
    const direction = slanted(p.theta.size);
    const exact = exactDirectional(f, p, direction, 3);
    const scale = Math.max(1, ...exact.map(Math.abs));
    const { count } = judge(f, p).outcomes;
    const ways: How[] = [{}, ...(count <= 16 ? [{ runs: 2, baseline: "leaveOneOut" } as const] : [])];
    for (const how of ways)
      directionalMoments(f, p, direction, 3, how).forEach(({ mean }, k) => {
        const error = Math.abs((mean[0] as number) - (exact[k] as number)) / scale;
        expect(error, `order ${k + 1}, ${JSON.stringify(how)}`).toBeLessThan(1e-12);
      });
  });

  it("enumerates to the exact value, gradient and Hessian", () => {
    const program = traced(f, p);
    const names = program.sites.map((site) => (site.params as SiteParams).name);
    const E = expectation(each.f, {
      estimators: Object.fromEntries(names.map((name) => [name, enumerate() as Estimator<never>])),
    });
    const exact = exactLoss(f, outcomesOf(program)) as Case["f"];
    const truth = valueAndGrad(exact)(p);
    const { value, grad } = E.valueAndGrad(p, {});
    expect(value.mean.item()).toBeCloseTo(truth.value.item(), 12);
    expect(value.stderr.item()).toBe(0);
    const same = (a: Tensor, b: Tensor): void => {
      const wanted = numbersOf(b);
      numbersOf(a).forEach((x, i) => {
        expect(x).toBeCloseTo(wanted[i] as number, 11);
      });
    };
    same(grad.mean.theta, truth.grad.theta);
    same(E.hessian(p, {}).mean.theta.theta, hessian(exact)(p).theta.theta);
  });
});
