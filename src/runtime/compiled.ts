import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { sizeOf } from "../base/shape.js";
import { bytesOf } from "../compile/arena.js";
import { lower } from "../compile/lower.js";
import type { Host, Place, Plan } from "../compile/plan.js";
import type { Tensor } from "../graph/tensor.js";
import { dense, elements, type NDArray } from "../kernel/ndarray.js";
import { currentBlas } from "../wasm/blas.js";
import type { Address } from "../wasm/group.js";
import { freeWith, memory, type Region } from "../wasm/memory.js";
import { type EmittedProgram, emitProgram } from "../wasm/program.js";
import { features } from "../wasm/threads/features.js";
import { dropProgram, hot, type Program, program, runOnAll, runsAnywhere, threads } from "../wasm/threads/index.js";
import { passedBuffers } from "./passing.js";
import { reference } from "./reference.js";
import { Resident } from "./resident.js";
import { allOf, indexOf, viewOf } from "./views.js";

/** Nanoseconds of one thread from which a step is run by all: waking the others takes a tenth of it at most. */
const worthWaking = 200_000;

/** Results of so many numbers are copied one by one: a view takes longer to make. */
const few = 16;

/** An input of a plan: numbers are copied in, or passed by address. */
interface Input {
  readonly index: number;
  readonly dtype: DType;
  readonly size: number;
  /** Byte address of the numbers; where they are passed, of the word that says where they are. */
  readonly at: number;
  readonly passed: boolean;
  /** For numbers that come from outside: where they are put, and which they were last. */
  own: Region | null;
  last: number | null;
}

/** Numbers for arrays, to know one again without keeping it alive (a weak reference keeps it, to the end of the job). */
const stamps = new WeakMap<NDArray, number>();
let nextStamp = 0;

function stampOf(value: NDArray): number {
  const known = stamps.get(value);
  if (known !== undefined) return known;
  stamps.set(value, nextStamp);
  return nextStamp++;
}

const none: readonly Resident[] = [];

/** Workers forget programs that nobody can reach any more. */
const collected = new FinalizationRegistry<number>(dropProgram);

/** A plan that can run. */
export class Compiled {
  private readonly plan: Plan;
  private readonly emitted: EmittedProgram;
  private readonly program: Program;
  private readonly outputs: readonly Tensor[];
  private readonly given: readonly Tensor[];
  private readonly inputs: readonly Input[];
  /** Whether an input is read where it is. */
  private readonly passes: boolean;
  /** Where the outputs lie. */
  private readonly results: readonly Address[];
  /** Outputs that are passed by address: the word that says where, by number of the output. */
  private readonly passed: ReadonlyMap<number, number>;
  /** How many threads it was made for. */
  readonly threads: number = threads();
  private readonly region: Region;
  /** Its memory belongs to others: it cannot run any more. */
  gone = false;
  private busy = false;
  private inner: Compiled | null = null;
  private alarmed = false;

  constructor(outputs: readonly Tensor[], inputs: readonly Tensor[]) {
    this.outputs = outputs;
    this.given = inputs;
    this.plan = lower(outputs, inputs);
    const elsewhere = passedBuffers(this.plan);
    const { shared, pages } = memory();
    let region: Region | null = null;
    this.emitted = emitProgram(this.plan, {
      numerics: "exact",
      relaxed: features().relaxedSimd,
      blas: currentBlas(),
      shared,
      pages,
      threads: this.threads,
      elsewhere,
      allocate: (bytes) => {
        region = memory().allocate(bytes);
        return region.address;
      },
    });
    this.region = region as unknown as Region;
    freeWith(this, this.region);
    this.inputs = this.inputsOf();
    this.passes = this.inputs.some(({ passed }) => passed);
    this.passed = this.passedOutputs();
    this.results = this.plan.outputs.map((place) => this.emitted.layout.address(place));
    this.writeConstants();
    this.program = this.instantiate();
    collected.register(this, this.program.runnable.id);
  }

  get running(): boolean {
    return this.busy;
  }

  /** Its memory goes to others; false: it did already. */
  giveBack(): boolean {
    if (this.gone) return false;
    this.gone = true;
    this.region.free();
    for (const { own } of this.inputs) own?.free();
    this.inner?.giveBack();
    return true;
  }

  /** Whether the number of threads matters to it. */
  get threaded(): boolean {
    return this.emitted.threaded;
  }

  private inputsOf(): Input[] {
    const { layout } = this.emitted;
    return this.plan.inputs.flatMap((buffer, index) => {
      if (buffer === null) return [];
      const { dtype, size } = this.plan.buffers[buffer] as Plan["buffers"][number];
      const pointer = layout.pointers.get(buffer);
      const at = pointer ?? layout.address({ buffer, offset: 0, rows: [] }).constant;
      return [{ index, dtype, size, at, passed: pointer !== undefined, own: null, last: null }];
    });
  }

  private passedOutputs(): ReadonlyMap<number, number> {
    const inputs = new Set(this.plan.inputs);
    return new Map(
      this.plan.outputs.flatMap(({ buffer }, i) => {
        const pointer = this.emitted.layout.pointers.get(buffer);
        return pointer === undefined || inputs.has(buffer) ? [] : [[i, pointer] as const];
      }),
    );
  }

  private writeConstants(): void {
    const views = memory().views();
    this.plan.buffers.forEach(({ dtype, size, constant }, buffer) => {
      if (constant === null) return;
      viewOf(views, dtype, this.emitted.layout.address({ buffer, offset: 0, rows: [] }).constant, size).set(constant);
    });
  }

