import { readFileSync } from "node:fs";
import { setThreads } from "samplegrad";
import type { About } from "./measure.js";
import { WrongUse } from "./options.js";

/** The one place that knows how the library is told about threads and BLAS. */

export const OWN = "samplegrad";

/** Numbers of threads that the library can run on. */
export const threadCounts: readonly number[] = [1, 2];

export async function prepare(threads: number, blas: boolean): Promise<About> {
  if (!threadCounts.includes(threads))
    throw new WrongUse(`--threads: got ${threads}, but the library runs on ${threadCounts.join(" or ")}`);
  setThreads(threads);
  if (blas) await import("samplegrad/node-blas");
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return { peer: OWN, version, threads };
}
