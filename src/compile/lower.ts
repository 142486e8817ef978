import type { Tensor } from "../graph/tensor.js";
import { Level } from "./level.js";
import type { Place, Plan } from "./plan.js";
import { Program } from "./program.js";

/**
 * The plan of a graph. Outputs that are inputs, constants or each other lie where these lie: who gives them to somebody copies them.
 * @param inputs nodes that get their numbers from outside; those that hold numbers keep them
 */
export function lower(outputs: readonly Tensor[], inputs: readonly Tensor[]): Plan {
  const program = new Program();
  const given = new Map<Tensor, Place>();
  const places = inputs.map((input) => {
    if (input.value !== null) return null;
    const known = given.get(input) ?? program.buffer(input.dtype, input.size);
    given.set(input, known);
    return known.buffer;
  });
  const { places: results, rounds } = new Level(program, given).lower(outputs);
  return { buffers: program.buffers, rounds, inputs: places, outputs: results, cells: program.cells };
}
