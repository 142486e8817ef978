import { error, type Problem } from "./problem.js";
import type { Import, Source } from "./sources.js";

type Frame = { path: string; next: number };

/**
 * Import cycles, found by a depth-first walk: an import of a file that is still open closes a cycle.
 * Every closing import is reported, so breaking what is listed leaves none.
 */
export function cycleProblems(sources: readonly Source[]): Problem[] {
  const imports = new Map(sources.map((source) => [source.path, source.imports]));
  const done = new Set<string>();
  return sources.flatMap((source) => (done.has(source.path) ? [] : walkFrom(source.path, imports, done)));
}

function walkFrom(start: string, imports: ReadonlyMap<string, Import[]>, done: Set<string>): Problem[] {
  const problems: Problem[] = [];
  const stack: Frame[] = [{ path: start, next: 0 }];
  const depth = new Map([[start, 0]]);
  while (stack.length > 0) {
    const frame = stack[stack.length - 1]!;
    const edge = imports.get(frame.path)?.[frame.next++];
    if (!edge) {
      stack.pop();
      depth.delete(frame.path);
      done.add(frame.path);
    } else if (depth.has(edge.target)) {
      const loop = [...stack.slice(depth.get(edge.target)).map((open) => open.path), edge.target];
      problems.push(error(`${frame.path}:${edge.line}`, `import cycle: ${loop.join(" → ")}`));
    } else if (!done.has(edge.target)) {
      depth.set(edge.target, stack.length);
      stack.push({ path: edge.target, next: 0 });
    }
  }
  return problems;
}
