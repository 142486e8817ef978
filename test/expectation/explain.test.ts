import { describe, expect, it } from "vitest";
import { estimators } from "../../src/estimators/index.js";
import {
  Bernoulli,
  bibtex,
  Categorical,
  cite,
  expectation,
  floor,
  matmul,
  Normal,
  observe,
  sample,
  scoreFunction,
  sigmoid,
  square,
  type Tensor,
  tensor,
  Uniform,
} from "../../src/index.js";

const f64 = (data: number[] | number[][]): Tensor => tensor(data, { dtype: "float64" });
const flat = (t: Tensor): number[] => [t.toArray()].flat(2) as number[];

type Params = { W0: Tensor; W1: Tensor; W2: Tensor };
type Data = { x: Tensor; y: Tensor };

/** The talk's stochastic computation graph, every node named. */
const talk = ({ W0, W1, W2 }: Params, { x, y }: Data): Tensor => {
  const z0 = matmul(W0, x).named("z0");
  const a0 = sigmoid(z0).named("a0");
  const z1 = matmul(W1, a0).named("z1");
  const theta = sigmoid(z1).named("theta");
  const a = sample(Bernoulli({ probs: theta }), { name: "a" });
  const a2 = matmul(W2, a).named("a2");
  return square(y.sub(a2)).mul(0.5).sum();
};
const W0 = [
  [-0.93, -0.213],
  [1.112, 0.424],
];
const W1 = [
  [1.037, 0.249],
  [0.395, 0.185],
];
const W2 = [
  [-1.666, 0.855],
  [0.506, 0.499],
];
const [x, y] = [
  [-0.256, 0.511],
  [-0.226, -0.315],
];
const params = { W0: f64(W0), W1: f64(W1), W2: f64(W2) };
const data = { x: f64(x as number[]), y: f64(y as number[]) };

/** By hand: δ(θ) from the four outcomes, then the talk's equations (1) and (2) upstream. */
function byHand(): Record<string, number[]> {
  const s = (z: number): number => 1 / (1 + Math.exp(-z));
  const times = (W: number[][], v: number[]): number[] =>
    W.map((row) => row.reduce((sum, w, i) => sum + w * (v[i] as number), 0));
  const transposed = (W: number[][]): number[][] => [0, 1].map((i) => W.map((row) => row[i] as number));
  const z0 = times(W0, x as number[]);
  const a0 = z0.map(s);
  const z1 = times(W1, a0);
  const theta = z1.map(s);
  const [dTheta, da2] = [
    [0, 0],
    [0, 0],
  ];
  for (const a of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]) {
    const residual = times(W2, a).map((v, i) => v - (y?.[i] as number));
    const loss = 0.5 * residual.reduce((sum, r) => sum + r * r, 0);
    const p = a.map((bit, i) => (bit === 1 ? (theta[i] as number) : 1 - (theta[i] as number)));
    const joint = (p[0] as number) * (p[1] as number);
    for (const i of [0, 1]) {
      dTheta[i] = (dTheta[i] as number) + ((loss * joint) / (p[i] as number)) * (a[i] === 1 ? 1 : -1);
      da2[i] = (da2[i] as number) + joint * (residual[i] as number);
    }
  }
  const dz1 = dTheta.map((d, i) => d * (theta[i] as number) * (1 - (theta[i] as number)));
  const da0 = times(transposed(W1), dz1);
  const dz0 = da0.map((d, i) => d * (a0[i] as number) * (1 - (a0[i] as number)));
  return { z0: dz0, a0: da0, z1: dz1, theta: dTheta, a2: da2 };
}

