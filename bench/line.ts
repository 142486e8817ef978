/** One line of results: what the peers' scripts write as well, so that one table reads them all. */
export interface Line extends Partial<Omit<Timing, "ms_per_step_median">> {
  readonly peer: string;
  readonly version: string | null;
  readonly threads: number;
  readonly workload: string;
  readonly variant?: string;
  /** null with a reason where the workload cannot be run. */
  readonly ms_per_step_median: number | null;
  /** The first step: tracing, compiling, running. */
  readonly compile_ms?: number;
  readonly env_steps_per_s?: number;
  readonly value_check?: ValueCheck;
  readonly reason?: string;
}

export interface Timing {
  readonly ms_per_step_median: number;
  readonly p10: number;
  readonly p90: number;
  readonly min: number;
  /** Of the whole process, all threads, garbage collection and JIT compilers included. */
  readonly cpu_ms_per_step: number;
  readonly reps: number;
}

export interface ValueCheck {
  readonly value: number | readonly number[];
  readonly expected?: number | readonly number[];
  readonly ok?: boolean;
}

/**
 * The milliseconds that stand for a line. Below 4 ms the tenth percentile: one step fits into a time slice of the scheduler, and the
 * median would measure the neighbours. Above, the median.
 */
export function standing({ p10, ms_per_step_median: median }: Line): number | null {
  if (median === null) return null;
  return p10 !== undefined && p10 !== null && p10 < 4 ? p10 : median;
}

/** Six digits are more than a clock knows. */
export function rounded(x: number): number {
  return Number(x.toPrecision(6));
}
