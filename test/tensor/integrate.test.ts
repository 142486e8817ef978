import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { compile, grad, hessian, integrate, type Tensor, tensor, vmap } from "../../src/index.js";
import { message } from "../runtime/message.js";
import { classics } from "./integrands.js";
import { expectClose, golden, t64 } from "./support.js";

const { exp, mul, neg, square, sin, cos, pow, add, abs, log, reciprocal, div } = sg;

describe("classic integrals", () => {
  test("there is a reference for each", () => {
    expect(Object.keys(classics).sort()).toEqual(Object.keys(golden.integrals).sort());
  });

  test.each(Object.entries(classics))("%s: right to the tolerance, with an honest error", (name, { f, from, to }) => {
    const want = golden.integrals[name] as number;
    const { value, error, evaluations } = integrate(f, from, to);
    const off = Math.abs(value.item() - want);
    expect(off).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(want)));
    // Rounding of the reference itself.
    expect(off).toBeLessThanOrEqual(error.item() + 2e-16 * Math.abs(want));
    expect(error.item()).toBeLessThanOrEqual(1e-10 * 16);
    expect(evaluations).toBeLessThanOrEqual(3000);
  });

  test.each(Object.entries(classics))("%s: the error is honest at every level", (name, { f, from, to }) => {
    const want = golden.integrals[name] as number;
    for (const order of [4, 5, 6, 7]) {
      const { value, error } = integrate(f, from, to, { order });
      expect(Math.abs(value.item() - want), `level ${order}`).toBeLessThanOrEqual(
        error.item() + 2e-16 * Math.abs(want),
      );
    }
  });

  test("Gauss–Legendre where the integrand is smooth: right, honest, exact for polynomials", () => {
    for (const name of ["gaussian bump", "Runge", "sine of 50 x", "chirp"]) {
      const { f, from, to } = classics[name] as (typeof classics)[string];
      const want = golden.integrals[name] as number;
      const { value, error } = integrate(f, from, to, { method: "gauss" });
      expect(Math.abs(value.item() - want)).toBeLessThanOrEqual(Math.min(error.item(), 1e-10));
    }
    const cubic = integrate((x) => pow(x, 3), 1, 3, { method: "gauss", order: 4 });
    expect(cubic.value.item()).toBeCloseTo(20, 13);
    expect(cubic.error.item()).toBeLessThan(1e-13);
    expect(cubic.evaluations).toBe(6);
  });

  test("honest about what they cannot do: a kink, an end that x cannot resolve, a slow tail", () => {
    const kink = integrate((x) => abs(x.sub(0.3)), 0, 1, { order: 8 });
    expect(Math.abs(kink.value.item() - 0.29)).toBeGreaterThan(1e-9);
    expect(Math.abs(kink.value.item() - 0.29)).toBeLessThanOrEqual(kink.error.item());
    const root = integrate((x) => pow(sg.sub(1, x), -0.5), 0, 1, { order: 6 });
    expect(Math.abs(root.value.item() - 2)).toBeGreaterThan(1e-9);
    expect(Math.abs(root.value.item() - 2)).toBeLessThanOrEqual(root.error.item());
    const steep = integrate((x) => pow(x, -0.99), 0, 1, { order: 6 });
    expect(Math.abs(steep.value.item() - 100)).toBeLessThanOrEqual(steep.error.item());
  });
});

describe("ends", () => {
  const f = (x: Tensor): Tensor => exp(neg(x));

  test("reversed, equal, infinite on either side", () => {
    const at = (a: number, b: number, g = f): number => integrate(g, a, b).value.item();
    expect(at(1, 0)).toBeCloseTo(-(1 - Math.exp(-1)), 14);
    expect(at(0.5, 0.5)).toBe(0);
    expect(at(Infinity, 2)).toBeCloseTo(-Math.exp(-2), 14);
    expect(at(2, -Infinity, exp)).toBeCloseTo(-Math.exp(2), 12);
    expect(at(-Infinity, 2, exp)).toBeCloseTo(Math.exp(2), 12);
    expect(at(Infinity, -Infinity, (x) => exp(neg(square(x))))).toBeCloseTo(-Math.sqrt(Math.PI), 14);
  });

  test("tensors broadcast; values may have axes of their own in front", () => {
    const { value, error } = integrate(cos, t64([[0], [1]]), t64([1, 2, 3]));
    const want = [0, 1].map((a) => [1, 2, 3].map((b) => Math.sin(b) - Math.sin(a)));
    expectClose(value, want, 1e-15);
    expect(error.shape).toEqual([2, 3]);
    const powers = integrate((x) => pow(x, t64([[0], [1], [2]])), 0, 2);
    expectClose(powers.value, [2, 2, 8 / 3], 1e-15);
    const both = integrate((x) => mul(t64([[[1]], [[2]]]), x), t64([0, 1]), 2);
    expectClose(
      both.value,
      [
        [2, 1.5],
        [4, 3],
      ],
      1e-15,
    );
    expectClose(integrate(() => 3, t64([0, 1]), 2).value, [6, 3], 1e-15);
    expectClose(integrate(f, t64([0, 1]), Infinity).value, [1, Math.exp(-1)], 1e-15);
  });

  test("distances are x − a and b − x, infinite where the end is", () => {
    const seen = (a: number, b: number): number[] => {
      const out: number[] = [];
      integrate(
        (x, d) => {
          const i = Math.floor(x.size / 3);
          out.push(...[x, d.toA, d.toB].map((t) => (t.size === 1 ? t.item() : t.reshape([x.size]).at(i).item())));
          return x;
        },
        a,
        b,
        { order: 4 },
      );
      return out.slice(0, 3);
    };
    const [x, toA, toB] = seen(1, 3) as [number, number, number];
    expect(toA).toBeCloseTo(x - 1, 14);
    expect(toB).toBeCloseTo(3 - x, 14);
    const [y, up, inf] = seen(1, Infinity) as [number, number, number];
    expect(up).toBeCloseTo(y - 1, 14);
    expect(inf).toBe(Infinity);
    const [z, minus, down] = seen(-Infinity, 1) as [number, number, number];
    expect(down).toBeCloseTo(1 - z, 14);
    expect(minus).toBe(Infinity);
  });
});

