import { Code, ModuleBuilder } from "../encode.js";
import type { EngineMemory } from "../memory.js";
import { linger, spin } from "./barrier.js";
import { poolWords as at, roundSleep, turns } from "./words.js";

/** What thread 0 and its workers say to each other between steps. `pool` is the address of the words of the pool. */
export interface Signals {
  /** By a worker that has done what `last` asked for: returns the next generation once there is one. */
  readonly park: (pool: number, last: number) => number;
  /** By thread 0: sets the request and moves the generation on. */
  readonly publish: (pool: number, request: number) => number;
  /** By thread 0: returns 1 once `done` is `target`, 0 where that does not happen within the given number of rounds. */
  readonly settle: (pool: number, target: number, rounds: number, maySleep: number) => number;
}

export function signalsModule({ pages }: EngineMemory): WebAssembly.Module {
  const builder = new ModuleBuilder();
  builder.add(park(), "park", "park");
  builder.add(publish(), "publish", "publish");
  builder.add(settle(), "settle", "settle");
  return new WebAssembly.Module(builder.bytes({ shared: true, pages }));
}

const read = (code: Code, word: number): Code => code.get(0).memory("i32.atomic.load", word, 2);
const add = (code: Code, word: number, by: number): Code => code.get(0).i32(by).memory("i32.atomic.rmw.add", word, 2);
const notify = (code: Code, word: number): Code =>
  code.get(0).i32(-1).memory("memory.atomic.notify", word, 2).op("drop");

function park(): Code {
  const code = new Code(["i32", "i32"], ["i32"]);
  const now = code.local("i32");
  const moved = (): Code => read(code, at.generation).tee(now).get(1).op("i32.ne");
  add(code, at.done, 1).op("drop");
  read(code, at.mainSleeps).if(() => notify(code, at.done));
  code.block(() => {
    spin(code, turns.betweenSteps, () => moved().brIf(1));
    linger(code, moved, () => read(code, at.mainSleeps));
    code.loop(() => {
      moved().brIf(1);
      add(code, at.sleepers, 1).op("drop");
      code.get(0).get(1).i64(-1n).memory("memory.atomic.wait32", at.generation, 2).op("drop");
      add(code, at.sleepers, -1).op("drop");
      code.br(0);
    });
  });
  return code.get(now);
}

function publish(): Code {
  const code = new Code(["i32", "i32"], ["i32"]);
  code.get(0).get(1).memory("i32.atomic.store", at.request, 2);
  add(code, at.generation, 1);
  read(code, at.sleepers).if(() => notify(code, at.generation));
  return code.i32(1).op("i32.add");
}

function settle(): Code {
  const code = new Code(["i32", "i32", "i32", "i32"], ["i32"]);
  const now = code.local("i32");
  const settled = (): Code => read(code, at.done).tee(now).get(1).op("i32.eq");
  code.block(() => {
    spin(code, turns.atBarrier, () => settled().brIf(1));
    linger(code, settled, () => read(code, at.sleepers));
    code.loop(() => {
      settled().brIf(1);
      code.get(2).op("i32.eqz").brIf(1);
      code.get(2).i32(1).op("i32.sub").set(2);
      code.get(3).if(
        () => {
          const mark = (value: number): Code => code.get(0).i32(value).memory("i32.atomic.store", at.mainSleeps, 2);
          mark(1);
          // A worker that was done before it could see the mark has moved the word, and the sleep ends at once.
          settled().op("i32.eqz");
          code.if(() => {
            code
              .get(0)
              .get(now)
              .i64(BigInt(roundSleep) * 1_000_000n);
            code.memory("memory.atomic.wait32", at.done, 2).op("drop");
          });
          mark(0);
        },
        () => code.block(() => spin(code, turns.perRound, () => settled().brIf(1))),
      );
      code.br(0);
    });
  });
  return code.get(now).get(1).op("i32.eq");
}
