import type { DType } from "../base/dtype.js";
import { type Shape, sizeOf, stridesOf } from "../base/shape.js";
import type { Tensor } from "../graph/tensor.js";
import {
  type AffineMap,
  type AxisRead,
  flatten,
  isFlat,
  NeedsSplit,
  readAxes,
  throughReshape,
} from "../kernel/affine.js";
import { Builder, type Value } from "../kernel/expr/block.js";
import { elements } from "../kernel/ndarray.js";
import { derivedWord, streamOf } from "./bits.js";
import { cutIntoStages } from "./cut.js";
import { isSoft } from "./nodes.js";
import type { Gather, Group, Layout, Place, Reduce, Source, Stage, Target } from "./plan.js";
import { knownNumber, loweringOf, type Program } from "./program.js";

/** Thrown where a node has to be stored after all: the level is scheduled again with it. */
export class MustStore {
  readonly node: Tensor;
  constructor(node: Tensor) {
    this.node = node;
  }
}

/** Elements of a strip: what passes between stages then stays in the nearest cache. */
const stripLength = 1024;

/** What a loop asks of the level around it. */
export interface Surroundings {
  readonly program: Program;
  /** Where a node lies that is computed before this loop. */
  placeOf(node: Tensor): Place | null;
}

/** One fused loop under construction. */
export class Fused {
  private readonly b = new Builder();
  private readonly sources: Source[] = [];
  private readonly stages: Stage[] = [];
  private readonly slots: DType[] = [];
  private readonly known = new Map<string, Value>();
  private readonly targets: { value: Value; to: Target }[] = [];
  private readonly reduces: Reduce[] = [];
  /** Nodes of this loop that are stored: they are computed here, and read where they are made. */
  private readonly members: ReadonlySet<Tensor>;
  private readonly domain: Shape;
  private readonly layout: Layout;
  private readonly around: Surroundings;

  constructor(domain: Shape, layout: Layout, members: ReadonlySet<Tensor>, around: Surroundings) {
    this.domain = domain;
    this.layout = layout;
    this.members = members;
    this.around = around;
  }

  /** Computes a node for each element of the domain and stores it. @param map where its elements are read */
  store(node: Tensor, map: AffineMap, place: Place): void {
    this.targets.push({ value: this.valueOf(node, map), to: { kind: "stream", place, dtype: node.dtype } });
  }

  fill(value: number, dtype: DType, place: Place): void {
    this.targets.push({ value: this.b.constant(value, dtype), to: { kind: "stream", place, dtype } });
  }

  reduce(input: Tensor, map: AffineMap, op: Reduce["op"], to: Place): void {
    const value = this.valueOf(input, map);
    const from = this.slot(input.dtype);
    this.targets.push({ value, to: { kind: "slot", slot: from } });
    this.reduces.push({ kind: "reduce", op, from, to, dtype: input.dtype });
  }

  scatter(node: Tensor, map: AffineMap, place: Place, strides: readonly number[]): void {
    const value = this.valueOf(node, map);
    const from = this.slot(node.dtype);
    this.targets.push({ value, to: { kind: "slot", slot: from } });
    this.after.push({ kind: "scatter", from, to: { place, dtype: node.dtype, strides } });
  }

  private readonly after: Stage[] = [];

  finish(): Group {
    const strip = this.strip();
    const maps = cutIntoStages(this.b, this.sources, this.targets, { add: (dtype) => this.slot(dtype) });
    const first = this.stages.map((stage) => (stage.kind === "gather" ? this.hoisted(stage, strip) : stage));
    return {
      kind: "group",
      shape: this.domain,
      layout: this.layout,
      strip,
      slots: this.slots,
      stages: [...first, ...maps, ...this.reduces, ...this.after],
    };
  }

  private strip(): number {
    if (this.layout.kind !== "flat") {
      const { length } = this.layout;
      return length > stripLength || length === 0 ? stripLength : Math.floor(stripLength / length) * length;
    }
    const period = this.stages.reduce((n, s) => (s.kind === "gather" ? Math.max(n, this.period(s)) : n), 1);
    return period > stripLength ? stripLength : Math.floor(stripLength / period) * period;
  }

