import { fail } from "../base/errors.js";
import type { Shape } from "../base/shape.js";
import { arange, asTensor, type TensorLike, tensor } from "../graph/leaves.js";
import { apply, isTensor, type Tensor } from "../graph/tensor.js";
import { deriveKey, jaxRandomBits } from "../primitives/bits.js";
import { broadcastTo } from "../primitives/linear.js";
import { toDType } from "../tensor/elementwise.js";

/**
 * Keys. There is no global random state: whoever draws is given a key, and the same key gives the same numbers on any machine.
 * Counters of draws have a high word below 2²¹; the two domains below keep derived keys apart from draws and from each other.
 */
const FOLD = 0x80000000;
const SPLIT = 0xc0000000;

/** What a key may be written as: a seed, or a key. */
export type KeyLike = number | bigint | Tensor;

/** A key uint32 [2] from a whole number: its low and high 32 bits, as JAX does. @throws on fractions and beyond 2⁵³ */
export function key(seed: number | bigint): Tensor {
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    fail({
      where: "key",
      got: `seed ${seed}`,
      expected: "a whole number below 2^53",
      write: "a bigint for larger seeds",
    });
  }
  const wide = BigInt.asUintN(64, BigInt(seed));
  return tensor(Uint32Array.of(Number(wide >> 32n), Number(wide & 0xffffffffn)));
}

export function asKey(where: string, k: KeyLike | undefined): Tensor {
  if (typeof k === "number" || typeof k === "bigint") return key(k);
  if (isTensor(k) && k.dtype === "uint32" && k.shape.length === 1 && k.shape[0] === 2) return k;
  const got = k === undefined ? "no key" : isTensor(k) ? `a ${k.dtype} tensor [${k.shape.join(", ")}]` : typeof k;
  return fail({ where, got, expected: "a key", write: "{ key: 0 }, or a key made by key(seed), split or foldIn" });
}

/** A new key for a number or a name; different data, different key. */
export function foldIn(k: KeyLike, data: number | string | TensorLike): Tensor {
  const word = typeof data === "string" ? hash(data) : data;
  const tensorWord = toDType(
    typeof word === "number" ? tensor(Uint32Array.of(word), { shape: [] }) : asTensor(word),
    "uint32",
  );
  return apply(deriveKey, [broadcastTo(asKey("foldIn", k), [...tensorWord.shape, 2]), tensorWord], { domain: FOLD });
}

/** n new keys [n, 2]. */
export function split(k: KeyLike, n = 2): Tensor {
  return apply(deriveKey, [broadcastTo(asKey("split", k), [n, 2]), arange(n, { dtype: "uint32" })], { domain: SPLIT });
}

/** FNV-1a over UTF-16 units: 32 bits of a name. */
export function hash(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The bits of jax.random.bits(key, shape) (JAX 0.5 and later, partitionable Threefry): for ports that must match JAX. */
export function jaxBits(k: KeyLike, shape: Shape): Tensor {
  return apply(jaxRandomBits, [asKey("jaxBits", k)], { shape });
}
