import type { DType } from "../base/dtype.js";
import { allocate, type TypedArray } from "../base/dtype.js";
import { sizeOf } from "../base/shape.js";
import { bytesOf } from "../compile/arena.js";
import { lower } from "../compile/lower.js";
import type { Host, Place, Plan } from "../compile/plan.js";
import type { Tensor } from "../graph/tensor.js";
import type { Prepared, Runtime } from "../graph/trace.js";
import { dense, elements, type NDArray } from "../kernel/ndarray.js";
import { freeWith, memory, type Region, type Views } from "../wasm/memory.js";
import { type EmittedProgram, emitProgram } from "../wasm/program.js";
import { features } from "../wasm/threads/features.js";

/** The WASM runtime: a graph becomes one module over one arena, and a run is one call of it. */
export const engine: Runtime = {
  name: "wasm",
  run: (outputs, feeds) => prepare(outputs, [...feeds.keys()])([...feeds.values()]),
  prepare,
};

function prepare(outputs: readonly Tensor[], inputs: readonly Tensor[]): Prepared {
  const program = new Compiled(outputs, inputs);
  return (values) => program.run(values);
}

/** A plan that can run. */
class Compiled {
  private readonly plan: Plan;
  private readonly emitted: EmittedProgram;
  private readonly start: () => void;
  private readonly outputs: readonly Tensor[];

  constructor(outputs: readonly Tensor[], inputs: readonly Tensor[]) {
    this.outputs = outputs;
    this.plan = lower(outputs, inputs);
    const { shared, pages, wasm } = memory();
    let region: Region | null = null;
    this.emitted = emitProgram(this.plan, {
      numerics: "exact",
      relaxed: features().relaxedSimd,
      shared,
      pages,
      allocate: (bytes) => {
        region = memory().allocate(bytes);
        return region.address;
      },
    });
    freeWith(this, region as unknown as Region);
    this.writeConstants();
    const env = { memory: wasm, host: (k: number) => this.host(k), ...Object.fromEntries(this.emitted.calls) };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(this.emitted.bytes), { env });
    this.start = instance.exports.run as () => void;
  }

  private writeConstants(): void {
    const views = memory().views();
    this.plan.buffers.forEach(({ dtype, size, constant }, i) => {
      if (constant) view(views, dtype, this.emitted.addresses[i] as number, size).set(constant);
    });
  }

  run(values: readonly NDArray[]): NDArray[] {
    const views = memory().views();
    this.plan.inputs.forEach((buffer, i) => {
      if (buffer === null) return;
      const value = values[i] as NDArray;
      const address = this.emitted.addresses[buffer] as number;
      if (value.shape.length === 0) view(views, value.dtype, address, 1)[0] = value.data[value.offset] as number;
      else view(views, value.dtype, address, sizeOf(value.shape)).set(elements(value));
    });
    this.start();
    return this.outputs.map(({ dtype, shape }, i) => {
      const size = sizeOf(shape);
      const out = allocate(dtype, size);
      const at = this.address(this.plan.outputs[i] as Place, views);
      out.set(view(memory().views(), dtype, at, size));
      return dense(out, dtype, shape);
    });
  }

  private address({ buffer, offset, rows }: Place, { i32 }: Views): number {
    const bytes = bytesOf((this.plan.buffers[buffer] as { dtype: DType }).dtype);
    const base = (this.emitted.addresses[buffer] as number) + offset * bytes;
    return rows.reduce(
      (sum, { cell, stride }) => sum + (i32[(this.emitted.cells >> 2) + cell] as number) * stride * bytes,
      base,
    );
  }

  /** A step whose kernel is the reference's, on copies: kernels may keep what they are given. */
  private host(k: number): void {
    const { primitive, params, node, inputs, outputs, wanted } = this.emitted.hosts[k] as Host;
    const before = memory().views();
    const values = node.inputs.map((x, i) => {
      const place = inputs[i] ?? null;
      if (place === null) return dense(allocate(x.dtype, 0), x.dtype, [0]);
      const numbers = allocate(x.dtype, x.size);
      numbers.set(view(before, x.dtype, this.address(place, before), x.size));
      return dense(numbers, x.dtype, x.shape);
    });
    const result = primitive.run(values, params, node, wanted);
    const parts = node.parts ? (result.parts as readonly NDArray[]) : [result];
    const after = memory().views();
    outputs.forEach((place, i) => {
      if (place === null) return;
      const part = parts[i] as NDArray;
      view(after, part.dtype, this.address(place, after), sizeOf(part.shape)).set(elements(part));
    });
  }
}

/** Numbers of a type from a byte address on. */
function view(views: Views, dtype: DType, address: number, size: number): TypedArray {
  switch (dtype) {
    case "float32":
      return views.f32.subarray(address / 4, address / 4 + size);
    case "float64":
      return views.f64.subarray(address / 8, address / 8 + size);
    case "int32":
      return views.i32.subarray(address / 4, address / 4 + size);
    case "uint32":
      return views.u32.subarray(address / 4, address / 4 + size);
    case "bool":
      return views.u8.subarray(address, address + size);
  }
}
