import { memory, type Region } from "../memory.js";
import { inNode, maySleep, startWorker, type WorkerHandle } from "./platform.js";
import { type Signals, signalsModule } from "./signals.js";
import { barrierWords, errorBytes, poolWords, requests, roundSleep } from "./words.js";
import { workerSource } from "./workerSource.js";

/** A compiled plan as the pool sees it. */
export interface Runnable {
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly provided: Readonly<Record<string, string>>;
  readonly run: (tid: number, threads: number) => void;
}

/** Thrown when workers have stopped answering in the middle of a step. By then none of them can write any more. */
export class WorkersLost extends Error {}

export interface PoolOptions {
  /** How long thread 0 waits for a worker in the middle of a step before it gives it up, in ms. */
  readonly patience?: number;
  /** How long workers may take to start, in ms. */
  readonly startWithin?: number;
  /** Time that a worker that is being ended may still need to notice it, in ms. */
  readonly grace?: number;
  /** The program of a worker, in place of the usual one (tests). */
  readonly source?: string;
}

/** A turn of a spinning round takes about half a millisecond. */
const spinRound = 0.5;

const index = (address: number): number => address >>> 2;

/**
 * Workers that run the same programs as thread 0, side by side in one memory. Either all of them take part in a step or none: results
 * do not depend on how many do, so nobody waits for a worker that is still starting or has not got a program yet.
 */
export class Pool {
  /** With thread 0. */
  readonly threads: number;
  private readonly workers: WorkerHandle[] = [];
  private readonly region: Region;
  private readonly words: Int32Array;
  private readonly signals: Signals;
  private readonly sleepy: boolean = maySleep();
  private readonly patience: number;
  private readonly grace: number;
  private readonly deadline: number;
  private readonly posted = new Set<number>();
  private messages = 0;
  private generation = 0;
  private started = false;
  private retired = false;
  /** Why it is of no use any more; null: it is. */
  lost: string | null = null;

  /** @throws where workers cannot be made at all */
  constructor(threads: number, options: PoolOptions = {}) {
    const { patience = 60_000, startWithin = 10_000, grace = 1000, source = workerSource } = options;
    const store = memory();
    this.grace = grace;
    this.threads = threads;
    this.patience = patience;
    this.deadline = performance.now() + startWithin;
    this.region = store.allocate(poolWords.errors + (threads - 1) * errorBytes);
    this.words = store.views().i32;
    this.words.fill(0, index(this.region.address), index(this.region.address + poolWords.errors));
    const module = signalsModule(store);
    this.signals = new WebAssembly.Instance(module, { env: { memory: store.wasm } }).exports as unknown as Signals;
    const common = { memory: store.wasm, signals: module, pool: this.region.address, threads };
    for (let tid = 1; tid < threads; tid++)
      this.workers.push(startWorker(source, { ...common, tid }, (why) => this.ended(why)));
  }

  /** Whether every worker waits for work. */
  private get parked(): boolean {
    return this.load(poolWords.done) === (Math.imul(this.workers.length, this.generation + 1) | 0);
  }

  private get informed(): boolean {
    return this.load(poolWords.received) === this.workers.length * this.messages;
  }

  /** Whether workers spin, so that a step begins on them within a microsecond; those that sleep must be woken first. */
  get hot(): boolean {
    return this.lost === null && this.parked && this.load(poolWords.sleepers) === 0;
  }

  /** Sees to it that workers get the program, and says whether they have it and wait for work. @param wait ms to wait for that at most */
  prepare(program: Runnable, wait: number): boolean {
    if (this.lost !== null) return false;
    if (!this.posted.has(program.id)) this.post(program);
    if (this.parked && this.informed) return true;
    const end = wait > 0 ? performance.now() + wait : 0;
    do {
      if (this.parked) {
        this.started = true;
        if (this.informed) return true;
        this.publish(requests.readMessages);
      } else if (!this.started && inNode() && performance.now() > this.deadline) {
        this.end("workers did not start in time");
        return false;
      }
      if (wait > 0) this.nap(0.2);
    } while (wait > 0 && performance.now() < end);
    return false;
  }