describe("adjoints of named nodes", () => {
  it("are the talk's equations (1) and (2), exactly, where the sample is enumerated", () => {
    const { nodes } = expectation(talk, { samples: 8 }).explain(params, data);
    for (const [name, delta] of Object.entries(byHand())) {
      const node = nodes.find((n) => n.name === name);
      expect(node?.delta?.reason).toBe(null);
      flat(node?.delta?.mean as Tensor).forEach((d, i) => {
        expect(Math.abs(d - (delta[i] as number))).toBeLessThan(1e-14);
      });
      expect(flat(node?.delta?.stderr as Tensor)).toEqual([0, 0]);
    }
    const W = nodes.filter((n) => n.kind === "parameter").map((n) => n.name);
    expect(W).toEqual(["W0", "W1", "W2"]);
  });

  it("are within their error bars where it is scored", () => {
    // 10,000 runs, key 0: standard errors of about 1 % of |δ| upstream of the sample; 10 comparisons, z limit 5.4.
    const { nodes } = expectation(talk, { samples: 10_000, estimators: { a: scoreFunction() } }).explain(params, data);
    for (const [name, delta] of Object.entries(byHand())) {
      const node = nodes.find((n) => n.name === name);
      const bars = flat(node?.delta?.stderr as Tensor);
      flat(node?.delta?.mean as Tensor).forEach((d, i) => {
        expect(bars[i]).toBeGreaterThan(0);
        expect(Math.abs(d - (delta[i] as number)) / (bars[i] as number)).toBeLessThan(5.4);
      });
    }
  });

  it("are plain backpropagation where nothing is sampled", () => {
    const net = ({ W }: { W: Tensor }, { v }: { v: Tensor }): Tensor => {
      const z = matmul(W, v).named("z");
      return square(sigmoid(z).sub(1)).mul(0.5).sum();
    };
    const explained = expectation(net).explain({ W: f64(W0) }, { v: f64([0.3, -0.7]) });
    const z = W0.map((row) => (row[0] as number) * 0.3 - (row[1] as number) * 0.7);
    const delta = z.map((u) => 1 / (1 + Math.exp(-u))).map((a) => (a - 1) * a * (1 - a));
    const node = explained.nodes.find((n) => n.name === "z");
    flat(node?.value.mean as Tensor).forEach((v, i) => {
      expect(Math.abs(v - (z[i] as number))).toBeLessThan(1e-15);
    });
    flat(node?.delta?.mean as Tensor).forEach((d, i) => {
      expect(Math.abs(d - (delta[i] as number))).toBeLessThan(1e-15);
    });
    expect(explained.text).toContain("The program samples nothing.");
  });

  it("go through pathwise samples and end at drawn ones, with the reason", () => {
    const f = ({ m }: { m: Tensor }, { c }: { c: Tensor }): Tensor => {
      const known = c.mul(2).named("known");
      const z = sample(Normal({ loc: m, scale: 1 }), { name: "z" });
      const k = sample(Categorical({ logits: z.mul(tensor([1, 2, 3])) }), { name: "k" });
      const b = sample(Bernoulli({ logits: z.sum() }), { name: "b", estimator: scoreFunction() });
      return z.mul(z).sum().add(k.toDType("float32").mul(known)).add(b);
    };
    const { nodes } = expectation(f, { samples: 100 }).explain({ m: 0.5 }, { c: 1 });
    const reasons = nodes.filter((n) => n.name !== "m").map((n) => [n.name, n.reason]);
    expect(reasons).toEqual([
      ["known", "no parameter reaches it"],
      ["z", null],
      ["k", "∂k/∂logits does not exist: the derivative goes through its probability"],
      ["b", "∂b/∂logits does not exist: the derivative goes through its probability"],
    ]);
    const at = (name: string): Tensor => nodes.find((n) => n.name === name)?.delta?.mean as Tensor;
    // z = m + ε: both feel the same.
    expect(at("z").item()).toBe(at("m").item());
  });

  it("are missing where the derivative does not exist, and the sentence says why", () => {
    const f = ({ p }: { p: Tensor }): Tensor => {
      const low = sample(Bernoulli({ logits: p }), { name: "b" })
        .mul(0.5)
        .named("low");
      return floor(sample(Uniform({ low, high: 2 }), { name: "u" }).mul(3));
    };
    // p needs no derivative through the bounds; low does.
    const [p, b, low] = expectation(f, { samples: 64 }).explain({ p: 0.5 }).nodes;
    expect(p?.delta).not.toBe(null);
    expect([b?.delta, low?.name, low?.delta]).toEqual([null, "low", null]);
    expect(low?.reason).toBe(
      'sample "u": the cost jumps in it (u → mul → floor → loss), which pathwise would miss, and the support of Uniform moves with low, so the score function loses the boundary term; use a cost that is continuous in the sample, or a distribution whose support is fixed.',
    );
  });

  it("are averages over runs of value and δ, in chunks too", () => {
    const f = ({ m }: { m: Tensor }): Tensor =>
      square(sample(Normal({ loc: m, scale: 0.5 }), { name: "z" }).named("again"));
    const one = expectation(f, { samples: 1000 });
    const chunked = expectation(f, { samples: 1000, chunk: 300 });
    const [a, b] = [one, chunked].map((E) => E.explain({ m: f64([1.5]).reshape([]) }, { key: 0 }).nodes);
    const E = one.valueAndGrad({ m: f64([1.5]).reshape([]) }, { key: 0 });
    expect(a?.map((n) => n.name)).toEqual(["m", "z", "again"]);
    expect(a?.[0]?.delta?.mean.item()).toBeCloseTo(E.grad.mean.m.item(), 12);
    a?.forEach((node, i) => {
      expect(b?.[i]?.value.mean.item()).toBeCloseTo(node.value.mean.item(), 12);
      expect(b?.[i]?.delta?.mean.item()).toBeCloseTo(node.delta?.mean.item() as number, 12);
    });
  });
});

