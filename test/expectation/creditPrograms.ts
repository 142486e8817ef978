import { Bernoulli, Categorical, sample } from "../../src/index.js";
import { apply, type Tensor } from "../../src/graph/tensor.js";
import { scatterAdd } from "../../src/primitives/indexing.js";
import { add, broadcastTo, concat, exp, log, matmul, mean, oneHot, reshape, slice, sqrt, stopGradient, sum, take, tanh, tensor, variance, where } from "../../src/index.js";
import { t64 } from "./exact.js";

/** Small programs whose value, gradient and variances are known by enumeration; numbers as printed, to eight digits. */
export interface CreditProgram {
  readonly name: string;
  readonly f: (params: never) => Tensor;
  readonly params: Readonly<Record<string, Tensor>>;
  /** Per site and leaf: who is charged with what. */
  readonly charged: readonly string[];
  readonly value: string;
  /** In the order of the parameters. */
  readonly gradient: string;
  /** Variance of one run without baseline: with credit / every site charged with everything. */
  readonly single: readonly [string, string];
  /** Mean of two runs with leave-one-out, likewise. */
  readonly pair: readonly [string, string];
}

type P = { theta: Tensor; phi: Tensor; w: Tensor };

const bits = (logits: Tensor, name = "a"): Tensor => sample(Bernoulli({ logits }), { name });
const q = (x: Tensor): Tensor => x.square();

