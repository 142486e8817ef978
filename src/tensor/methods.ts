import type { TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { show } from "../base/shape.js";
import type { TensorLike } from "../graph/leaves.js";
import { Tensor } from "../graph/tensor.js";
import { installDefault } from "../runtime/choose.js";
import { item, type Nested, numbers, toArray } from "../runtime/read.js";
import * as conv from "./conv.js";
import * as cumulative from "./cumulative.js";
import * as einsum from "./einsum.js";
import * as elementwise from "./elementwise.js";
import * as fourier from "./fourier.js";
import * as indexing from "./indexing.js";
import * as integer from "./integer.js";
import * as interpolate from "./interpolate.js";
import * as linalg from "./linalg.js";
import * as matrices from "./matrices.js";
import * as norms from "./norms.js";
import * as order from "./order.js";
import * as padding from "./padding.js";
import * as pooling from "./pooling.js";
import * as reducing from "./reducing.js";
import * as resampling from "./resampling.js";
import * as shaping from "./shaping.js";
import * as statistics from "./statistics.js";

/**
 * The fluent methods, and the runtime that reads. This is the one file with an import side effect: it fills the prototype of
 * Tensor, so that graph/ needs to know nothing above it.
 */

/** A function of a tensor as its method: the first argument becomes `this`. */
type Method<F> = F extends (x: TensorLike, ...rest: infer R) => infer T ? (...rest: R) => T : never;

type Bound<T> = { readonly [K in keyof T]: Method<T[K]> };
type Methods = Bound<Omit<typeof elementwise, "where" | "polygamma" | "igammac">> &
  Bound<typeof reducing> &
  Bound<typeof conv> &
  Bound<typeof interpolate> &
  Bound<typeof linalg> &
  Bound<typeof matrices> &
  Bound<typeof norms> &
  Bound<typeof pooling> &
  Bound<typeof statistics> &
  Bound<typeof resampling> &
  Bound<Omit<typeof cumulative, "linearRecurrence">> &
  Bound<Omit<typeof einsum, "einsum">> &
  Bound<Pick<typeof fourier, "rfft">> &
  Bound<Omit<typeof indexing, "select" | "meshgrid" | "linspace">> &
  Bound<typeof integer> &
  Bound<typeof order> &
  Bound<typeof padding> &
  Bound<Omit<typeof shaping, "concat" | "stack" | "oneHot">>;

/** Functions whose first argument is not the tensor one would write in front of the dot. */
const functionsOnly: readonly string[] = [
  "where",
  "polygamma",
  "igammac",
  "concat",
  "stack",
  "oneHot",
  "linearRecurrence",
  "einsum",
  "fft",
  "ifft",
  "irfft",
  "select",
  "meshgrid",
  "linspace",
];

declare module "../graph/tensor.js" {
  interface Tensor extends Methods {
    /** The one number of a tensor with one element. @throws on others, and on placeholders */
    item(): number;
    /** The numbers as nested arrays. */
    toArray(): Nested;
    /** The numbers, row-major, as a typed array of the dtype; works on every backend. */
    data(): Promise<TypedArray>;
  }
}

for (const [name, f] of [
  elementwise,
  reducing,
  cumulative,
  einsum,
  fourier,
  indexing,
  integer,
  order,
  padding,
  conv,
  interpolate,
  linalg,
  matrices,
  norms,
  pooling,
  resampling,
  shaping,
  statistics,
].flatMap((room) => Object.entries(room))) {
  if (functionsOnly.includes(name)) continue;
  const call = f as (x: Tensor, ...rest: unknown[]) => Tensor;
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]): Tensor {
      return call(this, ...rest);
    },
  });
}
Object.defineProperties(Tensor.prototype, {
  item: {
    value(this: Tensor): number {
      return item(this);
    },
  },
  toArray: {
    value(this: Tensor): Nested {
      return toArray(this);
    },
  },
  data: {
    async value(this: Tensor): Promise<TypedArray> {
      return numbers(this);
    },
  },
  // Without it `x > 0` would compare the text of x, and be false for every x.
  [Symbol.toPrimitive]: {
    value(this: Tensor, hint: string): string {
      if (hint === "string") return `tensor ${this.dtype}${show(this.shape)}`;
      return fail({
        where: "tensor",
        got: `a tensor ${show(this.shape)} where a number is needed, as in x > 0 or x + 1`,
        expected: "a number",
        write: "x.item() to read it, or x.greater(0) and where(mask, a, b), x.add(1) to compute with tensors",
      });
    },
  },
});

installDefault();
