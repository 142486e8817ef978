import { Worker } from "node:worker_threads";
import { freeWith, memory } from "../../src/wasm/memory.js";
import { program, runOnAll, setThreads } from "../../src/wasm/threads/index.js";
import { game, gameInJs, gameUnits } from "./threadsRun.js";

/** Runs as a process of its own: what it prints is compared. */
declare const gc: () => void;

/** Ends with workers parked: nothing here stops them. */
function exits(): void {
  setThreads(3);
  const region = memory().allocate(8 * gameUnits);
  const rows = memory()
    .views()
    .i32.subarray(region.address / 4, region.address / 4 + 2 * gameUnits);
  const start = Int32Array.from({ length: 2 * gameUnits }, (_, i) => i * i + 1);
  rows.set(start);
  const step = program(game(region, 101));
  const took = runOnAll(step, { wait: 20_000 });
  console.log(took, rows.join() === gameInJs(start, 101).join());
}

/** A region comes back when its owner is collected, not before; one that is freed by hand comes back once. */
async function frees(): Promise<void> {
  const store = memory();
  const kept = { of: "a result" };
  freeWith(kept, store.allocate(1000));
  const before = store.inUse;
  for (let i = 0; i < 100; i++) {
    const region = store.allocate(5000);
    freeWith({ number: i }, region);
    if (i % 2 === 0) region.free();
  }
  const between = store.inUse;
  for (let i = 0; i < 20 && store.inUse > before; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log(between - before, store.inUse - before, store.inUse, kept.of);
}

/** The least of a page: workers that are made from the URL of a blob, and get messages one by one in their event loop. */
class PageWorker {
  static sources: Promise<string>[] = [];
  onerror: unknown = null;
  private readonly made: Promise<Worker>;

  constructor() {
    this.made = (PageWorker.sources.pop() as Promise<string>).then((source) => {
      const self =
        "const self = { close: () => process.exit() }; parentPort.on('message', (data) => self.onmessage({ data }));";
      const program = `const { parentPort } = require("node:worker_threads"); ${self} { const require = undefined; ${source} }`;
      const worker = new Worker(program, { eval: true });
      worker.unref();
      return worker;
    });
  }

  postMessage(message: unknown): void {
    void this.made.then((worker) => worker.postMessage(message));
  }

  terminate(): void {
    void this.made.then((worker) => worker.terminate());
  }
}

/** Steps run alone while the page has not been back in its event loop, and on all threads soon after. */
async function page(): Promise<void> {
  const makeUrl = (blob: Blob): string => {
    PageWorker.sources.push(blob.text());
    return "blob:";
  };
  Object.assign(URL, { createObjectURL: makeUrl });
  Object.assign(globalThis, { Worker: PageWorker, navigator: { hardwareConcurrency: 2 } });
  Object.assign(process, { getBuiltinModule: undefined });
  const wait = (): never => {
    throw new TypeError("Atomics.wait cannot be called in this context");
  };
  Object.assign(Atomics, { wait });
  setThreads(2);
  const region = memory().allocate(8 * gameUnits);
  const rows = memory()
    .views()
    .i32.subarray(region.address / 4, region.address / 4 + 2 * gameUnits);
  const start = Int32Array.from({ length: 2 * gameUnits }, (_, i) => i * i + 1);
  const step = program(game(region, 101));
  let took = 1;
  for (let i = 0; i < 2000 && took === 1; i++) {
    rows.set(start);
    took = runOnAll(step);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log(took, rows.join() === gameInJs(start, 101).join());
}

if (process.argv[2] === "frees") await frees();
else if (process.argv[2] === "page") await page();
else exits();
