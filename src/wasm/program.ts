import { arenaOf, bytesOf } from "../compile/arena.js";
import type {
  Branch,
  Conv,
  Copy,
  Group,
  Host,
  Loop,
  Map as MapStage,
  Matmul,
  Place,
  Plan,
  Rounds,
  Step,
} from "../compile/plan.js";
import type { Outside } from "../kernel/expr/block.js";
import { emitConv } from "./conv/index.js";
import { type Callee, Code, ModuleBuilder } from "./encode.js";
import { type Address, emitGroup, type GroupContext, measureGroup } from "./group.js";
import { callsOf, emitMap, type Stream } from "./map.js";
import { emitMatmul } from "./matmul/index.js";

export interface EmitOptions {
  readonly numerics: "exact" | "fast";
  /** The engine has relaxed SIMD. */
  readonly relaxed: boolean;
  readonly shared: boolean;
  readonly pages: readonly [number, number];
  /** Where the arena of the plan begins, for an arena of so many bytes. */
  readonly allocate: (bytes: number) => number;
}

/** A plan as code, with what it needs of the world. */
export interface EmittedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Byte address of each buffer. */
  readonly addresses: readonly number[];
  readonly cells: number;
  /** Imported functions by name; `host` aside. */
  readonly calls: ReadonlyMap<string, Outside>;
  /** What `host(k)` means. */
  readonly hosts: readonly Host[];
  wat(): string;
}

const cellBytes = 4;

/** Emits one module for a plan: a function per stage and kernel, and a driver `run` that calls them in order. */
export function emitProgram(plan: Plan, options: EmitOptions): EmittedProgram {
  return new Emitter(plan, options).emit();
}

class Emitter {
  private readonly builder = new ModuleBuilder();
  private readonly calls = new Map<string, { readonly callee: Callee; readonly run: Outside }>();
  private readonly hosts: Host[] = [];
  private readonly host: Callee;
  private readonly shared = new Map<string, Callee>();
  private readonly plan: Plan;
  private readonly options: EmitOptions;
  private readonly addresses: number[];
  private readonly cells: number;
  private readonly partials: number;
  private readonly scratch: number;
  private readonly scratchBytes: number;
  private readonly driver = new Code([], []);
  private readonly kernels: Kernels;

  constructor(plan: Plan, options: EmitOptions) {
    this.plan = plan;
    this.options = options;
    const steps = [...everyStep(plan.rounds)];
    this.host = this.builder.importFunction("host", ["i32"], []);
    for (const step of steps) if (step.kind === "group") this.importCalls(step);
    this.kernels = this.emitKernels(steps);
    const sizes = steps.map((step) => this.needs(step));
    const arena = arenaOf(plan);
    const partialBytes = Math.max(64, ...sizes.map(({ partial }) => partial));
    this.scratchBytes = Math.max(64, ...sizes.map(({ scratch }) => scratch));
    const cellRoom = Math.ceil((plan.cells * cellBytes + 1) / 64) * 64;
    const base = options.allocate(arena.bytes + cellRoom + partialBytes + this.scratchBytes + 128);
    this.addresses = arena.offsets.map((offset) => base + offset);
    this.cells = base + arena.bytes;
    this.partials = this.cells + cellRoom;
    this.scratch = Math.ceil((this.partials + partialBytes) / 64) * 64;
  }

  emit(): EmittedProgram {
    this.rounds(this.plan.rounds);
    this.builder.add(this.driver, "the steps in order", "run");
    const { shared, pages } = this.options;
    return {
      bytes: this.builder.bytes({ shared, pages }),
      addresses: this.addresses,
      cells: this.cells,
      calls: new Map([...this.calls].map(([name, { run }]) => [name, run])),
      hosts: this.hosts,
      wat: () => this.builder.wat(),
    };
  }

  private importCalls({ stages }: Group): void {
    for (const stage of stages) {
      if (stage.kind !== "map") continue;
      for (const { name, run, arity } of callsOf(stage.block)) {
        if (this.calls.has(name)) continue;
        const params = new Array<"f64">(arity).fill("f64");
        this.calls.set(name, { callee: this.builder.importFunction(name, params, ["f64"]), run });
      }
    }
  }

  /** Products and convolutions come first: they say how much scratch memory they need. */
  private emitKernels(steps: readonly Step[]): Kernels {
    const kernels: Kernels = { products: new Map(), convolutions: new Map() };
    for (const step of steps) {
      if (step.kind === "matmul") {
        const key = productKey(step, this.options);
        if (!kernels.products.has(key)) kernels.products.set(key, emitMatmul(JSON.parse(key), this.add));
      } else if (step.kind === "conv") {
        const key = convKey(step, this.options);
        if (!kernels.convolutions.has(key)) kernels.convolutions.set(key, emitConv(JSON.parse(key), this.add));
      }
    }
    return kernels;
  }

