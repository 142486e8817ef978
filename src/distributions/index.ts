import type { AnyFamily } from "./distribution.js";
import { normalFamily } from "./normal.js";

export { Normal, type NormalParams } from "./normal.js";

/** Every family. The law tests walk this list: a new one is tested by existing. */
export const families: readonly AnyFamily[] = Object.freeze([normalFamily]);
