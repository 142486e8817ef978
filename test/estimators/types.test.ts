import { expect, test } from "vitest";
import {
  Bernoulli,
  enumerate,
  expectation,
  NoGradientError,
  Normal,
  Poisson,
  pathwise,
  sample,
  scoreFunction,
  type Tensor,
} from "../../src/index.js";

/** Pairs that do not fit are refused twice: by the compiler (the directives below would be errors if it let them through) and at run time. */
const gradientOf = (f: (p: { t: Tensor }) => Tensor) => () =>
  expectation(f, { samples: 2 }).valueAndGrad({ t: 0.5 }, { key: 0 });

test("pathwise does not fit a Bernoulli", () => {
  const f = gradientOf(({ t }) =>
    // @ts-expect-error Bernoulli gives no reparam
    sample(Bernoulli({ probs: t }), { name: "a", estimator: pathwise() }),
  );
  expect(f).toThrow(NoGradientError);
  expect(f).toThrow(
    'sample "a": Bernoulli gives no reparam, which pathwise needs: ∂a/∂probs does not exist on the path probs → a → loss; use scoreFunction() or enumerate().',
  );
});

test("enumerate does not fit a Normal or a Poisson", () => {
  const normal = gradientOf(({ t }) =>
    // @ts-expect-error Normal gives no enumerate
    sample(Normal({ loc: t }), { name: "x", estimator: enumerate() }),
  );
  expect(normal).toThrow(
    'sample "x": Normal gives no enumerate, which enumerate needs; use pathwise() or scoreFunction().',
  );
  const poisson = gradientOf(({ t }) =>
    // @ts-expect-error Poisson gives no enumerate
    sample(Poisson({ rate: t }), { name: "n", estimator: enumerate() }),
  );
  expect(poisson).toThrow('sample "n": Poisson gives no enumerate, which enumerate needs; use scoreFunction().');
});

test("pairs that fit compile and run", () => {
  const fitting = [
    gradientOf(({ t }) => sample(Normal({ loc: t }), { estimator: pathwise() })),
    gradientOf(({ t }) => sample(Normal({ loc: t }), { estimator: scoreFunction() })),
    gradientOf(({ t }) => sample(Bernoulli({ probs: t }), { estimator: enumerate() })),
    gradientOf(({ t }) => sample(Poisson({ rate: t }), { estimator: scoreFunction() })),
  ];
  for (const f of fitting) expect(Number.isFinite(f().grad.mean.t.item())).toBe(true);
});
