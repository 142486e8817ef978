import { describe, expect, test } from "vitest";
import {
  cond,
  expectation,
  external,
  Normal,
  type ScanOptions,
  sample,
  scan,
  type Tensor,
  tensor,
  type WhileOptions,
  whileLoop,
} from "../../src/index.js";
import { message } from "../runtime/message.js";

/** Exact words for everything that can be misused. Casts stand for JavaScript, which has no types. */

const xs = tensor([1, 2, 3]);
const f64 = { dtype: "float64" } as const;
type Tree = { [name: string]: Tensor };
const keep = (c: unknown): [never, null] => [c as never, null];

describe("scan: the carry after the step", () => {
  const step = (next: (c: Tree) => unknown, init: unknown) => (): unknown =>
    scan((c: unknown) => [next(c as Tree) as never, null], init, xs);
  const pair = { a: [tensor(1), tensor(2)] };

  test.each([
    [
      "another structure",
      step(({ a }) => ({ b: a }), { a: xs }),
      "scan: got the carry after the step of another structure, expected the tree of the carry before it.",
    ],
    [
      "another order of keys",
      step(({ a, b }) => ({ b, a }), { a: xs, b: xs }),
      "scan: got the carry after the step of another structure, expected the tree of the carry before it.",
    ],
    [
      "another shape, deep in a tree",
      step(({ a }) => ({ a: [(a as unknown as Tensor[])[0], xs] }), pair),
      "scan: got the carry after the step.a[1] float32[3], expected float32[].",
    ],
    [
      "another dtype",
      step(({ n }) => ({ n: (n as Tensor).toDType("float64") }), { n: xs }),
      'scan: got the carry after the step.n float64[3], expected float32[3]; x.toDType("float32") there, or the carry before it in float64.',
    ],
    [
      "a number that meets float64",
      () => scan((c: Tensor, x: Tensor) => [c.add(x), null], 0, tensor([1, 2], f64)),
      'scan: got the carry after the step float64[], expected float32[]; x.toDType("float32") there, or the carry before it in float64.',
    ],
  ])("%s", (_, body, text) => {
    expect(message(body)).toBe(text);
  });
});

describe("scan: rows and length", () => {
  const over = (rows: unknown, options?: unknown) => message(() => scan(keep, tensor(0), rows, options as ScanOptions));

  test.each([
    [
      "rows that differ in number",
      { u: xs, v: [tensor([1, 2])] },
      {},
      "scan: got xs.v[0] of shape [2], expected 3 rows.",
    ],
    ["rows and another length", xs, { length: 4 }, "scan: got xs of shape [3], expected 4 rows."],
    ["no rows and no length", null, {}, "scan: got no rows and no length, expected xs with an axis 0, or { length }."],
    ["an empty tree of rows", {}, {}, "scan: got no rows and no length, expected xs with an axis 0, or { length }."],
    [
      "a scalar",
      { a: [tensor(3)] },
      {},
      "scan: got xs.a[0] of shape [], expected an axis 0 to go along; capture it instead.",
    ],
    ["a number", 3, {}, "scan: got xs of shape [], expected an axis 0 to go along; capture it instead."],
    ["a negative length", null, { length: -1 }, "scan: got length -1, expected a whole number of at least 0."],
    ["half a step", null, { length: 1.5 }, "scan: got length 1.5, expected a whole number of at least 0."],
    ["no number", null, { length: Number.NaN }, "scan: got length NaN, expected a whole number of at least 0."],
    [
      "no end",
      null,
      { length: Number.POSITIVE_INFINITY },
      "scan: got length Infinity, expected a whole number of at least 0.",
    ],
    [
      "residuals there are not",
      xs,
      { residuals: "none" },
      'scan: got residuals "none", expected "auto", "save" or "recompute".',
    ],
  ])("%s", (_, rows, options, text) => {
    expect(over(rows, options)).toBe(text);
  });
});

