import { type Shape, stridesOf } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { type AffineMap, flatten, identityMap, NeedsSplit, readAxes, throughReshape } from "../kernel/affine.js";
import { shownBy } from "./levels.js";
import type { Operand, Place } from "./plan.js";
import { loweringOf } from "./program.js";

/** How the numbers of a node lie in the memory of what its views show. */
interface Seen {
  readonly root: Tensor;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** @returns null where the views cannot be read in place */
function seen(node: Tensor, stored: ReadonlySet<Tensor>): Seen | null {
  const root = shownBy(node, stored);
  let map: AffineMap = identityMap(node.shape);
  let at = node;
  let shape: Shape = node.shape;
  while (at !== root) {
    const [first] = at.inputs as [Tensor];
    const lower = loweringOf(at);
    if (lower.kind === "view") map = readAxes(map, lower.axes(at.params, first.shape, at.shape), node.rank);
    else if (lower.kind === "reshape") {
      const inner = throughReshape(map, first.shape, at.shape, node.shape);
      if (inner === null || inner instanceof NeedsSplit) {
        if (first !== root) return null;
        // Row by row in memory: its rows may have any length.
        const flat = flatten(map, at.shape, node.shape);
        return { root, ...flat };
      }
      map = inner;
    }
    at = first;
    shape = first.shape;
  }
  return { root, ...flatten(map, shape, node.shape) };
}

/** One operand of a product. @returns null where it has to be copied first */
export function operandOf(node: Tensor, stored: ReadonlySet<Tensor>, placeOf: (node: Tensor) => Place): Operand | null {
  const view = seen(node, stored);
  if (view === null) return null;
  const rank = node.rank;
  const [rows, columns] = [node.shape[rank - 2] as number, node.shape[rank - 1] as number];
  const [down, across] = [view.strides[rank - 2] as number, view.strides[rank - 1] as number];
  const step = stepOf(node.shape.slice(0, -2), view.strides.slice(0, -2));
  const form = formOf(rows, columns, down, across);
  if (step === null || form === null) return null;
  const place = placeOf(view.root);
  return { place: { ...place, offset: place.offset + view.offset }, step, ...form };
}

function formOf(
  rows: number,
  columns: number,
  down: number,
  across: number,
): { readonly transposed: boolean; readonly lead: number } | null {
  if ((columns <= 1 || across === 1) && (rows <= 1 || down >= columns))
    return { transposed: false, lead: rows <= 1 ? Math.max(columns, 1) : down };
  if ((rows <= 1 || down === 1) && (columns <= 1 || across >= rows))
    return { transposed: true, lead: columns <= 1 ? Math.max(rows, 1) : across };
  return null;
}

/** The distance between matrices that follow each other; null where it changes. */
function stepOf(shape: Shape, strides: readonly number[]): number | null {
  const own = stridesOf(shape);
  const long = shape.flatMap((n, d) => (n === 1 ? [] : [d]));
  const last = long.at(-1);
  if (last === undefined) return 0;
  const step = (strides[last] as number) / (own[last] as number);
  return step >= 0 && long.every((d) => strides[d] === step * (own[d] as number)) ? step : null;
}
