import { opcode } from "./opcodes.js";

/** The types a local, parameter or result may have. */
export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

const typeBytes: Readonly<Record<WasmType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** A function that an instruction may call, by the number it has in its module. */
export interface Callee {
  readonly index: number;
}

/** Unsigned LEB128. */
export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  let rest = n >>> 0;
  do {
    const low = rest & 127;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 128);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit number. */
function signed(n: number): number[] {
  const bytes: number[] = [];
  let rest = n | 0;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

function signed64(n: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asIntN(64, n);
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const done = (rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0);
    bytes.push(done ? low : low | 128);
    if (done) return bytes;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/** The four bytes of a float32. */
export function float32Bytes(x: number): number[] {
  scratch.setFloat32(0, x, true);
  return [0, 1, 2, 3].map((i) => scratch.getUint8(i));
}

/** The eight bytes of a float64. */
export function float64Bytes(x: number): number[] {
  scratch.setFloat64(0, x, true);
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => scratch.getUint8(i));
}

/**
 * The body of one function: instructions are appended one after another, as on the stack machine. Memory instructions take a constant
 * offset that is added to the address on the stack.
 */
export class Code {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
  readonly locals: WasmType[] = [];
  readonly bytes: number[] = [];
  /** The text of each instruction, for people. */
  readonly text: string[] = [];
  private depth = 1;

  constructor(params: readonly WasmType[], results: readonly WasmType[] = []) {
    this.params = params;
    this.results = results;
  }

  /** A fresh local. */
  local(type: WasmType): number {
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  private emit(name: string, immediate: readonly number[] = [], shown = ""): this {
    for (const byte of opcode(name)) this.bytes.push(byte);
    for (const byte of immediate) this.bytes.push(byte);
    this.text.push(`${"  ".repeat(this.depth)}${name}${shown === "" ? "" : ` ${shown}`}`);
    return this;
  }

  /** An instruction without immediates. */
  op(name: string): this {
    return this.emit(name);
  }

  get(local: number): this {
    return this.emit("local.get", unsigned(local), `${local}`);
  }

  set(local: number): this {
    return this.emit("local.set", unsigned(local), `${local}`);
  }

  tee(local: number): this {
    return this.emit("local.tee", unsigned(local), `${local}`);
  }

  i32(value: number): this {
    return this.emit("i32.const", signed(value), `${value | 0}`);
  }

  i64(value: bigint): this {
    return this.emit("i64.const", signed64(value), `${value}`);
  }

  f32(value: number): this {
    return this.emit("f32.const", float32Bytes(value), `${value}`);
  }

  f64(value: number): this {
    return this.emit("f64.const", float64Bytes(value), `${value}`);
  }

  /** Sixteen bytes. */
  v128(bytes: readonly number[]): this {
    return this.emit("v128.const", bytes, `i8x16 ${bytes.join(" ")}`);
  }

  /** A load or a store. @param align log₂ of the promised alignment; 0 promises nothing (atomics need that of their size) */
  memory(name: string, offset = 0, align = 0): this {
    return this.emit(name, [...unsigned(align), ...unsigned(offset)], offset === 0 ? "" : `offset=${offset}`);
  }

  /** A load or a store of one lane. */
  memoryLane(name: string, lane: number, offset = 0): this {
    return this.emit(name, [0, ...unsigned(offset), lane], `offset=${offset} ${lane}`);
  }

  /** extract_lane, replace_lane. */
  lane(name: string, lane: number): this {
    return this.emit(name, [lane], `${lane}`);
  }

  /** @param order for each byte of the result which of the 32 bytes of both operands it is */
  shuffle(order: readonly number[]): this {
    return this.emit("i8x16.shuffle", order, order.join(" "));
  }

  call(callee: Callee): this {
    return this.emit("call", unsigned(callee.index), `${callee.index}`);
  }

  /** memory.copy (to, from, count) and memory.fill (to, byte, count). */
  bulk(name: "memory.copy" | "memory.fill"): this {
    return this.emit(name, name === "memory.copy" ? [0, 0] : [0]);
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
    this.emit("if", [0x40]);
    this.depth++;
    then();
    if (otherwise) {
      this.depth--;
      this.emit("else");
      this.depth++;
      otherwise();
    }
    return this.end();
  }

  private nest(name: string, body: () => void): this {
    this.emit(name, [0x40]);
    this.depth++;
    body();
    return this.end();
  }

  private end(): this {
    this.depth--;
    return this.emit("end");
  }

  br(depth: number): this {
    return this.emit("br", unsigned(depth), `${depth}`);
  }

  brIf(depth: number): this {
    return this.emit("br_if", unsigned(depth), `${depth}`);
  }

  /** The body as it stands in the code section. */
  body(): number[] {
    const runs: number[] = [];
    let count = 0;
    for (let i = 0; i < this.locals.length; ) {
      let n = 1;
      while (this.locals[i + n] === this.locals[i]) n++;
      runs.push(...unsigned(n), typeBytes[this.locals[i] as WasmType]);
      count++;
      i += n;
    }
    return [...unsigned(count), ...runs].concat(this.bytes, opcode("end") as number[]);
  }
}

interface Imported {
  readonly name: string;
  readonly type: number;
}

/** A module under construction: imports first, then functions, in the order they are declared. */
export class ModuleBuilder {
  private readonly types: number[][] = [];
  private readonly typeKeys = new Map<string, number>();
  private readonly imports: Imported[] = [];
  private readonly functions: { readonly code: Code; readonly type: number; readonly label: string }[] = [];
  private readonly exports: { readonly name: string; readonly index: number }[] = [];

  /** A function of the world outside, under the name `env.<name>`. All imports come before the first function. */
  importFunction(name: string, params: readonly WasmType[], results: readonly WasmType[]): Callee {
    if (this.functions.length > 0) throw new Error("wasm: imports come before functions");
    this.imports.push({ name, type: this.typeOf(params, results) });
    return { index: this.imports.length - 1 };
  }

  /** Adds a finished function. @param label shown in listings */
  add(code: Code, label = "", exportName?: string): Callee {
    const index = this.imports.length + this.functions.length;
    this.functions.push({ code, type: this.typeOf(code.params, code.results), label });
    if (exportName !== undefined) this.exports.push({ name: exportName, index });
    return { index };
  }

  private typeOf(params: readonly WasmType[], results: readonly WasmType[]): number {
    const key = `${params}>${results}`;
    const known = this.typeKeys.get(key);
    if (known !== undefined) return known;
    const list = (types: readonly WasmType[]): number[] => [
      ...unsigned(types.length),
      ...types.map((type) => typeBytes[type]),
    ];
    this.types.push([0x60, ...list(params), ...list(results)]);
    this.typeKeys.set(key, this.types.length - 1);
    return this.types.length - 1;
  }

  /** The bytes of the module. Its memory is imported as `env.memory`. @param pages [initial, maximum], in 64 KiB */
  bytes(memory: { readonly shared: boolean; readonly pages: readonly [number, number] }): Uint8Array<ArrayBuffer> {
    const [initial, maximum] = memory.pages;
    const imported = [
      [...text("env"), ...text("memory"), 2, memory.shared ? 3 : 1, ...unsigned(initial), ...unsigned(maximum)],
      ...this.imports.map(({ name, type }) => [...text("env"), ...text(name), 0, ...unsigned(type)]),
    ];
    const bodies = this.functions.map(({ code }) => {
      const body = code.body();
      return unsigned(body.length).concat(body);
    });
    const parts = [
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, this.types),
      section(2, imported),
      section(
        3,
        this.functions.map(({ type }) => unsigned(type)),
      ),
      section(
        7,
        this.exports.map(({ name, index }) => [...text(name), 0, ...unsigned(index)]),
      ),
      section(10, bodies),
    ];
    const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  /** The module for people: flat text, one instruction a line. */
  wat(): string {
    const lines = this.imports.map(({ name }, i) => `  (import "env" "${name}") ;; function ${i}`);
    this.functions.forEach(({ code, label }, i) => {
      const header = `(func ${this.imports.length + i} (param ${code.params.join(" ")}) (result ${code.results.join(" ")})`;
      lines.push(`  ${header} ;; ${label}`, `    (local ${code.locals.join(" ")})`);
      for (const line of code.text) lines.push(`  ${line}`);
      lines.push("  )");
    });
    return ["(module", ...lines, ")"].join("\n");
  }
}

function text(name: string): number[] {
  // UTF-8 by the language alone: TextEncoder is not part of it.
  const parts = encodeURIComponent(name).match(/%..|./g) ?? [];
  const bytes = parts.map((part) => (part.length === 1 ? part.charCodeAt(0) : Number.parseInt(part.slice(1), 16)));
  return [...unsigned(bytes.length), ...bytes];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(items.length)];
  for (const item of items) for (const byte of item) content.push(byte);
  return [id, ...unsigned(content.length)].concat(content);
}
