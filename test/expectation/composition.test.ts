import { describe, expect, it } from "vitest";
import type { Estimator } from "../../src/estimators/estimator.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  compile,
  enumerate,
  expectation,
  grad,
  hessian,
  isTensor,
  jvp,
  key,
  Normal,
  sample,
  scoreFunction,
  sin,
  split,
  square,
  sum,
  vmap,
} from "../../src/index.js";
import { exactDirectional, exactLoss, numbersOf, outcomesOf, t64, traced } from "./exact.js";

/** Expectations inside other transforms, and transforms around expectations. */

type P = { theta: Tensor; w: Tensor };
const program =
  (estimator?: unknown) =>
  ({ theta, w }: P): Tensor => {
    const a = sample(Bernoulli({ logits: theta }), {
      name: "a",
      ...(estimator ? { estimator: estimator as Estimator<never> } : {}),
    });
    const b = sample(Bernoulli({ logits: sum(a.mul(w)) }), {
      name: "b",
      ...(estimator ? { estimator: estimator as Estimator<never> } : {}),
    });
    return square(sum(a).sub(b).sub(0.4)).add(sum(a.mul(w)).mul(b));
  };
const params = { theta: t64([0.3, -0.6]), w: t64([0.8, -0.2]) };
const exact = exactLoss(program() as never, outcomesOf(traced(program() as never, params)));

const flat = (tree: unknown): number[] =>
  Object.values(tree as object).flatMap((x) => (isTensor(x) ? [...numbersOf(x)] : flat(x)));
function expectClose(actual: unknown, truth: unknown, digits = 12): void {
  const [a, b] = [flat(actual), flat(truth)];
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(x).toBeCloseTo(b[i] as number, digits);
  });
}

describe("exact expectations", () => {
  const E = expectation(program(), { estimators: { a: enumerate(), b: enumerate() } });
  const value = (p: P): Tensor => E.value(p, { key: 0 }).mean;

  it("differentiate to the exact gradient, Hessian and third derivative", () => {
    expectClose({ v: value(params) }, { v: exact(params) });
    expectClose(grad(value)(params), grad(exact as typeof value)(params));
    expectClose(hessian(value)(params), hessian(exact as typeof value)(params));
    expectClose(E.hessian(params, {}).mean, hessian(exact as typeof value)(params));
    const along = { theta: t64([1, -0.5]), w: t64([0.3, 2]) };
    const third = jvp((p: P) => jvp((q: P) => jvp(value, q, along).tangent, p, along).tangent, params, along).tangent;
    expect(third.item()).toBeCloseTo(
      exactDirectional(program() as never, params, [1, -0.5, 0.3, 2], 3)[2] as number,
      11,
    );
    const traceOfHessian = (p: P): Tensor => {
      const { theta, w } = hessian(value)(p);
      return sum(theta.theta).add(sum(w.w));
    };
    const same = (p: P): Tensor => {
      const { theta, w } = hessian(exact as typeof value)(p);
      return sum(theta.theta).add(sum(w.w));
    };
    expectClose(grad(traceOfHessian)(params), grad(same)(params));
  });

  it("take gradients in gradients", () => {
    const slope = (p: P): Tensor => sum(square(E.valueAndGrad(p, {}).grad.mean.theta));
    const truth = (p: P): Tensor => sum(square(grad(exact as typeof value)(p).theta));
    expectClose(grad(slope)(params), grad(truth)(params));
  });

  it("give Hessians that differentiate on", () => {
    const trace = (p: P): Tensor => {
      const { theta, w } = E.hessian(p, {}).mean;
      return sum(theta.theta).add(sum(w.w));
    };
    const truth = (p: P): Tensor => {
      const { theta, w } = hessian(exact as typeof value)(p);
      return sum(theta.theta).add(sum(w.w));
    };
    expectClose(grad(trace)(params), grad(truth)(params));
    const compiled = compile((p: P) => {
      const { mean: blocks, stderr } = E.hessian(p, {});
      return { mean: blocks, stderr };
    })(params);
    expectClose(compiled.mean, E.hessian(params, {}).mean);
    expect(flat(compiled.stderr).every((x) => x === 0)).toBe(true);
  });

  it("map over parameters", () => {
    const thetas = t64([
      [0.3, -0.6],
      [1, 2],
      [-1, 0.1],
    ]);
    const mapped = vmap((theta: Tensor) => E.value({ theta, w: params.w }, {}).mean)(thetas);
    const loop = [0, 1, 2].map((i) => (exact({ theta: thetas.at(i), w: params.w }) as Tensor).item());
    expectClose({ m: mapped }, { m: t64(loop) });
  });
});

