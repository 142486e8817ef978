import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import type { NDArray } from "../kernel/ndarray.js";
import type { Interval } from "./interval.js";
import type { Lowering } from "./lowering.js";
import type { ReadLink } from "./reads.js";

/** Shape and element type: all that is known of a tensor before it is computed. */
export interface Type {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Of an operation with several results: their types. Shape and dtype then say nothing. See primitives/tuple. */
  readonly parts?: readonly Type[] | undefined;
}

/**
 * How often a composition through this input may be differentiated before expectations of it go wrong for a pathwise sample:
 * "smooth" always, "kink" once (abs, max: continuous, its derivative jumps), "jump" never (floor, comparisons, indices, black boxes).
 */
export type Smoothness = "smooth" | "kink" | "jump";

/**
 * What a collective knows its axis by: this very object, so that two programs nested in each other cannot meet. The label is for people.
 */
export interface AxisName {
  readonly label: string;
}

/** One instance of a primitive for the laws: inputs are drawn from `from`, at least 1e-3 away from `kinks`. */
export interface LawCase<P> {
  readonly inputs: readonly LawInput[];
  readonly params: P;
}

export interface LawInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Uniform on [low, high]; for integers both ends included. Default [-2, 2], integers [0, 3]. */
  readonly from?: readonly [number, number];
  /** Values a draw keeps away from. */
  readonly kinks?: readonly number[];
  /** Elements far apart from each other along the last axis (for max, sort). */
  readonly distinct?: boolean;
  /**
   * Matrices (the last two axes) whose diagonal outweighs everything beside it and rises from place to place: invertible, once made
   * symmetric positive definite, eigenvalues and singular values far apart; and so is any mixture of two draws.
   */
  readonly dominant?: boolean;
}

/**
 * One primitive operation with all its rules side by side. Every field is required, so a forgotten rule does not compile.
 * Rules build graphs out of other operations; only `run` touches numbers.
 */
export interface Primitive<P> {
  readonly name: string;
  /** The type of the output. @throws a sentence when the inputs do not fit. */
  readonly type: (inputs: readonly Type[], params: P) => Type;
  /** The reference kernel. Of several results, `wanted` are the parts somebody reads; the others may be anything. */
  readonly run: (inputs: readonly NDArray[], params: P, out: Type, wanted: ReadonlySet<number>) => NDArray;
  /** Inputs whose numbers the kernel needs; "all" but for primitives whose value is known without them. */
  readonly needs: "all" | readonly number[];
  /** The tangent of the output from those of the inputs (null: zero). Of several results, only the tangents of `wanted` are read. */
  readonly jvp: (
    tangents: readonly (Tensor | null)[],
    inputs: readonly Tensor[],
    params: P,
    out: Tensor,
    wanted?: ReadonlySet<number>,
  ) => Tensor | null;
  /**
   * For each input in `linear`, the cotangent it gets from that of the output. Null: the primitive is linear in no input.
   * `linear` are the inputs that carry the unknown; the others are data.
   */
  readonly transpose:
    | ((
        cotangent: Tensor,
        linear: readonly boolean[],
        inputs: readonly Tensor[],
        params: P,
      ) => readonly (Tensor | null)[])
    | null;
  /** Which inputs may carry the unknown together: "any" subset (add), "one" at a time (mul), those listed, or none. */
  readonly linear: "any" | "one" | readonly number[];
  /** The same operation over a new axis 0 of the inputs marked in `batched`; the result has it at axis 0 too. */
  readonly batch: (
    inputs: readonly Tensor[],
    batched: readonly boolean[],
    params: P,
    size: number,
    axisName: AxisName | null,
  ) => Tensor;
  /** Which elements of each input an element of the output (of part `part` of it) may read. `[]`: any; null: only the shape. */
  readonly reads: (
    params: P,
    inputs: readonly Type[],
    out: Type,
    part: number,
  ) => readonly (readonly ReadLink[] | null)[];
  /** Per input, or one for all; away from singular points. */
  readonly smooth: Smoothness | readonly Smoothness[];
  /** Per input, where the inputs lie in these intervals: better than `smooth` (|x| of positive x) or worse (1/x at 0). */
  readonly smoothOn?: (inputs: readonly Interval[], params: P) => readonly Smoothness[];
  /** The interval the output lies in, from those of the inputs; left out: anywhere. */
  readonly range?: (inputs: readonly Interval[], params: P, node: Tensor) => Interval;
  /** What it becomes in compiled code. */
  readonly lower: Lowering<P, Tensor>;
  readonly laws: readonly LawCase<P>[];
  /** How a call reads in listings, where the name alone says too little. */
  readonly words?: (params: P) => string;
}

// biome-ignore lint/suspicious/noExplicitAny: a graph holds primitives of every parameter type; each entry checks its own.
export type AnyPrimitive = Primitive<any>;

let nextId = 0;

/** The number the next node will get: everything built later has a larger one. */
export function idMark(): number {
  return nextId;
}

/**
 * A node of a lazy graph: a primitive applied to inputs, or a leaf. Building computes nothing; numbers appear when somebody reads
 * (`item()`, `toArray()`, `await data()`). Ids grow along edges, so sorting by id is a topological order.
 */
export class Tensor {
  readonly id: number = nextId++;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly parts: readonly Type[] | undefined;
  /** Null for leaves. */
  primitive: AnyPrimitive | null;
  inputs: readonly Tensor[];
  readonly params: unknown;
  /** Known numbers: leaves have them from the start, other nodes once read. */
  value: NDArray | null;
  /** What a placeholder stands for; null for every other node. */
  readonly label: string | null;

  constructor(
    type: Type,
    origin: { primitive?: AnyPrimitive; inputs?: readonly Tensor[]; params?: unknown; value?: NDArray; label?: string },
  ) {
    this.shape = type.shape;
    this.dtype = type.dtype;
    this.parts = type.parts;
    this.primitive = origin.primitive ?? null;
    this.inputs = origin.inputs ?? [];
    this.params = origin.params;
    this.value = origin.value ?? null;
    this.label = origin.label ?? null;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((a, b) => a * b, 1);
  }
}

/** Applies a primitive: infers the type and adds a node. */
export function apply<P>(primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor {
  return new Tensor(primitive.type(inputs, params), { primitive, inputs, params });
}

/** A leaf with numbers. */
export function leaf(value: NDArray): Tensor {
  return new Tensor(value, { value });
}

/** A leaf without numbers: an argument of a trace. Reading it throws. */
export function placeholder(type: Type, label: string): Tensor {
  return new Tensor({ shape: type.shape, dtype: type.dtype }, { label });
}

export function isTensor(x: unknown): x is Tensor {
  return x instanceof Tensor;
}

export function smoothness(primitive: AnyPrimitive, input: number): Smoothness {
  return typeof primitive.smooth === "string" ? primitive.smooth : (primitive.smooth[input] ?? "jump");
}
