import ts from "typescript";
import type { Block } from "./extract.js";
import type { Print, Run } from "./run.js";

/** What is wrong with what a block printed; empty when nothing is. */
export function compare(block: Block, run: Run): string[] {
  const complaints = run.error ? [`  ${run.error}`] : [];
  const own = run.prints.filter((print) => print.from === 0 || print.from >= block.line);
  if (block.output !== undefined && !run.error) complaints.push(...compareOutput(block, own));
  for (const [line, expected] of block.arrows) complaints.push(...compareArrow(block, line, expected, own, run));
  return complaints;
}

function compareOutput(block: Block, prints: readonly Print[]): string[] {
  const expected = (block.output ?? "").split("\n");
  const actual = prints.flatMap((print) => print.text.split("\n"));
  if (actual.join("\n") === expected.join("\n")) return [];
  const from = Array.from({ length: Math.max(expected.length, actual.length) }, (_, index) => index);
  const diff = from.flatMap((index) => {
    const [was, is] = [expected[index], actual[index]];
    if (was === is) return [`    ${was}`];
    return [...(was === undefined ? [] : [`  - ${was}`]), ...(is === undefined ? [] : [`  + ${is}`])];
  });
  return ["  the output differs from the text block (- expected, + printed):", ...diff];
}

function compareArrow(block: Block, line: number, expected: string, prints: readonly Print[], run: Run): string[] {
  const start = callStart(block, line);
  const texts = prints.filter((print) => print.line >= start && print.line <= line).map((print) => print.text);
  const actual = texts.join(" ");
  if (texts.length > 0 && actual === expected) return [];
  if (texts.length === 0)
    return run.error ? [] : [`  ${block.file}:${line}: expected ${expected}, nothing was printed`];
  return [`  ${block.file}:${line}:`, `  - ${expected}`, `  + ${actual}`];
}

/** The first line of the statement that ends on `line`: a console.log may span several. */
function callStart(block: Block, line: number): number {
  const ast = ts.createSourceFile("block.ts", block.code, ts.ScriptTarget.ES2022, true);
  const lineAt = (position: number): number => ast.getLineAndCharacterOfPosition(position).line + 1;
  let start = line;
  const visit = (node: ts.Node): void => {
    const isCall = ts.isExpressionStatement(node) && ts.isCallExpression(node.expression);
    // The innermost call statement is visited last.
    if (isCall && lineAt(node.getEnd()) === line) start = lineAt(node.getStart(ast));
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return start;
}
