import { allocate, type DType, type TypedArray } from "../base/dtype.js";
import { fail } from "../base/errors.js";
import { type Shape, show, sizeOf, stridesOf } from "../base/shape.js";
import type { NDArray } from "../kernel/ndarray.js";
import { memory, type Region } from "../wasm/memory.js";
import { viewOf } from "./views.js";

/**
 * Results that stay in the memory of the engine until somebody reads them: the next step takes them from where they are. Reading copies.
 * Those that nobody can reach any more are freed by the garbage collector, which does not know how large they are: hence a limit.
 */
export class Resident implements NDArray {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset = 0;
  private held: Held | null;
  private numbers: TypedArray | null = null;

  constructor(dtype: DType, shape: Shape, region: Region) {
    this.dtype = dtype;
    this.shape = shape;
    this.strides = stridesOf(shape);
    this.held = hold(this, region);
  }

  /** Row-major; a copy, made when first asked for. @throws where a compiled step was given the numbers to keep */
  get data(): TypedArray {
    if (this.numbers !== null) return this.numbers;
    if (this.held === null) return given(this.dtype, this.shape);
    const size = sizeOf(this.shape);
    const copy = allocate(this.dtype, size);
    copy.set(viewOf(memory().views(), this.dtype, this.held.region.address, size));
    this.numbers = copy;
    return copy;
  }

  /** Byte address of the numbers, if they are in the engine's memory. */
  get address(): number | null {
    return this.held?.region.address ?? null;
  }

  /** Moves the numbers out of the engine's memory. */
  leave(): void {
    if (this.held === null) return;
    void this.data;
    this.release();
  }

  /** The engine's memory is free for others; numbers that were never read are gone. */
  release(): void {
    if (this.held === null) return;
    collected.unregister(this.held);
    forget(this.held);
    this.held = null;
  }
}

/** Stands in for numbers that a compiled step was given to keep. */
export class Given implements NDArray {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset = 0;

  constructor({ dtype, shape }: NDArray) {
    this.dtype = dtype;
    this.shape = shape;
    this.strides = stridesOf(shape);
  }

  get data(): TypedArray {
    return given(this.dtype, this.shape);
  }
}

function given(dtype: DType, shape: Shape): never {
  return fail({
    where: "compile",
    got: `a tensor ${dtype}${show(shape)} that was donated to a compiled step`,
    expected: "a tensor that still has its numbers",
    write: "read it before the call, use what the call returned, or take its argument out of donate",
  });
}

interface Held {
  readonly region: Region;
  readonly owner: WeakRef<Resident>;
}

/** Bytes of results in the engine's memory from which on the oldest move out. */
const most = 256 * 2 ** 20;
/** In the order they were made. */
const holding = new Set<Held>();
let bytesHeld = 0;

const collected = new FinalizationRegistry<Held>(forget);

function forget(held: Held): void {
  if (!holding.delete(held)) return;
  bytesHeld -= held.region.bytes;
  held.region.free();
}

function hold(resident: Resident, region: Region): Held {
  const held: Held = { region, owner: new WeakRef(resident) };
  holding.add(held);
  bytesHeld += region.bytes;
  collected.register(resident, held, held);
  for (const oldest of holding) {
    if (bytesHeld <= most || oldest === held) break;
    oldest.owner.deref()?.leave();
    forget(oldest);
  }
  return held;
}
