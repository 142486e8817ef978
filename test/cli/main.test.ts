import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { load } from "../../src/cli/packages.js";
import { fixtures, folder, run } from "./support.js";

describe("samplegrad run", () => {
  it("prints the value and the gradient", async () => {
    expect(await run(["run", "talk.ts"])).toEqual({
      code: 0,
      err: "",
      out: `E[loss] = 0.972 (exact)

┌───────────┬────────┬──────────────────────┬───────┐
│ parameter │ shape  │ gradient             │ ±     │
├───────────┼────────┼──────────────────────┼───────┤
│ W0        │ [2, 2] │ [-0.009649, 0.01926] │ exact │
│           │        │ [-0.002415, 0.00482] │       │
├───────────┼────────┼──────────────────────┼───────┤
│ W1        │ [2, 2] │ [0.0745, 0.06761]    │ exact │
│           │        │ [0.008407, 0.007629] │       │
├───────────┼────────┼──────────────────────┼───────┤
│ W2        │ [2, 2] │ [-0.6282, -0.01257]  │ exact │
│           │        │ [0.7332, 0.6599]     │       │
└───────────┴────────┴──────────────────────┴───────┘
1000 runs, key 0
`,
    });
  });

  it("takes samples and key, and says why there is no error bar", async () => {
    const { out } = await run(["run", "named.mjs", "--samples", "1", "--key", "7"]);
    expect(out).toMatch(/^E\[loss\] = [\d.]+ \(no error bar: one run has no spread: take samples ≥ 2\)\n/);
    expect(out).toMatch(
      /\n1 runs?, key 7; no error bars: one run has no spread: take samples ≥ 2, or replicates ≥ 32\n$/,
    );
  });

  it("prints one JSON document", async () => {
    const { code, out, err } = await run([
      "run",
      "talk.ts",
      "--json",
      "--dtype",
      "float64",
      "-e",
      "a=scoreFunction:none",
    ]);
    const found = JSON.parse(out);
    expect([code, err]).toEqual([0, ""]);
    expect(Object.keys(found)).toEqual(["file", "samples", "key", "biased", "value", "gradient"]);
    expect(found).toMatchObject({ file: "talk.ts", samples: 1000, key: 0, biased: false });
    // Exact by enumeration: 0.97197729626; key 0, z limit 4.9.
    expect(Math.abs(found.value.mean - 0.97197729626) / found.value.stderr).toBeLessThan(4.9);
    expect(found.gradient.mean.W2).toHaveLength(2);
    expect(found.gradient.stderr.W0[1][1]).toBeGreaterThan(0);
    expect(out).toMatch(/"W0": \[\n {8}\[-?[\d.e-]+, -?[\d.e-]+\],\n/);
  });

  it("reads numbers in the dtype asked for", async () => {
    const cwd = folder({ "p.mjs": "export const program = ({ a }) => a.square(); export const params = { a: 0.1 };" });
    const mean = async (dtype: string): Promise<number> =>
      JSON.parse((await run(["run", "p.mjs", "--json", "--dtype", dtype], { cwd })).out).gradient.mean.a;
    expect(await mean("float64")).toBe(0.2);
    expect(await mean("float32")).toBe(Math.fround(0.2));
  });

  it("is bold for people, and plain for pipes and with NO_COLOR", async () => {
    expect((await run(["run", "named.mjs"], { isTTY: true })).out).toContain("\u001b[1mparameter\u001b[22m");
    expect((await run(["run", "named.mjs"], { isTTY: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b");
    expect((await run(["run", "named.mjs"])).out).not.toContain("\u001b");
  });
});

describe("samplegrad explain", () => {
  it("prints the explanation, and draws it", async () => {
    const cwd = folder({ "talk.ts": readFileSync(join(fixtures, "talk.ts"), "utf8") });
    const { code, out, err } = await run(["explain", "talk.ts", "--dot", "g.dot", "-e", "a=scoreFunction"], { cwd });
    expect(code).toBe(0);
    expect(err).toBe("samplegrad: wrote g.dot; dot -Tsvg g.dot > graph.svg draws it\n");
    expect(out).toContain(
      "  a ~ Bernoulli(probs), batch [2]\n    estimator: scoreFunction (chosen by the program)\n    baseline: leaveOneOut,",
    );
    expect(out).toContain("\n  theta float32[2]\n    value = [0.662, 0.5743]\n    δ = [");
    expect(readFileSync(join(cwd, "g.dot"), "utf8")).toContain('[style="dashed", color="red"];');
  });

  it("as JSON is one document with all numbers", async () => {
    const { out } = await run(["explain", "talk.ts", "--json"]);
    const found = JSON.parse(out);
    expect(found.sites[0]).toMatchObject({
      name: "a",
      estimator: "enumerate",
      outcomes: 4,
      cites: ["titsias2015local"],
    });
    expect(found.nodes.map((node: { name: string }) => node.name)).toEqual(["W0", "W1", "W2", "theta", "a"]);
    expect(found.nodes[3].delta.mean[0]).toBeCloseTo(0.6256, 4);
    expect(found.dot).toContain("digraph {");
  });
});

describe("samplegrad explain --plan", () => {
  it("prints what the value and the gradient are compiled to", async () => {
    const { code, out, err } = await run(["explain", "named.mjs", "--plan"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(
      /^named\.mjs: the value and the gradient over 200 runs, key 0\n\nCompiled program, called once\n\nplan {7}\d+ rounds: /,
    );
    expect(out).toContain("\ninputs     params.loc float32[], key uint32[2], first run uint32[]\n");
    expect(out).toMatch(
      /\n\d fused \[200\], all reduced +200 +\d+ .* µs {7}1\n {4}random words of b\d+, params\.loc → result 0, /,
    );
    expect(out).not.toContain("(module");
    expect(out.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it("takes samples, estimators and dtype as the other commands do", async () => {
    const { out } = await run([
      "explain",
      "talk.ts",
      "--plan",
      "-s",
      "30",
      "-e",
      "a=scoreFunction",
      "--dtype",
      "float64",
    ]);
    expect(out).toMatch(/^talk\.ts: the value and the gradient over 30 runs, key 0\n/);
    expect(out).toContain("\nresults    result 0 float64[30], result 1 float64[2, 2], ");
  });

  it("with --wat has the code too, which alone is that alone", async () => {
    const { out } = await run(["explain", "named.mjs", "--wat"]);
    expect(out).toMatch(
      /^;; Compiled program, called once\n\(module\n {2}\(import "env" "host"\)[\s\S]*\n {2}\)\n\)\n$/,
    );
    const both = (await run(["explain", "named.mjs", "--plan", "--wat"])).out;
    expect(both.endsWith(`\n\n${out}`)).toBe(true);
    expect(both.startsWith("named.mjs: the value")).toBe(true);
  });

  it("as JSON is one document with the totals", async () => {
    const found = JSON.parse((await run(["explain", "named.mjs", "--plan", "--json"])).out);
    expect(Object.keys(found)).toEqual(["file", "samples", "key", "programs", "interpreted"]);
    expect(found.programs).toHaveLength(1);
    const [program] = found.programs;
    expect(program).toMatchObject({ calls: 1, host: [] });
    expect(program.text).toMatch(/^plan /);
    expect(program).not.toHaveProperty("wat");
    const code = JSON.parse((await run(["explain", "named.mjs", "--wat", "--json"])).out);
    expect(code.programs[0].wat).toMatch(/^\(module\n/);
    expect(code.programs[0]).not.toHaveProperty("text");
  });

  it("says where nothing is compiled", async () => {
    const body =
      'import { Normal, sample, setRuntime } from "samplegrad"; export const program = ({ loc }) => sample(Normal({ loc })).square(); export const params = { loc: 1 };';
    const cwd = folder({
      "steps.mjs": `${body} export const dynamic = true; export const samples = 3;`,
      "slow.mjs": `setRuntime("reference"); ${body}`,
      "fast.mjs": `setRuntime("wasm"); ${body}`,
    });
    expect(await run(["explain", "steps.mjs", "--plan"], { cwd })).toEqual({
      code: 1,
      out: "",
      err: "samplegrad: --plan: nothing of steps.mjs is compiled: a dynamic program has another graph in every run, and the interpreter computes it\n",
    });
    expect(await run(["explain", "slow.mjs", "--wat"], { cwd })).toEqual({
      code: 1,
      out: "",
      err: "samplegrad: --wat: nothing of slow.mjs is compiled: the interpreter is the runtime, by setRuntime or because this machine has no WebAssembly SIMD\n",
    });
    expect((await run(["explain", "fast.mjs", "--plan"], { cwd })).code).toBe(0);
  });
});

describe("samplegrad audit", () => {
  it("prints the table", async () => {
    const { code, out, err } = await run(["audit", "talk.ts"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/\na {5}enumerate {19}best, chosen {5}0 {9}0 {6}0 {12}4 {8}0 /);
  });

  it("as JSON is one document", async () => {
    const found = JSON.parse((await run(["audit", "talk.ts", "--json", "--samples", "8"])).out);
    expect(found.reference).toEqual({ kind: "exact", outcomes: 4 });
    expect(found.rows).toHaveLength(3);
    expect(found.inadmissible[0]).toMatchObject({ site: "a", estimator: "pathwise" });
  });

  it("shows a bar on a terminal, on stderr", async () => {
    const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    let [seen, out] = ["", ""];
    stderr.on("data", (chunk) => {
      seen += chunk;
    });
    const io = { stdout: { write: (text: string) => (out += text) }, stderr, env: {}, cwd: fixtures };
    expect(await main(["audit", "talk.ts", "--samples", "4"], io)).toBe(0);
    expect(seen).toContain("0% the exact gradient");
    expect(out).toMatch(/^Gradient estimators/);
  });
});

describe("what goes wrong", () => {
  const files = {
    "noProgram.ts": "export const answer: number = 42;",
    "empty.mjs": "",
    "noParams.mjs": "export const program = () => 1;",
    "syntax.ts": "export const program = (\n  { x } => x;\n",
    "syntax.mjs": "export const program = (\n  { x } => x;\n",
    "boom.ts": 'throw new TypeError("boom");',
    "package.mjs": 'import { x } from "not-a-package"; export const program = x;',
    "name.ts": 'import { frob } from "samplegrad"; export const program = frob;',
    "vector.mjs": "export const program = ({ a }) => a; export const params = { a: [1, 2] };",
    "ok.mjs":
      'import { Bernoulli, sample } from "samplegrad"; export const program = ({ l }) => sample(Bernoulli({ logits: l }), { name: "b" }); export const params = { l: 0 };',
    "notes.txt": "",
  };
  const cwd = folder(files);
  const exports = "expected export default { program, params, data } or exports of those names";
  const cases: [string[], number, string][] = [
    [["run", "missing.ts"], 2, "samplegrad: no file missing.ts\n"],
    [
      ["run", "notes.txt"],
      2,
      "samplegrad: got the file notes.txt, expected TypeScript or JavaScript: .ts .mts .cts .tsx .js .mjs .cjs .jsx\n",
    ],
    [["run", "noProgram.ts"], 1, `samplegrad: noProgram.ts exports no program: got answer, ${exports}\n`],
    [["run", "empty.mjs"], 1, `samplegrad: empty.mjs exports no program: got nothing, ${exports}\n`],
    [
      ["run", "noParams.mjs"],
      1,
      "samplegrad: noParams.mjs exports no params: expected params beside program, a tree of tensors and numbers\n",
    ],
    [
      ["run", "syntax.ts"],
      1,
      'samplegrad: cannot load syntax.ts: syntax error at syntax.ts:2:8: Expected ")" but found "=>"\n',
    ],
    [["run", "boom.ts"], 1, "samplegrad: cannot load boom.ts: TypeError: boom\n"],
    [
      ["run", "name.ts"],
      1,
      "samplegrad: cannot load name.ts: The requested module 'samplegrad' does not provide an export named 'frob'\n",
    ],
    [
      ["run", "vector.mjs"],
      1,
      "samplegrad: expectation: got a loss of shape [2] per run, expected a scalar; loss.mean() or loss.sum().\n",
    ],
    [["run", "ok.mjs", "--samples", "0"], 2, 'samplegrad: --samples: got "0", expected a whole number of at least 1\n'],
    [
      ["run", "ok.mjs", "--samples", "many"],
      2,
      'samplegrad: --samples: got "many", expected a whole number of at least 1\n',
    ],
    [["run", "ok.mjs", "--key", "-1"], 2, 'samplegrad: --key: got "-1", expected a whole number of at least 0\n'],
    [["run", "ok.mjs", "--dtype", "float16"], 2, 'samplegrad: --dtype: got "float16", expected float32 or float64\n'],
    [
      ["run", "ok.mjs", "-e", "b"],
      2,
      'samplegrad: --estimator: got "b", expected site=name, as in a=scoreFunction or a=scoreFunction:leaveOneOut\n',
    ],
    [
      ["run", "ok.mjs", "-e", "b=frob"],
      2,
      'samplegrad: --estimator: got the estimator "frob", expected one of pathwise, scoreFunction, enumerate\n',
    ],
    [
      ["run", "ok.mjs", "-e", "b=scoreFunction:mean"],
      2,
      'samplegrad: --estimator: got the baseline "mean", expected none, leaveOneOut, aligned or auto\n',
    ],
    [
      ["run", "ok.mjs", "-e", "b=enumerate:none"],
      2,
      'samplegrad: --estimator: enumerate takes no baseline, got "none"\n',
    ],
    [
      ["run", "ok.mjs", "-e", "c=enumerate"],
      2,
      'samplegrad: estimators: got the site name "c", expected one of "b".\n',
    ],
    [
      ["run", "ok.mjs", "-e", "b=pathwise"],
      1,
      'samplegrad: sample "b": Bernoulli gives no reparam, which pathwise needs: ∂b/∂logits does not exist on the path logits → b → loss; use scoreFunction() or enumerate().\n',
    ],
    [
      ["explain", "ok.mjs", "--plan", "--dot", "g.dot"],
      2,
      "samplegrad: --dot: got it with --plan, expected one of them: it draws estimators and credit, not a plan\n",
    ],
    [
      ["explain", "ok.mjs", "--wat", "--dot", "g.dot"],
      2,
      "samplegrad: --dot: got it with --wat, expected one of them: it draws estimators and credit, not a plan\n",
    ],
    [["explain", "missing.ts", "--plan"], 2, "samplegrad: no file missing.ts\n"],
    [
      ["explain", "vector.mjs", "--plan"],
      1,
      "samplegrad: expectation: got a loss of shape [2] per run, expected a scalar; loss.mean() or loss.sum().\n",
    ],
    [["run", "ok.mjs", "--plan"], 2, "error: unknown option '--plan'\nsamplegrad --help lists the commands\n"],
    [["run"], 2, "error: missing required argument 'program'\nsamplegrad --help lists the commands\n"],
    [["walk", "ok.mjs"], 2, "error: unknown command 'walk'\nsamplegrad --help lists the commands\n"],
    [["run", "ok.mjs", "--fast"], 2, "error: unknown option '--fast'\nsamplegrad --help lists the commands\n"],
  ];

  for (const [argv, code, err] of cases) {
    it(argv.join(" "), async () => {
      expect(await run(argv, { cwd })).toEqual({ code, err, out: "" });
    });
  }

  it("is told with the file, whatever the loader says", async () => {
    const syntax = await run(["run", "syntax.mjs"], { cwd });
    expect(syntax).toMatchObject({ code: 1, out: "" });
    expect(syntax.err).toMatch(/^samplegrad: cannot load syntax\.mjs: syntax error.*\n$/);
    const missing = await run(["run", "package.mjs"], { cwd });
    expect(missing.err).toBe(
      "samplegrad: cannot load package.mjs: Cannot find package 'not-a-package' imported from package.mjs\n",
    );
  });

  it("inside the program keeps the program's own frames of the stack", async () => {
    const at = folder({
      "crash.ts":
        "export const program = (p: { a: number }): number => inner(null);\nfunction inner(x: any): number { return x.y; }\nexport const params = { a: 1 };\n",
    });
    const { code, err } = await run(["run", "crash.ts"], { cwd: at });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^samplegrad: TypeError: Cannot read properties of null \(reading 'y'\)\n {4}at inner .*crash\.ts/,
    );
    expect(err).not.toContain("traceProgram");
  });

  it("names the command that installs a missing package", async () => {
    const absent = (): Promise<never> =>
      Promise.reject(Object.assign(new Error("Cannot find package 'cli-table3'"), { code: "ERR_MODULE_NOT_FOUND" }));
    await expect(load("cli-table3", cwd, "cli-table3", absent)).rejects.toThrow(
      "this needs the package cli-table3, which is not installed; npm install cli-table3@0.6",
    );
    await expect(load("tsx", cwd, "tsx/esm/api", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});

describe("help", () => {
  it("lists commands and shows what a program looks like", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("audit [options] <program>");
    expect(out).toContain('  import { Bernoulli, sample } from "samplegrad";');
    expect((await run(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("shows an example that runs", async () => {
    const { out } = await run(["--help"]);
    const example = out
      .split("\n")
      .filter((line) => line.startsWith("  import") || line.startsWith("  const") || line.startsWith("  export"));
    const cwd = folder({ "help.mjs": example.join("\n") });
    expect(existsSync(join(cwd, "help.mjs"))).toBe(true);
    expect((await run(["run", "help.mjs"], { cwd })).out).toMatch(/^E\[loss\] = [\d.]+ \(exact\)\n/);
  });
});
