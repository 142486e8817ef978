import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchOf, loadDigits, PIXELS, shrunk, shuffled } from "../../examples/talk/digits.js";
import { wilson } from "../../examples/talk/measure.js";
import { reportPage, writeReport } from "../../examples/talk/report/page.js";
import { pngOf } from "../../examples/talk/report/png.js";
import { type Result, runTalk } from "../../examples/talk/run.js";
import { quick, type Settings } from "../../examples/talk/settings.js";
import { resultsText } from "../../examples/talk/terminal.js";

/** The parts of the main job on a net and a set of digits that take seconds. */
const tiny: Settings = { ...quick, train: 200, test: 50, hidden: 16, units: 20, epochs: 3 };

describe("digits", () => {
  const { train, test } = loadDigits(200, 50);

  it("are real images, all classes in turn, none both to train and to test", () => {
    expect([...train.labels.slice(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    const image = (i: number, { images }: typeof train): string =>
      String(images.subarray(i * PIXELS, (i + 1) * PIXELS));
    const seen = new Set(Array.from({ length: 200 }, (_, i) => image(i, train)));
    expect(seen.size).toBe(200);
    for (let i = 0; i < 50; i++) expect(seen.has(image(i, test))).toBe(false);
    const ink = train.images.reduce((total, grey) => total + grey, 0) / train.images.length;
    // MNIST as a whole has a mean grey of 0.1307.
    expect(ink).toBeGreaterThan(0.11);
    expect(ink).toBeLessThan(0.15);
  });

  it("become batches, shuffled by a key alone", () => {
    const { x, y } = batchOf(train, [3, 7]);
    expect(x.shape).toEqual([2, 784]);
    expect(y.toArray()).toEqual([3, 7].map((label) => Array.from({ length: 10 }, (_, i) => (i === label ? 1 : 0))));
    expect(shuffled(300, 1)).toEqual(shuffled(300, 1));
    expect(shuffled(300, 1)).not.toEqual(shuffled(300, 2));
    expect([...shuffled(300, 1)].sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it("shrink to the means of patches", () => {
    const small = shrunk(train, 7);
    expect(small.images.length).toBe(200 * 16);
    const total = (images: Float32Array): number => images.reduce((sum, grey) => sum + grey, 0);
    expect(total(small.images) * 49).toBeCloseTo(total(train.images), 0);
  });
});

describe("measures", () => {
  it("Wilson's interval", () => {
    // Wilson 1927 with z = 1.96, worked out by hand: z²/(n + z²) = 0.2775 at 0 of 10.
    expect(wilson(0, 10).low).toBeCloseTo(0, 12);
    expect(wilson(0, 10).high).toBeCloseTo(1.96 ** 2 / (10 + 1.96 ** 2), 12);
    expect(wilson(50, 100).low + wilson(50, 100).high).toBeCloseTo(1, 12);
  });

  it("an image survives its PNG", () => {
    const grey = [0, 0.25, 1, 0.5];
    const png = Buffer.from(pngOf(grey, 2).split(",")[1]!, "base64");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2, 2]);
    const length = png.readUInt32BE(33);
    expect([...inflateSync(png.subarray(41, 41 + length))]).toEqual([0, 255, 191, 0, 0, 128]);
  });
});

describe("the job", () => {
  let result: Result;
  let page: string;
  const printed: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "talk-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    result = await runTalk(tiny, { print: (text) => printed.push(text) });
    page = reportPage(result, { samplegrad: "x" });
  });

  it("trains: the cost falls where the estimator is any good", () => {
    for (const { arm, trained } of result.outcomes) {
      expect(trained !== null).toBe(arm.trained);
      if (trained === null || arm.name.endsWith("no baseline")) continue;
      const costs = trained.points.flatMap(({ cost }) => cost ?? []);
      expect(costs).toHaveLength(3);
      expect(costs[2]).toBeLessThan(costs[0]!);
    }
  });

  it("measures: a baseline lowers the variance, the path lowers it more, without a draw there is none", () => {
    const [none, aligned, leaveOneOut, path, score, still] = result.outcomes.map(({ spread }) => spread!.variance);
    expect(aligned).toBeLessThan(none! / 4);
    expect(leaveOneOut).toBeLessThan(none! / 4);
    expect(path).toBeLessThan(score! / 4);
    expect(still).toBe(0);
  });

  it("says what does not fit, and audits against the exact gradient", () => {
    expect(result.refusals.map(({ estimator }) => estimator)).toEqual(["pathwise", "enumerate"]);
    expect(result.refusals[0]!.message).toContain("∂a/∂probs does not exist");
    expect(result.audit.reference).toEqual({ kind: "exact", outcomes: 64 });
    // z limit of the four rows at a false alarm of 1e-6: 5.2.
    for (const row of result.audit.rows) expect(row.z).toBeLessThan(5.2);
    expect(printed.join("\n")).toContain("a ~ Bernoulli(probs), batch [50, 20]");
    expect(resultsText(result)).toContain("Bernoulli, score function, leave-one-out");
  });

  it("reports in one file that needs nothing from elsewhere", () => {
    const elsewhere = [...page.matchAll(/https?:\/\/[^"'\s<)]*/g)].map(([address]) => address);
    expect(new Set(elsewhere)).toEqual(new Set(["http://www.w3.org/2000/svg"]));
    expect(page).not.toMatch(/<(script|link|iframe)\b|@import|url\((?!#)/);
    expect(page.match(/<img src="(?!data:image\/png)/)).toBeNull();
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page.match(/<ellipse /g)!.length).toBeGreaterThanOrEqual(2);
    for (const part of ["backprop stops", "score function: cost", "a ~ Bernoulli", "a ~ Normal", "cross-entropy, nats"])
      expect(page).toContain(part);
    expect(page).not.toMatch(/undefined|NaN[^ ]/);
    expect(unclosed(page)).toEqual([]);
  });

  it("writes a whole report or none", () => {
    const path = join(folder, "out", "report.html");
    writeReport(path, page);
    expect(readFileSync(path, "utf8")).toBe(page);
    expect(readdirSync(join(folder, "out"))).toEqual(["report.html"]);
  });

  it("stops when asked, with what it has", async () => {
    const stopping = new AbortController();
    const onProgress = (_what: string, steps: number): void => {
      if (steps === 6) stopping.abort();
    };
    const stopped = await runTalk(tiny, { onProgress, signal: stopping.signal });
    expect(stopped.cancelled).toBe(true);
    expect(stopped.outcomes.map(({ trained }) => trained?.points.at(-1)?.digits ?? null)).toEqual([
      300,
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(unclosed(reportPage(stopped, {}))).toEqual([]);
    expect(reportPage(stopped, {})).toContain("Stopped before the end");
  });
});

/** Elements that are opened and not closed, or the other way round. */
function unclosed(page: string): string[] {
  const open: string[] = [];
  for (const [, closing, name] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*?>/gi)) {
    if (["meta", "img"].includes(name as string)) continue;
    if (!closing) open.push(name as string);
    else if (open.at(-1) === name) open.pop();
    else open.push(`/${name}`);
  }
  return open;
}
