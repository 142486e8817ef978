import { convLoop } from "../../src/kernel/conv.js";
import type { ConvSpec } from "../../src/kernel/convSpec.js";
import { dense } from "../../src/kernel/ndarray.js";
import { windowAxes } from "../../src/kernel/window.js";
import { type ConvKernel, type ConvRequest, emitConv } from "../../src/wasm/conv/index.js";
import { ModuleBuilder } from "../../src/wasm/encode.js";

/** A convolution made by `emitConv` in a memory of its own, with marked bytes around everything that may not be written. */

type Run = (...args: number[]) => void;
export type Floats = Float32Array | Float64Array;

export const total = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Elements of input, kernel and output. */
export interface Lengths {
  readonly input: number;
  readonly kernel: number;
  readonly output: number;
}

export function sizesOf(spec: ConvSpec): Lengths {
  const { batch, groups, channels, filters } = spec;
  return {
    input: batch * groups * channels * total(spec.sizes),
    kernel: groups * filters * channels * total(spec.window),
    output: batch * groups * filters * total(spec.outs),
  };
}

export interface Machine {
  readonly kernel: ConvKernel;
  readonly input: Floats;
  readonly weights: Floats;
  readonly output: Floats;
  /** Does everything as so many threads would, last thread first: none may need what another one did. */
  go(threads: number): void;
  /** Whether no byte was written that must not be. */
  intact(): boolean;
}

/**
 * @param mark the byte that everything begins as: of 255 every number is NaN, so that whatever is read where nothing was written shows;
 * but an instruction that meets NaN makes those bytes too, so that only of another one all writes show
 */
export function machine(request: ConvRequest, threads = 3, lengths: Lengths = sizesOf(request), mark = 0xa5): Machine {
  const builder = new ModuleBuilder();
  const names: Record<string, string> = { conv: "run", "conv prepare": "prepare" };
  const kernel = emitConv(request, (code, label) => builder.add(code, label, names[label]));
  const width = request.dtype === "float32" ? 4 : 8;
  const places: number[] = [];
  let at = 128;
  const room = (bytes: number): number => {
    const start = at;
    places.push(start, bytes);
    at = Math.ceil((at + bytes + 192) / 64) * 64;
    return start;
  };
  const input = room(lengths.input * width);
  const weights = room(lengths.kernel * width);
  const output = room(lengths.output * width);
  const shared = room(kernel.sharedBytes);
  const scratch = Array.from({ length: threads }, () => room(kernel.scratchBytes));
  const pages = Math.ceil((at + 65536) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  new Uint8Array(memory.buffer).fill(mark);
  const module = new WebAssembly.Module(builder.bytes({ shared: false, pages: [pages, pages] }));
  const { run, prepare } = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
    "run" | "prepare",
    Run
  >;
  const floats = (from: number, n: number): Floats =>
    width === 4 ? new Float32Array(memory.buffer, from, n) : new Float64Array(memory.buffer, from, n);
  const share = (units: number, t: number, count: number): number => Math.floor((t * units) / count);
  return {
    kernel,
    input: floats(input, lengths.input),
    weights: floats(weights, lengths.kernel),
    output: floats(output, lengths.output),
    go(count) {
      const { units, prepareUnits } = kernel;
      for (let t = count - 1; t >= 0 && kernel.prepare; t--)
        prepare(input, weights, shared, share(prepareUnits, t, count), share(prepareUnits, t + 1, count));
      for (let t = count - 1; t >= 0; t--)
        run(input, weights, output, shared, scratch[t] as number, share(units, t, count), share(units, t + 1, count));
    },
    intact() {
      const bytes = new Uint8Array(memory.buffer);
      let from = 0;
      for (let i = 0; i < places.length; i += 2) {
        const start = places[i] as number;
        for (; from < start; from++) if (bytes[from] !== mark) return false;
        from = start + (places[i + 1] as number);
      }
      for (; from < bytes.length; from++) if (bytes[from] !== mark) return false;
      return true;
    },
  };
}

/** The reference kernel on the same numbers, in float64. */
export function reference(spec: ConvSpec, input: ArrayLike<number>, kernel: ArrayLike<number>): Float64Array {
  const { batch, groups, channels, filters, sizes, window, outs } = spec;
  const shape = [batch, groups * channels, ...sizes];
  const axes = windowAxes(shape, window, { ...spec, size: outs });
  return convLoop(
    dense(Float64Array.from(input), "float64", shape),
    dense(Float64Array.from(kernel), "float64", [groups * filters, channels, ...window]),
    axes,
    groups,
    "float64",
  ).data as Float64Array;
}
