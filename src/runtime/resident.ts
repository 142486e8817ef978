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
  /** Row-major; a copy, made when first asked for. @throws where a compiled step was given the numbers to keep */
  declare readonly data: TypedArray;
  private readonly held: Held;

  constructor(dtype: DType, shape: Shape, region: Region) {
    this.dtype = dtype;
    this.shape = shape;
    this.strides = stridesOf(shape);
    this.held = { dtype, shape, region, numbers: null, pins: 0, over: false };
    Object.defineProperty(this, "data", dataOfOwn);
    hold(this, this.held);
  }

  /** Byte address of the numbers, if they are in the engine's memory. */
  get address(): number | null {
    return this.held.over ? null : (this.held.region?.address ?? null);
  }

  /** The engine's memory is free for others; numbers that were never read are gone. */
  release(): void {
    forget(this.held);
  }

  /** A step reads the numbers where they are: until `unpin` their memory is nobody else's, whatever becomes of this. */
  pin(): void {
    this.held.pins++;
  }

  unpin(): void {
    this.held.pins--;
    if (this.held.over && this.held.pins === 0) free(this.held);
  }

  static read({ held }: Resident): TypedArray {
    return numbersOf(held);
  }
}

/** An own property, because the interpreter makes views by copying the properties of an array. */
const dataOfOwn: PropertyDescriptor = {
  enumerable: true,
  get(this: Resident): TypedArray {
    return Resident.read(this);
  },
};

function given(dtype: DType, shape: Shape): never {
  return fail({
    where: "compile",
    got: `a tensor ${dtype}${show(shape)} that was donated to a compiled step`,
    expected: "a tensor that still has its numbers",
    write: "read it before the call, use what the call returned, or take its argument out of donate",
  });
}

/**
 * What a result has, apart from the result, so that the list of what is held does not keep it alive. (A weak reference would: until the
 * end of the job that made it, and a training loop is one job.)
 */
interface Held {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Null: the memory was given back. */
  region: Region | null;
  /** Once they were read. */
  numbers: TypedArray | null;
  /** Steps that read them where they are now. */
  pins: number;
  /** Nobody may begin to read them there. */
  over: boolean;
}

/** Bytes of results in the engine's memory from which on the oldest move out. */
const most = 256 * 2 ** 20;
/** In the order they were made. */
const holding = new Set<Held>();
let bytesHeld = 0;

const collected = new FinalizationRegistry<Held>(forget);

/** Moves the oldest result that nobody reads now out of the engine's memory; false: there is none. */
export function moveOldest(): boolean {
  for (const oldest of holding) {
    if (oldest.pins > 0) continue;
    numbersOf(oldest);
    forget(oldest);
    return true;
  }
  return false;
}

function numbersOf(held: Held): TypedArray {
  if (held.numbers !== null) return held.numbers;
  if (held.region === null || held.over) return given(held.dtype, held.shape);
  const size = sizeOf(held.shape);
  const copy = allocate(held.dtype, size);
  copy.set(viewOf(memory().views(), held.dtype, held.region.address, size));
  held.numbers = copy;
  return copy;
}

function forget(held: Held): void {
  if (held.over) return;
  held.over = true;
  // What is registered is kept until its finalizer has run, which it does after the job.
  collected.unregister(held);
  if (holding.delete(held)) bytesHeld -= (held.region as Region).bytes;
  if (held.pins === 0) free(held);
}

function free(held: Held): void {
  held.region?.free();
  held.region = null;
}

function hold(resident: Resident, held: Held): void {
  holding.add(held);
  bytesHeld += (held.region as Region).bytes;
  collected.register(resident, held, held);
  for (const oldest of holding) {
    if (bytesHeld <= most || oldest === held) break;
    numbersOf(oldest);
    forget(oldest);
  }
}
