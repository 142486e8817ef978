import { readFileSync } from "node:fs";
import type { Distribution } from "../../src/distributions/distribution.js";
import type { Tensor } from "../../src/graph/tensor.js";
import {
  Bernoulli,
  Categorical,
  exp,
  matmul,
  Normal,
  sample,
  sigmoid,
  sin,
  square,
  sum,
  take,
} from "../../src/index.js";
import { t64 } from "./exact.js";
import { scan } from "./unrolled.js";

/** The graphs of test/reference/scg.json as programs. */
type Nested = number | readonly Nested[];

export interface Graph {
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: one shape per kind, see the README beside the data
  readonly spec: any;
  readonly params: Readonly<Record<string, Nested>>;
  readonly expected_loss: number;
  readonly grad: Readonly<Record<string, Nested>>;
  readonly hessian?: { readonly order: readonly string[]; readonly matrix: readonly (readonly number[])[] };
}

export const graphs: readonly Graph[] = JSON.parse(
  readFileSync(new URL("../reference/scg.json", import.meta.url), "utf8"),
).graphs;

export interface GraphProgram {
  readonly graph: Graph;
  readonly f: (params: never) => Tensor;
  readonly params: Readonly<Record<string, Tensor>>;
  /** Its finite sites. */
  readonly sites: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: parameters by name
type P = any;
type Build = (spec: Graph["spec"]) => { f: (params: P) => Tensor; sites: string[] };

const bits = (logits: Tensor, name: string): Tensor => sample(Bernoulli({ logits }), { name });
const index = (logits: Tensor, name: string): Tensor => sample(Categorical({ logits }), { name });
const steps = (n: number): number[] => Array.from({ length: n }, (_, t) => t);

const kinds: Readonly<Record<string, Build>> = {
  seed_network: ({ x, y }) => ({
    f: ({ W0, W1, W2 }) => {
      const a = sample(Bernoulli({ probs: sigmoid(matmul(W1, sigmoid(matmul(W0, t64(x))))) }), { name: "a" });
      return sum(square(t64(y).sub(matmul(W2, a)))).mul(0.5);
    },
    sites: ["a"],
  }),
  two_layer_bernoulli: ({ c }) => ({
    f: ({ eta, W, b, v, u }) => {
      const a = bits(eta, "a");
      const z = bits(matmul(W, a).add(b), "z");
      return square(
        sum(v.mul(z))
          .add(sum(u.mul(a)))
          .sub(c),
      );
    },
    sites: ["a", "z"],
  }),
  categorical_normal: ({ g, t, c }) => ({
    f: ({ logits, mu, log_sigma }) => {
      const z = index(logits, "z");
      const x = sample(Normal({ loc: take(mu, z), scale: exp(take(log_sigma, z)) }), { name: "x" });
      return costOf(g, t, x).add(take(t64(c), z));
    },
    sites: ["z"],
  }),
  mdp: ({ p0, T, r, horizon, gamma }) => ({
    f: ({ theta }) => {
      let s = sample(Categorical({ probs: t64(p0) }), { name: "s0" });
      let total = t64(0);
      for (const h of steps(horizon)) {
        const a = index(take(theta, s), `a${h}`);
        total = total.add(take(take(t64(r), s), a).mul(gamma ** h));
        if (h + 1 < horizon) s = sample(Categorical({ probs: take(take(t64(T), s), a) }), { name: `s${h + 1}` });
      }
      return total;
    },
    sites: steps(horizon).flatMap((h) => [`s${h}`, `a${h}`]),
  }),
  hmm_elbo: ({ obs, T }) => ({
    f: ({ init_logits, trans_logits, mu, q_init_logits, q_trans_logits }) => {
      let [q, p] = [Categorical({ logits: q_init_logits }), Categorical({ logits: init_logits })];
      let total = t64(0);
      for (const t of steps(T)) {
        const z = sample(q, { name: `z${t}` });
        const x = Normal({ loc: take(mu, z), scale: t64(1) });
        total = total.add(p.logProb(z)).add(x.logProb(obs[t])).sub(q.logProb(z));
        if (t + 1 < T)
          [q, p] = [
            Categorical({ logits: take(q_trans_logits.at(t), z) }),
            Categorical({ logits: take(trans_logits, z) }),
          ];
      }
      return total;
    },
    sites: steps(T).map((t) => `z${t}`),
  }),
  chain_pathcost: ({ cost, target, T }) => ({
    f: ({ init_logits, trans_logits }) => {
      let [logits, total] = [init_logits, t64(0)];
      for (const t of steps(T)) {
        const z = index(logits, `z${t}`);
        total = total.add(take(t64(cost[t]), z));
        logits = take(trans_logits, z);
      }
      return square(total.sub(target));
    },
    sites: steps(T).map((t) => `z${t}`),
  }),
  /** The index of a mixture alone. */
  index: () => ({ f: ({ logits }) => index(logits, "z"), sites: ["z"] }),
  rebar_toy: ({ t }) => ({ f: ({ eta }) => square(bits(eta, "b").sub(t)), sites: ["b"] }),
  rebar_toy_vector: ({ t }) => ({ f: ({ eta }) => sum(square(bits(eta, "b").sub(t64(t)))), sites: ["b"] }),
};

/** The chains again, their steps from the second on a scan. */
const loops: Readonly<Record<string, Build>> = {
  mdp: ({ p0, T, r, horizon, gamma }) => ({
    f: ({ theta }) => {
      const s0 = sample(Categorical({ probs: t64(p0) }), { name: "s0" });
      const a0 = index(take(theta, s0), "a0");
      const reward = (s: Tensor, a: Tensor): Tensor => take(take(t64(r), s), a);
      const [, rewards] = scan(
        ([before, action], discount) => {
          const s = sample(Categorical({ probs: take(take(t64(T), before), action) }), { name: "s" });
          const a = index(take(theta, s), "a");
          return [[s, a], reward(s, a).mul(discount)];
        },
        [s0, a0],
        t64(steps(horizon - 1).map((h) => gamma ** (h + 1))).reshape([horizon - 1]),
      );
      return reward(s0, a0).add(sum(rewards));
    },
    sites: ["s0", "a0", "s", "a"],
  }),
  hmm_elbo: ({ obs, T }) => ({
    f: ({ init_logits, trans_logits, mu, q_init_logits, q_trans_logits }) => {
      const step = (q: Distribution<"logProb">, p: Distribution<"logProb">, x: Tensor, name: string) => {
        const z = sample(q, { name });
        const seen = Normal({ loc: take(mu, z), scale: t64(1) }).logProb(x);
        return [z, p.logProb(z).add(seen).sub(q.logProb(z))] as const;
      };
      const first = [Categorical({ logits: q_init_logits }), Categorical({ logits: init_logits })] as const;
      const [z0, start] = step(...first, t64(obs[0]), "z0");
      const [[, total]] = scan(
        ([before, sum], { x, table }) => {
          const q = Categorical({ logits: take(table, before) });
          const [z, term] = step(q, Categorical({ logits: take(trans_logits, before) }), x, "z");
          return [[z, sum.add(term)], null];
        },
        [z0, start],
        { x: t64(obs.slice(1, T)).reshape([T - 1]), table: q_trans_logits },
      );
      return total;
    },
    sites: ["z0", "z"],
  }),
  chain_pathcost: ({ cost, target, T }) => ({
    f: ({ init_logits, trans_logits }) => {
      const z0 = index(init_logits, "z0");
      const [[, total]] = scan(
        ([before, sum], row) => {
          const z = index(take(trans_logits, before), "z");
          return [[z, sum.add(take(row, z))], null];
        },
        [z0, take(t64(cost[0]), z0)],
        t64(cost.slice(1, T)).reshape([T - 1, cost[0].length]),
      );
      return square(total.sub(target));
    },
    sites: ["z0", "z"],
  }),
};

function costOf(g: string, t: number, x: Tensor): Tensor {
  if (g === "square") return square(x.sub(t));
  return g === "sin" ? sin(x) : exp(square(x.sub(t)).neg());
}

/** The graphs that are chains. */
export const chains: readonly Graph[] = graphs.filter(({ spec }) => spec.kind in loops);

export function programOf(graph: Graph, looped = false): GraphProgram {
  const build = (looped ? loops : kinds)[graph.spec.kind] as Build;
  const params = Object.fromEntries(Object.entries(graph.params).map(([name, x]) => [name, t64(x as number)]));
  return { graph, params, ...build(graph.spec) };
}

/** Every number of a tree of arrays, in the order of the parameters. */
export function flatten(tree: Graph["grad"], params: Graph["params"]): number[] {
  return Object.keys(params).flatMap((name) => [tree[name]].flat(9) as number[]);
}
