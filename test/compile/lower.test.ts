import "../../src/tensor/methods.js";
import { lower } from "../../src/compile/lower.js";
import { everyPrimitive } from "./everyPrimitive.js";
import { PlanRunner } from "./run.js";

/** A plan computes what the reference interpreter computes. */
everyPrimitive((outputs, inputs, values) => new PlanRunner(lower(outputs, inputs)).run(values, outputs));
