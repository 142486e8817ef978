import { accumulated, type Flow } from "../control/flow.js";
import { isConstant } from "../graph/body.js";
import { placeholder, type Tensor } from "../graph/tensor.js";
import { again, substitute } from "../graph/walk.js";
import { broadcastTo, minus, plus, reshapeTo, sumOver } from "../primitives/linear.js";
import { batchAll } from "../transforms/vmap.js";
import { type Weight, weighted } from "./charge.js";
import type { Plan } from "./choose.js";
import { type Credit, termsOf } from "./credit/credit.js";
import type { Program } from "./program.js";
import { guardedInput, type Rebuilt } from "./rebuild.js";

/** The loss with every cost array weighted by the sites that may influence it. */
export function rebuildCosts(
  program: Program,
  plan: Plan,
  { map, lifted }: Rebuilt,
  weights: ReadonlyMap<Tensor, Weight>,
): Tensor {
  const { credit } = plan;
  const { flow } = credit;
  const charged = new Map<Tensor, Tensor>();
  const seen = (node: Tensor): Tensor =>
    flow.home(node) === null ? (map.get(node) ?? node) : (lifted.get(node) as Tensor);
  for (const leaf of credit.leaves) charged.set(leaf, weighted(seen(leaf), leaf, credit, weights));
  for (const node of [...credit.opened].sort((a, b) => a.id - b.id))
    charged.set(node, overTerms(node, plan, charged, seen));
  return charged.get(program.loss) ?? seen(program.loss);
}

/** What `rebuildCosts` needs to see of the insides of loops: costs, and what they are multiplied with. */
export function visibleOf(credit: Credit): Set<Tensor> {
  const { flow, leaves, opened } = credit;
  const out = new Set(leaves.filter((leaf) => flow.home(leaf) !== null));
  for (const node of opened) {
    const sum = accumulated(flow, node);
    const plain = flow.home(node) !== null && flow.role(node) === "plain";
    for (const input of sum !== null ? [sum.first, sum.terms] : plain ? node.inputs : []) {
      const at = source(flow, input);
      if (!opened.has(at) && !isConstant(at) && flow.home(at) !== null) out.add(at);
    }
  }
  return out;
}

/** An operand where it is computed: a constant of a loop is outside of it. */
function source(flow: Flow, node: Tensor): Tensor {
  let at = node;
  for (let role = flow.role(at); role === "constant"; role = flow.role(at)) at = flow.access(at).inputs[0] as Tensor;
  return at;
}

function overTerms(
  node: Tensor,
  plan: Plan,
  charged: ReadonlyMap<Tensor, Tensor>,
  seen: (node: Tensor) => Tensor,
): Tensor {
  const { flow } = plan.credit;
  const become = (input: Tensor): Tensor => charged.get(input) ?? seen(input);
  const operandOf = (input: Tensor): Operand => {
    const at = charged.has(input) ? input : source(flow, input);
    return isConstant(at) ? { value: at, depth: 0 } : { value: become(at), depth: flow.times(at).length };
  };
  const sum = accumulated(flow, node);
  if (sum !== null) {
    const times = flow.times(node);
    const first = everyStep(times, operandOf(sum.first));
    const terms = sumOver(everyStep([...times, sum.length], operandOf(sum.terms)), [times.length]);
    return sum.negative ? minus(first, terms) : plus(first, terms);
  }
  if (flow.role(node) !== "plain") return become(termsOf(flow, node).inputs[0] as Tensor);
  if (flow.home(node) === null)
    return again(
      node,
      node.inputs.map((input, k) => guardedInput(node, k, become(input), plan)),
    );
  return ofAllSteps(node, plan, operandOf);
}

/** What an operand is of all steps: [...the outermost `depth` of the loops around, ...shape]. */
interface Operand {
  readonly value: Tensor;
  readonly depth: number;
}

/** An operand of less depth, repeated at every step of loops of these lengths. */
function everyStep(times: readonly number[], { value, depth }: Operand): Tensor {
  if (depth === times.length) return value;
  const [outer, inner] = [value.shape.slice(0, depth), value.shape.slice(depth)];
  const spread = reshapeTo(value, [...outer, ...times.slice(depth).map(() => 1), ...inner]);
  return broadcastTo(spread, [...times, ...inner]);
}

/** An operation inside loops for all steps at once: batched over time, loop by loop, for the operands that have it. */
function ofAllSteps(node: Tensor, plan: Plan, operand: (input: Tensor) => Operand): Tensor {
  const times = plan.credit.flow.times(node);
  const operands = node.inputs.map(operand);
  let holes = node.inputs.map((input) => placeholder(input, "operand"));
  let out = again(
    node,
    holes.map((hole, k) => guardedInput(node, k, hole, plan)),
  );
  for (let d = times.length; d > 0; d--) {
    const size = times[d - 1] as number;
    const wide = holes.map((hole, k) =>
      (operands[k] as Operand).depth >= d
        ? placeholder({ shape: [size, ...hole.shape], dtype: hole.dtype }, "operand")
        : hole,
    );
    const changed = holes.flatMap((hole, k) => (wide[k] === hole ? [] : [k]));
    [out] = batchAll(
      [out],
      changed.map((k) => holes[k] as Tensor),
      changed.map((k) => wide[k] as Tensor),
      size,
    ) as [Tensor];
    holes = wide;
  }
  return substitute([out], new Map(holes.map((hole, k) => [hole, (operands[k] as Operand).value])))
    .outputs[0] as Tensor;
}
