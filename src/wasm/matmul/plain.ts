import { Code } from "../encode.js";
import { type Add, type Core, coreParams, paramA, paramB, paramC, paramFrom, paramTo } from "./core.js";
import { block, type Form } from "./spec.js";

/** Products of at most so many multiplications: vectors would save a fraction of a microsecond and cost a thousand times that to compile. */
const few = 256;

export function isPlain({ m, n, k, fused, accumulate }: Form): boolean {
  return m * n * k <= few && k <= block && !fused && !accumulate;
}

/** One element after another. */
export function plainCore(form: Form, add: Add): Core {
  const { lanes, m, n, k } = form;
  const [a, b] = form.swapped ? [paramB, paramA] : [paramA, paramB];
  const float = lanes.type === "f32x4" ? "f32" : "f64";
  const code = new Code(coreParams);
  const [i, j, l] = [code.local("i32"), code.local("i32"), code.local("i32")];
  const [column, c] = [code.local("i32"), code.local("i32")];
  const sum = code.local(float);
  code.get(paramFrom).get(paramTo).op("i32.ge_s");
  code.if(() => code.op("return"));
  repeat(code, i, m, () => {
    code.get(b).set(column);
    code.get(paramC).set(c);
    repeat(code, j, n, () => {
      zero(code, float).set(sum);
      repeat(code, l, k, () => {
        code.get(sum);
        at(code, a, l, form.aInner).memory(`${float}.load`);
        at(code, column, l, form.bInner).memory(`${float}.load`);
        code.op(`${float}.mul`).op(`${float}.add`).set(sum);
      });
      code.get(c).get(sum).memory(`${float}.store`);
      move(code, column, form.bColumn);
      move(code, c, form.cColumn);
    });
    move(code, a, form.aRow);
    move(code, paramC, form.cRow);
  });
  return { run: add(code, "matmul plain"), pieces: 1, scratchBytes: 0 };
}

function zero(code: Code, float: "f32" | "f64"): Code {
  return float === "f32" ? code.f32(0) : code.f64(0);
}

/** local + index · step */
function at(code: Code, local: number, index: number, step: number): Code {
  return code.get(local).get(index).i32(step).op("i32.mul").op("i32.add");
}

function move(code: Code, local: number, by: number): void {
  code.get(local).i32(by).op("i32.add").set(local);
}

/** `body` so many times, at least once. */
function repeat(code: Code, counter: number, times: number, body: () => void): void {
  code.i32(0).set(counter);
  code.loop(() => {
    body();
    code.get(counter).i32(1).op("i32.add").tee(counter).i32(times).op("i32.lt_s").brIf(0);
  });
}
