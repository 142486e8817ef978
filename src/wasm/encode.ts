/** The encoder: functions as they are appended instruction by instruction, and the modules they make up. */
export { Code } from "./encode/code.js";
export { ModuleBuilder } from "./encode/module.js";
export type { Callee, WasmType } from "./encode/types.js";
