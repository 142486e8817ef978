import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { grad, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { expectClose, golden, parse, t64 } from "./support.js";

const { x, cov, corrcoef, weights, covGrad, corrcoefGrad, standardise } = golden.statistics;

describe("cov and corrcoef", () => {
  test("agree with NumPy, and their gradients with JAX", () => {
    for (const [ddof, want] of Object.entries(cov)) expectClose(sg.cov(t64(x), { ddof: Number(ddof) }), want, 1e-14);
    expectClose(sg.cov(t64(x)), cov["1"] as number[], 1e-14);
    expectClose(sg.corrcoef(t64(x)), corrcoef, 1e-15);
    expectClose(grad((y: Tensor) => sg.cov(y).mul(t64(weights)).sum())(t64(x)), covGrad, 1e-14);
    expectClose(grad((y: Tensor) => sg.corrcoef(y).mul(t64(weights)).sum())(t64(x)), corrcoefGrad, 1e-14);
  });

  test("one variable, batches of matrices, vmap, float32", () => {
    const first = (x as number[][])[0] as number[];
    expectClose(sg.cov(t64(first)), [parse(cov["1"] as number[])[0] as number], 1e-14);
    expectClose(sg.corrcoef(t64(first)), [1], 1e-15);
    const two = sg.stack([t64(x), t64(x).mul(2)]);
    const want = sg.stack([sg.cov(t64(x)), sg.cov(t64(x)).mul(4)]);
    expectClose(sg.cov(two), want, 1e-14);
    expectClose(vmap((y: Tensor) => sg.cov(y))(two), want, 1e-14);
    expectClose(vmap((y: Tensor) => y.corrcoef())(two).at(1), corrcoef, 1e-15);
    const single = sg.cov(tensor(x as number[][]));
    expect(single.dtype).toBe("float32");
    expectClose(single, cov["1"] as number[], 1e-5);
  });

  test("a constant variable has no correlation", () => {
    expectClose(
      sg.corrcoef(
        t64([
          [1, 2],
          [3, 3],
        ]),
      ),
      [1, "nan", "nan", "nan"],
      1e-15,
    );
  });

  test("too few observations", () => {
    expect(message(() => sg.cov([[1], [2]]))).toBe(
      "cov: got 1 observations and ddof 1, expected more observations than ddof.",
    );
    expect(message(() => sg.cov(3))).toBe(
      "cov: got [], expected variables in rows and at least one observation of them in columns.",
    );
    expect(message(() => sg.variance([1], undefined, 1))).toBe(
      "variance: got 1 elements and ddof 1, expected more elements than ddof.",
    );
  });
});

describe("standardise", () => {
  test("agrees with NumPy; mean 0 and variance 1", () => {
    expectClose(sg.standardise(t64(x)), standardise, 1e-14);
    const z = sg.standardise(t64(x), { axis: [0, 1], eps: 0 });
    expectClose(z.mean(), [0], 1e-15);
    expectClose(z.variance(), [1], 1e-14);
    expectClose(sg.standardise(t64([2, 2, 2])), [0, 0, 0], 0);
    expectClose(sg.standardise(t64([2, 2]), { eps: 0 }), ["nan", "nan"], 0);
  });

  test("is blind to shift and scale, so its derivatives along them are 0", () => {
    const y = t64([1, -0.5, 2, 4]);
    const f = (shift: Tensor, scale: Tensor): Tensor =>
      sg
        .standardise(y.mul(scale).add(shift), { eps: 0 })
        .mul(t64([1, 2, -1, 3]))
        .sum();
    expectClose(grad((s: Tensor) => f(s, t64(1)))(t64(0.3)), [0], 1e-14);
    expectClose(grad((s: Tensor) => f(t64(0), s))(t64(1.7)), [0], 1e-14);
    expectClose(vmap((row: Tensor) => sg.standardise(row))(t64(x)), standardise, 1e-14);
    expect(message(() => sg.standardise([1], { eps: -1 }))).toBe(
      "standardise: got eps = -1, expected a number of at least 0.",
    );
  });
});
