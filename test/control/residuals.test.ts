import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { primitives } from "../../src/control/index.js";
import type { ScanParams } from "../../src/control/loop.js";
import { cheap } from "../../src/control/residuals.js";
import { everyNode } from "../../src/graph/body.js";
import { currentRuntime, installRuntime } from "../../src/graph/trace.js";
import {
  cond,
  grad,
  hessian,
  jvp,
  matmul,
  polygamma,
  scan,
  type Tensor,
  tensor,
  valueAndGrad,
} from "../../src/index.js";
import { reference } from "../../src/runtime/reference.js";
import { near, numbers, type Params, wave } from "./support.js";

/** What a derivative keeps of every step, and what it costs. */

const full = process.env["CHECK_FULL"] === "1";
type Residuals = "auto" | "save" | "recompute";
const kinds: readonly Residuals[] = ["auto", "save", "recompute"];
type Step = (h: Tensor, x: Tensor, w: Tensor) => Tensor;

const bodies: { readonly [name: string]: Step } = {
  network: (h, x, w) =>
    matmul(h.reshape([1, 3]), w)
      .reshape([3])
      .add(x)
      .tanh(),
  chain: (h, x) => h.mul(x).sin().exp().mul(0.3).tanh().add(x.cos()).sigmoid(),
  product: (h, x, w) => matmul(matmul(w, h.reshape([3, 1])), x.reshape([1, 3])).mean(0),
};

const f64 = { dtype: "float64" } as const;
const pointOf = (length: number): Params => ({ h: wave([3], 1), w: wave([3, 3], 2), xs: wave([length, 3], 3) });

/** The loss, and the scan it was made of. */
function lossOf(step: Step, residuals: Residuals, reverse = false): { f: (p: Params) => Tensor; nodes: Tensor[] } {
  const nodes: Tensor[] = [];
  const f = (p: Params): Tensor => {
    const [h, ys] = scan(
      (h: Tensor, x: Tensor) => {
        const next = step(h, x, p["w"] as Tensor);
        return [next, next.mul(h)];
      },
      p["h"] as Tensor,
      p["xs"] as Tensor,
      { residuals, reverse },
    );
    nodes.push(...everyNode([h as Tensor, ys as Tensor]).filter((node) => node.primitive?.name === "scan"));
    return (h as Tensor)
      .square()
      .sum()
      .add((ys as Tensor).sum());
  };
  return { f, nodes };
}

/** Bytes of the stacked results that a derivative has asked a scan for, beside its own. */
function keptBytes(node: Tensor, own: number): number {
  const { parts, carries } = node.params as ScanParams;
  const sizes = parts.slice(carries + own).map(({ shape }) => 8 * shape.reduce((a, b) => a * b, 1));
  return sizes.reduce((a, b) => a + b, 0);
}

describe.each(Object.entries(bodies))("%s", (_, step) => {
  // Lengths that segments fill and lengths that they do not.
  test.each([1, 3, 4, 9, 10, 11, 16, 23])("the same derivatives, %i steps, both directions", (length) => {
    const [p, v] = [pointOf(length), Object.fromEntries(Object.entries(pointOf(length)).map(([k, x]) => [k, x.cos()]))];
    for (const reverse of [false, true]) {
      const [auto, ...others] = kinds.map((kind) => {
        const { f } = lossOf(step, kind, reverse);
        const product = jvp(grad(f) as (q: Params) => Params, p, v).tangent;
        return [...numbers(f(p)), ...numbers(grad(f)(p)), ...numbers(product)];
      }) as [number[], ...number[][]];
      for (const other of others) near(other, auto, 1e-13);
    }
  });

  test("auto keeps no more than save", () => {
    const [auto, save] = (["auto", "save"] as const).map((kind) => {
      const { f, nodes } = lossOf(step, kind);
      grad(f)(pointOf(12));
      return keptBytes(nodes[0] as Tensor, 1);
    }) as [number, number];
    expect(auto).toBeGreaterThan(0);
    expect(auto).toBeLessThanOrEqual(save);
  });
});

test("what is kept: of an elementwise chain the carry alone; of a network the carry and the product", () => {
  const kept = (name: string): number => {
    const { f, nodes } = lossOf(bodies[name] as Step, "auto");
    grad(f)(pointOf(12));
    return keptBytes(nodes[0] as Tensor, 1);
  };
  const row = 12 * 3 * 8;
  expect(kept("chain")).toBe(row);
  expect(kept("network")).toBe(2 * row);
});

test("recompute keeps the carry before every segment of √length steps", () => {
  const { f, nodes } = lossOf(bodies["network"] as Step, "recompute");
  grad(f)(pointOf(100));
  const outer = nodes.filter((node) => (node.params as ScanParams).residuals === "recompute");
  expect(outer.map((node) => (node.params as ScanParams).length)).toEqual([10]);
  expect(keptBytes(outer[0] as Tensor, 1)).toBe(10 * 3 * 8);
});

