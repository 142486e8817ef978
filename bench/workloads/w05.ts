import type { Workload } from "../workload.js";

/** W5: d/d(α, β) of the mean of a million log(1 + x), x ~ Gamma(2.5, rate 1.3), implicit reparametrisation. */
export const w05: Workload = { name: "W5", variants: [], reason: "needs Gamma (distributions)" };
