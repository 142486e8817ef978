import type { DType } from "../base/dtype.js";
import type { Shape } from "../base/shape.js";
import type { AnyPrimitive, Tensor } from "../graph/tensor.js";
import type { ConvSpec } from "../kernel/convSpec.js";
import type { Block } from "../kernel/expr/block.js";

export type { ConvSpec };

/**
 * A plan: what a graph becomes before anybody runs it. Buffers of one arena and steps over them, which say which loops run over which
 * numbers and know nothing of the machine. The emitter turns each step into functions; a step of many elements is split into units
 * with fixed boundaries, so that results do not depend on who computes which.
 */
export interface Plan {
  readonly buffers: readonly Buffer[];
  readonly rounds: Rounds;
  /** Buffers of the inputs of the graph, in order; null: nobody reads it. */
  readonly inputs: readonly (number | null)[];
  /** Where the outputs lie once all steps are done. */
  readonly outputs: readonly Place[];
  /** How many loop counters there are: int32 words that say at which row the loops stand. */
  readonly cells: number;
}

export interface Buffer {
  readonly dtype: DType;
  /** In elements. */
  readonly size: number;
  /** Numbers it has from the start. */
  readonly constant: ArrayLike<number> | null;
}

/** Where numbers lie: element `offset` of a buffer, moved on by the rows at which the loops around stand. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
  readonly rows: readonly { readonly cell: number; readonly stride: number }[];
}

/** Numbers seen as an array over the domain of a group: strides in elements, 0 where they repeat, negative where they run backwards. */
export interface View {
  readonly place: Place;
  readonly dtype: DType;
  readonly strides: readonly number[];
}

/** Steps in the order they run; those of one round are independent of each other. */
export type Rounds = readonly (readonly Step[])[];

export type Step = Group | Matmul | Conv | Host | Loop | Branch | Copy | Alarm;

/** How the elements of a group's domain are reduced. */
export type Layout =
  /** No reduction, or one of all elements. */
  | { readonly kind: "flat" }
  /** Each run of `length` successive elements is reduced: the domain is [rows, length]. */
  | { readonly kind: "rows"; readonly length: number }
  /** Elements `length` apart are reduced: the domain is [rows, length]. */
  | { readonly kind: "columns"; readonly length: number };

/**
 * Stages over one domain, executed strip by strip: a strip is a run of elements small enough that what passes from stage to stage stays
 * in the nearest cache. Strips are numbered slots of scratch memory, [strip] elements each; bool is held there as 32-bit masks.
 */
export interface Group {
  readonly kind: "group";
  readonly shape: Shape;
  readonly layout: Layout;
  /** Elements per strip at most; of short rows and columns a whole number of them. */
  readonly strip: number;
  /** The types of the slots. */
  readonly slots: readonly DType[];
  readonly stages: readonly Stage[];
}

export type Stage = Gather | Bits | Map | Reduce | Scatter;

/** Copies the elements of a view into a slot. */
export interface Gather {
  readonly kind: "gather";
  readonly from: View;
  readonly to: number;
  /** The same for every strip: it is done once, before the first. */
  readonly once: boolean;
  /**
   * Elements whose index along `axis` of the domain is outside [low, high), or not a multiple of `step` away from low, are 0 and not read.
   * The view's place is that of an element at index 0 of every axis, whether or not it exists.
   */
  readonly inside?: readonly {
    readonly axis: number;
    readonly low: number;
    readonly high: number;
    readonly step: number;
  }[];
}

/**
 * Words of a Threefry-2x32-20 stream: element i of the domain is word start · size + i (kernel/threefry.ts says how blocks serve words).
 * key: two uint32; start: one uint32, the number of the first run.
 */
export interface Bits {
  readonly kind: "bits";
  readonly key: Place;
  readonly start: Place;
  /** Words per run. */
  readonly size: number;
  readonly lane: -1 | 0 | 1;
  readonly to: number;
}

export type Source =
  | { readonly kind: "slot"; readonly slot: number }
  /** The elements as they lie, one per element of the domain. */
  | { readonly kind: "stream"; readonly place: Place; readonly dtype: DType }
  /** One number for all. */
  | { readonly kind: "scalar"; readonly place: Place; readonly dtype: DType };

export type Target =
  | { readonly kind: "slot"; readonly slot: number }
  | { readonly kind: "stream"; readonly place: Place; readonly dtype: DType };

/** What each element computes. */
export interface Map {
  readonly kind: "map";
  readonly block: Block;
  readonly inputs: readonly Source[];
  readonly outputs: readonly Target[];
}

/** Reduces a slot by the group's layout into one number, a number per row, or a number per column. */
export interface Reduce {
  readonly kind: "reduce";
  /** Sums of float32 are float32 within fixed blocks and float64 across them; of whole numbers they wrap. */
  readonly op: "sum" | "max" | "min";
  readonly from: number;
  readonly to: Place;
  readonly dtype: DType;
}

/** Copies a slot to where a view says; no two elements to one place. */
export interface Scatter {
  readonly kind: "scatter";
  readonly from: number;
  readonly to: View;
}

/** C[b] = A[b]·B[b], all row-major: A is [m, k], or [k, m] read as its transpose; B is [k, n], or [n, k] read as its transpose. */
export interface Matmul {
  readonly kind: "matmul";
  readonly dtype: "float32" | "float64";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Place;
  readonly batch: number;
}

export interface Operand {
  readonly place: Place;
  readonly transposed: boolean;
  /** Elements from row to row as they lie in memory. */
  readonly lead: number;
  /** Elements from one matrix of the batch to the next; 0: the same. */
  readonly step: number;
}

/** Input [batch, groups · channels, ...sizes] with kernel [groups · filters, channels, ...window] -> [batch, groups · filters, ...outs]. */
export interface Conv {
  readonly kind: "conv";
  readonly dtype: "float32" | "float64";
  readonly input: Place;
  readonly kernel: Place;
  readonly output: Place;
  readonly spec: ConvSpec;
}

/** The reference kernel of a primitive, on views of the arena. */
export interface Host {
  readonly kind: "host";
  readonly primitive: AnyPrimitive;
  readonly node: Tensor;
  readonly params: unknown;
  /** Null where the kernel needs no numbers. Row-major. */
  readonly inputs: readonly (Place | null)[];
  readonly wanted: ReadonlySet<number>;
  /** Of an operation with several results one per part; null: nobody reads it. */
  readonly outputs: readonly (Place | null)[];
}

/** `rounds` for each row. */
export interface Loop {
  readonly kind: "loop";
  readonly length: number;
  readonly reverse: boolean;
  /** The counter that says the row. */
  readonly cell: number;
  readonly rounds: Rounds;
  /** A bool carry: once none of its elements holds before a row, the loop ends. */
  readonly alive: { readonly place: Place; readonly size: number } | null;
  /** Stacked results: a loop that ends early runs one more row, which speaks for all that are left. Empty: it need not. */
  readonly stacked: readonly Stacked[];
}

/** Rows of `size` elements one after another. */
export interface Stacked {
  readonly place: Place;
  readonly dtype: DType;
  readonly size: number;
}

export interface Branch {
  readonly kind: "branch";
  readonly condition: Place;
  readonly sides: readonly [Rounds, Rounds];
}

/** Says that numbers are not what they should be, where a bool holds; the plan runs on. */
export interface Alarm {
  readonly kind: "alarm";
  readonly flag: Place;
}

/** Whole runs of elements, which may not overlap. */
export interface Copy {
  readonly kind: "copy";
  readonly dtype: DType;
  readonly from: Place;
  readonly to: Place;
  readonly size: number;
}
