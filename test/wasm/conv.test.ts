import { describe, expect, it } from "vitest";
import type { ConvSpec } from "../../src/kernel/convSpec.js";
import { Code, ModuleBuilder } from "../../src/wasm/encode.js";
import {
  across,
  anySpec,
  backward,
  type Draw,
  fewInputs,
  largeSpecs,
  layers,
  type Pass,
  randomly,
  type Side,
  summed,
} from "./convCases.js";
import { type Floats, machine, reference, sizesOf, total } from "./convRun.js";

const full = process.env["CHECK_FULL"] === "1";

/** Whether this engine knows relaxed SIMD. */
const relaxed = (() => {
  const code = new Code(["v128"], ["v128"]);
  code.get(0).get(0).get(0).op("f32x4.relaxed_madd");
  const builder = new ModuleBuilder();
  builder.add(code);
  return WebAssembly.validate(builder.bytes({ shared: false, pages: [1, 1] }));
})();

type Oracle = (input: ArrayLike<number>, kernel: ArrayLike<number>) => Float64Array;

/** Compared as one: element by element they would take most of the time. */
const bitsOf = (a: Floats): Buffer => Buffer.from(a.slice().buffer);

/**
 * Runs a convolution as one, two and three threads would: the numbers against the oracle's, the bits against each other, and that
 * nothing but the output, and all of it, is written.
 */
function check(
  pass: Partial<Pass> & { readonly spec: ConvSpec },
  dtype: "float32" | "float64",
  draw: Draw,
  oracle: Oracle,
): void {
  const { spec } = pass;
  const numerics = draw() < 0.7 ? "exact" : "fast";
  const lengths = pass.lengths ?? sizesOf(spec);
  const mark = draw() < 0.5 ? 0xa5 : 0xff;
  const m = machine(
    { ...spec, dtype, numerics, relaxed, ...(pass.strides && { strides: pass.strides }) },
    3,
    lengths,
    mark,
  );
  for (const a of [m.input, m.weights]) for (let i = 0; i < a.length; i++) a[i] = 2 * draw() - 1;
  const expected = oracle(m.input, m.weights);
  const size = oracle(m.input.map(Math.abs), m.weights.map(Math.abs));
  const bound = (spec.channels * total(spec.window) + 2) * (dtype === "float32" ? 2 ** -24 : 2 ** -53);
  const before = [bitsOf(m.input), bitsOf(m.weights)];
  let first: Buffer | null = null;
  for (const threads of [1, 2, 3]) {
    m.output.fill(Number.NaN);
    m.go(threads);
    const wrong = m.output.findIndex((value, i) => {
      // Summing n products in any order is off by at most about n units of the sum of their magnitudes.
      return !(Math.abs(value - (expected[i] as number)) <= bound * (size[i] as number));
    });
    expect(wrong, `element ${wrong} of ${JSON.stringify({ dtype, threads, ...pass })}`).toBe(-1);
    first ??= bitsOf(m.output);
    expect(bitsOf(m.output).equals(first), `bits with ${threads} threads: ${JSON.stringify(pass)}`).toBe(true);
  }
  expect(m.intact(), `written outside: ${JSON.stringify(pass)}`).toBe(true);
  const kept = [m.input, m.weights].every((a, k) => bitsOf(a).equals(before[k] as Buffer));
  expect(kept, `operands changed: ${JSON.stringify(pass)}`).toBe(true);
}

const kernelLoop =
  (spec: ConvSpec): Oracle =>
  (input, kernel) =>
    reference(spec, input, kernel);

const definition =
  (spec: ConvSpec, side: Side): Oracle =>
  (input, kernel) =>
    summed(spec, side, input, kernel);

const seeds = [1, 2, 3, 4, 5, 6];
const draws = full ? 100 : 8;

describe("generated convolutions against the reference kernel in float64", () => {
  it.each(seeds)("any spec, seed %i", (seed) => {
    const draw = randomly(seed);
    for (let i = 0; i < draws; i++) {
      const spec = anySpec(draw);
      check({ spec }, draw() < 0.6 ? "float32" : "float64", draw, kernelLoop(spec));
    }
  });

  it.each(Object.entries(largeSpecs))("%s", (_, spec) => {
    const draw = randomly(7);
    check({ spec }, "float32", draw, kernelLoop(spec));
    check({ spec }, "float64", draw, kernelLoop(spec));
  });
});

describe("derivatives over operands as they lie, against the definition", () => {
  it.each(seeds)("any spec, seed %i", (seed) => {
    const draw = randomly(100 + seed);
    for (let i = 0; i < draws / 2; i++) {
      const spec = anySpec(draw);
      const dtype = draw() < 0.6 ? "float32" : "float64";
      check(backward(spec), dtype, draw, definition(spec, "input"));
      check(across(spec), dtype, draw, definition(spec, "kernel"));
    }
  });

  it("a large window turned over", () => {
    const draw = randomly(9);
    check(backward(fewInputs), "float32", draw, definition(fewInputs, "input"));
    check(across(fewInputs), "float64", draw, definition(fewInputs, "kernel"));
  });

  it.each(Object.entries(layers))("the layer %s, all three passes", (_, layer) => {
    const spec = { ...layer, batch: full ? 16 : 2 };
    const draw = randomly(8);
    check({ spec }, "float32", draw, definition(spec, "output"));
    check(backward(spec), "float32", draw, definition(spec, "input"));
    check(across(spec), "float32", draw, definition(spec, "kernel"));
  });
});
