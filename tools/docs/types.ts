import { join } from "node:path";
import ts from "typescript";
import type { DocModule } from "./workspace.js";

/** Type errors of each module, by its path; a module without any has no entry. */
export function typeErrors(modules: readonly DocModule[], root: string): Map<string, string[]> {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config ?? {}, ts.sys, root);
  const paths = modules.map((module) => module.path);
  // Documentation shows exported types and functions without the annotations that a published file needs.
  const relaxed = { ...options, noEmit: true, declaration: false, isolatedDeclarations: false };
  const program = ts.createProgram(paths, relaxed);
  const errors = new Map<string, string[]>();
  for (const { block, path } of modules) {
    const ast = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(ast), ...program.getSemanticDiagnostics(ast)];
    if (found.length > 0)
      errors.set(
        path,
        found.map((each) => describe(block.file, each)),
      );
  }
  return errors;
}

function describe(file: string, { file: ast, start, code, messageText }: ts.Diagnostic): string {
  const line = ast && start !== undefined ? ast.getLineAndCharacterOfPosition(start).line + 1 : 0;
  return `  ${file}:${line}: TS${code}: ${ts.flattenDiagnosticMessageText(messageText, "\n    ")}`;
}
