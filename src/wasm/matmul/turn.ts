import type { Code } from "../encode.js";
import type { Lanes } from "./spec.js";

/** The bytes of 32-bit words `order` of two vectors. */
function words(...order: readonly number[]): number[] {
  return order.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + byte));
}

const low32 = words(0, 4, 1, 5);
const high32 = words(2, 6, 3, 7);
const low64 = words(0, 1, 4, 5);
const high64 = words(2, 3, 6, 7);

/** Locals for `turn`. */
export interface Square {
  readonly given: readonly number[];
  readonly spare: readonly number[];
}

export function square(code: Code, lanes: Lanes): Square {
  const locals = (): number[] => Array.from({ length: lanes.count }, () => code.local("v128"));
  return { given: locals(), spare: locals() };
}

/** Transposes a square of vectors. @returns the locals it ends in: lane i of the j-th is lane j of the i-th given */
export function turn(code: Code, lanes: Lanes, { given, spare }: Square): readonly number[] {
  const mix = (x: number, y: number, order: readonly number[], target: number): void => {
    code.get(x).get(y).shuffle(order).set(target);
  };
  if (lanes.count === 2) {
    const [x, y] = given as [number, number];
    mix(x, y, low64, spare[0] as number);
    mix(x, y, high64, spare[1] as number);
    return spare;
  }
  const [p, q, r, s] = given as [number, number, number, number];
  const [t, u, v, w] = spare as [number, number, number, number];
  mix(p, q, low32, t);
  mix(p, q, high32, u);
  mix(r, s, low32, v);
  mix(r, s, high32, w);
  mix(t, v, low64, p);
  mix(t, v, high64, q);
  mix(u, w, low64, r);
  mix(u, w, high64, s);
  return given;
}
