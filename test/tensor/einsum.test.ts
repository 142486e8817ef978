import { describe, expect, test } from "vitest";
import {
  concat,
  einsum,
  grad,
  hessian,
  inner,
  ones,
  type Tensor,
  tensor,
  tensordot,
  vdot,
  vmap,
} from "../../src/index.js";
import { reach } from "../primitives/links.js";
import { message } from "../runtime/message.js";
import { agrees, flat, losing, read, reference } from "./arrays.js";

describe("as numpy has it, with JAX's gradient", () => {
  test.each(reference.einsum.map((entry, i) => [`${i}: ${entry.spec}`, entry] as const))("%s", (_name, entry) => {
    const operands = entry.operands.map(read);
    agrees(entry.spec, einsum(entry.spec, ...operands), entry.out);
    const loss = losing((all: Tensor[]) => einsum(entry.spec, ...all));
    const parts = grad(loss)(operands) as Tensor[];
    agrees(`gradient of ${entry.spec}`, concat(parts.map((part) => part.reshape([-1]))), entry.gradient);
  });

  test("there are many", () => {
    expect(reference.einsum.length).toBeGreaterThan(50);
  });
});

test("whole numbers stay whole, truth values count, types meet", () => {
  const i = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: "int32" },
  );
  expect([einsum("ij,jk->ik", i, i).dtype, flat(einsum("ij,jk->ik", i, i))]).toEqual(["int32", [7, 10, 15, 22]]);
  const mask = tensor([true, true, false]);
  expect([einsum("i,i", mask, mask).dtype, einsum("i,i", mask, mask).item()]).toEqual(["int32", 2]);
  expect(einsum("i,i", i.at(0), tensor([1, 1], { dtype: "float64" })).dtype).toBe("float64");
});

/** Matrix products in the order they are made: [rows, inner, columns]. */
function productsOf(out: Tensor): number[][] {
  const found = new Map<number, number[]>();
  for (let stack = [out]; stack.length > 0; ) {
    const node = stack.pop() as Tensor;
    if (node.primitive?.name === "matmul")
      found.set(node.id, [...(node.inputs[0] as Tensor).shape, node.shape[1] as number]);
    stack.push(...node.inputs);
  }
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, sizes]) => sizes);
}

test("a long chain is multiplied in the order that saves the most", () => {
  // A vector at the end: from the right every product is a vector; from the left a [200, 200] matrix each.
  const square = ones([200, 200]);
  const chain = einsum("ab,bc,cd,de,e->a", square, square, square, square, ones([200]));
  expect(productsOf(chain)).toEqual(new Array(4).fill([200, 200, 1]));
  // Of two products of one size the first is the one whose operands are large.
  const [small, wide] = [ones([2, 2]), ones([2, 100])];
  const out = einsum("ij,jk,kl,lm->im", small, small, wide, ones([100, 2]));
  expect(productsOf(out).map(([, k]) => k)).toEqual([100, 2, 2]);
});

test("batch letters keep their elements apart, also two of them", () => {
  const [a, b] = [ones([2, 3, 4, 5]), ones([2, 3, 5, 2])];
  const out = einsum("xyij,xyjk->xyik", a, b);
  reach(a, out).forEach((reached, i) => {
    const [row, batch] = [Math.floor(i / 5) % 4, Math.floor(i / 20)];
    expect([...reached].sort((p, q) => p - q)).toEqual([0, 1].map((k) => batch * 8 + row * 2 + k));
  });
});

test("under vmap and in second derivatives", () => {
  const a = tensor(
    [
      [0.3, -1.2],
      [0.7, 0.4],
    ],
    { dtype: "float64" },
  );
  const x = tensor(
    [
      [1, 2],
      [3, -1],
      [0.5, 0.25],
    ],
    { dtype: "float64" },
  );
  const form = (v: Tensor): Tensor => einsum("i,ij,j->", v, a, v);
  expect(flat(vmap(form)(x))).toEqual(flat(einsum("ni,ij,nj->n", x, a, x)));
  expect(flat(hessian(form)(x.at(0)) as Tensor)).toEqual([0.6, -0.5, -0.5, 0.8]);
});

