import "../../src/tensor/methods.js";
import { engine } from "../../src/runtime/engine.js";
import { everyPrimitive } from "../compile/everyPrimitive.js";

/** The engine computes what the reference interpreter computes. */
everyPrimitive((outputs, inputs, values) => engine.prepare(outputs, inputs)(values));
