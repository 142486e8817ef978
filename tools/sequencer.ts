import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Runs `test/tiny.test.ts` before everything else: when the basics are broken, nothing later is worth reading. */
export class TinyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isTiny = (file: TestSpecification): boolean => file.moduleId.endsWith("/test/tiny.test.ts");
    return [...sorted.filter(isTiny), ...sorted.filter((file) => !isTiny(file))];
  }
}
