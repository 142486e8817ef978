import type { Code } from "../encode.js";
import type { Address } from "../group.js";

/** Leaves an address on the stack. */
export function pushAddress(code: Code, { constant, cells }: Address): void {
  code.i32(constant);
  for (const { address, stride } of cells) {
    code.i32(address).memory("i32.load", 0, 2);
    if (stride !== 1) code.i32(stride).op("i32.mul");
    code.op("i32.add");
  }
}
