import { ownName } from "../../graph/print.js";
import type { Tensor } from "../../graph/tensor.js";
import { again, ancestors } from "../../graph/walk.js";
import { validate } from "../../primitives/check.js";
import { alias, named } from "../../primitives/linear.js";
import type { Opened, ReportOptions } from "./subject.js";

/** The program's graph as people want to see it: checks of parameters left out, and a name on the node that has it. */
export interface Display {
  readonly loss: Tensor;
  /** From nodes of the program to nodes of this graph. */
  readonly shown: (node: Tensor) => Tensor;
  readonly names: ReadonlyMap<Tensor, string>;
}

export function displayOf({ program, names: given }: Pick<Opened<ReportOptions>, "program" | "names">): Display {
  const map = new Map<Tensor, Tensor>();
  const names = new Map<Tensor, string>(program.holes.map((hole, i) => [hole, given[i] as string]));
  const shown = (node: Tensor): Tensor => map.get(node) ?? node;
  for (const node of ancestors([program.loss, ...program.sites.filter((site) => program.flow.home(site) === null)])) {
    const ins = node.inputs.map(shown);
    const input = ins[0];
    if (names.has(node)) continue;
    if (input && (node.primitive === validate || node.primitive === alias)) map.set(node, input);
    else if (input && node.primitive === named && input.primitive && !names.has(input) && ownName(input) === null) {
      names.set(input, ownName(node) as string);
      map.set(node, input);
    } else if (ins.some((x, i) => x !== node.inputs[i])) map.set(node, again(node, ins));
  }
  return { loss: shown(program.loss), shown, names };
}
