import { linearPrograms } from "./creditLinear.js";
import { loopPrograms } from "./creditLoops.js";
import { mixedPrograms } from "./creditMixed.js";
import type { CreditProgram } from "./creditProgram.js";
import { shapedPrograms } from "./creditShaped.js";

export type { CreditProgram } from "./creditProgram.js";

export const creditPrograms: readonly CreditProgram[] = [
  ...linearPrograms,
  ...shapedPrograms,
  ...mixedPrograms,
  ...loopPrograms,
];
