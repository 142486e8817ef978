import type { Tensor } from "../../src/index.js";
import * as sg from "../../src/index.js";

/** A value of a random program together with the code that makes it, so that a failing program prints as one that can be run. */
export interface Made<T = Tensor> {
  readonly value: T;
  readonly code: string;
}

const library: { readonly [name: string]: unknown } = sg;
type Name = keyof typeof sg;
type Argument =
  | Made<unknown>
  | number
  | boolean
  | string
  | undefined
  | readonly Argument[]
  | { [key: string]: Argument };

const isMade = (x: unknown): x is Made<unknown> => typeof x === "object" && x !== null && "code" in x && "value" in x;

function plain(x: Argument): unknown {
  if (isMade(x)) return x.value;
  if (Array.isArray(x)) return x.map(plain);
  if (typeof x !== "object") return x;
  return Object.fromEntries(Object.entries(x).map(([key, part]) => [key, plain(part as Argument)]));
}

function codeOf(x: Argument): string {
  if (isMade(x)) return x.code;
  if (Array.isArray(x)) return `[${x.map(codeOf).join(", ")}]`;
  if (typeof x !== "object") return typeof x === "string" ? JSON.stringify(x) : String(x);
  return `{ ${Object.entries(x)
    .map(([key, part]) => `${key}: ${codeOf(part as Argument)}`)
    .join(", ")} }`;
}

/** The call of a public function. */
export function call(name: Name, ...args: readonly Argument[]): Made {
  return callFor<Tensor>(name, ...args);
}

/** The same for a function with several results. */
export function callFor<T>(name: Name, ...args: readonly Argument[]): Made<T> {
  const f = library[name] as (...args: readonly unknown[]) => unknown;
  if (typeof f !== "function") throw new Error(`samplegrad exports no function ${name}`);
  return { value: f(...args.map(plain)) as T, code: `${name}(${args.map(codeOf).join(", ")})` };
}

/** One of several results. */
export function pick<T, K extends keyof T & (string | number)>(of: Made<T>, key: K): Made<T[K]> {
  return { value: of.value[key], code: typeof key === "number" ? `${of.code}[${key}]` : `${of.code}.${key}` };
}

/** A function of tensors written as a function of made ones: its code is that of its body. */
export function lambda(names: readonly string[], body: (...args: readonly Made[]) => Argument): Made<unknown> {
  const code = { text: "" };
  const run = (...args: readonly unknown[]): unknown => {
    const made = body(...names.map((name, i) => ({ value: args[i] as Tensor, code: name })));
    code.text = codeOf(made);
    return plain(made);
  };
  return {
    value: run,
    get code(): string {
      return `(${names.join(", ")}) => ${code.text.startsWith("{") ? `(${code.text})` : code.text}`;
    },
  };
}

/** Choices derived from one number, so that a step shrinks with it. */
export class Choices {
  private rest: number;

  constructor(seed: number) {
    this.rest = seed;
  }

  /** A whole number below n, or 0. */
  below(n: number): number {
    if (n <= 1) return 0;
    const at = this.rest % n;
    this.rest = Math.floor(this.rest / n);
    return at;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  axis(x: Made): number {
    return this.below(x.value.rank);
  }
}

export const shapeOf = (x: Made): readonly number[] => x.value.shape;
export const sizeAt = (x: Made, axis: number): number => shapeOf(x)[axis] as number;

/** With at least one axis, or at least two. */
export const ranked = (x: Made, rank = 1): Made => (x.value.rank >= rank ? x : ranked(call("expandDims", x, 0), rank));

/** As a matrix. */
export function matrix(x: Made): Made {
  return x.value.rank === 2
    ? x
    : x.value.rank < 2
      ? ranked(x, 2)
      : call("reshape", x, [sizeAt(x, 0), x.value.size / Math.max(1, sizeAt(x, 0))]);
}

export const flat = (x: Made): Made => (x.value.rank === 1 ? x : call("reshape", x, [x.value.size]));

/** The two where they broadcast, else the first with the sum of the second; `prepare` is done to the second. */
export function together(name: Name, x: Made, y: Made, prepare: (y: Made) => Made = (a) => a): Made {
  const [long, short] = shapeOf(x).length >= shapeOf(y).length ? [x, y] : [y, x];
  const extra = shapeOf(long).length - shapeOf(short).length;
  const fits = shapeOf(short).every(
    (n, i) => n === 1 || n === sizeAt(long, i + extra) || sizeAt(long, i + extra) === 1,
  );
  return call(name, x, prepare(fits ? y : call("sum", y)));
}

export const isEmpty = (x: Made): boolean => x.value.size === 0;

/** An operation of a random program on the results x and y of earlier ones. It is legal for whatever it meets. */
export type Operation = (x: Made, y: Made, choose: Choices) => Made;

/** On x with an axis, and one of its axes. */
export const along =
  (f: (x: Made, axis: number, choose: Choices) => Made): Operation =>
  (x, _y, choose) =>
    f(ranked(x), choose.axis(ranked(x)), choose);

/** Of what needs an element; where there is none, the sum stands in. */
export const filled =
  (f: Operation): Operation =>
  (x, y, choose) =>
    isEmpty(x) ? call("sum", x) : f(x, y, choose);
