import { apply } from "../../src/graph/tensor.js";
import {
  broadcastTo,
  Categorical,
  mean,
  oneHot,
  reshape,
  sample,
  sqrt,
  sum,
  take,
  tensor,
  variance,
} from "../../src/index.js";
import { scatterAdd } from "../../src/primitives/indexing.js";
import { bits, type CreditProgram, type P, q } from "./creditProgram.js";
import { t64 } from "./exact.js";

/** Reshaping, indexing, and statistics of a batch. */
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
    params: {
      theta: t64([
        [-0.52, 0.1, -0.19],
        [-0.63, 0.43, -0.82],
      ]),
    },
    charged: ["a: mixed"],
    value: "3.5997054",
    gradient: ".24551538, .18596083, -.075560741, -.021476392, .62360861, .68176481",
    single: ["26.019744", "26.019744"],
    pair: ["7.1916925", "7.1916925"],
  },
  {
    name: "reshapeSplit",
    f: ({ theta }: P) =>
      sum(
        q(
          reshape(bits(theta), [2, 2])
            .cumsum(1)
            .sub(
              t64([
                [0.5, 1],
                [0.2, 1.5],
              ]),
            ),
        ),
      ),
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
    params: {
      theta: t64([
        [-0.51, 0.64, -0.08],
        [-0.41, 0.43, -0.33],
      ]),
      w: t64([-0.51, 0.82, -0.71]),
    },
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
      const row = sum(
        z.mul(
          t64([
            [-0.51, -0.45, 0.77],
            [-0.04, -0.91, -0.86],
          ]),
        ),
        1,
      );
      return sum(q(row.add(t64([0.2, 0.7]))));
    },
    params: {
      theta: t64([
        [-0.51, -0.63, -0.6],
        [-0.11, -0.24, -0.35],
      ]),
    },
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
