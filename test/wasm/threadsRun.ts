import { type Callee, Code, ModuleBuilder } from "../../src/wasm/encode.js";
import { memory, type Region } from "../../src/wasm/memory.js";
import { emitBarrier } from "../../src/wasm/threads/barrier.js";

/** A module whose run(tid, threads) is what `write` writes. @param imports names of functions () -> () from outside */
export function moduleOf(
  write: (code: Code, barrier: Callee, imported: readonly Callee[]) => void,
  imports: readonly string[] = [],
): WebAssembly.Module {
  const { shared, pages } = memory();
  const builder = new ModuleBuilder();
  const imported = imports.map((name) => builder.importFunction(name, [], []));
  const barrier = emitBarrier(builder, shared);
  const code = new Code(["i32", "i32"]);
  write(code, barrier, imported);
  builder.add(code, "run", "run");
  return new WebAssembly.Module(builder.bytes({ shared, pages }));
}

/** Calls the barrier from inside run(tid, threads). */
export function meet(code: Code, barrier: Callee): void {
  code.get(0).get(1).call(barrier);
}

/** Runs a body for u = from..to of the calling thread. */
export function ownUnits(code: Code, units: number, body: (u: number) => void): void {
  const u = code.local("i32");
  const end = code.local("i32");
  code.get(0).i32(units).op("i32.mul").get(1).op("i32.div_u").set(u);
  code.get(0).i32(1).op("i32.add").i32(units).op("i32.mul").get(1).op("i32.div_u").set(end);
  counted(code, u, end, () => body(u));
}

/** for (; u < end; u++) body. */
function counted(code: Code, u: number, end: number, body: () => void): void {
  code.block(() => {
    code.loop(() => {
      code.get(u).get(end).op("i32.ge_s").brIf(1);
      body();
      code.get(u).i32(1).op("i32.add").set(u).br(0);
    });
  });
}

/** A local that holds a number. */
function fixed(code: Code, value: number): number {
  const local = code.local("i32");
  code.i32(value).set(local);
  return local;
}

export const gameUnits = 12;

/**
 * Two rows of i32, `rounds` times: each element of one becomes 3·own + neighbour's of the other, and they change places. A thread that
 * passes a barrier too early or late reads a number of another round, and the last row shows it.
 */
export function game(region: Region, rounds: number): WebAssembly.Module {
  return moduleOf((code, barrier) => {
    const [from, to, swap] = [
      fixed(code, region.address),
      fixed(code, region.address + 4 * gameUnits),
      code.local("i32"),
    ];
    counted(code, code.local("i32"), fixed(code, rounds), () => {
      ownUnits(code, gameUnits, (u) => {
        const element = (row: number): Code => code.get(u).i32(2).op("i32.shl").get(row).op("i32.add");
        element(to);
        element(from).memory("i32.load", 0, 2).i32(3).op("i32.mul");
        code.get(u).i32(5).op("i32.add").i32(gameUnits).op("i32.rem_u").i32(2).op("i32.shl").get(from).op("i32.add");
        code.memory("i32.load", 0, 2).op("i32.add").memory("i32.store", 0, 2);
      });
      meet(code, barrier);
      code.get(from).set(swap).get(to).set(from).get(swap).set(to);
    });
  });
}

/** The same in JavaScript: both rows after it. */
export function gameInJs(rows: Int32Array, rounds: number): Int32Array {
  let [from, to] = [rows.slice(0, gameUnits), rows.slice(gameUnits)];
  for (let r = 0; r < rounds; r++) {
    for (let u = 0; u < gameUnits; u++)
      to[u] = (Math.imul(from[u] as number, 3) + (from[(u + 5) % gameUnits] as number)) | 0;
    [from, to] = [to, from];
  }
  return Int32Array.from(rounds % 2 === 0 ? [...from, ...to] : [...to, ...from]);
}

/** x / Σx in float32, the sum by partial sums of `length` elements, one per unit, added in order after a barrier. Table: `partial`. */
export function normalise(x: Region, partial: Region, units: number, length: number): WebAssembly.Module {
  return moduleOf((code, barrier) => {
    const [i, total] = [code.local("i32"), code.local("f32")];
    const address = (u: number): Code =>
      code.get(u).i32(length).op("i32.mul").get(i).op("i32.add").i32(2).op("i32.shl").i32(x.address).op("i32.add");
    const each = (body: () => void): void => {
      code.i32(0).set(i);
      counted(code, i, fixed(code, length), body);
    };
    ownUnits(code, units, (u) => {
      code.f32(0).set(total);
      each(() => address(u).memory("f32.load", 0, 2).get(total).op("f32.add").set(total));
      code.get(u).i32(2).op("i32.shl").get(total).memory("f32.store", partial.address, 2);
    });
    meet(code, barrier);
    code.f32(0).set(total).i32(0).set(i);
    counted(code, i, fixed(code, units), () => {
      code.get(total).get(i).i32(2).op("i32.shl").memory("f32.load", partial.address, 2).op("f32.add").set(total);
    });
    ownUnits(code, units, (u) => {
      each(() => {
        address(u);
        address(u).memory("f32.load", 0, 2).get(total).op("f32.div").memory("f32.store", 0, 2);
      });
    });
  });
}

/** The same in JavaScript. */
export function normaliseInJs(x: Float32Array, units: number, length: number): Float32Array {
  let total = 0;
  for (let u = 0; u < units; u++) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum = Math.fround(sum + (x[u * length + i] as number));
    total = Math.fround(total + sum);
  }
  return x.map((each) => each / total);
}
