import fc from "fast-check";
import * as sg from "../../src/index.js";
import { type Tensor, tensor } from "../../src/index.js";
import { arrayCalls } from "./arrayCalls.js";
import { Choices, call, type Made, type Operation } from "./calls.js";
import { placeCalls } from "./placeCalls.js";
import { pointwiseCalls } from "./pointwiseCalls.js";
import { structureCalls } from "./structureCalls.js";

/**
 * Random programs of two arguments: a list of steps, each an operation on earlier results. Every step is legal for whatever it meets,
 * so that any list is a program and a failing one shrinks; it prints as code.
 */
export interface Program {
  readonly shapes: readonly [readonly number[], readonly number[]];
  /** Where it is evaluated: enough numbers for both arguments. */
  readonly point: readonly number[];
  readonly steps: readonly Step[];
}

interface Step {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly choices: number;
}

export interface Point {
  readonly x: Tensor;
  readonly y: Tensor;
}

export const operations: readonly Operation[] = [...pointwiseCalls, ...arrayCalls, ...placeCalls, ...structureCalls];
const shapes: readonly (readonly number[])[] = [
  [3],
  [],
  [1],
  [2],
  [4],
  [2, 3],
  [3, 2],
  [2, 2],
  [1, 3],
  [3, 1],
  [2, 1, 3],
  [2, 2, 2],
  [0],
  [2, 0],
  [0, 3],
];

const small = fc.nat({ max: 9999 });
const step = fc.record({ op: small, a: small, b: small, choices: fc.nat({ max: 1_000_000 }) });
const shape = fc.nat({ max: shapes.length - 1 }).map((i) => shapes[i] as readonly number[]);
const number = fc.integer({ min: -1500, max: 1500 });

/** Programs of up to seven steps, of which a share is an empty array. */
export const programs: fc.Arbitrary<Program> = fc
  .record({
    shapes: fc.tuple(shape, shape),
    point: fc.array(number, { minLength: 16, maxLength: 16 }).map((list) => list.map((n, i) => n / 1000 + i / 7919)),
    steps: fc.array(step, { minLength: 1, maxLength: 7 }),
  })
  .map((program) => Object.assign(program, { [fc.toStringMethod]: () => print(program) }));

const sizeOf = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** The number of numbers in both arguments. */
export const places = ({ shapes: [x, y] }: Program): number => sizeOf(x) + sizeOf(y);

/** The arguments made of a list of numbers, row-major. */
export function at({ shapes: [x, y] }: Program, numbers: readonly number[]): Point {
  const n = sizeOf(x);
  const make = (list: readonly number[], shape: readonly number[]): Tensor =>
    tensor([...list], { shape, dtype: "float64" });
  return { x: make(numbers.slice(0, n), x), y: make(numbers.slice(n, n + sizeOf(y)), y) };
}

/** Keeps results of a size and rank at which a Hessian is quick. */
function cut(x: Made): Made {
  const low = x.value.rank <= 3 && x.value.size <= 12 ? x : call("reshape", x, [x.value.size]);
  return low.value.size <= 12 ? low : call("slice", low, 0, 12);
}

/** The value of every step. `results` has those before an error too. */
function trace({ steps }: Program, { x, y }: Point, results: Made[] = []): Made[] {
  const pool: Made[] = [
    { value: x, code: "x" },
    { value: y, code: "y" },
  ];
  for (const { op, a, b, choices } of steps) {
    const operation = operations[op % operations.length] as Operation;
    // The newest result is the likeliest operand, so that programs get deep.
    const first = pool[a % 3 === 0 ? b % pool.length : pool.length - 1] as Made;
    // Between −1 and 1, where every operation is well conditioned.
    const made = call("tanh", cut(operation(first, pool[b % pool.length] as Made, new Choices(choices))));
    results.push(made);
    pool.push({ value: made.value, code: `t${results.length}` });
  }
  return results;
}

/** The result of the last step, of any shape. */
export function run(program: Program, point: Point): Tensor {
  return (trace(program, point).at(-1) as Made).value;
}

/** The same as one number, with every element weighted differently. */
export function lossOf(program: Program, point: Point): Tensor {
  const out = run(program, point);
  const weights = sg.arange(out.size, { dtype: "float64" }).mul(0.37).add(1).sin().reshape(out.shape);
  return out.mul(weights.toDType(out.dtype)).sum();
}

export const numbers = (t: Tensor): number[] => [t.toArray()].flat(9) as number[];

function print(program: Program): string {
  const { x, y } = at(program, program.point);
  const argument = (name: string, t: Tensor): string =>
    `const ${name} = tensor([${numbers(t).join(", ")}], { shape: [${t.shape}], dtype: "float64" });`;
  const results: Made[] = [];
  const last: string[] = [];
  try {
    trace(program, { x, y }, results);
  } catch (error) {
    last.push(`// the next step: ${error}`);
  }
  const lines = results.map(({ code }, i) => `const t${i + 1} = ${code};`);
  return ["", argument("x", x), argument("y", y), ...lines, ...last, ""].join("\n");
}
