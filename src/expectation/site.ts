import { NoGradientError } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import type { Flow } from "../control/flow.js";
import { type AnyFamily, batchShapeOf, type Params } from "../distributions/distribution.js";
import type { AnyEstimator } from "../estimators/estimator.js";
import { type Interval, interval } from "../graph/interval.js";
import { onHost } from "../graph/lowering.js";
import { leading } from "../graph/reads.js";
import { apply, type Primitive, placeholder, type Tensor, type Type } from "../graph/tensor.js";
import { allBatched, reshapeTo, sliceAxis } from "../primitives/linear.js";

/** What a `sample` node knows beside its inputs, the parameters of the distribution in the order of `names`. */
export interface SiteParams {
  readonly name: string;
  readonly family: AnyFamily;
  readonly names: readonly string[];
  readonly estimator: AnyEstimator | null;
}

export function paramsOf(node: Tensor, inputs: readonly Tensor[] = node.inputs): Params {
  const { names } = node.params as SiteParams;
  return Object.fromEntries(names.map((name, i) => [name, inputs[i] as Tensor]));
}

function typed({ family, names }: SiteParams, inputs: readonly Type[]): { batch: Shape; type: Type } {
  // Families look at shapes and dtypes only here, which types have.
  const p = Object.fromEntries(names.map((name, i) => [name, inputs[i] as Tensor]));
  const batch = batchShapeOf(family, p);
  return { batch, type: { shape: [...batch, ...family.eventShape(p)], dtype: family.dtype(p) } };
}

export function batchShapeOfSite(node: Tensor): Shape {
  return typed(node.params as SiteParams, node.inputs).batch;
}

/** The parameters of all steps, as far as their shapes go. */
export function typesOfParams(flow: Flow, node: Tensor): Params {
  if (flow.times(node).length === 0) return paramsOf(node);
  const { names } = node.params as SiteParams;
  return Object.fromEntries(
    names.map((name, i) => {
      const { dtype, shape } = node.inputs[i] as Tensor;
      return [name, placeholder({ shape: [...flow.times(node), ...shape], dtype }, name)];
    }),
  );
}

/** The batch shape of all steps of the loops around a site. */
export function batchOf(flow: Flow, node: Tensor): Shape {
  return [...flow.times(node), ...batchShapeOfSite(node)];
}

/** A random choice in a traced program: it has a law, and neither a value nor a derivative until the rewrite gives it both. */
export const sampleNode: Primitive<SiteParams> = {
  name: "sample",
  type: (inputs, params) => typed(params, inputs).type,
  run: (_inputs, { name, family }) => unrewritten(name, family),
  needs: [],
  jvp: (_tangents, _inputs, { name, family }) => unrewritten(name, family),
  transpose: null,
  linear: [],
  batch: (inputs, batched, params, size) => {
    const count = params.names.length;
    const laws = allBatched(inputs.slice(0, count), batched.slice(0, count), size);
    // All lanes are at one step.
    const steps = inputs.slice(count).map((x, k) => (batched[count + k] ? reshapeTo(sliceAxis(x, 0, 0, 1), []) : x));
    return apply(sampleNode, [...laws, ...steps], params);
  },
  reads: (params, inputs) => {
    const { length } = typed(params, inputs).batch;
    return inputs.map(({ shape }) => leading(shape, length));
  },
  smooth: "smooth",
  range: (inputs, params, node) => supportOf(inputs, params, node),
  lower: onHost,
  laws: [],
  words: ({ family }) => `sample ${family.name}`,
};

/** Of a continuous law, without the ends: a sample is there with probability 0. */
function supportOf(inputs: readonly Interval[], { family, names }: SiteParams, node: Tensor): Interval {
  const { interval: known, ends, discrete } = family.support(paramsOf(node));
  const [low, high] = ends ? ends.map((name) => inputs[names.indexOf(name)]) : [];
  return { ...interval(low?.lo ?? known[0], high?.hi ?? known[1], [!discrete, !discrete]), random: true };
}

function unrewritten(name: string, family: AnyFamily): never {
  throw new NoGradientError({
    where: `sample "${name}"`,
    what: `a ${family.name} sample has no number and no derivative while the program is traced`,
    write:
      "expectation(f, { dynamic: true }) if the program reads its samples, and E.valueAndGrad for the gradient of the expectation",
  });
}
