import { bernoulliFamily } from "./bernoulli.js";
import { categoricalFamily } from "./categorical.js";
import type { AnyFamily } from "./distribution.js";
import { exponentialFamily } from "./exponential.js";
import { laplaceFamily } from "./laplace.js";
import { logNormalFamily } from "./logNormal.js";
import { normalFamily } from "./normal.js";
import { poissonFamily } from "./poisson.js";
import { uniformFamily } from "./uniform.js";

export { Bernoulli, type BernoulliParams } from "./bernoulli.js";
export { Categorical, type CategoricalParams } from "./categorical.js";
export { Exponential, type ExponentialParams } from "./exponential.js";
export { Laplace, type LaplaceParams } from "./laplace.js";
export { LogNormal, type LogNormalParams } from "./logNormal.js";
export { Normal, type NormalParams } from "./normal.js";
export { Poisson, type PoissonParams } from "./poisson.js";
export { Uniform, type UniformParams } from "./uniform.js";

/** Every family. The law tests walk this list: a new one is tested by existing. */
export const families: readonly AnyFamily[] = Object.freeze([
  normalFamily,
  uniformFamily,
  exponentialFamily,
  laplaceFamily,
  logNormalFamily,
  bernoulliFamily,
  categoricalFamily,
  poissonFamily,
]);