test.each([
  ["the carry alone", (c: Tensor) => c],
  ["one thing", (c: Tensor) => [c]],
  ["three things", (c: Tensor) => [c, c, c]],
  ["nothing", () => undefined],
])("scan: a step that returns %s", (_, step) => {
  expect(message(() => scan(step as never, tensor(0), xs))).toBe(
    "scan: got a step that does not return two things, expected [carry, y], y may be null.",
  );
});

test("scan: a step that is async", () => {
  expect(message(() => scan((async (c: Tensor) => [c, null]) as never, tensor(0), xs))).toBe(
    "scan: got a Promise from the program, expected a value: a program is traced once and must be synchronous; gather what is awaited first and pass it in data, or record draws outside and pass them as given.",
  );
});

test("scan: an output that is no tree of tensors names its path", () => {
  expect(message(() => scan((c: Tensor) => [c, { a: [c, "b"] }], tensor(0), xs))).toBe(
    'scan: got a[1] = "b", expected a tensor, number, typed array, (nested) array of numbers, or an object or array of those.',
  );
});

describe("cond", () => {
  const same = (x: Tensor): Tensor => x;

  test.each([
    [
      "a number that is no bool",
      tensor(1),
      "cond: got a condition float32[], expected one bool; x.greater(0) or x.notEqual(0).",
    ],
    [
      "many bools",
      tensor([true, false]),
      "cond: got a condition bool[2], expected one bool; where(mask, a, b) to choose element by element.",
    ],
    [
      "none",
      tensor(new Uint8Array(0), { dtype: "bool" }),
      "cond: got a condition bool[0], expected one bool; where(mask, a, b) to choose element by element.",
    ],
  ])("a condition: %s", (_, condition, text) => {
    expect(message(() => cond(condition, same, same, xs))).toBe(text);
  });

  test.each([
    [
      "structures",
      (x: Tensor) => [x],
      (x: Tensor) => ({ a: x }),
      "cond: got the second branch's result of another structure, expected the tree of the first branch's.",
    ],
    [
      "shapes",
      (x: Tensor) => ({ a: x }),
      (x: Tensor) => ({ a: x.sum() }),
      "cond: got the second branch's result.a float32[], expected float32[3].",
    ],
    [
      "dtypes",
      (x: Tensor) => [x],
      (x: Tensor) => [x.greater(0)],
      "cond: got the second branch's result[0] bool[3], expected float32[3]; x.toDType(\"float32\") there, or the first branch's in bool.",
    ],
    [
      "nothing",
      () => null,
      () => null,
      "cond: got a value null, expected a tensor, number, typed array, (nested) array of numbers, or an object or array of those.",
    ],
  ])("branches that differ: %s", (_, yes, no, text) => {
    expect(message(() => cond(true, yes as never, no as never, xs))).toBe(text);
  });

  test("a value of one branch read in the other, and an argument read in a branch", () => {
    let leaked = xs;
    const mixed = cond(
      xs.at(0).less(0),
      (x: Tensor) => {
        leaked = x.mul(2);
        return x;
      },
      () => leaked,
      xs,
    ) as Tensor;
    const sentence = /^read: "argument 0" is a placeholder: inside .* there are no numbers yet; /;
    expect(message(() => mixed.toArray())).toMatch(sentence);
    expect(message(() => cond(true, (x: Tensor) => x.mul(x.sum().item()), same, xs))).toMatch(sentence);
  });
});

describe("a black box with a state inside a body", () => {
  const box = (x: Tensor): Tensor => external(() => [1], [x], { shape: [] });
  const text = (where: string): string =>
    `${where}: an external function with a state was called inside; the graph cannot keep its calls in order; external(f, { pure: true }) if it has no state, or a JavaScript loop around it.`;

  test.each([
    ["scan", () => scan((c: Tensor, x: Tensor) => [c.add(box(x)), null], tensor(0), xs)],
    ["cond", () => cond(true, box, (x: Tensor) => x.sum(), xs)],
    ["whileLoop", () => whileLoop((x: Tensor) => x.less(3), box, tensor(1), { limit: 3 })],
    [
      "whileLoop",
      () =>
        whileLoop(
          (x: Tensor) => box(x).less(3),
          (x: Tensor) => x,
          tensor(1),
          { limit: 3 },
        ),
    ],
  ])("%s", (where, body) => {
    expect(message(body)).toBe(text(where));
  });

  test("a pure one may be", () => {
    const twice = (x: Tensor): Tensor => external((v) => [2 * (v.data[0] as number)], [x], { shape: [], pure: true });
    const [sum] = scan((c: Tensor, x: Tensor) => [c.add(twice(x)), null], tensor(0), xs);
    expect(sum.item()).toBe(12);
  });
});

