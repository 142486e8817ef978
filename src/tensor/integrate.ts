import { promote, type TypedArray } from "../base/dtype.js";
import { fail, NoGradientError } from "../base/errors.js";
import { asTensor, isTensorLike, type TensorLike } from "../graph/leaves.js";
import { apply, isTensor, type Tensor } from "../graph/tensor.js";
import { currentRuntime } from "../graph/trace.js";
import { ancestors } from "../graph/walk.js";
import { elements } from "../kernel/ndarray.js";
import { settled } from "../primitives/check.js";
import { broadcastTo } from "../primitives/linear.js";
import { lessEqual, logicalNot, mul, toDType } from "./elementwise.js";
import type { Method } from "./grid.js";
import { type Attempt, attempt, type Ends, type Integrand } from "./integral.js";

export interface IntegrateOptions {
  /**
   * "tanhSinh" (default): the double exponential rules, for integrands that are analytic inside and may be singular at the ends, and for infinite
   * ends. "gauss": Gauss–Legendre, for smooth integrands between finite ends.
   */
  readonly method?: "tanhSinh" | "gauss";
  /** The estimated error may be this much of ∫ |f|. Default 1e-10, in float32 1e-5. */
  readonly tolerance?: number;
  /**
   * Takes one rule, whatever its error: 2^−order is the step of "tanhSinh", from 4 to 12; of "gauss" it is the number of nodes. By default
   * rules are tried, each twice as fine, until the tolerance is met.
   */
  readonly order?: number;
  /** Of the nodes. Default that of the ends where they are tensors, else float64. */
  readonly dtype?: "float32" | "float64";
}

export interface Integral {
  /** Of f(x) without its last axis. */
  readonly value: Tensor;
  /** How far the value may be off. It has no derivative. */
  readonly error: Tensor;
  /** Nodes at which f was computed, those of rules that did not meet the tolerance included. */
  readonly evaluations: number;
}

/**
 * ∫ f(x) dx from a to b. f is given all nodes at once, along a new last axis, and may add axes of its own in front; it is called
 * more than once and must be pure. Ends may be tensors, which broadcast, and plain ±Infinity. The integral is differentiable in the ends and in what f
 * captures; its derivatives are those of the rule, and `error` does not speak of them. A formula whose derivative overflows far out, where it is 0
 * itself, gives NaN there.
 *
 * A second parameter of f is the distance of the nodes from both ends, which keeps its digits where the nodes themselves round to an end: near
 * 1 a singularity like (1 − x)^(−1/2) is only integrated to 1e-8 in x, and exactly in distance.toB.
 *
 * Where numbers are known, rules are tried until one meets the tolerance. Inside a trace (compile, vmap, expectation) there are none: one fine
 * rule is taken, and meets the tolerance or throws when it is read.
 * @throws where no rule meets the tolerance, or f is not finite between the ends
 */
export function integrate(f: Integrand, a: TensorLike, b: TensorLike, options: IntegrateOptions = {}): Integral {
  const { method = "tanhSinh", order } = options;
  if (method !== "tanhSinh" && method !== "gauss")
    fail({ where: "integrate", got: `method "${method}"`, expected: '"tanhSinh" or "gauss"' });
  const ends = endsOf(a, b, options.dtype);
  if (method === "gauss" && ends.range !== "finite")
    fail({
      where: "integrate",
      got: 'an infinite end and method "gauss"',
      expected: "finite ends",
      write: '"tanhSinh"',
    });
  const { tolerance = ends.dtype === "float64" ? 1e-10 : 1e-5 } = options;
  if (!(tolerance > 0)) fail({ where: "integrate", got: `tolerance ${tolerance}`, expected: "a positive number" });
  if (order === undefined) return refined(f, ends, method, tolerance);
  const [low, high] = method === "gauss" ? [2, 1000] : [4, 12];
  if (!Number.isInteger(order) || order < low || order > high)
    fail({
      where: "integrate",
      got: `order ${order} of "${method}"`,
      expected: `a whole number from ${low} to ${high}`,
    });
  const { value, error, evaluations } = attempt(f, ends, method, order, true);
  return { value, error, evaluations };
}

const ladders = { tanhSinh: [4, 5, 6, 7, 8, 9, 10], gauss: [8, 16, 32, 64, 128, 256, 512] };
/** Where there are no numbers to judge by. */
const fine = { tanhSinh: 6, gauss: 64 };

/** The first rule that meets the tolerance. */
function refined(f: Integrand, ends: Ends, method: Method, tolerance: number): Integral {
  let evaluations = 0;
  let drops = false;
  for (let rung = 0; ; rung++) {
    const last = attempt(f, ends, method, ladders[method][rung] as number, drops);
    const numbers = known([last.value, last.error, last.total]);
    if (numbers === null) return inTrace(f, ends, method, tolerance);
    evaluations += last.evaluations;
    const [value, error, total] = numbers as [TypedArray, TypedArray, TypedArray];
    if (error.every((e, i) => e <= tolerance * (total[i] as number)))
      return { value: last.value, error: last.error, evaluations };
    if (rung === ladders[method].length - 1) return refuse(last, tolerance, evaluations);
    // The same rung again, without the nodes where f is not finite.
    const finite = value.every((x) => Number.isFinite(x));
    if (!finite && !drops && method === "tanhSinh") rung--;
    drops ||= !finite;
  }
}

