import { type Callee, Code, type ModuleBuilder } from "../encode.js";
import { barrierWords as at, roundSleep, turns } from "./words.js";

/** Pushes the value of a word at a fixed address. */
const read = (code: Code, address: number): Code => code.i32(0).memory("i32.atomic.load", address, 2);

const add = (code: Code, address: number, by: number): Code =>
  code.i32(0).i32(by).memory("i32.atomic.rmw.add", address, 2);

const write = (code: Code, address: number, value: number): Code =>
  code.i32(0).i32(value).memory("i32.atomic.store", address, 2);

/**
 * Adds the function (tid: i32, threads: i32) -> () that returns once all threads have called it. A driver calls it between steps. It
 * spins first, then sleeps. It traps when the step has failed on another thread, or when it is thread 0 and the others do not come:
 * whoever runs the driver catches that. With memory that is not shared there is one thread, and it does nothing.
 */
export function emitBarrier(builder: ModuleBuilder, shared: boolean): Callee {
  const code = new Code(["i32", "i32"]);
  if (shared) {
    const generation = code.local("i32");
    code.get(1).i32(2).op("i32.lt_s");
    code.if(() => code.op("return"));
    read(code, at.generation).set(generation);
    // After the generation: whoever fails later moves it on, whoever failed before is seen here.
    trapIfAborted(code);
    add(code, at.count, 1).i32(1).op("i32.add").get(1).op("i32.eq");
    code.if(
      () => releaseAll(code, generation),
      () => waitFor(code, generation),
    );
    trapIfAborted(code);
  }
  return builder.add(code, "barrier");
}

function trapIfAborted(code: Code): void {
  read(code, at.abort).if(() => code.op("unreachable"));
}

/** Pushes the place of the count of those who sleep on this generation, or on the one before, from `at.sleepers` on. */
function sleepersOf(code: Code, generation: number, before = 0): Code {
  return code.get(generation).i32(before).op("i32.add").i32(1).op("i32.and").i32(6).op("i32.shl");
}

function addSleeper(code: Code, generation: number, by: number): void {
  sleepersOf(code, generation).i32(by).memory("i32.atomic.rmw.add", at.sleepers, 2).op("drop");
}

/** What the last to arrive does. */
function releaseAll(code: Code, generation: number): void {
  write(code, at.count, 0);
  add(code, at.generation, 1).op("drop");
  // Notifying nobody takes 0.2 µs.
  sleepersOf(code, generation).memory("i32.atomic.load", at.sleepers, 2);
  code.if(() => code.i32(0).i32(-1).memory("memory.atomic.notify", at.generation, 2).op("drop"));
}

function waitFor(code: Code, generation: number): void {
  const rounds = code.local("i32");
  const moved = (): Code => read(code, at.generation).get(generation).op("i32.ne");
  code.block(() => {
    spin(code, turns.atBarrier, () => moved().brIf(1));
    linger(code, moved, () => sleepersOf(code, generation, 1).memory("i32.atomic.load", at.sleepers, 2));
    read(code, at.rounds).set(rounds);
    code.loop(() => {
      moved().brIf(1);
      countRound(code, rounds);
      code.get(0).op("i32.eqz");
      read(code, at.maySleep).op("i32.eqz").op("i32.and");
      code.if(
        () => code.block(() => spin(code, turns.perRound, () => moved().brIf(1))),
        () => sleep(code, generation),
      );
      code.br(0);
    });
  });
}

/** Thread 0 gives up when its rounds are over; workers wait as long as it takes, since nobody waits for them then. */
function countRound(code: Code, rounds: number): void {
  code.get(0).op("i32.eqz");
  code.if(() => {
    code.get(rounds).op("i32.eqz");
    code.if(() => {
      write(code, at.gaveUp, 1);
      code.op("unreachable");
    });
    code.get(rounds).i32(1).op("i32.sub").set(rounds);
  });
}

function sleep(code: Code, generation: number): void {
  addSleeper(code, generation, 1);
  code.i32(0).get(generation);
  code
    .i64(BigInt(roundSleep) * 1_000_000n)
    .i64(-1n)
    .get(0)
    .op("i32.eqz")
    .op("select");
  code.memory("memory.atomic.wait32", at.generation, 2).op("drop");
  addSleeper(code, generation, -1);
}

/** Repeats a body a number of times. Inside it, depth 0 is the loop, depth 1 what stands around. */
export function spin(code: Code, times: number, body: () => void): void {
  const left = code.local("i32");
  code.i32(times).set(left);
  code.loop(() => {
    body();
    code.get(left).i32(1).op("i32.sub").tee(left).brIf(0);
  });
}

/** Spins on while somebody who is waited for is being woken. Leaves the block around it once they have `come`. */
export function linger(code: Code, come: () => Code, waking: () => Code): void {
  code.block(() => {
    spin(code, turns.whileWaking, () => {
      come().brIf(2);
      waking().op("i32.eqz").brIf(1);
    });
  });
}