describe("sampled expectations", () => {
  const noisy = ({ loc, scale }: { loc: Tensor; scale: Tensor }): Tensor =>
    sin(sample(Normal({ loc, scale }), { name: "x" }));
  const at = { loc: t64(0.5), scale: t64(1.2) };
  const E = expectation(noisy, { samples: 200, chunk: 64 });

  it("grad of the value is the gradient, hessian of the value the Hessian", () => {
    const value = (p: typeof at): Tensor => E.value(p, { key: 0 }).mean;
    expectClose({ v: value(at) }, { v: E.value(at, { key: 0 }).mean });
    expectClose(grad(value)(at), E.valueAndGrad(at, { key: 0 }).grad.mean);
    expectClose(hessian(value)(at), E.hessian(at, { key: 0 }).mean);
  });

  it("with leave-one-out too, at both orders", () => {
    const L = expectation(program(scoreFunction()), { samples: 300, chunk: 128 });
    const value = (p: P): Tensor => L.value(p, { key: 0 }).mean;
    expectClose(grad(value)(params), L.valueAndGrad(params, { key: 0 }).grad.mean);
    expectClose(hessian(value)(params), L.hessian(params, { key: 0 }).mean);
    const slope = grad(value)(params);
    expectClose(
      { t: jvp(value, params, params).tangent },
      { t: sum(slope.theta.mul(params.theta)).add(sum(slope.w.mul(params.w))) },
    );
  });

  it("second derivatives with leave-one-out agree with the exact ones within their error bars", () => {
    const L = expectation(program(scoreFunction()), { samples: 256, replicates: 128 });
    const { mean: blocks, stderr, dof } = L.hessian(params, { key: 0 });
    const truth = flat(hessian(exact as (p: P) => Tensor)(params));
    expect(dof).toBe(127);
    // 16 comparisons: 6.0 standard errors of 127 degrees of freedom.
    flat(blocks).forEach((h, i) => {
      expect(Math.abs(h - (truth[i] as number))).toBeLessThanOrEqual(6 * (flat(stderr)[i] as number));
    });
    expect(Math.max(...flat(stderr))).toBeLessThan(0.03 * Math.hypot(...truth));
  });

  it("compile around a call with the key as an argument", () => {
    const step = compile((p: typeof at, k: Tensor) => {
      const { value, grad: slope } = E.valueAndGrad(p, { key: k });
      return { value: value.mean, error: value.stderr, grad: slope.mean, spread: slope.stderr };
    });
    for (const seed of [0, 1, 2]) {
      const out = step(at, key(seed));
      const plain = E.valueAndGrad(at, { key: seed });
      expectClose(
        { v: out.value, e: out.error, g: out.grad, s: out.spread },
        { v: plain.value.mean, e: plain.value.stderr, g: plain.grad.mean, s: plain.grad.stderr },
      );
    }
  });

  it("map over keys and over parameters", () => {
    const keys = split(0, 3);
    const mapped = vmap((k: Tensor) => E.value(at, { key: k }).mean)(keys);
    const loop = [0, 1, 2].map((i) => E.value(at, { key: keys.at(i) }).mean.item());
    expectClose({ m: mapped }, { m: t64(loop) });
    const locs = vmap((loc: Tensor) => E.value({ loc, scale: at.scale }, { key: 0 }).mean)(t64([0.5, -1]));
    expectClose(
      { m: locs },
      { m: t64([0.5, -1].map((x) => E.value({ loc: t64(x), scale: at.scale }, { key: 0 }).mean.item())) },
    );
  });

  it("compile around a Hessian and its error bars", () => {
    const step = compile((p: typeof at, k: Tensor) => {
      const { mean: blocks, stderr } = E.hessian(p, { key: k });
      return { blocks, stderr };
    });
    const [out, plain] = [step(at, key(0)), E.hessian(at, { key: 0 })];
    expectClose(out.blocks, plain.mean);
    expectClose(out.stderr, plain.stderr);
  });

  it("nest: the runs of an inner expectation are no baseline for those of other outer runs", () => {
    const inner = expectation(program(scoreFunction()), { samples: 3 });
    // The outer sample reaches the inner parameters, times 0: every outer run holds the same inner expectation.
    const outer = expectation(
      (p: P, k: Tensor) => {
        const zero = sample(Normal({ loc: t64(0), scale: 1 }), { name: "x" }).mul(0);
        return inner.value({ theta: p.theta.add(zero), w: p.w }, { key: k }).mean;
      },
      { samples: 8 },
    );
    for (const seed of [0, 1, 2]) {
      expectClose(
        outer.valueAndGrad(params, key(seed), { key: 0 }).grad.mean,
        inner.valueAndGrad(params, { key: seed }).grad.mean,
      );
    }
  });

  it("replicates too", () => {
    const R = expectation(program(scoreFunction()), { samples: 4, replicates: 32 });
    const value = (p: P): Tensor => R.value(p, { key: 0 }).mean;
    expectClose(grad(value)(params), R.valueAndGrad(params, { key: 0 }).grad.mean);
  });
});
