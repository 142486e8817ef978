import { Code } from "../encode.js";
import type { Form } from "./spec.js";
import { square, turn } from "./turn.js";

/** Copies of operands in the order in which tiles read them. All take (from, to, length of the block of k, ...). */
const [paramFrom, paramTo, paramLength, paramCount] = [0, 1, 2, 3];

function bump(code: Code, local: number, bytes: number): void {
  code.get(local).i32(bytes).op("i32.add").set(local);
}

/** end = to + length · bytes, in a fresh local. */
function endOf(code: Code, bytes: number): number {
  const end = code.local("i32");
  code.get(paramTo).get(paramLength).i32(bytes).op("i32.mul").op("i32.add").set(end);
  return end;
}

/** Rows of `vectors` vectors, `stride` bytes apart, stored `step` bytes apart; the last may be overwritten in part by the next. */
function copyRows(code: Code, vectors: number, stride: number, step: number): void {
  const unroll = 4;
  const held = Array.from({ length: vectors }, () => code.local("v128"));
  const end = endOf(code, step);
  const from = code.local("i32");
  const to = code.local("i32");
  code.get(paramFrom).set(from).get(paramTo).set(to);
  code.block(() => {
    code.loop(() => {
      for (let u = 0; u < unroll; u++) {
        held.forEach((local, v) => {
          code
            .get(from)
            .memory("v128.load", u * stride + v * 16)
            .set(local);
        });
        held.forEach((local, v) => {
          code
            .get(to)
            .get(local)
            .memory("v128.store", v * 16);
        });
        code.get(to).i32(step).op("i32.add").tee(to).get(end).op("i32.ge_u").brIf(1);
      }
      bump(code, from, unroll * stride);
      code.br(0);
    });
  });
}

/** A panel of B whose rows are contiguous -> [length, vectors]. (from, to, length) */
export function packRows(form: Form, vectors: number): Code {
  const code = new Code(["i32", "i32", "i32"]);
  copyRows(code, vectors, form.bInner, vectors * 16);
  return code;
}

/**
 * A panel of B whose columns are contiguous -> [length, vectors]. Reads up to three elements beyond the end of a column and writes up
 * to three rows too many. (from, to, length)
 */
export function packColumns(form: Form, vectors: number, columns: number): Code {
  const { lanes, bColumn } = form;
  const code = new Code(["i32", "i32", "i32"]);
  const place = square(code, lanes);
  const end = endOf(code, vectors * 16);
  code.loop(() => {
    for (let v = 0; v < vectors; v++) {
      place.given.forEach((local, i) => {
        const column = Math.min(v * lanes.count + i, columns - 1);
        code
          .get(paramFrom)
          .memory("v128.load", column * bColumn)
          .set(local);
      });
      turn(code, lanes, place).forEach((local, l) => {
        code
          .get(paramTo)
          .get(local)
          .memory("v128.store", (l * vectors + v) * 16);
      });
    }
    bump(code, paramFrom, 16);
    bump(code, paramTo, lanes.count * vectors * 16);
    code.get(paramTo).get(end).op("i32.lt_u").brIf(0);
  });
  return code;
}

/** Tiles of `rows` rows of A whose columns are contiguous -> [count, length, rows], tiles `size` bytes apart. (from, to, length, count) */
export function packTiles(form: Form, rows: number, size: number): Code {
  const { lanes, aInner } = form;
  const code = new Code(["i32", "i32", "i32", "i32"]);
  code.loop(() => {
    copyRows(code, Math.ceil(rows / lanes.count), aInner, rows * lanes.width);
    bump(code, paramFrom, rows * lanes.width);
    bump(code, paramTo, size);
    code.get(paramCount).i32(1).op("i32.sub").tee(paramCount).brIf(0);
  });
  return code;
}

/** The same of A whose rows are contiguous. Reads up to three elements beyond the end of a row. (from, to, length, count) */
export function packTurned(form: Form, rows: number, size: number): Code {
  const { lanes, aRow } = form;
  const { count, width } = lanes;
  const code = new Code(["i32", "i32", "i32", "i32"]);
  const from = code.local("i32");
  const to = code.local("i32");
  const step = turnedStep(code, form, rows, from, to);
  code.loop(() => {
    const end = endOf(code, rows * width);
    code.get(paramFrom).set(from).get(paramTo).set(to);
    code.loop(() => {
      step();
      bump(code, from, 16);
      bump(code, to, count * rows * width);
      code.get(to).get(end).op("i32.lt_u").brIf(0);
    });
    bump(code, paramFrom, rows * aRow);
    bump(code, paramTo, size);
    code.get(paramCount).i32(1).op("i32.sub").tee(paramCount).brIf(0);
  });
  return code;
}

/** A square of A, and the rows that are left below it. */
function turnedStep(code: Code, { lanes, aRow }: Form, rows: number, from: number, to: number): () => void {
  const { count, width } = lanes;
  const place = square(code, lanes);
  const squares = Math.floor(rows / count) * count;
  return () => {
    for (let row = 0; row < squares; row += count) {
      place.given.forEach((local, i) => {
        code
          .get(from)
          .memory("v128.load", (row + i) * aRow)
          .set(local);
      });
      turn(code, lanes, place).forEach((local, l) => {
        code
          .get(to)
          .get(local)
          .memory("v128.store", (l * rows + row) * width);
      });
    }
    const line = place.given[0] as number;
    for (let row = squares; row < rows; row++) {
      code
        .get(from)
        .memory("v128.load", row * aRow)
        .set(line);
      for (let l = 0; l < count; l++) {
        code
          .get(to)
          .get(line)
          .memoryLane(`v128.store${width * 8}_lane`, l, (l * rows + row) * width);
      }
    }
  };
}
