import { describe, expect, test } from "vitest";
import {
  Bernoulli,
  compile,
  expectation,
  external,
  grad,
  Normal,
  randomKey,
  sample,
  stopGradient,
  type Tensor,
  tensor,
  vmap,
} from "../../src/index.js";

const f64 = (x: number): Tensor => tensor(x, { dtype: "float64" });

describe("a read may not cut a parameter's own derivative", () => {
  const run = (f: (params: { th: Tensor }) => Tensor | number) =>
    expectation(f, { dynamic: true, samples: 2 }).valueAndGrad({ th: f64(0.1) }, { key: 0 });
  const coin = (probs: Tensor): Tensor => sample(Bernoulli({ probs }), { name: "a" });
  const sentence = (name: string, short = name): string =>
    `read: the number depends on a sample and on ${name}, whose own derivative the read would cut; read the sample itself and ` +
    `compute with tensors, or stopGradient(${short}) if that is meant.`;

  test.each<[string, (params: { th: Tensor }) => Tensor | number]>([
    ["a threshold", ({ th }) => (sample(Normal({})).sub(th).item() > 0 ? 1 : 0)],
    ["a comparison", ({ th }) => (sample(Normal({})).greater(th).item() ? 1 : 0)],
    ["a factor", ({ th }) => coin(th).mul(th).item() * 2],
    ["noise that is no site", ({ th }) => Normal({ loc: th }).sample(randomKey()).item()],
    ["a black box", ({ th }) => external((x) => x.data, [coin(th).mul(th)], { shape: [], dtype: "float64" }).item()],
    [
      "a mean over an inner sample",
      ({ th }) => expectation((_: object) => coin(th).mul(th).item(), { dynamic: true }).value({}, { key: 1 }).mean,
    ],
  ])("%s", (_, f) => {
    expect(() => run(f)).toThrow(sentence("params.th"));
  });

  test("a variable of the transform around, captured or passed as data", () => {
    const f = (x: Tensor, th: Tensor): number => (x.sub(th).item() > 0 ? 1 : 0);
    const around = sentence("a variable of the transform around", "it");
    const captured = (th: Tensor): Tensor =>
      expectation((_: object) => f(sample(Normal({})), th), { dynamic: true }).value({}, { key: 0 }).mean;
    const passed = (th: Tensor): Tensor =>
      expectation((_: object, d: Tensor) => f(sample(Normal({})), d), { dynamic: true }).value({}, th, { key: 0 }).mean;
    expect(() => grad(captured)(0.1)).toThrow(around);
    expect(() => grad(passed)(0.1)).toThrow(around);
  });

  test("stopped, through a law alone, or read by itself it stays", () => {
    const slope = (f: (params: { th: Tensor }) => Tensor | number): number => run(f).grad.mean.th.item();
    expect(slope(({ th }) => (sample(Normal({})).sub(stopGradient(th)).item() > 0 ? 1 : 0))).toBe(0);
    expect(slope(({ th }) => coin(th.mul(0.5)).mul(0).item())).toBe(0);
    expect(slope(({ th }) => (th.item() > 0 ? th.mul(3) : 0))).toBe(3);
  });

  test("data may be read with samples", () => {
    const f = (_: object, d: Tensor): number => (sample(Normal({})).sub(d).item() > 0 ? 1 : 0);
    expect(expectation(f, { dynamic: true }).value({}, 100, { key: 0 }).mean.item()).toBe(0);
  });
});

describe("where there are no numbers", () => {
  const E = expectation(({ p }: { p: Tensor }) => sample(Bernoulli({ probs: p }), { name: "a" }).item(), {
    dynamic: true,
  });
  const sentence = (who: string): string =>
    `expectation: a dynamic program computes with numbers, and ${who} of the vmap, compile or traced expectation around it has none ` +
    "yet; call the dynamic expectation outside of it, make an outer expectation dynamic too, or leave dynamic out and branch with " +
    "where(mask, a, b).";

  test("inside vmap, compile and a traced expectation", () => {
    const mean = (p: Tensor): Tensor => E.value({ p }, { key: 0 }).mean;
    expect(() => vmap(mean)([0.3, 0.4])).toThrow(sentence('"argument 0"'));
    expect(() => compile(mean)(0.3)).toThrow(sentence('"argument 0"'));
    expect(() => compile((k: Tensor) => E.value({ p: 0.3 }, { key: k }).mean)(tensor(Uint32Array.of(0, 1)))).toThrow(
      sentence('"argument 0"'),
    );
    const reading = (x: Tensor): Tensor =>
      expectation((_: object) => (x.item() ? 1 : 0), { dynamic: true }).value({}, { key: 0 }).mean;
    expect(() => compile(reading)(1)).toThrow(sentence('"argument 0"'));
    const f = ({ p }: { p: Tensor }): Tensor => mean(sample(Bernoulli({ probs: p }), { name: "z" }));
    expect(() => expectation(f).valueAndGrad({ p: 0.3 }, { key: 0 })).toThrow(sentence('sample "z"'));
  });

  test("a sample inside vmap inside a dynamic program", () => {
    const f = ({ p }: { p: Tensor }): Tensor =>
      vmap((x: Tensor) => sample(Bernoulli({ probs: x }), { name: "a" }))(p).sum();
    expect(() => expectation(f, { dynamic: true }).valueAndGrad({ p: [0.3, 0.4] }, { key: 0 })).toThrow(
      'sample "a": a dynamic program draws at once, and "argument 0" of a vmap, compile or traced expectation inside it has no number; ' +
        "sample outside of it, with a batch shape.",
    );
  });

  test("the Hessian inside another transform", () => {
    expect(() => grad((p: Tensor) => E.hessian({ p }, { key: 0 }).mean.p.p)(0.3)).toThrow(
      "expectation: hessian of a dynamic program does not work inside another transform; differentiate E.value(…).mean there, of an " +
        "expectation with order: 2.",
    );
  });
});

describe("a tensor is no number", () => {
  const sentence =
    "tensor: got a tensor [] where a number is needed, as in x > 0 or x + 1, expected a number; x.item() to read it, or x.greater(0) " +
    "and where(mask, a, b), x.add(1) to compute with tensors.";

  test.each([false, true])("in a program, dynamic: %s", (dynamic) => {
    const f = ({ p }: { p: Tensor }): number => ((sample(Bernoulli({ probs: p })) as unknown as number) > 0 ? 1 : 0);
    expect(() => expectation(f, { dynamic }).valueAndGrad({ p: 0.3 }, { key: 0 })).toThrow(sentence);
  });

  test("a sum, a sign and Number; but a text says what it is", () => {
    const x = tensor(1) as unknown as number;
    for (const use of [() => x + 1, () => Number(x), () => -x]) expect(use).toThrow(sentence);
    expect(`${tensor([[1, 2]])}`).toBe("tensor float32[1, 2]");
  });
});
