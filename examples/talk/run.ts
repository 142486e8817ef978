import { type AuditResult, expectation, foldIn } from "samplegrad";
import { type Arm, arms, type Refusal, refusals } from "./arms.js";
import { type Batch, batchOf, CLASSES, type Digits, loadDigits, PIXELS, shrunk } from "./digits.js";
import { type GradientSpread, gradientSpread, type Interval, wilson } from "./measure.js";
import { bernoulliLayer, costOf, initialWeights, type Layer, normalLayer, type Weights } from "./network.js";
import { type Drawn, drawnGraph } from "./report/graph.js";
import type { Settings } from "./settings.js";
import { type Trained, train, turn } from "./train.js";

export interface Outcome {
  readonly arm: Arm;
  readonly trained: Trained | null;
  /** On the test digits. */
  readonly accuracy: Interval | null;
  /** Of the gradient at the weights that the last trained arm of the same layer ended with: estimators are compared at one point. */
  readonly spread: GradientSpread | null;
}

export interface Result {
  readonly settings: Settings;
  readonly graphs: readonly { readonly title: string; readonly drawn: Drawn }[];
  /** What `E.explain` says of the binary net. */
  readonly explanation: string;
  readonly refusals: readonly Refusal[];
  readonly audit: AuditResult;
  readonly auditSizes: string;
  readonly outcomes: readonly Outcome[];
  readonly test: Digits;
  readonly cancelled: boolean;
  readonly seconds: number;
}

export interface RunHooks {
  /** What is being done, as soon as it is known; `steps` training steps of `all` are behind. */
  readonly onProgress?: (what: string, steps: number, all: number) => void;
  readonly print?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** The whole of the talk: explain, audit, train with every estimator that fits, measure. Stops early on `signal` with what it has. */
export async function runTalk(settings: Settings, { onProgress, print, signal }: RunHooks = {}): Promise<Result> {
  const started = performance.now();
  const data = loadDigits(settings.train, settings.test);
  const { batch, samples, seed } = settings;
  const first = batchOf(
    data.train,
    Array.from({ length: batch }, (_, i) => i),
  );
  const start = (layer: Layer): Weights => startWeights(layer, settings);
  const E = expectation(costOf(bernoulliLayer), { samples });
  const explanation = String(E.explain(start(bernoulliLayer), first, { key: seed }));
  print?.(`The graph, and the estimators that are chosen\n\n${explanation}`);
  const refused = refusals(start(bernoulliLayer), first);
  print?.(`What does not fit\n\n${refused.map(({ estimator, message }) => `${estimator}: ${message}`).join("\n")}`);
  const { audit, sizes } = await smallAudit(data.train, settings);
  print?.(`Audit of a small instance (${sizes})\n\n${audit}`);
  const graphs = [
    {
      title: "Binary units: backpropagation stops at the draw",
      drawn: graphOf(bernoulliLayer, start(bernoulliLayer), first),
    },
    {
      title: "Continuous units: the derivative goes through the draw",
      drawn: graphOf(normalLayer, start(normalLayer), first),
    },
  ];
  const trained = await trainAll(data, settings, { onProgress, signal });
  const outcomes = await outcomesOf(trained, settings, data.test, signal);
  const seconds = (performance.now() - started) / 1000;
  return {
    settings,
    graphs,
    explanation,
    refusals: refused,
    audit,
    auditSizes: sizes,
    outcomes,
    test: data.test,
    cancelled: signal?.aborted ?? false,
    seconds,
  };
}

function startWeights(layer: Layer, { hidden, units, seed }: Settings): Weights {
  return initialWeights(layer, { inputs: PIXELS, hidden, units, classes: CLASSES }, foldIn(seed, "start"));
}

function graphOf(layer: Layer, weights: Weights, batch: Batch): Drawn {
  const E = expectation(costOf(layer));
  return drawnGraph(E.plan(weights, batch, { key: 0 }));
}

/** A net so small that the truth can be enumerated: 16 inputs, 6 binary units, 8 digits. */
async function smallAudit(digits: Digits, { samples, seed }: Settings): Promise<{ audit: AuditResult; sizes: string }> {
  const small = shrunk(digits, 7);
  const sizes = { inputs: 16, hidden: 8, units: 6, classes: CLASSES };
  const batch = batchOf(small, [0, 1, 2, 3, 4, 5, 6, 7]);
  const E = expectation(costOf(bernoulliLayer), { samples });
  const audit = await E.audit(initialWeights(bernoulliLayer, sizes, foldIn(seed, "small")), batch, { key: seed });
  return { audit, sizes: "8 digits of 4 × 4 pixels, 8 hidden and 6 binary units" };
}

async function trainAll(
  data: { train: Digits; test: Digits },
  settings: Settings,
  { onProgress, signal }: RunHooks,
): Promise<Trained[]> {
  const learning = arms.filter((arm) => arm.trained);
  const all = learning.length * settings.epochs * Math.floor(settings.train / settings.batch);
  const done: Trained[] = [];
  let steps = 0;
  for (const arm of learning) {
    if (signal?.aborted) break;
    onProgress?.(arm.name, steps, all);
    done.push(await train(arm, data, settings, { signal, onStep: () => onProgress?.(arm.name, ++steps, all) }));
  }
  return done;
}

/** What came of every arm; the gradient's spread is measured last, unless there is no time left. */
async function outcomesOf(
  all: readonly Trained[],
  settings: Settings,
  test: Digits,
  signal?: AbortSignal,
): Promise<Outcome[]> {
  const { labels } = test;
  const unseen = batchOf(
    test,
    Array.from({ length: Math.min(settings.batch, labels.length) }, (_, i) => i),
  );
  const outcomes: Outcome[] = [];
  for (const arm of arms) {
    await turn();
    const trained = all.find((each) => each.arm === arm) ?? null;
    const hits = trained?.predicted.filter((label, i) => label === labels[i]).length ?? 0;
    const last = all.filter((each) => each.arm.layer === arm.layer).at(-1);
    outcomes.push({
      arm,
      trained,
      accuracy: trained && wilson(hits, labels.length),
      spread: last && !signal?.aborted ? gradientSpread(arm, last.weights, unseen, settings) : null,
    });
  }
  return outcomes;
}
