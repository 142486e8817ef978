import { describe, expect, test } from "vitest";
import {
  cholesky,
  choleskySolve,
  compile,
  det,
  eigh,
  eigvalsh,
  eye,
  grad,
  inverse,
  jvp,
  logdet,
  lstsq,
  matmul,
  matrixExp,
  matrixNorm,
  pinv,
  qr,
  sin,
  slogdet,
  solve,
  stack,
  sum,
  svd,
  svdvals,
  type Tensor,
  tensor,
  triangularSolve,
  vmap,
} from "../../src/index.js";
import { f64, flipped, type Golden, near, programs, read } from "./linalgSupport.js";

/** Values, gradients and Hessian-vector products of a loss through every function, against JAX (test/reference/make-linalg.py). */

type Program = (...inputs: Tensor[]) => readonly Tensor[];

const spd = (a: Tensor): Tensor =>
  matmul(a, flipped(a)).add(eye(a.shape.at(-1) as number, { dtype: a.dtype as "float64" }).mul(0.5));
const solving: Program = (a, b) => [solve(a as Tensor, b as Tensor)];
const triangular =
  (lower: boolean, transposed: boolean, unitDiagonal: boolean): Program =>
  (a, b) => [triangularSolve(a as Tensor, b as Tensor, { lower, transposed, unitDiagonal })];
const one =
  (f: (a: Tensor) => Tensor): Program =>
  (a) => [f(a as Tensor)];
const parts =
  (f: (a: Tensor) => Tensor[]): Program =>
  (a) =>
    f(a as Tensor);

const table: { readonly [name: string]: Program } = {
  cholesky: one((a) => cholesky(spd(a))),
  "cholesky, batched": one((a) => cholesky(spd(a))),
  "cholesky of an asymmetric matrix": one((a) => cholesky(a.add(eye(3, f64).mul(4).toDType(a.dtype)))),
  choleskySolve: (a, b) => [choleskySolve(cholesky(spd(a as Tensor)), b as Tensor)],
  solve: solving,
  "solve, vector": solving,
  "solve, broadcast": solving,
  "triangularSolve, lower": triangular(true, false, false),
  "triangularSolve, upper, transposed": triangular(false, true, false),
  "triangularSolve, lower, unit": triangular(true, false, true),
  inverse: one(inverse),
  det: one(det),
  "det, batched": one(det),
  slogdet: one((a) => slogdet(a)[1]),
  logdet: one((a) => logdet(spd(a))),
  qr: parts(qr),
  "qr, square": parts(qr),
  eigh: parts(eigh),
  "eigh, batched": parts(eigh),
  eigvalsh: one(eigvalsh),
  svd: parts(svd),
  "svd, tall": parts(svd),
  "svd, wide": parts(svd),
  svdvals: one(svdvals),
  pinv: one(pinv),
  "pinv, wide": one(pinv),
  "pinv of rank 2": one(pinv),
  lstsq: (a, b) => [lstsq(a as Tensor, b as Tensor)],
  "lstsq, wide": (a, b) => [lstsq(a as Tensor, b as Tensor)],
  matrixNorm: (a) => (["fro", "nuc", 1, 2, Infinity] as const).map((kind) => matrixNorm(a as Tensor, kind)),
  matrixExp: one(matrixExp),
  "matrixExp, large": one((a) => matrixExp(a.sub(flipped(a)).mul(5))),
};

function lossOf({ name, weights }: Golden): (inputs: Tensor[]) => Tensor {
  const f = table[name] as Program;
  return (inputs) =>
    f(...inputs)
      .map((y, i) => sum(sin(y).mul(read((weights as never[])[i] as never, y.dtype as "float64"))))
      .reduce((a, b) => a.add(b));
}

test("every program of the file is here", () => {
  expect(Object.keys(table)).toEqual(programs.map(({ name }) => name));
});

describe.each(programs.map((golden) => [golden.name, golden] as const))("%s", (name, golden) => {
  const f = table[name] as Program;
  const inputs = golden.inputs.map((x) => read(x));
  const loss = lossOf(golden);
  const slope = grad(loss);

  test("value", () => {
    f(...inputs).forEach((y, i) => {
      near(`output ${i}`, y, read(golden.outputs[i] as never), 1e-12);
    });
    near("loss", loss(inputs), tensor(golden.loss, f64), 1e-12);
  });

  test("gradient, also compiled", () => {
    for (const slopes of [slope(inputs), compile(slope)(inputs)] as Tensor[][])
      slopes.forEach((g, i) => {
        near(`gradient of input ${i}`, g, read(golden.grad[i] as never), 1e-11);
      });
  });

  if (golden.curvature)
    test("Hessian times a direction", () => {
      const { tangent } = jvp(
        slope as (x: Tensor[]) => Tensor[],
        inputs,
        golden.direction.map((x) => read(x)),
      );
      (tangent as Tensor[]).forEach((h, i) => {
        near(`curvature of input ${i}`, h, read(golden.curvature?.[i] as never), 1e-10);
      });
    });

  test("under vmap, each its own", () => {
    const twice = inputs.map((x) => stack([x.mul(2), x]));
    const mapped = vmap((...args: Tensor[]) => [...(slope(args) as Tensor[]), ...f(...args)])(...twice) as Tensor[];
    const alone = [...(slope(inputs) as Tensor[]), ...f(...inputs)];
    mapped.forEach((x, i) => {
      near(`result ${i}`, x.at(1), alone[i] as Tensor, 1e-13);
    });
  });

  test("float32", () => {
    const singles = golden.inputs.map((x) => read(x, "float32"));
    f(...singles).forEach((y, i) => {
      expect(y.dtype).toBe("float32");
      near(`output ${i}`, y.toDType("float64"), read(golden.outputs[i] as never), 2e-5);
    });
    (slope(singles) as Tensor[]).forEach((g, i) => {
      near(`gradient of input ${i}`, g.toDType("float64"), read(golden.grad[i] as never), 5e-4);
    });
  });
});
