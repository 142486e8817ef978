import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { DType } from "../../src/index.js";
import { compile, cos, grad, hessian, mul, sin, stack, sum, type Tensor, tensor, vmap } from "../../src/index.js";

/** The values of test/reference/arrays.json (numpy and JAX, float64) and how they are compared. */

interface Leaf {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly (number | string)[];
}
interface Derived {
  readonly inputs: { readonly [name: string]: Leaf };
  readonly out: Leaf;
  readonly gradient: Leaf;
  readonly hessian: Leaf;
}
interface Einsum {
  readonly spec: string;
  readonly operands: readonly Leaf[];
  readonly out: Leaf;
  readonly gradient: Leaf;
}

const file = new URL("../reference/arrays.json", import.meta.url);
export const reference = JSON.parse(readFileSync(file, "utf8")) as {
  readonly derivatives: { readonly [name: string]: Derived };
  readonly values: {
    readonly [name: string]: { readonly inputs: { readonly [name: string]: Leaf }; readonly out: Leaf };
  };
  readonly einsum: readonly Einsum[];
};

const written: { readonly [text: string]: number } = { nan: NaN, inf: Infinity, "-inf": -Infinity };

export function dataOf({ data }: Leaf): number[] {
  return data.map((x) => (typeof x === "string" ? (written[x] as number) : x));
}

export function read(leaf: Leaf): Tensor {
  return tensor(dataOf(leaf), { shape: leaf.shape, dtype: leaf.dtype });
}

export function flat(x: Tensor): number[] {
  return ([x.toArray()] as unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
}

/** Shape, and every number to a tolerance relative to the largest (or 1); infinities and NaN in the same places. */
export function agrees(what: string, got: Tensor, expected: Leaf, tolerance = 1e-13): void {
  expect([what, got.shape]).toEqual([what, expected.shape]);
  const [a, b] = [flat(got), dataOf(expected)];
  const scale = Math.max(1, ...b.filter(Number.isFinite).map(Math.abs));
  b.forEach((y, i) => {
    const x = a[i] as number;
    const same = Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * scale;
    expect(same, `${what}[${i}] is ${x}, not ${y}`).toBe(true);
  });
}

export type Inputs = { readonly [name: string]: Tensor };

/** Value, gradient and Hessian of sum(sin(f) · w) as the script defines them; the gradient also under vmap and compile. */
export function checkDerivatives(name: string, f: (inputs: Inputs) => Tensor): void {
  const { inputs, out, gradient, hessian: second } = reference.derivatives[name] as Derived;
  const names = Object.keys(inputs).filter((key) => (inputs[key] as Leaf).dtype === "float64");
  const fixed = Object.fromEntries(Object.entries(inputs).map(([key, leaf]) => [key, read(leaf)]));
  const v = tensor(
    names.flatMap((key) => dataOf(inputs[key] as Leaf)),
    { dtype: "float64" },
  );
  const cut = (all: Tensor): Inputs => {
    let from = 0;
    const parts = names.map((key) => {
      const { shape, data } = inputs[key] as Leaf;
      from += data.length;
      return [key, all.slice(from - data.length, from).reshape(shape)] as const;
    });
    return { ...fixed, ...Object.fromEntries(parts) };
  };
  agrees(name, f(fixed), out);
  const loss = losing((all: Tensor) => f(cut(all)));
  agrees(`gradient of ${name}`, grad(loss)(v) as Tensor, gradient);
  agrees(`Hessian of ${name}`, hessian(loss)(v) as Tensor, second);
  agrees(`compiled gradient of ${name}`, compile(grad(loss))(v) as Tensor, gradient);
  const two = vmap(grad(loss))(stack([v, v.mul(0.5)])) as Tensor;
  agrees(`gradient of ${name} under vmap`, two.at(0), gradient);
}

/** sum(sin(f) · w) with w = cos(0), cos(1), … */
export function losing<A extends unknown[]>(f: (...inputs: A) => Tensor): (...inputs: A) => Tensor {
  return (...inputs) => {
    const out = f(...inputs);
    const places = tensor(Float64Array.from({ length: out.size }, (_, i) => i));
    return sum(mul(sin(out), cos(places).reshape(out.shape)));
  };
}

/** A value of the file, to the last bit or to a tolerance; its dtype too, unless it is a float. */
export function checkValue(name: string, f: (inputs: Inputs) => Tensor, tolerance = 0): void {
  const { inputs, out } = reference.values[name] as { inputs: { [name: string]: Leaf }; out: Leaf };
  const got = f(Object.fromEntries(Object.entries(inputs).map(([key, leaf]) => [key, read(leaf)])));
  agrees(name, got, out, tolerance);
}
