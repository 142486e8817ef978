import { bytesOf } from "../../compile/arena.js";
import type { Loop } from "../../compile/plan.js";
import type { Code } from "../encode.js";
import type { Address } from "../group.js";
import { pushAddress } from "./address.js";
import type { Layout } from "./layout.js";

/** Leaves on the stack whether no byte of a bool array holds. */
export function noneOf(code: Code, address: Address, size: number): void {
  const [at, end, any] = [code.local("i32"), code.local("i32"), code.local("i32")];
  pushAddress(code, address);
  code.tee(at).i32(size).op("i32.add").set(end);
  code.i32(0).set(any);
  code.block(() => {
    code.loop(() => {
      code.get(at).get(end).op("i32.ge_u").brIf(1);
      code.get(any).get(at).memory("i32.load8_u").op("i32.or").set(any);
      code.get(at).i32(1).op("i32.add").set(at);
      code.br(0);
    });
  });
  code.get(any).op("i32.eqz");
}

/** The row at which a loop ended (`i` steps after the first) speaks for all that are left. */
export function repeatRows(code: Code, { length, reverse, cell, stacked }: Loop, i: number, layout: Layout): void {
  const [from, to, left] = [code.local("i32"), code.local("i32"), code.local("i32")];
  for (const { place, dtype, size } of stacked) {
    const bytes = size * bytesOf(dtype);
    if (bytes === 0) continue;
    pushAddress(code, layout.address(place));
    code.i32(layout.cell(cell)).memory("i32.load", 0, 2);
    code.i32(bytes).op("i32.mul").op("i32.add").tee(from).set(to);
    code.i32(length - 1);
    code.get(i).op("i32.sub").set(left);
    code.block(() => {
      code.loop(() => {
        code.get(left).op("i32.eqz").brIf(1);
        code.get(to);
        code.i32(reverse ? -bytes : bytes);
        code.op("i32.add").tee(to);
        code.get(from).i32(bytes).bulk("memory.copy");
        code.get(left).i32(1).op("i32.sub").set(left);
        code.br(0);
      });
    });
  }
}
