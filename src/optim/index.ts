import { adam } from "./adam.js";
import type { LearningRate, Optimizer } from "./optimizer.js";
import { sgd } from "./sgd.js";

export { type AdamOptions, adam } from "./adam.js";
export type { LearningRate, Optimizer, OptimizerState } from "./optimizer.js";
export { type SgdOptions, sgd } from "./sgd.js";

/** Every optimizer, with each of its variants. The law test walks this list: a new one is tested by existing. */
export const optimizers: readonly ((learningRate: LearningRate) => Optimizer)[] = Object.freeze([
  (learningRate: LearningRate) => sgd({ learningRate }),
  (learningRate: LearningRate) => sgd({ learningRate, momentum: 0.9 }),
  (learningRate: LearningRate) => adam({ learningRate }),
]);
