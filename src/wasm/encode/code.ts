import { opcode } from "../opcodes.js";
import { Bytes } from "./bytes.js";
import { type Callee, typeBytes, type WasmType } from "./types.js";

/** Opcodes of the instructions that are most of every function. */
const [GET, SET, TEE, I32] = [opcode("local.get"), opcode("local.set"), opcode("local.tee"), opcode("i32.const")];
const END = opcode("end");
/** Of a block, loop or if without parameters and results. */
const EMPTY = 0x40;

/**
 * The body of one function: instructions are appended one after another, as on the stack machine. Memory instructions take a constant
 * offset that is added to the address on the stack. Only bytes are kept: listings are read back from them.
 */
export class Code {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
  readonly locals: WasmType[] = [];
  private readonly out = new Bytes();

  constructor(params: readonly WasmType[], results: readonly WasmType[] = []) {
    this.params = params;
    this.results = results;
  }

  /** A fresh local. */
  local(type: WasmType): number {
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  /** An instruction without immediates. */
  op(name: string): this {
    const code = opcode(name);
    if (code > 0xff) {
      this.out.byte(code >> 16);
      this.out.unsigned(code & 0xffff);
    } else this.out.byte(code);
    return this;
  }

  get(local: number): this {
    this.out.byte(GET);
    this.out.unsigned(local);
    return this;
  }

  set(local: number): this {
    this.out.byte(SET);
    this.out.unsigned(local);
    return this;
  }

  tee(local: number): this {
    this.out.byte(TEE);
    this.out.unsigned(local);
    return this;
  }

  i32(value: number): this {
    this.out.byte(I32);
    this.out.signed(value);
    return this;
  }

  i64(value: bigint): this {
    this.op("i64.const").out.signed64(value);
    return this;
  }

  f32(value: number): this {
    this.op("f32.const").out.float32(value);
    return this;
  }

  f64(value: number): this {
    this.op("f64.const").out.float64(value);
    return this;
  }

  /** Sixteen bytes. */
  v128(bytes: ArrayLike<number>): this {
    this.op("v128.const").out.append(bytes);
    return this;
  }

  /** A load or a store. @param align log₂ of the promised alignment; 0 promises nothing (atomics need that of their size) */
  memory(name: string, offset = 0, align = 0): this {
    this.op(name).out.unsigned(align);
    this.out.unsigned(offset);
    return this;
  }

  /** A load or a store of one lane. */
  memoryLane(name: string, lane: number, offset = 0): this {
    this.memory(name, offset).out.byte(lane);
    return this;
  }

  /** extract_lane, replace_lane. */
  lane(name: string, lane: number): this {
    this.op(name).out.byte(lane);
    return this;
  }

  /** @param order for each byte of the result which of the 32 bytes of both operands it is */
  shuffle(order: readonly number[]): this {
    this.op("i8x16.shuffle").out.append(order);
    return this;
  }

  call(callee: Callee): this {
    this.op("call").out.unsigned(callee.index);
    return this;
  }

  /** memory.copy (to, from, count) and memory.fill (to, byte, count). */
  bulk(name: "memory.copy" | "memory.fill"): this {
    this.op(name).out.byte(0);
    if (name === "memory.copy") this.out.byte(0);
    return this;
  }

  block(body: () => void): this {
    return this.nest("block", body);
  }

  /** `br(0)` inside goes to its start. */
  loop(body: () => void): this {
    return this.nest("loop", body);
  }

  /** Takes its condition from the stack. */
  if(then: () => void, otherwise?: () => void): this {
    this.op("if").out.byte(EMPTY);
    then();
    if (otherwise) {
      this.op("else");
      otherwise();
    }
    return this.op("end");
  }

  private nest(name: string, body: () => void): this {
    this.op(name).out.byte(EMPTY);
    body();
    return this.op("end");
  }

  br(depth: number): this {
    this.op("br").out.unsigned(depth);
    return this;
  }

  brIf(depth: number): this {
    this.op("br_if").out.unsigned(depth);
    return this;
  }

  /** Puts the instructions of another function before all of this one. */
  prepend({ out }: Code): void {
    this.out.prepend(out.view());
  }

  /** The instructions so far, without the closing `end`; not to be kept while more are appended. */
  instructions(): Uint8Array {
    return this.out.view();
  }

  /** Appends the body as it stands in the code section, its length first. */
  writeTo(out: Bytes): void {
    const locals = this.declarations();
    out.unsigned(locals.length + this.out.length + 1);
    out.append(locals.view());
    out.append(this.out.view());
    out.byte(END);
  }

  /** Runs of locals of one type. */
  private declarations(): Bytes {
    const { locals } = this;
    const ends: number[] = [];
    for (let i = 1; i <= locals.length; i++) if (locals[i] !== locals[i - 1]) ends.push(i);
    const out = new Bytes(32);
    out.unsigned(ends.length);
    ends.forEach((end, i) => {
      out.unsigned(end - (ends[i - 1] ?? 0));
      out.byte(typeBytes[locals[end - 1] as WasmType]);
    });
    return out;
  }
}
