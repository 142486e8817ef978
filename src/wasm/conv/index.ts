import { planDots } from "./dotPlan.js";
import { emitDots } from "./dots.js";
import { lanesOf } from "./geometry.js";
import type { Add } from "./loops.js";
import { planPixels } from "./pixelPlan.js";
import { emitPixels } from "./pixels.js";
import type { ConvKernel, ConvRequest } from "./request.js";

export type { ConvStrides } from "./geometry.js";
export type { ConvKernel, ConvRequest } from "./request.js";

/** Code for any convolution of one to three axes. */
export function emitConv(request: ConvRequest, add: Add): ConvKernel {
  const lanes = lanesOf(request.dtype, request.numerics === "fast" && request.relaxed);
  const dots = planDots(request, request.strides, lanes);
  if (dots) return emitDots(dots, add);
  return emitPixels(planPixels(request, request.strides, lanes), add);
}