describe("sites", () => {
  const shared = ({ theta, phi }: { theta: Tensor; phi: Tensor }): Tensor => {
    const a = sample(Bernoulli({ logits: theta }), { name: "a" });
    const g = sample(Bernoulli({ logits: phi }), { name: "g" });
    return square(a.mul(tensor([1, 2, 3])).sub(0.5))
      .sum()
      .add(square(g.sub(0.3)));
  };
  const at = { theta: [-0.51, -0.27, 0.14], phi: -0.51 };

  it("say what they are charged with, and what not", () => {
    const E = expectation(shared, {
      samples: 100,
      estimators: { a: scoreFunction(), g: scoreFunction({ baseline: "none" }) },
    });
    const [a, g] = E.explain(at).sites;
    expect(a).toEqual({
      name: "a",
      distribution: "Bernoulli(logits)",
      shape: { batch: [3], event: [] },
      estimator: "scoreFunction",
      why: "chosen by the program",
      bias: "none",
      baseline: "leaveOneOut",
      outcomes: 1,
      orders: "any",
      differentiated: true,
      credit: ["charged: leaf 1 (mul [3]) [s = n]", "not charged: leaf 2"],
      cites: ["williams1992", "foerster2018dice", "kool2019buy4"],
    });
    expect(g?.credit).toEqual(["not charged: leaf 1", "charged: leaf 2 (mul [])"]);
    expect(g?.baseline).toBe("none");
  });

  it("name how many derivatives they are right for", () => {
    const relu = ({ m }: { m: Tensor }): Tensor => sample(Normal({ loc: m, scale: 1 }), { name: "z" }).relu();
    const explained = expectation(relu, { samples: 4 }).explain({ m: 0.1 });
    expect(explained.sites[0]?.orders).toBe(1);
    expect(explained.text).toContain(
      "    right for derivatives up to order 1\n    the derivative goes through its value\n",
    );
  });

  it("that nobody differentiates are said to be only drawn", () => {
    const f = ({ m }: { m: Tensor }): Tensor =>
      sample(Bernoulli({ probs: 0.3 }), { name: "b", estimator: scoreFunction() }).mul(m);
    expect(expectation(f, { samples: 4 }).explain({ m: 2 }).text).toContain(
      "  b ~ Bernoulli(probs), batch []\n    estimator: scoreFunction (chosen by the program)\n    no derivative comes into its parameters: it is only drawn\n",
    );
  });

  it("of recorded values are scored", () => {
    const f = ({ p }: { p: Tensor }): Tensor => sample(Bernoulli({ logits: p }), { name: "b" }).mul(3);
    const explained = expectation(f, { samples: 4 }).explain({ p: 0 }, { given: { b: [1, 0, 1, 1] } });
    expect(explained.sites[0]?.why).toBe("its value is given, so its law is scored");
    expect(explained.value?.mean.item()).toBe(2.25);
    expect(explained.nodes.find((n) => n.name === "b")?.value.mean.item()).toBe(0.75);
  });
});

