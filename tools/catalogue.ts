/**
 * `npm run catalogue`: writes CATALOGUE.md from the catalogues themselves. With `--check` it only compares, and fails when the file is
 * not what it would write.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { primitives } from "../src/control/index.js";
import { families } from "../src/distributions/index.js";
import { estimators } from "../src/estimators/index.js";
import { mathFunctions } from "../src/kernel/math/index.js";
import * as optim from "../src/optim/index.js";

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function distributionTable(): string {
  const rows = families.map((family) => {
    const moments = (["mean", "variance", "mode", "entropy", "cdf", "icdf"] as const).filter((name) => family[name]);
    const forms = family.forms.map((form) => `{ ${form.map((p) => p.name).join(", ")} }`).join(" or ");
    const gives = Object.keys(family.gives).join(", ");
    return [family.name, forms, gives, moments.join(", "), family.supportDepends.join(", ") || "–"];
  });
  return table(["distribution", "parameters", "gives", "also", "support moves with"], rows);
}

function estimatorTable(): string {
  const rows = estimators.map((make) => {
    const e = make();
    return [e.name, e.needs.join(", "), e.rest, e.bias, String(e.orders), e.cites.join(", ")];
  });
  return table(["estimator", "needs", "asks of the rest", "bias", "orders", "source"], rows);
}

function primitiveTable(): string {
  const rows = primitives.map((p) => {
    const linear = Array.isArray(p.linear)
      ? p.linear.length === 0
        ? "–"
        : `inputs ${p.linear.join(", ")}`
      : String(p.linear);
    const smooth = typeof p.smooth === "string" ? p.smooth : p.smooth.join(", ");
    return [p.name, linear, smooth, String(p.laws.length)];
  });
  return table(["primitive", "linear in", "continuity", "law cases"], rows);
}

function mathTable(): string {
  return table(
    ["function", "largest error, ulp", "source"],
    mathFunctions.map((f) => [f.name, String(f.maxUlp), f.source]),
  );
}

/** The whole file. */
export function catalogue(): string {
  const sections: readonly (readonly [string, string])[] = [
    ["Distributions", distributionTable()],
    ["Estimators", estimatorTable()],
    [
      "Optimizers",
      Object.entries(optim)
        .filter(([, value]) => typeof value === "function")
        .map(([name]) => `- \`${name}\``)
        .join("\n"),
    ],
    ["Math functions (float64)", mathTable()],
    ["Primitives", primitiveTable()],
  ];
  const head = "# Catalogue\n\nWritten by `npm run catalogue` from the lists that the law tests walk. Do not edit.\n";
  return `${head}${sections.map(([title, body]) => `\n## ${title}\n\n${body}\n`).join("")}`;
}

function main(): void {
  const file = resolve("CATALOGUE.md");
  const text = catalogue();
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") === text) return;
    console.error("CATALOGUE.md is out of date: run npm run catalogue");
    process.exitCode = 1;
    return;
  }
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
