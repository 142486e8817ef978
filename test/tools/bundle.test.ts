import { resolve } from "node:path";
import vm from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** A bundled, tree-shaken program must still compute: fluent methods and the runtime come from the one file with side effects. */
async function bundled(program: string): Promise<string> {
  const result = await build({
    stdin: { contents: program, resolveDir: resolve("."), loader: "ts" },
    alias: { samplegrad: resolve("src/index.ts") },
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    globalName: "out",
    platform: "browser",
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}

test("a bundle for browsers computes without any global of Node", async () => {
  const code = await bundled(`
    import { Bernoulli, enumerate, expectation, grad, sample, type Tensor } from "samplegrad";
    export const slope = grad((x: Tensor) => x.square().sum())([1, 2]).toArray();
    const f = ({ p }: { p: Tensor }) => sample(Bernoulli({ probs: p }), { name: "a", estimator: enumerate() }).mul(3);
    export const coin = expectation(f).valueAndGrad({ p: 0.25 }, { key: 0 }).grad.mean.p.item();
  `);
  // A fresh context has the language and nothing else: no process, no require, no window.
  const { slope, coin } = vm.runInNewContext(`${code}; out`) as { slope: number[]; coin: number };
  expect([...slope]).toEqual([2, 4]);
  expect(coin).toBeCloseTo(3, 6);
  expect(code.length).toBeLessThan(560_000);
});
