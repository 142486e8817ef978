import { expect, test } from "vitest";
import { binary, symmetric, uniform } from "../../bench/data.js";

test("numbers are those that the peers make", () => {
  // By NumPy, with the definition of the peers' generator.
  expect([...uniform(1, 3)]).toEqual([0.39212514145765454, 0.36787554307375103, 0.032725839293561876]);
  expect([...uniform(125, 2)]).toEqual([0.281156012439169, 0.04347182821948081]);
  const rows = [
    [0.3505931794643402, -0.41838687658309937],
    [0.16701164841651917, 0.4665694236755371],
  ];
  expect(symmetric(2, [2, 2], 0.5).toArray()).toEqual(rows);
  expect(binary(60, [12], 0.2).toArray()).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0]);
});
