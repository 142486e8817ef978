import { mul, type Tensor, tensor } from "samplegrad";
import type { Scale } from "../workload.js";

/** What W3, W4 and W10 share: one Gaussian, differentiated in its two parameters. */
export type Gaussian = {
  /** [] */
  loc: Tensor;
  /** [] */
  scale: Tensor;
};

export function gaussian(loc: number, scale: number): Gaussian {
  return { loc: tensor(loc), scale: tensor(scale) };
}

/** f(x) = (x − 3)² sin x */
export function wave(x: Tensor): Tensor {
  return mul(x.sub(3).square(), x.sin());
}

export function numbers({ loc, scale }: Gaussian): readonly number[] {
  return [loc.item(), scale.item()];
}

/** Samples of W3 and W4. */
export function million(scale: Scale): number {
  return scale === "full" ? 1_000_000 : 1000;
}
