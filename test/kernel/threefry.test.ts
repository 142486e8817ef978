import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillBits, fillJaxBits, threefry2x32 } from "../../src/kernel/threefry.js";

interface JaxBits {
  readonly jaxVersion: string;
  readonly cases: readonly { seed: number; key: [number, number]; shape: number[]; bits: number[] }[];
}

const jax = JSON.parse(readFileSync(new URL("../reference/jax-bits.json", import.meta.url), "utf8")) as JaxBits;

function block(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const out = new Uint32Array(2);
  threefry2x32(k0, k1, c0, c1, out);
  return [out[0]!, out[1]!];
}

describe("threefry2x32", () => {
  // Random123 kat_vectors: threefry2x32, 20 rounds.
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])("known answer: key %j, counter %j", (key, counter, answer) => {
    expect(block(key[0]!, key[1]!, counter[0]!, counter[1]!)).toEqual(answer);
  });

  it("writes only its two words", () => {
    const out = new Uint32Array(5).fill(7);
    threefry2x32(0, 0, 0, 0, out, 2);
    expect([...out]).toEqual([7, 7, 0x6b200159, 0x99ba4efe, 7]);
  });
});

describe("fillJaxBits", () => {
  it.each(jax.cases)(`jax ${jax.jaxVersion}: key($seed), shape $shape`, ({ key, bits }) => {
    const out = new Uint32Array(bits.length);
    fillJaxBits(out, key[0], key[1]);
    expect([...out]).toEqual(bits);
  });
});

describe("fillBits", () => {
  const K0 = 0x243f6a88;
  const K1 = 0x85a308d3;

  /** One word by its definition, in exact integer arithmetic. */
  function word(w: number, lane: -1 | 0 | 1): number {
    const counter = lane < 0 ? BigInt(w) >> 1n : BigInt(w);
    const half = lane < 0 ? w % 2 : lane;
    return block(K0, K1, Number(counter & 0xffffffffn), Number(counter >> 32n))[half]!;
  }

  it("is word by word its definition, anywhere in the stream, odd starts and lengths included", () => {
    const start = fc.oneof(
      fc.nat(20),
      fc.maxSafeNat(),
      fc.nat(20).map((d) => 2 ** 32 - 10 + d),
      fc.nat(20).map((d) => 2 ** 33 - 10 + d),
    );
    fc.assert(
      fc.property(start, fc.nat(9), fc.constantFrom<-1 | 0 | 1>(-1, 0, 1), (first, length, lane) => {
        fc.pre(first + length <= Number.MAX_SAFE_INTEGER);
        const out = new Uint32Array(length);
        fillBits(out, K0, K1, first, lane);
        expect([...out]).toEqual(Array.from({ length }, (_, i) => word(first + i, lane)));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("does not depend on how a range is cut", () => {
    const whole = new Uint32Array(101);
    fillBits(whole, K0, K1, 13, -1);
    for (const cut of [1, 2, 50, 99]) {
      const parts = new Uint32Array(101);
      fillBits(parts.subarray(0, cut), K0, K1, 13, -1);
      fillBits(parts.subarray(cut), K0, K1, 13 + cut, -1);
      expect(parts).toEqual(whole);
    }
  });
});
