import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/index.js";
import {
  compile,
  eye,
  grad,
  hessian,
  isTensor,
  jvp,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from "../../src/index.js";

/**
 * Programs whose values and derivatives JAX has computed in float64 (test/reference/make-jax-programs.py). A table gives each one in
 * this library; every number of the file is then compared, also through vmap and compile.
 */

/** The names of parameters and data. A program takes those that its entry in the file has. */
type Name =
  | ("a" | "b" | "c" | "d" | "e" | "h" | "im" | "k" | "m" | "n" | "o" | "q" | "r" | "re" | "s" | "t" | "u" | "v" | "w")
  | ("x" | "y" | "z" | "w1" | "b1" | "w2" | "b2" | "wz" | "wr" | "wh" | "k1" | "k2" | "h0" | "y0" | "enc" | "dec")
  | ("scale" | "shift" | "noise" | "words" | "next" | "start" | "move" | "emit" | "flags" | "rates" | "rate" | "spot")
  | ("vol" | "mean" | "logits" | "logscale" | "loglambda" | "logdf" | "logr" | "logq" | "lograte" | "group" | "from")
  | ("to" | "amplitude" | "length");
export type Leaves = { readonly [K in Name]: Tensor };
export type Tree = Tensor | { readonly [key: string]: Tree };
export type Program = (params: Leaves, data: Leaves) => Tree;

interface Leaf {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly number[];
}
type Written = Leaf | { readonly [key: string]: Written };

interface Entry {
  readonly params: Written;
  readonly data: Written;
  readonly direction: Written;
  readonly value: Written;
  readonly jvp: Written;
  readonly grad?: Written;
  readonly hvp?: Written;
  readonly hessian?: Written;
  readonly cotangent?: Written;
  readonly vjp?: Written;
  readonly jacobian?: Written;
  readonly batch: { readonly params: Written; readonly value: Written; readonly grad?: Written };
}

const file = new URL("../reference/jax-programs.json", import.meta.url);
const { themes } = JSON.parse(readFileSync(file, "utf8")) as { themes: { [theme: string]: { [name: string]: Entry } } };

const isLeaf = (x: Written): x is Leaf => Array.isArray(x["shape"]);

function read(written: Written): Tree {
  if (isLeaf(written)) return tensor([...written.data], { shape: written.shape, dtype: written.dtype });
  return Object.fromEntries(Object.entries(written).map(([key, part]) => [key, read(part)]));
}

/** All numbers of a tree, its keys in the order of `like`. */
function numbers(tree: Tree, like: Written): number[] {
  if (isTensor(tree)) return [tree.toArray()].flat(9) as number[];
  if (isLeaf(like)) throw new Error("a tree where the file has a tensor");
  expect(Object.keys(tree).sort()).toEqual(Object.keys(like).sort());
  return Object.entries(like).flatMap(([key, part]) => numbers(tree[key] as Tree, part));
}

/**
 * The largest error, relative to the expected number; numbers smaller than a hundredth of the largest of their result (or of 1) are
 * measured against that hundredth.
 */
export function worstError(got: readonly number[], expected: readonly number[]): number {
  expect(got.length).toBe(expected.length);
  const floor = 0.01 * Math.max(1, ...expected.map(Math.abs));
  const errors = got.map(
    (x, i) => Math.abs(x - (expected[i] as number)) / Math.max(floor, Math.abs(expected[i] as number)),
  );
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...errors);
}

/** Relative 1e-10, absolute 1e-12 of the scale of the result. */
const TOLERANCE = 1e-10;

function agree(what: string, tree: Tree, expected: Written | undefined): void {
  if (expected === undefined) throw new Error(`the file has no ${what}`);
  const error = worstError(numbers(tree, expected), numbers(read(expected), expected));
  expect(error, `${what}: relative error ${error}`).toBeLessThanOrEqual(TOLERANCE);
}

/** A program of its parameters alone, and an entry to compare it with. */
type Check = (f: (params: Leaves) => Tree, entry: Entry) => void;

