import type { Callee, Code } from "../encode.js";

export type Add = (code: Code, label: string) => Callee;

/** `make`, done once for all arguments of the same key. */
export function once<T, R>(keyOf: (value: T) => string | number, make: (value: T) => R): (value: T) => R {
  const made = new Map<string | number, R>();
  return (value) => {
    const key = keyOf(value);
    const known = made.get(key) ?? make(value);
    made.set(key, known);
    return known;
  };
}

/** Leaves base + Σ local · factor + constant on the stack. */
export function sum(
  code: Code,
  base: number,
  terms: readonly (readonly [local: number, factor: number])[],
  constant = 0,
): Code {
  code.get(base);
  for (const [local, factor] of terms) {
    if (factor === 0) continue;
    code.get(local);
    if (factor !== 1) code.i32(factor).op("i32.mul");
    code.op("i32.add");
  }
  return constant === 0 ? code : code.i32(constant).op("i32.add");
}

/** Local += constant. */
export function bump(code: Code, local: number, by: number): void {
  if (by !== 0) code.get(local).i32(by).op("i32.add").set(local);
}

/** Body for local = start, start + 1, … below the local `end`; `start` leaves a number on the stack. */
export function each(code: Code, local: number, start: () => void, end: number, body: () => void): void {
  start();
  code.set(local);
  code.block(() => {
    code.loop(() => {
      code.get(local).get(end).op("i32.ge_s").brIf(1);
      body();
      bump(code, local, 1);
      code.br(0);
    });
  });
}

/** Body for local = 0 … count − 1. */
export function times(code: Code, count: number, body: (local: number) => void): void {
  const local = code.local("i32");
  if (count === 1) {
    code.i32(0).set(local);
    body(local);
    return;
  }
  if (count < 1) return;
  code.i32(0).set(local);
  code.loop(() => {
    body(local);
    bump(code, local, 1);
    code.get(local).i32(count).op("i32.lt_s").brIf(0);
  });
}

/**
 * Body `count` times with the pointer `at` moved on by `step` each time, and moved back in the end. The body is told how many blocks out
 * lies what is `depth` blocks out here.
 */
export function repeat(
  code: Code,
  count: number,
  at: number,
  step: number,
  depth: number,
  body: (depth: number) => void,
): void {
  if (count === 1) body(depth);
  if (count <= 1) return;
  const left = code.local("i32");
  code.i32(count).set(left);
  code.loop(() => {
    body(depth + 1);
    bump(code, at, step);
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(0);
  });
  bump(code, at, -count * step);
}

/** A new local: rest mod count; and rest = ⌊rest / count⌋. To be written once per function: of count 1 it is the zero that locals begin with. */
export function digit(code: Code, rest: number, count: number): number {
  const local = code.local("i32");
  if (count === 1) return local;
  code.get(rest).i32(count).op("i32.rem_u").set(local);
  code.get(rest).i32(count).op("i32.div_u").set(rest);
  return local;
}

/** Leaves ⌊(local + next) · n / parts⌋ on the stack. */
export function share(code: Code, local: number, n: number, parts: number, next = 0): Code {
  code.get(local);
  if (next !== 0) code.i32(next).op("i32.add");
  return code.i32(n).op("i32.mul").i32(parts).op("i32.div_u");
}

/** Leaves the smaller of two locals on the stack, with their signs. */
export function smaller(code: Code, a: number, b: number): Code {
  return code.get(a).get(b).get(a).get(b).op("i32.lt_s").op("select");
}

/** (…, from, to): `unit` for every unit in between. The first parameters are passed on, then the unit. */
export function overUnits(code: Code, passed: readonly number[], from: number, to: number, unit: Callee): void {
  const u = code.local("i32");
  each(
    code,
    u,
    () => code.get(from),
    to,
    () => {
      for (const local of passed) code.get(local);
      code.get(u).call(unit);
    },
  );
}
