import { mul } from "../tensor/elementwise.js";
import type { Estimator } from "./estimator.js";

/**
 * Enumeration: Σ_k p_k(φ) L(k) over the joint outcomes of the site's mutually unaligned elements, exact in value and in every
 * derivative. The program runs once per outcome (N aligned elements with K values: K times, not K^N); later samples share their noise
 * across outcomes. Titsias & Lázaro-Gredilla 2015 (local expectation gradients).
 */
export function enumerate(): Estimator<"enumerate"> {
  return {
    name: "enumerate",
    needs: ["enumerate"],
    rest: "replay",
    bias: "none",
    orders: "any",
    baseline: "none",
    branches: true,
    estimate: ({ gives, params, outcome }) => {
      const value = outcome as NonNullable<typeof outcome>;
      // Outcomes are averaged with equal weights 1/K per element, so each is weighted with K·p.
      const ratio = mul(gives.enumerate.prob(value, params), gives.enumerate.size(params));
      return { value, weight: { kind: "density", ratio } };
    },
    cites: ["titsias2015local"],
  };
}