export const linearPrograms: readonly CreditProgram[] = [
  {
    name: "bernoulliNet",
    f: ({ w }: P) => mean(q(bits(matmul(t64([[-0.53, -0.08], [-0.62, 0.48], [0.43, -0.77]]), w)).sub(t64([1, 0.3, -0.5])))),
    params: { w: t64([-0.53, -0.26]) },
    charged: ["a: s = n"],
    value: ".65720086",
    gradient: ".094376047, -.10595648",
    single: [".038311710", ".21570705"],
    pair: [".024282730", ".055515888"],
  },
  {
    name: "twoLayer",
    f: ({ w, phi }: P) => {
      const h = bits(matmul(t64([[-0.52, 0.46], [-0.51, 0.71]]), w), "h");
      const o = bits(matmul(h, phi), "o");
      return mean(q(o.sub(t64([0.8, 0.1])))).add(mean(sum(h, 1)).mul(0.1));
    },
    params: { w: t64([[-0.53, 0.1], [0.75, 0.56]]), phi: t64([-0.52, 0.28]) },
    charged: ["h: s0 = n0, s1 = n1; o: none", "h: s0 = n; o: s = n"],
    value: ".49326314",
    gradient: "-.010316329, -.013358504, .0090510925, .016667988, .019653015, .016973283",
    single: [".073499812", ".35092926"],
    pair: [".038515528", ".065452861"],
  },
  {
    name: "timeCumsum",
    f: ({ theta }: P) => sum(q(bits(theta).mul(2).sub(1).cumsum().sub(t64([1, 0, 2, 1])))),
    params: { theta: t64([-0.52, 0.65, 0.86, 0.78]) },
    charged: ["a: s ≤ n"],
    value: "12.938697",
    gradient: "-1.7546248, -2.3263850, -2.0969660, -.46117874",
    single: ["194.29023", "317.41987"],
    pair: ["92.356080", "128.89880"],
  },
  {
    name: "batchTime",
    f: ({ theta }: P) => {
      const a = bits(t64([[-0.52], [-0.81]]).mul(theta));
      return mean(sum(q(a.cumsum(1).sub(t64([[-0.52, -0.63, 0.33], [-0.92, -0.9, -0.8]]))), 1));
    },
    params: { theta: t64([-0.52, -0.99, -0.41]) },
    charged: ["a: s0 = n0, s1 ≤ n1"],
    value: "11.825602",
    gradient: "-1.7053169, -1.1411098, -.68630078",
    single: ["15.686353", "90.940665"],
    pair: ["5.7093218", "16.474116"],
  },
  {
    name: "mdp",
    f: ({ theta }: P) => {
      let s = t64([0.5, -0.5]);
      let total = t64(0);
      for (let t = 0; t < 3; t++) {
        const a = bits(theta.at(0).mul(s).add(theta.at(1)), `a${t}`);
        s = tanh(s.add(a.mul(2)).sub(1));
        total = total.add(sum(q(s.sub(0.3))).mul(0.9 ** t));
      }
      return total;
    },
    params: { theta: t64([-0.52, -0.45]) },
    charged: ["a0: s = n; a1: none; a2: none", "a0: s = n; a1: s = n; a2: none", "a0: s = n; a1: s = n; a2: s = n"],
    value: "3.5914847",
    gradient: ".61389321, -1.5188099",
    single: ["4.8156927", "35.929725"],
    pair: ["1.3539778", "6.3010441"],
  },
  {
    name: "reshapeKeep",
    f: ({ theta }: P) => {
      const c = reshape(q(reshape(bits(theta), [6]).sub(t64([-0.52, 0.28, -0.82, -0.55, -0.24, 0.67]))), [2, 3]);
      return mean(t64([1, 2]).mul(sum(c, 1)));
    },
    params: { theta: t64([[-0.52, 0.1, -0.19], [-0.63, 0.43, -0.82]]) },
    charged: ["a: s0 = n0, s1 = n1"],
    value: "3.9353982",
    gradient: ".23851011, .054862729, .32703958, .47616862, .35341033, -.072172563",
    single: ["1.1654067", "25.615303"],
    pair: [".59359504", "3.2179266"],
  },
  {
    name: "finiteDiff",
    f: ({ theta }: P) => {
      const a = bits(theta);
      return sum(q(slice(a, 1).sub(slice(a, 0, 3)).sub(t64([0.2, 0.5, -0.3]))));
    },
    params: { theta: t64([-0.5, -0.82, -0.91, 0.63]) },
    charged: ["a: s − n ∈ [0, 1]"],
    value: "2.0814121",
    gradient: ".18529401, .26978083, -.31032408, .23264246",
    single: ["1.3424741", "4.9094711"],
    pair: [".75728414", "1.5624265"],
  },
  {
    name: "sliceLoop",
    f: ({ theta }: P) => {
      const a = bits(theta);
      let [s, total] = [t64(0), t64(0)];
      [0.5, 1, 0.4].forEach((target, t) => {
        s = s.mul(0.8).add(a.at(t));
        total = total.add(q(s.sub(target)));
      });
      return total;
    },
    params: { theta: t64([-0.5, -0.28, -0.8]) },
    charged: ["a: s = 0", "a: s ≤ 1", "a: mixed"],
    value: "1.4302315",
    gradient: ".10902841, .11932284, .29347942",
    single: ["2.2023621", "2.8480161"],
    pair: [".93122880", ".93912232"],
  },
  {
    name: "revCumsum",
    f: ({ theta }: P) => sum(q(bits(theta).cumsum(-1, { reverse: true }).sub(t64([1.2, 0.5, 0.3])))),
    params: { theta: t64([-0.5, -0.82, 0.15]) },
    charged: ["a: s ≥ n"],
    value: "1.5799298",
    gradient: ".067302011, .31942743, .24316363",
    single: ["2.6050329", "3.8845976"],
    pair: ["1.2352664", "1.6645128"],
  },
  {
    name: "revCumsum as flips",
    f: ({ theta }: P) => sum(q(bits(theta).flip(0).cumsum().flip(0).sub(t64([1.2, 0.5, 0.3])))),
    params: { theta: t64([-0.5, -0.82, 0.15]) },
    charged: ["a: s ≥ n"],
    value: "1.5799298",
    gradient: ".067302011, .31942743, .24316363",
    single: ["2.6050329", "3.8845976"],
    pair: ["1.2352664", "1.6645128"],
  },
  {
    name: "conv as slices",
    f: ({ theta }: P) => {
      const a = bits(theta);
      const y = slice(a, 0, 3, { axis: 1 }).mul(0.5).sub(slice(a, 1, 4, { axis: 1 }));
      return mean(sum(q(y.sub(t64([[-0.5, -0.46, -0.17], [0.78, -0.25, -0.41]]))), 1));
    },
    params: { theta: t64([[-0.5, -0.64, 0.46, 0.7], [0.42, 0.1, -0.73, 0.91]]) },
    charged: ["a: s0 = n0, s1 − n1 ∈ [0, 1]"],
    value: "1.4632265",
    gradient: ".047559283, -.031709903, -.060900445, .0052086810, -.12622363, .26575032, -.0085560158, -.014855666",
    single: [".52063200", "4.7681805"],
    pair: [".22458812", ".84725659"],
  },
];

