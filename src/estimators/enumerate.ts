import { add, log } from "../tensor/elementwise.js";
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
      const p = gives.enumerate.prob(value, params);
      // log p would make the derivative at p = 0 the product 0·∞; the least number is lost beside any p that matters.
      const least = p.dtype === "float64" ? 1e-290 : 1e-30;
      // Outcomes are averaged with equal weights 1/K per element, so each is weighted with K·p.
      const weight = add(log(add(p, least)), Math.log(gives.enumerate.size(params)));
      return { value, weight: { log: weight, kind: "density" } };
    },
    cites: ["titsias2015local"],
  };
}
