import { describe, expect, it } from "vitest";
import { families } from "../../src/distributions/index.js";
import { compile, stack, type Tensor, vmap } from "../../src/index.js";
import { expectClose } from "./checks.js";
import { lawIf } from "./lawIf.js";
import { build, distributionOf, list, type Subject, spots, subjects, type Tree, treeOf, valuesOf } from "./subjects.js";

/** Batches, broadcasting, vmap, compile and sample shapes: one law is the same alone and in company. */

const wide = subjects.filter(({ dtype }) => dtype === "float64");
const shapeOf = ({ given }: Subject): string =>
  JSON.stringify(Object.entries(given).map(([k, v]) => [k, [v].flat().length]));

/** Subjects that fit into one batch: same family, same form, same event size. */
const crowds = families.flatMap((family) => {
  const own = wide.filter((subject) => subject.family === family);
  return [...new Set(own.map(shapeOf))].map((key) => {
    const members = own.filter((subject) => shapeOf(subject) === key);
    return { label: `${family.name} ${key}`, family, members };
  });
});

/** Compiled code has functions of its own, which agree to rounding. */
function near(got: readonly number[], expected: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  got.forEach((x, i) => {
    const y = expected[i] as number;
    if (!Object.is(x, y) && !(Math.abs(x - y) <= 1e-14 * Math.max(1, Math.abs(y)))) expect(x).toBe(y);
  });
}

describe.each(crowds)("$label", ({ family, members }) => {
  const n = members.length;
  const names = Object.keys(members[0]!.given);
  const trees = members.map(({ given }) => treeOf(given, "float64"));
  const batch: Tree = Object.fromEntries(names.map((name) => [name, stack(trees.map((tree) => tree[name]!))]));
  const together = build(family, batch);
  const alone = members.map(distributionOf);
  const points = spots(members[0]!).slice(0, 3);
  const x = valuesOf(together, points, "float64");
  const loop = alone.flatMap((d) => list(d.logProb(x)));

  it("is in a batch what its members are alone", () => {
    expect(together.batchShape).toEqual([n]);
    expect(together.eventShape).toEqual([]);
    for (const name of ["mean", "variance", "stddev", "mode", "entropy"] as const) {
      if (!family[name === "stddev" ? "variance" : name]) continue;
      expect(together[name]().shape).toEqual([n]);
      expect(list(together[name]())).toEqual(alone.flatMap((d) => list(d[name]())));
    }
    const each = valuesOf(together, Array(n).fill(points[0]), "float64");
    expect(list(together.logProb(each))).toEqual(alone.map((d) => d.logProb(points[0]!).item()));
    if (family.cdf) expect(list(together.cdf(points[0]!))).toEqual(alone.map((d) => d.cdf(points[0]!).item()));
    if (family.icdf) expect(list(together.icdf(0.7))).toEqual(alone.map((d) => d.icdf(0.7).item()));
  });

  it("broadcasts parameters against values", () => {
    const column = Object.fromEntries(names.map((name) => [name, batch[name]!.expandDims(1)]));
    const d = build(family, column);
    expect(d.batchShape).toEqual([n, 1]);
    expect(d.logProb(x).shape).toEqual([n, points.length]);
    expect(list(d.logProb(x))).toEqual(loop);
    // Values with axes in front, in the middle of which the batch repeats.
    const deep = x.reshape([1, points.length]).broadcastTo([2, n, points.length]);
    expect(list(d.logProb(deep))).toEqual([...loop, ...loop]);
    expect(build(family, batch).logProb(x.reshape([points.length, 1, 1])).shape).toEqual([points.length, 1, n]);
    if (family.cdf) expect(list(d.cdf(x))).toEqual(alone.flatMap((one) => list(one.cdf(x))));
    if (family.icdf) expect(d.icdf([0.2, 0.5, 0.7]).shape).toEqual([n, 3]);
  });

  it("is the same under vmap and compile", () => {
    const f = (p: Tree, y: Tensor): Tensor => build(family, p).logProb(y);
    expect(list(vmap(f, { inAxes: [0, null] })(batch, x))).toEqual(loop);
    const perExample = vmap(f)(batch, valuesOf(together, Array(n).fill(points[0]), "float64"));
    expect(list(perExample)).toEqual(alone.map((d) => d.logProb(points[0]!).item()));
    const compiled = compile(f);
    // The second call traces again and compares.
    for (const tree of [...trees, ...trees]) {
      near(list(compiled(tree, x)), list(build(family, tree).logProb(x)));
    }
    const draw = (p: Tree): Tensor => build(family, p).sample(7);
    near(list(compile(draw)(batch)), list(together.sample(7)));
  });

  it("draws one noise whatever the shape of the sample", () => {
    const flat = together.sample(3, { sampleShape: [6] });
    expect(flat.shape).toEqual([6, n]);
    expect(flat.dtype).toBe(together.dtype);
    expect(list(together.sample(3, { sampleShape: [2, 3] }))).toEqual(list(flat));
    expect(list(together.sample(3))).toEqual(list(flat).slice(0, n));
    expect(list(together.sample(4))).not.toEqual(list(flat).slice(0, n * 6));
    expectClose(list(together.logProb(flat)), list(build(family, batch).logProb(flat)), 0);
    expect(together.logProb(flat).shape).toEqual([6, n]);
  });

  lawIf(family.gives.enumerate)("lists its values for the whole batch", () => {
    const { size, values } = family.gives.enumerate!;
    const all = values(together.params);
    expect(all.shape).toEqual([size(together.params), n]);
    expect(all.dtype).toBe(together.dtype);
    expectClose(list(together.prob(all).sum(0)), Array(n).fill(1), 1e-15);
    expect(list(together.enumerateSupport())).toEqual(list(all));
  });
});
