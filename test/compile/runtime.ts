import { lower } from "../../src/compile/lower.js";
import type { Tensor } from "../../src/graph/tensor.js";
import type { Prepared, Runtime } from "../../src/graph/trace.js";
import { PlanRunner } from "./run.js";

/** A runtime that goes through plans: any test that runs on it tests the lowering. */
export const planRuntime: Runtime = {
  name: "plans",
  run: (outputs, feeds) => prepare(outputs, [...feeds.keys()])([...feeds.values()]),
  prepare,
};

function prepare(outputs: readonly Tensor[], inputs: readonly Tensor[]): Prepared {
  const plan = lower(outputs, inputs);
  return (values) => new PlanRunner(plan).run(values, outputs);
}
