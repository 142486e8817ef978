import { rounded, type Timing } from "./line.js";

export interface TimingOptions {
  /** Steps per repetition. */
  readonly inner: number;
  /** Steps before the clock starts. */
  readonly warm: number;
  /** Exactly so many repetitions; without it by time. */
  readonly reps?: number;
}

/** Runs at least so long … */
const LEAST_MS = 1000;
const LEAST_REPS = 30;
/** … and slow steps fewer times, but at least five, until not even those. */
const LONG_MS = 12_000;
const LONG_REPS = 5;
const END_MS = 40_000;
const WARM_MS = 8000;

/** Times a step: repetitions until there are 30 and a second has passed, fewer where a step takes more than 0.4 s. */
export function timed(step: () => void, { inner, warm, reps }: TimingOptions): Timing {
  const before = performance.now();
  for (let i = 0; i < warm && (i < 1 || performance.now() - before < WARM_MS); i++) step();
  const times: number[] = [];
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  do {
    const from = performance.now();
    for (let i = 0; i < inner; i++) step();
    times.push((performance.now() - from) / inner);
  } while (!enough(times.length, performance.now() - start, reps));
  const { user, system } = process.cpuUsage(cpu);
  return {
    ms_per_step_median: rounded(quantile(times, 0.5)),
    p10: rounded(quantile(times, 0.1)),
    p90: rounded(quantile(times, 0.9)),
    min: rounded(quantile(times, 0)),
    cpu_ms_per_step: rounded((user + system) / 1000 / times.length / inner),
    reps: times.length,
  };
}

function enough(count: number, elapsed: number, reps: number | undefined): boolean {
  if (reps !== undefined) return count >= reps;
  return (count >= LEAST_REPS && elapsed >= LEAST_MS) || (count >= LONG_REPS && elapsed > LONG_MS) || elapsed > END_MS;
}

/** Between order statistics as NumPy does. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = p * (sorted.length - 1);
  const low = Math.floor(place);
  const [a, b] = [sorted[low] as number, sorted[Math.min(low + 1, sorted.length - 1)] as number];
  return a + (b - a) * (place - low);
}
