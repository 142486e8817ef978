import {
  concat,
  cond,
  cos,
  exp,
  findRoot,
  fixedPoint,
  grad,
  hessian,
  log,
  logSoftmax,
  logsumexp,
  matmul,
  max,
  mean,
  newton,
  ones,
  scan,
  sigmoid,
  sin,
  solve,
  sqrt,
  square,
  stack,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  vmap,
  whileLoop,
  zeros,
} from "../../src/index.js";
import { checkTheme, type Program } from "./harness.js";

const f64 = { dtype: "float64" } as const;
type State = { h: Tensor; c: Tensor };
type Weights = { w: Tensor; b: Tensor };

const rnn =
  (reverse: boolean): Program =>
  ({ u, w, b, v }, { x, y }) => {
    const step = (h: Tensor, row: Tensor): [Tensor, Tensor] => {
      const next = tanh(matmul(row, u).add(matmul(h, w)).add(b));
      return [next, next];
    };
    const [last, states] = scan(step, zeros([3], f64), x, { reverse });
    return mean(square(matmul(states, v).sub(y))).add(sum(square(last)).mul(0.1));
  };

/** One step of the classical Runge–Kutta method. */
function runge(f: (y: Tensor) => Tensor, y: Tensor, h: number): Tensor {
  const k1 = f(y);
  const k2 = f(y.add(k1.mul(h / 2)));
  const k3 = f(y.add(k2.mul(h / 2)));
  const k4 = f(y.add(k3.mul(h)));
  return y.add(
    k1
      .add(k2.mul(2))
      .add(k3.mul(2))
      .add(k4)
      .mul(h / 6),
  );
}

const outer = (a: Tensor, b: Tensor): Tensor => a.expandDims(1).mul(b);

