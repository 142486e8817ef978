import { sizeOf } from "../../base/shape.js";
import { bytesOf } from "../../compile/arena.js";
import type { Rounds, Stage, Step } from "../../compile/plan.js";
import { costOf } from "../map.js";

/** Nanoseconds of one thread, roughly: enough to tell what is worth sharing. */
export function costOfStep(step: Step): number {
  switch (step.kind) {
    case "group":
      return 50 + sizeOf(step.shape) * step.stages.reduce((sum, stage) => sum + perElement(stage), 0);
    case "matmul": {
      const rate = step.dtype === "float32" ? 36 : 17;
      return 50 + (2 * step.batch * step.m * step.n * step.k) / rate;
    }
    case "conv": {
      const { batch, groups, channels, filters, window, outs } = step.spec;
      const products = batch * groups * channels * filters * sizeOf(window) * sizeOf(outs);
      return 50 + (2 * products) / (step.dtype === "float32" ? 25 : 12);
    }
    case "copy":
      return 10 + (step.size * bytesOf(step.dtype)) / 8;
    case "host":
      return 5000;
    case "alarm":
      return 2;
    case "loop":
      return step.length * costOfRounds(step.rounds);
    case "branch":
      return Math.max(...step.sides.map(costOfRounds));
  }
}

export function costOfRounds(rounds: Rounds): number {
  return rounds.reduce((sum, round) => sum + round.reduce((all, step) => all + costOfStep(step), 0), 0);
}

function perElement(stage: Stage): number {
  switch (stage.kind) {
    case "gather":
      return stage.once ? 0 : 0.3;
    case "bits":
      return 1.4;
    case "map":
      return 0.1 * (stage.inputs.length + stage.outputs.length) + 0.1 * costOf(stage.block);
    case "reduce":
      return 0.15;
    case "scatter":
      return 0.5;
  }
}