/** The numbers of nodes, or null where they depend on placeholders or samples. Not a read: it decides nothing but the number of nodes. */
function known(nodes: readonly Tensor[]): TypedArray[] | null {
  const leaves = ancestors(nodes, (node) => node.value === null);
  if (leaves.some((node) => node.value === null && node.primitive === null)) return null;
  try {
    return currentRuntime()
      .run(nodes, new Map())
      .map((value) => elements(value));
  } catch (error) {
    if (error instanceof NoGradientError) return null;
    throw error;
  }
}

function inTrace(f: Integrand, ends: Ends, method: Method, tolerance: number): Integral {
  const { value, error, total, evaluations } = attempt(f, ends, method, fine[method], true);
  const open = logicalNot(lessEqual(error, mul(total, tolerance)));
  const message = {
    where: "integrate",
    got: `an estimated error above the tolerance of ${tolerance} after ${evaluations} evaluations in a trace`,
    expected: "a smaller one",
    write: `an order above ${fine[method]}, a larger tolerance, or a call outside the trace, which tries finer rules`,
  };
  return { value: apply(settled, [value, open], message), error, evaluations };
}

/** @throws with the place where f is not finite, or the error that is left */
function refuse({ value, error, total, nodes, values }: Attempt, tolerance: number, evaluations: number): never {
  const wide = broadcastTo(nodes, values.shape);
  const [v, e, t, x, y] = known([value, error, total, wide, values]) as [TypedArray, ...TypedArray[]] as TypedArray[];
  const bad = (y as TypedArray).findIndex((number) => !Number.isFinite(number));
  if (bad >= 0)
    fail({
      where: "integrate",
      got: `f = ${y?.[bad]} at x = ${x?.[bad]}`,
      expected: "finite values between the ends",
      write: "an integral up to each singular point, with the points as ends",
    });
  const worst = (e as TypedArray).findIndex((number, i) => !(number <= tolerance * (t?.[i] as number)));
  return fail({
    where: "integrate",
    got: `an estimated error of ${shown(e?.[worst])} of ${shown(v?.[worst])} after ${evaluations} evaluations`,
    expected: `at most ${shown(tolerance * (t?.[worst] as number))}, ${tolerance} of ∫ |f|`,
    write:
      "one integral up to each kink or singular point, f(x, distance) for one at an end that is not 0, a larger tolerance, or an order, which takes one rule whatever its error; or it diverges",
  });
}

function shown(x: number | undefined): string {
  return (x as number).toPrecision(3);
}

/** Infinite ends must be plain: they change the rule. Those the wrong way round change the sign. */
function endsOf(a: TensorLike, b: TensorLike, dtype: IntegrateOptions["dtype"]): Ends {
  const [low, high] = [infinite(a), infinite(b)];
  const tensors = [a, b].filter((end) => isTensor(end)).map((end) => end.dtype);
  const type = dtype ?? (tensors.length === 0 ? "float64" : promote(tensors.reduce(promote), "float32"));
  const all = { dtype: type as "float32" | "float64" };
  const [from, to] = [toDType(asTensor(a, type), type), toDType(asTensor(b, type), type)];
  if (low !== 0 && low === high)
    fail({ where: "integrate", got: `both ends ${low * Infinity}`, expected: "two different ends" });
  const whole = { ...all, a: from, b: to, near: "a", up: true } as const;
  if (low === 0 && high === 0) return { ...whole, range: "finite", sign: 1 };
  if (low !== 0 && high !== 0) return { ...whole, range: "line", sign: high };
  return low === 0
    ? { ...whole, range: "half", up: high > 0, sign: high }
    : { ...whole, range: "half", a: to, b: from, near: "b", up: low > 0, sign: -low };
}

/** 1 and −1 for ±∞, 0 for a finite end. */
function infinite(end: TensorLike): number {
  if (!isTensorLike(end))
    fail({ where: "integrate", got: `${typeof end} as an end`, expected: "a number or a tensor" });
  const numbers = isTensor(end) ? (end.value ? [...elements(end.value)] : []) : typeof end === "number" ? [end] : [];
  const [first] = numbers;
  if (numbers.every((x) => Number.isFinite(x))) return 0;
  if (numbers.some((x) => x !== first) || Number.isNaN(first))
    fail({
      where: "integrate",
      got: `ends [${numbers}]`,
      expected: "numbers, all of them finite or all the same infinity",
    });
  return Math.sign(first as number);
}
