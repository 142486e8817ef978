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
  readonly shape: TreeShape;
  rebuild<M>(leaves: readonly M[]): unknown;
}

/** A tree without its leaves. */
export type TreeShape =
  | { readonly kind: "leaf" }
  | { readonly kind: "array"; readonly children: readonly TreeShape[] }
  | { readonly kind: "object"; readonly keys: readonly string[]; readonly children: readonly TreeShape[] };

export function flatten<L>(where: string, tree: unknown, isLeaf: (x: unknown) => x is L): Flat<L> {
  const leaves: L[] = [];
  const paths: string[] = [];
  const shape = describe(where, tree, "", isLeaf, leaves, paths);
  return {
    leaves,
    paths,
    structure: JSON.stringify(shape),
    shape,
    rebuild: (values) => build(shape, values, { next: 0 }),
  };
}

function describe<L>(
  where: string,
  tree: unknown,
  path: string,
  isLeaf: (x: unknown) => x is L,
  leaves: L[],
  paths: string[],
): TreeShape {
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

function build(shape: TreeShape, values: readonly unknown[], at: { next: number }): unknown {
  if (shape.kind === "leaf") return values[at.next++];
  if (shape.kind === "array") return shape.children.map((child) => build(child, values, at));
  const out: Record<string, unknown> = {};
  for (let i = 0; i < shape.keys.length; i++)
    out[shape.keys[i] as string] = build(shape.children[i] as TreeShape, values, at);
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
