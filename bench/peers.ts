import { execFile } from "node:child_process";
import { resolve } from "node:path";
import type { Line } from "./line.js";

/** Other libraries. Their scripts lie outside the project and print lines of the same kind. */
interface Peer {
  readonly name: string;
  readonly threads: readonly (1 | 2)[];
  command(folder: string, family: string, threads: number): readonly [program: string, ...args: string[]];
}

const python = (name: string): string =>
  process.env[`PEERS_${name}_PYTHON`] ?? process.env["PEERS_PYTHON"] ?? "python3";

const peers: readonly Peer[] = [
  {
    name: "torch",
    threads: [1, 2],
    command: (folder, family, threads) => [
      python("TORCH"),
      resolve(folder, "torch/bench_torch.py"),
      ...["--threads", String(threads), "--only", family],
    ],
  },
  {
    name: "jax",
    threads: [1, 2],
    command: (folder, family, threads) => [
      python("JAX"),
      resolve(folder, "jax/bench_jax.py"),
      ...["--threads", String(threads), "--only", family],
    ],
  },
  {
    name: "jax-js",
    threads: [1, 2],
    command: (folder, family, threads) => [
      process.execPath,
      resolve(folder, "jaxjs/bench_jaxjs.mjs"),
      ...[`--threads=${threads}`, `--only=${family}`],
    ],
  },
  {
    name: "tfjs",
    threads: [1],
    command: (folder, family) => [
      process.execPath,
      resolve(folder, "tfjs/bench_tfjs.mjs"),
      ...["--backend=wasm", `--only=${family}`],
    ],
  },
];

/** Runs what there is, one process after the other; a peer that failed once is not tried again. */
export class Peers {
  readonly missing: Map<string, string> = new Map();
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** @param family of workloads: "W1" for W1-1, W1-100 and W1-10000 */
  async run(family: string, threads: 1 | 2 | undefined): Promise<Line[]> {
    const lines: Line[] = [];
    for (const peer of peers) {
      for (const count of peer.threads.filter((n) => threads === undefined || n === threads)) {
        if (this.missing.has(peer.name)) continue;
        const { found, problem } = await linesOf(peer.command(this.folder, family, count));
        if (problem !== null) this.missing.set(peer.name, problem);
        lines.push(...found);
      }
    }
    return lines;
  }
}

/** The lines of JSON that a command prints, or why it cannot. */
export function linesOf([program, ...args]: readonly [string, ...string[]]): Promise<{
  found: Line[];
  problem: string | null;
}> {
  return new Promise((done) => {
    execFile(program, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const found = stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Line);
      const imports = found.find(({ version }) => version === null);
      if (imports) return done({ found: [], problem: imports.reason ?? "is not installed" });
      const last = stderr.trim().split("\n").at(-1);
      done({ found, problem: error === null ? null : last || error.message });
    });
  });
}
