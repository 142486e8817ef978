import type { Callee, Code } from "../encode.js";

/** Adds a finished function to the module. */
export interface Library {
  add(code: Code, label: string): Callee;
  /** Functions already in this module, by what they do. */
  readonly shared: Map<string, Callee>;
}

/** A function before it is built: equal keys, equal functions. */
export interface StageFunction {
  readonly key: string;
  readonly build: (library: Library) => Code;
}

/** The function, built unless the module has it. */
export function shared(library: Library, { key, build }: StageFunction): Callee {
  const known = library.shared.get(key);
  if (known !== undefined) return known;
  const callee = library.add(build(library), key);
  library.shared.set(key, callee);
  return callee;
}
