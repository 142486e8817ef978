import { describe, expect, test } from "vitest";
import { fft } from "../../src/kernel/fft.js";
import { dense } from "../../src/kernel/ndarray.js";
import { dice } from "../primitives/draw.js";

/** The transform against its definition, summed in O(n²) with angles reduced exactly. */

type Pair = readonly [Float64Array, Float64Array];

function drawn(n: number): Pair {
  const roll = dice(n);
  const part = (): Float64Array => Float64Array.from({ length: n }, () => 2 * roll() - 1);
  return [part(), part()];
}

/** cos and sin of 2πk/n from an angle of at most π/4. */
function turned(k: number, n: number): readonly [number, number] {
  const eighth = Math.floor((8 * k) / n);
  const quarter = ((eighth + 1) >> 1) % 4;
  const angle = (2 * Math.PI * (k - (n * ((eighth + 1) >> 1)) / 4)) / n;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [
    [c, s],
    [-s, c],
    [-c, -s],
    [s, -c],
  ][quarter] as [number, number];
}

function definition([re, im]: Pair, sign: number): Pair {
  const n = re.length;
  const out: Pair = [new Float64Array(n), new Float64Array(n)];
  const table = Array.from({ length: n }, (_, k) => turned(k, n));
  for (let k = 0; k < n; k++) {
    let [u, v] = [0, 0];
    for (let j = 0; j < n; j++) {
      const [c, t] = table[(j * k) % n] as [number, number];
      const s = sign * t;
      u += (re[j] as number) * c - (im[j] as number) * s;
      v += (re[j] as number) * s + (im[j] as number) * c;
    }
    out[0][k] = u;
    out[1][k] = v;
  }
  return out;
}

function transformed([re, im]: Pair, inverse: boolean): Pair {
  const [a, b] = [dense(re, "float64", [re.length]), dense(im, "float64", [im.length])];
  return fft(a, b, 0, inverse).map(({ data }) => data) as unknown as Pair;
}

const squares = ([re, im]: Pair): number => [...re, ...im].reduce((total, x) => total + x * x, 0);

/** ‖a − b‖ / ‖b‖ */
function distance(a: Pair, b: Pair): number {
  const difference = a.map((part, k) => part.map((x, i) => x - (b[k]?.[i] as number)));
  return Math.sqrt(squares(difference as unknown as Pair) / squares(b));
}

const lengths = [...Array.from({ length: 40 }, (_, i) => i + 1), 97, 128, 360, 1000, 1009];

describe("every length", () => {
  test.each(lengths)("%i: the definition, both signs, and energy", (n) => {
    const x = drawn(n);
    // The oracle itself sums n terms: its own error grows like √n ulps.
    const bound = 2e-16 * (2 + Math.log2(n) + Math.sqrt(n) / 2);
    for (const inverse of [false, true]) {
      const got = transformed(x, inverse);
      expect(distance(got, definition(x, inverse ? 1 : -1))).toBeLessThanOrEqual(bound);
      expect(Math.abs(squares(got) / (n * squares(x)) - 1)).toBeLessThanOrEqual(1e-14);
    }
  });

  test.each([1024, 4096, 5040, 8191, 65536, 65537])("%i: there and back", (n) => {
    const x = drawn(n);
    const back = transformed(transformed(x, false), true).map((part) => part.map((y) => y / n)) as unknown as Pair;
    expect(distance(back, x)).toBeLessThanOrEqual(1e-16 * Math.log2(n));
  });

  test("a wave is one frequency", () => {
    for (const n of [12, 37, 64]) {
      const wave = Array.from({ length: n }, (_, j) => turned((5 * j) % n, n));
      const [re, im] = transformed([Float64Array.from(wave, (w) => w[0]), Float64Array.from(wave, (w) => w[1])], false);
      for (const [k, u] of re.entries()) expect(Math.abs(u - (k === 5 ? n : 0))).toBeLessThanOrEqual(1e-14 * n);
      for (const v of im) expect(Math.abs(v)).toBeLessThanOrEqual(1e-14 * n);
    }
  });
});

test("along any axis of a strided view, in float32 rounded once", () => {
  const [re, im] = drawn(2 * 3 * 5);
  const view = (data: Float64Array) => ({
    ...dense(Float32Array.from(data), "float32", [2, 3, 5]),
    shape: [5, 3, 2],
    strides: [1, 5, 15],
  });
  const [a, b] = fft(view(re), view(im), 0, false);
  expect([a.dtype, a.shape]).toEqual(["float32", [5, 3, 2]]);
  for (const line of [0, 1, 2, 3, 4, 5]) {
    const part = (data: Float64Array): Float64Array =>
      Float64Array.from({ length: 5 }, (_, j) => Math.fround(data[5 * line + j] as number));
    const [u, v] = definition([part(re), part(im)], -1);
    const [row, column] = [line % 3, Math.floor(line / 3)];
    for (let k = 0; k < 5; k++) {
      const at = ({ data, strides, offset }: typeof a): number =>
        data[
          offset + k * (strides[0] as number) + row * (strides[1] as number) + column * (strides[2] as number)
        ] as number;
      expect(Math.abs(at(a) - (u[k] as number))).toBeLessThanOrEqual(2e-7);
      expect(Math.abs(at(b) - (v[k] as number))).toBeLessThanOrEqual(2e-7);
    }
  }
});
