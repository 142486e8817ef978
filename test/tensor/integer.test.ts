import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.js";
import { type Tensor, tensor } from "../../src/index.js";
import { dice } from "../primitives/draw.js";
import { message } from "../runtime/message.js";
import { flat } from "./arrays.js";

const int = (...data: number[]): Tensor => tensor(data, { dtype: "int32" });
const uint = (...data: number[]): Tensor => tensor(data, { dtype: "uint32" });

describe("whole numbers", () => {
  test("division with a remainder is that of BigInt, rounded down", () => {
    const roll = dice(1);
    for (const [make, low] of [
      [int, -(2 ** 31)],
      [uint, 0],
    ] as const) {
      const draw = (): number => Math.floor(roll() * 2 ** 32) + low;
      const a = Array.from({ length: 200 }, draw);
      const b = a.map((_, i) => (i % 2 === 0 ? draw() : Math.floor(roll() * 9) + (low < 0 ? -4 : 1)) || 3);
      const down = (x: bigint, y: bigint): bigint => (x - (((x % y) + y) % y)) / y;
      const [q, r] = [flat(sg.floorDivide(make(...a), make(...b))), flat(make(...a).remainder(make(...b)))];
      a.forEach((x, i) => {
        const [p, d] = [BigInt(x), BigInt(b[i] as number)];
        expect([q[i], r[i]]).toEqual([Number(down(p, d)), Number(p - d * down(p, d))]);
      });
    }
  });

  test("the one quotient that does not fit wraps", () => {
    expect(
      int(-(2 ** 31))
        .floorDivide(-1)
        .toArray(),
    ).toEqual([-(2 ** 31)]);
    expect(
      int(-(2 ** 31))
        .remainder(-1)
        .toArray(),
    ).toEqual([0]);
  });

  test("bare numbers adapt, int32 and uint32 become int32 with the same bits, truth values become numbers to divide", () => {
    expect([uint(7).bitAnd(4).dtype, uint(7).bitAnd(4).toArray()]).toEqual(["uint32", [4]]);
    expect(flat(int(-1).bitXor(uint(4294967295)))).toEqual([0]);
    expect(
      flat(tensor([[1], [2]], { dtype: "int32" }).shiftLeft([[0, 1]].map((row) => int(...row)).at(0) as Tensor)),
    ).toEqual([1, 2, 2, 4]);
    expect([tensor([true]).floorDivide(tensor([true])).dtype, tensor([true]).remainder(2).toArray()]).toEqual([
      "int32",
      [1],
    ]);
    expect(sg.zeros([0], { dtype: "int32" }).floorDivide(0).shape).toEqual([0]);
  });

  test("errors", () => {
    const cases: readonly (readonly [() => unknown, string])[] = [
      [
        () => int(7, 5).floorDivide(int(1, 0)).toArray(),
        "floorDivide: got 5 divided by 0, expected whole numbers other than 0 to divide by; where(b.equal(0), 1, b), or floats.",
      ],
      [
        () => uint(7).remainder(0).toArray(),
        "remainder: got 7 divided by 0, expected whole numbers other than 0 to divide by; where(b.equal(0), 1, b), or floats.",
      ],
      [
        () => int(1).shiftLeft(-1).toArray(),
        "shiftLeft: got a shift by -1, expected a shift by 0 or more; the other shift.",
      ],
      [
        () => int(1).shiftRight(-2).toArray(),
        "shiftRight: got a shift by -2, expected a shift by 0 or more; the other shift.",
      ],
      [() => tensor([1]).bitAnd(1), "bitAnd: got float32[1], expected int32 or uint32."],
      [() => tensor([true]).bitNot(), "bitNot: got bool[1], expected int32 or uint32."],
      [() => tensor([1]).populationCount(), "populationCount: got float32[1], expected int32 or uint32."],
    ];
    for (const [body, text] of cases) expect(message(body)).toBe(text);
  });
});

describe("floats", () => {
  test("kinds of numbers, of every dtype", () => {
    const x = tensor([0, -1.5, NaN, Infinity, -Infinity]);
    expect([flat(x.isNaN()), flat(x.isFinite()), flat(x.isInfinite())]).toEqual([
      [0, 0, 1, 0, 0],
      [1, 1, 0, 0, 0],
      [0, 0, 0, 1, 1],
    ]);
    expect([flat(int(1).isNaN()), flat(int(1).isFinite()), flat(int(1).isInfinite())]).toEqual([[0], [1], [0]]);
    expect(x.isNaN().dtype).toBe("bool");
  });

  test("trunc, and exclusive or", () => {
    expect(flat(tensor([-1.7, -0.2, 0.9, 2, NaN, -Infinity]).trunc())).toEqual([-1, -0, 0, 2, NaN, -Infinity]);
    expect(flat(sg.logicalXor([true, true, false, false], [true, false, true, false]))).toEqual([0, 1, 1, 0]);
    expect(flat(sg.logicalXor([2, 0], [5, -1]))).toEqual([0, 1]);
  });

  test("the remainder in float32 is exact, and its derivative in the divisor is minus the quotient", () => {
    const [a, b] = [tensor(100.3), tensor(0.7)];
    const exact = Math.fround(100.3) - 143 * Math.fround(0.7);
    expect(a.remainder(b).item()).toBe(Math.fround(exact));
    const [da, db] = sg.grad(([x, y]: [Tensor, Tensor]) => sg.remainder(x, y))([a, b]);
    expect([(da as Tensor).item(), (db as Tensor).item()]).toEqual([1, -143]);
  });
});
