import { structureOf } from "../compile/structure.js";
import type { Tensor } from "../graph/tensor.js";
import type { Prepared, Runtime } from "../graph/trace.js";
import { currentBlas } from "../wasm/blas.js";
import { memory } from "../wasm/memory.js";
import { threads } from "../wasm/threads/index.js";
import { Compiled } from "./compiled.js";
import { moveOldest } from "./resident.js";

/** The WASM runtime: a graph becomes one module over one arena, and a run is one call of it. */
export const engine: Runtime = {
  name: "wasm",
  run: (outputs, feeds) => prepare(outputs, [...feeds.keys()])([...feeds.values()]),
  prepare,
};

function prepare(outputs: readonly Tensor[], inputs: readonly Tensor[]): Prepared {
  let compiled = compiledFor(outputs, inputs);
  return (values) => {
    if (compiled.gone || (compiled.threaded && compiled.threads !== threads())) compiled = compiledFor(outputs, inputs);
    return compiled.run(values);
  };
}

/** Programs by structure, the one that was asked for last at the end. */
const programs = new Map<string, Compiled>();
const mostPrograms = 64;

function compiledFor(outputs: readonly Tensor[], inputs: readonly Tensor[]): Compiled {
  const key = `${currentBlas()?.name ?? ""} ${threads()} ${structureOf(outputs, inputs)}`;
  memory().makeRoom = makeRoom;
  const compiled = programs.get(key) ?? new Compiled(outputs, inputs);
  programs.delete(key);
  programs.set(key, compiled);
  for (const oldest of programs.keys()) {
    if (programs.size <= mostPrograms) break;
    programs.delete(oldest);
  }
  return compiled;
}

/** The memory is full: programs give theirs back, the one that was asked for first before the others, and results move out. */
function makeRoom(): boolean {
  for (const [key, compiled] of programs) {
    if (compiled.running) continue;
    programs.delete(key);
    if (compiled.giveBack()) return true;
  }
  return moveOldest();
}
