import { type Callee, Code } from "../encode.js";
import {
  type Add,
  atMost,
  type Core,
  coreParams,
  eachBlock,
  grainOf,
  paramA,
  paramB,
  paramC,
  paramFrom,
  paramTo,
  push,
} from "./core.js";
import { lineSweep } from "./lines.js";
import type { Form, Method } from "./spec.js";
import { directSweep, type Sweep } from "./sweep.js";
import { tileSweep } from "./tile.js";

/** The sweep over panels of `columns` columns of a row of tiles; the last panel may have fewer. */
function sweepOf(form: Form, method: Method, columns: number, add: Add): Callee {
  const { lanes, m, k, fused } = form;
  const width = method.vectors * lanes.count;
  const sweep: Sweep = {
    ...directSweep(form),
    lanes,
    rows: m,
    vectors: Math.ceil(columns / lanes.count),
    columns,
    move: [0, width * form.bColumn, width * form.cColumn],
    k,
    fused,
  };
  const code = method.b === "lines" ? lineSweep(sweep) : tileSweep(sweep);
  return add(code, `matmul ${method.b} ${m}x${columns}`);
}

/** Few rows: one row of tiles, and B is read where it lies. */
export function wideCore(form: Form, method: Method, add: Add): Core {
  const { n } = form;
  const columns = method.vectors * form.lanes.count;
  const full = Math.floor(n / columns);
  const panels = Math.ceil(n / columns);
  const grain = grainOf(panels, form.m * columns * form.k);
  const whole = full > 0 ? sweepOf(form, method, columns, add) : null;
  const tail = panels > full ? sweepOf(form, method, n - full * columns, add) : null;
  const code = new Code(coreParams);
  const [first, last, count, at] = [0, 0, 0, 0].map(() => code.local("i32")) as [number, number, number, number];
  const [a, b] = form.swapped ? [paramB, paramA] : [paramA, paramB];
  code.get(paramFrom).i32(grain).op("i32.mul").set(first);
  code.get(paramTo).i32(grain).op("i32.mul").set(last);
  eachBlock(code, form, (step) => {
    const call = (callee: Callee, from: number): void => {
      push(code, a, [step.start, form.aInner]);
      push(code, b, [step.start, form.bInner], [from, columns * form.bColumn]);
      push(code, paramC, [from, columns * form.cColumn]);
      code.get(count).get(step.length).get(step.add).call(callee);
    };
    if (whole) {
      atMost(code, last, full);
      code.get(first).op("i32.sub").tee(count).i32(0).op("i32.gt_s");
      code.if(() => call(whole, first));
    }
    if (!tail) return;
    code.get(last).i32(full).op("i32.gt_s");
    code.if(() => {
      code.i32(full).set(at).i32(1).set(count);
      call(tail, at);
    });
  });
  return { run: add(code, "matmul wide"), pieces: Math.ceil(panels / grain), scratchBytes: 0 };
}
