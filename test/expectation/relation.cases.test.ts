import { expect, it, describe as suite } from "vitest";
import { describe } from "../../src/expectation/credit/describe.js";
import { planPush } from "../../src/expectation/credit/plan.js";
import { push } from "../../src/expectation/credit/push.js";
import * as reads from "../../src/graph/reads.js";
import { compose, lossy } from "../../src/graph/relation/compose.js";
import { join, joinAll, widen } from "../../src/graph/relation/join.js";
import {
  isExact,
  mixed,
  type Relation,
  relation,
  same,
  separates,
  start,
  toReads,
  worse,
} from "../../src/graph/relation/relation.js";
import { plain, type Shape } from "./relation.support.js";

/** Composes along a chain of [declaration, output shape] from the site itself. */
function chain(
  siteShape: Shape,
  steps: readonly (readonly [readonly reads.ReadLink[], Shape])[],
  from = start(siteShape),
) {
  let [r, shape] = [from, siteShape];
  for (const [declared, out] of steps) [r, shape] = [compose(r, declared, siteShape, shape, out), out];
  return { r, words: describe(r, siteShape, shape), shape };
}

suite("named cases", () => {
  it("the site itself", () => {
    expect(describe(start([2, 3]), [2, 3], [2, 3], "a")).toBe("a: s0 = n0, s1 = n1");
    expect(describe(start([2], 2), [2], [2, 4])).toBe("s = n0");
    expect(start([])).toEqual(mixed);
    expect(start([2, 0])).toBe("bottom");
    expect(() => start([2, 3], 1)).toThrow("credit: rank 1 is less than 2 batch axes");
  });

  it("slice, flip, pad, concatenate, stride", () => {
    expect(chain([4], [[reads.affine([4], [3], [1], [1]), [3]]]).words).toBe("s = n + 1");
    expect(chain([4], [[reads.affine([4], [4], [-1], [3]), [4]]]).words).toBe("s = 3 − n");
    expect(chain([4], [[reads.affine([4], [7], [1], [-2]), [7]]]).words).toBe("s = n − 2");
    expect(chain([5], [[reads.affine([5], [2], [2], [1]), [2]]]).words).toBe("s = 2·n + 1");
    const flip = reads.affine([4], [4], [-1], [3]);
    expect(
      chain(
        [4],
        [
          [flip, [4]],
          [flip, [4]],
        ],
      ).r,
    ).toEqual(start([4]));
    const link = chain([4], [[reads.affine([4], [3], [1], [1]), [3]]]).r;
    expect(link).toEqual({
      links: [
        { site: { axis: 0, div: 1, mod: 4 }, node: { axis: 0, div: 1, mod: 3 }, step: 1, lo: 1, hi: 1 },
        { site: { axis: 0, div: 1, mod: 4 }, node: null, step: 0, lo: 1, hi: Infinity },
      ],
    });
  });

  it("finiteDiff, conv: a window", () => {
    const slices = [0, 1].map((at) => chain([4], [[reads.affine([4], [3], [1], [at]), [3]]]).r);
    expect(describe(joinAll(slices), [4], [3])).toBe("s − n ∈ [0, 1]");
    const conv = [...reads.leading([2, 4], 1), reads.linked([2, 4], 1, [2, 3], 1, 1, 0, 1)];
    expect(chain([2, 4], [[conv, [2, 3]]]).words).toBe("s0 = n0, s1 − n1 ∈ [0, 1]");
  });

  it("reshape splits, merges back, and mixes where the cuts cross", () => {
    const to = (from: Shape, out: Shape) => [reads.refine(from, out), out] as const;
    expect(chain([6], [to([6], [2, 3])]).words).toBe("s div 3 = n0, s mod 3 = n1");
    expect(chain([6], [to([6], [2, 3]), to([2, 3], [6])]).r).toEqual(start([6]));
    expect(chain([2, 3], [to([2, 3], [6])]).words).toBe("s0 = n div 3, s1 = n mod 3");
    expect(chain([2, 3], [to([2, 3], [6]), to([6], [2, 3])]).r).toEqual(start([2, 3]));
    expect(chain([2, 3], [to([2, 3], [3, 2])]).r).toEqual(mixed);
    expect(chain([2, 3], [to([2, 3], [2, 1, 3])]).words).toBe("s0 = n0, s1 = n2");
    const swapped = [reads.moved([2, 3], [1, 0]), [3, 2]] as const;
    expect(chain([6], [to([6], [2, 3]), swapped, to([3, 2], [6])]).words).toBe("s div 3 = n mod 2, s mod 3 = n div 2");
    expect(chain([12], [to([12], [3, 4]), to([3, 4], [2, 6])]).words).toBe("s mod 2 = n1 mod 2");
    expect(chain([4], [to([4], [2, 2]), [reads.causal([2, 2], 1), [2, 2]]]).words).toBe("s div 2 = n0, s mod 2 ≤ n1");
  });

  it("adjacent digits of different weights do not merge", () => {
    const digits = [
      { site: { axis: 0, div: 1, mod: 2 }, node: { axis: 0, div: 1, mod: 3 }, step: 1, lo: 0, hi: 0 },
      { site: { axis: 0, div: 2, mod: 2 }, node: { axis: 0, div: 3, mod: 2 }, step: 1, lo: 0, hi: 0 },
    ];
    expect(describe(relation(digits), [4], [6])).toBe("s div 2 = n div 3, s mod 2 = n mod 3");
  });

  it("repeat and tile", () => {
    expect(chain([3], [[reads.repeated([3], 0, 2), [6]]]).words).toBe("s = n div 2");
    expect(chain([3], [[reads.tiled([3], 0), [6]]]).words).toBe("s = n mod 3");
  });

  it("a digit does not shift with its axis", () => {
    const repeated = [reads.repeated([3], 0, 2), [6]] as const;
    expect(chain([3], [repeated, [reads.affine([6], [5], [1], [1]), [5]]]).r).toEqual(mixed);
    expect(chain([3], [repeated, [reads.affine([6], [8], [1], [-2]), [8]]]).r).toEqual(mixed);
  });

  it("running sums", () => {
    expect(chain([4], [[reads.causal([4], 0), [4]]]).words).toBe("s ≤ n");
    expect(chain([2, 3], [[reads.causal([2, 3], 1), [2, 3]]]).words).toBe("s0 = n0, s1 ≤ n1");
    expect(chain([4], [[reads.anticausal([4], 0), [4]]]).words).toBe("s ≥ n");
    const flip = [reads.affine([4], [4], [-1], [3]), [4]] as const;
    expect(chain([4], [flip, [reads.causal([4], 0), [4]], flip]).words).toBe("s ≥ n");
  });

  it("reductions, sorting, gather, scatter, event axes", () => {
    expect(chain([2, 3], [[reads.kept([2, 3], [1]), [2]]]).words).toBe("s0 = n");
    expect(chain([2, 3], [[reads.kept([2, 3], [1], true), [2, 3]]]).words).toBe("s0 = n0");
    expect(chain([3], [[reads.kept([3], [0]), []]]).words).toBe("mixed");
    const [operand, index] = reads.gathered([3], [5], 0) as [reads.ReadLink[], reads.ReadLink[]];
    expect(chain([3], [[operand, [5]]]).words).toBe("mixed");
    expect(chain([5], [[index, [5]]]).words).toBe("s = n");
    expect(chain([3], [[reads.scattered([3], [3], 0)[0] as reads.ReadLink[], [4]]]).words).toBe("mixed");
    const oneHot = compose(start([2], 2), reads.kept([2, 3], [1]), [2], [2, 3], [2]);
    expect(describe(oneHot, [2], [2])).toBe("s = n");
    expect(compose(start([2]), null, [2], [2], [2])).toBe("bottom");
    expect(compose(start([2]), [], [2], [2], [2])).toEqual(mixed);
    expect(describe("bottom", [2], [2])).toBe("none");
  });

  it("an unrolled loop: bounds per step, and the causal axis back in their stack", () => {
    const [steps, size] = [4, 4];
    let state: Relation = "bottom";
    const rows: Relation[] = [];
    for (let t = 0; t < steps; t++) {
      const read = compose(start([size]), [reads.bounded([size], 0, t, t)], [size], [size], []);
      state = join(state, read);
      if (t === 1) expect(describe(state, [size], [])).toBe("s ≤ 1");
      const row = compose(state, reads.refine([], [1]), [size], [], [1]);
      rows.push(compose(row, reads.affine([1], [steps], [1], [-t]), [size], [1], [steps]));
    }
    expect(describe(joinAll(rows), [size], [steps])).toBe("s ≤ n");
  });

  it("a strictly causal cost at time 0 is not reached at all", () => {
    const before = relation([{ site: reads.whole([3], 0), node: reads.whole([3], 0), step: 1, lo: -Infinity, hi: -1 }]);
    expect(compose(before, [reads.bounded([3], 0, 0, 0)], [3], [3], [])).toBe("bottom");
  });
});

