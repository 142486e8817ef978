import { show, sizeOf } from "../../base/shape.js";
import type { Conv, Group, Map as MapStage, Matmul, Rounds, Step } from "../../compile/plan.js";
import type { Outside } from "../../kernel/expr/block.js";
import { type Blas, type BlasType, type Gemm, gemmImport, gemmParams } from "../blas.js";
import { emitConv } from "../conv/index.js";
import type { Callee, Code, ModuleBuilder } from "../encode.js";
import { emitGroup, type GroupContext, measureGroup } from "../group.js";
import { callsOf, emitMap, type Stream } from "../map.js";
import { emitBlasMatmul, suitsBlas } from "../matmul/foreign.js";
import { emitMatmul } from "../matmul/index.js";
import { type Layout, up64 } from "./layout.js";

export interface Numerics {
  readonly numerics: "exact" | "fast";
  /** The engine has relaxed SIMD. */
  readonly relaxed: boolean;
}

/** Functions of the steps of one plan; equal products, convolutions and maps share one. */
export class Kernels {
  /** Imported functions by name. */
  readonly calls: Map<string, { readonly callee: Callee; readonly run: Outside }> = new Map();
  /** Imported products of a BLAS. */
  readonly gemms: Map<BlasType, { readonly callee: Callee; readonly run: Gemm }> = new Map();
  private readonly products = new Map<string, ReturnType<typeof emitMatmul>>();
  private readonly convolutions = new Map<string, ReturnType<typeof emitConv>>();
  private readonly shared = new Map<string, Callee>();
  private readonly maps = new Map<string, Callee>();
  private readonly tables = new Map<Step, number>();
  private readonly builder: ModuleBuilder;
  private readonly numerics: Numerics;

  constructor(builder: ModuleBuilder, numerics: Numerics) {
    this.builder = builder;
    this.numerics = numerics;
  }

  /** Imports must be declared before anything is added. */
  importCalls({ stages }: Group): void {
    for (const stage of stages) {
      if (stage.kind !== "map") continue;
      for (const { name, run, arity } of callsOf(stage.block)) {
        const known = importName(name, run);
        if (this.calls.has(known)) continue;
        const params = new Array<"f64">(arity).fill("f64");
        this.calls.set(known, { callee: this.builder.importFunction(known, params, ["f64"]), run });
      }
    }
  }

  /** Like `importCalls`, for a product that a BLAS is to compute. */
  importGemm(step: Matmul, { gemm }: Blas): void {
    const { dtype } = step;
    if (this.gemms.has(dtype) || !suitsBlas(step)) return;
    const callee = this.builder.importFunction(gemmImport(dtype), gemmParams, []);
    this.gemms.set(dtype, { callee, run: gemm[dtype] });
  }

  /** Emits what needs no addresses. @returns bytes that all threads share, and bytes of each */
  measure(rounds: Rounds): { readonly shared: number; readonly scratch: number } {
    let [shared, scratch] = [0, 0];
    for (const round of rounds) {
      let used = 0;
      for (const step of round) {
        const own = this.needs(step);
        this.tables.set(step, used);
        used += up64(own.shared);
        scratch = Math.max(scratch, own.scratch);
      }
      shared = Math.max(shared, used);
      for (const step of round)
        for (const inner of step.kind === "loop" ? [step.rounds] : step.kind === "branch" ? step.sides : []) {
          const own = this.measure(inner);
          shared = Math.max(shared, own.shared);
          scratch = Math.max(scratch, own.scratch);
        }
    }
    return { shared, scratch };
  }

  /** Where what all threads share of a step lies. */
  tableOf(step: Step, layout: Layout): number {
    return layout.shared + (this.tables.get(step) as number);
  }

  private needs(step: Step): { readonly shared: number; readonly scratch: number } {
    if (step.kind === "group") {
      const { partialBytes, slotBytes } = measureGroup(step);
      return { shared: partialBytes, scratch: slotBytes };
    }
    if (step.kind === "matmul") return { shared: 0, scratch: this.product(step).scratchBytes };
    if (step.kind !== "conv") return { shared: 0, scratch: 0 };
    const { scratchBytes, sharedBytes } = this.convolution(step);
    return { shared: sharedBytes, scratch: scratchBytes };
  }

  private labelled(what: string): (code: Code, label: string) => Callee {
    return (code, label) => this.builder.add(code, `${label} ${what}`);
  }

  readonly add = (code: Code, label: string): Callee => this.builder.add(code, label);

  product(step: Matmul): ReturnType<typeof emitMatmul> {
    const { dtype, m, n, k, batch } = step;
    const form = ({ transposed, lead, step: by }: Matmul["a"]): Omit<Matmul["a"], "place"> => ({
      transposed,
      lead,
      step: by,
    });
    const spec = { dtype, m, n, k, batch, a: form(step.a), b: form(step.b), ...this.numerics };
    return cached(this.products, JSON.stringify(spec), () => {
      const gemm = suitsBlas(spec) ? this.gemms.get(dtype) : undefined;
      const add = this.labelled(`${batch > 1 ? `${batch} × ` : ""}[${m}, ${k}]·[${k}, ${n}]`);
      return gemm ? emitBlasMatmul(spec, gemm.callee, add) : emitMatmul(spec, add);
    });
  }

  convolution({ dtype, spec }: Conv): ReturnType<typeof emitConv> {
    const request = { ...spec, dtype, ...this.numerics };
    return cached(this.convolutions, JSON.stringify(request), () =>
      emitConv(request, this.labelled(`${show(spec.sizes)} by ${show(spec.window)}`)),
    );
  }

  group(step: Group, layout: Layout): ReturnType<typeof emitGroup> {
    const context: GroupContext = {
      address: (place) => layout.address(place),
      add: this.labelled(show(step.shape)),
      shared: this.shared,
      partials: this.tableOf(step, layout),
      map: (stage) => this.map(stage, sizeOf(step.shape)),
    };
    return emitGroup(step, context);
  }

  private map({ block, inputs, outputs }: MapStage, elements: number): Callee {
    const streams = (list: MapStage["inputs"] | MapStage["outputs"], types: readonly Stream["dtype"][]): Stream[] =>
      list.map((x, i) => ({ kind: x.kind, dtype: types[i] as Stream["dtype"] }));
    const out = block.outputs.map((value) => (block.ops[value] as { type: Stream["dtype"] }).type);
    return emitMap(block, streams(inputs, block.inputs as Stream["dtype"][]), streams(outputs, out), {
      ...this.numerics,
      known: this.maps,
      elements,
      calls: (name, run) => (this.calls.get(importName(name, run)) as { readonly callee: Callee }).callee,
      add: this.labelled(`of ${block.ops.length} operations`),
    });
  }
}

function cached<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}

/** Functions of Math are the same on every thread, and named so. */
function importName(name: string, run: Outside): string {
  return (Math as unknown as Record<string, unknown>)[name] === run ? `Math.${name}` : name;
}
