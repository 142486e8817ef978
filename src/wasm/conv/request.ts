import type { ConvSpec } from "../../kernel/convSpec.js";
import type { Callee } from "../encode.js";
import type { ConvStrides } from "./geometry.js";

/** A convolution as the plan asks for it. */
export interface ConvRequest extends ConvSpec {
  readonly dtype: "float32" | "float64";
  readonly numerics: "exact" | "fast";
  /** Whether the engine has relaxed SIMD, which is used only where numerics are "fast". */
  readonly relaxed: boolean;
  /** Left out: all dense. */
  readonly strides?: ConvStrides;
}

/**
 * A convolution in units, each of which writes its own elements of the output, whole: any split of the units gives the same bits.
 * Input and kernel may be read up to 64 bytes past their ends, never before their beginnings.
 */
export interface ConvKernel {
  /** (input, kernel, output, shared, scratch, from, to): byte addresses, and the units to do. */
  readonly run: Callee;
  /** (input, kernel, shared, from, to): what all threads share, in units of its own; a barrier lies between it and `run`. */
  readonly prepare: Callee | null;
  readonly units: number;
  readonly prepareUnits: number;
  /** Of each thread; need not be zero. */
  readonly scratchBytes: number;
  /** Of all threads together. */
  readonly sharedBytes: number;
}
