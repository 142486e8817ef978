import { type Callee, Code } from "../encode.js";
import {
  type Add,
  atMost,
  type Block,
  type Core,
  coreParams,
  eachBlock,
  grainOf,
  paramA,
  paramB,
  paramC,
  paramFrom,
  paramScratch,
  paramTo,
  push,
} from "./core.js";
import { layOut, type Packs, type Panel, packsOf, panelOf, type Tiled } from "./layout.js";
import type { Form, Method } from "./spec.js";

/** The body of the tiled core: loops over blocks of rows and panels, with their bounds in locals. */
class TiledCode {
  readonly code: Code = new Code(coreParams);
  readonly tiled: Tiled;
  readonly row0: number = this.code.local("i32");
  readonly row1: number = this.code.local("i32");
  readonly panel0: number = this.code.local("i32");
  readonly panel1: number = this.code.local("i32");
  readonly panel: number = this.code.local("i32");
  readonly tile0: number = this.code.local("i32");
  readonly tile1: number = this.code.local("i32");
  readonly count: number = this.code.local("i32");
  readonly a: number = this.code.local("i32");
  readonly b: number = this.code.local("i32");
  readonly c: number = this.code.local("i32");
  readonly to: number = this.code.local("i32");

  constructor(tiled: Tiled) {
    this.tiled = tiled;
  }

  /** [low, high) = [from · grain, to · grain) within count; the other axis whole. */
  range(rows: boolean, grain: number, count: number): void {
    const { code, tiled } = this;
    const [low, high] = rows ? [this.row0, this.row1] : [this.panel0, this.panel1];
    code.get(paramFrom).i32(grain).op("i32.mul").set(low);
    code.get(paramTo).i32(grain).op("i32.mul").set(high);
    atMost(code, high, count);
    code.set(high);
    if (rows) code.i32(tiled.panels).set(this.panel1);
    else code.i32(tiled.tiling.count).set(this.row1);
  }

  /** base + bytes · (the first row of tile0) */
  private rowsFrom(base: () => void, bytes: number): void {
    const { code } = this;
    const { size, large } = this.tiled.tiling;
    base();
    code.get(this.tile0).i32(size).op("i32.mul");
    atMost(code, this.tile0, large);
    code.op("i32.add").i32(bytes).op("i32.mul").op("i32.add");
  }

  /** The tiles of [tile0, tile1): larger ones first. `call` gets the rows of a tile and finds how many tiles there are in `count`. */
  private sizes(call: (rows: number, large: boolean) => void): void {
    const { code } = this;
    const { size, large, count } = this.tiled.tiling;
    const when = (rows: number, isLarge: boolean): void => {
      code
        .tee(this.count)
        .i32(0)
        .op("i32.gt_s")
        .if(() => call(rows, isLarge));
    };
    if (large > 0) {
      atMost(code, this.tile1, large);
      code.get(this.tile0).op("i32.sub");
      when(size + 1, true);
    }
    if (large === count) return;
    code
      .get(this.tile1)
      .get(this.tile0)
      .i32(large)
      .get(this.tile0)
      .i32(large)
      .op("i32.gt_s")
      .op("select")
      .op("i32.sub");
    when(size, false);
  }

  private move(local: number, bytes: number): void {
    this.code.get(this.count).i32(bytes).op("i32.mul").get(local).op("i32.add").set(local);
  }

  /** `body` for each block of rows of [row0, row1), as [tile0, tile1). */
  eachRows(body: () => void): void {
    const { code, row0, row1, tile0, tile1 } = this;
    code.get(row0).set(tile0);
    code.loop(() => {
      code.get(tile0).i32(this.tiled.blockTiles).op("i32.add").set(tile1);
      code.get(tile1).get(row1).get(tile1).get(row1).op("i32.lt_s").op("select").set(tile1);
      body();
      code.get(tile1).tee(tile0).get(row1).op("i32.lt_s").brIf(0);
    });
  }

