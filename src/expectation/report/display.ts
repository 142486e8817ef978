import { Body, bodiesOf } from "../../graph/body.js";
import { ownName } from "../../graph/print.js";
import { type AnyPrimitive, apply, type Tensor } from "../../graph/tensor.js";
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
  const outside = program.sites.filter((site) => program.flow.home(site) === null);
  show([program.loss, ...outside], map, names);
  const shown = (node: Tensor): Tensor => map.get(node) ?? node;
  return { loss: shown(program.loss), shown, names };
}

function show(outputs: readonly Tensor[], map: Map<Tensor, Tensor>, names: Map<Tensor, string>): void {
  for (const node of ancestors(outputs)) {
    const ins = node.inputs.map((input) => map.get(input) ?? input);
    const input = ins[0];
    if (names.has(node)) continue;
    if (input && (node.primitive === validate || node.primitive === alias)) map.set(node, input);
    else if (input && node.primitive === named && input.primitive && !names.has(input) && ownName(input) === null) {
      names.set(input, ownName(node) as string);
      map.set(node, input);
    } else if (bodiesOf(node).length > 0) map.set(node, withBodies(node, ins, map, names));
    else if (ins.some((x, i) => x !== node.inputs[i])) map.set(node, again(node, ins));
  }
}

/** A loop with its bodies as they are shown; what it captures keeps its name inside. */
function withBodies(
  node: Tensor,
  ins: readonly Tensor[],
  map: Map<Tensor, Tensor>,
  names: Map<Tensor, string>,
): Tensor {
  const shift = ins.length - (bodiesOf(node)[0] as Body).inputs.length;
  const bodies = bodiesOf(node).map(({ inputs, outputs }) => {
    inputs.forEach((hole, k) => {
      const name = names.get(ins[k + shift] as Tensor) ?? ownName(ins[k + shift] as Tensor);
      if (hole.label?.startsWith("captured") && name !== null) names.set(hole, name);
    });
    show(outputs, map, names);
    return new Body(
      inputs,
      outputs.map((out) => map.get(out) ?? out),
    );
  });
  const { body, ...rest } = node.params as { readonly body?: Body };
  const params = body ? { ...rest, body: bodies[0] } : { ...rest, branches: bodies };
  return apply(node.primitive as AnyPrimitive, ins, params);
}
