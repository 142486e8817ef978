import type { AuditResult, AuditRow } from "./auditResult.js";
import { type Column, indented, short, table } from "./numbers.js";

/** An audit as text: a table per block, then what did not fit and why. */
export function auditText({ reference, rows, biased, inadmissible, skipped }: Omit<AuditResult, "toString">): string {
  const against =
    reference.kind === "exact"
      ? `the exact gradient (${reference.outcomes} joint outcome${reference.outcomes === 1 ? "" : "s"})`
      : `a long run of its own (${reference.runs} runs)`;
  const parts = [`Gradient estimators against ${against}, other sites as chosen`];
  if (rows.length > 0) parts.push(table(columns, rows.map(cells)));
  if (biased.length > 0) parts.push(`Biased\n\n${table(columns, biased.map(cells))}`);
  if (rows.length > 0 || biased.length > 0) parts.push(legend([...rows, ...biased]));
  if (inadmissible.length > 0) {
    const lines = inadmissible.map(({ site, estimator, why }) => `${site}: ${estimator}\n  ${why}`);
    parts.push(`Not admissible\n\n${indented(lines.join("\n"))}`);
  }
  if (skipped.length > 0)
    parts.push(`Not audited\n\n${indented(skipped.map(({ site, why }) => `${site}: ${why}`).join("\n"))}`);
  if (rows.length + biased.length + inadmissible.length + skipped.length === 0)
    parts.push("The program samples nothing.");
  return parts.join("\n\n");
}

/** A false alarm in a million for one comparison. */
const zLimit = 4.9;

const columns: readonly Column[] = [
  { head: "site" },
  { head: "estimator" },
  { head: "" },
  { head: "z", right: true },
  { head: "variance", right: true },
  { head: "±", right: true },
  { head: "runs/sample", right: true },
  { head: "product", right: true },
  { head: "ms", right: true },
];

function cells(row: AuditRow): string[] {
  const { site, estimator, baseline, chosen, best, z, variance, varianceStderr, evaluations, product, ms } = row;
  const label = baseline === "none" ? estimator : `${estimator}, ${baseline}`;
  const marks = [best && "best", chosen && "chosen", z > zLimit && "differs"]
    .filter((mark) => mark !== false)
    .join(", ");
  return [
    site,
    label,
    marks,
    short(z, 2),
    short(variance, 3),
    short(varianceStderr, 2),
    String(evaluations),
    short(product, 3),
    short(ms, 2),
  ];
}

function legend(rows: readonly AuditRow[]): string {
  const counts = [...new Set(rows.map(({ runs }) => runs))].sort((a, b) => b - a);
  const runs = counts[0] === 1 ? "one run" : `${counts[0]} runs`;
  const fewer = counts.length > 1 ? ` (fewer where outcomes are enumerated: ${counts.slice(1).join(", ")})` : "";
  return [
    "z: the mean gradient's difference from the truth as a normal deviate, the larger of its projection on the truth",
    "   and its length; above 4.9 it differs.",
    "variance: of the gradient of one run, summed over parameters; S runs have 1/S of it.",
    "product: variance × runs of the program per sample.",
    `ms: one gradient of ${runs}${fewer}, median.`,
  ].join("\n");
}