  /** The panels [panel0, panel1) against [tile0, tile1). */
  eachPanel(at: Block, whole: Panel | null, tail: Panel | null): void {
    const { code, panel } = this;
    code.get(this.panel0).set(panel);
    code.loop(() => {
      if (whole && tail) {
        code.get(panel).i32(this.tiled.full).op("i32.lt_s");
        code.if(
          () => this.sweep(at, whole),
          () => this.sweep(at, tail),
        );
      } else this.sweep(at, (whole ?? tail) as Panel);
      code.get(panel).i32(1).op("i32.add").tee(panel).get(this.panel1).op("i32.lt_s").brIf(0);
    });
  }

  /** Packs A for [tile0, tile1), and says in `a` where the tiles find it. */
  placeA(at: Block, packs: Packs): void {
    const { code, tiled } = this;
    const { form, method, packedAt, rowBytes } = tiled;
    this.rowsFrom(() => push(code, paramA, [at.start, form.aInner]), form.aRow);
    code.set(this.a);
    if (method.a === "direct") return;
    code.get(paramScratch).i32(packedAt).op("i32.add").set(this.to);
    this.sizes((rows, large) => {
      const callee = large ? packs.large : packs.small;
      code.get(this.a).get(this.to).get(at.length).get(this.count);
      code.call(callee as Callee);
      this.move(this.a, rows * form.aRow);
      this.move(this.to, rows * rowBytes);
    });
    code.get(paramScratch).i32(packedAt).op("i32.add").set(this.a);
  }

  /** One panel against [tile0, tile1). */
  private sweep(at: Block, kind: Panel): void {
    const { code, tiled } = this;
    const { form, columns, rowBytes } = tiled;
    push(code, paramB, [at.start, form.bInner], [this.panel, columns * form.bColumn]);
    code.set(this.b);
    if (kind.pack) {
      code.get(this.b).get(paramScratch).get(at.length).call(kind.pack);
      code.get(paramScratch).set(this.b);
    }
    this.rowsFrom(() => push(code, paramC, [this.panel, columns * form.cColumn]), form.cRow);
    code.set(this.c).get(this.a).set(this.to);
    this.sizes((rows, large) => {
      code.get(this.to).get(this.b).get(this.c).get(this.count).get(at.length).get(at.add);
      code.call((large ? kind.large : kind.small) as Callee);
      this.move(this.to, rows * rowBytes);
      this.move(this.c, rows * form.cRow);
    });
  }
}

/** Pieces are runs of tiles of rows, or of panels where rows are few or packing A again would cost more than packing B again. */
function splitRows({ method, tiling, panels }: Tiled): boolean {
  return tiling.count >= 8 && (panels < 16 || (method.a !== "direct" && tiling.count >= panels));
}

/** Tiles swept over packed or near panels of B. */
export function tiledCore(form: Form, method: Method, add: Add): Core {
  const tiled = layOut(form, method);
  const { tiling, panels, full, columns } = tiled;
  const whole = full > 0 ? panelOf(tiled, columns, add) : null;
  const tail = panels > full ? panelOf(tiled, form.n - full * columns, add) : null;
  const packs = packsOf(tiled, add);
  const rows = splitRows(tiled);
  const count = rows ? tiling.count : panels;
  const grain = grainOf(count, Math.ceil((form.m * form.n * form.k) / count));
  const body = new TiledCode(tiled);
  const { code } = body;
  body.range(rows, grain, count);
  code.get(body.row0).get(body.row1).op("i32.ge_s").get(body.panel0).get(body.panel1).op("i32.ge_s").op("i32.or");
  code.if(() => code.op("return"));
  eachBlock(code, form, (at) => {
    body.eachRows(() => {
      body.placeA(at, packs);
      body.eachPanel(at, whole, tail);
    });
  });
  return { run: add(code, "matmul tiled"), pieces: Math.ceil(count / grain), scratchBytes: tiled.scratchBytes };
}
