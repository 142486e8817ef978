import type { Tensor } from "../graph/tensor.js";
import type { Step } from "./plan.js";

/** What a plan does not say of itself. */
export interface About {
  /** The nodes that became its inputs and outputs, for names and shapes. */
  readonly inputs?: readonly Tensor[];
  readonly outputs?: readonly Tensor[];
  /** Buffers outside the arena, which come and go by address. */
  readonly elsewhere?: ReadonlySet<number>;
  /** Nanoseconds that a step takes one thread; of a loop all its rows. */
  readonly timeOf?: (step: Step) => number;
  /** Whether the threads share a step. */
  readonly isShared?: (step: Step, inLoop: boolean) => boolean;
  /** How many threads there are. */
  readonly threads?: number;
}
