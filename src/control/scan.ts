import { apply, type Primitive, type Tensor } from "../graph/tensor.js";
import { part } from "../primitives/tuple.js";
import { batchedScan } from "./batch.js";
import { tangentScan } from "./derivative.js";
import { readsThrough } from "./influence.js";
import { scanLaws } from "./laws.js";
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
  reads: (params, inputs, _out, index) => readsThrough(inputs, (outer) => part(apply(scan, outer, params), index)),
  smooth: "smooth",
  lower: { kind: "loop" },
  laws: scanLaws,
  words: ({ length, reverse }) => `scan of ${length} steps${reverse ? " from the last" : ""}`,
};
