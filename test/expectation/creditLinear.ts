import { matmul, mean, reshape, slice, sum, tanh } from "../../src/index.js";
import { bits, type CreditProgram, type P, q } from "./creditProgram.js";
import { t64 } from "./exact.js";

/** Sums, shifts and time: costs that keep an axis, or run along it. */
export const linearPrograms: readonly CreditProgram[] = [
  {
    name: "bernoulliNet",
    f: ({ w }: P) =>
      mean(
        q(
          bits(
            matmul(
              t64([
                [-0.53, -0.08],
                [-0.62, 0.48],
                [0.43, -0.77],
              ]),
              w,
            ),
          ).sub(t64([1, 0.3, -0.5])),
        ),
      ),
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
      const h = bits(
        matmul(
          t64([
            [-0.52, 0.46],
            [-0.51, 0.71],
          ]),
          w,
        ),
        "h",
      );
      const o = bits(matmul(h, phi), "o");
      return mean(q(o.sub(t64([0.8, 0.1])))).add(mean(sum(h, 1)).mul(0.1));
    },
    params: {
      w: t64([
        [-0.53, 0.1],
        [0.75, 0.56],
      ]),
      phi: t64([-0.52, 0.28]),
    },
    charged: ["h: s0 = n0, s1 = n1; o: none", "h: s0 = n; o: s = n"],
    value: ".49326314",
    gradient: "-.010316329, -.013358504, .0090510925, .016667988, .019653015, .016973283",
    single: [".073499812", ".35092926"],
    pair: [".038515528", ".065452861"],
  },
  {
    name: "timeCumsum",
    f: ({ theta }: P) =>
      sum(
        q(
          bits(theta)
            .mul(2)
            .sub(1)
            .cumsum()
            .sub(t64([1, 0, 2, 1])),
        ),
      ),
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
      return mean(
        sum(
          q(
            a.cumsum(1).sub(
              t64([
                [-0.52, -0.63, 0.33],
                [-0.92, -0.9, -0.8],
              ]),
            ),
          ),
          1,
        ),
      );
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
    params: {
      theta: t64([
        [-0.52, 0.1, -0.19],
        [-0.63, 0.43, -0.82],
      ]),
    },
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
      return sum(
        q(
          slice(a, 1)
            .sub(slice(a, 0, 3))
            .sub(t64([0.2, 0.5, -0.3])),
        ),
      );
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
    f: ({ theta }: P) =>
      sum(
        q(
          bits(theta)
            .cumsum(-1, { reverse: true })
            .sub(t64([1.2, 0.5, 0.3])),
        ),
      ),
    params: { theta: t64([-0.5, -0.82, 0.15]) },
    charged: ["a: s ≥ n"],
    value: "1.5799298",
    gradient: ".067302011, .31942743, .24316363",
    single: ["2.6050329", "3.8845976"],
    pair: ["1.2352664", "1.6645128"],
  },
  {
    name: "revCumsum as flips",
    f: ({ theta }: P) =>
      sum(
        q(
          bits(theta)
            .flip(0)
            .cumsum()
            .flip(0)
            .sub(t64([1.2, 0.5, 0.3])),
        ),
      ),
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
      const y = slice(a, 0, 3, { axis: 1 })
        .mul(0.5)
        .sub(slice(a, 1, 4, { axis: 1 }));
      return mean(
        sum(
          q(
            y.sub(
              t64([
                [-0.5, -0.46, -0.17],
                [0.78, -0.25, -0.41],
              ]),
            ),
          ),
          1,
        ),
      );
    },
    params: {
      theta: t64([
        [-0.5, -0.64, 0.46, 0.7],
        [0.42, 0.1, -0.73, 0.91],
      ]),
    },
    charged: ["a: s0 = n0, s1 − n1 ∈ [0, 1]"],
    value: "1.4632265",
    gradient: ".047559283, -.031709903, -.060900445, .0052086810, -.12622363, .26575032, -.0085560158, -.014855666",
    single: [".52063200", "4.7681805"],
    pair: [".22458812", ".84725659"],
  },
];
