import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SIDE } from "../digits.js";
import { wilson } from "../measure.js";
import type { Result } from "../run.js";
import type { Trained } from "../train.js";
import { legend, lineChart, type Series } from "./chart.js";
import { drawing } from "./drawing.js";
import { el, escaped, table } from "./markup.js";
import { pngOf } from "./png.js";
import { style } from "./style.js";
import { resultColumns, resultNotes, resultRows, short } from "./words.js";

/** The report: one HTML file that needs nothing from elsewhere. */
export function reportPage(result: Result, versions: Readonly<Record<string, string>>): string {
  const sections = [
    el("h1", {}, "Differentiating through a random layer"),
    lead(result),
    section("The stochastic computation graph", ...result.graphs.flatMap(graphFigure), graphLegend),
    section("Results", results(result)),
    section("Learning curves", ...curves(result)),
    section("Some test digits", digits(result)),
    section("Audit against the exact gradient", audit(result)),
    section(
      "What does not fit, and what the library says",
      ...result.refusals.map(({ message }) => el("blockquote", {}, escaped(message))),
    ),
    section("E.explain", el("pre", {}, escaped(result.explanation))),
    section("Settings and versions", settings(result, versions)),
  ];
  const head = el(
    "head",
    {},
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    el("title", {}, "samplegrad: the talk"),
    el("style", {}, style),
  );
  return `<!doctype html>\n${el("html", { lang: "en" }, head, el("body", {}, el("main", {}, ...sections)))}\n`;
}

/** Written beside and renamed, so that there is never half a report. */
export function writeReport(path: string, page: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, page);
  renameSync(beside, path);
}

function section(title: string, ...content: readonly string[]): string {
  return el("section", {}, el("h2", {}, escaped(title)), ...content);
}

function lead({ settings, cancelled, seconds }: Result): string {
  const { train, test, hidden, units, samples } = settings;
  const sizes = `${train.toLocaleString("en")} handwritten digits to train, ${test} to test; 784 pixels, ${hidden} hidden units, ${units} random units, 10 classes`;
  const stopped = cancelled
    ? el("p", { class: "warning" }, "Stopped before the end: this is what there was by then.")
    : "";
  const text = `${sizes}. Every gradient is an average of ${samples} runs of the program. Computed in ${seconds.toFixed(0)} seconds.`;
  return el("p", { class: "lead" }, escaped(text)) + stopped;
}

function graphFigure({ title, drawn }: Result["graphs"][number], i: number): string[] {
  return [el("h3", {}, escaped(title)), el("div", { class: "scroll" }, drawing(drawn, title, `graph${i}`))];
}

const graphLegend: string = el(
  "ul",
  { class: "legend" },
  el("li", {}, '<i style="background:#0072b2"></i>', "a derivative comes back by backpropagation"),
  el(
    "li",
    {},
    '<i style="background:#d55e00"></i>',
    "none does: the score function brings the cost to the law of the draw",
  ),
  el("li", {}, '<i style="background:#9a9a9a"></i>', "nothing to differentiate"),
  el("li", {}, "ellipse: random choice"),
);

function results({ outcomes, settings }: Result): string {
  const rows = resultRows(outcomes, settings.batch);
  return (
    table(resultColumns, rows) + el("ul", { class: "notes" }, ...resultNotes.map((note) => el("li", {}, escaped(note))))
  );
}

function curves({ outcomes, settings, test }: Result): string[] {
  const learned = outcomes.flatMap(({ trained }) => (trained && trained.points.length > 1 ? [trained] : []));
  if (learned.length === 0) return [el("p", {}, "Nothing was trained.")];
  const n = test.labels.length;
  const x = "digits seen in training";
  const cost = {
    title: "Training cost",
    x,
    y: "cross-entropy, nats",
    series: learned.map(costCurve),
    range: [0, 0],
  } as const;
  const series = learned.map((each) => accuracyCurve(each, n));
  const accuracy = {
    title: "Test accuracy, 95 % intervals",
    x,
    y: `share of ${n} test digits`,
    series,
    range: [0, 1],
    percent: true,
  } as const;
  const note = `Each point of the cost is the mean over an epoch of ${settings.train.toLocaleString("en")} digits.`;
  return [
    legend(series),
    el("div", { class: "pair" }, lineChart(cost), lineChart(accuracy)),
    el("p", { class: "notes" }, note),
  ];
}

function accuracyCurve({ arm: { name, color }, points }: Trained, n: number): Series {
  const intervals = points.map((point) => wilson(Math.round(point.accuracy * n), n));
  return {
    name,
    color,
    points: points.map((p) => [p.digits, p.accuracy] as const),
    band: intervals.map(({ low, high }) => [low, high] as const),
  };
}

function costCurve({ arm: { name, color }, points }: Trained): Series {
  return { name, color, points: points.flatMap((p) => (p.cost === null ? [] : [[p.digits, p.cost] as const])) };
}

/** Test digits with what each net says; the first of every class. */
function digits({ outcomes, test }: Result): string {
  const learned = outcomes.flatMap(({ trained }) => trained ?? []);
  const shown = Array.from({ length: Math.min(20, test.labels.length) }, (_, i) => i);
  const figures = shown.map((i) => {
    const image = pngOf(test.images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), SIDE);
    const picture = el("img", { src: image, alt: `a handwritten ${test.labels[i]}`, width: 56, height: 56 });
    const said = learned.map(({ arm, predicted }) => {
      const right = predicted[i] === test.labels[i];
      return el(
        "b",
        { style: `color:${arm.color}`, class: right ? "right" : "wrong", title: arm.name.replace(/[<&]/g, "") },
        String(predicted[i]),
      );
    });
    return el("figure", {}, picture, el("figcaption", {}, ...said));
  });
  const note =
    "Under each digit the predicted class of each net, in its colour and in the order of the table; struck out where it is wrong.";
  return (
    legend(learned.map(({ arm }) => arm)) +
    el("div", { class: "digits" }, ...figures) +
    el("p", { class: "notes" }, note)
  );
}

function audit({ audit: found, auditSizes }: Result): string {
  const columns = ["estimator", "", "z", "variance of one run", "±", "runs per sample", "product", "ms"];
  const rows = [...found.rows, ...found.biased].map((row) => [
    row.baseline === "none" ? row.estimator : `${row.estimator}, ${row.baseline}`,
    [row.best ? "best" : "", row.chosen ? "chosen" : ""].filter((mark) => mark !== "").join(", "),
    row.z.toFixed(1),
    short(row.variance),
    short(row.varianceStderr),
    String(row.evaluations),
    short(row.product),
    short(row.ms),
  ]);
  const { reference } = found;
  const against =
    reference.kind === "exact"
      ? `the exact gradient, from ${reference.outcomes} joint outcomes`
      : `a long run (${reference.runs} runs)`;
  const note =
    "z: distance from the truth in standard errors. product: variance × runs of the program per sample, what a fixed budget leaves of noise.";
  const heads = columns.map((head, i) => ({ head, right: i > 1 }));
  return (
    el("p", {}, escaped(`Small instance: ${auditSizes}; compared with ${against}.`)) +
    table(heads, rows) +
    el("p", { class: "notes" }, note)
  );
}

function settings({ settings: used }: Result, versions: Readonly<Record<string, string>>): string {
  const rows = [...Object.entries(used).map(([name, value]) => [name, String(value)]), ...Object.entries(versions)];
  return table([{ head: "" }, { head: "" }], rows);
}
