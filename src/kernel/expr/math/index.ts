import type { Builder, Value } from "../block.js";
import { erf, erfc, ndtr } from "./erf.js";
import { exp, expm1 } from "./exp.js";
import { digamma, lgamma, trigamma } from "./gamma.js";
import { log, log1p } from "./log.js";
import { erfinv, ndtri } from "./ndtri.js";
import { pow } from "./pow.js";
import { logSigmoid, sigmoid, softplus } from "./sigmoid.js";
import { tanh } from "./tanh.js";
import { cos, sin, tan } from "./trig.js";

/** What the catalogue says about one function as an expression; test/kernel/expr/math.test.ts checks every claim. */
export interface Expression {
  readonly name: string;
  readonly arity: number;
  /** Of float32 or float64 arguments, all of one type; so is the result. */
  readonly build: (b: Builder, ...args: Value[]) => Value;
  /** Where the method is published. */
  readonly source: string;
  /** Largest error against mpmath over test/reference/expr.json, in units in the last place of the exact result, by precision. */
  readonly maxUlp32: number;
  readonly maxUlp64: number;
  /** One closed interval per argument; NaN outside, and at NaN. */
  readonly domain: readonly (readonly [number, number])[];
}

const REAL: readonly [number, number] = [-Infinity, Infinity];
const POSITIVE: readonly [number, number] = [0, Infinity];

const unary = (
  name: string,
  build: (b: Builder, x: Value) => Value,
  source: string,
  [maxUlp32, maxUlp64]: readonly [number, number],
  domain = REAL,
): Expression => ({
  name,
  arity: 1,
  build: (b, ...args) => build(b, args[0] as Value),
  source,
  maxUlp32,
  maxUlp64,
  domain: [domain],
});

const entries: readonly Expression[] = [
  unary("exp", exp, "Cody & Waite 1980", [1, 1]),
  unary("expm1", expm1, "Cody & Waite 1980", [1.6, 2]),
  unary("log", log, "Ng 1986", [0.9, 0.9], POSITIVE),
  unary("log1p", log1p, "Ng 1986; Knuth, TAOCP 4.2.2", [0.9, 0.9], [-1, Infinity]),
  unary("sin", sin, "Cody & Waite 1980", [1.9, 1.6]),
  unary("cos", cos, "Cody & Waite 1980", [1.8, 1.6]),
  unary("tan", tan, "Cody & Waite 1980", [3.4, 3.2]),
  unary("tanh", tanh, "definition", [1.3, 1.3]),
  unary("sigmoid", sigmoid, "definition", [2.3, 2.1]),
  unary("softplus", softplus, "Mächler 2012", [1.7, 1.5]),
  unary("logSigmoid", logSigmoid, "Mächler 2012", [1.7, 1.5]),
  unary("erf", erf, "DLMF 7.2.1", [1.9, 1]),
  unary("erfc", erfc, "Shepherd & Laframboise 1981; Dekker 1971", [3.9, 3.5]),
  unary("ndtr", ndtr, "Shepherd & Laframboise 1981; Dekker 1971", [3.9, 3.9]),
  unary("ndtri", ndtri, "own rational functions; Wichura 1988 (tail)", [4.2, 3], [0, 1]),
  unary("erfinv", erfinv, "own rational functions; Wichura 1988 (tail)", [4.5, 3], [-1, 1]),
  unary("lgamma", lgamma, "DLMF 5.5.1, 5.11.1", [0.6, 2.5]),
  unary("digamma", digamma, "DLMF 5.5.2, 5.11.2", [0.6, 3]),
  unary("trigamma", trigamma, "DLMF 5.5.2, 5.15.8", [0.6, 3]),
  {
    name: "pow",
    arity: 2,
    build: (b, ...args) => pow(b, args[0] as Value, args[1] as Value),
    source: "definition, in float64",
    maxUlp32: 0.6,
    maxUlp64: 0.9,
    domain: [POSITIVE, REAL],
  },
];

/** Elementary and special functions as expressions, with their sources and measured errors. */
export const expressions: readonly Expression[] = Object.freeze(entries.map((entry) => Object.freeze(entry)));

export {
  cos,
  digamma,
  erf,
  erfc,
  erfinv,
  exp,
  expm1,
  lgamma,
  log,
  log1p,
  logSigmoid,
  ndtr,
  ndtri,
  pow,
  sigmoid,
  sin,
  softplus,
  tan,
  tanh,
  trigamma,
};
