import { apply } from "../graph/tensor.js";
import { detach } from "../primitives/control.js";
import type { Baseline, Estimator } from "./estimator.js";

export interface ScoreFunctionOptions {
  /**
   * "leaveOneOut": the mean of what the other runs are charged (unbiased; needs two runs); "aligned": of the other elements along an
   * axis that every cost keeps; "none"; "auto" (default): the first that the program allows.
   */
  readonly baseline?: Baseline;
}

/**
 * Score function, the log-derivative trick: ∇E[L] = E[∇ log p(x; φ) · L(x)], as the weight box(log p), right at any order. For discrete
 * variables, black boxes and jumps; serves continuous ones too, with more variance. Williams 1992 (REINFORCE); Foerster et al. 2018
 * (DiCE); leave-one-out: Salimans & Knowles 2014, Kool et al. 2019.
 */
export function scoreFunction({ baseline = "auto" }: ScoreFunctionOptions = {}): Estimator<"logProb"> {
  return {
    name: "scoreFunction",
    needs: ["logProb"],
    rest: "observe",
    bias: "none",
    orders: "any",
    baseline,
    branches: false,
    estimate: ({ family, gives, params, stream, given }) => {
      const value = given ?? apply(detach, [family.sample(stream, params)], null);
      return { value, weight: { log: gives.logProb(value, family.scored?.(params) ?? params), kind: "box" } };
    },
    cites:
      baseline === "none" ? ["williams1992", "foerster2018dice"] : ["williams1992", "foerster2018dice", "kool2019buy4"],
  };
}
