import { error, type Problem } from "./problem.js";
import type { Import, Source } from "./sources.js";

/** Lowest first. A file imports from its own floor and from lower ones; folders on one line are siblings. */
const FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["kernel"],
  ["graph"],
  ["primitives"],
  ["transforms"],
  ["control"],
  ["compile"],
  ["wasm"],
  ["runtime", "blas"],
  ["tensor"],
  ["random"],
  ["distributions"],
  ["estimators"],
  ["expectation"],
  ["optim", "nn", "inference", "envs", "viz", "queue"],
  ["cli"],
];

/** The one file above all floors. */
const ROOF = "src/index.ts";

/** Folders that stand for a user: they see the public surface only. */
const OUTSIDE = ["examples", "bench"];

export function floorProblems(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    if (source.path.startsWith("src/")) return insideProblems(source);
    if (OUTSIDE.includes(topFolder(source.path))) return outsideProblems(source);
    return [];
  });
}

function insideProblems({ path, imports }: Source): Problem[] {
  if (path === ROOF) return [];
  const own = folderOf(path);
  if (floorOf(own) < 0) return [error(path, `is on no floor; move it into one of ${FLOORS.flat().join(", ")}`)];
  return imports.flatMap((each) => {
    const complaint = judge(own, each);
    return complaint ? [error(`${path}:${each.line}`, complaint)] : [];
  });
}

function judge(own: string, { target }: Import): string | undefined {
  if (!target.startsWith("src/")) return `imports ${target}, which is not part of the library`;
  if (target === ROOF) return `imports ${ROOF}, which is above every floor; import the file that defines the name`;
  const other = folderOf(target);
  if (other === own) return undefined;
  if (floorOf(other) === floorOf(own))
    return `${own}/ imports its sibling ${other}/ (${target}); move what both need lower`;
  if (floorOf(other) < floorOf(own)) return undefined;
  return `${own}/ imports from the higher floor ${other}/ (${target}); pass it as an argument, or move it lower`;
}

function outsideProblems({ path, imports }: Source): Problem[] {
  return imports
    .filter(({ target }) => target.startsWith("src/") && target !== ROOF)
    .map(({ target, line }) => error(`${path}:${line}`, `imports ${target}; import from "samplegrad", as a user does`));
}

const topFolder = (path: string): string => path.slice(0, path.indexOf("/"));
const folderOf = (path: string): string => path.split("/").slice(1, -1)[0] ?? "";
const floorOf = (folder: string): number => FLOORS.findIndex((floor) => floor.includes(folder));
