import { describe, expect, test } from "vitest";
import type { CondParams } from "../../src/control/branch.js";
import type { ScanParams } from "../../src/control/loop.js";
import type { Body } from "../../src/graph/body.js";
import { checkGraph } from "../../src/graph/check.js";
import { printGraph } from "../../src/graph/print.js";
import { apply, placeholder, Tensor, type Type } from "../../src/graph/tensor.js";
import { compile, cond, grad, scan, tanh, tensor, whileLoop } from "../../src/index.js";
import { add, neg } from "../../src/primitives/linear.js";
import { message } from "../runtime/message.js";

/** Loops in listings, in checks of graphs, and in the check that nothing captured has changed. */

describe("printGraph", () => {
  test("a scan: its body is indented under it", () => {
    const [, ys] = scan(
      (h: Tensor, x: Tensor) => {
        const next = tanh(h.mul(x).add([1, 2]));
        return [next, next.sum()];
      },
      tensor([0.5, 1]),
      tensor([
        [1, 2],
        [3, 4],
      ]),
      { reverse: true },
    );
    expect(printGraph([ys])).toBe(
      [
        "%1 = constant [0.5, 1] float32[2]",
        "%2 = constant [1, 2, 3, 4] float32[2, 2]",
        "%3 = scan of 2 steps from the last(%1, %2) float32[2], float32[2]",
        "  (carry, x) ->",
        "    %5 = constant [1, 2] float32[2]",
        "    %6 = mul(carry, x) float32[2]",
        "    %7 = add(%6, %5) float32[2]",
        "    %8 = tanh(%7) float32[2]",
        "    %9 = sum(%8, axes=[0]) float32[]",
        "    return %8, %9",
        "%4 = part(%3, index=1) float32[2]",
        "return %4",
      ].join("\n"),
    );
  });

  test("the gradient of a branch in a loop", () => {
    const f = (w: Tensor): Tensor =>
      scan(
        (h: Tensor, x: Tensor) => [
          cond(
            x.greater(0),
            (a: Tensor) => a.mul(w),
            (a: Tensor) => a.sin(),
            h,
          ) as Tensor,
          null,
        ],
        tensor(1),
        tensor([1, -2, 3]),
      )[0];
    expect(printGraph([grad(f)(tensor(2))])).toBe(
      [
        "%1 = alias(2) float32[]",
        "%2 = constant [1, -2, 3] float32[3]",
        "%3 = scan of 3 steps(1, %2, %1) float32[], float32[3]",
        "  (carry, x, captured 0) ->",
        "    %7 = greater(x, 0) bool[]",
        "    %8 = cond(%7, carry, captured 0) float32[]",
        "      true: (operand, operand#2) ->",
        "        %10 = mul(operand, operand#2) float32[]",
        "        return %10",
        "      false: (operand#3, operand#4) ->",
        "        %11 = sin(operand#3) float32[]",
        "        return %11",
        "    %9 = part(%8, index=0) float32[]",
        "    return %9, carry",
        "%4 = part(%3, index=1) float32[3]",
        "%5 = scan of 3 steps from the last(1, 0, %2, %4, %1) float32[], float32[]",
        "  (cotangent, sum, x#2, carry#2, captured 0#2) ->",
        "    %12 = greater(x#2, 0) bool[]",
        "    %13 = cond(%12, cotangent, carry#2, captured 0#2) float32[], float32[]",
        "      true: (operand#5, operand#6, operand#7) ->",
        "        %17 = mul(operand#5, operand#6) float32[]",
        "        %18 = mul(operand#5, operand#7) float32[]",
        "        return %18, %17",
        "      false: (operand#8, operand#9, operand#10) ->",
        "        %19 = constant 0 float32[]",
        "        %20 = cos(operand#9) float32[]",
        "        %21 = mul(operand#8, %20) float32[]",
        "        return %21, %19",
        "    %14 = part(%13, index=0) float32[]",
        "    %15 = part(%13, index=1) float32[]",
        "    %16 = add(sum, %15) float32[]",
        "    return %14, %16",
        "%6 = part(%5, index=1) float32[]",
        "return %6",
      ].join("\n"),
    );
  });
});