const checkScalar: Check = (f, entry) => {
  const loss = f as (params: Leaves) => Tensor;
  const [params, direction] = [read(entry.params), read(entry.direction)] as [Leaves, Leaves];
  const both = valueAndGrad(loss);
  const { value, grad: slope } = both(params);
  agree("value", value, entry.value);
  agree("gradient", slope, entry.grad);
  const along = jvp(loss, params, direction);
  agree("value of jvp", along.value, entry.value);
  agree("jvp", along.tangent, entry.jvp);
  agree(
    "Hessian · direction, forward over reverse",
    jvp(grad(loss) as unknown as (params: Leaves) => Tree, params, direction).tangent as Tree,
    entry.hvp,
  );
  if (entry.hessian) agree("Hessian", matrix(hessian(loss)(params) as never, entry.params), entry.hessian);
  const compiled = compile(both)(params);
  agree("compiled value", compiled.value, entry.value);
  agree("compiled gradient", compiled.grad, entry.grad);
  const mapped = vmap(both as unknown as (params: Leaves) => { value: Tensor; grad: Tree })(
    read(entry.batch.params) as Leaves,
  );
  agree("vmap of value", mapped.value, entry.batch.value);
  agree("vmap of gradient", mapped.grad, entry.batch.grad);
};

/** The blocks of a Hessian as one matrix [n, n], row-major. */
function matrix(blocks: { [row: string]: { [column: string]: Tensor } }, params: Written): Tensor {
  const names = Object.keys(params);
  const sizes = names.map((name) => (params as { [name: string]: Leaf })[name]?.data.length as number);
  const rows = names.flatMap((row, i) =>
    Array.from({ length: sizes[i] as number }, (_, at) =>
      names.flatMap((column, j) => {
        const block = [blocks[row]?.[column]?.toArray() ?? []].flat(9) as number[];
        const width = sizes[j] as number;
        return block.slice(at * width, (at + 1) * width);
      }),
    ),
  );
  return tensor(rows, { dtype: "float64" });
}

const checkTree: Check = (f, entry) => {
  const [params, direction] = [read(entry.params), read(entry.direction)] as [Leaves, Leaves];
  agree("value", f(params), entry.value);
  agree("compiled value", compile(f)(params), entry.value);
  const along = jvp(f, params, direction);
  agree("jvp", along.tangent as Tree, entry.jvp);
  const { pullback } = vjp(f, params);
  agree("pullback", pullback(read(entry.cotangent as Written) as never) as Tree, entry.vjp);
  const rows = vmap((v: Leaves) => jvp(f, params, v).tangent as Tree)(basis(entry.params) as Leaves);
  agree("Jacobian", columns(rows, entry.value), entry.jacobian);
  agree("vmap", vmap(f)(read(entry.batch.params) as Leaves), entry.batch.value);
};

/** Every unit vector of a tree of parameters, along a new axis 0 of its leaves. */
function basis(params: Written): Tree {
  const leaves = Object.entries(params) as [string, Leaf][];
  const total = leaves.reduce((sum, [, { data }]) => sum + data.length, 0);
  let start = 0;
  return Object.fromEntries(
    leaves.map(([name, { shape, data }]) => {
      const from = start;
      start += data.length;
      return [
        name,
        eye(total, { dtype: "float64" })
          .slice(from, start, { axis: 1 })
          .reshape([total, ...shape]),
      ];
    }),
  );
}

/** Tangents for every unit vector, [n, ...] leaf by leaf, as a Jacobian [outputs, n]. */
function columns(rows: Tree, like: Written): Tensor {
  if (isTensor(rows)) return rows.reshape([rows.shape[0] as number, -1]).transpose();
  const all = Object.entries(like).map(([key, part]) => rowsOf(columns(rows[key] as Tree, part)));
  return tensor(all.flat(), { dtype: "float64" });
}

const rowsOf = (t: Tensor): number[][] => t.toArray() as number[][];

/** Compares every program of a theme with the file. */
export function checkTheme(theme: string, programs: { readonly [name: string]: Program }): void {
  const entries = themes[theme] ?? {};
  describe(`${theme}: as JAX has it, to 1e-10`, () => {
    test("the table has the programs of the file", () => {
      expect(Object.keys(programs).sort()).toEqual(Object.keys(entries).sort());
    });

    test.each(Object.keys(entries))("%s", (name) => {
      const entry = entries[name] as Entry;
      const data = read(entry.data) as Leaves;
      const f = (params: Leaves): Tree => (programs[name] as Program)(params, data);
      (entry.grad ? checkScalar : checkTree)(f, entry);
    });
  });
}
