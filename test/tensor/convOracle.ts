import { grad, type Tensor, tensor } from "../../src/index.js";

/** Convolution by its definition: nested loops over padded arrays, for two axes of space (one axis is a height of 1). */

export interface Geometry {
  readonly n: number;
  readonly channels: number;
  readonly outputs: number;
  readonly groups: number;
  readonly input: readonly [number, number];
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: readonly (readonly [number, number])[];
}

/** How many places the window has on each axis, counted one by one. */
export function placesOf({ input, window, stride, dilation, padding }: Geometry): [number, number] {
  const count = (k: 0 | 1): number => {
    const [low, high] = padding[k] as readonly [number, number];
    let places = 0;
    for (let at = 0; at + dilation[k] * (window[k] - 1) < input[k] + low + high; at += stride[k]) places++;
    return places;
  };
  return [count(0), count(1)];
}

/** Calls back with the flat places of every product in the definition: of the output, the input and the kernel. */
export function eachProduct(g: Geometry, visit: (out: number, input: number, kernel: number) => void): void {
  const [height, width] = placesOf(g);
  const [c, o] = [g.channels / g.groups, g.outputs / g.groups];
  const [[top], [left]] = g.padding as [readonly [number, number], readonly [number, number]];
  for (let n = 0; n < g.n; n++)
    for (let j = 0; j < g.outputs; j++)
      for (let p = 0; p < height; p++)
        for (let q = 0; q < width; q++)
          for (let k = 0; k < c; k++)
            for (let u = 0; u < g.window[0]; u++)
              for (let v = 0; v < g.window[1]; v++) {
                const row = p * g.stride[0] + u * g.dilation[0] - top;
                const column = q * g.stride[1] + v * g.dilation[1] - left;
                if (row < 0 || row >= g.input[0] || column < 0 || column >= g.input[1]) continue;
                const channel = Math.floor(j / o) * c + k;
                visit(
                  ((n * g.outputs + j) * height + p) * width + q,
                  ((n * g.channels + channel) * g.input[0] + row) * g.input[1] + column,
                  ((j * c + k) * g.window[0] + u) * g.window[1] + v,
                );
              }
}

/** Element i of stream s of the reference: all different within a tensor of up to 10,007 elements. */
export function stream(size: number, s: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => ((7919 * i + 104729 * s) % 10007) / 5000 - 1);
}

export function streamTensor(shape: readonly number[], s: number): Tensor {
  return tensor(
    stream(
      shape.reduce((a, b) => a * b, 1),
      s,
    ),
    { shape },
  );
}

export function flat(x: Tensor): number[] {
  const nested: unknown[] = [x.toArray()];
  return nested.flat(Infinity) as number[];
}

/** The output, and the gradients of ⟨output, stream 10⟩ by every argument. */
export function withGrads(f: (...args: Tensor[]) => Tensor, args: readonly Tensor[]): { out: Tensor; grads: Tensor[] } {
  const out = f(...args);
  const loss = (list: Tensor[]): Tensor => {
    const y = f(...list);
    return y.mul(streamTensor(y.shape, 10)).sum();
  };
  return { out, grads: grad(loss)([...args]) as Tensor[] };
}

/** The largest difference, relative to the numbers where they are large. */
export function worst(got: readonly number[], expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  return got.reduce(
    (most, x, i) =>
      Math.max(most, Math.abs(x - (expected[i] as number)) / Math.max(1, Math.abs(expected[i] as number))),
    0,
  );
}
