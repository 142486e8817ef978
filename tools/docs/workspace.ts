import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Block } from "./extract.js";

/** A block written to disk. */
export type DocModule = { block: Block; path: string };

/**
 * Writes each block into a file of its own while `use` runs. The folder lies inside the repository,
 * where `samplegrad` and the development packages resolve; every call has its own, so calls may overlap.
 */
export async function withModules<T>(
  blocks: readonly Block[],
  root: string,
  use: (modules: DocModule[]) => Promise<T>,
): Promise<T> {
  const parent = join(root, ".tmp-docs");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "run-"));
  try {
    return await use(
      blocks.map((block, index) => {
        const path = join(folder, `${index}-${basename(block.file, ".md")}-${block.line}.ts`);
        writeFileSync(path, block.code);
        return { block, path };
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
