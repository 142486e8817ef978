import fc from "fast-check";
import type { DType } from "../../src/base/dtype.js";
import type { Tensor } from "../../src/index.js";
import * as sg from "../../src/index.js";
import { Choices, call, flat, type Made } from "../transforms/calls.js";
import { isFloat, kinds, type Typed, typedCalls } from "./typedCalls.js";

/**
 * Random programs on arrays of every dtype and of the shapes at which loops over strips, rows and tiles go wrong. Every step is legal for
 * whatever it meets, so that failing programs shrink; they print as code.
 */
export interface ArrayProgram {
  readonly float: "float32" | "float64";
  readonly shapes: readonly [number, number, number];
  readonly seed: number;
  readonly steps: readonly { readonly op: number; readonly a: number; readonly b: number; readonly choices: number }[];
}

/** A strip is a power of two or a whole number of rows; 0, 1, and one more and one less. */
const shapes: readonly (readonly number[])[] = [
  [1024],
  [1023],
  [1025],
  [7, 147],
  [147, 7],
  [],
  [1],
  [0],
  [3, 0],
  [0, 4],
  [5],
  [2, 1, 513],
  [33, 31],
  [3, 4, 5],
  [2, 3, 1, 4],
  [1, 64],
  [65, 1],
  [2, 2047],
  [4, 16, 16],
];

/** Results are cut to so many elements. */
const most = 4500;

const small = fc.nat({ max: 9999 });
const shape = fc.nat({ max: shapes.length - 1 });
const step = fc.record({ op: small, a: small, b: small, choices: fc.nat({ max: 1_000_000 }) });

export const arrayPrograms: fc.Arbitrary<ArrayProgram> = fc
  .record({
    float: fc.constantFrom("float32" as const, "float64" as const),
    shapes: fc.tuple(shape, shape, shape),
    seed: fc.nat({ max: 1000 }),
    steps: fc.array(step, { minLength: 1, maxLength: 7 }),
  })
  .map((program) => Object.assign(program, { [fc.toStringMethod]: () => print(program) }));

/** dtypes of the arguments: two floats, whole numbers, bits, truth values. */
export function argumentsOf({ float, shapes: [x, y, z] }: ArrayProgram): { shape: readonly number[]; dtype: DType }[] {
  const at = (i: number): readonly number[] => shapes[i] as readonly number[];
  return [
    { shape: at(x), dtype: float },
    { shape: at(y), dtype: float },
    { shape: at(z), dtype: "int32" },
    { shape: at(z), dtype: "uint32" },
    { shape: at(y), dtype: "bool" },
  ];
}

function cut(x: Made, dtype: "float32" | "float64"): Made {
  const low = x.value.rank <= 4 ? x : flat(x);
  const part = low.value.size <= most ? low : call("slice", flat(low), 0, most);
  // Floats stay where every operation is well conditioned.
  return part.value.dtype === dtype || part.value.dtype === "float32"
    ? isFloat(part)
      ? call("tanh", part)
      : part
    : part;
}

/** The values of all steps. */
export function results(program: ArrayProgram, args: readonly Tensor[], made: Made[] = []): Tensor[] {
  const pool: Made[] = args.map((value, i) => ({ value, code: "xyiub"[i] as string }));
  const own = kinds(program.float);
  for (const { op, a, b, choices } of program.steps) {
    const first = pool[a % 3 === 0 ? b % pool.length : pool.length - 1] as Made;
    const operation = (typedCalls[op % typedCalls.length] as Typed)(own);
    const next = cut(operation(first, pool[(b >> 3) % pool.length] as Made, new Choices(choices)), program.float);
    made.push(next);
    pool.push({ value: next.value, code: `t${made.length}` });
  }
  return made.map(({ value }) => value);
}

/** One number of all steps with floats, every element weighted differently. */
export function lossOf(program: ArrayProgram, args: readonly Tensor[]): Tensor {
  const { float } = program;
  const terms = results(program, args)
    .filter(({ dtype, size }) => (dtype === "float32" || dtype === "float64") && size > 0)
    .map((t) => {
      const weights = sg.arange(t.size, { dtype: t.dtype }).mul(0.37).add(1).sin().reshape(t.shape);
      return t.mul(weights).mean().toDType(float);
    });
  return terms.reduce((a, b) => a.add(b), sg.zeros([], { dtype: float }));
}

function print(program: ArrayProgram): string {
  const args = argumentsOf(program);
  const made: Made[] = [];
  const end: string[] = [];
  try {
    results(
      program,
      args.map(({ shape, dtype }) => sg.zeros(shape, { dtype })),
      made,
    );
  } catch (error) {
    end.push(`// the next step: ${error}`);
  }
  return [
    "",
    ...args.map(({ shape, dtype }, i) => `const ${"xyiub"[i]} = … ${dtype} [${shape}], seed ${program.seed}`),
    ...made.map(({ code }, i) => `const t${i + 1} = ${code};`),
    ...end,
    "",
  ].join("\n");
}
