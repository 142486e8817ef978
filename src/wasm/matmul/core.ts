import type { Callee, Code } from "../encode.js";
import { block, type Form } from "./spec.js";

/** Adds a function to the module. */
export type Add = (code: Code, label: string) => Callee;

/** One product, in pieces: `run` takes (a, b, c, scratch, from piece, to piece). */
export interface Core {
  readonly run: Callee;
  readonly pieces: number;
  readonly scratchBytes: number;
}

export const paramA = 0;
export const paramB = 1;
export const paramC = 2;
export const paramScratch = 3;
export const paramFrom = 4;
export const paramTo = 5;
export const coreParams = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** Multiplications that are worth a piece of work of their own. */
const worthwhile = 8192;

/** How many of `count` equal parts of `work` make a piece. */
export function grainOf(count: number, work: number): number {
  return work * count < 2 * worthwhile ? count : Math.max(1, Math.ceil(worthwhile / work));
}

/** base + Σ local · factor. */
export function push(code: Code, base: number, ...terms: readonly (readonly [local: number, factor: number])[]): void {
  code.get(base);
  for (const [local, factor] of terms) code.get(local).i32(factor).op("i32.mul").op("i32.add");
}

/** The smaller of a local and a constant. */
export function atMost(code: Code, local: number, most: number): void {
  code.get(local).i32(most).get(local).i32(most).op("i32.lt_s").op("select");
}

/** One block of k: the start in a local, length and whether C is added to. */
export interface Block {
  readonly start: number;
  readonly length: number;
  readonly add: number;
}

/** `body` for each block of k. */
export function eachBlock(code: Code, form: Form, body: (block: Block) => void): void {
  const at = { start: code.local("i32"), length: code.local("i32"), add: code.local("i32") };
  code.i32(form.accumulate ? 1 : 0).set(at.add);
  code.loop(() => {
    code.i32(form.k).get(at.start).op("i32.sub").set(at.length);
    atMost(code, at.length, block);
    code.set(at.length);
    body(at);
    if (form.k <= block) return;
    code.i32(1).set(at.add);
    code.get(at.start).i32(block).op("i32.add").tee(at.start).i32(form.k).op("i32.lt_s").brIf(0);
  });
}
