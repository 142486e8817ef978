import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkDocs } from "../../tools/docs.js";

const folder = mkdtempSync(join(tmpdir(), "docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Checks one Markdown text and gives, per block, its line and its complaints. */
async function check(markdown: string, timeoutMs?: number): Promise<[line: number, ...complaints: string[]][]> {
  const file = join(folder, "page.md");
  writeFileSync(file, markdown);
  const verdicts = await checkDocs([file], resolve("."), timeoutMs);
  return verdicts.map(({ where, complaints }) => [Number(where.split(":").at(-1)), ...complaints.map(tidy)]);
}

/** Complaints name the file relative to the repository; here that is a path out of it. */
const tidy = (complaint: string): string => complaint.replace(/\S*page\.md/g, "page.md");

const ts = (code: string, flags = ""): string => `\`\`\`ts${flags}\n${code}\n\`\`\`\n`;
const text = (output: string): string => `\`\`\`text\n${output}\n\`\`\`\n`;

test("blocks that print what they say pass", async () => {
  const found = await check(
    [
      "# Title\n",
      ts('console.log("a", [1, 2]);\nconsole.log({ b: "c" });'),
      text("a [ 1, 2 ]\n{ b: 'c' }"),
      ts("const x: number = await Promise.resolve(3);\nconsole.log(x); // → 3\nconsole.log(\n  x + 1,\n); // → 4"),
      ts('const x = "its own scope";\nconsole.log(x.length); // → 13'),
      ts("console.log(x.toUpperCase()); // → ITS OWN SCOPE", " continue"),
      text("ITS OWN SCOPE"),
      ts('const never: string = "typed only";\nthrow new Error(never);', " no-run"),
      "```json\n{}\n```\n",
    ].join("\n"),
  );
  expect(found).toEqual([[4], [14], [22], [27], [35]]);
});

test("a wrong text block is shown as a diff", async () => {
  const found = await check(`${ts('console.log("same");\nconsole.log("is");')}\n${text("same\nwas\nmore")}`);
  expect(found).toEqual([
    [
      2,
      "  the output differs from the text block (- expected, + printed):",
      "    same",
      "  - was",
      "  + is",
      "  - more",
    ],
  ]);
});

test("a wrong arrow names its line", async () => {
  const found = await check(`\n${ts("console.log(1); // → 1\nconsole.log(2); // → 3\nconst y = 4; // → 4")}`);
  expect(found).toEqual([[3, "  page.md:4:", "  - 3", "  + 2", "  page.md:5: expected 4, nothing was printed"]]);
});

test("type errors are reported, and such a block is not run", async () => {
  const found = await check(ts('const n: number = "text";\nconsole.log(n); // → 1'));
  expect(found).toEqual([[2, "  page.md:2: TS2322: Type 'string' is not assignable to type 'number'."]]);
});

test("blocks that throw, exit or hang fail, and the next ones run all the same", async () => {
  const found = await check(
    [
      ts('const fail = (): never => {\n  throw new RangeError("too far");\n};\nfail();'),
      ts("process.exit(3);"),
      ts("for (;;);"),
      ts("console.log(1); // → 1"),
    ].join("\n"),
    3_000,
  );
  expect(found).toEqual([
    [2, "  threw RangeError: too far (line 3, from 5)"],
    [9, "  ended the process (exit status 3)"],
    [13, "  did not end within 3 s"],
    [17],
  ]);
});

test("the package's name means the sources", async () => {
  const found = await check(ts('import * as all from "samplegrad";\nconsole.log(typeof all); // → object'));
  expect(found).toEqual([[2]]);
});

test("a helper of an earlier block prints for the block that calls it", async () => {
  const found = await check(
    [
      ts("const say = (x: number): void => console.log(x);"),
      ts("say(7);", " continue"),
      text("7"),
      ts("say(8);", " continue"),
      text("7"),
    ].join("\n"),
  );
  expect(found.map(([line, ...complaints]) => [line, complaints.length > 0])).toEqual([
    [2, false],
    [6, false],
    [14, true],
  ]);
});
