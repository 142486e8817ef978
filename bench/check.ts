import { readFileSync } from "node:fs";
import { rounded, type ValueCheck } from "./line.js";

interface Expected {
  readonly value: number | readonly number[];
  readonly rtol: number;
  readonly atol?: number;
}

/**
 * W1 to W5 and W10: exact gradients (enumeration, closed forms, quadrature). The others: the loss of PyTorch 1.13 after so many steps
 * from the common start.
 */
const table = JSON.parse(readFileSync(new URL("expected.json", import.meta.url), "utf8")) as Record<string, Expected>;

/** Compares with what every peer must get. */
export function check(workload: string, values: readonly number[]): ValueCheck {
  const given = values.map(rounded);
  const value = given.length === 1 ? (given[0] as number) : given;
  const expected = table[workload];
  if (expected === undefined) return { value };
  const truth = [expected.value].flat();
  const near = (x: number, i: number): boolean =>
    Math.abs(x - (truth[i] as number)) <= expected.rtol * Math.abs(truth[i] as number) + (expected.atol ?? 0);
  return { value, expected: expected.value, ok: values.length === truth.length && values.every(near) };
}
