import { afterEach, describe, expect, test } from "vitest";
import { compile, cumsum, matmul, type Tensor, tensor } from "../../src/index.js";
import { memory, type Region } from "../../src/wasm/memory.js";
import { message } from "./message.js";

/** Programs that do not fit in memory say so and do no harm; what can be done without makes room first. */

const MIB = 2 ** 20;
const filled = (n: number, x = 1): Tensor => tensor(new Float32Array(n).fill(x));
const sentence = (asked: string): RegExp =>
  new RegExp(
    `^memory: got a request for ${asked} with [\\d.]+ \\w+ in use, expected at most 4 GiB together; ask for fewer runs at ` +
      "a time or smaller batches, and keep no results that nobody reads any more\\.$",
  );

const ballast: Region[] = [];
afterEach(() => {
  for (const region of ballast.splice(0)) region.free();
});

/** Leaves so many MiB, when all that can be done without is gone; what is never touched costs nothing. */
function leave(mib: number): void {
  const room = memory().allocate(mib * MIB);
  for (const size of [256 * MIB, 16 * MIB, MIB / 4])
    while (message(() => void ballast.push(memory().allocate(size))) === "no error");
  room.free();
}

/** [n, n], n² times `k` in sum, whose steps have to store it. */
const heavy = (k: number): ((x: Tensor) => Tensor) =>
  compile((x: Tensor) => {
    const table = x.expandDims(1).mul(x).mul(k);
    return cumsum(matmul(table, x.expandDims(1)), 0)
      .at(-1)
      .sum();
  });

describe("a plan of more than 4 GiB", () => {
  const table = (x: Tensor, y: Tensor): Tensor => x.expandDims(1).add(y);
  const programs: readonly [string, string, (x: Tensor, y: Tensor) => Tensor][] = [
    ["as a result", "8 GiB", table],
    ["on the way", "12 GiB", (x, y) => matmul(table(x, y).sin().transpose(), table(x, y).sin()).sum()],
    ["before a step of the host", "16 GiB", (x, y) => table(x, y).sort(0).at(0).sum()],
  ];

  test.each(programs)("%s", (_, asked, f) => {
    const g = compile(f);
    const before = memory().inUse;
    for (let i = 0; i < 2; i++) expect(message(() => g(filled(2 ** 16), filled(2 ** 15)))).toMatch(sentence(asked));
    expect(memory().inUse - before).toBeLessThan(MIB);
    expect(heavy(2)(filled(100)).item()).toBe(20_000);
    expect(Number.isFinite(g(filled(3), filled(2)).sum().item())).toBe(true);
  });
});

describe("where memory is full", () => {
  test("programs that were called before give theirs back, and are made anew where they are called again", () => {
    leave(100);
    const programs = Array.from({ length: 12 }, (_, k) => heavy(k + 1));
    const x = filled(2500);
    for (let round = 0; round < 2; round++)
      programs.forEach((f, k) => {
        expect(f(x).item()).toBe((k + 1) * 2500 ** 2);
      });
  });

  test("results move out, and stay what they are", () => {
    leave(100);
    const f = compile((x: Tensor) => x.add(1));
    const results = Array.from({ length: 12 }, (_, k) => f(filled(5 * MIB, k)));
    expect(heavy(3)(filled(2500)).item()).toBe(3 * 2500 ** 2);
    expect(results.map((y) => [y.at(0).item(), y.at(-1).item()])).toEqual(results.map((_, k) => [k + 1, k + 1]));
  });

  test("but not what is read at that moment", () => {
    leave(100);
    const f = compile((x: Tensor) => x.add(1));
    const g = compile((a: Tensor, b: Tensor, c: Tensor) => [a.add(b).sum(), c.add(a)] as const);
    const [a, c] = [f(filled(5 * MIB, 1)), f(filled(5 * MIB, 2))];
    const [total, sum] = g(a, filled(5 * MIB, 10), c) as [Tensor, Tensor];
    expect([total.item(), sum.at(-1).item(), a.at(5).item(), c.at(5).item()]).toEqual([12 * 5 * MIB, 5, 2, 3]);
  });

  test("what does not fit nevertheless is refused, and leaves the others as they were", () => {
    leave(60);
    const [small, large] = [heavy(5), compile((x: Tensor) => x.expandDims(1).mul(x))];
    const kept = compile((x: Tensor) => x.mul(2))(filled(MIB));
    expect(small(filled(2000)).item()).toBe(5 * 2000 ** 2);
    for (let i = 0; i < 2; i++) expect(message(() => large(filled(5000)))).toMatch(sentence("95.4 MiB"));
    expect(small(filled(2000)).item()).toBe(5 * 2000 ** 2);
    expect([kept.at(7).item(), large(filled(2000)).at(1999).at(1999).item()]).toEqual([2, 1]);
  });
});
