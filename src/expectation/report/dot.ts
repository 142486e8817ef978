import { isFloat } from "../../base/dtype.js";
import { Flow } from "../../control/flow.js";
import { toDot } from "../../graph/dot.js";
import { smoothnessAt } from "../../graph/smooth.js";
import type { Tensor } from "../../graph/tensor.js";
import type { Choice } from "../choose.js";
import { dependents, siteParams } from "../differentiability.js";
import { displayOf } from "./display.js";
import { typeName } from "./numbers.js";
import { operation } from "./sites.js";
import type { Opened, ReportOptions } from "./subject.js";

/** The program as a drawing: random choices, costs, and where the derivative ends. */
export function drawGraph(opened: Opened<ReportOptions>): string {
  const { program, plan } = opened;
  const { loss, shown, names } = displayOf(opened);
  const leaves = plan.credit.leaves.length > 0 ? plan.credit.leaves : [program.loss];
  const costs = new Map(
    leaves.map((leaf, i) => [shown(leaf), `leaf ${i + 1}\n${operation(leaf, names)}\n${typeName(leaf)}`]),
  );
  const sites = new Map([...plan.choices].map(([site, choice]) => [shown(site), siteLabel(site, choice)]));
  const weighted = program.sites.filter((site) => plan.choices.get(site)?.estimator.rest !== "differentiate");
  const parameters = program.holes.slice(0, program.parameters).filter((hole) => isFloat(hole.dtype));
  const live = new Set([...dependents(program, parameters, new Set(weighted))].map(shown));
  const drawn = new Set(weighted.map(shown));
  const flow = new Flow([loss]);
  return toDot([loss], {
    names,
    inputs: (node) => (isOfLoop(flow, node) ? flow.access(node).inputs : node.inputs),
    home: (node) => flow.home(node),
    describe: (node) => {
      const site = sites.get(node);
      if (site !== undefined) return { label: site, shape: "ellipse", fill: "lightblue" };
      const cost = costs.get(node);
      if (cost === undefined && flow.role(node) === "final") return { label: `the last carry\n${typeName(node)}` };
      if (cost === undefined && flow.role(node) === "stacked") return { label: `all steps\n${typeName(node)}` };
      return cost === undefined ? null : { label: cost, shape: "diamond", fill: "lightyellow" };
    },
    edge: (input, node, k) => {
      if (flow.role(node) === "carry" && input.id > node.id)
        return { style: "dotted", label: "next step", constraint: "false" };
      if (isOfLoop(flow, node)) return null;
      const ends = drawn.has(node) || (node.primitive !== null && smoothnessAt(node, k) === "jump");
      return ends && carries(input, live, drawn) ? { style: "dashed", color: "red" } : null;
    },
  });
}

/** An input or a result of a loop: drawn where its numbers come from. */
function isOfLoop(flow: Flow, node: Tensor): boolean {
  const role = flow.role(node);
  return role !== "plain" && role !== "part";
}

/** Whether a derivative would come through here, if the next node passed it on. */
function carries(node: Tensor, live: ReadonlySet<Tensor>, drawn: ReadonlySet<Tensor>): boolean {
  return live.has(node) && !drawn.has(node) && isFloat(node.dtype);
}

function siteLabel(site: Tensor, { estimator }: Choice): string {
  const { name, family } = siteParams(site);
  return `${name} ~ ${family.name}\n${typeName(site)}\n${estimator.name}`;
}
