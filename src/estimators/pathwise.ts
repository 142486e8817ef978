import type { Estimator } from "./estimator.js";

/**
 * Pathwise: x = g(ε, φ) with the noise ε held constant, ∇E[L] = E_ε[∇L(g(ε, φ))]; the talk's one-liners. The default for continuous
 * variables whose cost is continuous in them. Kingma & Welling 2014; Rezende, Mohamed & Wierstra 2014.
 */
export function pathwise(): Estimator<"reparam"> {
  return {
    name: "pathwise",
    needs: ["reparam"],
    rest: "differentiate",
    bias: "none",
    orders: "any",
    baseline: "none",
    branches: false,
    estimate: ({ gives, params, stream }) => {
      const first = Object.values(params)[0] as (typeof params)[string];
      return { value: gives.reparam.value(gives.reparam.noise(stream, first.shape, params), params) };
    },
    cites: ["kingma2014vae", "rezende2014stochastic"],
  };
}
