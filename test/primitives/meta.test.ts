import { describe, expect, test } from "vitest";
import type { Case } from "./draw.js";
import { derivatives, transposes } from "./wrongDerivatives.js";
import { batches, reads, types } from "./wrongStructure.js";

/** The laws themselves: a primitive with one wrong rule must not pass. */

describe.each([
  ["jvp", derivatives],
  ["transpose", transposes],
  ["batch", batches],
  ["reads", reads],
  ["types", types],
] as const)("a wrong %s is caught", (_rule, list) => {
  test.each(list)("%s", (_what, law, primitive) => {
    const complaints = (primitive.laws as readonly Case[]).flatMap((lawCase, i) =>
      [0, 1, 2].map((seed) => attempt(() => law(primitive, lawCase, "float64", 10 * i + seed))),
    );
    expect(complaints.some((complaint) => complaint !== null)).toBe(true);
  });
});

/** A rule so wrong that the kernel refuses is caught as well. */
function attempt(body: () => string | null): string | null {
  try {
    return body();
  } catch (error) {
    return String(error);
  }
}
