/**
 * Threefry-2x32 with 20 rounds: a keyed bijection on 64-bit counters, so any word of a stream can be had without the
 * ones before it.
 *
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, §3.3 and Table 2
 * (rotations), with the key-schedule parity of Random123 1.x. Checked against its known answers and against JAX.
 */

/** C240 cut to 32 bits: the constant that makes the third key word. */
const PARITY = 0x1bd11bda;

const TWO_32 = 4294967296;

/**
 * Encrypts the counter (c0, c1) under the key (k0, k1): two 32-bit words into out[offset] and out[offset + 1].
 * All four inputs are read as 32-bit words.
 */
export function threefry2x32(
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  out: Uint32Array | Int32Array,
  offset: number = 0,
): void {
  // After each group of four rounds the key words move on by one: (a, b, c) → (b, c, a).
  let a = k0 | 0;
  let b = k1 | 0;
  let c = a ^ b ^ PARITY;
  let x = (c0 + a) | 0;
  let y = (c1 + b) | 0;
  for (let group = 1; group <= 5; group++) {
    if (group & 1) {
      x = (x + y) | 0;
      y = ((y << 13) | (y >>> 19)) ^ x;
      x = (x + y) | 0;
      y = ((y << 15) | (y >>> 17)) ^ x;
      x = (x + y) | 0;
      y = ((y << 26) | (y >>> 6)) ^ x;
      x = (x + y) | 0;
      y = ((y << 6) | (y >>> 26)) ^ x;
    } else {
      x = (x + y) | 0;
      y = ((y << 17) | (y >>> 15)) ^ x;
      x = (x + y) | 0;
      y = ((y << 29) | (y >>> 3)) ^ x;
      x = (x + y) | 0;
      y = ((y << 16) | (y >>> 16)) ^ x;
      x = (x + y) | 0;
      y = ((y << 24) | (y >>> 8)) ^ x;
    }
    const first = a;
    a = b;
    b = c;
    c = first;
    x = (x + a) | 0;
    y = (y + b + group) | 0;
  }
  out[offset] = x;
  out[offset + 1] = y;
}

const block: Uint32Array = new Uint32Array(2);

/**
 * Fills `out` with consecutive words of the key's stream, from word `firstWord` on.
 *
 * @param firstWord integer in [0, 2^53)
 * @param lane −1: word w is half (w & 1) of the block with 64-bit counter w >> 1, so a block serves two words.
 *   0 or 1: word w is that half of the block with counter w; the two lanes together are a 64-bit draw.
 */
export function fillBits(out: Uint32Array, key0: number, key1: number, firstWord: number, lane: -1 | 0 | 1): void {
  if (lane >= 0) {
    for (let i = 0; i < out.length; i++) {
      const word = firstWord + i;
      threefry2x32(key0, key1, word >>> 0, Math.floor(word / TWO_32), block);
      out[i] = block[lane]!;
    }
    return;
  }
  let counter = Math.floor(firstWord / 2);
  let i = 0;
  if (firstWord % 2 === 1 && out.length > 0) {
    threefry2x32(key0, key1, counter >>> 0, Math.floor(counter / TWO_32), block);
    out[i++] = block[1]!;
    counter++;
  }
  for (; i + 1 < out.length; i += 2, counter++) {
    threefry2x32(key0, key1, counter >>> 0, Math.floor(counter / TWO_32), out, i);
  }
  if (i < out.length) {
    threefry2x32(key0, key1, counter >>> 0, Math.floor(counter / TWO_32), block);
    out[i] = block[0]!;
  }
}

/**
 * Fills `out` as `jax.random.bits` does since JAX 0.5 (partitionable Threefry): element i, in row-major order, is the
 * exclusive or of the two halves of the block whose counter has the high word of i first and the low word second.
 */
export function fillJaxBits(out: Uint32Array, key0: number, key1: number): void {
  for (let i = 0; i < out.length; i++) {
    threefry2x32(key0, key1, Math.floor(i / TWO_32), i >>> 0, block);
    out[i] = block[0]! ^ block[1]!;
  }
}