  private instantiate(): Program {
    const { bytes, calls, threaded } = this.emitted;
    const imports = {
      ...Object.fromEntries(calls),
      host: (k: number) => this.host(k),
      alarm: () => {
        this.alarmed = true;
      },
    };
    const everywhere = [...calls.keys()].every(runsAnywhere);
    return program(new WebAssembly.Module(bytes), imports, { threaded: threaded && everywhere });
  }

  run(values: readonly NDArray[]): NDArray[] {
    if (this.busy) return this.another().run(values);
    this.busy = true;
    this.alarmed = false;
    const taken = new Map<number, Region>();
    const pinned = this.pin(values);
    let done = false;
    try {
      this.takePassed(taken);
      for (const input of this.inputs) this.feed(input, values[input.index] as NDArray);
      this.start();
      done = !this.alarmed;
      if (done) return this.outputs.map((output, i) => this.result(output, i, taken.get(i)));
    } finally {
      if (!done) for (const region of taken.values()) region.free();
      for (const value of pinned) value.unpin();
      this.busy = false;
    }
    return this.onReference(values);
  }

  /** A black box of this very program called it, and its memory is in use: the same code over other memory, for the same bits. */
  private another(): Compiled {
    if (this.inner === null || this.inner.threads !== threads()) this.inner = new Compiled(this.outputs, this.given);
    return this.inner;
  }

  /**
   * Results that are read where they are stay there while we run: requests for memory move others out, and a black box may run
   * programs that do so, or are given them to keep.
   */
  private pin(values: readonly NDArray[]): readonly Resident[] {
    if (!this.passes) return none;
    const residents = values.filter((value): value is Resident => value instanceof Resident);
    for (const value of residents) value.pin();
    return residents;
  }

  /** Throws what the checks of the program have to say, in their order. */
  private onReference(values: readonly NDArray[]): NDArray[] {
    return reference.run(this.outputs, new Map(this.given.map((input, i) => [input, values[i] as NDArray])));
  }

  private start(): void {
    const { threaded, cost } = this.emitted;
    if (!threaded || (cost < worthWaking && !hot())) this.program.run(0, 1);
    else runOnAll(this.program, { again: () => undefined, wait: cost / 4e6 });
  }

  /** Memory for the outputs that are passed. */
  private takePassed(taken: Map<number, Region>): void {
    for (const [i, pointer] of this.passed) {
      const { dtype, size } = this.outputs[i] as Tensor;
      const region = memory().allocate(size * bytesOf(dtype));
      taken.set(i, region);
      memory().views().i32[pointer >>> 2] = region.address;
    }
  }

  private feed(input: Input, value: NDArray): void {
    const { dtype, size, at, passed } = input;
    if (passed) this.pass(input, value);
    else if (size === 1) allOf(memory().views(), dtype)[indexOf(dtype, at)] = value.data[value.offset] as number;
    else viewOf(memory().views(), dtype, at, size).set(elements(value));
  }

  /** By address if the numbers are here already; what came last time has not changed since. */
  private pass(input: Input, value: NDArray): void {
    const resident = value instanceof Resident ? value.address : null;
    if (resident === null) {
      if (input.own === null) {
        input.own = memory().allocate(input.size * bytesOf(input.dtype));
        freeWith(this, input.own);
      }
      const stamp = stampOf(value);
      if (input.last !== stamp)
        viewOf(memory().views(), input.dtype, input.own.address, input.size).set(elements(value));
      input.last = stamp;
    }
    memory().views().i32[input.at >>> 2] = resident ?? (input.own as Region).address;
  }

  private result({ dtype, shape, size }: Tensor, i: number, taken: Region | undefined): NDArray {
    if (taken !== undefined) return new Resident(dtype, shape, taken);
    const out = allocate(dtype, size);
    const at = this.find(this.results[i] as Address);
    const all = allOf(memory().views(), dtype);
    const from = indexOf(dtype, at);
    if (size <= few) for (let k = 0; k < size; k++) out[k] = all[from + k] as number;
    else out.set(all.subarray(from, from + size));
    return dense(out, dtype, shape);
  }

  /** The byte at which an address is now. */
  private find({ constant, cells }: Address): number {
    const { i32 } = memory().views();
    let at = constant;
    for (const { address, stride } of cells) at += (i32[address >>> 2] as number) * stride;
    return at;
  }

  private numbersAt(place: Place, { dtype, size }: { readonly dtype: DType; readonly size: number }): TypedArray {
    const at = this.find(this.emitted.layout.address(place));
    return viewOf(memory().views(), dtype, at, size);
  }

  /** A step whose kernel is the reference's, on copies: kernels may keep what they are given. */
  private host(k: number): void {
    const { primitive, params, node, inputs, outputs, wanted } = this.emitted.hosts[k] as Host;
    const values = node.inputs.map((x, i) => {
      const place = inputs[i] ?? null;
      if (place === null) return dense(allocate(x.dtype, 0), x.dtype, [0]);
      const numbers = allocate(x.dtype, x.size);
      numbers.set(this.numbersAt(place, x));
      return dense(numbers, x.dtype, x.shape);
    });
    const result = primitive.run(values, params, node, wanted);
    const parts = node.parts ? (result.parts as readonly NDArray[]) : [result];
    outputs.forEach((place, i) => {
      if (place === null) return;
      const { dtype, shape } = parts[i] as NDArray;
      this.numbersAt(place, { dtype, size: sizeOf(shape) }).set(elements(parts[i] as NDArray));
    });
  }
}
