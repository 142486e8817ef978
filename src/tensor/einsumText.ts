import { fail } from "../base/errors.js";
import { range, type Shape, show } from "../base/shape.js";

/** The notation of `einsum`: which names the axes of the operands and of the result have. */
export interface Names {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** A name per axis. Axes under an ellipsis are "1", "2", … from the right. @throws a sentence where text and shapes do not fit */
export function parse(spec: string, shapes: readonly Shape[]): Names {
  const where = `einsum "${spec}"`;
  const text = spec.replaceAll(" ", "");
  const odd = text
    .replace("->", "")
    .replaceAll("...", "")
    .match(/[^a-zA-Z,]/);
  if (odd) fail({ where, got: `"${odd[0]}"`, expected: 'letters, ",", "..." and one "->"' });
  const [left, right] = text.split("->") as [string, string | undefined];
  const terms = left.split(",");
  if (terms.length !== shapes.length)
    fail({ where, got: `${shapes.length} operands for ${terms.length} terms`, expected: "an operand per term" });
  const inputs = terms.map((term, k) => namesOf(where, term, k, shapes[k] as Shape));
  checkSizes(where, inputs, shapes);
  return { inputs, output: right === undefined ? implied(inputs) : outputOf(where, right, inputs) };
}

function namesOf(where: string, term: string, k: number, shape: Shape): string[] {
  const parts = term.split("...");
  const letters = parts.join("");
  const hidden = shape.length - letters.length;
  if (parts.length > 2 || hidden < 0 || (parts.length === 1 && hidden > 0))
    fail({
      where,
      got: `operand ${k} of shape ${show(shape)} for "${term}"`,
      expected:
        parts.length > 2 ? 'at most one "..."' : `${parts.length === 2 ? "at least " : ""}${letters.length} axes`,
    });
  const middle = parts.length === 2 ? range(hidden).map((i) => String(hidden - i)) : [];
  return [...(parts[0] as string), ...middle, ...(parts[1] ?? "")];
}

/** Sizes of one name are equal, or 1 in some operands; within one operand they are equal. */
function checkSizes(where: string, inputs: readonly (readonly string[])[], shapes: readonly Shape[]): void {
  const seen = new Map<string, { readonly size: number; readonly operand: number }>();
  inputs.forEach((names, operand) => {
    names.forEach((name, axis) => {
      const size = (shapes[operand] as Shape)[axis] as number;
      const before = seen.get(name);
      const fits = !before || size === before.size || (before.operand !== operand && (size === 1 || before.size === 1));
      if (!fits)
        fail({
          where,
          got: `${what(name)} of size ${before.size} in operand ${before.operand} and ${size} in operand ${operand}`,
          expected: "one size",
        });
      if (!before || before.size === 1) seen.set(name, { size, operand });
    });
  });
}

function what(name: string): string {
  return isLetter(name) ? `"${name}"` : `axis -${name} of "..."`;
}

function isLetter(name: string): boolean {
  return /[a-zA-Z]/.test(name);
}

/** All axes of ellipses, as many as the longest has. */
function hiddenOf(inputs: readonly (readonly string[])[]): string[] {
  const most = Math.max(0, ...inputs.map((names) => names.filter((name) => !isLetter(name)).length));
  return range(most).map((i) => String(most - i));
}

/** The axes of the ellipses, then the letters that occur once, in order of their code: capitals first. */
function implied(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat().filter(isLetter);
  const once = all.filter((name) => all.indexOf(name) === all.lastIndexOf(name));
  return [...hiddenOf(inputs), ...once.sort((a, b) => (a < b ? -1 : 1))];
}

function outputOf(where: string, text: string, inputs: readonly (readonly string[])[]): string[] {
  const parts = text.split("...");
  const letters = [...parts.join("")];
  const known = new Set(inputs.flat());
  const foreign = letters.find((name) => !known.has(name));
  if (foreign !== undefined) fail({ where, got: `"${foreign}" in the result`, expected: "letters of the operands" });
  const twice = letters.find((name, i) => letters.indexOf(name) < i);
  if (twice !== undefined) fail({ where, got: `"${twice}" twice in the result`, expected: "each letter once" });
  const hidden = hiddenOf(inputs);
  if (parts.length > 2 || (parts.length === 1 && hidden.length > 0))
    fail({
      where,
      got: `${parts.length - 1} "..." in the result`,
      expected: "one",
      write: 'sum over the axes of "..." afterwards if they are not wanted',
    });
  return [...(parts[0] as string), ...(parts.length === 2 ? hidden : []), ...(parts[1] ?? "")];
}
