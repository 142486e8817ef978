import { describe, expect, it } from "vitest";
import { adam, compile, grad, type Optimizer, sgd, type Tensor, tensor } from "../../src/index.js";
import { optimizers } from "../../src/optim/index.js";

/** f = ½ Σ c (x − goal)², minimum at the goal. */
interface Point {
  x: Tensor;
  rest: [Tensor];
}
const curvature = [3, 0.5];
const cost = ({ x, rest: [y] }: Point): Tensor =>
  x.sub([2, -1]).square().mul(curvature).sum().add(y.sub(4).square().sum()).mul(0.5);
const slope = grad(cost);

const start = (dtype: "float32" | "float64" = "float64"): Point => ({
  x: tensor([1, -2], { dtype }),
  rest: [tensor([[0.5]], { dtype })],
});

const numbers = (p: Point): number[] => [...(p.x.toArray() as number[]), ...(p.rest[0].toArray() as number[][]).flat()];

function steps(optimizer: Optimizer, count: number, from = start()): Point {
  let [params, state] = [from, optimizer.init<Point>(from)];
  for (let i = 0; i < count; i++) ({ params, state } = optimizer.update<Point>(slope(params), state, params));
  return params;
}

describe.each(optimizers.map((make, i) => ({ make, label: `${make(0.1).name} ${i}` })))("$label", ({ make }) => {
  it("minimises a quadratic", () => {
    const found = numbers(
      steps(
        make((step) => 0.1 / (1 + step / 400)),
        600,
      ),
    );
    for (const [i, goal] of [2, -1, 4].entries()) expect(found[i]).toBeCloseTo(goal, 4);
  });

  it("moves against the gradient first, and not where it is zero", () => {
    const first = numbers(steps(make(0.1), 1));
    expect(first[0]).toBeGreaterThan(1);
    expect(first[1]).toBeGreaterThan(-2);
    const optimizer = make(0.1);
    const still = optimizer.update<Tensor>(tensor([0, 0]), optimizer.init<Tensor>([1, 2]), [1, 2]);
    expect(still.params.toArray()).toEqual([1, 2]);
  });

  it("is pure, and leaves numbers behind instead of a graph", () => {
    const optimizer = make(0.1);
    const params = start();
    const state = optimizer.init<Point>(params);
    const once = optimizer.update<Point>(slope(params), state, params);
    const twice = optimizer.update<Point>(slope(params), state, params);
    expect(numbers(once.params)).toEqual(numbers(twice.params));
    expect(state.step.item()).toBe(0);
    expect(once.state.step.item()).toBe(1);
    const leaves = [once.params.x, once.state.step, ...once.state.averages.map((tree) => tree.rest[0])];
    for (const leaf of leaves) expect(leaf.inputs).toEqual([]);
  });

  it("does the same inside compile, schedule included", () => {
    const optimizer = make((step) => 0.1 / step);
    const step = compile((p: Point, s: ReturnType<typeof optimizer.init<Point>>) =>
      optimizer.update<Point>(slope(p), s, p),
    );
    let both = step(start(), optimizer.init<Point>(start()));
    for (let i = 1; i < 5; i++) both = step(both.params, both.state);
    expect(numbers(both.params)).toEqual(numbers(steps(optimizer, 5)));
  });

  it("keeps the dtype and is differentiable in what it starts from", () => {
    expect(steps(make(0.1), 1, start("float32")).x.dtype).toBe("float32");
    // θ′ = θ − step(g) with g held fixed: its derivative in θ is 1.
    const optimizer = make(0.1);
    const after = (theta: Tensor): Tensor =>
      optimizer.update<Tensor>(tensor([1, 2]), optimizer.init<Tensor>(theta), theta).params.sum();
    expect(grad(after)(tensor([3, 4])).toArray()).toEqual([1, 1]);
  });

  it("names a tree that does not fit", () => {
    const { name, init, update } = make(0.1);
    expect(() => update<Tensor>([1, 2, 3], init<Tensor>([1, 2]), [1, 2])).toThrow(
      `${name}: got grads with a leaf [3], expected [2], as in params.`,
    );
    expect(() => update<{ a?: Tensor }>({}, init<{ a?: Tensor }>({ a: tensor([1]) }), { a: [1] })).toThrow(
      `${name}: got grads of another structure, expected the tree of params.`,
    );
  });
});

/** Gradients 3·x and ½·x from [1, −2]; three steps computed by hand from the formulas, torch's in its order of operations. */
describe("first steps", () => {
  const walk = (optimizer: Optimizer): number[][] => {
    const f = grad((x: Tensor) => x.square().mul(curvature).sum().mul(0.5));
    let [params, state] = [
      tensor([1, -2], { dtype: "float64" }),
      optimizer.init<Tensor>(tensor([1, -2], { dtype: "float64" })),
    ];
    return [1, 2, 3].map(() => {
      ({ params, state } = optimizer.update<Tensor>(f(params), state, params));
      return params.toArray() as number[];
    });
  };
  const close = (found: number[][], expected: number[][]): void => {
    found.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(expected.flat()[i]!, 13);
    });
  };

  it("sgd", () => {
    close(walk(sgd({ learningRate: 0.1 })), [
      [0.7, -1.9],
      [0.49, -1.805],
      [0.343, -1.71475],
    ]);
  });

  it("sgd with momentum", () => {
    close(walk(sgd({ learningRate: 0.1, momentum: 0.9 })), [
      [0.7, -1.9],
      [0.22, -1.715],
      [-0.278, -1.46275],
    ]);
  });

  it("adam, as torch.optim.Adam", () => {
    close(walk(adam({ learningRate: 0.1 })), [
      [0.900000000333333, -1.900000001],
      [0.800412228351611, -1.800166487631876],
      [0.701586272426569, -1.700623394343411],
    ]);
  });
});
