import { check } from "./check.js";
import { type Line, rounded, type ValueCheck } from "./line.js";
import { timed } from "./timing.js";
import type { Check, Running, Scale, Variant, Workload } from "./workload.js";

export interface MeasureOptions {
  readonly scale: Scale;
  readonly reps?: number;
}

/** What the runner knows of the library. */
export type About = Pick<Line, "peer" | "version" | "threads">;

/** One line per variant; a variant that throws gives a line with the reason. */
export function* measure(workload: Workload, about: About, options: MeasureOptions): Generator<Line> {
  const { name, variants, reason } = workload;
  if (reason !== undefined) yield { ...about, workload: name, ms_per_step_median: null, reason };
  for (const variant of variants) {
    const head = { ...about, workload: name, variant: variant.name };
    try {
      yield { ...head, ...run(workload, variant, options) };
    } catch (error) {
      yield { ...head, ms_per_step_median: null, reason: (error as Error).message };
    }
  }
}

/** Fewer steps than these say nothing about whether something is learned. */
const LEARNED_STEPS = 20;

function run(
  workload: Workload,
  variant: Variant,
  { scale, reps }: MeasureOptions,
): Omit<Line, keyof About | "workload"> {
  const { name, inner = 1, envSteps, check: how } = workload;
  const from = performance.now();
  const running = variant.start(scale);
  running.step();
  const compile_ms = rounded(performance.now() - from);
  const first = running.numbers();
  // The check comes first: it counts steps from the common start.
  const before = scale === "full" ? checkedBefore(name, how, running, first) : undefined;
  const timing = timed(running.step, { inner, warm: 2, reps });
  const { ms_per_step_median: ms } = timing;
  const halves = how?.kind === "halves" && scale === "full" && timing.reps >= LEARNED_STEPS;
  return {
    ...timing,
    compile_ms,
    env_steps_per_s: envSteps ? Math.round((envSteps(scale) / ms) * 1000) : undefined,
    value_check: halves ? fallen(first, running.numbers()) : before,
  };
}

/** Runs the steps that the check is about; one has been taken. */
function checkedBefore(
  name: string,
  how: Check | undefined,
  running: Running,
  first: readonly number[],
): ValueCheck | undefined {
  if (how === undefined || how.kind === "halves") return undefined;
  const sums = [...first];
  for (let i = 1; i < how.steps; i++) {
    running.step();
    if (how.kind === "mean") for (const [k, x] of running.numbers().entries()) sums[k] = (sums[k] as number) + x;
  }
  return check(name, how.kind === "mean" ? sums.map((s) => s / how.steps) : running.numbers());
}

function fallen([first]: readonly number[], [last]: readonly number[]): ValueCheck {
  return { value: [first as number, last as number].map(rounded), ok: (last as number) < 0.5 * (first as number) };
}
