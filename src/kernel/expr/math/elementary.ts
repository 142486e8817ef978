/** What the elementary primitives are built of. */
export { exp, expm1 } from "./exp.js";
export { log, log1p } from "./log.js";
export { sigmoid, softplus } from "./sigmoid.js";
export { tanh } from "./tanh.js";
export { cos, sin } from "./trig.js";
