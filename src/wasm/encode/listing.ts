import { nameOf } from "../opcodes.js";

/** The instructions of a function, a line each, indented by how deep they are nested. */
export function listing(code: Uint8Array): string[] {
  const lines: string[] = [];
  const reader = new Reader(code);
  let depth = 0;
  while (!reader.done()) {
    const name = reader.instruction();
    if (name === "else" || name === "end") depth--;
    const shown = immediates(name, reader);
    lines.push(`${"  ".repeat(depth)}${name}${shown === "" ? "" : ` ${shown}`}`);
    if (name === "else" || NESTING.has(name)) depth++;
  }
  return lines;
}

const NESTING: ReadonlySet<string> = new Set(["block", "loop", "if"]);

/** What follows an instruction, for those that have something after them. */
const AFTER: Readonly<Record<string, (reader: Reader) => string>> = {
  "local.get": (reader) => `${reader.unsigned()}`,
  "local.set": (reader) => `${reader.unsigned()}`,
  "local.tee": (reader) => `${reader.unsigned()}`,
  call: (reader) => `${reader.unsigned()}`,
  br: (reader) => `${reader.unsigned()}`,
  br_if: (reader) => `${reader.unsigned()}`,
  block: (reader) => skip(reader, 1),
  loop: (reader) => skip(reader, 1),
  if: (reader) => skip(reader, 1),
  "i32.const": (reader) => `${BigInt.asIntN(32, reader.signed())}`,
  "i64.const": (reader) => `${reader.signed()}`,
  "f32.const": (reader) => float32Text(reader.view(4).getFloat32(0, true)),
  "f64.const": (reader) => floatText(reader.view(8).getFloat64(0, true)),
  "v128.const": (reader) => `i8x16 ${reader.bytes(16).join(" ")}`,
  "i8x16.shuffle": (reader) => reader.bytes(16).join(" "),
  "memory.copy": (reader) => skip(reader, 2),
  "memory.fill": (reader) => skip(reader, 1),
};

function immediates(name: string, reader: Reader): string {
  const after = AFTER[name];
  if (after) return after(reader);
  if (/^v128\.(load|store)\d+_lane$/.test(name)) return `offset=${memoryOffset(reader)} ${reader.byte()}`;
  if (/_lane(_[su])?$/.test(name)) return `${reader.byte()}`;
  if (!/\.(load|store|atomic)/.test(name)) return "";
  const offset = memoryOffset(reader);
  return offset === 0 ? "" : `offset=${offset}`;
}

/** The offset of a load or store; what it promises of alignment is not shown. */
function memoryOffset(reader: Reader): number {
  reader.unsigned();
  return reader.unsigned();
}

/** What is always the same is not shown. */
function skip(reader: Reader, count: number): string {
  reader.bytes(count);
  return "";
}

function floatText(x: number): string {
  return Object.is(x, -0) ? "-0" : `${x}`;
}

/** The shortest decimal number that rounds to a float32. */
function float32Text(x: number): string {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Object.is(Math.fround(short), x)) return floatText(short);
  }
  return floatText(x);
}

/** Takes instructions apart. */
class Reader {
  private readonly data: Uint8Array;
  private at = 0;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  done(): boolean {
    return this.at >= this.data.length;
  }

  byte(): number {
    return this.data[this.at++] as number;
  }

  bytes(count: number): Uint8Array {
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  view(count: number): DataView {
    const { buffer, byteOffset } = this.bytes(count);
    return new DataView(buffer, byteOffset, count);
  }

  /** The name of the next instruction. */
  instruction(): string {
    const first = this.byte();
    return nameOf(first < 0xfc ? first : (first << 16) | this.unsigned());
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  signed(): bigint {
    let value = 0n;
    for (let shift = 0n; ; ) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
      if (byte < 128) return BigInt.asIntN(Number(shift), value);
    }
  }
}
