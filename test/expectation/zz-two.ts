import { randomLoops } from "./randomProgram.loops.js";
import { printGraph } from "../../src/graph/print.js";
const { traced, judge } = await import("./exact.js");
const { f, params } = randomLoops(Number(process.env.SEED)) as any;
console.log(printGraph([traced(f, params).loss]));
try { judge(f, params); } catch (e) { console.log((e as Error).stack); }