  /** After how many elements a view repeats; more than a strip: never. */
  private period(stage: Gather): number {
    if (stage.inside) return Number.POSITIVE_INFINITY;
    const outer = stage.from.strides.findIndex((stride, d) => stride !== 0 && this.domain[d] !== 1);
    const period = sizeOf(this.domain.slice(Math.max(outer, 0)));
    return outer <= 0 || period > stripLength ? 1 : period;
  }

  private hoisted(stage: Gather, strip: number): Gather {
    const outer = stage.from.strides.findIndex((stride, d) => stride !== 0 && this.domain[d] !== 1);
    if (stage.inside || outer < 0) return stage;
    const period = sizeOf(this.domain.slice(outer));
    return { ...stage, once: period > 0 && period <= strip && strip % period === 0 };
  }

  private slot(dtype: DType): number {
    this.slots.push(dtype);
    return this.slots.length - 1;
  }

  private input(source: Source, dtype: DType): Value {
    this.sources.push(source);
    return this.b.input(dtype);
  }

  private valueOf(node: Tensor, map: AffineMap): Value {
    const key = `${node.id} ${isFlat(map, node.shape, this.domain) ? "" : JSON.stringify(map)}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const value = this.compute(node, map);
    this.known.set(key, value);
    return value;
  }

  private compute(node: Tensor, map: AffineMap): Value {
    const number = knownNumber(node);
    if (number !== null) return this.b.constant(number, node.dtype);
    if (node.value !== null) return this.load(this.around.program.constant(node, elements(node.value)), node, map);
    const here = this.members.has(node) && isFlat(map, node.shape, this.domain);
    const place = here ? null : this.around.placeOf(node);
    if (place !== null) return this.load(place, node, map);
    if (!isSoft(node)) throw new Error(`compile: ${node.primitive?.name} is used before it is computed`);
    return this.soft(node, map);
  }

  private soft(node: Tensor, map: AffineMap): Value {
    const lower = loweringOf(node);
    const [first] = node.inputs as [Tensor];
    switch (lower.kind) {
      case "map": {
        const args = node.inputs.map((x) => this.valueOf(x, map));
        return lower.build(this.b, args, node.params, { inputs: node.inputs, out: node });
      }
      case "same":
        return this.valueOf(first, map);
      case "fill":
        return this.b.constant(lower.value, node.dtype);
      case "view":
        return this.valueOf(first, readAxes(map, lower.axes(node.params, first.shape, node.shape), this.domain.length));
      case "reshape":
        return this.reshaped(first, node, map);
      case "pad":
        return this.padded(node, map, lower.low(node.params), lower.interior(node.params));
      case "bits":
        return this.bits(node, map, lower.words(node.params));
      case "block":
        return this.derived(node, map, lower.domain(node.params));
      default:
        throw new Error(`compile: ${node.primitive?.name} is not computed element by element`);
    }
  }

  private reshaped(first: Tensor, node: Tensor, map: AffineMap): Value {
    const number = knownNumber(first);
    if (number !== null) return this.b.constant(number, node.dtype);
    const place = this.around.placeOf(first) ?? this.constantPlace(first);
    // What lies in memory row by row has every shape.
    if (place !== null && !(this.members.has(first) && isFlat(map, node.shape, this.domain)))
      return this.load(place, node, map);
    const inner = throughReshape(map, first.shape, node.shape, this.domain);
    if (inner instanceof NeedsSplit) throw inner;
    if (inner === null) throw new MustStore(first);
    return this.valueOf(first, inner);
  }

  private load(place: Place, type: { shape: Shape; dtype: DType }, map: AffineMap): Value {
    const { offset, strides } = flatten(map, type.shape, this.domain);
    const from = { ...place, offset: place.offset + offset };
    if (sizeOf(this.domain) <= 1 || strides.every((stride) => stride === 0))
      return this.once({ kind: "scalar", place: from, dtype: type.dtype });
    const own = stridesOf(this.domain);
    if (this.domain.every((n, d) => n === 1 || strides[d] === own[d]))
      return this.once({ kind: "stream", place: from, dtype: type.dtype });
    const to = this.slot(type.dtype);
    this.stages.push({ kind: "gather", from: { place: from, dtype: type.dtype, strides }, to, once: false });
    return this.input({ kind: "slot", slot: to }, type.dtype);
  }

  /** Equal sources are one input. */
  private once(source: Exclude<Source, { kind: "slot" }>): Value {
    const key = `= ${JSON.stringify(source)}`;
    const known = this.known.get(key) ?? this.input(source, source.dtype);
    this.known.set(key, known);
    return known;
  }

  private padded(node: Tensor, map: AffineMap, low: readonly number[], interior: readonly number[]): Value {
    const [first] = node.inputs as [Tensor];
    const place = this.memory(first);
    const own = stridesOf(first.shape);
    const strides = this.domain.map(() => 0);
    const inside: { axis: number; low: number; high: number; step: number }[] = [];
    let offset = 0;
    for (let a = 0; a < node.rank; a++) {
      const step = (interior[a] as number) + 1;
      const covered = ((first.shape[a] as number) - 1) * step + 1;
      const row = map.coefficients[a] as readonly number[];
      const used = row.flatMap((c, d) => (c !== 0 && this.domain[d] !== 1 ? [d] : []));
      const from = (low[a] as number) - (map.offset[a] as number);
      const [axis] = used;
      if (used.length > 1 || (axis !== undefined && row[axis] !== 1)) throw new MustStore(node);
      if (axis === undefined) {
        if (from > 0 || -from >= covered || -from % step !== 0) return this.b.constant(0, node.dtype);
        offset += (-from / step) * (own[a] as number);
        continue;
      }
      strides[axis] = own[a] as number;
      inside.push({ axis, low: from, high: from + covered, step });
      offset -= (from / step) * (own[a] as number);
    }
    const to = this.slot(node.dtype);
    this.stages.push({
      kind: "gather",
      from: { place: { ...place, offset: place.offset + offset }, dtype: node.dtype, strides },
      to,
      once: false,
      inside,
    });
    return this.input({ kind: "slot", slot: to }, node.dtype);
  }

  private constantPlace(node: Tensor): Place | null {
    return node.value === null ? null : this.around.program.constant(node, elements(node.value));
  }

  private bits(node: Tensor, map: AffineMap, words: { size: number; lane: -1 | 0 | 1 }): Value {
    if (!isFlat(map, node.shape, this.domain)) throw new MustStore(node);
    const stream = streamOf(node);
    if (stream === null) throw new Error("compile: these bits are no stream");
    const to = this.slot("uint32");
    this.stages.push({ kind: "bits", key: this.memory(stream.key), start: this.first(stream.start), ...words, to });
    return this.input({ kind: "slot", slot: to }, "uint32");
  }

  private first(start: Tensor | number): Place {
    return typeof start === "number" ? this.around.program.buffer("uint32", 1, [start]) : this.memory(start);
  }

  /** Where a node lies that had to be stored. */
  private memory(node: Tensor): Place {
    const place = this.around.placeOf(node) ?? this.constantPlace(node);
    if (place === null) throw new MustStore(node);
    return place;
  }

  private derived(node: Tensor, map: AffineMap, domain: number): Value {
    const rank = this.domain.length;
    const read = (x: Tensor, axes: readonly AxisRead[]): Value => this.valueOf(x, readAxes(map, axes, rank));
    const halves = this.around.program.buffer("uint32", 2, [0, 1]);
    const last = readAxes(map, [{ axis: node.rank - 1, scale: 1, shift: 0 }], rank);
    const half = this.load(halves, { shape: [2], dtype: "uint32" }, last);
    return derivedWord(this.b, node, domain, read, half);
  }
}
