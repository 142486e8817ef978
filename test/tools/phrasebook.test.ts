import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as samplegrad from "../../src/index.js";

/** docs/phrasebook.md promises names; each must be exported, or be a method of tensors. */

const lines = readFileSync(new URL("../../docs/phrasebook.md", import.meta.url), "utf8").split("\n");
const rows = lines
  .filter((line) => line.startsWith("|") && !line.startsWith("|---") && !line.includes("| samplegrad |"))
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "")));
const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);

test("every row has four cells and names something of ours", () => {
  expect(rows.length).toBeGreaterThan(120);
  expect(rows.filter((cells) => cells.length !== 4)).toEqual([]);
  expect(rows.filter((cells) => names(cells[2] as string).length === 0)).toEqual([]);
});

test("every name of ours is exported or a method", () => {
  const ours = rows.flatMap((cells) => names(cells[2] as string));
  const prototype = Object.getPrototypeOf(samplegrad.tensor(0)) as object;
  expect(ours.filter((name) => !(name in samplegrad) && !(name in prototype))).toEqual([]);
  expect(ours.filter((name, i) => ours.indexOf(name) !== i && name !== "scan")).toEqual([]);
});
