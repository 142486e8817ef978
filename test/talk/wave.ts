import { type Distribution, Normal, type Tensor } from "../../src/index.js";
import { f64 } from "./judge.js";

/**
 * The running example of the derivations: x ~ N(μ, σ) and L(x) = x² sin x, whose expectation is known in closed form
 * from that of x² e^(ix), ((μ + iσ²)² + σ²) e^(iμ − σ²/2).
 */
export interface Theta {
  readonly mu: Tensor;
  readonly sigma: Tensor;
}

export const at = { mu: 1, sigma: 0.6 };
export const theta: Theta = { mu: f64(at.mu), sigma: f64(at.sigma) };

export const law = ({ mu, sigma }: Theta): Distribution<"logProb" | "reparam"> => Normal({ loc: mu, scale: sigma });
export const cost = (x: Tensor): Tensor => x.square().mul(x.sin());
export const slopeOfCost = (x: Tensor): Tensor => x.mul(2).mul(x.sin()).add(x.square().mul(x.cos()));

/** E[x² sin x] */
export function exactValue({ mu, sigma }: typeof at): number {
  const v = sigma ** 2;
  return Math.exp(-v / 2) * ((mu ** 2 - v ** 2 + v) * Math.sin(mu) + 2 * mu * v * Math.cos(mu));
}

/** Its derivatives in μ and σ. */
export function exactGrad({ mu, sigma }: typeof at): typeof at {
  const v = sigma ** 2;
  const a = mu ** 2 - v ** 2 + v;
  const b = 2 * mu * v;
  const scale = Math.exp(-v / 2);
  const [sin, cos] = [Math.sin(mu), Math.cos(mu)];
  return {
    mu: scale * ((2 * mu - b) * sin + (a + 2 * v) * cos),
    sigma: scale * ((2 * sigma - 4 * sigma ** 3 - sigma * a) * sin + (4 * mu * sigma - sigma * b) * cos),
  };
}
