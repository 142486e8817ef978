import { describe, expect, it } from "vitest";
import { type Callee, Code, ModuleBuilder, type WasmType } from "../../src/wasm/encode.js";

const pages: [number, number] = [1, 1];

/** The module of one function, exported as `f`. */
function built(code: Code): ModuleBuilder {
  const builder = new ModuleBuilder();
  builder.add(code, "the function", "f");
  return builder;
}

// biome-ignore lint/complexity/noBannedTypes: an export of a module is called with whatever it takes.
function run(builder: ModuleBuilder, env: WebAssembly.ModuleImports = {}): { f: Function; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const module = new WebAssembly.Module(builder.bytes({ shared: false, pages }));
  const { exports } = new WebAssembly.Instance(module, { env: { ...env, memory } });
  // biome-ignore lint/complexity/noBannedTypes: as above.
  return { f: exports["f"] as Function, memory };
}

/** What a function without parameters gives. */
function value(type: WasmType, push: (code: Code) => void): unknown {
  const code = new Code([], [type]);
  push(code);
  return run(built(code)).f();
}

/** The lines between those of the header and the end of the only function. */
function lines(code: Code): string[] {
  return built(code).wat().split("\n").slice(3, -2);
}

const POWERS = Array.from({ length: 32 }, (_, k) => 2 ** k);
const WHOLE = [0, ...POWERS.flatMap((x) => [x - 1, x, x + 1, -x - 1, -x, 1 - x])].map((x) => x | 0);

describe("constants", () => {
  it("are what they say, of 32 bits, and listed so", () => {
    for (const x of WHOLE) {
      expect(value("i32", (code) => code.i32(x))).toBe(x);
      expect(lines(new Code([]).i32(x))).toEqual([`    i32.const ${x}`]);
    }
    expect(value("i32", (code) => code.i32(2 ** 32 - 1))).toBe(-1);
  });

  it("are what they say, of 64 bits, and listed so", () => {
    const powers = Array.from({ length: 64 }, (_, k) => 1n << BigInt(k));
    for (const x of powers.flatMap((p) => [p - 1n, p, p + 1n, -p - 1n, -p, 1n - p]).map((x) => BigInt.asIntN(64, x))) {
      expect(value("i64", (code) => code.i64(x))).toBe(x);
      expect(lines(new Code([]).i64(x))).toEqual([`    i64.const ${x}`]);
    }
  });

  it.each([0, -0, 1, -1.5, 1 / 3, 5e-324, 1.7976931348623157e308, Infinity, -Infinity, NaN])(
    "are what they say, of floats: %d",
    (x) => {
      expect(value("f64", (code) => code.f64(x))).toBe(x);
      expect(value("f32", (code) => code.f32(x))).toBe(Math.fround(x));
      expect(lines(new Code([]).f64(x))).toEqual([`    f64.const ${Object.is(x, -0) ? "-0" : x}`]);
    },
  );

  it("of float32 are listed by as few digits as tell them apart", () => {
    expect(lines(new Code([]).f32(0.1).f32(1e-45).f32(16777216).f32(-0))).toEqual([
      "    f32.const 0.1",
      "    f32.const 1e-45",
      "    f32.const 16777216",
      "    f32.const -0",
    ]);
  });
});

describe("a function", () => {
  it("may have more locals than one byte counts, in runs of types", () => {
    const code = new Code(["i32"], ["i32"]);
    const types: WasmType[] = ["i32", "v128", "v128", "f64", "i32"];
    const locals = Array.from({ length: 400 }, (_, i) => code.local(types[i % types.length] as WasmType));
    expect(locals).toEqual(locals.map((_, i) => i + 1));
    const whole = locals.filter((_, i) => types[i % types.length] === "i32");
    for (const [i, local] of whole.entries()) code.i32(i + 1).set(local);
    code.get(0);
    for (const local of whole) code.get(local).op("i32.add");
    expect(run(built(code)).f(7)).toBe(7 + (whole.length * (whole.length + 1)) / 2);
  });

  it("grows beyond any first guess of its size", () => {
    const code = new Code([], ["i32"]).i32(0);
    for (let i = 0; i < 50_000; i++) code.i32(1).op("i32.add");
    const { f } = run(built(code));
    expect(f()).toBe(50_000);
  });

  it("may be given a beginning afterwards", () => {
    const code = new Code([], ["i32"]);
    const local = code.local("i32");
    for (let i = 0; i < 300; i++) code.get(local).set(local);
    code.get(local);
    const start = new Code([]);
    for (let i = 0; i <= 300; i++) start.i32(i).set(local);
    code.prepend(start);
    expect(run(built(code)).f()).toBe(300);
    expect(lines(code).slice(0, 2)).toEqual(["    i32.const 0", "    local.set 0"]);
  });

  it("has memory with offsets, lanes, copies and fills", () => {
    const code = new Code(["i32"]);
    code.get(0).i32(0x7f).i32(16).bulk("memory.fill");
    code
      .get(0)
      .get(0)
      .memory("v128.load", 300)
      .memory("v128.store", 70_000 - 65_536);
    code.get(0).get(0).memory("v128.load", 300).memoryLane("v128.store16_lane", 3, 200);
    code.i32(1000).get(0).i32(8).bulk("memory.copy");
    const { f, memory } = run(built(code));
    const bytes = new Uint8Array(memory.buffer);
    bytes.set(
      Array.from({ length: 16 }, (_, i) => i + 1),
      310,
    );
    f(10);
    expect([...bytes.subarray(10, 26)]).toEqual(new Array(16).fill(0x7f));
    expect([...bytes.subarray(4474, 4490)]).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    expect([...bytes.subarray(210, 213)]).toEqual([7, 8, 0]);
    expect([...bytes.subarray(1000, 1009)]).toEqual([...new Array(8).fill(0x7f), 0]);
  });

  it("refuses instructions that do not exist", () => {
    expect(() => new Code([]).op("f32x4.frobnicate")).toThrow("wasm: no instruction is called f32x4.frobnicate");
  });
});