describe("whileLoop", () => {
  const step = (x: Tensor): Tensor => x.add(1);
  const run = (test: unknown, next: unknown, init: unknown, options: unknown) => (): unknown =>
    whileLoop(test as (x: unknown) => Tensor, next as never, init, options as WhileOptions);
  const small = (x: Tensor): Tensor => x.less(3);

  test.each([
    [
      "no options",
      run(small, step, tensor(1), undefined),
      "whileLoop: got limit undefined, expected a whole number of at least 0.",
    ],
    [
      "no limit",
      run(small, step, tensor(1), {}),
      "whileLoop: got limit undefined, expected a whole number of at least 0.",
    ],
    [
      "a negative limit",
      run(small, step, tensor(1), { limit: -1 }),
      "whileLoop: got limit -1, expected a whole number of at least 0.",
    ],
    [
      "an onLimit there is not",
      run(small, step, tensor(1), { limit: 1, onLimit: "end" }),
      'whileLoop: got onLimit "end", expected "throw" or "stop".',
    ],
    ["a test of many", run(small, step, xs, { limit: 1 }), "whileLoop: got a test bool[3], expected one bool."],
    [
      "a test that is a number",
      run((x: Tensor) => x, step, tensor(1), { limit: 1 }),
      "whileLoop: got a test float32[], expected one bool.",
    ],
    [
      "another shape",
      run(
        (s: Tree) => small((s["a"] as Tensor).sum()),
        (s: Tree) => ({ a: (s["a"] as Tensor).sum() }),
        { a: xs },
        { limit: 1 },
      ),
      "whileLoop: got the state after the step.a float32[], expected float32[3].",
    ],
    [
      "another structure",
      run(
        (s: Tree) => small((s["a"] as Tensor).sum()),
        (s: Tree) => s["a"],
        { a: xs },
        { limit: 1 },
      ),
      "whileLoop: got the state after the step of another structure, expected the tree of the state before it.",
    ],
  ])("%s", (_, body, text) => {
    expect(message(body)).toBe(text);
  });

  test("a test that reads its state", () => {
    expect(message(run((x: Tensor) => x.item() < 3, step, tensor(1), { limit: 3 }))).toMatch(
      /^read: "state" is a placeholder: inside .* there are no numbers yet; /,
    );
  });
});

describe("random choices", () => {
  const draw = (p: Tensor): Tensor => sample(Normal({ loc: p, scale: 1 }), { name: "z" }) as Tensor;

  test("in a body of a dynamic program", () => {
    const text =
      'sample "z": a dynamic program draws while it runs, and the step of a scan or the branch of a cond is traced once; a JavaScript loop or if, or expectation(f) without dynamic.';
    const loop = (p: Tensor): Tensor =>
      scan((c: Tensor) => [c.add(draw(p)), null], tensor(0), null, { length: 2 })[0] as Tensor;
    const branch = (p: Tensor): Tensor =>
      cond(
        true,
        () => draw(p),
        () => tensor(0),
      ) as Tensor;
    for (const f of [loop, branch]) {
      const E = expectation(f, { dynamic: true, samples: 2 });
      expect(message(() => E.valueAndGrad(tensor(1), { key: 0 }))).toBe(text);
    }
  });

  test("in a loop outside an expectation", () => {
    const outside = message(() => draw(tensor(0)));
    expect(outside).not.toBe("no error");
    expect(message(() => scan((c: Tensor) => [c.add(draw(c)), null], tensor(0), null, { length: 2 }))).toBe(outside);
  });
});
