import { fail } from "../base/errors.js";
import { installRuntime } from "../graph/trace.js";
import { engine } from "./engine.js";
import { reference } from "./reference.js";

const runtimes = { reference, wasm: engine } as const;

/**
 * Who computes from now on: "reference", the interpreter (the default), or "wasm", which compiles each graph to one WebAssembly module
 * before it runs: worth it for what runs often. Both agree to rounding.
 * @throws on any other name, or where the machine has no WebAssembly SIMD
 */
export function setRuntime(name: "reference" | "wasm"): void {
  const runtime = runtimes[name];
  if (runtime === undefined)
    fail({ where: "setRuntime", got: JSON.stringify(name) ?? "nothing", expected: '"reference" or "wasm"' });
  installRuntime(runtime);
}