  private readonly add = (code: Code, label: string): Callee => this.builder.add(code, label);

  private needs(step: Step): { readonly partial: number; readonly scratch: number } {
    if (step.kind === "group") {
      const { partialBytes, slotBytes } = measureGroup(step);
      return { partial: partialBytes, scratch: slotBytes };
    }
    if (step.kind === "matmul") return { partial: 0, scratch: this.productOf(step).scratchBytes };
    if (step.kind !== "conv") return { partial: 0, scratch: 0 };
    const { scratchBytes, sharedBytes } = this.convOf(step);
    return { partial: sharedBytes, scratch: scratchBytes };
  }

  private productOf(step: Matmul): ReturnType<typeof emitMatmul> {
    return this.kernels.products.get(productKey(step, this.options)) as ReturnType<typeof emitMatmul>;
  }

  private convOf(step: Conv): ReturnType<typeof emitConv> {
    return this.kernels.convolutions.get(convKey(step, this.options)) as ReturnType<typeof emitConv>;
  }

  private rounds(rounds: Rounds): void {
    for (const round of rounds) for (const step of round) this.step(step);
  }

  private step(step: Step): void {
    if (step.kind === "group") this.group(step);
    else if (step.kind === "matmul") this.product(step);
    else if (step.kind === "conv") this.convolve(step);
    else if (step.kind === "copy") this.copy(step);
    else if (step.kind === "loop") this.loop(step);
    else if (step.kind === "branch") this.branch(step);
    else {
      this.hosts.push(step);
      this.driver.i32(this.hosts.length - 1).call(this.host);
    }
  }

  private branch({ condition, sides }: Branch): void {
    this.push(this.address(condition));
    this.driver.memory("i32.load8_u").if(
      () => this.rounds(sides[0]),
      () => this.rounds(sides[1]),
    );
  }

  private group(group: Group): void {
    const { units, run, finish } = emitGroup(group, this.context());
    if (units > 0) this.driver.i32(0).i32(units).i32(this.scratch).call(run);
    if (finish) this.driver.i32(this.scratch).call(finish);
  }

  private context(): GroupContext {
    return {
      address: (place) => this.address(place),
      add: this.add,
      shared: this.shared,
      partials: this.partials,
      map: (stage) => this.map(stage),
    };
  }

  private map({ block, inputs, outputs }: MapStage): Callee {
    const streams = (list: MapStage["inputs"] | MapStage["outputs"], types: readonly Stream["dtype"][]): Stream[] =>
      list.map((x, i) => ({ kind: x.kind, dtype: types[i] as Stream["dtype"] }));
    const out = block.outputs.map((value) => (block.ops[value] as { type: Stream["dtype"] }).type);
    return emitMap(block, streams(inputs, block.inputs as Stream["dtype"][]), streams(outputs, out), {
      numerics: this.options.numerics,
      relaxed: this.options.relaxed,
      calls: (name) => (this.calls.get(name) as { readonly callee: Callee }).callee,
      add: this.add,
    });
  }

  private product(step: Matmul): void {
    const { run, units } = this.productOf(step);
    if (units === 0) return;
    this.push(this.address(step.a.place));
    this.push(this.address(step.b.place));
    this.push(this.address(step.c));
    this.driver.i32(this.scratch).i32(0).i32(units).call(run);
  }

  private convolve(step: Conv): void {
    const { run, prepare, units, prepareUnits } = this.convOf(step);
    if (units === 0) return;
    const places = [step.input, step.kernel, step.output].map((place) => this.address(place));
    if (prepare) {
      for (const place of places.slice(0, 2)) this.push(place);
      this.driver.i32(this.partials).i32(0).i32(prepareUnits).call(prepare);
    }
    for (const place of places) this.push(place);
    this.driver.i32(this.partials).i32(this.scratch).i32(0).i32(units).call(run);
  }

  private copy({ dtype, from, to, size }: Copy): void {
    this.push(this.address(to));
    this.push(this.address(from));
    this.driver.i32(size * bytesOf(dtype)).bulk("memory.copy");
  }

