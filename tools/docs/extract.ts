/** One ```ts block of a Markdown file. */
export type Block = {
  file: string;
  /** The 1-based line of its first line of code. */
  line: number;
  /**
   * A module in which every line stands where it stands in the Markdown file, the rest being blank,
   * so that line numbers of compiler and run time need no translation.
   */
  code: string;
  /** False for `no-run`. */
  run: boolean;
  /** The ```text block that follows: the whole output. */
  output?: string;
  /** `// → value` comments of this block, by line. */
  arrows: Map<number, string>;
};

/** A fenced block of any language; `end` is the 0-based line of its closing fence. */
type Fence = { info: string[]; start: number; end: number };

const ARROW = /\/\/\s*→\s?(.*)$/;

export function extractBlocks(file: string, markdown: string): Block[] {
  const lines = markdown.split(/\r?\n/);
  const fences = findFences(lines);
  const blocks: Block[] = [];
  let shown: number[] = [];
  fences.forEach((fence, index) => {
    const [language, ...flags] = fence.info;
    if (language !== "ts" && language !== "typescript") return;
    const own = range(fence.start + 1, fence.end);
    shown = flags.includes("continue") ? [...shown, ...own] : own;
    blocks.push({
      file,
      line: fence.start + 2,
      code: moduleOf(lines, shown),
      run: !flags.includes("no-run"),
      output: outputAfter(lines, fence, fences[index + 1]),
      arrows: arrowsIn(lines, own),
    });
  });
  return blocks;
}

function findFences(lines: readonly string[]): Fence[] {
  const fences: Fence[] = [];
  let open: { marker: string; info: string[]; start: number } | undefined;
  lines.forEach((line, index) => {
    const [, marker, info] = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line) ?? [];
    if (marker === undefined) return;
    if (!open) open = { marker, info: (info ?? "").trim().split(/\s+/), start: index };
    else if (info === "" && marker.startsWith(open.marker)) {
      fences.push({ info: open.info, start: open.start, end: index });
      open = undefined;
    }
  });
  if (open) throw new Error(`the block that opens on line ${open.start + 1} is never closed`);
  return fences;
}

/** `export {}` makes it a module, whose names and top-level awaits are its own. */
function moduleOf(lines: readonly string[], shown: readonly number[]): string {
  const kept = new Set(shown);
  return `${lines.map((line, index) => (kept.has(index) ? line : "")).join("\n")}\nexport {};\n`;
}

/** The next block, when it is a text block and nothing but blank lines lie between. */
function outputAfter(lines: readonly string[], fence: Fence, next: Fence | undefined): string | undefined {
  if (next?.info[0] !== "text") return undefined;
  if (lines.slice(fence.end + 1, next.start).some((line) => line.trim() !== "")) return undefined;
  return lines.slice(next.start + 1, next.end).join("\n");
}

function arrowsIn(lines: readonly string[], own: readonly number[]): Map<number, string> {
  const arrows = new Map<number, string>();
  for (const index of own) {
    const match = ARROW.exec(lines[index] ?? "");
    if (match) arrows.set(index + 1, (match[1] ?? "").trimEnd());
  }
  return arrows;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
