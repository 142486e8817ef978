import { type Shape, sizeOf } from "../base/shape.js";

/**
 * One axis over which a window slides. Output place p reads input place i through place w of the window where
 *
 *     inputDilation · i = stride · p + kernelDilation · w − low
 *
 * and whatever falls between or outside the input places is a zero. The three indices play the same part, so any two of them
 * determine the third: that is why the transpose of a convolution is a convolution.
 */
export interface WindowAxis {
  /** How many places there are: of the input, of the window, of the output. */
  readonly input: number;
  readonly window: number;
  readonly size: number;
  readonly stride: number;
  readonly inputDilation: number;
  readonly kernelDilation: number;
  /** Zeros in front, in steps of the dilated input; below zero, what is cut off. */
  readonly low: number;
}

/**
 * Outputs that meet the same places of the window. With an undilated input that is all of them; with input dilation d the window
 * falls on different input places for each remainder of the output place (polyphase form), and no zero is ever multiplied.
 */
export interface Phase {
  /** Flat output places, in the order of the runs. */
  readonly places: Int32Array;
  /** Flat window places that are met. */
  readonly taps: Int32Array;
  /** For each tap the stretches [to, from, count, …] it copies: places[to + j] reads flat input from + step · j, for j < count. */
  readonly runs: readonly Int32Array[];
  readonly step: number;
}

/** A phase of one axis: places first, first + every, …; input place of the j-th: step · j + taps[k].at. */
interface AxisPhase {
  readonly first: number;
  readonly every: number;
  readonly count: number;
  readonly step: number;
  readonly taps: readonly { readonly window: number; readonly at: number }[];
}

/** All phases of a window that slides over several axes (at least one), row-major; those that meet nothing are left out. */
export function phasesOf(axes: readonly WindowAxis[]): Phase[] {
  return product(axes.map(axisPhases)).map((phases) => assemble(axes, phases));
}

function axisPhases({ window, size, stride, inputDilation, kernelDilation, low }: WindowAxis): AxisPhase[] {
  const shared = gcd(stride, inputDilation);
  const every = inputDilation / shared;
  const phases: AxisPhase[] = [];
  for (let first = 0; first < Math.min(every, size); first++) {
    const taps: { window: number; at: number }[] = [];
    for (let w = 0; w < window; w++) {
      const at = (stride * first + kernelDilation * w - low) / inputDilation;
      if (Number.isInteger(at)) taps.push({ window: w, at });
    }
    const count = Math.ceil((size - first) / every);
    if (taps.length > 0) phases.push({ first, every, count, step: stride / shared, taps });
  }
  return phases;
}

function assemble(axes: readonly WindowAxis[], phases: readonly AxisPhase[]): Phase {
  const taps = product(phases.map((phase) => phase.taps));
  const places = phases.reduce<readonly number[]>(
    (flat, { first, every, count }, axis) =>
      flat.flatMap((before) =>
        Array.from({ length: count }, (_, j) => before * (axes[axis] as WindowAxis).size + first + every * j),
      ),
    [0],
  );
  return {
    places: Int32Array.from(places),
    taps: Int32Array.from(taps, (tap) =>
      tap.reduce((flat, { window }, axis) => flat * (axes[axis] as WindowAxis).window + window, 0),
    ),
    runs: taps.map((tap) => runsOf(axes, phases, tap)),
    step: (phases.at(-1) as AxisPhase).step,
  };
}

/** The stretches of one tap: rows of the outer axes that lie inside the input, each cut to the part that does on the last axis. */
function runsOf(
  axes: readonly WindowAxis[],
  phases: readonly AxisPhase[],
  tap: readonly { readonly at: number }[],
): Int32Array {
  const last = axes.length - 1;
  let rows: (readonly [number, number])[] = [[0, 0]];
  for (let axis = 0; axis <= last; axis++) {
    const { count, step } = phases[axis] as AxisPhase;
    const { at } = tap[axis] as { at: number };
    const { input } = axes[axis] as WindowAxis;
    const start = Math.max(0, Math.ceil(-at / step));
    const stop = Math.min(count, Math.floor((input - 1 - at) / step) + 1);
    if (stop <= start) return new Int32Array(0);
    if (axis === last)
      return Int32Array.from(
        rows.flatMap(([to, from]) => [to * count + start, from * input + at + step * start, stop - start]),
      );
    rows = rows.flatMap(([to, from]) =>
      Array.from({ length: stop - start }, (_, k) => {
        const j = start + k;
        return [to * count + j, from * input + at + step * j] as const;
      }),
    );
  }
  return new Int32Array(0);
}

/** Every choice of one item per list, the last list fastest. */
function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((heads, list) => heads.flatMap((head) => list.map((item) => [...head, item])), [[]]);
}

export function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** The axes of a window that slides over the last axes of `shape`. */
export function windowAxes(
  shape: Shape,
  window: Shape,
  params: {
    readonly stride: readonly number[];
    readonly inputDilation: readonly number[];
    readonly kernelDilation: readonly number[];
    readonly low: readonly number[];
    readonly size: readonly number[];
  },
): WindowAxis[] {
  const lead = shape.length - window.length;
  return window.map((places, axis) => ({
    input: shape[lead + axis] as number,
    window: places,
    size: params.size[axis] as number,
    stride: params.stride[axis] as number,
    inputDilation: params.inputDilation[axis] as number,
    kernelDilation: params.kernelDilation[axis] as number,
    low: params.low[axis] as number,
  }));
}

/** Elements of a row-major block of one kind of place. */
export function placesOf(axes: readonly WindowAxis[], kind: "input" | "window" | "size"): number {
  return sizeOf(axes.map((axis) => axis[kind]));
}
