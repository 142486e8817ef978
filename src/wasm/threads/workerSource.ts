import { barrierWords, errorBytes, poolWords, requests } from "./words.js";

/** What a worker is given when it starts. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  readonly signals: WebAssembly.Module;
  /** Address of the words of the pool. */
  readonly pool: number;
  /** From 1 on; thread 0 is the one that started the pool. */
  readonly tid: number;
  readonly threads: number;
}

/** What a worker is told later. */
export type WorkerMessage =
  | {
      readonly id: number;
      readonly module: WebAssembly.Module;
      /** Sources of functions, by the names under which the module imports them. */
      readonly provided: Readonly<Record<string, string>>;
    }
  | { readonly drop: number };

const layout = JSON.stringify({ barrier: barrierWords, pool: poolWords, errorBytes, requests });

/**
 * The program of a worker, as text: so it needs no file of its own and runs from the sources, the built package and a bundle alike, in
 * Node (where `require` exists) and in browsers. It waits inside WASM, returns to JavaScript for each step, and to its event loop
 * only in browsers, where messages arrive no other way.
 */
export const workerSource: string = `"use strict";
const layout = ${layout};
const node = typeof require === "function" ? require("node:worker_threads") : null;
const programs = new Map();
let last = 0, words, signals, start, mail;

const word = (address) => address >>> 2;
const own = (name) => word(start.pool + layout.pool[name]);

function begin(data) {
  start = data;
  words = new Int32Array(start.memory.buffer);
  signals = new WebAssembly.Instance(start.signals, { env: { memory: start.memory } }).exports;
  serve();
}

function serve() {
  for (;;) {
    last = signals.park(start.pool, last);
    const request = Atomics.load(words, own("request"));
    if (request === layout.requests.quit) return node ? mail.close() : self.close();
    if (request === layout.requests.readMessages) {
      if (!node) return void setTimeout(serve, 0);
      for (let m; (m = node.receiveMessageOnPort(mail)); ) receive(m.message);
      continue;
    }
    try {
      programs.get(request)(start.tid, start.threads);
    } catch (error) {
      report(error);
    }
  }
}

function receive(message) {
  if (message.drop !== undefined) return void programs.delete(message.drop);
  try {
    programs.set(message.id, new WebAssembly.Instance(message.module, { env: imports(message) }).exports.run);
  } catch (error) {
    programs.set(message.id, () => { throw error; });
  }
  Atomics.add(words, own("received"), 1);
}

function imports({ module, provided }) {
  const env = { memory: start.memory };
  for (const { name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === "function") env[name] = resolved(name, provided[name]);
  }
  return env;
}

function resolved(name, source) {
  if (source !== undefined) {
    return new Function("require", "memory", "return (" + source + ")")(node ? require : undefined, start.memory);
  }
  if (name.startsWith("Math.")) return Math[name.slice(5)];
  return () => { throw new Error(name + " was called by thread " + start.tid + "; only thread 0 has it"); };
}

/** The first error ends the step on all threads; those that follow are traps of barriers. */
function report(error) {
  const { name, message, stack } = error instanceof Error ? error : { name: "Error", message: String(error), stack: "" };
  // At most six bytes a character: it fits.
  const cut = (text, length) => String(text).slice(0, length);
  const text = JSON.stringify({ name: cut(name, 40), message: cut(message, 300), stack: cut(stack, 300) });
  const bytes = new TextEncoder().encode(text);
  const area = start.pool + layout.pool.errors + (start.tid - 1) * layout.errorBytes;
  words[word(area)] = bytes.length;
  new Uint8Array(start.memory.buffer).set(bytes, area + 4);
  if (Atomics.compareExchange(words, own("failedBy"), 0, start.tid) !== 0) return;
  const { barrier } = layout;
  Atomics.store(words, word(barrier.abort), 1);
  Atomics.add(words, word(barrier.generation), 1);
  Atomics.notify(words, word(barrier.generation));
}

if (node) {
  mail = node.workerData.mail;
  begin(node.workerData.start);
} else {
  self.onmessage = ({ data }) => (data.signals ? begin(data) : receive(data));
}
`;