/** Section "loops": the carry's relation, with time as axis 0 of every body node. */
function scanCarry(site: Shape, carry: Shape, initial: readonly Relation[], body: (carry: Relation[]) => Relation[]) {
  const [steps, part, one] = [
    carry[0] as number,
    [(carry[0] as number) - 1, ...carry.slice(1)],
    [1, ...carry.slice(1)],
  ];
  const shifted = (first: Relation, out: Relation): Relation => {
    const cut = compose(out, reads.affine(carry, part, [], []), site, carry, part);
    const later = compose(cut, reads.affine(part, carry, [], [-1]), site, part, carry);
    const expanded = compose(first, reads.refine(carry.slice(1), one), site, carry.slice(1), one);
    return join(compose(expanded, reads.affine(one, carry, [], [0]), site, one, carry), later);
  };
  let now = initial.map((first) => shifted(first, "bottom"));
  for (let round = 1; round < 3 * steps + 20; round++) {
    const out = body(now);
    const next = now.map((r, k) => join(r, shifted(initial[k] as Relation, out[k] as Relation)));
    const wider = round === 1 ? next : next.map((r, k) => widen(now[k] as Relation, r));
    if (wider.every((r, k) => same(r, now[k] as Relation))) return { carry: now, rounds: round };
    now = wider;
  }
  throw new Error("no fixed point");
}

