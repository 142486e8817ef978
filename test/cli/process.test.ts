import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, fixtures, folder, root } from "./support.js";

/** The command as a process, in a folder outside the repository where nothing is installed. */
const cwd = folder({
  "talk.ts": readFileSync(join(fixtures, "talk.ts"), "utf8"),
  "named.mjs": readFileSync(join(fixtures, "named.mjs"), "utf8"),
  "helper.ts": 'import { tensor, type Tensor } from "samplegrad";\nexport const two: Tensor = tensor([1, 2]);\n',
  "imports.ts": `import { Normal, sample, type Tensor } from "samplegrad";
import { two } from "./helper.js";
export const program = ({ loc }: { loc: Tensor }): Tensor => sample(Normal({ loc, scale: 1 })).mul(two).square().sum();
export const params: { loc: number[] } = { loc: [0.5, 1] };
`,
  "none.ts": "export {};",
});
const built = join(root, "node_modules", ".cache", `samplegrad-cli-${process.pid}`);
const ways: readonly [string, readonly string[]][] = [
  ["a build, with node", [join(built, "dist", "cli", "main.js")]],
  [
    "the sources, with tsx",
    [join(root, "node_modules", "tsx", "dist", "cli.mjs"), join(root, "src", "cli", "main.ts")],
  ],
];

beforeAll(() => build(built));
afterAll(() => rmSync(built, { recursive: true, force: true }));

for (const [name, command] of ways) {
  describe(name, () => {
    const samplegrad = (...args: string[]): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, [...command, ...args], { cwd, encoding: "utf8" });

    it("runs a TypeScript file and what it imports", () => {
      const talk = samplegrad("run", "talk.ts", "--json");
      expect([talk.status, talk.stderr]).toEqual([0, ""]);
      expect(JSON.parse(talk.stdout).value.mean).toBeCloseTo(0.971977, 6);
      const imports = samplegrad("run", "imports.ts");
      expect(imports.stderr).toBe("");
      expect(imports.stdout).toContain("│ loc       │ [2]   │");
    });

    it("runs a JavaScript file", () => {
      const { status, stdout, stderr } = samplegrad("explain", "named.mjs");
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(
        "  z ~ Normal(loc, scale), batch []\n    estimator: pathwise (reparameterised and smooth below)\n",
      );
    });

    it("exits with 1 for a wrong program and 2 for a wrong command line", () => {
      const wrong = samplegrad("run", "none.ts");
      expect([wrong.status, wrong.stdout]).toEqual([1, ""]);
      expect(wrong.stderr).toContain("samplegrad: none.ts exports no program: got nothing, expected export default");
      expect(samplegrad("run", "talk.ts", "--samples", "x").status).toBe(2);
    });
  });
}