  /** A loop over rows; the counter lies in memory, where the steps read it. */
  private loop(loop: Loop): void {
    const { length, reverse, cell, alive, rounds } = loop;
    if (length === 0) return;
    const { driver } = this;
    const [i, over] = [driver.local("i32"), driver.local("i32")];
    const counter = this.cells + cell * cellBytes;
    driver.i32(0).set(i);
    driver.block(() => {
      driver.loop(() => {
        if (alive) {
          this.noneOf(alive.place, alive.size);
          driver.set(over);
          if (loop.stacked.length === 0) driver.get(over).brIf(1);
        }
        driver.i32(counter);
        if (reverse)
          driver
            .i32(length - 1)
            .get(i)
            .op("i32.sub");
        else driver.get(i);
        driver.memory("i32.store", 0, 2);
        this.rounds(rounds);
        if (alive && loop.stacked.length > 0)
          driver.get(over).if(() => {
            this.repeatRows(loop, i);
            driver.br(2);
          });
        driver.get(i).i32(1).op("i32.add").tee(i);
        driver.i32(length).op("i32.lt_s").brIf(0);
      });
    });
  }

  /** Whether no byte of a bool array holds. */
  private noneOf(place: Place, size: number): void {
    const { driver } = this;
    const [at, end, any] = [driver.local("i32"), driver.local("i32"), driver.local("i32")];
    this.push(this.address(place));
    driver.tee(at).i32(size).op("i32.add").set(end);
    driver.i32(0).set(any);
    driver.block(() => {
      driver.loop(() => {
        driver.get(at).get(end).op("i32.ge_u").brIf(1);
        driver.get(any).get(at).memory("i32.load8_u").op("i32.or").set(any);
        driver.get(at).i32(1).op("i32.add").set(at);
        driver.br(0);
      });
    });
    driver.get(any).op("i32.eqz");
  }

  /** The row at which a loop ended speaks for all that are left. */
  private repeatRows({ length, reverse, cell, stacked }: Loop, i: number): void {
    const { driver } = this;
    const [from, to, left] = [driver.local("i32"), driver.local("i32"), driver.local("i32")];
    for (const { place, dtype, size } of stacked) {
      const bytes = size * bytesOf(dtype);
      if (bytes === 0) continue;
      this.push(this.address(place));
      driver.i32(this.cells + cell * cellBytes).memory("i32.load", 0, 2);
      driver.i32(bytes).op("i32.mul").op("i32.add").tee(from).set(to);
      driver
        .i32(length - 1)
        .get(i)
        .op("i32.sub")
        .set(left);
      driver.block(() => {
        driver.loop(() => {
          driver.get(left).op("i32.eqz").brIf(1);
          driver
            .get(to)
            .i32(reverse ? -bytes : bytes)
            .op("i32.add")
            .tee(to);
          driver.get(from).i32(bytes).bulk("memory.copy");
          driver.get(left).i32(1).op("i32.sub").set(left);
          driver.br(0);
        });
      });
    }
  }

  private address({ buffer, offset, rows }: Place): Address {
    const bytes = bytesOf((this.plan.buffers[buffer] as { dtype: "float32" }).dtype);
    return {
      constant: (this.addresses[buffer] as number) + offset * bytes,
      cells: rows.map(({ cell, stride }) => ({ address: this.cells + cell * cellBytes, stride: stride * bytes })),
    };
  }

  private push({ constant, cells }: Address): void {
    const { driver } = this;
    driver.i32(constant);
    for (const { address, stride } of cells) {
      driver.i32(address).memory("i32.load", 0, 2);
      driver.i32(stride).op("i32.mul").op("i32.add");
    }
  }
}

interface Kernels {
  readonly products: Map<string, ReturnType<typeof emitMatmul>>;
  readonly convolutions: Map<string, ReturnType<typeof emitConv>>;
}

type Numerics = Pick<EmitOptions, "numerics" | "relaxed">;

function productKey({ dtype, m, n, k, batch, a, b }: Matmul, { numerics, relaxed }: Numerics): string {
  const form = ({ transposed, lead, step }: Matmul["a"]): object => ({ transposed, lead, step });
  return JSON.stringify({ dtype, m, n, k, batch, a: form(a), b: form(b), numerics, relaxed });
}

function convKey({ dtype, spec }: Conv, { numerics, relaxed }: Numerics): string {
  return JSON.stringify({ ...spec, dtype, numerics, relaxed });
}

function* everyStep(rounds: Rounds): Generator<Step> {
  for (const round of rounds)
    for (const step of round) {
      yield step;
      if (step.kind === "loop") yield* everyStep(step.rounds);
      else if (step.kind === "branch") for (const side of step.sides) yield* everyStep(side);
    }
}
