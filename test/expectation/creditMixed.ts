import { add, Bernoulli, broadcastTo, exp, log, mean, sample, stopGradient, sum, where } from "../../src/index.js";
import { bits, type CreditProgram, type P, q } from "./creditProgram.js";
import { t64 } from "./exact.js";

/** Several sites, costs that share them, and costs that hold parameters. */
export const mixedPrograms: readonly CreditProgram[] = [
  {
    name: "sharedCost",
    f: ({ theta, phi }: P) => {
      const [a, g] = [bits(theta), bits(phi, "g")];
      const own = q(
        t64([1, 2, 3])
          .mul(a)
          .add(g)
          .sub(t64([0.5, 1, 2])),
      );
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
    f: ({ theta }: P) =>
      mean(
        log(
          mean(
            exp(
              t64([
                [-0.51, 0.27],
                [0.24, 0.26],
              ]).mul(bits(theta)),
            ),
            1,
          ),
        ),
      ),
    params: {
      theta: t64([
        [-0.51, 0.09],
        [0.87, 0.19],
      ]),
    },
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
      return mean(c).add(
        mean(q(c))
          .sub(q(mean(c)))
          .mul(0.5),
      );
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
