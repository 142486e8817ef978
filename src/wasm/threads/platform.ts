import type { WorkerMessage, WorkerStart } from "./workerSource.js";

/** One running worker, however the platform makes them. */
export interface WorkerHandle {
  post(message: WorkerMessage): void;
  /** Ends it, in the middle of what it does. It takes effect soon, not at once. */
  kill(): void;
}

/** Called with the reason when a worker ends that was not asked to. */
export type OnEnd = (why: string) => void;

type NodeWorkers = typeof import("node:worker_threads");

/** A module of Node without an import, which a bundle for browsers could not resolve. */
function builtin<T>(name: string): T | null {
  const load = typeof process === "object" ? process.getBuiltinModule : undefined;
  return typeof load === "function" ? ((load(name) as T | undefined) ?? null) : null;
}

const nodeWorkers = (): NodeWorkers | null => builtin<NodeWorkers>("node:worker_threads");

export const inNode = (): boolean => nodeWorkers() !== null;

export const canStartWorkers = (): boolean => inNode() || typeof Worker === "function";

/** Cores that this process may use. */
export function cores(): number {
  const os = builtin<typeof import("node:os")>("node:os");
  if (os !== null) return os.availableParallelism();
  return typeof navigator === "object" ? (navigator.hardwareConcurrency ?? 1) : 1;
}

/** Whether this thread may block; the main thread of a page may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** @throws where the platform refuses (no permission, no blob URLs) */
export function startWorker(source: string, start: WorkerStart, onEnd: OnEnd): WorkerHandle {
  const node = nodeWorkers();
  return node !== null ? startInNode(node, source, start, onEnd) : startInBrowser(source, start, onEnd);
}

function startInNode(node: NodeWorkers, source: string, start: WorkerStart, onEnd: OnEnd): WorkerHandle {
  const { port1, port2 } = new node.MessageChannel();
  // Flags of this process (loaders of TypeScript, inspectors) are none of the worker's business.
  const options = { eval: true, execArgv: [], workerData: { start, mail: port2 }, transferList: [port2] };
  const worker = new node.Worker(source, options);
  worker.on("error", (error: unknown) => onEnd(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => onEnd(`it ended with exit code ${code}`));
  // A process that is done ends, although its workers wait for more.
  worker.unref();
  port1.unref();
  return {
    post: (message) => port1.postMessage(message),
    kill: () => void worker.terminate(),
  };
}

function startInBrowser(source: string, start: WorkerStart, onEnd: OnEnd): WorkerHandle {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "samplegrad" });
  worker.onerror = (event) => {
    event.preventDefault();
    onEnd(event.message ?? "the page does not allow it");
  };
  worker.postMessage(start);
  return {
    post: (message) => worker.postMessage(message),
    kill: () => worker.terminate(),
  };
}
