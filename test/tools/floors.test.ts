import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkFloors } from "../../tools/floors.js";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** The findings for a tree of files, as `level where: message`. */
function findings(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "floors-"));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkFloors(root).map(({ level, where, message }) => `${level} ${where}: ${message}`);
}

const lines = (count: number, line = "x();"): string => `${Array(count).fill(line).join("\n")}\n`;

test("imports from the own floor, from lower floors and by the index are fine", () => {
  const found = findings({
    "src/index.ts": 'export * from "./cli/main.js";\nexport * from "./base/a.js";\n',
    "src/base/a.ts": "export const a = 1;\n",
    "src/kernel/math/b.ts": 'import { c } from "../c.js";\nimport { a } from "../../base/a.js";\n',
    "src/kernel/c.ts": 'import { readFileSync } from "node:fs";\n',
    "src/cli/main.ts": 'import { d } from "../optim/d.js";\n',
    "src/optim/d.ts": 'import { a } from "../base/a.js";\n',
    "examples/e.ts": 'import { a } from "samplegrad";\nimport "../src/index.js";\n',
    "test/f.test.ts": 'import { d } from "../src/optim/d.js";\n',
  });
  expect(found).toEqual([]);
});

test.each([
  ["an import", 'import { g } from "../graph/g.js";'],
  ["a type-only import", 'import type { G } from "../graph/g.js";'],
  ["a re-export", 'export * from "../graph/g.js";'],
  ["a dynamic import", 'export const load = () => import("../graph/g.js");'],
  ["an import type", 'export type G = import("../graph/g.js").G;'],
])("%s from a higher floor is an error", (_, line) => {
  expect(findings({ "src/graph/g.ts": "", "src/base/a.ts": `\n${line}\n` })).toEqual([
    "error src/base/a.ts:2: base/ imports from the higher floor graph/ (src/graph/g.ts); pass it as an argument, or move it lower",
  ]);
});

test("siblings do not import each other, and nobody imports the index", () => {
  const found = findings({
    "src/index.ts": "",
    "src/nn/a.ts": 'import "../optim/b.js";\nimport "../index.js";\nimport "../../tools/t.js";\n',
    "src/optim/b.ts": "",
    "tools/t.ts": "",
  });
  expect(found).toEqual([
    "error src/nn/a.ts:1: nn/ imports its sibling optim/ (src/optim/b.ts); move what both need lower",
    "error src/nn/a.ts:2: imports src/index.ts, which is above every floor; import the file that defines the name",
    "error src/nn/a.ts:3: imports tools/t.ts, which is not part of the library",
  ]);
});

test("a folder that is no floor is an error, and so is an example that imports the inside", () => {
  const found = findings({
    "src/helpers/a.ts": "",
    "src/base/b.ts": "",
    "examples/c.ts": 'import "../src/base/b.js";\n',
  });
  expect(found).toEqual([
    'error examples/c.ts:1: imports src/base/b.ts; import from "samplegrad", as a user does',
    expect.stringMatching(/^error src\/helpers\/a\.ts: is on no floor; move it into one of base, kernel, .*, cli$/),
  ]);
});

test("import cycles are found, type-only ones too", () => {
  const found = findings({
    "src/base/a.ts": 'import "./b.js";\n',
    "src/base/b.ts": 'import type { C } from "./c.js";\n',
    "src/base/c.ts": 'import "./d.js";\nimport "./b.js";\n',
    "src/base/d.ts": "",
    "src/base/self.ts": 'import "./self.js";\n',
  });
  expect(found).toEqual([
    "error src/base/c.ts:2: import cycle: src/base/b.ts → src/base/c.ts → src/base/b.ts",
    "error src/base/self.ts:1: import cycle: src/base/self.ts → src/base/self.ts",
  ]);
});

test("functions over 40 lines are errors outside tests", () => {
  const long = `/** doc */\nexport function long() {\n${lines(41)}}\nexport const o = { arrow: () => {\n${lines(41)}} };\n`;
  const fine = `export class A {\n  m() {\n${lines(40)}  }\n}\n`;
  expect(findings({ "src/base/a.ts": long, "tools/b.ts": fine, "test/c.test.ts": long })).toEqual([
    "error src/base/a.ts:2: function long has 41 lines; split it, a function has at most 40",
    "error src/base/a.ts:45: function arrow has 41 lines; split it, a function has at most 40",
  ]);
});

test("files over 400 lines are errors, over 250 warnings outside tests", () => {
  const found = findings({
    "src/base/a.ts": lines(250),
    "src/base/b.ts": lines(251),
    "src/base/c.ts": lines(401),
    "test/d.test.ts": lines(400),
    "test/e.test.ts": lines(401),
  });
  expect(found).toEqual([
    "error src/base/c.ts: 401 lines; split it, a file has at most 400",
    "error test/e.test.ts: 401 lines; split it, a file has at most 400",
    "warning src/base/b.ts: 251 lines; aim for 250",
  ]);
});