checkTheme("loop", {
  RNN: rnn(false),
  "RNN, backwards": rnn(true),

  GRU: ({ wz, wr, wh, h0 }, { x, y }) => {
    const step = (h: Tensor, row: Tensor): [Tensor, null] => {
      const both = concat([h, row]);
      const [z, r] = [sigmoid(matmul(both, wz)), sigmoid(matmul(both, wr))];
      const fresh = tanh(matmul(concat([r.mul(h), row]), wh));
      return [z.neg().add(1).mul(h).add(z.mul(fresh)), null];
    };
    return sum(square(scan(step, h0, x)[0].sub(y)));
  },

  LSTM: ({ w, b }, { x, y }) => {
    const step = ({ h, c }: State, row: Tensor): [State, Tensor] => {
      const gates = matmul(concat([h, row]), w).add(b);
      const [i, f, g, o] = [0, 2, 4, 6].map((from) => gates.slice(from, from + 2)) as [Tensor, Tensor, Tensor, Tensor];
      const cell = sigmoid(f)
        .mul(c)
        .add(sigmoid(i).mul(tanh(g)));
      const state = sigmoid(o).mul(tanh(cell));
      return [{ h: state, c: cell }, state];
    };
    const [{ h, c }, states] = scan(step, { h: zeros([2], f64), c: zeros([2], f64) }, x);
    return mean(square(states.sub(y))).add(sum(h.mul(c)));
  },

  "states of an RNN": ({ w, h0 }, { x }) => {
    const step = (h: Tensor, row: Tensor): [Tensor, { square: Tensor; sum: Tensor }] => {
      const next = tanh(matmul(h, w).add(row));
      return [next, { square: square(next), sum: sum(next) }];
    };
    const [last, ys] = scan(step, h0, x);
    return { last, ys };
  },

  "Kalman filter": ({ a, c, logq, logr }, { x }) => {
    const identity = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      f64,
    );
    const step = ({ m, s }: { m: Tensor; s: Tensor }, y: Tensor): [{ m: Tensor; s: Tensor }, Tensor] => {
      const mean1 = matmul(a, m);
      const s1 = matmul(matmul(a, s), a.transpose()).add(identity.mul(exp(logq)));
      const gain = matmul(s1, c);
      const v = matmul(c, gain).add(exp(logr));
      const e = y.at(0).sub(matmul(c, mean1));
      const ll = log(v.mul(2 * Math.PI))
        .add(square(e).div(v))
        .mul(-0.5);
      return [{ m: mean1.add(gain.mul(e).div(v)), s: s1.sub(outer(gain, gain).div(v)) }, ll];
    };
    return scan(step, { m: zeros([2], f64), s: identity }, x)[1]
      .sum()
      .neg();
  },

  "hidden Markov model": (p, { y }) => {
    const [start, move, emit] = [logSoftmax(p.start), logSoftmax(p.move), logSoftmax(p.emit)];
    const step = (alpha: Tensor, symbol: Tensor): [Tensor, null] => [
      logsumexp(alpha.expandDims(1).add(move), 0).add(take(emit, symbol, 1)),
      null,
    ];
    return logsumexp(scan(step, start.add(take(emit, y.at(0), 1)), y.slice(1))[0]).neg();
  },

  "nested scan": ({ a, b }, { x }) => {
    const inner = (h: Tensor, value: Tensor): [Tensor, Tensor] => {
      const next = sin(a.mul(h).add(value.mul(b)));
      return [next, next.at(0).mul(next.at(1))];
    };
    const [c, ys] = scan(
      (carry: Tensor, row: Tensor): [Tensor, Tensor] => {
        const [h, products] = scan(inner, carry, row);
        return [h, sum(square(products))];
      },
      ones([2], f64),
      x,
    );
    return sum(ys).add(sum(c));
  },

  "scan inside vmap": ({ w, h0 }, { x, y }) => {
    const run = (rows: Tensor): Tensor =>
      scan((h: Tensor, row: Tensor): [Tensor, null] => [tanh(matmul(h, w).add(row)), null], h0, rows)[0];
    return mean(square(vmap(run)(x).sub(y)));
  },

  "vmap inside scan": ({ w, h0 }, { x }) => {
    const step = (h: Tensor, row: Tensor): [Tensor, Tensor] => {
      const next = vmap((one: Tensor) => tanh(matmul(w, one).add(row)))(h);
      return [next, sum(next, 0)];
    };
    const [h, ys] = scan(step, h0, x);
    return sum(square(h)).add(sum(sin(ys)));
  },

  "meta-gradient: descent inside scan": (p, { x, y, z, t }) => {
    const loss = (w: Tensor, inputs: Tensor, targets: Tensor): Tensor =>
      mean(square(tanh(matmul(inputs, w)).sub(targets)));
    const step = (w: Tensor): [Tensor, null] => [w.sub(exp(p.lograte).mul(grad(loss)(w, x, y) as Tensor)), null];
    return loss(scan(step, p.w, null, { length: 5 })[0], z, t);
  },

  MAML: ({ w, b }, { x, y, z, t }) => {
    const loss = (q: Weights, inputs: Tensor, targets: Tensor): Tensor =>
      mean(square(sin(matmul(inputs, q.w).add(q.b)).sub(targets)));
    const task = (xs: Tensor, ys: Tensor, zs: Tensor, ts: Tensor): Tensor => {
      const step = (q: Weights): [Weights, null] => {
        const g = grad(loss)(q, xs, ys) as Weights;
        return [{ w: q.w.sub(g.w.mul(0.1)), b: q.b.sub(g.b.mul(0.1)) }, null];
      };
      return loss(scan(step, { w, b }, null, { length: 3 })[0], zs, ts);
    };
    return mean(vmap(task)(x, y, z, t));
  },

  "cond inside scan": ({ a, b }, { x }) => {
    const step = (s: Tensor, row: Tensor): [Tensor, Tensor] => {
      const value = row.at(0);
      const next = cond(
        value.greater(0),
        (state: Tensor) => sin(a.mul(state)).add(value),
        (state: Tensor) => state.mul(exp(b.neg().mul(square(state)))),
        s,
      );
      return [next, next];
    };
    const [s, all] = scan(step, tensor(0.5, f64), x);
    return s.add(sum(square(all)));
  },

  cond: ({ x }, { flags }) => {
    const yes = (v: Tensor): Tensor => sum(exp(v));
    const no = (v: Tensor): Tensor => v.at(0).mul(v.at(1)).mul(v.at(2));
    const [a, b] = [cond(flags.at(0).greater(0), yes, no, x), cond(flags.at(1).greater(0), yes, no, x)];
    const cube = (v: Tensor): Tensor => v.at(1).mul(square(v.at(1)));
    return a.mul(b).add(cond(sum(x).greater(100), (v: Tensor) => v.at(0), cube, x));
  },

  "while: sum of a series": ({ x }) => {
    type Series = { k: Tensor; term: Tensor; total: Tensor };
    const one = ones([], f64);
    const body = ({ k, term, total }: Series): Series => {
      const next = term.mul(x).div(k);
      return { k: k.add(1), term: next, total: total.add(next) };
    };
    const going = ({ term }: Series): Tensor => term.abs().greater(1e-18);
    return square(whileLoop(going, body, { k: one, term: one, total: one }, { limit: 60 }).total);
  },

  "while: Newton's square root": ({ a }) => {
    type Pair = { x: Tensor; before: Tensor };
    const body = ({ x }: Pair): Pair => ({ x: x.add(a.div(x)).mul(0.5), before: x });
    const going = ({ x, before }: Pair): Tensor => max(x.sub(before).abs()).greater(1e-13);
    return sum(sin(whileLoop(going, body, { x: a, before: a.add(1) }, { limit: 20 }).x));
  },

  "fori: power iteration": ({ m, x }) => {
    const s = matmul(m, m.transpose());
    const step = (v: Tensor): [Tensor, null] => {
      const next = matmul(s, v);
      return [next.div(sqrt(sum(square(next)))), null];
    };
    const [v] = scan(step, x, null, { length: 6 });
    return matmul(matmul(v, s), v);
  },

  "Runge-Kutta: Lotka-Volterra": ({ rates, y0 }) => {
    const [a, b, c, e] = [0, 1, 2, 3].map((i) => rates.at(i)) as [Tensor, Tensor, Tensor, Tensor];
    const f = (y: Tensor): Tensor => {
      const [prey, hunters] = [y.at(0), y.at(1)];
      const met = prey.mul(hunters);
      return stack([a.mul(prey).sub(b.mul(met)), c.mul(met).sub(e.mul(hunters))]);
    };
    const step = (y: Tensor): [Tensor, Tensor] => {
      const next = runge(f, y, 0.1);
      return [next, next];
    };
    const [y, ys] = scan(step, y0, null, { length: 12 });
    return mean(square(ys)).add(y.at(0).mul(y.at(1)));
  },

  "neural ODE": ({ w1, w2, y0 }, { t }) => {
    const f = (y: Tensor): Tensor => matmul(tanh(matmul(y, w1)), w2);
    const step = (y: Tensor): [Tensor, null] => [runge(f, y, 0.2), null];
    return sum(square(scan(step, y0, null, { length: 8 })[0].sub(t)));
  },

  "leapfrog: energy and end of an orbit": (p) => {
    type Orbit = { q: Tensor; v: Tensor };
    const force = (q: Tensor): Tensor => q.neg().div(sum(square(q)).pow(1.5));
    const step = ({ q, v }: Orbit): [Orbit, Tensor] => {
      const half = v.add(force(q).mul(0.05));
      const next = q.add(half.mul(0.1));
      const after = half.add(force(next).mul(0.05));
      const energy = sum(square(after))
        .mul(0.5)
        .sub(sqrt(sum(square(next))).reciprocal());
      return [{ q: next, v: after }, energy];
    };
    const [{ q, v }, energy] = scan(step, { q: p.q, v: p.v }, null, { length: 10 });
    return { energy, q, v };
  },

  "Newton's method, unrolled": ({ a, b }) => {
    const energy = (x: Tensor): Tensor =>
      sum(exp(a.mul(x)))
        .add(sum(square(x.sub(b))))
        .add(square(x.at(0).sub(x.at(1))).mul(0.5));
    let x: Tensor = zeros([2], f64);
    for (let i = 0; i < 4; i++) x = x.sub(solve(hessian(energy)(x) as Tensor, grad(energy)(x) as Tensor));
    return sum(sin(x)).add(energy(x));
  },

  "fixed point, by the implicit function": ({ w, b }) => {
    const z = fixedPoint((x) => tanh(matmul(w, x).add(b)), zeros([3], f64), { tolerance: 1e-14 });
    return sum(square(z)).add(z.at(0));
  },

  "root of a system, by the implicit function": ({ a, b }) => {
    const residual = (x: Tensor): Tensor =>
      x
        .add(exp(x))
        .sub(1)
        .sub(a)
        .add(sin(matmul(b, x)).mul(0.3));
    const x = newton(residual, zeros([3], f64), { tolerance: 1e-14 });
    return sum(cos(x)).add(x.at(0).mul(x.at(1)));
  },

  "Kepler's equation, by the implicit function": ({ m, e }) => {
    const x = findRoot((at) => at.sub(e.mul(sin(at))).sub(m), { bracket: [m.sub(1), m.add(1)] });
    return { radius: e.mul(cos(x)).neg().add(1), x };
  },
});
