import { fail } from "./errors.js";

/**
 * Trees of parameters: plain objects and arrays whose leaves are told by `isLeaf`. Object keys keep their order of insertion, so
 * flattening is deterministic for one program.
 */
export interface Flat<L> {
  readonly leaves: readonly L[];
  /** `W0`, `layers[1].bias`; the root itself is the empty string. */
  readonly paths: readonly string[];
  /** Equal for trees of one structure. */
  readonly structure: string;
  rebuild<M>(leaves: readonly M[]): unknown;
}

type Shape =
  | { kind: "leaf" }
  | { kind: "array"; children: Shape[] }
  | { kind: "object"; keys: string[]; children: Shape[] };

export function flatten<L>(where: string, tree: unknown, isLeaf: (x: unknown) => x is L): Flat<L> {
  const leaves: L[] = [];
  const paths: string[] = [];
  const shape = describe(where, tree, "", isLeaf, leaves, paths);
  return {
    leaves,
    paths,
    structure: JSON.stringify(shape),
    rebuild: (values) => {
      let next = 0;
      return build(shape, () => values[next++]);
    },
  };
}

function describe<L>(
  where: string,
  tree: unknown,
  path: string,
  isLeaf: (x: unknown) => x is L,
  leaves: L[],
  paths: string[],
): Shape {
  if (isLeaf(tree)) {
    leaves.push(tree);
    paths.push(path);
    return { kind: "leaf" };
  }
  if (Array.isArray(tree)) {
    const children = tree.map((child, i) => describe(where, child, `${path}[${i}]`, isLeaf, leaves, paths));
    return { kind: "array", children };
  }
  if (isPlainObject(tree)) {
    const keys = Object.keys(tree);
    const children = keys.map((key) =>
      describe(where, tree[key], path === "" ? key : `${path}.${key}`, isLeaf, leaves, paths),
    );
    return { kind: "object", keys, children };
  }
  return fail({
    where,
    got: `${path === "" ? "a value" : `${path} =`} ${name(tree)}`,
    expected: "a tensor, number, typed array, (nested) array of numbers, or an object or array of those",
  });
}

function build(shape: Shape, next: () => unknown): unknown {
  if (shape.kind === "leaf") return next();
  if (shape.kind === "array") return shape.children.map((child) => build(child, next));
  const out: Record<string, unknown> = {};
  shape.keys.forEach((key, i) => {
    out[key] = build(shape.children[i] as Shape, next);
  });
  return out;
}

export function isPlainObject(x: unknown): x is Record<string, unknown> {
  if (typeof x !== "object" || x === null) return false;
  const proto = Object.getPrototypeOf(x);
  return proto === Object.prototype || proto === null;
}

function name(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (x instanceof Promise) return "a Promise";
  if (typeof x === "function") return "a function";
  if (typeof x === "object") return `a ${x.constructor?.name ?? "object"}`;
  return JSON.stringify(x);
}
