import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Tensor, tensor } from "../../src/index.js";

type Printed = number | "inf" | "-inf" | "nan";
export type Numbers = Printed | Numbers[];

export interface Rule {
  readonly n: number;
  readonly nodes: number[];
  readonly weights: number[];
}

export interface Golden {
  readonly soft: { x: Numbers; logsumexp: Numbers; logSoftmax?: Numbers; softmax?: Numbers }[];
  readonly norm: { x: number[]; p: Printed; value: number; grad: number[] }[];
  readonly statistics: {
    x: Numbers;
    cov: Record<string, Numbers>;
    corrcoef: Numbers;
    weights: Numbers;
    covGrad: Numbers;
    corrcoefGrad: Numbers;
    standardise: Numbers;
  };
  readonly interp: {
    x: number[];
    xp: number[];
    fp: number[];
    numpy: Numbers;
    cases: { name: string; value: Numbers; grad: [Numbers, Numbers, Numbers] }[];
  };
  readonly polyval: { c: number[]; x: number[]; value: Numbers; grad: [Numbers, Numbers] };
  readonly gauss: Record<"legendre" | "hermite" | "hermiteE" | "laguerre", Rule[]>;
  readonly integrals: Record<string, number>;
}

export const golden: Golden = JSON.parse(readFileSync(new URL("../reference/tensor.json", import.meta.url), "utf8"));

const words = { inf: Infinity, "-inf": -Infinity, nan: NaN };

export function parse(x: Numbers): number[] {
  return Array.isArray(x) ? x.flatMap(parse) : [typeof x === "number" ? x : words[x]];
}

/** A float64 tensor of nested numbers. */
export function t64(x: Numbers | Float64Array): Tensor {
  if (x instanceof Float64Array) return tensor(x);
  const shape: number[] = [];
  for (let row: Numbers = x; Array.isArray(row); row = row[0] as Numbers) shape.push(row.length);
  return tensor(Float64Array.from(parse(x)), { shape });
}

export function flat(x: Tensor): number[] {
  return [x.toArray()].flat(9) as number[];
}

/** Element by element: |Δ| ≤ tolerance · max(1, |expected|), or the same infinity or NaN. */
export function expectClose(got: Tensor | number[], want: Numbers | Tensor, tolerance: number): void {
  const [a, b] = [
    Array.isArray(got) ? got : flat(got),
    typeof want === "object" && "id" in want ? flat(want) : parse(want as Numbers),
  ];
  expect(a).toHaveLength(b.length);
  a.forEach((x, i) => {
    const y = b[i] as number;
    if (Number.isFinite(y))
      expect(Math.abs(x - y) / Math.max(1, Math.abs(y)), `[${i}] ${x} and ${y}`).toBeLessThanOrEqual(tolerance);
    else expect(x, `[${i}]`).toBe(y);
  });
}
