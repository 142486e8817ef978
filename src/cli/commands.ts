import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Estimate } from "../expectation/estimate.js";
import type { Expectation } from "../expectation/expectation.js";
import type { Tensor } from "../graph/tensor.js";
import { type Io, wrongProgram, wrongUse } from "./io.js";
import { type Loaded, loadProgram } from "./load.js";
import { argumentsIn, type CommonOptions, expectationOptions } from "./options.js";
import { cellOf, progressOf, tableOf, valueText } from "./output.js";
import { type PlanOptions, planDocument, planText } from "./plan.js";

/** The commands: each loads a program, asks the library, and writes what it says. */

interface Ready {
  readonly loaded: Loaded;
  readonly E: Expectation<unknown, unknown[]>;
  readonly args: readonly unknown[];
  readonly samples: number;
}

async function ready(path: string, options: CommonOptions, io: Io): Promise<Ready> {
  const loaded = await loadProgram(path, io);
  const settings = expectationOptions(loaded, options);
  const E = loaded.library.expectation(loaded.program, settings);
  return { loaded, E, args: argumentsIn(options.dtype, loaded), samples: settings.samples };
}

// What a file exports is as deep as its author says; the library checks it.
type CallArgs = Parameters<Expectation<unknown, unknown[]>["valueAndGrad"]>;
type Args = [params: never, ...data: never[]];

/** `samplegrad run`: the value and the gradient, with error bars. */
export async function runCommand(path: string, options: CommonOptions, io: Io): Promise<void> {
  const { loaded, E, args, samples } = await ready(path, options, io);
  const { key, json = false } = options;
  const progress = await progressOf(io, json);
  const how = {
    key,
    onProgress: (done: number, total: number) => progress.update(done, total, `${done} of ${total} runs`),
  };
  let found: ReturnType<typeof E.valueAndGrad>;
  try {
    found = E.valueAndGrad(...([...args, how] as unknown as CallArgs));
  } finally {
    progress.stop();
  }
  const { value, grad, biased } = found;
  if (json) {
    const gradient = { mean: plain(grad.mean), stderr: plain(grad.stderr), reason: grad.reason };
    return print({ file: path, samples, key, biased, value: plainEstimate(value), gradient }, io);
  }
  const { leaves: means, paths } = flat(grad.mean, loaded);
  const { leaves: bars } = flat(grad.stderr, loaded);
  const rows = means.map((mean, i) => [
    paths[i] || "params",
    `[${mean.shape.join(", ")}]`,
    cellOf(mean),
    barCell(bars[i] as Tensor),
  ]);
  io.stdout.write(`E[loss] = ${valueText(value)}\n\n`);
  io.stdout.write(`${await tableOf(["parameter", "shape", "gradient", "±"], rows, io)}\n`);
  const why = grad.reason === null ? "" : `; no error bars: ${grad.reason}`;
  io.stdout.write(`${samples} runs, key ${key}${biased ? ", biased" : ""}${why}\n`);
}

function barCell(stderr: Tensor): string {
  const numbers = [stderr.toArray()].flat(Number.POSITIVE_INFINITY as 1) as number[];
  return numbers.every((x) => x === 0) ? "exact" : cellOf(stderr, 2);
}

export interface ExplainCommandOptions extends CommonOptions, PlanOptions {
  readonly dot?: string;
}

/** `samplegrad explain`: estimators and why, credit, adjoints, the graph; or what the value and the gradient are compiled to. */
export async function explainCommand(path: string, options: ExplainCommandOptions, io: Io): Promise<void> {
  if (options.plan || options.wat) return planCommand(path, options, io);
  const { E, args, samples } = await ready(path, options, io);
  const { key, dot, json = false } = options;
  const found = E.explain(...([...args, { key }] as unknown as Args));
  if (dot !== undefined) {
    try {
      writeFileSync(resolve(io.cwd, dot), `${found.dot}\n`);
    } catch (error) {
      wrongUse(`--dot: cannot write ${dot}: ${(error as Error).message}`);
    }
    io.stderr.write(`samplegrad: wrote ${dot}; dot -Tsvg ${dot} > graph.svg draws it\n`);
  }
  if (!json) return void io.stdout.write(`${found.text}\n`);
  const { value, sites, costs, graph } = found;
  const nodes = found.nodes.map((node) => ({
    ...node,
    value: plainEstimate(node.value),
    delta: node.delta && plainEstimate(node.delta),
  }));
  print(
    { file: path, samples, key, value: value && plainEstimate(value), sites, costs, nodes, graph, dot: found.dot },
    io,
  );
}

async function planCommand(path: string, options: ExplainCommandOptions, io: Io): Promise<void> {
  const { key, dot, plan = false, json = false } = options;
  if (dot !== undefined)
    wrongUse(
      `--dot: got it with ${plan ? "--plan" : "--wat"}, expected one of them: it draws estimators and credit, not a plan`,
    );
  const { loaded, E, args, samples } = await ready(path, options, io);
  const found = loaded.library.explainPlan(() => E.valueAndGrad(...([...args, { key }] as unknown as CallArgs)));
  if (found.programs.length === 0) nothingCompiled(path, loaded, plan);
  if (json) print(planDocument({ file: path, samples, key }, found, options), io);
  else
    io.stdout.write(planText(`${path}: the value and the gradient over ${samples} runs, key ${key}`, found, options));
}

function nothingCompiled(path: string, { dynamic }: Loaded, plan: boolean): never {
  const why = dynamic
    ? "a dynamic program has another graph in every run, and the interpreter computes it"
    : "the interpreter is the runtime, by setRuntime or because this machine has no WebAssembly SIMD";
  return wrongProgram(`${plan ? "--plan" : "--wat"}: nothing of ${path} is compiled: ${why}`);
}

/** `samplegrad audit`: bias, variance and cost of every admissible estimator. */
export async function auditCommand(path: string, options: CommonOptions, io: Io): Promise<void> {
  const { E, args, samples } = await ready(path, options, io);
  const { key, json = false } = options;
  const progress = await progressOf(io, json);
  try {
    const result = await E.audit(...([...args, { key, onProgress: progress.update }] as unknown as Args));
    progress.stop();
    if (json) print({ file: path, samples, key, ...result }, io);
    else io.stdout.write(`${result}\n`);
  } finally {
    progress.stop();
  }
}

/** Indented JSON; vectors of numbers stay on one line. */
function print(document: unknown, io: Io): void {
  const text = JSON.stringify(document, null, 2);
  const vectors = /\[\n\s+((?:[-+.\deE]+|null)(?:,\n\s+(?:[-+.\deE]+|null))*)\n\s+\]/g;
  io.stdout.write(`${text.replace(vectors, (_, inside: string) => `[${inside.replace(/\s+/g, " ")}]`)}\n`);
}

/** A tree of tensors as nested arrays. */
function plain(tree: unknown): unknown {
  if (typeof tree !== "object" || tree === null) return tree;
  if ("toArray" in tree) return (tree as Tensor).toArray();
  if (Array.isArray(tree)) return tree.map(plain);
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, plain(value)]));
}

function plainEstimate({ mean, stderr, reason }: Estimate<Tensor>): {
  mean: unknown;
  stderr: unknown;
  reason: string | null;
} {
  return { mean: mean.toArray(), stderr: stderr.toArray(), reason };
}

function flat(tree: unknown, { library }: Loaded): { leaves: readonly Tensor[]; paths: readonly string[] } {
  return library.flatten("params", tree, (x): x is Tensor => library.isTensorLike(x));
}
