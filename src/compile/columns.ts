/** Text in columns: numbers with prefixes, lines that are broken between words. */

export const lineWidth = 120;

const prefixes = ["", "k", "M", "G", "T", "P"];

/** Three significant digits and a prefix: `34.1 M`, `812`. */
export function withPrefix(x: number, unit = "", from = 0): string {
  let [value, step] = [x, from];
  while (Number(value.toPrecision(3)) >= 1000 && step < prefixes.length - 1) {
    value /= 1000;
    step++;
  }
  const digits = Number(value.toPrecision(3));
  return `${digits} ${prefixes[step]}${unit}`.trimEnd();
}

export function bytesText(bytes: number): string {
  return withPrefix(bytes, "B");
}

/** 12 µs, 1.2 ms */
export function timeText(nanoseconds: number): string {
  const units = ["ns", "µs", "ms", "s"];
  let [value, unit] = [nanoseconds, 0];
  while (Number(value.toPrecision(2)) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(2))} ${units[unit]}`;
}

export function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`;
}

/** `3 steps`, `1 step` */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** Text that is not broken. */
export function together(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}

/** Lines of at most `width` characters, broken at spaces; a word that is longer stands alone. */
function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => each.replaceAll("\u00a0", " "));
}

/** A head and its text, which hangs beside it. */
export function entry(head: string, text: string, indent: number): string[] {
  return broken(text, lineWidth - indent).map((line, i) => (i === 0 ? head : "").padEnd(indent) + line);
}

export interface Column {
  readonly head: string;
  readonly width: number;
}

/** A text on the left, as many lines as it takes, and cells on the right end of the first. */
export function rowOf(left: string, cells: readonly string[], columns: readonly Column[], hang: number): string[] {
  const room = lineWidth - columns.reduce((sum, { width }) => sum + width + 1, 0);
  const [first, ...more] = hanging(left, room, hang) as [string, ...string[]];
  const right = columns.map(({ width }, i) => ` ${(cells[i] as string).padStart(width)}`).join("");
  return [`${first.padEnd(room)}${right}`.trimEnd(), ...more];
}

/** Lines of at most `width` characters, all but the first moved in. */
export function hanging(text: string, width: number, hang: number): string[] {
  const start = /^ */.exec(text)?.[0].length ?? 0;
  const lines = broken(text.slice(start), Math.max(20, width - hang));
  return lines.map((line, i) => " ".repeat(i === 0 ? start : hang) + line);
}
