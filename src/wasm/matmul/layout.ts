import type { Callee } from "../encode.js";
import type { Add } from "./core.js";
import { packColumns, packRows, packTiles, packTurned } from "./pack.js";
import { block, type Form, type Method, type Tiling, tilingOf } from "./spec.js";
import { directSweep, type Sweep } from "./sweep.js";
import { tileSweep } from "./tile.js";

/** Bytes of A that are swept panel by panel before the next rows: they stay in the second cache, or where B is packed, near it. */
const nearBytes = 256 * 1024;
const packedBytes = 1024 * 1024;

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** The layout of the tiled method. */
export interface Tiled {
  readonly form: Form;
  readonly method: Method;
  readonly tiling: Tiling;
  readonly columns: number;
  readonly full: number;
  readonly panels: number;
  /** Tiles per block of rows. */
  readonly blockTiles: number;
  /** Bytes from row to row of A where the tiles read it. */
  readonly rowBytes: number;
  /** Where packed A begins in scratch. */
  readonly packedAt: number;
  readonly scratchBytes: number;
}

export function layOut(form: Form, method: Method): Tiled {
  const { lanes, m, n } = form;
  const tiling = tilingOf(m, method.rows);
  const columns = method.vectors * lanes.count;
  const length = Math.min(form.k, block);
  const line = length * lanes.width;
  const rowBytes = method.a === "direct" ? form.aRow : line;
  const wanted = method.b === "direct" && method.a === "direct" ? nearBytes : packedBytes;
  const blockTiles = Math.min(tiling.count, Math.max(8, Math.ceil(wanted / (line * (tiling.size + 1)))));
  // Packing by squares writes up to three steps of k too many, copying up to a vector.
  const packedAt = method.b === "direct" ? 0 : roundUp((length + 3) * method.vectors * 16);
  const packedA = method.a === "direct" ? 0 : roundUp(blockTiles * (tiling.size + 1) * rowBytes + 3 * 64);
  return {
    form,
    method,
    tiling,
    columns,
    full: Math.floor(n / columns),
    panels: Math.ceil(n / columns),
    blockTiles,
    rowBytes,
    packedAt,
    scratchBytes: packedAt + packedA,
  };
}

/** The functions of one width of panel. */
export interface Panel {
  readonly large: Callee | null;
  readonly small: Callee | null;
  readonly pack: Callee | null;
}

export function panelOf(tiled: Tiled, columns: number, add: Add): Panel {
  const { form, method, tiling, rowBytes } = tiled;
  const { lanes } = form;
  const vectors = Math.ceil(columns / lanes.count);
  const sweepOf = (rows: number): Callee => {
    const sweep: Sweep = {
      ...directSweep(form),
      ...(method.a !== "direct" && { aRow: lanes.width, aInner: rows * lanes.width }),
      ...(method.b !== "direct" && { bInner: vectors * 16 }),
      lanes,
      rows,
      vectors,
      columns,
      move: [rows * rowBytes, 0, rows * form.cRow],
      k: form.k,
      fused: form.fused,
    };
    return add(tileSweep(sweep), `matmul tiles ${rows}x${columns}`);
  };
  const pack = (): Callee | null => {
    if (method.b === "direct") return null;
    const code = method.b === "pack" ? packRows(form, vectors) : packColumns(form, vectors, columns);
    return add(code, `matmul pack B x${columns}`);
  };
  return {
    large: tiling.large > 0 ? sweepOf(tiling.size + 1) : null,
    small: tiling.large < tiling.count ? sweepOf(tiling.size) : null,
    pack: pack(),
  };
}

/** The functions that pack the tiles of A. */
export interface Packs {
  readonly large: Callee | null;
  readonly small: Callee | null;
}

export function packsOf({ form, method, tiling, rowBytes }: Tiled, add: Add): Packs {
  if (method.a === "direct") return { large: null, small: null };
  const packed = method.a === "copy" ? packTiles : packTurned;
  const of = (rows: number): Callee => add(packed(form, rows, rows * rowBytes), `matmul pack A ${rows}`);
  return {
    large: tiling.large > 0 ? of(tiling.size + 1) : null,
    small: tiling.large < tiling.count ? of(tiling.size) : null,
  };
}
