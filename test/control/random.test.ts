import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, cond, grad, jvp, logsumexp, matmul, scan, stack, type Tensor, vmap, where } from "../../src/index.js";
import { type Loop, near, numbers, type Params, unrolled, wave } from "./support.js";

/** Random loop bodies: whatever a step does, the scan is the JavaScript loop, with every derivative. */

const full = process.env["CHECK_FULL"] === "1";

/** On vectors [2] a and b with the weights w [2, 2]; loops inside use `loop` too. */
type Op = (a: Tensor, b: Tensor, w: Tensor, loop: Loop) => Tensor;

const operations: { readonly [name: string]: Op } = {
  add: (a, b) => a.add(b),
  mul: (a, b) => a.mul(b),
  sin: (a) => a.sin(),
  exp: (a, b) => a.tanh().exp().sub(b),
  divide: (a, b) => a.div(b.square().add(1)),
  matmul: (a, _b, w) => matmul(a.reshape([1, 2]), w).reshape([2]),
  outer: (a, b, w) => matmul(w, a.reshape([2, 1]).mul(b)).sum(0),
  mean: (a, b) => a.mean().mul(b),
  softmax: (a, b) => a.sub(logsumexp(a)).exp().mul(b),
  where: (a, b) => where(a.greater(b), a.mul(b), b.sin()),
  max: (a, b) => a.maximum(b),
  first: (a, b) => stack([a.at(1), b.at(0)]),
  lgamma: (a, b) => a.square().add(1.5).lgamma().add(b),
  pow: (a, b) => a.square().add(1).pow(b.tanh()),
  inner: (a, b, _w, loop) =>
    loop((c: Tensor, x: Tensor) => [c.mul(x).add(a).tanh(), null], b, stack([a, b]))[0] as Tensor,
  rows: (a, b, w, loop) =>
    (loop((c: Tensor, x: Tensor) => [c.add(x).sin(), c.mul(x)], a, w, { reverse: true })[1] as Tensor).sum(0).add(b),
  branch: (a, b) =>
    cond(
      a.sum().greater(b.sum()),
      (x: Tensor) => x.mul(a),
      (x: Tensor) => x.sub(a).cos(),
      b,
    ) as Tensor,
};
const names = Object.keys(operations);

interface Program {
  readonly steps: readonly { readonly op: number; readonly a: number; readonly b: number }[];
  readonly length: number;
  readonly reverse: boolean;
  readonly residuals: "auto" | "save" | "recompute";
  readonly phase: number;
}

const small = fc.nat({ max: 99 });
const programs: fc.Arbitrary<Program> = fc
  .record({
    steps: fc.array(fc.record({ op: small, a: small, b: small }), { minLength: 1, maxLength: 6 }),
    length: fc.integer({ min: 1, max: 7 }),
    reverse: fc.boolean(),
    residuals: fc.constantFrom("auto" as const, "save" as const, "recompute" as const),
    phase: fc.nat({ max: 20 }),
  })
  .map((p) =>
    Object.assign(p, {
      [fc.toStringMethod]: () =>
        `${p.steps.map(({ op, a, b }) => `${names[op % names.length]}(${a}, ${b})`).join("; ")} × ${p.length} ${p.residuals}${p.reverse ? " reverse" : ""} phase ${p.phase}`,
    }),
  );

const used = new Set<string>();

/** Two carries, rows, captured weights; the last value is the first carry, the one before it the second, another goes out. */
function loss({ steps, length, reverse, residuals }: Program, loop: Loop, p: Params): Tensor {
  const [w, k] = [p["w"] as Tensor, p["k"] as Tensor];
  const [[c, d], ys] = loop(
    ([c, d]: [Tensor, Tensor], x: Tensor, t: Tensor) => {
      const pool = [c, d, x, k, c.mul(t.toDType("float64").add(1).reciprocal())];
      for (const { op, a, b } of steps) {
        const name = names[op % names.length] as string;
        used.add(name);
        const pick = (i: number): Tensor => pool[i % 3 === 0 ? pool.length - 1 : i % pool.length] as Tensor;
        pool.push((operations[name] as Op)(pick(a), pick(b), w, loop).tanh());
      }
      return [[pool.at(-1) as Tensor, pool.at(-2) as Tensor], pool[steps.length % pool.length] as Tensor];
    },
    [p["c"] as Tensor, p["d"] as Tensor] as [Tensor, Tensor],
    (p["xs"] as Tensor).slice(0, length),
    { reverse, residuals },
  ) as unknown as [[Tensor, Tensor], Tensor];
  return c.sum().add(d.square().sum()).add(ys.sin().sum());
}

const pointOf = (phase: number): Params => ({
  c: wave([2], phase),
  d: wave([2], phase + 1),
  k: wave([2], phase + 2),
  w: wave([2, 2], phase + 3),
  xs: wave([7, 2], phase + 4),
});

test(
  "random bodies: value, gradient, Hessian-vector product, vmap, vmap of the gradient, compile",
  () => {
    fc.assert(
      fc.property(programs, (program) => {
        const [f, g] = [scan, unrolled].map((loop) => (p: Params) => loss(program, loop as Loop, p)) as [
          (p: Params) => Tensor,
          (p: Params) => Tensor,
        ];
        const [p, v] = [pointOf(program.phase), pointOf(31)];
        near(numbers(f(p)), numbers(g(p)));
        const slopes = numbers(grad(g)(p));
        near(numbers(grad(f)(p)), slopes, 1e-11);
        near(numbers(compile(grad(f) as (p: Params) => Params)(p)), slopes, 1e-11);
        const product = (h: (p: Params) => Tensor): number[] =>
          numbers(jvp(grad(h) as (p: Params) => Params, p, v).tangent);
        near(product(f), product(g), 1e-9);
        const points = [p, pointOf(program.phase + 0.5)];
        const mapped = Object.fromEntries(Object.keys(p).map((k) => [k, stack(points.map((q) => q[k] as Tensor))]));
        near(
          numbers(vmap(f)(mapped)),
          points.flatMap((q) => numbers(g(q))),
        );
        const lanes = points.map((q) => grad(g)(q) as Params);
        const together = Object.fromEntries(Object.keys(p).map((k) => [k, stack(lanes.map((q) => q[k] as Tensor))]));
        near(numbers(vmap(grad(f) as (p: Params) => Params)(mapped)), numbers(together), 1e-11);
      }),
      { numRuns: full ? 1000 : 60, seed: 3 },
    );
  },
  full ? 900_000 : 60_000,
);

test("they use every operation of the list", () => {
  expect(names.filter((name) => !used.has(name))).toEqual([]);
});
