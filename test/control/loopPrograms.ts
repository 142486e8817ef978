import { cond, matmul, sigmoid, type Tensor, tanh, tensor, where } from "../../src/index.js";
import { type Loop, type Params, wave } from "./support.js";

export type Float = "float32" | "float64";

/** A scalar program written with a loop; `scan` and the JavaScript loop must give it the same value and the same derivatives. */
export interface LoopProgram {
  readonly name: string;
  readonly params: (dtype: Float) => Params;
  readonly f: (loop: Loop, params: Params) => Tensor;
}

const get = (p: Params, name: string): Tensor => p[name] as Tensor;
const through = (h: Tensor, w: Tensor): Tensor => matmul(h.reshape([1, h.size]), w).reshape([w.shape[1] as number]);

/** A recurrent network: its weights are captured. */
const network: LoopProgram = {
  name: "recurrent network with captured weights",
  params: (dtype) => ({ h: wave([2], 1, dtype), w: wave([2, 2], 2, dtype), xs: wave([4, 2], 3, dtype) }),
  f: (loop, p) => {
    const [h, ys] = loop(
      (h: Tensor, x: Tensor) => {
        const next = tanh(through(h, get(p, "w")).add(x));
        return [next, next.mul(x).sum()];
      },
      get(p, "h"),
      get(p, "xs"),
    );
    return (h as Tensor)
      .square()
      .sum()
      .add((ys as Tensor).mul(wave([4], 5, get(p, "w").dtype as Float)).sum());
  },
};

/** Trees in every place; one carry of whole numbers; the step number used. */
const trees: LoopProgram = {
  name: "trees as carry, rows and outputs, a whole-number carry, the step number",
  params: (dtype) => ({
    a: wave([], 1, dtype),
    b: wave([2], 2, dtype),
    u: wave([3], 3, dtype),
    v: wave([3, 2], 4, dtype),
  }),
  f: (loop, p) => {
    type Carry = { a: Tensor; deep: [Tensor, { n: Tensor }] };
    const dtype = get(p, "a").dtype;
    const [carry, ys] = loop(
      ({ a, deep: [b, { n }] }: Carry, { u, v }: { u: Tensor; v: Tensor }, t: Tensor) => {
        const c: Tensor = a.mul(u).add(b.sum()).sin();
        const steps = n.add(t.toDType("int32")).toDType(dtype);
        return [
          { a: c, deep: [b.mul(v).add(a), { n: n.add(2) }] },
          { c: [c.mul(steps)], n },
        ];
      },
      { a: get(p, "a"), deep: [get(p, "b"), { n: tensor(1, { dtype: "int32" }) }] } as Carry,
      { u: get(p, "u"), v: get(p, "v") },
    );
    const { a, deep } = carry as unknown as Carry;
    const out = ys as unknown as { c: [Tensor]; n: Tensor };
    return a
      .add(deep[0].square().sum())
      .add(out.c[0].square().sum())
      .add(out.n.toDType(dtype).mul(out.c[0]).sum())
      .add(deep[1].n.toDType(dtype));
  },
};

const reversed: LoopProgram = {
  name: "from the last row, outputs beside their rows",
  params: (dtype) => ({ c: wave([2], 1, dtype), xs: wave([3, 2], 2, dtype) }),
  f: (loop, p) => {
    const [c, ys] = loop((c: Tensor, x: Tensor) => [c.mul(x).add(x.cos()), c.sub(x)], get(p, "c"), get(p, "xs"), {
      reverse: true,
    });
    return (c as Tensor).sum().add((ys as Tensor).mul(get(p, "xs")).square().sum());
  },
};

const rowless: LoopProgram = {
  name: "no rows: two carries change places",
  params: (dtype) => ({ a: wave([], 1, dtype), b: wave([], 2, dtype), k: wave([], 3, dtype) }),
  f: (loop, p) => {
    const [[a, b]] = loop(
      ([a, b]: [Tensor, Tensor]) => [[b.mul(get(p, "k")).sin(), a.add(b)], null],
      [get(p, "a"), get(p, "b")] as [Tensor, Tensor],
      null,
      { length: 5 },
    ) as unknown as [[Tensor, Tensor]];
    return a.mul(b);
  },
};

