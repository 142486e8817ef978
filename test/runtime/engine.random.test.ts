import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { allocate, type DType, isFloat } from "../../src/base/dtype.js";
import { sizeOf } from "../../src/base/shape.js";
import { simplified } from "../../src/control/simplify.js";
import { placeholder, type Tensor } from "../../src/graph/tensor.js";
import { ancestors } from "../../src/graph/walk.js";
import { grad } from "../../src/index.js";
import { dense, type NDArray } from "../../src/kernel/ndarray.js";
import { dice } from "../primitives/draw.js";
import * as small from "../transforms/programs.js";
import { type ArrayProgram, argumentsOf, arrayPrograms, lossOf, results } from "./arrayPrograms.js";
import { type Count, compare } from "./forced.js";

/** Random graphs: the engine computes what the reference interpreter computes, whole numbers and bits exactly. */

const full = process.env["CHECK_FULL"] === "1";
const patience = full ? 3_600_000 : 60_000;
const count: Count = { decided: 0, forced: 0, graphs: 0 };
const seen = new Set<string>();

function numbersOf(type: { shape: readonly number[]; dtype: DType }, roll: () => number): NDArray {
  const { shape, dtype } = type;
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++)
    data[i] = isFloat(dtype)
      ? 2 * roll() - 1
      : dtype === "bool"
        ? Number(roll() < 0.5)
        : Math.floor((roll() - 0.3) * 2 ** 31);
  return dense(data, dtype, [...shape]);
}

function checkArrays(program: ArrayProgram, of: (program: ArrayProgram, holes: readonly Tensor[]) => Tensor[]): void {
  const types = argumentsOf(program);
  const holes = types.map((type, i) => placeholder({ ...type, shape: [...type.shape] }, `x${i}`));
  const roll = dice(program.seed);
  const outputs = of(program, holes);
  for (const node of ancestors(outputs)) if (node.primitive) seen.add(node.primitive.name);
  compare(
    simplified(outputs),
    holes,
    types.map((type) => numbersOf(type, roll)),
    count,
  );
}

/** The last result, and every second one before it: some results are stored, some only passed on. */
const values = (program: ArrayProgram, holes: readonly Tensor[]): Tensor[] =>
  results(program, holes).filter((_, i, all) => (all.length - 1 - i) % 2 === 0);

const gradients = (program: ArrayProgram, holes: readonly Tensor[]): Tensor[] => {
  const [x, y, ...rest] = holes as [Tensor, Tensor, ...Tensor[]];
  const { a, b } = grad((p: { a: Tensor; b: Tensor }) => lossOf(program, [p.a, p.b, ...rest]))({ a: x, b: y }) as {
    a: Tensor;
    b: Tensor;
  };
  return [a, b];
};

test(
  "arrays of every dtype, around strips, rows and tiles: values",
  () => {
    fc.assert(
      fc.property(arrayPrograms, (program) => checkArrays(program, values)),
      { numRuns: full ? 5000 : 90, seed: 1 },
    );
  },
  patience,
);

test(
  "arrays of every dtype: gradients",
  () => {
    fc.assert(
      fc.property(arrayPrograms, (program) => checkArrays(program, gradients)),
      { numRuns: full ? 2500 : 45, seed: 2 },
    );
  },
  patience,
);

test(
  "small arrays and every operation there is: values and gradients together",
  () => {
    fc.assert(
      fc.property(small.programs, fc.boolean(), (program, single) => {
        const dtype = single ? "float32" : "float64";
        const { x, y } = small.at(program, program.point);
        const holes = [x, y].map(({ shape }, i) => placeholder({ shape, dtype }, `x${i}`)) as [Tensor, Tensor];
        const loss = (q: small.Point): Tensor => small.lossOf(program, q);
        const point = { x: holes[0], y: holes[1] };
        const slope = grad(loss)(point) as small.Point;
        const outputs = simplified([small.run(program, point), slope.x, slope.y]);
        for (const node of ancestors(outputs)) if (node.primitive) seen.add(node.primitive.name);
        const given = [x, y].map(({ shape, value }) => {
          const data = allocate(dtype, sizeOf(shape));
          data.set((value as NDArray).data);
          return dense(data, dtype, shape);
        });
        compare(outputs, holes, given, count);
      }),
      { numRuns: full ? 2500 : 60, seed: 3 },
    );
  },
  patience,
);

test("few decisions were forced", () => {
  expect(count.graphs).toBeGreaterThan(150);
  // Less than one in a hundred thousand, and the one that bad luck may bring.
  expect(count.forced).toBeLessThanOrEqual(1 + 1e-5 * count.decided);
});

afterAll(() => {
  if (full)
    console.log(`${count.graphs} graphs, ${count.forced} of ${count.decided} decisions forced; ${[...seen].sort()}`);
});