suite("scan", () => {
  const a = start([4]);

  it("mdp, replay: after the action s ≤ n, before it s ≤ n − 1, the batch axis stays", () => {
    const { carry, rounds } = scanCarry([4, 2], [4, 2], ["bottom"], ([c]) => [join(c as Relation, start([4, 2]))]);
    expect(describe(carry[0] as Relation, [4, 2], [4, 2])).toBe("s0 ≤ n0 − 1, s1 = n1");
    expect(describe(join(carry[0] as Relation, start([4, 2])), [4, 2], [4, 2])).toBe("s0 ≤ n0, s1 = n1");
    expect(rounds).toBe(3);
  });

  it("delay: exactly s = n − 2", () => {
    const { carry } = scanCarry([4], [4], ["bottom", "bottom"], ([c]) => [a, c as Relation]);
    expect(carry.map((r) => describe(r, [4], [4]))).toEqual(["s = n − 1", "s = n − 2"]);
  });

  it("rollScan: a batch axis that each step flips is dropped, time is kept", () => {
    const flip = reads.affine([4, 3], [4, 3], [1, -1], [0, 2]);
    const { carry } = scanCarry([4, 3], [4, 3], ["bottom"], ([c]) => [
      join(compose(c as Relation, flip, [4, 3], [4, 3], [4, 3]), start([4, 3])),
    ]);
    expect(describe(carry[0] as Relation, [4, 3], [4, 3])).toBe("s0 ≤ n0 − 1");
  });

  it("initScan: an element read at the start and all read later have no hull but everything", () => {
    const first = compose(a, [reads.bounded([4], 0, 3, 3)], [4], [4], []);
    const { carry } = scanCarry([4], [4], [first], ([c]) => [join(c as Relation, a)]);
    expect(describe(carry[0] as Relation, [4], [4])).toBe("mixed");
  });
});

