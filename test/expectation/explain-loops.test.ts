import { expect, test } from "vitest";
import { Bernoulli, cond, expectation, sample, scan, scoreFunction, type Tensor, tensor } from "../../src/index.js";

/** What people see of random choices inside loops. */

const walk = ({ theta }: { theta: Tensor }): Tensor => {
  const [total] = scan(
    ({ at, sum }: { at: Tensor; sum: Tensor }) => {
      const right = sample(Bernoulli({ logits: at.mul(theta) }), { name: "right", estimator: scoreFunction() });
      const next = at.add(right).sub(0.5);
      return [{ at: next, sum: sum.add(next.square()) }, null];
    },
    { at: tensor(1), sum: tensor(0) },
    null,
    { length: 3 },
  );
  return total.sum;
};

const explained = expectation(walk, { samples: 100 }).explain({ theta: 0.3 }, { key: 0 });

test("a site in a loop has the steps as its first axis, and is charged with what comes after", () => {
  const [site] = explained.sites;
  expect(site?.shape).toEqual({ batch: [3], event: [] });
  expect(site?.credit).toEqual(["charged: leaf 1 (mul [3]) [s ≤ n]"]);
  expect(explained.costs).toEqual([{ name: "leaf 1", expression: "square((carry.at + right) - 0.5)", shape: [3] }]);
});

test("its value is that of all steps, and there is no δ of it", () => {
  const node = explained.nodes.find(({ name }) => name === "right");
  expect(node?.value.mean.shape).toEqual([3]);
  expect(node?.delta).toBeNull();
});

test("the listing holds the step", () => {
  expect(explained.graph).toContain("= scan of 3 steps(");
  expect(explained.graph).toContain("    right = sample Bernoulli(");
});

test("the drawing puts the step in a box, and the carry goes round", () => {
  const { dot } = explained;
  expect(dot).toMatch(/subgraph cluster_\d+ \{\n {4}label="scan of 3 steps";/);
  expect(dot).toMatch(/ {4}n\d+ \[label="right ~ Bernoulli\\n/);
  expect(dot.match(/label="next step"/g)).toHaveLength(2);
  expect(dot).toContain('label="the last carry\\nfloat32[]"');
  const ids = new Set([...dot.matchAll(/^\s+(n\d+) \[/gm)].map(([, id]) => id));
  for (const [, from, to] of dot.matchAll(/^\s+(n\d+) -> (n\d+)/gm)) {
    expect(ids.has(from)).toBe(true);
    expect(ids.has(to)).toBe(true);
  }
});

test("a choice in a branch is in it, and its cost comes out of the branch", () => {
  const program = ({ p }: { p: Tensor }): Tensor =>
    cond(
      p.greater(0),
      () => sample(Bernoulli({ logits: p }), { name: "a" }).mul(2),
      () => tensor(1),
    );
  const { text, dot } = expectation(program, { samples: 10 }).explain({ p: 0.5 }, { key: 0 });
  expect(text).toContain("charged: leaf 1 (cond.0 [])");
  expect(text).toContain("  true: (");
  expect(dot).toContain('label="cond";');
});
