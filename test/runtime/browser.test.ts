import { afterAll, expect, test } from "vitest";
import { workloads } from "../../bench/workloads/index.js";
import { setThreads } from "../../src/index.js";
import { chromium, inChromium } from "./browserRun.js";

/** A page computes the bits that Node computes: every workload of the bench, on one thread and on two. */

const browser = chromium();
const full = process.env["CHECK_FULL"] === "1";
const steps = 4;

interface Answer {
  readonly isolated: boolean;
  readonly threads: number;
  readonly runtime: string;
  readonly numbers: Record<string, string[]>;
}

const program = (scale: string, threads: number): string => `
  import { backend, setThreads } from "samplegrad";
  import { workloads } from "./bench/workloads/index.ts";
  export default async () => {
    setThreads(${threads});
    const numbers = {};
    for (const { name, variants } of workloads) for (const variant of variants) {
      const running = variant.start("${scale}");
      const list = numbers[name + " " + variant.name] = [];
      for (let i = 0; i < ${steps}; i++) {
        running.step();
        list.push(...Array.from(running.numbers(), String));
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    const { threads, runtime } = backend();
    return JSON.stringify({ isolated: crossOriginIsolated, threads, runtime, numbers });
  };
`;

function inNode(scale: "small" | "full"): Record<string, string[]> {
  setThreads(1);
  const numbers: Record<string, string[]> = {};
  for (const { name, variants } of workloads)
    for (const variant of variants) {
      const running = variant.start(scale);
      numbers[`${name} ${variant.name}`] = Array.from({ length: steps }, () => {
        running.step();
        return Array.from(running.numbers(), String);
      }).flat();
    }
  return numbers;
}

afterAll(() => setThreads("auto"));

test.skipIf(browser === null).each([1, 2])(
  `Chromium on %i threads${browser === null ? " (there is none on this machine)" : ""}`,
  async (threads) => {
    const scale = full ? "full" : "small";
    const answer = JSON.parse(
      await inChromium(browser as string, program(scale, threads), full ? 600_000 : 50_000),
    ) as Answer;
    expect({ ...answer, numbers: null }).toEqual({ isolated: true, threads, runtime: "wasm", numbers: null });
    expect(answer.numbers).toEqual(inNode(scale));
  },
  full ? 900_000 : 60_000,
);
