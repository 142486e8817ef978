import { type Callee, Code } from "../encode.js";
import { type Add, type Core, coreParams, paramA, paramB, paramC, paramFrom, paramScratch, paramTo } from "./core.js";
import { isPlain, plainCore } from "./plain.js";
import { type Form, formOf, type MatmulSpec, methodOf } from "./spec.js";
import { tiledCore } from "./tiled.js";
import { wideCore } from "./wide.js";

export type { MatmulOperand, MatmulSpec } from "./spec.js";

/** A product as functions of a module. */
export interface MatmulProgram {
  /** (a, b, c, scratch, from, to): addresses of the first elements, scratch of the calling thread, and a range of units. */
  readonly run: Callee;
  /** Parts that may be computed by different threads: each writes its own elements of C. None where C is empty. */
  readonly units: number;
  readonly scratchBytes: number;
}

/**
 * C[b] = A[b]·B[b] with all sizes baked: C is [batch, m, n] without gaps. Each element of C is the sum over blocks of 512 of k, added
 * in order, of products added from left to right, whatever the form, the batch and the split. Operands may be read up to 64
 * bytes beyond their ends; C is written exactly. The tiles are those of BLIS (Van Zee, van de Geijn, 2015), sized for 16 registers.
 */
export function emitMatmul(spec: MatmulSpec, add: Add): MatmulProgram {
  const { m, n, k, batch } = spec;
  if (m * n * batch === 0) return { run: add(new Code(coreParams), "matmul of nothing"), units: 0, scratchBytes: 0 };
  if (k === 0) return { run: add(zeros(spec), "matmul of no k"), units: 1, scratchBytes: 0 };
  const form = formOf(spec);
  const core = coreOf(form, add);
  if (batch === 1) return { run: core.run, units: core.pieces, scratchBytes: core.scratchBytes };
  // A batch is split between its elements where these suffice.
  const pieces = batch >= 16 ? 1 : core.pieces;
  const run = add(batched(spec, core, pieces), "matmul batch");
  return { run, units: batch * pieces, scratchBytes: core.scratchBytes };
}

function coreOf(form: Form, add: Add): Core {
  if (isPlain(form)) return plainCore(form, add);
  const method = methodOf(form);
  return form.m <= 4 ? wideCore(form, method, add) : tiledCore(form, method, add);
}

function zeros({ dtype, m, n, batch, accumulate }: MatmulSpec): Code {
  const code = new Code(coreParams);
  if (accumulate) return code;
  const bytes = m * n * batch * (dtype === "float32" ? 4 : 8);
  code.get(paramFrom).get(paramTo).op("i32.lt_s");
  return code.if(() => code.get(paramC).i32(0).i32(bytes).bulk("memory.fill"));
}

/** Unit u is piece u mod pieces of element ⌊u / pieces⌋; runs of pieces of one element are one call. */
function batched(spec: MatmulSpec, core: Core, pieces: number): Code {
  const code = new Code(coreParams);
  const width = spec.dtype === "float32" ? 4 : 8;
  const element = code.local("i32");
  const last = code.local("i32");
  const operand = (param: number, step: number): void => {
    code
      .get(param)
      .get(element)
      .i32(step * width)
      .op("i32.mul")
      .op("i32.add");
  };
  code.block(() => {
    code.loop(() => {
      code.get(paramFrom).get(paramTo).op("i32.ge_s").brIf(1);
      code.get(paramFrom).i32(pieces).op("i32.div_u").set(element);
      operand(paramA, spec.a.step);
      operand(paramB, spec.b.step);
      operand(paramC, spec.m * spec.n);
      code.get(paramScratch);
      if (pieces === 1) {
        code.i32(0).i32(core.pieces).call(core.run);
        code.get(paramFrom).i32(1).op("i32.add").set(paramFrom);
      } else {
        code.get(element).i32(1).op("i32.add").i32(pieces).op("i32.mul").set(last);
        code.get(last).get(paramTo).get(last).get(paramTo).op("i32.lt_s").op("select").set(last);
        code.get(paramFrom).get(element).i32(pieces).op("i32.mul").op("i32.sub");
        code.get(last).get(element).i32(pieces).op("i32.mul").op("i32.sub");
        code.call(core.run);
        code.get(last).set(paramFrom);
      }
      code.br(0);
    });
  });
  return code;
}
