import { fail } from "../base/errors.js";
import type { Plan } from "./choose.js";
import { open, type ReportOptions, type Subject } from "./report/subject.js";

/** The papers that estimators name in `cites`, as BibTeX. */
const entries: Readonly<Record<string, string>> = {
  kingma2014vae: `@inproceedings{kingma2014vae,
  author = {Kingma, Diederik P. and Welling, Max},
  title = {Auto-Encoding Variational {B}ayes},
  booktitle = {International Conference on Learning Representations},
  year = {2014},
  eprint = {1312.6114},
  archivePrefix = {arXiv}
}`,
  rezende2014stochastic: `@inproceedings{rezende2014stochastic,
  author = {Rezende, Danilo Jimenez and Mohamed, Shakir and Wierstra, Daan},
  title = {Stochastic Backpropagation and Approximate Inference in Deep Generative Models},
  booktitle = {Proceedings of the 31st International Conference on Machine Learning},
  series = {PMLR},
  volume = {32},
  pages = {1278--1286},
  year = {2014}
}`,
  williams1992: `@article{williams1992,
  author = {Williams, Ronald J.},
  title = {Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning},
  journal = {Machine Learning},
  volume = {8},
  pages = {229--256},
  year = {1992}
}`,
  foerster2018dice: `@inproceedings{foerster2018dice,
  author = {Foerster, Jakob and Farquhar, Gregory and Al-Shedivat, Maruan and Rockt{\\"a}schel, Tim and Xing, Eric P. and Whiteson, Shimon},
  title = {{DiCE}: The Infinitely Differentiable {M}onte {C}arlo Estimator},
  booktitle = {Proceedings of the 35th International Conference on Machine Learning},
  series = {PMLR},
  volume = {80},
  pages = {1529--1538},
  year = {2018}
}`,
  kool2019buy4: `@inproceedings{kool2019buy4,
  author = {Kool, Wouter and van Hoof, Herke and Welling, Max},
  title = {Buy 4 {REINFORCE} Samples, Get a Baseline for Free!},
  booktitle = {ICLR Workshop on Deep Reinforcement Learning Meets Structured Prediction},
  year = {2019}
}`,
  titsias2015local: `@inproceedings{titsias2015local,
  author = {Titsias, Michalis K. and L{\\'a}zaro-Gredilla, Miguel},
  title = {Local Expectation Gradients for Black Box Variational Inference},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {28},
  year = {2015}
}`,
  schulman2015scg: `@inproceedings{schulman2015scg,
  author = {Schulman, John and Heess, Nicolas and Weber, Theophane and Abbeel, Pieter},
  title = {Gradient Estimation Using Stochastic Computation Graphs},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {28},
  year = {2015}
}`,
};

/** BibTeX entries of papers by key, in the order given. @throws on a key without an entry */
export function bibtex(keys: readonly string[]): string {
  return keys
    .map((key) => {
      const entry = Object.hasOwn(entries, key) ? entries[key] : undefined;
      return (
        entry ??
        fail({
          where: "cite",
          got: `the paper "${key}"`,
          expected: "one with an entry",
          write: "add it to expectation/cite.ts",
        })
      );
    })
    .join("\n\n");
}

/** The papers a planned program rests on: those of its estimators, and the one that puts many random choices in one graph. */
export function citesOf({ choices }: Plan): string[] {
  const own = [...choices.values()].flatMap(({ estimator }) => estimator.cites);
  return own.length === 0 ? [] : [...new Set([...own, "schulman2015scg"])];
}

/**
 * BibTeX of the papers an expectation rests on at these arguments.
 * @param E an expectation
 * @param args its parameters and data
 */
export function cite(E: Subject, ...args: readonly unknown[]): string {
  return bibtex(citesOf(open<ReportOptions>("cite", E, args, ["given"]).plan));
}
