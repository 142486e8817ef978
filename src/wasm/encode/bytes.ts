const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

/** A growing run of bytes. All that is emitted goes through it, so that numbers are written in place, without arrays in between. */
export class Bytes {
  private data: Uint8Array<ArrayBuffer>;
  private size = 0;

  constructor(room = 1024) {
    this.data = new Uint8Array(room);
  }

  get length(): number {
    return this.size;
  }

  /** The bytes so far, without copying them: good until the next one is written. */
  view(): Uint8Array<ArrayBuffer> {
    return this.data.subarray(0, this.size);
  }

  byte(value: number): void {
    if (this.size === this.data.length) this.grow(1);
    this.data[this.size++] = value;
  }

  append(bytes: ArrayLike<number>): void {
    if (this.size + bytes.length > this.data.length) this.grow(bytes.length);
    this.data.set(bytes, this.size);
    this.size += bytes.length;
  }

  /** Puts bytes before all others. */
  prepend(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.data.length) this.grow(bytes.length);
    this.data.copyWithin(bytes.length, 0, this.size);
    this.data.set(bytes, 0);
    this.size += bytes.length;
  }

  /** Unsigned LEB128 of a number below 2³². */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit number. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 127) | 128);
      rest >>= 7;
    }
    this.byte(rest & 127);
  }

  /** Signed LEB128 of a 64-bit number. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.byte(Number(rest & 127n));
  }

  float32(value: number): void {
    scratch.setFloat32(0, value, true);
    this.append(scratchBytes.subarray(0, 4));
  }

  float64(value: number): void {
    scratch.setFloat64(0, value, true);
    this.append(scratchBytes);
  }

  /** A name: how many bytes, and its UTF-8, by the language alone: TextEncoder is not part of it. */
  name(name: string): void {
    const parts = encodeURIComponent(name).match(/%..|./g) ?? [];
    this.unsigned(parts.length);
    for (const part of parts) this.byte(part.length === 1 ? part.charCodeAt(0) : Number.parseInt(part.slice(1), 16));
  }

  private grow(more: number): void {
    const larger = new Uint8Array(Math.max(2 * this.data.length, this.size + more));
    larger.set(this.data);
    this.data = larger;
  }
}