describe("derivatives", () => {
  // ∫ exp(−c x) over [a, b] = (exp(−ca) − exp(−cb))/c
  const f = (p: { a: Tensor; b: Tensor; c: Tensor }): Tensor => integrate((x) => exp(neg(mul(p.c, x))), p.a, p.b).value;
  const at = { a: t64(0.3), b: t64(2), c: t64(1.7) };
  const [ea, eb] = [Math.exp(-1.7 * 0.3), Math.exp(-1.7 * 2)];

  test("in the ends and in what f captures", () => {
    const g = grad(f)(at);
    expect(g.a.item()).toBeCloseTo(-ea, 14);
    expect(g.b.item()).toBeCloseTo(eb, 14);
    expect(g.c.item()).toBeCloseTo((-0.3 * ea + 2 * eb) / 1.7 - (ea - eb) / 1.7 ** 2, 14);
  });

  test("of second order", () => {
    const h = hessian(f)(at) as unknown as Record<string, Record<string, Tensor>>;
    expect(h["a"]?.["a"]?.item()).toBeCloseTo(1.7 * ea, 13);
    expect(h["b"]?.["b"]?.item()).toBeCloseTo(-1.7 * eb, 13);
    expect(h["a"]?.["b"]?.item()).toBeCloseTo(0, 13);
    expect(h["c"]?.["b"]?.item()).toBeCloseTo(-2 * eb, 13);
  });

  test("under an infinite end, and of a parameter of a singularity", () => {
    // Γ(s) = ∫ x^(s−1) e^(−x), Γ′(1) = −γ; ∫ x^(s−1) over [0, 1] = 1/s.
    const gamma = (s: Tensor): Tensor => integrate((x) => mul(pow(x, s.sub(1)), exp(neg(x))), 0, Infinity).value;
    expect(grad(gamma)(t64(1)).item()).toBeCloseTo(-0.5772156649015329, 12);
    const power = (s: Tensor): Tensor => integrate((x) => pow(x, s.sub(1)), 0, 1).value;
    expect(grad(power)(t64(0.5)).item()).toBeCloseTo(-4, 12);
    const tail = (a: Tensor): Tensor => integrate((x) => exp(neg(x)), a, Infinity).value;
    expect(grad(tail)(t64(0.7)).item()).toBeCloseTo(-Math.exp(-0.7), 14);
  });

  test("the error has none", () => {
    expect(grad((c: Tensor) => integrate((x) => mul(c, x), 0, 1).error)(t64(1)).item()).toBe(0);
  });
});

describe("inside traces", () => {
  const f = (c: Tensor): Tensor => integrate((x) => exp(neg(mul(c, x))), 0, Infinity).value;

  test("vmap and compile, with gradients", () => {
    const c = t64([0.5, 1, 4]);
    expectClose(vmap(f)(c), [2, 1, 0.25], 1e-14);
    expectClose(vmap(grad(f))(c), [-4, -1, -1 / 16], 1e-14);
    expectClose(compile(f)(t64(2)), [0.5], 1e-15);
    expectClose(compile(grad(f))(t64(2)), [-0.25], 1e-14);
    expectClose(
      vmap((b: Tensor) => integrate(cos, 0, b, { method: "gauss" }).value)(t64([1, 2])),
      [Math.sin(1), Math.sin(2)],
      1e-15,
    );
  });

  test("nodes where f is not finite are left out there too, without NaN in gradients", () => {
    const bose = (c: Tensor): Tensor => integrate((x) => mul(c, div(pow(x, 3), exp(x).sub(1))), 0, Infinity).value;
    const want = golden.integrals["Bose"] as number;
    expectClose(compile(bose)(t64(2)), [2 * want], 1e-14);
    expectClose(compile(grad(bose))(t64(2)), [want], 1e-14);
    expectClose(grad(bose)(t64(2)), [want], 1e-14);
  });

  test("a rule that does not meet the tolerance throws when it is read", () => {
    const kink = compile((c: Tensor) => integrate((x) => abs(x.sub(c)), 0, 1).value);
    expect(message(() => kink(t64(0.3)).item())).toBe(
      "integrate: got an estimated error above the tolerance of 1e-10 after 1346 evaluations in a trace, expected a smaller one; an order above 6, a larger tolerance, or a call outside the trace, which tries finer rules.",
    );
    const asked = compile((c: Tensor) => integrate((x) => abs(x.sub(c)), 0, 1, { order: 8 }).value);
    expect(asked(t64(0.3)).item()).toBeCloseTo(0.29, 5);
  });
});

