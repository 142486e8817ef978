import { describe, expect, it } from "vitest";
import { type Block, Builder, type Value } from "../../src/kernel/expr/block.js";
import { type Callee, type Code, ModuleBuilder } from "../../src/wasm/encode.js";
import { emitMap, type MapOptions, mapKey, type Stream } from "../../src/wasm/map.js";

const single: Stream = { kind: "stream", dtype: "float32" };
const slot: Stream = { kind: "slot", dtype: "float32" };
const scalar: Stream = { kind: "scalar", dtype: "float32" };

/** f of two numbers. */
function blockOf(f: (b: Builder, x: Value, y: Value) => Value): Block {
  const b = new Builder();
  const [x, y] = [b.input("float32"), b.input("float32")];
  return b.block([f(b, x, y)]);
}

/** Blocks of which no two do the same. */
const different: Readonly<Record<string, () => Block>> = {
  sum: () => blockOf((b, x, y) => b.add(x, y)),
  "sum, turned": () => blockOf((b, x, y) => b.add(y, x)),
  difference: () => blockOf((b, x, y) => b.sub(x, y)),
  "of one": () => blockOf((b, x) => b.add(x, x)),
  zero: () => blockOf((b, x) => b.add(x, b.like(x, 0))),
  "minus zero": () => blockOf((b, x) => b.add(x, b.like(x, -0))),
  "zero, a whole number": () => blockOf((b, x) => b.add(x, b.convert(b.constant(0, "int32"), "float32"))),
  "zero, a natural number": () => blockOf((b, x) => b.add(x, b.convert(b.constant(0, "uint32"), "float32"))),
  "shifted by 3": () => blockOf((b, x) => b.bits(b.shift("shl", b.bits(x, "int32"), 3), "float32")),
  "shifted by 4": () => blockOf((b, x) => b.bits(b.shift("shl", b.bits(x, "int32"), 4), "float32")),
  select: () => blockOf((b, x, y) => b.select(b.compare("lt", x, y), x, b.mul(x, y))),
  rare: () => blockOf((b, x, y) => b.rare(b.compare("lt", x, y), x, b.mul(x, y))),
  "call of f": () => blockOf((b, x) => b.call("f", Math.exp, [x], "float32")),
  "call of g": () => blockOf((b, x) => b.call("g", Math.exp, [x], "float32")),
  "call of x": () => blockOf((b, x) => b.call('f" 0;', Math.exp, [x], "float32")),
  "loop, once": () => looped(1, (b, x) => b.add(x, x)),
  "loop, twice": () => looped(2, (b, x) => b.add(x, x)),
  "loop of another": () => looped(1, (b, x) => b.mul(x, x)),
  "the other result": () => looped(1, (b, x) => b.add(x, x), 1),
};

function looped(limit: number, f: (b: Builder, x: Value) => Value, of: 0 | 1 = 0): Block {
  return blockOf((b, x, y) => {
    const [, ...results] = b.loop([x, y], [], limit, (inner, [u, v]) => [
      inner.constant(1, "bool"),
      f(inner, u as Value),
      v as Value,
    ]);
    return results[of] as Value;
  });
}

describe("mapKey", () => {
  const keyOf = (block: Block, inputs = [single, single], output = single): string => mapKey(block, inputs, [output]);

  it("is the same for the same, made twice", () => {
    for (const make of Object.values(different)) expect(keyOf(make())).toBe(keyOf(make()));
  });

  it("differs wherever blocks or streams do", () => {
    const keys = Object.values(different).map((make) => keyOf(make()));
    const sum = blockOf((b, x, y) => b.add(x, y));
    keys.push(keyOf(sum, [single, slot]), keyOf(sum, [slot, single]), keyOf(sum, [single, scalar]));
    keys.push(keyOf(sum, [single, single], slot));
    const b = new Builder();
    b.input("float32");
    keys.push(mapKey(b.block([0]), [single], [single]), mapKey(b.block([0, 0]), [single], [single, single]));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("emitMap with what is known", () => {
  const emitAll = (blocks: readonly Block[], settings: readonly Partial<MapOptions>[] = [{}]) => {
    const builder = new ModuleBuilder();
    const known = new Map<string, Callee>();
    const labels: string[] = [];
    const add = (code: Code, label: string): Callee => {
      labels.push(label);
      return builder.add(code, label);
    };
    const callees = blocks.flatMap((block) =>
      settings.map((setting) =>
        emitMap(block, [single, single], [single], {
          ...{ numerics: "exact", relaxed: false, calls: () => ({ index: 0 }), add, known },
          ...setting,
        }),
      ),
    );
    return { indices: callees.map(({ index }) => index), labels };
  };

  it("adds a function once, its twin included", () => {
    const rare = different["rare"] as () => Block;
    const sum = different["sum"] as () => Block;
    const { indices, labels } = emitAll([rare(), sum(), rare(), sum()]);
    expect(labels).toEqual(["map twin", "map", "map"]);
    expect(indices).toEqual([1, 2, 1, 2]);
  });

  it("tells settings apart that lead to other code", () => {
    const block = blockOf((b, x, y) => b.add(b.mul(x, y), y));
    const settings: Partial<MapOptions>[] = [
      {},
      { units: 2 },
      { numerics: "fast", relaxed: true },
      { numerics: "fast", relaxed: false },
      { numerics: "exact", relaxed: true },
      { elements: 1_000_000 },
      { elements: 10 },
    ];
    const { indices } = emitAll([block], settings);
    expect(indices).toEqual([0, 1, 2, 0, 0, 0, 3]);
  });

  it("makes less code for a few elements", () => {
    const sizeOf = (elements: number): number => {
      let size = 0;
      const add = (code: Code): Callee => {
        size += code.instructions().length;
        return { index: 0 };
      };
      const block = blockOf((b, x, y) => b.add(b.mul(x, y), y));
      emitMap(block, [single, single], [single], {
        ...{ numerics: "exact", relaxed: false, calls: () => ({ index: 0 }), add, elements },
      });
      return size;
    };
    expect(sizeOf(10)).toBeLessThan(sizeOf(1000) / 2);
  });

  it("refuses what it refuses alone", () => {
    const block = blockOf((b, x, y) => b.binary("and", x, y));
    expect(() => emitAll([block, block])).toThrow("no and of float32");
  });
});