export const shapedPrograms: readonly CreditProgram[] = [
  {
    name: "batchNorm",
    f: ({ theta }: P) => {
      const h = bits(theta).add(t64([0.1, 0.5, -0.3]));
      const y = h.sub(mean(h)).div(sqrt(variance(h).add(0.1)));
      return mean(q(y.sub(t64([1, -1, 0.5]))));
    },
    params: { theta: t64([-0.52, -0.08, 0.44]) },
    charged: ["a: mixed"],
    value: "2.0062146",
    gradient: "-.22924809, .33641705, -.10628485",
    single: ["3.2031757", "3.2031757"],
    pair: [".55923423", ".55923423"],
  },
  {
    name: "reshapeMix",
    f: ({ theta }: P) => sum(q(sum(reshape(bits(theta), [3, 2]), 1).sub(t64([0.5, 1, -0.5])))),
    params: { theta: t64([[-0.52, 0.1, -0.19], [-0.63, 0.43, -0.82]]) },
    charged: ["a: mixed"],
    value: "3.5997054",
    gradient: ".24551538, .18596083, -.075560741, -.021476392, .62360861, .68176481",
    single: ["26.019744", "26.019744"],
    pair: ["7.1916925", "7.1916925"],
  },
  {
    name: "reshapeSplit",
    f: ({ theta }: P) => sum(q(reshape(bits(theta), [2, 2]).cumsum(1).sub(t64([[0.5, 1], [0.2, 1.5]])))),
    params: { theta: t64([-0.52, 0.46, 0.55, -0.48]) },
    charged: ["a: s div 2 = n0, s mod 2 ≤ n1"],
    value: "1.8437663",
    gradient: ".052852988, -.060325969, -.14743987, -.17278710",
    single: [".99593356", "3.9304738"],
    pair: [".39576674", ".67332010"],
  },
  {
    name: "gatherIdx",
    f: ({ theta, w }: P) => {
      const i = sample(Categorical({ logits: theta }), { name: "i" });
      return sum(t64([1, 2]).mul(q(take(w, i).sub(t64([0.3, -0.2])))));
    },
    params: { theta: t64([[-0.51, 0.64, -0.08], [-0.41, 0.43, -0.33]]), w: t64([-0.51, 0.82, -0.71]) },
    charged: ["i: s = n"],
    value: "1.8077586",
    gradient: ".020301810, -.14975806, .12945625, -.24435706, .42830543, -.18394837, -.56627790, 2.7247648, -1.0475084",
    single: ["7.4986862", "10.726738"],
    pair: ["3.8586013", "4.3634174"],
  },
  {
    name: "gatherTable",
    f: ({ theta, phi }: P) => {
      const w = bits(theta, "w");
      const i = sample(Categorical({ logits: phi }), { name: "i" });
      return sum(t64([1, 2, 3]).mul(q(take(w, broadcastTo(i, [3])).sub(t64([0.3, 0.6, -0.2])))));
    },
    params: { theta: t64([-0.51, -1, 0.66]), phi: t64([[-0.51, -0.81, 0.03]]) },
    charged: ["w: mixed; i: mixed"],
    value: "3.0024356",
    gradient: ".28482148, .17696746, .46834999, -.14366443, -.20206516, .34572959",
    single: ["15.635716", "15.635716"],
    pair: ["5.6375400", "5.6375400"],
  },
  {
    name: "catAxis",
    f: ({ theta }: P) => {
      const z = oneHot(sample(Categorical({ logits: theta }), { name: "z" }), 3, { dtype: "float64" });
      const row = sum(z.mul(t64([[-0.51, -0.45, 0.77], [-0.04, -0.91, -0.86]])), 1);
      return sum(q(row.add(t64([0.2, 0.7]))));
    },
    params: { theta: t64([[-0.51, -0.63, -0.6], [-0.11, -0.24, -0.35]]) },
    charged: ["z: s = n"],
    value: ".54668080",
    gradient: "-.094622093, -.094562077, .18918417, .093833998, -.046614198, -.047219800",
    single: [".17522646", ".58892842"],
    pair: [".13371626", ".26689649"],
  },
  {
    name: "scatter",
    f: ({ theta }: P) => {
      const rows = tensor([1, 0, 1], { dtype: "int32" });
      return sum(q(apply(scatterAdd, [bits(theta), rows], { batch: 0, size: 3 }).sub(0.5)));
    },
    params: { theta: t64([-0.49, -0.64, -0.48]) },
    charged: ["a: mixed"],
    value: "1.0404302",
    gradient: ".18009766, 0, .17941267",
    single: ["1.3364395", "1.3364395"],
    pair: [".40712320", ".40712320"],
  },
];