  /**
   * Runs a prepared program on all threads. An error on any thread ends the step on all and is thrown here.
   * @throws WorkersLost where workers stopped answering
   */
  run(program: Runnable): void {
    this.settings();
    this.publish(program.id);
    let failure: { readonly error: unknown } | null = null;
    try {
      program.run(0, this.threads);
    } catch (error) {
      failure = { error };
      this.abort();
    }
    const gaveUp = failure !== null && this.load(barrierWords.gaveUp, 0) !== 0;
    if (!this.settle(gaveUp ? this.grace : this.patience)) this.stop();
    else if (gaveUp) this.end("a worker stopped answering");
    const by = this.load(poolWords.failedBy);
    if (failure === null && by === 0 && this.lost === null) return;
    this.clear();
    if (by > 0) throw this.reported(by);
    if (gaveUp || failure === null) throw new WorkersLost("workers stopped answering");
    throw failure.error;
  }

  /** Workers need not keep the program. They hear of it with their next message. */
  drop(id: number): void {
    if (this.posted.delete(id) && this.lost === null) for (const worker of this.workers) worker.post({ drop: id });
  }

  /** Lets the workers end; no step may be under way. */
  retire(): void {
    this.retired = true;
    if (this.lost === null) this.publish(requests.quit);
    this.lost ??= "retired";
  }

  private post({ id, module, provided }: Runnable): void {
    for (const worker of this.workers) worker.post({ id, module, provided });
    this.posted.add(id);
    this.messages++;
  }

  private publish(request: number): void {
    this.generation = this.signals.publish(this.region.address, request);
  }

  private settle(patience: number): boolean {
    const target = Math.imul(this.workers.length, this.generation + 1) | 0;
    return this.signals.settle(this.region.address, target, this.rounds(patience), Number(this.sleepy)) === 1;
  }

  private rounds(ms: number): number {
    return Math.ceil(ms / (this.sleepy ? roundSleep : spinRound));
  }

  /** What barriers need to know of this thread. */
  private settings(): void {
    this.words[index(barrierWords.rounds)] = this.rounds(this.patience);
    this.words[index(barrierWords.maySleep)] = Number(this.sleepy);
  }

  /** Makes every worker leave the step at its next barrier. */
  private abort(): void {
    const { words } = this;
    Atomics.compareExchange(words, index(this.region.address + poolWords.failedBy), 0, -1);
    Atomics.store(words, index(barrierWords.abort), 1);
    Atomics.add(words, index(barrierWords.generation), 1);
    Atomics.notify(words, index(barrierWords.generation));
  }

  /** Makes the words ready for the next step, once nobody is inside one. */
  private clear(): void {
    const { abort, count, gaveUp, sleepers } = barrierWords;
    for (const address of [abort, count, gaveUp, sleepers, sleepers + 64]) Atomics.store(this.words, index(address), 0);
    Atomics.store(this.words, index(this.region.address + poolWords.failedBy), 0);
  }

  /** The error of a worker, as it was there. */
  private reported(tid: number): Error {
    const area = this.region.address + poolWords.errors + (tid - 1) * errorBytes;
    const size = this.words[index(area)] as number;
    // Decoders refuse shared memory; a slice is a copy that is not shared.
    const text = new TextDecoder().decode(new Uint8Array(this.words.buffer, area + 4, size).slice());
    const { name, message, stack } = JSON.parse(text) as { name: string; message: string; stack: string };
    const error = name === "RuntimeError" ? new WebAssembly.RuntimeError(message) : new Error(message);
    return Object.assign(error, { name, stack });
  }

  /** Ends workers that do not settle, and waits until they cannot write any more. */
  private stop(): void {
    this.abort();
    this.end("a worker stopped answering");
    this.settle(this.grace);
  }

  private end(why: string): void {
    if (this.lost !== null) return;
    this.lost = why;
    for (const worker of this.workers) worker.kill();
  }

  private ended(why: string): void {
    if (!this.retired) this.end(`a worker could not go on (${why})`);
  }

  private nap(ms: number): void {
    if (this.sleepy) Atomics.wait(this.words, index(barrierWords.gaveUp), 0, ms);
  }

  private load(word: number, base: number = this.region.address): number {
    return Atomics.load(this.words, index(base + word));
  }
}
