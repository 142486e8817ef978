import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import type { AnyFamily } from "../../src/distributions/distribution.js";
import { families } from "../../src/distributions/index.js";
import { grad, type Tensor } from "../../src/index.js";
import { expectClose } from "./checks.js";
import { build, type Float, type Given, list, type Tree, treeOf, valuesOf } from "./subjects.js";

/** 40-digit values from outside (test/reference/README.md) for every family that has some. */

type Printed = number | "inf" | "-inf" | "nan" | Printed[];
interface Row {
  readonly value: number;
  readonly log_prob: Printed;
  readonly dlogp_dvalue?: Printed;
  readonly dlogp_dparams?: Record<string, Printed>;
  readonly cdf?: Printed;
  readonly dvalue_dparams?: Record<string, Printed>;
}
interface Case {
  readonly dist: string;
  readonly params: Given;
  readonly mean?: Printed;
  readonly variance?: Printed;
  readonly entropy?: Printed;
  readonly mode?: Printed;
  readonly icdf?: readonly (readonly [number, number])[];
  readonly values: readonly Row[];
}

const file = readFileSync(new URL("../reference/distributions.json", import.meta.url), "utf8");
const words: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const numbers = (x: Printed): number[] =>
  Array.isArray(x) ? x.flatMap(numbers) : [typeof x === "number" ? x : words[x]!];
const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const camelKeys = <T>(x: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(x).map(([name, value]) => [camel(name), value]));

const known = (JSON.parse(file) as { cases: Case[] }).cases.flatMap((row) => {
  const family = families.find(({ name }) => name === row.dist);
  return family ? [{ label: `${row.dist}(${JSON.stringify(row.params)})`, family, row }] : [];
});

/** Where doubles cannot agree with the exact law, and why. */
const exceptions: Record<string, string> = {
  'Categorical({"probs":[0.1,0.1,0.4,0.4]}) icdf(0.1)': "the cdf is 0.1 − 3e-18, and q = 0.1 ties with it in float64",
};

/** Everything a case tells, as what we say and what is true. */
function facts(family: AnyFamily, row: Case, tree: Tree): { what: string; got: number[]; wanted: number[] }[] {
  const d = build(family, tree);
  const dtype = Object.values(tree)[0]!.dtype as Float;
  const out: { what: string; got: number[]; wanted: number[] }[] = [];
  const fact = (what: string, wanted: Printed | undefined, got: () => number[]): void => {
    if (wanted !== undefined) out.push({ what, got: got(), wanted: numbers(wanted) });
  };
  for (const name of ["mean", "variance", "entropy", "mode"] as const)
    if (family[name]) fact(name, row[name], () => list(d[name]()));
  for (const [q, x] of (family.icdf && row.icdf) || []) fact(`icdf(${q})`, x, () => list(d.icdf(q)));
  for (const v of row.values) {
    const x = valuesOf(d, [v.value], dtype).reshape([]);
    const slopes = grad((p: Tree) => build(family, p).logProb(x))(tree);
    fact(`log_prob(${v.value})`, v.log_prob, () => list(d.logProb(x)));
    fact(`dlogp_dvalue(${v.value})`, v.dlogp_dvalue, () => list(grad((y: Tensor) => d.logProb(y))(x)));
    for (const [name, slope] of Object.entries(camelKeys(v.dlogp_dparams ?? {})))
      fact(`dlogp_d${name}(${v.value})`, slope, () => list(slopes[name]!));
    if (!family.cdf) continue;
    fact(`cdf(${v.value})`, v.cdf, () => list(d.cdf(x)));
    const flows = grad((p: Tree) => build(family, p).cdf(x))(tree);
    for (const [name, slope] of Object.entries(camelKeys(v.dvalue_dparams ?? {}))) {
      fact(`d${name} of the value ${v.value}`, slope, () => [-flows[name]!.item() / d.prob(x).item()]);
    }
  }
  return out;
}

describe.each(known)("$label", ({ label, family, row }) => {
  const given = camelKeys(row.params);

  it("float64: 1e-12", () => {
    for (const { what, got, wanted } of facts(family, row, treeOf(given, "float64"))) {
      if (`${label} ${what}` in exceptions) continue;
      // The floor is for what is 0 in doubles: the score of Poisson(1) at 1 is 3e-71.
      expectClose(got, wanted, (y) => 1e-12 * Math.abs(y) + 1e-16, `${label} ${what}`);
    }
  });

  it("float32: a few roundings, and twice what rounding the inputs does to the exact law", () => {
    const tree = treeOf(given, "float32");
    const wide: Tree = Object.fromEntries(Object.entries(tree).map(([name, x]) => [name, x.toDType("float64")]));
    const rounded: Case = {
      ...row,
      icdf: row.icdf?.map(([q, x]) => [Math.fround(q), x] as const),
      values: row.values.map((v) => ({ ...v, value: Math.fround(v.value) })),
    };
    const moved = facts(family, rounded, wide);
    facts(family, row, tree).forEach(({ what, got, wanted }, k) => {
      if (`${label} ${what}` in exceptions) return;
      const slack = (i: number): number => 2 * Math.abs(moved[k]!.got[i]! - wanted[i]!);
      expectClose(got, wanted, (y, i) => 40 * 2 ** -24 * Math.max(Math.abs(y), 0.1) + slack(i), `${label} ${what}`);
    });
  });
});
