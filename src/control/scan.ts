import { apply, type Primitive, type Tensor } from "../graph/tensor.js";
import { batchedScan } from "./batch.js";
import { tangentScan } from "./derivative.js";
import { type MakeScan, partsOfScan, runScan, type ScanParams, typeOfScan } from "./loop.js";
import { transposedScan } from "./pullback.js";

/** A scan with parts of its own, as a node. Inputs: first carries, stacked inputs [length, ...], constants. */
export const scanNode: MakeScan = (inputs, params): Tensor =>
  apply(scan, inputs, { ...params, parts: partsOfScan(params) });

/**
 * (carry, row of each stacked input, constants) -> (carry, outputs of the step), `length` times: the final carries and the stacked
 * outputs.
 */
export const scan: Primitive<ScanParams> = {
  name: "scan",
  type: typeOfScan,
  run: (inputs, params, _out, wanted) => runScan(inputs, params, wanted),
  needs: "all",
  jvp: tangentScan(scanNode),
  transpose: transposedScan(scanNode),
  linear: [],
  batch: batchedScan(scanNode),
  reads: (_params, inputs) => inputs.map(() => []),
  smooth: "smooth",
  laws: [],
  words: ({ length, reverse }) => `scan of ${length} steps${reverse ? " from the last" : ""}`,
};
