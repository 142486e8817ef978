import { describe, expect, it } from "vitest";
import { Code, ModuleBuilder } from "../../src/wasm/encode.js";
import { emitMatmul, type MatmulProgram, type MatmulSpec } from "../../src/wasm/matmul/index.js";

type Floats = Float32Array | Float64Array;
type Run = (a: number, b: number, c: number, scratch: number, from: number, to: number) => void;

/** A generator of its own, so that a failure repeats. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

const canary = 12345.5;
/** Elements around C and after scratch that are watched. */
const watched = 32;
const params = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;

interface Case {
  readonly spec: MatmulSpec;
  readonly a: Floats;
  readonly b: Floats;
  /** What C holds before. */
  readonly c: Floats;
}

/** The elements that an operand spans, to its last and not further. */
function spanned(operand: MatmulSpec["a"], rows: number, columns: number, batch: number): number {
  const [lines, line] = operand.transposed ? [columns, rows] : [rows, columns];
  return lines * line * batch === 0 ? 0 : operand.step * (batch - 1) + operand.lead * (lines - 1) + line;
}

function floats(spec: MatmulSpec, size: number, make: () => number): Floats {
  const out = new (spec.dtype === "float32" ? Float32Array : Float64Array)(size);
  for (let i = 0; i < size; i++) out[i] = make();
  return out;
}

function caseOf(spec: MatmulSpec, random: () => number, make = (): number => random() * 2 - 1): Case {
  const { m, n, k, batch } = spec;
  return {
    spec,
    a: floats(spec, spanned(spec.a, m, k, batch), make),
    b: floats(spec, spanned(spec.b, k, n, batch), make),
    c: floats(spec, batch * m * n, make),
  };
}

function compiled(spec: MatmulSpec, memory: WebAssembly.Memory, pages: number): [MatmulProgram, Run] {
  const builder = new ModuleBuilder();
  const program = emitMatmul(spec, (code, label) => builder.add(code, label));
  const entry = new Code(params);
  for (let i = 0; i < params.length; i++) entry.get(i);
  builder.add(entry.call(program.run), "run", "run");
  const module = new WebAssembly.Module(builder.bytes({ shared: false, pages: [pages, pages] }));
  return [program, new WebAssembly.Instance(module, { env: { memory } }).exports.run as Run];
}

/** Addresses of a, b, c and the scratch of each thread, `last` at the very end but for 64 bytes: reading further than that traps. */
function placed(
  { a, b, c }: Case,
  scratch: number,
  last: "a" | "b" | "c",
): { at: Record<string, number>; pages: number } {
  const around = watched * c.BYTES_PER_ELEMENT;
  const sizes = { a: a.byteLength, b: b.byteLength, c: c.byteLength, scratch };
  const at: Record<string, number> = {};
  let next = 64;
  for (const name of ["a", "b", "c", "scratch"] as const) {
    if (name === last) continue;
    at[name] = Math.ceil((next + around) / 64) * 64;
    next = at[name] + sizes[name] + around;
  }
  const pages = Math.ceil((next + around + sizes[last] + 128) / 65536);
  at[last] = pages * 65536 - 64 - sizes[last];
  return { at, pages };
}

/**
 * C, computed by as many threads one after another, the last one first, since no unit may count on another. All memory that nobody gave a
 * value to is NaN.
 */
function run(given: Case, threads = 1, last: "a" | "b" | "c" = "b"): Floats {
  const { spec, a, b, c } = given;
  const type = spec.dtype === "float32" ? Float32Array : Float64Array;
  const { scratchBytes, units } = emitMatmul(spec, () => ({ index: 0 }));
  const parts = Math.min(threads, Math.max(1, units));
  const stride = Math.ceil(scratchBytes / 64) * 64 + 64;
  const { at, pages } = placed(given, stride * parts, last);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  new type(memory.buffer).fill(Number.NaN);
  new type(memory.buffer, at.a).set(a);
  new type(memory.buffer, at.b).set(b);
  const start = last === "c" ? c.length : c.length + watched;
  const before = new type(memory.buffer, (at.c as number) - watched * c.BYTES_PER_ELEMENT, watched + start).fill(
    canary,
  );
  before.set(c, watched);
  const slack = Array.from({ length: parts }, (_, t) =>
    new type(memory.buffer, (at.scratch as number) + (t + 1) * stride - 64, 64 / c.BYTES_PER_ELEMENT).fill(canary),
  );
  const [, product] = compiled(spec, memory, pages);
  for (let t = parts - 1; t >= 0; t--) {
    const scratch = (at.scratch as number) + t * stride;
    const [from, to] = [Math.floor((t * units) / parts), Math.floor(((t + 1) * units) / parts)];
    product(at.a as number, at.b as number, at.c as number, scratch, from, to);
  }
  const others = [
    ...before.subarray(0, watched),
    ...before.subarray(watched + c.length),
    ...slack.flatMap((x) => [...x]),
  ];
  expect(others.every((x) => x === canary)).toBe(true);
  return before.slice(watched, watched + c.length);
}