/** Every kind of immediate once, nested. */
function everything(helper: Callee): Code {
  const code = new Code(["i32", "f64"], ["f64"]);
  const [at, vector] = [code.local("i32"), code.local("v128")];
  code.v128(Array.from({ length: 16 }, (_, i) => i)).set(vector);
  code.block(() => {
    code.loop(() => {
      code.get(at).i32(-200).op("i32.lt_s").brIf(1);
      code.get(0).if(
        () => code.br(2),
        () => void code.get(at).i32(1).op("i32.sub").tee(at).op("drop"),
      );
      code.br(0);
    });
  });
  code
    .get(vector)
    .get(vector)
    .shuffle(Array.from({ length: 16 }, (_, i) => 31 - i));
  code.lane("i8x16.extract_lane_u", 2).memory("i32.load", 0, 2).memory("i32.load8_u", 129).set(at);
  code.get(at).get(at).memoryLane("v128.load32_lane", 1).op("drop");
  return code.get(1).call(helper);
}

describe("listings", () => {
  it("show the world, functions, labels and how deep instructions are nested", () => {
    const builder = new ModuleBuilder();
    const helper = builder.importFunction("outside", ["f64"], ["f64"]);
    builder.add(new Code([]), "nothing");
    builder.add(everything(helper), "all of it", "f");
    expect(builder.wat()).toBe(`(module
  (import "env" "outside") ;; function 0
  (func 1 (param ) (result ) ;; nothing
    (local )
  )
  (func 2 (param i32 f64) (result f64) ;; all of it
    (local i32 v128)
    v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
    local.set 3
    block
      loop
        local.get 2
        i32.const -200
        i32.lt_s
        br_if 1
        local.get 0
        if
          br 2
        else
          local.get 2
          i32.const 1
          i32.sub
          local.tee 2
          drop
        end
        br 0
      end
    end
    local.get 3
    local.get 3
    i8x16.shuffle 31 30 29 28 27 26 25 24 23 22 21 20 19 18 17 16
    i8x16.extract_lane_u 2
    i32.load
    i32.load8_u offset=129
    local.set 2
    local.get 2
    local.get 2
    v128.load32_lane offset=0 1
    drop
    local.get 1
    call 0
  )
)`);
  });

  it("read back whatever has been appended", () => {
    const code = new Code([]);
    const known = "i32.add f32x4.mul f64x2.pmax f32x4.relaxed_madd i32x4.trunc_sat_f64x2_u_zero v128.any_true".split(
      " ",
    );
    for (const name of known) code.op(name);
    code
      .bulk("memory.copy")
      .bulk("memory.fill")
      .memory("i32.atomic.rmw.cmpxchg", 8, 2)
      .memory("memory.atomic.notify", 0, 2);
    expect(lines(code)).toEqual(
      [...known, "memory.copy", "memory.fill", "i32.atomic.rmw.cmpxchg offset=8", "memory.atomic.notify"].map(
        (line) => `    ${line}`,
      ),
    );
  });
});

describe("modules", () => {
  it("are, byte by byte, what the specification lays down", () => {
    const builder = new ModuleBuilder();
    const code = new Code(["i32"], ["i32"]);
    code.local("v128");
    builder.add(code.get(0).i32(-65).op("i32.add"), "", "é");
    // WebAssembly 2.0, chapter 5 (binary format), by hand: sections type, import, function, export and code.
    const type = [1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f];
    const memory = [2, 0x11, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3, 1, 0x80, 2];
    const functions = [3, 2, 1, 0];
    const exported = [7, 6, 1, 2, 0xc3, 0xa9, 0, 0];
    const body = [10, 12, 1, 10, 1, 1, 0x7b, 0x20, 0, 0x41, 0xbf, 0x7f, 0x6a, 0x0b];
    const wanted = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...type, ...memory, ...functions, ...exported, ...body];
    expect([...builder.bytes({ shared: true, pages: [1, 256] })]).toEqual(wanted);
  });

  it("may be asked for their bytes and text time and again", () => {
    const builder = built(new Code([], ["i32"]).i32(5));
    const memory = { shared: false, pages };
    const [first, text] = [builder.bytes(memory), builder.wat()];
    expect(builder.bytes(memory)).toEqual(first);
    expect(builder.wat()).toBe(text);
    expect(first.byteLength).toBe(first.buffer.byteLength);
  });

  it("call what they import, and take imports first only", () => {
    const builder = new ModuleBuilder();
    const twice = builder.importFunction("twice", ["f64"], ["f64"]);
    const inner = builder.add(new Code(["f64"], ["f64"]).get(0).call(twice).f64(1).op("f64.add"));
    builder.add(new Code(["f64"], ["f64"]).get(0).call(inner).call(inner), "", "f");
    expect(run(builder, { twice: (x: number) => 2 * x }).f(5)).toBe(23);
    expect(() => builder.importFunction("late", [], [])).toThrow("wasm: imports come before functions");
  });
});
