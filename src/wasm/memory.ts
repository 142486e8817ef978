import { fail } from "../base/errors.js";
import { FreeList } from "./freeList.js";
import { features } from "./threads/features.js";

/** Bytes of one page of WASM memory. */
const PAGE = 65536;

/** Every region starts at a multiple of it: a cache line, and four vectors. */
const ALIGN = 64;

/** Bytes after the end of a region that nobody else owns, so that loads of whole vectors may overrun it. */
const SLACK = 64;

/** The first bytes of the memory, which are never allocated: words at fixed addresses, so that modules do not depend on the allocator. */
export const RESERVED = 4096;

const MIB = 1 << 20;

/**
 * [initial, maximum] pages, the first that the machine grants. Pages cost nothing until they are touched, and a large beginning saves
 * growing, which invalidates views; a page in a browser has less address space to give.
 */
const wishes: Readonly<Record<"node" | "browser", readonly (readonly [number, number])[]>> = {
  node: [
    [(1024 * MIB) / PAGE, 65536],
    [(256 * MIB) / PAGE, 65536],
    [(64 * MIB) / PAGE, 32768],
    [(16 * MIB) / PAGE, 8192],
  ],
  browser: [
    [(256 * MIB) / PAGE, 65536],
    [(64 * MIB) / PAGE, 32768],
    [(16 * MIB) / PAGE, 16384],
    [(16 * MIB) / PAGE, 4096],
  ],
};

/** Bytes that belong to one owner until it gives them back. They are not zero at the beginning. */
export interface Region {
  /** Where it begins: a multiple of 64, below 4 GiB (as an i32 it may be negative). */
  readonly address: number;
  /** As many as were asked for; at least 64 more may be read. */
  readonly bytes: number;
  /** Twice is harmless. */
  free(): void;
}

/** The whole memory as numbers. Element i of f32 is at address 4·i. */
export interface Views {
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly u8: Uint8Array;
}

export interface MemoryOptions {
  readonly shared: boolean;
  readonly initial: number;
  readonly maximum: number;
}

/** One WASM memory and the allocator over it. It grows when a region does not fit, never by itself: what runs inside a step is safe. */
export class EngineMemory {
  readonly wasm: WebAssembly.Memory;
  readonly shared: boolean;
  /** What a module that imports it has to declare; it fits every memory of this library. */
  readonly pages: readonly [number, number];
  /** Gives back some region that can be done without, and says whether there was one: asked before a request is refused. */
  makeRoom: () => boolean = () => false;
  /** Bytes in regions with their slack: now, and at most so far. */
  inUse = 0;
  peak = 0;
  private readonly maximum: number;
  private readonly space: FreeList;
  private cached: Views;

  /** @throws RangeError where the machine does not have the address space */
  constructor({ shared, initial, maximum }: MemoryOptions) {
    this.wasm = new WebAssembly.Memory({ initial, maximum, shared });
    this.shared = shared;
    this.pages = [1, maximum];
    this.maximum = maximum;
    this.space = new FreeList();
    this.space.give(RESERVED, initial * PAGE - RESERVED);
    this.cached = viewsOf(this.wasm);
  }

  /** Bytes that all regions together may have. */
  get limit(): number {
    return this.maximum * PAGE - RESERVED;
  }

  /** Valid until the next `allocate`; asking costs nothing. */
  views(): Views {
    return this.cached;
  }

  /** @throws where the memory has no room for it, may not or cannot grow, and nothing in it can be done without */
  allocate(bytes: number): Region {
    const size = Math.ceil((bytes + SLACK) / ALIGN) * ALIGN;
    let address = this.space.take(size) ?? this.grown(size);
    while (address === null) {
      if (size > this.limit || !this.makeRoom()) this.full(bytes);
      address = this.space.take(size) ?? this.grown(size);
    }
    this.inUse += size;
    this.peak = Math.max(this.peak, this.inUse);
    let owned = true;
    const free = (): void => {
      if (!owned) return;
      owned = false;
      this.inUse -= size;
      this.space.give(address, size);
    };
    return { address, bytes, free };
  }

  /** Grows by at least an eighth, so that many small regions do not grow it each time; null: it has no room, or may not. */
  private grown(size: number): number | null {
    const end = this.wasm.buffer.byteLength;
    const missing = Math.ceil((size - this.space.lastBefore(end)) / PAGE);
    const room = this.maximum - end / PAGE;
    if (missing > room || !(this.grow(Math.min(room, Math.max(missing, end / PAGE / 8))) || this.grow(missing)))
      return null;
    this.space.give(end, this.wasm.buffer.byteLength - end);
    this.cached = viewsOf(this.wasm);
    return this.space.take(size);
  }

  private grow(pages: number): boolean {
    try {
      this.wasm.grow(Math.ceil(pages));
      return true;
    } catch {
      return false;
    }
  }

  private full(asked: number): never {
    return fail({
      where: "memory",
      got: `a request for ${sized(asked)} with ${sized(this.inUse)} in use`,
      expected: `at most ${sized(this.limit)} together`,
      write: "ask for fewer runs at a time or smaller batches, and keep no results that nobody reads any more",
    });
  }
}

function viewsOf({ buffer }: WebAssembly.Memory): Views {
  return {
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    u8: new Uint8Array(buffer),
  };
}

/** 1536 -> "1.5 KiB". */
export function sized(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const k = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const n = bytes / 1024 ** k;
  return `${n >= 100 ? Math.round(n) : Number(n.toPrecision(3))} ${units[k]}`;
}

let engine: EngineMemory | null = null;

/**
 * The memory of this process (or page, or worker), made when first asked for. All plans live in it. Shared between threads where the
 * platform has them: in browsers that takes a page that is cross-origin isolated.
 * @throws where the machine does not have the address space for even a small one
 */
export function memory(): EngineMemory {
  engine ??= granted(features().threads, typeof process === "object" ? wishes.node : wishes.browser);
  return engine;
}

function granted(shared: boolean, list: readonly (readonly [number, number])[]): EngineMemory {
  for (const [initial, maximum] of list) {
    try {
      return new EngineMemory({ shared, initial, maximum });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const [initial] = list[list.length - 1] as readonly [number, number];
  return fail({
    where: "memory",
    what: `this process may not reserve even ${sized(initial * PAGE)} of address space`,
    write: "raise its limit (ulimit -v)",
  });
}

const owners = new FinalizationRegistry<Region>((region) => region.free());

/** Gives the region back once nobody can reach its owner. One call per plan or result, not per tensor: each costs a finalizer. */
export function freeWith(owner: object, region: Region): void {
  owners.register(owner, region);
}
