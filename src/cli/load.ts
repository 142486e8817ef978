import { existsSync, statSync } from "node:fs";
import { register } from "node:module";
import { extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { flatten } from "../base/tree.js";
import type { AnyEstimator } from "../estimators/estimator.js";
import type { Expectation } from "../expectation/expectation.js";
import type { ExpectationOptions } from "../expectation/options.js";
import type { asTensor, isTensorLike } from "../graph/leaves.js";
import type { Tensor } from "../graph/tensor.js";
import type { explainPlan } from "../runtime/explainPlan.js";
import { type Io, wrongProgram, wrongUse } from "./io.js";
import { load } from "./packages.js";

/** A program file and the library it was written with. */
export interface Loaded {
  readonly file: string;
  readonly program: (...args: never[]) => Tensor;
  readonly args: readonly unknown[];
  readonly samples: number | undefined;
  readonly estimators: ExpectationOptions["estimators"];
  readonly dynamic: boolean | undefined;
  readonly library: Library;
}

/** The running library, as the file that is loaded sees it: one instance, so that `sample` meets `expectation`. */
export interface Library {
  readonly expectation: (
    f: (...args: never[]) => Tensor,
    options: ExpectationOptions,
  ) => Expectation<unknown, unknown[]>;
  readonly explainPlan: typeof explainPlan;
  readonly estimators: readonly (() => AnyEstimator)[];
  readonly flatten: typeof flatten;
  readonly isTensorLike: typeof isTensorLike;
  readonly asTensor: typeof asTensor;
}

const typescript = [".ts", ".mts", ".cts", ".tsx"];
const javascript = [".js", ".mjs", ".cjs", ".jsx"];
/** `.ts` when run from the sources, `.js` from a build. */
const own = (path: string): string =>
  new URL(`../${path}${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href;

interface Bridge {
  readonly program: Record<string, unknown>;
  readonly index: Library;
  readonly estimators: { readonly estimators: Library["estimators"] };
  readonly trees: Pick<Library, "flatten">;
  readonly leaves: Pick<Library, "isTensorLike" | "asTensor">;
}

/**
 * Loads a file that exports a program: `export default { program, params, data?, samples?, estimators? }`, or the same as named exports.
 * @throws where there is none, or it does not load
 */
export async function loadProgram(path: string, io: Io): Promise<Loaded> {
  const full = resolve(io.cwd, path);
  if (!existsSync(full) || !statSync(full).isFile()) wrongUse(`no file ${path}`);
  if (![...typescript, ...javascript].includes(extname(full))) {
    wrongUse(`got the file ${path}, expected TypeScript or JavaScript: ${[...typescript, ...javascript].join(" ")}`);
  }
  const bridge = await imported(full, path, io);
  return fromExports(path, bridge.program, {
    ...bridge.index,
    ...bridge.estimators,
    ...bridge.trees,
    ...bridge.leaves,
  });
}

async function imported(full: string, path: string, io: Io): Promise<Bridge> {
  await prepare(typescript.includes(extname(full)) || own("index").endsWith(".ts"), io);
  // One module that imports all: the file and the library go through the same loader, so they share the library's state.
  const parts = {
    program: pathToFileURL(full).href,
    index: own("index"),
    estimators: own("estimators/index"),
    trees: own("base/tree"),
    leaves: own("graph/leaves"),
  };
  const source = Object.entries(parts).map(([name, url]) => `export * as ${name} from ${JSON.stringify(url)};`);
  try {
    return (await import(`data:text/javascript,${encodeURIComponent(source.join("\n"))}`)) as Bridge;
  } catch (error) {
    return wrongProgram(`cannot load ${path}: ${reasonOf(error, full, path)}`);
  }
}

/** What this process can load so far; loaders stay, for what a program imports when it runs. */
let prepared: "nothing" | "javascript" | "typescript" = "nothing";

/**
 * In files that are loaded "samplegrad" is this very package, wherever they lie and whatever is installed beside them; and TypeScript
 * is a module even where no package.json says so.
 */
async function prepare(withTypescript: boolean, io: Io): Promise<void> {
  if (prepared === "typescript" || (prepared === "javascript" && !withTypescript)) return;
  if (withTypescript) {
    (await load<typeof import("tsx/esm/api")>("tsx", io.cwd, "tsx/esm/api")).register();
    // Stacks point into the file as it was written.
    process.setSourceMapsEnabled(true);
  }
  prepared = withTypescript ? "typescript" : "javascript";
  // Behind tsx, so that it is asked first.
  const hook = `export const resolve = async (name, context, next) => {
    if (name === "samplegrad") return { url: ${JSON.stringify(own("index"))}, shortCircuit: true };
    const found = await next(name, context);
    const plain = found.url.replace(/(%3F|\\?).*$/, "");
    return found.format === "commonjs" && /\\.tsx?$/.test(plain) ? { ...found, url: plain, format: "module" } : found;
  };`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

/** Syntax errors with their place; of others the message. */
function reasonOf(error: unknown, full: string, path: string): string {
  if (!(error instanceof Error)) return String(error);
  const told = error.message.split(full).join(path).split(pathToFileURL(full).href).join(path);
  const transform = /^Transform failed with \d+ errors?:\n(.*?)(?::\s*ERROR)?: (.*)/s.exec(told);
  if (transform) return `syntax error at ${transform[1]}: ${(transform[2] as string).split("\n")[0]}`;
  if (error.name === "SyntaxError" && told.includes("does not provide an export")) return told;
  if (error.name === "SyntaxError") {
    const line = /:(\d+)\n/.exec(`${error.stack?.split("\n")[0]}\n`)?.[1];
    return `syntax error${line === undefined ? "" : ` at ${path}:${line}`}: ${told}`;
  }
  return error.name === "Error" ? told : `${error.name}: ${told}`;
}

function fromExports(path: string, exports: Record<string, unknown>, library: Library): Loaded {
  const whole = exports["default"];
  const found =
    typeof whole === "object" && whole !== null
      ? { ...exports, ...whole }
      : typeof whole === "function"
        ? { program: whole, ...exports }
        : exports;
  const { program, params, data, samples, estimators, dynamic } = found as Record<string, unknown>;
  if (typeof program !== "function") {
    const names = Object.keys(exports);
    const got = names.length === 0 ? "nothing" : names.join(", ");
    wrongProgram(
      `${path} exports no program: got ${got}, expected export default { program, params, data } or exports of those names`,
    );
  }
  if (params === undefined)
    wrongProgram(`${path} exports no params: expected params beside program, a tree of tensors and numbers`);
  return {
    file: path,
    program: program as Loaded["program"],
    args: data === undefined ? [params] : [params, data],
    samples: samples as number | undefined,
    estimators: estimators as Loaded["estimators"],
    dynamic: dynamic as boolean | undefined,
    library,
  };
}