export const mixedPrograms: readonly CreditProgram[] = [
  {
    name: "sharedCost",
    f: ({ theta, phi }: P) => {
      const [a, g] = [bits(theta), bits(phi, "g")];
      const own = q(t64([1, 2, 3]).mul(a).add(g).sub(t64([0.5, 1, 2])));
      return mean(own.add(broadcastTo(q(g.sub(0.3)), [3])));
    },
    params: { theta: t64([-0.51, -0.27, 0.14]), phi: t64(-0.51) },
    charged: ["a: s = n; g: mixed", "a: none; g: mixed"],
    value: "1.6667027",
    gradient: ".058636081, .12281262, -.062098457, .22595856",
    single: ["1.3485511", "3.6265295"],
    pair: [".30545965", ".68151857"],
  },
  {
    name: "nonlinear",
    f: ({ theta }: P) => mean(log(mean(exp(t64([[-0.51, 0.27], [0.24, 0.26]]).mul(bits(theta))), 1))),
    params: { theta: t64([[-0.51, 0.09], [0.87, 0.19]]) },
    charged: ["a: s0 = n"],
    value: ".078766583",
    gradient: "-.024101086, .019516203, .012346005, .015789706",
    single: [".0036034337", ".0081269150"],
    pair: [".0029209816", ".0055965440"],
  },
  {
    name: "variancePenalty",
    f: ({ theta }: P) => {
      const c = t64([1, 2, -1]).mul(bits(theta));
      return mean(c).add(mean(q(c)).sub(q(mean(c))).mul(0.5));
    },
    params: { theta: t64([-0.51, 0.46, -0.39]) },
    charged: ["a: s = n", "a: s = n", "a: mixed"],
    value: ".77888048",
    gradient: ".082769385, .26509014, -.010666413",
    single: [".068803046", ".54632980"],
    pair: [".099262757", ".24619666"],
  },
  {
    name: "pathwise",
    f: ({ theta, w }: P) => {
      const x = theta.add(t64([0.3, -0.4]));
      return sum(t64([1, 2]).mul(q(bits(w.mul(x), "z").sub(x))));
    },
    params: { theta: t64([-0.51, 0.64]), w: t64(-0.51) },
    charged: ["z: s = n"],
    value: "1.3954999",
    gradient: "-1.6540307, -1.0498572, -.012169761",
    single: ["6.0982396", "7.4873694"],
    pair: ["2.5638918", "2.6148521"],
  },
  {
    name: "maskDep",
    f: ({ theta, phi }: P) => {
      const [a, b] = [bits(theta), bits(phi, "b")];
      return sum(where(a.greater(0.5), q(b.sub(t64([0.2, 0.9, 0.4]))), t64([0.3, 0.1, 0.8])));
    },
    params: { theta: t64([-0.5, 0.45, 0.68]), phi: t64([-0.5, 0.63, 0.05]) },
    charged: ["a: s = n; b: s = n"],
    value: ".94540703",
    gradient: "-.0078668900, .044700689, -.11996455, .053234075, -.11076847, .033166202",
    single: [".28381558", "1.6649939"],
    pair: [".10319681", ".29133912"],
  },
  {
    name: "stopGrad",
    f: ({ theta, w }: P) => sum(stopGradient(q(bits(theta).sub(t64([0.2, 0.7])))).mul(w)),
    params: { theta: t64([-0.5, 0.81]), w: t64([-0.5, 0.99]) },
    charged: ["a: s = n"],
    value: ".077762436",
    gradient: "-.070501114, -.084385200, .26652440, .21315620",
    single: [".15684686", ".14232486"],
    pair: [".074540351", ".086900370"],
  },
  {
    name: "sampledWeight",
    f: ({ theta, phi }: P) => {
      const w = bits(theta, "w");
      return w.add(0.5).mul(sum(q(bits(phi, "b").sub(t64([0.2, 0.9])))));
    },
    params: { theta: t64(-0.49), phi: t64([-0.49, -0.28]) },
    charged: ["w: mixed; b: none", "w: none; b: s = n"],
    value: ".64546627",
    gradient: ".17281108, .12436826, -.17257410",
    single: [".32915094", ".59511514"],
    pair: [".18337507", ".28813377"],
  },
  {
    name: "thetaCost",
    f: ({ theta }: P) => {
      const d = Bernoulli({ logits: theta });
      const z = sample(d, { name: "z" });
      return sum(add(d.logProb(z), t64([0.4, -0.6, 0.2]).mul(z)));
    },
    params: { theta: t64([-0.5, 1, -0.28]) },
    charged: ["z: s = n"],
    value: "-2.1300209",
    gradient: "-.023500371, .078644773, -.019613066",
    single: [".096423657", ".98923126"],
    pair: [".30412923", ".32094970"],
  },
];

export const creditPrograms: readonly CreditProgram[] = [...linearPrograms, ...shapedPrograms, ...mixedPrograms];

/** The costs of a program, unrelated sites included: two sums that share nothing. */
export function separate(theta: Tensor): Tensor {
  return concat([q(bits(theta, "a")), q(bits(theta, "b"))]).sum();
}
