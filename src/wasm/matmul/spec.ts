/** An operand as it lies in memory: rows `lead` elements apart, matrices of a batch `step` elements apart (0: the same one). */
export interface MatmulOperand {
  readonly transposed: boolean;
  readonly lead: number;
  readonly step: number;
}

/** What is baked into a product; only addresses stay open. */
export interface MatmulSpec {
  readonly dtype: "float32" | "float64";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: MatmulOperand;
  readonly b: MatmulOperand;
  readonly batch: number;
  /** C += A·B instead of C = A·B. */
  readonly accumulate?: boolean;
  readonly numerics: "exact" | "fast";
  /** Whether the engine has relaxed SIMD; used by "fast" alone. */
  readonly relaxed: boolean;
}

/**
 * The length of a block of k. An element of C is the sum over blocks, added in order, of the block's products added from left to right
 * to zero: it depends on k alone, so that a batched, transposed or split product has the same bits. Blocks keep a panel of B in
 * the nearest cache and make the error of a long sum grow like 512 + k / 512 instead of k.
 */
export const block = 512;

/** The vectors of a type. */
export interface Lanes {
  readonly type: "f32x4" | "f64x2";
  /** Bytes of an element. */
  readonly width: number;
  /** Elements of a vector. */
  readonly count: number;
  readonly splat: "v128.load32_splat" | "v128.load64_splat";
}

const lanes: Readonly<Record<MatmulSpec["dtype"], Lanes>> = {
  float32: { type: "f32x4", width: 4, count: 4, splat: "v128.load32_splat" },
  float64: { type: "f64x2", width: 8, count: 2, splat: "v128.load64_splat" },
};

/** One product without names for its forms: element (i, l) of A is aRow·i + aInner·l bytes from its start, and so on. */
export interface Form {
  readonly lanes: Lanes;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aRow: number;
  readonly aInner: number;
  readonly bInner: number;
  readonly bColumn: number;
  readonly cRow: number;
  readonly cColumn: number;
  /** A and B have changed places: this is Cᵀ = Bᵀ·Aᵀ. */
  readonly swapped: boolean;
  readonly accumulate: boolean;
  readonly fused: boolean;
}

/** How a product is computed: tiles of `rows` × `vectors`. */
export interface Method {
  readonly rows: number;
  readonly vectors: number;
  /** How B reaches the tile. lines: its columns lie contiguous and are turned in registers, for few rows; turn: packed while turned. */
  readonly b: "direct" | "pack" | "turn" | "lines";
  /** How A does: packed [tile][k][rows], copied or turned. */
  readonly a: "direct" | "copy" | "turn";
}

export function formOf(spec: MatmulSpec): Form {
  const { m, n, k, a, b } = spec;
  const set = lanes[spec.dtype];
  const w = set.width;
  const form: Form = {
    lanes: set,
    m,
    n,
    k,
    aRow: a.transposed ? w : a.lead * w,
    aInner: a.transposed ? a.lead * w : w,
    bInner: b.transposed ? w : b.lead * w,
    bColumn: b.transposed ? b.lead * w : w,
    cRow: n * w,
    cColumn: w,
    swapped: false,
    accumulate: spec.accumulate ?? false,
    fused: spec.numerics === "fast" && spec.relaxed,
  };
  // Few columns fill no vectors of a row, but many rows fill vectors of a column. Four fit one vector of float32 exactly.
  const few = form.aRow === w ? 4 : 3;
  return n < m && n <= few ? swap(form) : form;
}

function swap(form: Form): Form {
  const { m, n, aRow, aInner, bInner, bColumn, cRow, cColumn } = form;
  return {
    ...form,
    m: n,
    n: m,
    aRow: bColumn,
    aInner: bInner,
    bInner: aInner,
    bColumn: aRow,
    cRow: cColumn,
    cColumn: cRow,
    swapped: true,
  };
}

/** Widths of a single row of tiles, by its rows: about eight accumulators. */
const wide = [8, 4, 3, 2];
const wideLines = [4, 2, 1, 1];

export function methodOf(form: Form): Method {
  const { lanes, m, n } = form;
  const contiguous = form.bColumn === lanes.width;
  const most = Math.max(1, Math.ceil(n / lanes.count));
  if (m <= 4) {
    const width = (contiguous ? wide : wideLines)[m - 1] as number;
    return { rows: m, vectors: Math.min(width, most), b: contiguous ? "direct" : "lines", a: "direct" };
  }
  const vectors = Math.min(2, most);
  const rows = vectors === 1 ? 8 : form.fused ? 6 : 5;
  const panels = Math.ceil(most / vectors);
  const near = Math.min(form.k, block) * form.bInner <= 24 * 1024 || m <= 2 * rows;
  return { rows, vectors, b: contiguous ? (near ? "direct" : "pack") : "turn", a: methodOfA(form, panels) };
}

/** A packed tile is one stream, which is worth 10 % where it is used often; a column of A touches a line of the cache per element. */
function methodOfA({ lanes, m, k, aRow, aInner }: Form, panels: number): Method["a"] {
  const row = Math.min(k, block) * lanes.width;
  if (row * m <= 16 * 1024) return "direct";
  if (aInner !== lanes.width) return panels < 3 ? "direct" : "copy";
  // Rows a multiple of 2 KiB apart evict each other from the nearest cache.
  return panels >= (aRow % 2048 === 0 ? 3 : 12) ? "turn" : "direct";
}

/** `total` rows as tiles of at most `most`, as equal as possible: `large` tiles of size + 1 come before `small` ones of size. */
export interface Tiling {
  readonly size: number;
  readonly large: number;
  readonly count: number;
}

export function tilingOf(total: number, most: number): Tiling {
  const count = Math.ceil(total / most);
  return { size: Math.floor(total / count), large: total % count, count };
}
