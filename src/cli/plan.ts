import type { PlanExplanation } from "../runtime/explainPlan.js";

/** What `samplegrad explain --plan` and `--wat` write. */
export interface PlanOptions {
  /** Steps, buffers, bytes and operations. */
  readonly plan?: boolean;
  /** The code. */
  readonly wat?: boolean;
}

export function planText(title: string, found: PlanExplanation, { plan, wat }: PlanOptions): string {
  const parts = [...(plan ? [`${title}\n\n${found.text}`] : []), ...(wat ? [found.wat] : [])];
  return `${parts.join("\n\n")}\n`;
}

/** One JSON document: the totals of every program, and what was asked for as text. */
export function planDocument(
  head: { readonly [name: string]: unknown },
  { programs, interpreted }: PlanExplanation,
  { plan, wat }: PlanOptions,
): unknown {
  return {
    ...head,
    programs: programs.map((program) => ({
      ...program.totals,
      ...(plan ? { text: program.text } : {}),
      ...(wat ? { wat: program.wat } : {}),
    })),
    interpreted,
  };
}
