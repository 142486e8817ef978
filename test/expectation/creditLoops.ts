import { flip, sum, tanh } from "../../src/index.js";
import { bits, type CreditProgram, type P, q } from "./creditProgram.js";
import { t64 } from "./exact.js";
import { scan } from "./unrolled.js";

/** Costs of a scan: what a step sees of the choices before it. */
const mdp = {
  params: { theta: t64([-0.52, -0.45]) },
  value: "3.5914847",
  gradient: ".61389321, -1.5188099",
  single: ["4.8156927", "35.929725"],
  pair: ["1.3539778", "6.3010441"],
} as const;

export const loopPrograms: readonly CreditProgram[] = [
  {
    ...mdp,
    name: "mdp, the costs stacked",
    f: ({ theta }: P) => {
      const [, costs] = scan(
        (s, discount) => {
          const a = bits(theta.at(0).mul(s).add(theta.at(1)));
          const next = tanh(s.add(a.mul(2)).sub(1));
          return [next, q(next.sub(0.3)).mul(discount)];
        },
        t64([0.5, -0.5]),
        t64([1, 0.9, 0.81]),
      );
      return sum(costs);
    },
    charged: ["a: s0 ≤ n0, s1 = n1"],
  },
  {
    ...mdp,
    name: "mdp, the costs added up in the carry",
    f: ({ theta }: P) => {
      const [{ total }] = scan(
        ({ s, total }, _x, t) => {
          const a = bits(theta.at(0).mul(s).add(theta.at(1)));
          const next = tanh(s.add(a.mul(2)).sub(1));
          const discount = t64(0.9).pow(t.toDType("float64"));
          return [{ s: next, total: total.add(sum(q(next.sub(0.3))).mul(discount)) }, null];
        },
        { s: t64([0.5, -0.5]), total: t64(0) },
        null,
        { length: 3 },
      );
      return total;
    },
    charged: ["a: s0 ≤ n0, s1 = n1"],
  },
  {
    name: "replay",
    f: ({ theta }: P) => {
      const [, costs] = scan((c, a) => [c.mul(0.7).add(a).sub(0.4), q(c.sub(0.5))], t64(0.2), bits(theta));
      return sum(costs);
    },
    params: { theta: t64([-0.52, -0.27, -0.93, -0.78]) },
    charged: ["a: s ≤ n − 1"],
    value: "1.6539723",
    gradient: "-.32868601, -.32663474, -.13051870, 0",
    single: [".91644275", "2.6633759"],
    pair: [".62979965", "1.1406357"],
  },
  {
    name: "delay",
    f: ({ theta }: P) => {
      const [, costs] = scan(([c1, c2], a) => [[a, c1], q(c2.sub(0.4))], [t64(0), t64(0)], bits(theta));
      return sum(t64([1, 2, 3, 4]).mul(costs));
    },
    params: { theta: t64([-0.49, 0.63, -0.89, 0.04]) },
    charged: ["a: s = n − 2"],
    value: "2.3499277",
    gradient: ".14134467, .18139757, 0, 0",
    single: [".36211869", "5.1488605"],
    pair: [".062079035", ".22040147"],
  },
  {
    name: "rollScan",
    f: ({ theta }: P) => {
      const [, costs] = scan(
        (s, weight) => {
          const a = bits(sum(s.expandDims(1).mul(theta), 0));
          const next = flip(s, 0).add(a).sub(0.5);
          return [next, q(next.sub(0.3)).mul(weight)];
        },
        t64([0.5, -0.5]),
        t64([1, 0.7]),
      );
      return sum(costs);
    },
    params: {
      theta: t64([
        [-0.49, 0.81],
        [0.48, 0.11],
      ]),
    },
    charged: ["a: s0 ≤ n0"],
    value: "3.0293877",
    gradient: "-.41020960, .35005677, .48725495, -.27422993",
    single: ["4.3193453", "9.6713172"],
    pair: ["1.4400658", "2.3201823"],
  },
  {
    name: "initScan",
    f: ({ theta, phi }: P) => {
      const a = bits(theta);
      const [, costs] = scan(
        (s, now) => {
          const b = bits(phi.mul(s), "b");
          const next = tanh(s.add(now).sub(b));
          return [next, q(next.sub(0.2))];
        },
        a.at(2),
        a,
      );
      return sum(costs);
    },
    params: { theta: t64([-0.49, 0.99, -0.15]), phi: t64(-0.49) },
    charged: ["a: mixed; b: s ≤ n"],
    value: "1.1600623",
    gradient: "-.048081784, -.053595674, -.062870679, -.15175528",
    single: ["1.5922938", "1.9612181"],
    pair: [".49457523", ".57769664"],
  },
];