describe("differentiating one loop again does not ask it for the same numbers again", () => {
  const steps: { readonly [name: string]: (a: Tensor, k: Tensor) => Tensor } = {
    lgamma: (a, k) => a.square().add(k.square()).add(1).lgamma(),
    pow: (a, k) => a.square().add(1).pow(k),
    max: (a, k) => a.mul(k).maximum(a.sin()),
    nested: (a, k) => scan((b: Tensor) => [b.mul(k).sin(), null], a, null, { length: 2 })[0] as Tensor,
    branch: (a, k) =>
      cond(
        a.greater(k),
        (b: Tensor) => b.mul(k).lgamma(),
        (b: Tensor) => b.add(k).sin(),
        a,
      ) as Tensor,
  };
  // A Hessian over n leaves differentiates n² + 1 times.
  test.each(Object.entries(steps))("%s: a Hessian over a list of parameters", (_, step) => {
    const counts = [1, 2, 3, 4].map((n) => {
      const seen: Tensor[] = [];
      const h = hessian((ks: Tensor[]) => {
        const [a] = scan((a: Tensor) => [ks.reduce(step, a).tanh(), null], tensor(0.4, f64), null, { length: 3 });
        seen.push((a as Tensor).inputs[0] as Tensor);
        return a as Tensor;
      })(Array.from({ length: n }, (_, i) => tensor(0.5 + i / 10, f64)));
      expect(numbers(h).every(Number.isFinite)).toBe(true);
      return ((seen[0] as Tensor).parts as readonly unknown[]).length;
    }) as [number, number, number, number];
    // The step grows by the same for every parameter, and so does what is kept of it.
    expect(counts[3] - counts[2]).toBe(counts[2] - counts[1]);
  });

  test("a hundred gradients of one traced loop", () => {
    const x = tensor(0.7, f64);
    const seen: Tensor[] = [];
    const total = grad((k: Tensor) => {
      const [c] = scan((c: Tensor) => [c.square().add(k.square()).add(1).lgamma(), null], k, null, { length: 4 });
      seen.push((c as Tensor).inputs[0] as Tensor);
      let sum = c as Tensor;
      for (let i = 0; i < 100; i++) sum = sum.add(grad((w: Tensor) => (c as Tensor).mul(w))(k) as Tensor);
      return sum;
    })(x) as Tensor;
    // 101 times the derivative; in closed form by the chain rule.
    const slope = (k: number): number => {
      let [c, d] = [k, 1];
      for (let i = 0; i < 4; i++) {
        const z = c * c + k * k + 1;
        d = polygamma(0, tensor(z, f64)).item() * (2 * c * d + 2 * k);
        c = tensor(z, f64).lgamma().item();
      }
      return d;
    };
    near([total.item()], [101 * slope(0.7)], 1e-12);
    expect((seen[0] as Tensor).parts?.length).toBeLessThan(8);
  });
});

test.each([
  ["auto", 100_000],
  ["recompute", full ? 100_000 : 10_000],
] as const)("%s: value, gradient, Hessian-vector product of %i steps, in closed form", (kind, n) => {
  const f = (residuals: Residuals) => (k: Tensor) =>
    scan((c: Tensor) => [c.mul(k), null], tensor(1, f64), null, { length: n, residuals })[0] as Tensor;
  const k = 1 + 1e-6;
  const expected = [k ** n, n * k ** (n - 1), n * (n - 1) * k ** (n - 2)];
  const { value, grad: slope } = valueAndGrad(f(kind))(tensor(k, f64));
  const { tangent } = jvp(grad(f(kind)) as (x: Tensor) => Tensor, tensor(k, f64), tensor(1, f64));
  [value, slope as Tensor, tangent as Tensor].forEach((x, i) => {
    near([x.item() / (expected[i] as number)], [1], 1e-10);
  });
});

/** The most bytes of arrays alive at once while `body` runs, beyond those before it: collected and counted at every `every`-th step. */
function peak(every: number, body: () => void): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const live = (): number => {
    // Twice: the memory of the first round's buffers is given back concurrently, and the second waits for that.
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const current = currentRuntime();
  const before = live();
  let [most, calls] = [0, 0];
  installRuntime({
    // Whose kernels have the memory that is measured.
    ...reference,
    prepare: (outputs, inputs) => {
      const step = reference.prepare(outputs, inputs);
      return (values) => {
        if (++calls % every === 0) most = Math.max(most, live() - before);
        return step(values);
      };
    },
  });
  try {
    body();
  } finally {
    installRuntime(current);
  }
  return most;
}

test("memory of a gradient: proportional to the length when kept, to its root when computed again", () => {
  const [n, width] = [full ? 100_000 : 4_900, 256];
  const slope = (residuals: Residuals, length: number): void => {
    const f = (c: Tensor): Tensor =>
      (scan((x: Tensor) => [x.sin().mul(1.01), null], c, null, { length, residuals })[0] as Tensor).sum();
    numbers(grad(f)(wave([width])));
  };
  const row = 8 * width;
  const every = Math.ceil(n / 8) + 1;
  const kept = peak(every, () => slope("save", n));
  const again = peak(every, () => slope("recompute", n));
  if (full) console.log(`${n} steps of ${row} bytes: ${kept} bytes kept, ${again} when computed again`);
  expect(kept).toBeGreaterThan(0.9 * n * row);
  // √n carries, and a segment of √n steps with what its derivative keeps.
  expect(again).toBeLessThan(8 * Math.sqrt(n) * row);
});

test("what is cheap to compute again is named as it is in the catalogue", () => {
  const names = new Set(primitives.map(({ name }) => name));
  expect([...cheap].filter((name) => !names.has(name))).toEqual([]);
});
