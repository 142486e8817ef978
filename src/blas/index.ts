/**
 * `import "samplegrad/node-blas"`: large matrix products by a BLAS of the system (OpenBLAS, Accelerate, BLIS, MKL), through the optional package
 * koffi. In Node alone; import it before the first computation.
 */
import { createRequire } from "node:module";
import { type InstallOptions, installBlas, type NodeBlas } from "./install.js";
import { findKoffi } from "./koffi.js";
import { variable } from "./places.js";

export type { NodeBlas } from "./install.js";

const options: InstallOptions = {
  platform: process.platform,
  chosen: process.env[variable],
  koffi: findKoffi(),
  require: createRequire(import.meta.url),
};

/** The library that was found. */
export const blas: NodeBlas = installBlas(options);
