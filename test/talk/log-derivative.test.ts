import { describe, expect, it } from "vitest";
import {
  type AnyFamily,
  type Distribution,
  define,
  type Family,
  type Params,
} from "../../src/distributions/distribution.js";
import { families } from "../../src/distributions/index.js";
import { Bernoulli, expectation, grad, sample, scoreFunction, type Tensor } from "../../src/index.js";
import { expectEqual, f64, flat, judge } from "./judge.js";
import { integrate, slope, tanhSinh } from "./quadrature.js";
import { at, cost, exactGrad, law, type Theta, theta } from "./wave.js";

/** The derivation of REINFORCE, each line a number. Statistical comparisons: m = 2, z ≤ 5.4, first key 0. */
const compare = judge(2);
const rule = tanhSinh(at.mu - 8, at.mu + 8);

/** A family's law at parameters of any tree; what it gives is not known to the compiler. */
const build = (family: AnyFamily, params: Params): Distribution =>
  define<keyof Family["gives"], Params>(family as Family)(params);

/** Σ w c(x) ∂/∂θ h(x; θ) with c held constant: an integral of a derivative times something. */
function integralOfSlope(h: (x: Tensor, t: Theta) => Tensor, c: (x: Tensor) => Tensor): number[] {
  return flat(grad((t: Theta) => integrate(rule, (x) => h(x, t).mul(c(x))))(theta));
}

describe("∇ log f = ∇f / f", () => {
  it("for a function that has nothing to do with probability", () => {
    const f = (x: Tensor): Tensor => x.square().add(1).mul(x.exp());
    for (const x of [-1.5, 0.1, 2]) {
      const left = grad((y: Tensor) => f(y).log())(f64(x));
      expectEqual(left, grad(f)(f64(x)).div(f(f64(x))));
    }
  });

  it.each(families.flatMap((family) => family.cases.map((params) => [family.name, params, family] as const)))(
    "for the density of %s at %o",
    (_, params, family) => {
      const at = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, f64(value as number)]));
      const d = build(family, at);
      const x = d.sample(0);
      const left = flat(grad((p: typeof at) => build(family, p).logProb(x).sum())(at));
      const right = flat(grad((p: typeof at) => build(family, p).logProb(x).sum().exp())(at));
      const density = d.logProb(x).sum().exp().item();
      expectEqual(
        left,
        right.map((slope) => slope / density),
        1e-10,
      );
    },
  );
});

describe("the log-derivative trick, line by line", () => {
  const density = (x: Tensor, t: Theta): Tensor => law(t).prob(x);
  const logDensity = (x: Tensor, t: Theta): Tensor => law(t).logProb(x);

  it("∇ ∫ p(x) L(x) dx, by differences of the integral", () => {
    const value = (t: Theta): number => integrate(rule, (x) => density(x, t).mul(cost(x))).item();
    const along = (name: "mu" | "sigma"): number => slope((v) => value({ ...theta, [name]: f64(v) }), at[name]);
    expectEqual([along("mu"), along("sigma")], exactGrad(at), 1e-6);
  });

  it("∫ ∇p(x) L(x) dx", () => {
    expectEqual(integralOfSlope(density, cost), exactGrad(at), 1e-9);
  });

  it("∫ p(x)/p(x) ∇p(x) L(x) dx", () => {
    expectEqual(
      integralOfSlope(density, (x) => density(x, theta).div(density(x, theta)).mul(cost(x))),
      exactGrad(at),
      1e-9,
    );
  });

  it("∫ p(x) ∇log p(x) L(x) dx, which is E[∇log p(x) L(x)]", () => {
    expectEqual(
      integralOfSlope(logDensity, (x) => density(x, theta).mul(cost(x))),
      exactGrad(at),
      1e-9,
    );
  });

  it("the same lines for a discrete variable are sums", () => {
    const p = 0.3;
    const L = [2, 5];
    const terms = L.map((l, k) => {
      const slope = grad((q: Tensor) => Bernoulli({ probs: q }).logProb(k))(f64(p)).item();
      return [l * (k === 1 ? 1 : -1), (k === 1 ? p : 1 - p) * slope * l];
    });
    expectEqual(terms[0]![0]! + terms[1]![0]!, 3);
    expectEqual(terms[0]![1]! + terms[1]![1]!, 3);
  });

  it("the Monte-Carlo sum 1/S Σ ∇log p(x⁽ˢ⁾) L(x⁽ˢ⁾)", () => {
    const f = (t: Theta): Tensor => cost(sample(law(t), { name: "x" }));
    const E = expectation(f, {
      samples: 1,
      replicates: 140_000,
      estimators: { x: scoreFunction({ baseline: "none" }) },
    });
    compare(E.valueAndGrad(theta, { key: 0 }).grad, exactGrad(at));
  });

  it("in which both factors are of the same sample", () => {
    const x = [-0.4, 1.1, 2.3];
    const f = (t: Theta): Tensor => cost(sample(law(t), { name: "x" }));
    const E = expectation(f, { samples: 3, estimators: { x: scoreFunction({ baseline: "none" }) } });
    const got = flat(E.valueAndGrad(theta, { key: 0, given: { x: f64(x) } }).grad.mean);
    const score = x.map((v) => flat(grad((t: Theta) => law(t).logProb(v))(theta)));
    const costs = x.map((v) => cost(f64(v)).item());
    const paired = [0, 1].map((k) => x.reduce((total, _, s) => total + (score[s]![k]! * costs[s]!) / 3, 0));
    const crossed = [0, 1].map((k) => x.reduce((total, _, s) => total + (score[s]![k]! * costs[(s + 1) % 3]!) / 3, 0));
    expectEqual(got, paired);
    expect(Math.abs(got[0]! - crossed[0]!)).toBeGreaterThan(0.1);
  });
});