suite("questions to a relation", () => {
  const site = [2, 3];
  const running = compose(start(site), reads.causal(site, 1), site, site, site);

  it("isExact and separates", () => {
    expect(isExact(running, 0, site, site)).toBe(0);
    expect(isExact(running, 1, site, site)).toBeNull();
    const moved = compose(start(site), reads.moved(site, [1, 0]), site, site, [3, 2]);
    expect([0, 1].map((axis) => isExact(moved, axis, site, [3, 2]))).toEqual([1, 0]);
    expect([0, 1].map((axis) => separates(running, axis, site))).toEqual([true, false]);
    const flat = compose(start(site), reads.refine(site, [6]), site, site, [6]);
    expect([isExact(flat, 0, site, [6]), separates(flat, 0, site)]).toEqual([null, true]);
    const split = compose(start([6]), reads.refine([6], [2, 3]), [6], [6], [2, 3]);
    expect(separates(split, 0, [6])).toBe(true);
    const half = compose(split, reads.kept([2, 3], [1]), [6], [2, 3], [2]);
    expect(separates(half, 0, [6])).toBe(false);
  });

  it("worse", () => {
    expect([worse(start(site), running), worse(running, start(site)), worse(running, running)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(worse("bottom", mixed)).toBe(true);
  });

  it("lossy: sums over a linked axis, running sums, and terms that are charged differently", () => {
    const one = (relation: Relation, declared: readonly reads.ReadLink[], out: Shape) =>
      lossy([{ relation, reads: declared, shape: site }], site, out);
    expect(one(start(site), reads.kept(site, [1]), [2])).toBe(true);
    expect(one(running, reads.causal(site, 1), site)).toBe(true);
    expect(one(start(site), reads.moved(site, [1, 0]), [3, 2])).toBe(false);
    expect(one(start(site), reads.refine(site, [6]), [6])).toBe(false);
    expect(one(start(site), reads.refine(site, [3, 2]), [3, 2])).toBe(true);
    expect(one(mixed, reads.kept(site, [0, 1]), [])).toBe(false);
    // s = n along a padded axis also says that the high half of n is 0; the low digit alone does not carry that.
    const longer = compose(start([2]), reads.affine([2], [4], [], []), [2], [2], [4]);
    const split = reads.refine([4], [2, 2]);
    expect(lossy([{ relation: longer, reads: split, shape: [4] }], [2], [2, 2])).toBe(true);
    const add = (first: Relation, second: Relation) =>
      lossy(
        [first, second].map((relation) => ({ relation, reads: reads.pointwise(site), shape: site })),
        site,
        site,
      );
    expect([add(running, running), add(running, start(site)), add(running, "bottom")]).toEqual([false, true, true]);
  });

  it("toReads: a body's relation is its declaration", () => {
    const declared = toReads(compose(start([4]), reads.causal([4], 0), [4], [4], [4]));
    expect(declared).toEqual(reads.causal([4], 0));
    expect(toReads("bottom")).toBeNull();
  });
});

suite("push, by name", () => {
  const l = { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };

  it("aligned is the array itself; a scalar site and a mixed one are one number", () => {
    expect(push(l, start([2, 3]), [2, 3], [2, 3], plain)).toBe(l);
    expect(push(l, mixed, [2, 3], [4, 2, 2], plain)).toEqual({ shape: [1, 1, 1], data: [21] });
    expect(push({ shape: [], data: [7] }, mixed, [], [2], plain)).toEqual({ shape: [1], data: [7] });
    expect(push(l, "bottom", [2, 3], [2], plain)).toBeNull();
  });

  it("causal is a running sum, its reverse a running sum from the back", () => {
    const run = (reverse: boolean) => compose(start([2, 3]), reads.causal([2, 3], 1, reverse), [2, 3], [2, 3], [2, 3]);
    expect(push(l, run(false), [2, 3], [2, 3], plain)?.data).toEqual([1, 3, 6, 4, 9, 15]);
    expect(push(l, run(true), [2, 3], [2, 3], plain)?.data).toEqual([6, 5, 3, 15, 11, 6]);
  });

  it("a bound shortens an axis that is summed", () => {
    const column = compose(
      start([2, 3]),
      [...reads.leading([2, 3], 1), reads.bounded([2, 3], 1, 1, 2)],
      [2, 3],
      [2, 3],
      [2],
    );
    expect(push(l, column, [2, 3], [2], plain)).toEqual({ shape: [2], data: [5, 11] });
  });

  it("digits of a node axis that are only partly linked are filled", () => {
    const upsampled = compose(start([2]), reads.repeated([2], 0, 2), [2], [2], [4]);
    expect(push({ shape: [2], data: [1, 2] }, upsampled, [2], [4], plain)).toEqual({ shape: [4], data: [1, 1, 2, 2] });
  });

  it("keeps one link per digit: a diagonal is linked to its row", () => {
    const twice = compose(start([3]), reads.diagonal([3]), [3], [3], [3, 3]);
    expect(describe(twice, [3], [3, 3])).toBe("s = n0, s = n1");
    expect(planPush(twice, [3], [3, 3])?.kept).toEqual(
      relation([...(twice as { links: reads.Link[] }).links.slice(0, 1)]),
    );
  });

  it("says which array it was given", () => {
    expect(() => push(l, mixed, [3, 2], [2], plain)).toThrow(
      "push: got an array of shape [2, 3] for a site of shape [3, 2]",
    );
  });
});