/** An operand as [batch, rows, columns] without gaps. */
function dense(x: Floats, operand: MatmulSpec["a"], batch: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(batch * rows * columns);
  for (let at = 0; at < out.length; at++) {
    const [e, i, j] = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
    out[at] = x[e * operand.step + (operand.transposed ? j * operand.lead + i : i * operand.lead + j)] as number;
  }
  return out;
}

/** Visits the elements of C with the row of A and the column of B that belong to each. */
function eachElement(given: Case, visit: (at: number, row: Float64Array, column: Float64Array) => void): void {
  const { spec, c } = given;
  const { m, n, k, batch } = spec;
  const a = dense(given.a, spec.a, batch, m, k);
  const b = dense(given.b, { ...spec.b, transposed: !spec.b.transposed }, batch, n, k);
  for (let at = 0; at < c.length; at++) {
    const [e, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
    visit(at, a.subarray((e * m + i) * k, (e * m + i + 1) * k), b.subarray((e * n + j) * k, (e * n + j + 1) * k));
  }
}

function sum32(x: Float64Array, y: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let l = from; l < to; l++) sum = Math.fround(sum + Math.fround((x[l] as number) * (y[l] as number)));
  return sum;
}

function sum64(x: Float64Array, y: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let l = from; l < to; l++) sum += (x[l] as number) * (y[l] as number);
  return sum;
}

/** The promise word for word: blocks of 512, left to right, rounded after each multiplication and addition. */
function promised(given: Case): Floats {
  const { spec, c } = given;
  const sum = spec.dtype === "float32" ? sum32 : sum64;
  const out = floats(spec, c.length, () => 0);
  eachElement(given, (at, row, column) => {
    const sums = Array.from({ length: Math.ceil(spec.k / 512) }, (_, i) =>
      sum(row, column, i * 512, Math.min(i * 512 + 512, spec.k)),
    );
    if (spec.accumulate) sums.unshift(c[at] as number);
    out[at] = sums[0] ?? 0;
    // The array rounds.
    for (const x of sums.slice(1)) out[at] = (out[at] as number) + x;
  });
  return out;
}

/** The largest |C − reference| / (k · eps · Σ|a||b|), the reference being a float64 sum. */
function worst(given: Case, got: Floats): number {
  const { k, dtype } = given.spec;
  const eps = dtype === "float32" ? 2 ** -24 : 2 ** -53;
  let most = 0;
  eachElement(given, (at, row, column) => {
    const size = sum64(row.map(Math.abs), column.map(Math.abs), 0, k);
    most = Math.max(most, Math.abs((got[at] as number) - sum64(row, column, 0, k)) / (k * eps * size));
  });
  return most;
}

function specOf(
  dtype: MatmulSpec["dtype"],
  m: number,
  n: number,
  k: number,
  form: string,
  more: Partial<MatmulSpec> = {},
): MatmulSpec {
  const a = { transposed: form[0] === "T", lead: form[0] === "T" ? m : k, step: 0 };
  const b = { transposed: form[1] === "T", lead: form[1] === "T" ? k : n, step: 0 };
  return { dtype, m, n, k, a, b, batch: 1, numerics: "exact", relaxed: false, ...more };
}

const dtypes = ["float32", "float64"] as const;
const forms = ["NN", "NT", "TN", "TT"];

function expectPromised(given: Case, threads = 1, last: "a" | "b" | "c" = "b"): void {
  const got = run(given, threads, last);
  const wanted = promised(given);
  const at = wanted.findIndex((x, i) => !Object.is(x, got[i]));
  expect(at < 0 ? null : { spec: given.spec, threads, at, wanted: wanted[at], got: got[at] }).toBe(null);
}

