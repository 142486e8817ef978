import ts from "typescript";
import { error, type Problem, warning } from "./problem.js";
import { lineOf, type Source } from "./sources.js";

const FILE_ERROR = 400;
const FILE_WARNING = 250;
const FUNCTION_ERROR = 40;

/** Files and functions that are too long. Of tests only the files are measured: a `describe` is a long function by nature. */
export function sizeProblems(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    const isTest = source.path.startsWith("test/");
    return [...fileProblem(source, isTest), ...(isTest ? [] : longFunctions(source))];
  });
}

function fileProblem({ path, lines }: Source, isTest: boolean): Problem[] {
  if (lines > FILE_ERROR) return [error(path, `${lines} lines; split it, a file has at most ${FILE_ERROR}`)];
  if (lines > FILE_WARNING && !isTest) return [warning(path, `${lines} lines; aim for ${FILE_WARNING}`)];
  return [];
}

function longFunctions({ path, ast }: Source): Problem[] {
  const problems: Problem[] = [];
  const visit = (node: ts.Node): void => {
    const lines = isFunction(node) && node.body ? bodyLines(ast, node.body) : 0;
    if (lines > FUNCTION_ERROR) {
      const message = `${nameOf(ast, node)} has ${lines} lines; split it, a function has at most ${FUNCTION_ERROR}`;
      problems.push(error(`${path}:${lineOf(ast, node)}`, message));
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return problems;
}

type FunctionNode = ts.FunctionLikeDeclaration;

function isFunction(node: ts.Node): node is FunctionNode {
  return ts.isFunctionLike(node) && "body" in node;
}

/** The lines of a body, the brace lines of a block not counted. */
function bodyLines(ast: ts.SourceFile, body: ts.Node): number {
  const first = ast.getLineAndCharacterOfPosition(body.getStart(ast)).line;
  const last = ast.getLineAndCharacterOfPosition(body.getEnd()).line;
  return ts.isBlock(body) ? last - first - 1 : last - first + 1;
}

/** The function's own name, or that of the variable or property that holds it. */
function nameOf(ast: ts.SourceFile, node: ts.Node): string {
  for (const holder of [node, node.parent]) {
    const name = (holder as { name?: ts.Node }).name;
    if (name) return `function ${name.getText(ast)}`;
  }
  return "a function";
}
