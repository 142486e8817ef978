import { simplified } from "../control/simplify.js";
import type { Tensor } from "../graph/tensor.js";
import { currentRuntime, type Prepared, type Runtime } from "../graph/trace.js";
import type { NDArray } from "../kernel/ndarray.js";

/** A graph that is computed again and again: made ready by its first run, and anew where another runtime is installed. */
export class Computation {
  private readonly outputs: readonly Tensor[];
  private readonly inputs: readonly Tensor[];
  /** As they are computed; other transforms see `outputs`. */
  private simple: readonly Tensor[] | null = null;
  private runtime: Runtime | null = null;
  private prepared: Prepared | null = null;

  constructor(outputs: readonly Tensor[], inputs: readonly Tensor[]) {
    this.outputs = outputs;
    this.inputs = inputs;
  }

  /** The numbers of the outputs from those of the inputs. */
  run(values: readonly NDArray[]): NDArray[] {
    const now = currentRuntime();
    if (this.prepared === null || this.runtime !== now) {
      this.simple ??= simplified(this.outputs);
      this.prepared = now.prepare(this.simple, this.inputs);
      this.runtime = now;
    }
    return this.prepared(values);
  }
}
