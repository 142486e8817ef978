import {
  abs,
  adam,
  at,
  Categorical,
  compile,
  cos,
  div,
  equal,
  expandDims,
  greater,
  key,
  logicalOr,
  mean,
  mul,
  neg,
  type OptimizerState,
  scan,
  sin,
  split,
  stack,
  std,
  sub,
  type Tensor,
  tanh,
  toDType,
  Uniform,
  valueAndGrad,
  where,
  zeros,
} from "samplegrad";
import { type Affine, affine, layer } from "../data.js";
import { nextKey } from "../training.js";
import type { Running, Scale, Workload } from "../workload.js";

type Policy = {
  first: Affine;
  second: Affine;
  logits: Affine;
};

/** What happened: a row per step. */
type History = {
  /** [steps, envs, 4] */
  state: Tensor;
  /** [steps, envs] int32 */
  action: Tensor;
  /** [steps, envs] bool: the episode ended here. */
  done: Tensor;
};

type Training = {
  policy: Policy;
  optimizer: OptimizerState<Policy>;
  /** [envs, 4]: where the poles are now. */
  poles: Tensor;
  key: Tensor;
};

const full = { envs: 64, steps: 200, units: 64 };
const small = { envs: 4, steps: 6, units: 8 };

const logitsOf = ({ first, second, logits }: Policy, state: Tensor): Tensor =>
  layer(logits, tanh(layer(second, tanh(layer(first, state)))));

/** Near the upright position: uniform on ±0.05. */
const upright = (k: Tensor, envs: number): Tensor =>
  Uniform({ low: -0.05, high: 0.05 }).sample(k, { sampleShape: [envs, 4] });

/** One step of CartPole (Barto, Sutton & Anderson 1983, as in Gym): a push of ±10 N for 0.02 s, explicit Euler. */
export function push(state: Tensor, action: Tensor): { moved: Tensor; done: Tensor } {
  const [x, speed, angle, turning] = [0, 1, 2, 3].map((i) => at(state, i, 1)) as [Tensor, Tensor, Tensor, Tensor];
  const [c, s] = [cos(angle), sin(angle)];
  const force = where(equal(action, 1), 10, -10);
  const inertia = div(force.add(turning.square().mul(s).mul(0.05)), 1.1);
  const swing = div(sub(s.mul(9.8), c.mul(inertia)), mul(sub(4 / 3, c.square().mul(0.1 / 1.1)), 0.5));
  const slide = sub(inertia, swing.mul(c).mul(0.05 / 1.1));
  const rates = [speed, slide, turning, swing];
  const moved = stack(
    [x, speed, angle, turning].map((q, i) => q.add(mul(rates[i] as Tensor, 0.02))),
    1,
  );
  const done = logicalOr(greater(abs(at(moved, 0, 1)), 2.4), greater(abs(at(moved, 2, 1)), 0.20943951));
  return { moved, done };
}

/** All environments for some steps; where an episode ends, the next begins. */
function rollout(policy: Policy, poles: Tensor, k: Tensor, steps: number): [Tensor, History] {
  const envs = poles.shape[0] as number;
  return scan(
    (state, now: Tensor) => {
      const keys = split(now);
      const action = Categorical({ logits: logitsOf(policy, state) }).sample(at(keys, 0));
      const { moved, done } = push(state, action);
      const next = where(expandDims(done, 1), upright(at(keys, 1), envs), moved);
      return [next, { state, action, done }] as const;
    },
    poles,
    split(k, steps),
  );
}

/** Discounted reward still to come, 1 per step, cut where an episode ends, standardised [steps, envs]. */
function rewardsToGo(done: Tensor): Tensor {
  const [, sums] = scan(
    (ahead: Tensor, ended: Tensor) => {
      const now = sub(1, ended).mul(ahead).mul(0.99).add(1);
      return [now, now] as const;
    },
    zeros([done.shape[1] as number]),
    toDType(done, "float32"),
    { reverse: true },
  );
  return div(sub(sums, mean(sums)), std(sums).add(1e-6));
}

/**
 * W8: policy gradient on CartPole. Rollout, rewards, gradient of the log-probabilities and one step of Adam are one compiled program;
 * its number is the share of steps at which an episode ended.
 */
function start(scale: Scale): Running {
  const { envs, steps, units } = scale === "full" ? full : small;
  const optimizer = adam({ learningRate: 1e-2 });
  const policy = { first: affine(81, 4, units), second: affine(82, units, units), logits: affine(83, units, 2) };
  const slope = valueAndGrad((p: Policy, { state, action }: Omit<History, "done">, advantage: Tensor) =>
    neg(
      mean(
        Categorical({ logits: logitsOf(p, state) })
          .logProb(action)
          .mul(advantage),
      ),
    ),
  );
  const program = compile((s: Training) => {
    const { now, later } = nextKey(s.key);
    const [poles, { done, state, action }] = rollout(s.policy, s.poles, now, steps);
    const { grad } = slope(s.policy, { state, action }, rewardsToGo(done));
    const moved = optimizer.update<Policy>(grad, s.optimizer, s.policy);
    return {
      ended: mean(toDType(done, "float32")),
      next: { policy: moved.params, optimizer: moved.state, poles, key: later },
    };
  });
  let state: Training = {
    policy,
    optimizer: optimizer.init<Policy>(policy),
    poles: upright(key(1), envs),
    key: key(2),
  };
  let ended = zeros([]);
  return {
    step: () => {
      const out = program(state);
      state = out.next as Training;
      ended = out.ended;
    },
    numbers: () => [ended.item()],
  };
}

export const w08: Workload = {
  name: "W8",
  check: { kind: "halves" },
  envSteps: (scale) => (scale === "full" ? full.envs * full.steps : small.envs * small.steps),
  variants: [{ name: "raw", start }],
};