describe("dtypes", () => {
  test("float64 nodes for bare ends, those of tensor ends, or as told", () => {
    expect(integrate(exp, 0, 1).value.dtype).toBe("float64");
    const single = integrate(exp, tensor(0), 1);
    expect(single.value.dtype).toBe("float32");
    expect(Math.abs(single.value.item() - (Math.E - 1))).toBeLessThanOrEqual(single.error.item());
    expect(integrate(exp, 0, 1, { dtype: "float32" }).value.dtype).toBe("float32");
    expect(integrate(exp, tensor(0), tensor(1, { dtype: "float64" })).value.dtype).toBe("float64");
    expect(integrate(exp, tensor(0, { dtype: "int32" }), 1).value.dtype).toBe("float32");
  });

  test.each(["inverse root at 0", "logarithm", "Cauchy over the line", "Gamma(1/2)", "Bose", "Runge"])(
    "%s in float32",
    (name) => {
      const { f, from, to } = classics[name] as (typeof classics)[string];
      const { value, error } = integrate(f, from, to, { dtype: "float32" });
      const off = Math.abs(value.item() - (golden.integrals[name] as number));
      expect(off).toBeLessThanOrEqual(error.item());
      expect(off).toBeLessThanOrEqual(2e-5);
    },
  );
});

describe("errors", () => {
  const advice =
    "one integral up to each kink or singular point, f(x, distance) for one at an end that is not 0, a larger tolerance, or an order, which takes one rule whatever its error; or it diverges";
  test.each<[string, () => unknown, string]>([
    [
      "divergence",
      () => integrate(reciprocal, 0, 1),
      `integrate: got an estimated error of 299 of 299 after 21343 evaluations, expected at most 2.99e-8, 1e-10 of ∫ |f|; ${advice}.`,
    ],
    [
      "values that are not finite",
      () => integrate(log, -1, 1),
      "integrate: got f = NaN at x = -0.9999999999999996, expected finite values between the ends; an integral up to each singular point, with the points as ends.",
    ],
    [
      "values of another shape",
      () => integrate((x) => x.reshape([-1, 1]), 0, 1),
      "integrate: got values [169, 1] of f at nodes [169], expected a last axis of 169, one value for each node, or one number; f(x) element by element, with axes of its own in front.",
    ],
    [
      "a method",
      () => integrate(exp, 0, 1, { method: "simpson" as "gauss" }),
      'integrate: got method "simpson", expected "tanhSinh" or "gauss".',
    ],
    [
      "Gauss to infinity",
      () => integrate(exp, 0, Infinity, { method: "gauss" }),
      'integrate: got an infinite end and method "gauss", expected finite ends; "tanhSinh".',
    ],
    [
      "a tolerance",
      () => integrate(exp, 0, 1, { tolerance: 0 }),
      "integrate: got tolerance 0, expected a positive number.",
    ],
    [
      "an order",
      () => integrate(exp, 0, 1, { order: 3 }),
      'integrate: got order 3 of "tanhSinh", expected a whole number from 4 to 12.',
    ],
    [
      "equal infinities",
      () => integrate(exp, Infinity, Infinity),
      "integrate: got both ends Infinity, expected two different ends.",
    ],
    [
      "NaN",
      () => integrate(exp, NaN, 1),
      "integrate: got ends [NaN], expected numbers, all of them finite or all the same infinity.",
    ],
    [
      "mixed ends",
      () => integrate(exp, t64([0, -Infinity]), 1),
      "integrate: got ends [0,-Infinity], expected numbers, all of them finite or all the same infinity.",
    ],
  ])("%s", (_what, body, text) => {
    expect(message(body)).toBe(text);
  });

  test("slow oscillation to infinity is refused", () => {
    expect(message(() => integrate((x) => div(sin(x), x), 0, Infinity))).toMatch(
      /^integrate: got an estimated error of /,
    );
    expect(message(() => integrate((x) => add(sin(x), 0), 0, Infinity))).toMatch(/^integrate: got /);
  });
});