describe("the text", () => {
  const coin = ({ logits }: { logits: Tensor }, { y }: { y: Tensor }): Tensor => {
    const theta = sigmoid(logits).named("theta");
    return square(sample(Bernoulli({ probs: theta }), { name: "a" }).sub(y)).mean();
  };

  it("tells the whole program", () => {
    const E = expectation(coin, { samples: 200 });
    expect(String(E.explain({ logits: f64([0.5, -1]) }, { y: f64([0.3, 0.6]) }, { key: 0 }))).toBe(
      `E[loss] = 0.3226 (exact)

Random choices

  a ~ Bernoulli(probs), batch [2]
    estimator: enumerate (finite: 2 joint outcomes, exact)
    charged: leaf 1 (mul [2]) [s = n]
    papers: titsias2015local

Costs

  leaf 1: square(a - y) [2]

Nodes: mean over 200 runs, and δ = ∂E/∂node

  logits float64[2]
    value = [0.5, -1]
    δ = [0.047, -0.01966] (exact)
  theta float64[2]
    value = [0.6225, 0.2689]
    δ = [0.2, -0.1] (exact)
  a float64[2], a random choice
    value = [0.655, 0.235] ± [0.034, 0.03]
    δ: none, ∂a/∂probs does not exist: the derivative goes through its probability

Program

  logits = placeholder float64[2]
  y = placeholder float64[2]
  theta = sigmoid(logits) float64[2]
  a = sample Bernoulli(theta) float64[2]
  %1 = sub(a, y) float64[2]
  %2 = mul(%1, %1) float64[2]
  %3 = sum(%2, axes=[0]) float64[]
  %4 = mul(%3, 0.5) float64[]
  return %4

s and n number the elements of the site and of the cost: [s = n] charges each element with its own cost alone, [mixed] every
element with every cost.`,
    );
  });

  it("sums large values up", () => {
    const f = ({ w }: { w: Tensor }): Tensor => w.square().sum();
    const w = tensor(Float64Array.from({ length: 101 }, (_, i) => i - 50));
    expect(expectation(f).explain({ w }).text).toContain(
      "  w float64[101]\n    value = 0 ± 29.15 over the elements, min -50, max 50\n    δ = 0 ± 58.31 over the elements, min -100, max 100 (exact)",
    );
  });

  it("says why there is no error bar", () => {
    const f = ({ m }: { m: Tensor }): Tensor => sample(Normal({ loc: m, scale: 1 }), { name: "z" });
    const { text } = expectation(f).explain({ m: 0 });
    expect(text).toContain("(no error bar: one run has no spread: take samples ≥ 2)");
    expect(text).toContain("Nodes: mean over 1 run, and δ = ∂E/∂node");
  });

  it("explains one run of a dynamic program", () => {
    const f = ({ p }: { p: Tensor }): Tensor => {
      const b = sample(Bernoulli({ logits: p }), { name: "b" });
      return b.item() > 0.5 ? p.mul(2) : p.square();
    };
    const explained = expectation(f, { dynamic: true, samples: 10 }).explain({ p: 0.3 });
    expect(explained.value).toBe(null);
    expect(explained.sites[0]?.why).toContain("the program read its value");
    expect(explained.nodes[0]?.reason).toBe("a dynamic program has another graph in every run");
    expect(explained.text).toContain("Nodes: mean over one run, and δ = ∂E/∂node");
  });

  it("takes no option it does not know", () => {
    const E = expectation(coin, { samples: 200 });
    const call = (how: object) => () => E.explain({ logits: 0 }, { y: 0 }, how as never);
    expect(call({ runs: 3 })).toThrow("explain: got the option runs, expected options out of key, given or samples.");
    expect(call({ samples: 0 })).toThrow("explain: got samples: 0, expected a whole number of at least 1.");
  });
});

describe("the drawing", () => {
  it("shows random choices, costs, and where the derivative ends", () => {
    const f = ({ w }: { w: Tensor }): Tensor => {
      const z = sample(Normal({ loc: w, scale: 1 }), { name: "z", estimator: scoreFunction() });
      return floor(z).add(floor(w)).add(w.named("kept"));
    };
    const { dot } = expectation(f, { samples: 2 }).explain({ w: 0.3 });
    const id = (label: string): string => new RegExp(`(n\\d+) \\[label="${label}`).exec(dot)?.[1] as string;
    expect(dot).toContain(
      'label="z ~ Normal\\nfloat32[]\\nscoreFunction", shape="ellipse", style="filled", fillcolor="lightblue"',
    );
    expect(dot).toMatch(/label="leaf 1\\n\w+\\nfloat32\[\]", shape="diamond"/);
    expect(dot).toContain(`  ${id("w")} -> ${id("z ~")} [style="dashed", color="red"];`);
    const dashed = dot.split("\n").filter((line) => line.includes("dashed"));
    // Into the score-function sample, and into the floor of a parameter; the floor of a constant draw has nothing to lose.
    expect(dashed).toHaveLength(2);
    expect(dashed.every((line) => line.startsWith(`  ${id("w")} ->`))).toBe(true);
  });
});

describe("cite", () => {
  it("knows every paper of every estimator", () => {
    for (const make of estimators) expect(bibtex(make().cites)).toContain("author = {");
  });

  it("lists what a program rests on, once", () => {
    const E = expectation(talk, { samples: 8 });
    const keys = [...cite(E, params, data).matchAll(/^@\w+\{(\w+),$/gm)].map((m) => m[1]);
    expect(keys).toEqual(["titsias2015local", "schulman2015scg"]);
    expect(E.explain(params, data).bibtex).toBe(cite(E, params, data));
    expect(
      cite(
        expectation(({ a }: { a: Tensor }) => observe(Normal({ loc: a, scale: 1 }), 0)),
        { a: 1 },
      ),
    ).toBe("");
  });

  it("has no entry for a paper nobody wrote", () => {
    expect(() => bibtex(["nobody2031"])).toThrow(
      'cite: got the paper "nobody2031", expected one with an entry; add it to expectation/cite.ts.',
    );
  });
});
