import { allocate, type DType, type TypedArray } from "../../src/base/dtype.js";
import { sizeOf, stridesOf } from "../../src/base/shape.js";
import { arenaOf } from "../../src/compile/arena.js";
import type {
  Bits,
  Conv,
  Gather,
  Group,
  Host,
  Loop,
  Map as MapStage,
  Matmul,
  Place,
  Plan,
  Reduce,
  Rounds,
  Step,
  View,
} from "../../src/compile/plan.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { convLoop } from "../../src/kernel/conv.js";
import { interpret } from "../../src/kernel/expr/interpret.js";
import { dense, elements, type NDArray } from "../../src/kernel/ndarray.js";
import { fillBits } from "../../src/kernel/threefry.js";
import { windowAxes } from "../../src/kernel/window.js";

/** Runs a plan one element after another, whole domains instead of strips: what a plan means, for checking those who make plans. */
export class PlanRunner {
  readonly memory: TypedArray[];
  private readonly cells: number[];
  private readonly plan: Plan;
  /** How many groups, products, ... ran. */
  readonly counts: Map<string, number> = new Map<string, number>();

  constructor(plan: Plan) {
    this.plan = plan;
    this.cells = new Array<number>(plan.cells).fill(0);
    const { offsets, bytes } = arenaOf(plan);
    const arena = new ArrayBuffer(bytes);
    this.memory = plan.buffers.map(({ dtype, size, constant }, i) => {
      const numbers = on(arena, dtype, offsets[i] as number, size);
      if (constant) numbers.set(constant);
      return numbers;
    });
  }

  run(inputs: readonly NDArray[], outputs: readonly Tensor[]): NDArray[] {
    this.plan.inputs.forEach((buffer, i) => {
      if (buffer !== null) (this.memory[buffer] as TypedArray).set(elements(inputs[i] as NDArray));
    });
    this.rounds(this.plan.rounds);
    return outputs.map(({ dtype, shape }, i) => {
      const place = this.plan.outputs[i] as Place;
      const start = this.start(place);
      return dense(this.numbers(place).slice(start, start + sizeOf(shape)), dtype, shape);
    });
  }

  private numbers(place: Place): TypedArray {
    return this.memory[place.buffer] as TypedArray;
  }

  private start({ offset, rows }: Place): number {
    return rows.reduce((sum, { cell, stride }) => sum + (this.cells[cell] as number) * stride, offset);
  }

  private view(place: Place, size: number): TypedArray {
    const start = this.start(place);
    const numbers = this.numbers(place);
    if (start < 0 || start + size > numbers.length) throw new Error(`outside: ${JSON.stringify(place)} ${size}`);
    return numbers.subarray(start, start + size);
  }

  /** Whether a check was broken. */
  alarmed = false;

  private rounds(rounds: Rounds): void {
    for (const round of rounds) for (const step of round) this.step(step);
  }

  private step(step: Step): void {
    this.counts.set(step.kind, (this.counts.get(step.kind) ?? 0) + 1);
    if (step.kind === "group") this.group(step);
    else if (step.kind === "copy") this.view(step.to, step.size).set(this.view(step.from, step.size).slice());
    else if (step.kind === "loop") this.loop(step);
    else if (step.kind === "branch") this.rounds(step.sides[this.view(step.condition, 1)[0] ? 0 : 1]);
    else if (step.kind === "host") this.host(step);
    else if (step.kind === "matmul") this.product(step);
    else if (step.kind === "alarm") this.alarmed ||= this.view(step.flag, 1)[0] !== 0;
    else this.convolve(step);
  }

  private host({ primitive, params, node, inputs, outputs, wanted }: Host): void {
    const values = node.inputs.map((x, i) => {
      const place = inputs[i];
      return place ? dense(this.view(place, x.size), x.dtype, x.shape) : dense(allocate(x.dtype, 0), x.dtype, [0]);
    });
    const result = primitive.run(values, params, node, wanted);
    const parts = node.parts ? (result.parts as readonly NDArray[]) : [result];
    outputs.forEach((place, k) => {
      if (place) this.view(place, sizeOf((parts[k] as NDArray).shape)).set(elements(parts[k] as NDArray));
    });
  }

