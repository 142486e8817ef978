import { isFloat } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import type { Flow } from "../control/flow.js";
import { asTensor, type TensorLike } from "../graph/leaves.js";
import { apply, type Tensor } from "../graph/tensor.js";
import { validate } from "../primitives/check.js";
import { limit } from "../primitives/control.js";
import { siteParams } from "./differentiability.js";
import { typesOfParams } from "./site.js";

/**
 * The recorded values of a site [runs, ...site shape] in its dtype; with one run the first axis may be left out. They look at themselves
 * when they are computed: a value outside the support throws. (Where parameters move the support, only numbers that are none do.)
 * @throws where the shape does not fit, naming the site
 */
export function recordedFor(flow: Flow, site: Tensor, given: TensorLike, runs: number): Tensor {
  const { name, family } = siteParams(site);
  // Checked before they take the site's dtype: 1.5 as an index would become 1.
  const value = asTensor(given, isFloat(site.dtype) ? site.dtype : "float64");
  const shape = flow.shape(site);
  const expected = [runs, ...shape];
  const short = runs === 1 && value.rank === shape.length;
  if (String(short ? [1, ...value.shape] : value.shape) !== String(expected))
    fail({
      where: `given "${name}"`,
      got: `shape [${value.shape.join(", ")}]`,
      expected: `[${expected.join(", ")}]: samples, then the site`,
    });
  const support = family.support(typesOfParams(flow, site));
  const demand = {
    where: `given "${name}"`,
    name: "value",
    expected: support.expected,
    holds: support.holds,
    interval: support.interval,
    discrete: support.discrete,
  };
  const checked = constantOf(name, apply(validate, [value], demand)).toDType(site.dtype);
  return short ? checked.expandDims(0) : checked;
}

/** A derivative that comes in from outside would meet the score as well, which is none of the value's. */
function constantOf(name: string, value: Tensor): Tensor {
  return apply(limit, [value, value], {
    orders: 0,
    where: `given "${name}"`,
    what: "a recorded value is a constant, and a derivative comes into it",
    write: "stopGradient what is given, or pass it in data",
  });
}
