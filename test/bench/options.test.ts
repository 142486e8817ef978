import { expect, test } from "vitest";
import { parse, WrongUse } from "../../bench/options.js";
import { workloads } from "../../bench/workloads/index.js";

const names = (args: readonly string[]): string[] => {
  const options = parse(args, {});
  return typeof options === "string" ? [] : options.only.map(({ name }) => name);
};

test("without options: everything, as a table", () => {
  expect(parse([], {})).toEqual({
    only: workloads,
    blas: false,
    quick: false,
    json: false,
    sizes: false,
    peers: undefined,
  });
});

test("--only takes families and single workloads, and W1 is not W10", () => {
  expect(names(["--only", "W1,W3"])).toEqual(["W1-1", "W1-100", "W1-10000", "W3"]);
  expect(names(["--only", "W2-100, W10"])).toEqual(["W2-100", "W10"]);
  expect(names(["--only=W7"])).toEqual(["W7"]);
});

test("numbers", () => {
  expect(parse(["--threads", "2", "--reps", "5", "--json", "--blas"], {})).toMatchObject({
    threads: 2,
    reps: 5,
    json: true,
    blas: true,
  });
});

test("the folder of the peers comes from the option, or else from the environment", () => {
  expect(parse(["--peers", "a/b"], { PEERS: "c" })).toMatchObject({ peers: "a/b" });
  expect(parse(["--peers", "--json"], { PEERS: "c" })).toMatchObject({ peers: "c", json: true });
});

test("--help says what there is", () => {
  const text = parse(["--help"], {});
  for (const option of ["--only", "--threads", "--blas", "--reps", "--quick", "--json", "--peers", "--sizes"])
    expect(text).toContain(option);
});

const all = workloads.map(({ name }) => name).join(", ");

test.each([
  [["--threads", "3"], "option '--threads <n>' argument '3' is invalid. It must be 1 or 2."],
  [["--reps", "0"], "option '--reps <n>' argument '0' is invalid. It must be a whole number of at least 1."],
  [["--reps", "1.5"], "option '--reps <n>' argument '1.5' is invalid. It must be a whole number of at least 1."],
  [
    ["--only", "W1,W99"],
    `option '--only <names>' argument 'W1,W99' is invalid. There is no workload "W99"; there are ${all}.`,
  ],
  [["--peers"], "--peers: no folder; write --peers FOLDER, or set PEERS"],
  [["--jsn"], "unknown option '--jsn'\n(Did you mean --json?)"],
  [["W1"], "too many arguments. Expected 0 arguments but got 1."],
])("%j is refused", (args, message) => {
  expect(() => parse(args, {})).toThrow(new WrongUse(message));
});
