import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import ts from "typescript";

/** One import of a file of the project, type-only and dynamic ones included. */
export type Import = { target: string; line: number };

/** A parsed file; `path` is relative to the root, with forward slashes. */
export type Source = { path: string; lines: number; ast: ts.SourceFile; imports: Import[] };

const FOLDERS = ["src", "tools", "examples", "bench", "test"];

/** All TypeScript files of the folders that are checked. */
export function readSources(root: string): Source[] {
  const paths = FOLDERS.flatMap((folder) => listFiles(join(root, folder)))
    .map((file) => relative(root, file).split(sep).join("/"))
    .sort();
  const known = new Set(paths);
  return paths.map((path) => parse(path, readFileSync(join(root, path), "utf8"), known));
}

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function parse(path: string, text: string, known: ReadonlySet<string>): Source {
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    const target = specifier && resolveImport(path, specifier.text, known);
    if (specifier && target) imports.push({ target, line: lineOf(ast, specifier) });
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return { path, lines: countLines(text), ast, imports };
}

/** The module name in `import`, `export … from`, `import()` and `import("…").Type`. */
function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  let name: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier;
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) name = node.argument.literal;
  else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) name = node.arguments[0];
  return name && ts.isStringLiteralLike(name) ? name : undefined;
}

/** The project's file behind a specifier; undefined for packages and for files that are not there (tsc reports those). */
function resolveImport(from: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  if (specifier === "samplegrad") return "src/index.ts";
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.join(dirname(from), specifier);
  return [target.replace(/\.js$/, ".ts"), target].find((path) => known.has(path));
}

/** The 1-based line on which a node starts, its comments aside. */
export function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
