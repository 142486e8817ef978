/**
 * Words of shared memory through which threads speak. Words that one thread writes while others spin on another are 64 bytes apart, so
 * that no write takes away the cache line another thread is reading.
 */

/** Addresses of the words of barriers. They are fixed, so that plans that contain barriers do not depend on the pool. */
export const barrierWords = {
  /** How many threads have arrived. */
  count: 1024,
  /** Counts barriers passed; threads that wait spin on it. */
  generation: 1088,
  /** Not 0: the step has failed on some thread, and every thread leaves it at its next barrier. In the line that is read anyway. */
  abort: 1092,
  /**
   * How many threads sleep on an even `generation`; 64 bytes on: on an odd one. A thread that has been woken is counted until it runs,
   * so whoever waits for it at the next barrier can tell that from a thread that merely does not come.
   */
  sleepers: 1152,
  /** How often thread 0 looks again (after 10 ms of sleep or 10⁶ turns) before it gives the others up. */
  rounds: 1280,
  /** Whether thread 0 may sleep; the main thread of a page may not. */
  maySleep: 1284,
  /** Set by thread 0 when it has given up. */
  gaveUp: 1288,
} as const;

/** Offsets of the words of a pool from the beginning of its region. */
export const poolWords = {
  /** Counts what has been published; workers without work spin on it. */
  generation: 0,
  /** What the last publication asks for: the number of a program, or one of `requests`. */
  request: 64,
  /** Rises by one whenever a worker begins to wait for the next generation. */
  done: 128,
  /** Rises by one for each program that a worker has received. */
  received: 192,
  /** How many workers sleep on `generation`. */
  sleepers: 256,
  /** Whether thread 0 sleeps on `done`. */
  mainSleeps: 320,
  /** Number of the worker whose error ended the step; -1: that of thread 0. */
  failedBy: 384,
  /** One area of `errorBytes` per worker: the length of a text, and the text. */
  errors: 448,
} as const;

export const errorBytes = 4096;

/** Requests that are not programs. */
export const requests = { readMessages: -1, quit: -2 } as const;

/** Turns of a spin loop: about 0.5 ns each. */
export const turns = {
  /** 25 µs. A thread that does not come within it is likely to have lost its core, perhaps to the one that spins. */
  atBarrier: 50_000,
  /**
   * 50 µs (a turn reads two words): so much longer while a thread that is waited for is being woken, which takes 12 to 70 µs. Else
   * one that sleeps once would send the others to sleep, and they it, at every barrier from there on. Where threads share a core it
   * is time lost, as all spinning is.
   */
  whileWaking: 50_000,
  /** 100 µs. */
  betweenSteps: 200_000,
  /** Where thread 0 may not sleep it counts this many turns as one round. */
  perRound: 1_000_000,
} as const;

/** How long thread 0 sleeps per round, in ms. */
export const roundSleep = 10;
