import { randomLoops } from "./randomProgram.loops.js";
import { type Loss, judge, traced, outcomesOf } from "./exact.js";
import { Session } from "node:inspector";
const s = new Session(); s.connect();
const { f, params } = randomLoops(Number(process.env.SEED)) as any;
s.post("Profiler.enable"); s.post("Profiler.start");
import { Flow } from "../../src/control/flow.js";
const proto = Flow.prototype as any; const settle = proto.settle; let n = 0;
proto.settle = function (nodes: any, visit: any) { let passes = 0; return settle.call(this, nodes, (x: any) => { const r = visit(x); if (x === nodes[0] && ++passes > 200) throw new Error("settle does not end: " + nodes.length + new Error().stack); return r; }); };
try { const p = traced(f, params); console.log("traced"); judge(f, params); console.log("judged"); } catch (e) { console.log((e as Error).message.slice(0, 2500)); }