describe("a matrix product", () => {
  it("is what it promises bit for bit, in all forms, leads, batches and splits", () => {
    const random = generator(1);
    const whole = (most: number): number => Math.floor(random() * (most + 1));
    for (let round = 0; round < 400; round++) {
      const small = (): number => (random() < 0.4 ? whole(5) : whole(40));
      const [m, n, k] = [small(), small(), small()];
      const plain = specOf(dtypes[round % 2] as "float32", m, n, k, forms[whole(3)] as string);
      const operand = (x: MatmulSpec["a"], lines: number): MatmulSpec["a"] => {
        const lead = x.lead + (random() < 0.5 ? whole(9) : 0);
        return { ...x, lead, step: random() < 0.3 ? 0 : lead * lines + whole(5) };
      };
      const a = operand(plain.a, plain.a.transposed ? k : m);
      const b = operand(plain.b, plain.b.transposed ? n : k);
      const batch = random() < 0.4 ? whole(20) : 1;
      const given = caseOf({ ...plain, a, b, batch, accumulate: random() < 0.3 }, random);
      expectPromised(given, [1, 2, 3, 1e9][whole(3)], (["a", "b", "c"] as const)[round % 3]);
    }
  });

  it("keeps infinities, NaN and the sign of zero to the elements they belong to", () => {
    const random = generator(2);
    const special = [Number.POSITIVE_INFINITY, Number.NaN, -0, 0, Number.NEGATIVE_INFINITY];
    const make = (): number => (random() < 0.05 ? (special[Math.floor(random() * 5)] as number) : random() * 2 - 1);
    for (const dtype of dtypes) {
      for (const form of forms) {
        for (const [m, n, k] of [
          [7, 9, 6],
          [1, 19, 7],
          [19, 2, 3],
          [11, 3, 1],
        ] as const) {
          expectPromised(caseOf(specOf(dtype, m, n, k, form), random, make));
        }
      }
    }
  });

  it("covers every small size, where tiles and panels are cut", () => {
    const random = generator(3);
    for (const dtype of dtypes) {
      for (let m = 1; m <= 13; m++) {
        for (let n = 1; n <= 18; n += m < 6 ? 1 : 3) {
          const form = forms[(m + n) % 4] as string;
          for (const k of [1, 3, 4, 8, 9, 13]) expectPromised(caseOf(specOf(dtype, m, n, k, form), random));
        }
      }
    }
  });

  // Sizes for each method: packed A (copied, turned, rows 2 KiB apart), blocks of rows, blocks of k, few rows or columns with long k.
  const large: readonly (readonly [m: number, n: number, k: number])[] = [
    [71, 130, 97],
    [601, 41, 129],
    [333, 20, 600],
    [43, 64, 512],
    [37, 19, 1027],
    [3, 37, 1025],
    [1, 50, 515],
    [61, 1, 1025],
    [77, 4, 514],
  ];
  for (const [m, n, k] of large) {
    it(`is what it promises for ${m}x${n}x${k}`, () => {
      const random = generator(m);
      for (const form of forms) {
        expectPromised(caseOf(specOf("float32", m, n, k, form), random), 2);
        expectPromised(caseOf(specOf("float64", m, n, k, form, { accumulate: true }), random), 3, "a");
      }
    });
  }

  it("packs every block of many rows within its scratch", () => {
    const random = generator(5);
    for (const form of ["NN", "TN"]) expectPromised(caseOf(specOf("float32", 1099, 98, 301, form), random), 1, "a");
  });

  it("is within k · eps · Σ|a||b| of a float64 sum", () => {
    const random = generator(6);
    for (const form of forms) {
      const given = caseOf(specOf("float32", 40, 30, 2000, form), random);
      expect(worst(given, run(given))).toBeLessThan(0.1);
    }
  });

  it("is zero, or what was there, where there is no k, and nothing where C is empty", () => {
    const random = generator(7);
    for (const dtype of dtypes) {
      for (const accumulate of [false, true]) {
        for (const [m, n, k] of [
          [3, 4, 0],
          [0, 4, 3],
          [3, 0, 2],
          [0, 0, 0],
        ] as const) {
          expectPromised(caseOf(specOf(dtype, m, n, k, "NT", { accumulate }), random), 2);
        }
        expectPromised(caseOf(specOf(dtype, 2, 2, 2, "NN", { accumulate, batch: 0 }), random));
      }
    }
  });

  it("splits large products into units", () => {
    const units = (spec: MatmulSpec): number => emitMatmul(spec, () => ({ index: 0 })).units;
    expect(units(specOf("float32", 8, 8, 8, "NN"))).toBe(1);
    for (const form of forms) expect(units(specOf("float32", 128, 784, 400, form))).toBeGreaterThan(16);
    expect(units(specOf("float32", 12800, 2, 64, "NN"))).toBeGreaterThan(16);
    expect(units(specOf("float32", 50, 50, 50, "NN", { batch: 20 }))).toBe(20);
  });
});

/** (v128) -> v128 with relaxed_madd: whether the engine has it. */
function hasRelaxed(): boolean {
  const builder = new ModuleBuilder();
  const code = new Code(["v128"], ["v128"]);
  builder.add(code.get(0).get(0).get(0).op("f32x4.relaxed_madd"));
  return WebAssembly.validate(builder.bytes({ shared: false, pages: [1, 1] }));
}

describe("a fast matrix product", () => {
  it.skipIf(!hasRelaxed())("is within the same bound with fused multiplications", () => {
    const random = generator(8);
    const whole = (most: number): number => 1 + Math.floor(random() * most);
    for (let round = 0; round < 100; round++) {
      const size = (): number => whole(round % 10 === 0 ? 150 : 30);
      const dtype = dtypes[round % 2] as "float32";
      const spec = specOf(dtype, size(), size(), size(), forms[round % 4] as string, {
        numerics: "fast",
        relaxed: true,
      });
      const given = caseOf(spec, random);
      expect(worst(given, run(given, 3))).toBeLessThan(2);
    }
  });
});
