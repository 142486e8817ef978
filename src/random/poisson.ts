import { apply, type Tensor } from "../graph/tensor.js";
import { poissonInverse } from "../primitives/special.js";
import { floatType, type Stream, uniform } from "./uniform.js";

/** Counts of mean `rate` by inversion of one uniform: draws of one stream at two rates are coupled. rate [...batch] -> [...batch] */
export function poisson(stream: Stream, rate: Tensor): Tensor {
  return apply(poissonInverse, [uniform(stream, rate.shape, floatType("poisson", rate)), rate], null);
}
