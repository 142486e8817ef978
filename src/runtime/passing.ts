import { bytesOf } from "../compile/arena.js";
import type { Place, Plan } from "../compile/plan.js";

/** Inputs and outputs of so many bytes lie outside the arena: they come and go by address, without a copy. */
const worthPassing = 16 * 1024;

/** Inputs and outputs that are large, and whole buffers. */
export function passedBuffers({ buffers, inputs, outputs }: Plan): ReadonlySet<number> {
  const large = (buffer: number): boolean => {
    const { dtype, size, constant } = buffers[buffer] as Plan["buffers"][number];
    return constant === null && size * bytesOf(dtype) >= worthPassing;
  };
  const count = new Map<number, number>();
  for (const { buffer } of outputs) count.set(buffer, (count.get(buffer) ?? 0) + 1);
  const whole = ({ buffer, offset, rows }: Place): boolean =>
    offset === 0 && rows.length === 0 && count.get(buffer) === 1;
  return new Set([
    ...inputs.filter((buffer): buffer is number => buffer !== null && large(buffer)),
    ...outputs.filter((place) => whole(place) && large(place.buffer)).map(({ buffer }) => buffer),
  ]);
}
