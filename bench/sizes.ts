import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import Table from "cli-table3";
import { build, type Metafile } from "esbuild";

/** Sizes of what a browser loads: bundled by esbuild, minified, gzipped. */

interface Program {
  readonly name: string;
  readonly source: string;
  /** Bytes, gzipped. */
  readonly budget?: number;
}

export interface Size {
  readonly name: string;
  readonly minified: number;
  readonly gzipped: number;
  readonly budget?: number;
  /** Minified bytes by folder of the sources, the largest first. */
  readonly folders: readonly (readonly [folder: string, bytes: number])[];
}

/** The example of the talk, which the budget is about. */
const core: Program = {
  name: "core",
  source: `import { Bernoulli, compile, expectation, grad, Normal, sample } from "samplegrad";
    export { Bernoulli, compile, expectation, grad, Normal, sample };`,
  budget: 60_000,
};

const root: string = fileURLToPath(new URL("..", import.meta.url));

const programs: readonly Program[] = [
  core,
  { name: "grad, without random choices", source: `export { grad, tensor } from "samplegrad";` },
  { name: "everything", source: `export * from "samplegrad";` },
  { name: "the engine, with what it stands on", source: engine() },
];

/** All of the compiler and of the emitter. */
function engine(): string {
  const files = ["src/compile", "src/wasm"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `./${folder}/${name}`),
  );
  return files.map((file, i) => `export * as m${i} from "${file}";`).join("\n");
}

export async function measureSizes(): Promise<Size[]> {
  return Promise.all(programs.map(sizeOf));
}

async function sizeOf({ name, source, budget }: Program): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    alias: { samplegrad: "./src/index.ts" },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    metafile: true,
    logLevel: "silent",
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return {
    name,
    minified: code.length,
    gzipped: gzipSync(code, { level: 9 }).length,
    budget,
    folders: folders(metafile),
  };
}

function folders({ outputs }: Metafile): Size["folders"] {
  const bytes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(Object.values(outputs)[0]?.inputs ?? {})) {
    const folder = /^src\/([^/]+)\//.exec(path)?.[1] ?? "";
    bytes.set(folder, (bytes.get(folder) ?? 0) + bytesInOutput);
  }
  return [...bytes].sort((a, b) => b[1] - a[1]);
}

export function sizesTable(sizes: readonly Size[]): string {
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ["bundle", "minified kB", "gzip kB", "budget kB", "largest folders, minified kB"],
    colAligns: ["left", "right", "right", "left", "left"],
  });
  for (const { name, minified, gzipped, budget, folders } of sizes)
    table.push([
      name,
      kilo(minified),
      kilo(gzipped),
      budget === undefined ? "" : `${kilo(budget)} ${gzipped <= budget ? "pass" : "FAIL"}`,
      folders
        .slice(0, 6)
        .map(([folder, bytes]) => `${folder} ${kilo(bytes)}`)
        .join(", "),
    ]);
  return String(table);
}

function kilo(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
