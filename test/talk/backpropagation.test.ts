import { describe, expect, it } from "vitest";
import { grad, matmul, type Tensor } from "../../src/index.js";
import { expectEqual, f64 } from "./judge.js";

/**
 * Equations (1)–(3): z⁽ˡ⁾ = W⁽ˡ⁾a⁽ˡ⁻¹⁾, a⁽ˡ⁾ = σ(z⁽ˡ⁾), L = ½‖y − a⁽ᴸ⁾‖² and δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾. A layer's δ is read by
 * adding a shift of zero to its z; the hand formulas are plain arithmetic.
 */
const sizes = [3, 4, 2, 3];
const layers = sizes.length - 1;
const W = Array.from({ length: layers }, (_, l) =>
  Array.from({ length: sizes[l + 1]! }, (_, i) =>
    Array.from({ length: sizes[l]! }, (_, j) => Math.sin(1 + 7 * l + 3 * i + 5 * j)),
  ),
);
const x = [0.3, -1.2, 0.8];
const y = [0.9, 0.1, 0.4];

interface Net {
  W: Tensor[];
  shift: Tensor[];
}

function loss({ W, shift }: Net): Tensor {
  let a = f64(x);
  W.forEach((w, l) => {
    a = matmul(w, a).add(shift[l]!).sigmoid();
  });
  return f64(y).sub(a).square().sum().mul(0.5);
}

/** Forward, by hand: a[0] = x, a[l + 1] = σ(W[l] a[l]). */
function activations(weights: number[][][]): number[][] {
  const a = [x];
  for (const w of weights)
    a.push(w.map((row) => 1 / (1 + Math.exp(-row.reduce((t, v, j) => t + v * a.at(-1)![j]!, 0)))));
  return a;
}

const lossOf = (weights: number[][][]): number =>
  activations(weights)
    .at(-1)!
    .reduce((t, a, i) => t + 0.5 * (y[i]! - a) ** 2, 0);

describe("backpropagation, equations (1)-(3)", () => {
  const net = { W: W.map(f64), shift: W.map((w) => f64(w.map(() => 0))) };
  const { W: slopes, shift: deltas } = grad(loss)(net) as Net;
  const delta = deltas.map((d) => d.toArray() as number[]);
  const a = activations(W);
  const sigmaPrime = (l: number): number[] => a[l + 1]!.map((v) => v * (1 - v));

  it("(1) the last δ is (a − y) ⊙ σ′(z)", () => {
    expectEqual(
      delta.at(-1),
      a.at(-1)!.map((v, i) => (v - y[i]!) * sigmaPrime(layers - 1)[i]!),
    );
  });

  it.each([0, 1])("(2) δ of layer %i is (Wᵀ δ of the next) ⊙ σ′(z)", (l) => {
    const back = sigmaPrime(l).map((s, j) => s * W[l + 1]!.reduce((t, row, i) => t + row[j]! * delta[l + 1]![i]!, 0));
    expectEqual(delta[l], back);
    expect(Math.hypot(...delta[l]!)).toBeGreaterThan(1e-4);
  });

  it.each([0, 1, 2])("(3) ∂L/∂W of layer %i is δ aᵀ", (l) => {
    expectEqual(
      slopes[l],
      delta[l]!.map((d) => a[l]!.map((v) => d * v)),
    );
  });

  it("all weights agree with finite differences", () => {
    const h = 1e-5;
    W.forEach((w, l) => {
      const got = slopes[l]!.toArray() as number[][];
      w.forEach((row, i) => {
        row.forEach((_, j) => {
          const moved = (step: number): number =>
            lossOf(W.map((m, k) => m.map((r, p) => r.map((v, q) => (k === l && p === i && q === j ? v + step : v)))));
          expect(Math.abs(got[i]![j]! - (moved(h) - moved(-h)) / (2 * h))).toBeLessThan(1e-9);
        });
      });
    });
  });
});