describe("errors", () => {
  const m = ones([2, 3]);
  test.each([
    ["ij,jk->ik", [m, m], 'einsum "ij,jk->ik": got "j" of size 3 in operand 0 and 2 in operand 1, expected one size.'],
    ["ii->i", [m], 'einsum "ii->i": got "i" of size 2 in operand 0 and 3 in operand 0, expected one size.'],
    ["ii->i", [ones([1, 3])], 'einsum "ii->i": got "i" of size 1 in operand 0 and 3 in operand 0, expected one size.'],
    ["i$j", [m], 'einsum "i$j": got "$", expected letters, ",", "..." and one "->".'],
    ["ij->i->j", [m], 'einsum "ij->i->j": got "-", expected letters, ",", "..." and one "->".'],
    ["ij,jk", [m], 'einsum "ij,jk": got 1 operands for 2 terms, expected an operand per term.'],
    ["", [], 'einsum "": got 0 operands for 1 terms, expected an operand per term.'],
    ["ijk", [m], 'einsum "ijk": got operand 0 of shape [2, 3] for "ijk", expected 3 axes.'],
    ["i", [m], 'einsum "i": got operand 0 of shape [2, 3] for "i", expected 1 axes.'],
    ["i...jk", [m], 'einsum "i...jk": got operand 0 of shape [2, 3] for "i...jk", expected at least 3 axes.'],
    ["...i...", [m], 'einsum "...i...": got operand 0 of shape [2, 3] for "...i...", expected at most one "...".'],
    ["ij->k", [m], 'einsum "ij->k": got "k" in the result, expected letters of the operands.'],
    ["ij->ii", [m], 'einsum "ij->ii": got "i" twice in the result, expected each letter once.'],
    [
      "...i->i",
      [m],
      'einsum "...i->i": got 0 "..." in the result, expected one; sum over the axes of "..." afterwards if they are not wanted.',
    ],
    [
      "...i,...i",
      [m, ones([4, 3])],
      'einsum "...i,...i": got axis -1 of "..." of size 2 in operand 0 and 4 in operand 1, expected one size.',
    ],
  ])("%s", (spec, operands, text) => {
    expect(message(() => einsum(spec, ...operands))).toBe(text);
  });

  test("of the others", () => {
    expect(message(() => tensordot(m, ones([3, 2])))).toBe(
      "tensordot: got axis 0 of [2, 3] and axis 0 of [3, 2], expected equal sizes.",
    );
    expect(message(() => tensordot(m, ones([2, 2]), 1))).toBe(
      "tensordot: got axis 1 of [2, 3] and axis 0 of [2, 2], expected equal sizes.",
    );
    expect(message(() => tensordot(m, m, [[0, 1], [0]]))).toBe(
      "tensordot: got axes [0, 1] and [0], expected as many of both, and each once.",
    );
    expect(
      message(() =>
        tensordot(m, m.transpose(), [
          [0, -2],
          [0, 1],
        ]),
      ),
    ).toBe("tensordot: got axes [0, 0] and [0, 1], expected as many of both, and each once.");
    expect(message(() => tensordot(m, m, 3))).toBe(
      "tensordot: got 3 axes of [2, 3] and [2, 3], expected a whole number in [0, 2].",
    );
    expect(message(() => inner(m, ones([2])))).toBe(
      "inner: got axis 1 of [2, 3] and axis 0 of [2], expected equal sizes.",
    );
    expect(message(() => vdot(m, ones([5])))).toBe("vdot: got [2, 3] and [5], expected as many elements in both.");
  });
});

test("inner with a scalar is the product", () => {
  expect(flat(inner(2, tensor([1, 2, 3])))).toEqual([2, 4, 6]);
});