  private product({ m, n, k, batch, a, b, c: to }: Matmul): void {
    const [x, y] = [this.numbers(a.place), this.numbers(b.place)];
    const [from, second] = [this.start(a.place), this.start(b.place)];
    const c = this.view(to, batch * m * n);
    const term = (g: number, i: number, j: number, l: number): number => {
      const left = from + g * a.step + (a.transposed ? l * a.lead + i : i * a.lead + l);
      const right = second + g * b.step + (b.transposed ? j * b.lead + l : l * b.lead + j);
      return (x[left] as number) * (y[right] as number);
    };
    for (let at = 0; at < c.length; at++) {
      const [g, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
      let sum = 0;
      for (let l = 0; l < k; l++) sum += term(g, i, j, l);
      c[at] = sum;
    }
  }

  private convolve({ spec, dtype, input, kernel, output }: Conv): void {
    const xs = [spec.batch, spec.groups * spec.channels, ...spec.sizes];
    const ks = [spec.groups * spec.filters, spec.channels, ...spec.window];
    const axes = windowAxes(xs, spec.window, { ...spec, size: spec.outs });
    const x = dense(this.view(input, sizeOf(xs)), dtype, xs);
    const out = convLoop(x, dense(this.view(kernel, sizeOf(ks)), dtype, ks), axes, spec.groups, dtype);
    this.view(output, sizeOf(out.shape)).set(elements(out));
  }

  private loop({ length, reverse, cell, rounds, alive, stacked }: Loop): void {
    for (let i = 0; i < length; i++) {
      const over = alive !== null && !this.view(alive.place, alive.size).some((x) => x !== 0);
      if (over && stacked.length === 0) return;
      const row = reverse ? length - 1 - i : i;
      this.cells[cell] = row;
      this.rounds(rounds);
      if (!over) continue;
      for (const { place, size } of stacked) {
        const start = this.start(place);
        const numbers = this.numbers(place);
        const own = numbers.slice(start + row * size, start + (row + 1) * size);
        for (let r = i; r < length; r++) numbers.set(own, start + (reverse ? length - 1 - r : r) * size);
      }
      return;
    }
  }

  private group(group: Group): void {
    const size = sizeOf(group.shape);
    const slots = group.slots.map((dtype) => allocate(dtype, size));
    for (const stage of group.stages) {
      if (stage.kind === "gather") this.gather(stage, group, slots[stage.to] as TypedArray);
      else if (stage.kind === "bits") this.bits(stage, slots[stage.to] as Uint32Array);
      else if (stage.kind === "reduce") this.reduce(stage, group, slots[stage.from] as TypedArray);
      else if (stage.kind === "scatter")
        each(group.shape, stage.to, this.start(stage.to.place), (i, at) => {
          put(this.numbers(stage.to.place), at, (slots[stage.from] as TypedArray)[i] as number);
        });
      else this.map(stage, size, slots);
    }
  }

  private map({ block, inputs, outputs }: MapStage, size: number, slots: readonly TypedArray[]): void {
    for (let i = 0; i < size; i++) {
      const values = inputs.map((source) => {
        if (source.kind === "slot") return (slots[source.slot] as TypedArray)[i] as number;
        const scalar = source.kind === "scalar";
        return this.view(source.place, scalar ? 1 : size)[scalar ? 0 : i] as number;
      });
      interpret(block, values, i).forEach((value, k) => {
        const target = outputs[k];
        if (target?.kind === "slot") put(slots[target.slot] as TypedArray, i, Number(value));
        else if (target) put(this.view(target.place, size), i, Number(value));
      });
    }
  }

  private gather({ from, inside }: Gather, { shape }: Group, slot: TypedArray): void {
    const numbers = this.numbers(from.place);
    each(shape, from, this.start(from.place), (i, at, index) => {
      const there = (inside ?? []).every(({ axis, low, high }) => {
        const n = index[axis] as number;
        return n >= low && n < high;
      });
      if (there && (at < 0 || at >= numbers.length)) throw new Error("gather outside its buffer");
      slot[i] = there ? (numbers[at] as number) : 0;
    });
  }

  private bits({ key, start, size, lane }: Bits, slot: Uint32Array): void {
    const words = this.view(key, 2);
    const first = (this.view(start, 1)[0] as number) * size;
    fillBits(slot, words[0] as number, words[1] as number, first, lane);
  }

  private reduce({ op, to, dtype }: Reduce, { shape, layout }: Group, slot: TypedArray): void {
    const size = sizeOf(shape);
    const length = layout.kind === "flat" ? size : layout.length;
    const sets = layout.kind === "flat" ? 1 : layout.kind === "rows" ? size / length : length;
    const out = this.view(to, Number.isNaN(sets) ? 0 : sets);
    for (let s = 0; s < out.length; s++) {
      let result = op === "sum" ? 0 : op === "max" ? -Infinity : Infinity;
      const count = layout.kind === "columns" ? size / length : length;
      for (let i = 0; i < count; i++) {
        const x = slot[layout.kind === "columns" ? i * length + s : s * length + i] as number;
        result = op === "sum" ? result + x : op === "max" ? Math.max(result, x) : Math.min(result, x);
      }
      put(out, s, dtype === "int32" ? result | 0 : result);
    }
  }
}

/** What shares memory by mistake overwrites each other. */
function on(arena: ArrayBuffer, dtype: DType, offset: number, size: number): TypedArray {
  const kind = {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    uint32: Uint32Array,
    bool: Uint8Array,
  };
  return new kind[dtype](arena, offset, size);
}

/** A number outside would be lost without a word. */
function put(numbers: TypedArray, at: number, value: number): void {
  if (at < 0 || at >= numbers.length) throw new Error(`stored outside: ${at} of ${numbers.length}`);
  numbers[at] = value;
}

function each(
  shape: readonly number[],
  { strides }: View,
  start: number,
  visit: (i: number, at: number, index: readonly number[]) => void,
): void {
  const own = stridesOf(shape);
  for (let i = 0; i < sizeOf(shape); i++) {
    const index = shape.map((n, d) => Math.floor(i / (own[d] as number)) % n);
    visit(
      i,
      index.reduce((sum, n, d) => sum + n * (strides[d] as number), start),
      index,
    );
  }
}