/** The inner loop captures the carry of the outer one, and the innermost both. */
const nested: LoopProgram = {
  name: "three loops in each other, each capturing the carries around it",
  params: (dtype) => ({ a: wave([], 1, dtype), w: wave([], 2, dtype), xs: wave([3], 3, dtype) }),
  f: (loop, p) => {
    const [a] = loop(
      (a: Tensor, x: Tensor) => {
        const [b, ys] = loop(
          (b: Tensor) => {
            const [c] = loop(
              (c: Tensor) => [
                c
                  .mul(a)
                  .add(b.mul(get(p, "w")))
                  .sin(),
                null,
              ],
              b.add(x),
              null,
              { length: 2 },
            );
            return [c as Tensor, (c as Tensor).mul(a)];
          },
          a.mul(x),
          null,
          { length: 2 },
        );
        return [(b as Tensor).add((ys as Tensor).sum()), null];
      },
      get(p, "a"),
      get(p, "xs"),
    );
    return (a as Tensor).square();
  },
};

const branching: LoopProgram = {
  name: "a loop in a branch in a loop",
  params: (dtype) => ({ a: wave([], 1, dtype), w: wave([2], 2, dtype), xs: wave([4], 3, dtype) }),
  f: (loop, p) => {
    const [a, ys] = loop(
      (a: Tensor, x: Tensor) => {
        const next = cond(
          x.greater(0),
          (a: Tensor) => loop((b: Tensor, w: Tensor) => [b.mul(w).sin().add(x), null], a, get(p, "w"))[0] as Tensor,
          (a: Tensor) => a.mul(x).add(get(p, "w").sum()),
          a,
        ) as Tensor;
        return [next, next.mul(a)];
      },
      get(p, "a"),
      get(p, "xs"),
    );
    return (a as Tensor).add((ys as Tensor).square().sum());
  },
};

/** Nothing is carried: the loop is a map; and one output is a constant. */
const carryless: LoopProgram = {
  name: "no carry: a map over rows",
  params: (dtype) => ({ w: wave([2], 1, dtype), xs: wave([3, 2], 2, dtype) }),
  f: (loop, p) => {
    const [, ys] = loop(
      (c: Record<string, never>, x: Tensor) => [c, [x.mul(get(p, "w")).sin(), get(p, "w").square(), x]],
      {} as Record<string, never>,
      get(p, "xs"),
    );
    const [a, b, c] = ys as unknown as [Tensor, Tensor, Tensor];
    return a.mul(b).add(c.square()).sum();
  },
};

/** One step; the carry forgets where it came from. */
const single: LoopProgram = {
  name: "one step, and a carry that is overwritten",
  params: (dtype) => ({ a: wave([2], 1, dtype), xs: wave([1, 2], 2, dtype) }),
  f: (loop, p) => {
    const [c, y] = loop((c: Tensor, x: Tensor) => [x.square(), c.mul(x)], get(p, "a"), get(p, "xs"));
    return (c as Tensor).sum().add((y as Tensor).square().sum());
  },
};

/** Operations whose derivatives need numbers that are not cheap: special functions, powers, contractions. */
const costly: LoopProgram = {
  name: "special functions and powers in the step",
  params: (dtype) => ({ a: wave([2], 1, dtype), k: wave([2], 2, dtype), xs: wave([3, 2], 3, dtype) }),
  f: (loop, p) => {
    const [a] = loop(
      (a: Tensor, x: Tensor) => {
        const positive = a.square().add(x.square()).add(1);
        return [
          positive
            .lgamma()
            .add(positive.pow(get(p, "k")))
            .mul(sigmoid(a))
            .tanh(),
          null,
        ];
      },
      get(p, "a"),
      get(p, "xs"),
    );
    return (a as Tensor).sum();
  },
};

/** A carry that some steps leave alone, by a mask that depends on the rows. */
const masked: LoopProgram = {
  name: "where between two carries",
  params: (dtype) => ({ a: wave([3], 1, dtype), xs: wave([4, 3], 2, dtype) }),
  f: (loop, p) => {
    const [a, ys] = loop(
      (a: Tensor, x: Tensor) => {
        const next = where(x.greater(0), a.mul(x).exp(), a);
        return [next, next.max()];
      },
      get(p, "a"),
      get(p, "xs"),
    );
    return (a as Tensor).sum().add((ys as Tensor).square().sum());
  },
};

export const loopPrograms: readonly LoopProgram[] = [
  network,
  trees,
  reversed,
  rowless,
  nested,
  branching,
  carryless,
  single,
  costly,
  masked,
];