describe("checkGraph looks into bodies", () => {
  const loop = (): Tensor => scan((c: Tensor, x: Tensor) => [c.add(x), c], tensor(0), tensor([1, 2]))[0];
  const bodyOf = (out: Tensor): Body => ((out.inputs[0] as Tensor).params as ScanParams).body;
  const id = (text: string): string => text.replace(/%\d+/g, "%n");

  test("a loop as it is made, with its derivative, passes", () => {
    const g = grad(
      (x: Tensor) =>
        scan(
          (c: Tensor) => [
            cond(
              c.less(2),
              (a: Tensor) => a.mul(x),
              (a: Tensor) => a,
              c,
            ) as Tensor,
            null,
          ],
          x,
          null,
          { length: 3 },
        )[0],
    )(tensor(1.5));
    const w = whileLoop(
      (x: Tensor) => x.less(3),
      (x: Tensor) => x.add(1),
      tensor(0),
      { limit: 4 },
    ) as Tensor;
    expect(() => checkGraph([loop(), g, w])).not.toThrow();
  });

  test("a placeholder of somebody else in a body", () => {
    const out = loop();
    bodyOf(out).outputs[0] = apply(neg, [placeholder({ shape: [], dtype: "float32" }, "stranger")], null);
    expect(id(message(() => checkGraph([out])))).toBe(
      'graph: got %n = placeholder "stranger" float32[], expected no placeholder but the arguments of the trace.',
    );
  });

  test("a node in a branch whose type is not what its primitive infers", () => {
    const out = cond(
      true,
      (x: Tensor) => x.neg(),
      (x: Tensor) => x,
      tensor([1, 2]),
    ) as Tensor;
    const [yes] = ((out.inputs[0] as Tensor).params as CondParams).branches;
    const wrong: Type = { shape: [2], dtype: "float64" };
    const bad = new Tensor(wrong, { primitive: neg, inputs: [yes.inputs[0] as Tensor], params: null });
    yes.outputs[0] = bad.toDType("float32");
    expect(id(message(() => checkGraph([out])))).toBe(
      "graph: got %n = neg float64[2], expected float32[2], which its primitive infers.",
    );
  });

  test("inputs that do not fit the body", () => {
    const longer = tensor([1, 2, 3]);
    const out = loop();
    const node = out.inputs[0] as Tensor;
    node.inputs = [node.inputs[0] as Tensor, longer];
    expect(id(message(() => checkGraph([out])))).toBe(
      "graph: %n = scan float32[], float32[2] does not fit its inputs: scan: got float32[3] as input 1, expected float32[2].",
    );
  });

  test("forbidden primitives are found inside", () => {
    expect(id(message(() => checkGraph([loop()], { stage: "after rewriting", forbidden: ["add"] })))).toBe(
      "graph after rewriting: got %n = add float32[], expected no add here.",
    );
  });

  test("a body whose outputs do not fit its carries", () => {
    const out = loop();
    const body = bodyOf(out);
    body.outputs[0] = apply(add, [body.inputs[0] as Tensor, body.inputs[0] as Tensor], null);
    expect(() => checkGraph([out])).not.toThrow();
    body.outputs.push(body.inputs[0] as Tensor);
    expect(id(message(() => checkGraph([out])))).toBe(
      "graph: %n = scan float32[], float32[2] does not fit its inputs: scan: got 3 outputs of the step, expected 2.",
    );
    body.outputs.length = 2;
    body.outputs[0] = tensor([1, 2]);
    expect(id(message(() => checkGraph([out])))).toBe(
      "graph: %n = scan float32[], float32[2] does not fit its inputs: scan: got float32[2] as carry 0 after the step, expected float32[].",
    );
  });
});

describe("compile sees what changes inside a body", () => {
  const write = "; pass what changes in data (an argument), where it is a leaf and not a constant.";
  /** The words of the second call. */
  const second = (f: (x: Tensor) => Tensor, change: () => void): string => {
    const compiled = compile(f);
    compiled(tensor(1)).item();
    change();
    return message(() => compiled(tensor(1)).item());
  };
  let k = 2;
  const then = (): void => {
    k = 3;
  };

  test.each([
    ["a scan", (x: Tensor) => scan((c: Tensor) => [c.mul(k), null], x, null, { length: 2 })[0], "mul"],
    [
      "a branch",
      (x: Tensor) =>
        cond(
          x.greater(0),
          (a: Tensor) => a.add(k),
          (a: Tensor) => a,
          x,
        ) as Tensor,
      "add",
    ],
    [
      "a while",
      (x: Tensor) =>
        whileLoop(
          (a: Tensor) => a.less(10),
          (a: Tensor) => a.add(k),
          x,
          { limit: 20 },
        ) as Tensor,
      "add",
    ],
    [
      "a gradient of a scan",
      grad((x: Tensor) => scan((c: Tensor) => [c.mul(k), null], x, null, { length: 2 })[0]) as (x: Tensor) => Tensor,
      "mul",
    ],
    [
      "a scan in a scan",
      (x: Tensor) =>
        scan((c: Tensor) => [scan((d: Tensor) => [d.sub(k), null], c, null, { length: 2 })[0], null], x, null, {
          length: 2,
        })[0],
      "sub",
    ],
  ])("a constant of %s", (_, f, primitive) => {
    k = 2;
    expect(second(f as (x: Tensor) => Tensor, then)).toBe(
      `compile: the captured constant of ${primitive} was 2 and is now 3${write}`,
    );
  });

  test("another operation, another length, another direction", () => {
    let [length, reverse, sine] = [2, false, false];
    const f = (x: Tensor): Tensor =>
      scan(
        (c: Tensor, r: Tensor) => [sine ? c.add(r).sin() : c.add(r).cos(), null],
        x,
        tensor([1, 2, 3]).slice(0, length),
        { reverse },
      )[0];
    const path = /^compile: the program took another path: /;
    expect(second(f, () => (sine = true))).toMatch(
      /^compile: the program took another path: (cos|sin) .* stood where (cos|sin) .* stands now/,
    );
    expect(second(f, () => (reverse = true))).toMatch(path);
    expect(second(f, () => (length = 3))).toMatch(path);
    expect(second(f, () => undefined)).toBe("no error");
  });
});
