import { fail } from "../base/errors.js";
import type { Capability, Distribution } from "../distributions/distribution.js";
import type { Estimator } from "../estimators/estimator.js";
import type { TensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";

/** `sample`, `observe` and `randomKey` mean what the innermost handler says: draw, take a given value, score, record. */
export interface Handler {
  sample(d: Distribution<never>, options: SampleOptions<never>): Tensor;
  observe(d: Distribution<never>, value: TensorLike, options: { readonly name?: string }): Tensor;
  randomKey(name?: string): Tensor;
}

export interface SampleOptions<G extends Capability> {
  /** Unnamed sites are named by kind and order; a name keeps a site's noise when others are added. */
  readonly name?: string;
  readonly estimator?: Estimator<NoInfer<G>>;
}

const handlers: Handler[] = [];

export function handling<T>(handler: Handler, body: () => T): T {
  handlers.push(handler);
  try {
    return body();
  } finally {
    handlers.pop();
  }
}

function innermost(where: string, instead: string): Handler {
  return (
    handlers[handlers.length - 1] ??
    fail({ where, what: "nobody draws here: it works inside expectation(f)", write: instead })
  );
}

/**
 * A random choice x ~ d: a node of the stochastic computation graph.
 * @returns [...batchShape, ...eventShape]
 * @throws outside `expectation`, and where the estimator needs what the distribution does not give
 */
export function sample<G extends Capability>(d: Distribution<G>, options: SampleOptions<G> = {}): Tensor {
  return innermost("sample", "d.sample(key) for plain draws").sample(
    d as unknown as Distribution<never>,
    options as SampleOptions<never>,
  );
}

/** log p(value) of an observation, which handlers may record. @returns [...batchShape] */
export function observe<G extends Capability>(
  d: Distribution<G>,
  value: TensorLike,
  options: { readonly name?: string } = {},
): Tensor {
  return innermost("observe", "d.logProb(value)").observe(d as unknown as Distribution<never>, value, options);
}

/** A key of its own for each run, for noise that is not a site. @returns uint32 [2] */
export function randomKey(name?: string): Tensor {
  return innermost("randomKey", "key(seed), split or foldIn").randomKey(name);
}
