import { type Arena, bytesOf } from "../../compile/arena.js";
import type { Place, Plan } from "../../compile/plan.js";
import type { Address } from "../group.js";

const wordBytes = 4;

/** Bytes that the code of a plan needs beside its arena. */
export interface Needs {
  /** Of tables of partial results and of what threads prepare for each other. */
  readonly shared: number;
  /** Of each thread. */
  readonly scratch: number;
  readonly threads: number;
}

/** Where everything of one plan lies: its arena, loop counters, pointers to what lies elsewhere, tables, scratch memory. */
export class Layout {
  /** Byte addresses of buffers; of those that lie elsewhere 0. */
  private readonly addresses: readonly number[];
  /** For each buffer that lies elsewhere the address of the word that says where. */
  readonly pointers: ReadonlyMap<number, number>;
  readonly cells: number;
  readonly shared: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  private readonly plan: Plan;

  /** @param allocate gives the address of so many bytes */
  constructor(
    plan: Plan,
    arena: Arena,
    elsewhere: ReadonlySet<number>,
    needs: Needs,
    allocate: (bytes: number) => number,
  ) {
    this.plan = plan;
    const words = up64((plan.cells + elsewhere.size) * wordBytes + 1);
    const shared = up64(needs.shared);
    this.scratchBytes = up64(needs.scratch);
    const base = allocate(arena.bytes + words + shared + needs.threads * this.scratchBytes);
    this.addresses = arena.offsets.map((offset, i) => (elsewhere.has(i) ? 0 : base + offset));
    this.cells = base + arena.bytes;
    this.pointers = new Map([...elsewhere].map((buffer, i) => [buffer, this.cells + (plan.cells + i) * wordBytes]));
    this.shared = this.cells + words;
    this.scratch = this.shared + shared;
  }

  /** Address of a loop counter. */
  cell(cell: number): number {
    return this.cells + cell * wordBytes;
  }

  address({ buffer, offset, rows }: Place): Address {
    const bytes = bytesOf((this.plan.buffers[buffer] as Plan["buffers"][number]).dtype);
    const pointer = this.pointers.get(buffer);
    return {
      constant: (this.addresses[buffer] as number) + offset * bytes,
      cells: [
        ...(pointer === undefined ? [] : [{ address: pointer, stride: 1 }]),
        ...rows.map(({ cell, stride }) => ({ address: this.cell(cell), stride: stride * bytes })),
      ],
    };
  }
}

export function up64(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / 64) * 64;
}
