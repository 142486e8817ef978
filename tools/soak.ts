import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compile, expectation, grad, matmul, Normal, sample, setThreads, type Tensor, tensor } from "../src/index.js";
import { memory } from "../src/wasm/memory.js";

/**
 * A million small steps and ten thousand large ones in one process, ten jobs of each, in which finalizers have no chance: memory must
 * stay where it was after a tenth of them. Usage: tsx tools/soak.ts [part of all steps, default 1]
 */

const MIB = 2 ** 20;
const most = 0.05;
const part = Number(process.argv[2] ?? 1);

interface Kind {
  readonly name: string;
  readonly steps: number;
  readonly step: (i: number) => void;
}

const wave = (shape: readonly number[], scale: number): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i) * scale),
    { shape },
  );
};

/** A gradient of two numbers, read at each step. */
function small(): Kind {
  const E = expectation(
    ({ loc, scale }: { loc: Tensor; scale: Tensor }) => sample(Normal({ loc, scale }), { name: "x" }).square(),
    { samples: 1 },
  );
  const slope = compile(grad((x: Tensor) => x.sin().mul(x)) as (x: Tensor) => Tensor);
  const params = { loc: tensor(0.5), scale: tensor(1) };
  return {
    name: "small steps",
    steps: 1_000_000,
    step: (i) => {
      if (i % 2 === 0) slope(tensor(i / 1e6)).item();
      else E.valueAndGrad(params, { key: i }).grad.mean.loc.item();
    },
  };
}

/** Training with donated state, a new batch at each step, and a large result that nobody reads. */
function large(): Kind {
  type State = { w: Tensor; v: Tensor };
  const train = compile(
    (state: State, x: Tensor) => {
      const loss = (p: State): Tensor => matmul(matmul(x, p.w).tanh(), p.v).square().mean();
      const slope = grad(loss)(state) as State;
      return { w: state.w.sub(slope.w.mul(0.01)), v: state.v.sub(slope.v.mul(0.01)) };
    },
    { donate: [0] },
  );
  const keep = compile((x: Tensor, y: Tensor) => x.add(y).mul(0.5));
  let state: State = { w: wave([128, 96], 0.1), v: wave([96, 64], 0.1) };
  let kept = wave([250_000], 1);
  const other = wave([250_000], 2);
  const data = Float32Array.from({ length: 64 * 128 }, (_, i) => Math.cos(i));
  return {
    name: "large steps",
    steps: 10_000,
    step: () => {
      state = train(state, tensor(data, { shape: [64, 128] })) as State;
      kept = keep(kept, other);
    },
  };
}

const rss = (): number => process.memoryUsage().rss;
const shown = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Memory after some steps, once what is garbage is gone, and the most in between. */
async function measured({ step }: Kind, from: number, to: number): Promise<{ settled: number; peak: number }> {
  let peak = 0;
  for (let i = from; i < to; i++) {
    step(i);
    if (i % 10 === 0) peak = Math.max(peak, rss());
  }
  collect();
  await new Promise((resolve) => setTimeout(resolve, 100));
  collect();
  return { settled: rss(), peak };
}

async function main(): Promise<void> {
  setThreads("auto");
  for (const kind of [small(), large()]) {
    const steps = Math.round(kind.steps * part);
    const parts = Array.from({ length: 11 }, (_, k) => Math.round((k * steps) / 10));
    const found: { settled: number; peak: number }[] = [];
    for (let k = 0; k < 10; k++) found.push(await measured(kind, parts[k] as number, parts[k + 1] as number));
    // The first tenth is the warm-up.
    const [before, after] = [found[0], found[9]] as [(typeof found)[0], (typeof found)[0]];
    const growth = after.settled / before.settled - 1;
    if (growth > most) process.exitCode = 1;
    console.log(
      `${steps} ${kind.name}: ${shown(before.settled)} after warm-up, ${shown(after.settled)} at the end ` +
        `(${(100 * growth).toFixed(1)} %); in the engine's memory ${shown(memory().inUse)}`,
    );
    console.log(`  settled by tenths: ${found.map(({ settled }) => shown(settled)).join(", ")}`);
    console.log(`  peaks: ${found.map(({ peak }) => shown(peak)).join(", ")}`);
  }
}

await main();
