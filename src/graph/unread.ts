import { fail } from "../base/errors.js";
import type { Tensor } from "./tensor.js";

/** @throws because somebody wants the numbers of a placeholder */
export function unread(node: Tensor): never {
  return fail({
    where: "read",
    what: `"${node.label}" is a placeholder: inside compile, vmap, scan, cond and expectation there are no numbers yet`,
    write:
      "where(mask, a, b) instead of an if, expectation(f, { dynamic: true }) for a program that branches on its samples, or read the result after the call",
  });
}
