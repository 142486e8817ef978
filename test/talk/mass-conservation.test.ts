import { describe, expect, it } from "vitest";
import { type Distribution, grad, LogNormal, Normal, type Tensor } from "../../src/index.js";
import { expectEqual, f64 } from "./judge.js";
import { integrate, tanhSinh } from "./quadrature.js";

/**
 * |p(x) dx| = |p(ε) dε|: a map carries probability along, whatever it does to lengths. ε ~ N(0, 1) on a grid of
 * intervals.
 */
const noise = Normal({ loc: f64(0), scale: f64(1) });
const edges = Array.from({ length: 25 }, (_, i) => -3 + i / 4);

interface Case {
  name: string;
  g: (epsilon: Tensor) => Tensor;
  inverse: (x: Tensor) => Tensor;
  law: Distribution<"logProb" | "reparam">;
}

const cases: Case[] = [
  {
    name: "x = 2 + ε/2",
    g: (e) => e.mul(0.5).add(2),
    inverse: (x) => x.sub(2).mul(2),
    law: Normal({ loc: f64(2), scale: f64(0.5) }),
  },
  {
    name: "x = 2 − ε/2, which runs backwards",
    g: (e) => e.mul(-0.5).add(2),
    inverse: (x) => x.sub(2).mul(-2),
    law: Normal({ loc: f64(2), scale: f64(0.5) }),
  },
  {
    name: "x = exp(1 + 0.4 ε), which bends",
    g: (e) => e.mul(0.4).add(1).exp(),
    inverse: (x) => x.log().sub(1).div(0.4),
    law: LogNormal({ loc: f64(1), scale: f64(0.4) }),
  },
];

/** F(b) − F(a) of neighbours, positive whichever way the points run. */
const masses = (d: Case["law"], points: Tensor): number[] => {
  const f = d.cdf(points).toArray() as number[];
  return f.slice(1).map((v, i) => Math.abs(v - f[i]!));
};

describe.each(cases)("mass is conserved: $name", ({ g, inverse, law }) => {
  const epsilon = f64(edges);
  const x = g(epsilon);

  it("each interval of ε and its image hold the same probability", () => {
    expectEqual(masses(law, x), masses(noise, epsilon), 1e-14);
  });

  it("p(x) = p(ε) |dε/dx|", () => {
    const stretch = grad((y: Tensor) => inverse(y).sum())(x);
    expectEqual(law.prob(x), noise.prob(epsilon).mul(stretch.abs()), 1e-13);
    // The absolute value and the factor are both needed: without them the densities differ.
    expect(Math.max(...(law.prob(x).sub(noise.prob(epsilon)).abs().toArray() as number[]))).toBeGreaterThan(0.05);
  });

  it("the density integrates to the mass between the images", () => {
    const points = x.toArray() as number[];
    const areas = points
      .slice(1)
      .map((b, i) => Math.abs(integrate(tanhSinh(points[i]!, b, 20), (t) => law.prob(t)).item()));
    expectEqual(areas, masses(noise, epsilon), 1e-12);
  });
});
