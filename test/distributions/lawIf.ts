import { it } from "vitest";

/** A law that a family has only if it gives what the law speaks of; for others there is no such test, rather than a skipped one. */
export function lawIf(applies: unknown): (name: string, check: () => void) => void {
  return (name, check) => {
    if (applies) it(name, check);
  };
}
