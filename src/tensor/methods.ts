import type { TypedArray } from "../base/dtype.js";
import type { TensorLike } from "../graph/leaves.js";
import { Tensor } from "../graph/tensor.js";
import { installRuntime } from "../graph/trace.js";
import { item, type Nested, numbers, toArray } from "../runtime/read.js";
import { reference } from "../runtime/reference.js";
import * as elementwise from "./elementwise.js";
import * as reducing from "./reducing.js";
import * as shaping from "./shaping.js";

/**
 * The fluent methods, and the runtime that reads. This is the one file with an import side effect: it fills the prototype of
 * Tensor, so that graph/ needs to know nothing above it.
 */

/** A function of a tensor as its method: the first argument becomes `this`. */
type Method<F> = F extends (x: TensorLike, ...rest: infer R) => infer T ? (...rest: R) => T : never;

type Bound<T> = { readonly [K in keyof T]: Method<T[K]> };
type Methods = Bound<Omit<typeof elementwise, "where" | "polygamma" | "igammac">> &
  Bound<typeof reducing> &
  Bound<Omit<typeof shaping, "concat" | "stack" | "oneHot">>;

/** Functions whose first argument is not the tensor one would write in front of the dot. */
const functionsOnly: readonly string[] = ["where", "polygamma", "igammac", "concat", "stack", "oneHot"];

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

for (const [name, f] of [elementwise, reducing, shaping].flatMap((room) => Object.entries(room))) {
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
});

installRuntime(reference);
