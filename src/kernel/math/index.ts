import { digamma } from "./digamma.js";
import { erf } from "./erf.js";
import { erfc } from "./erfc.js";
import { erfcx } from "./erfcx.js";
import { erfinv } from "./erfinv.js";
import { igamma, igammac } from "./igamma.js";
import { lgamma } from "./lgamma.js";
import { log1mexp } from "./log1mexp.js";
import { log1pmx } from "./log1pmx.js";
import { logaddexp } from "./logaddexp.js";
import { logNdtr } from "./logNdtr.js";
import { logSigmoid } from "./logSigmoid.js";
import { ndtr } from "./ndtr.js";
import { ndtri } from "./ndtri.js";
import { poissonInverse } from "./poisson.js";
import { poissonPmf } from "./poissonPmf.js";
import { polygamma, tetragamma, trigamma } from "./polygamma.js";
import { sigmoid } from "./sigmoid.js";
import { softplus } from "./softplus.js";

/** What the catalogue says about one scalar function; test/kernel/math.test.ts checks every claim. */
export interface MathFunction {
  readonly name: string;
  readonly fn: (...args: number[]) => number;
  readonly arity: number;
  /** Where the method is published. */
  readonly source: string;
  /** Largest error against mpmath over test/reference, in units in the last place of the exact result. */
  readonly maxUlp: number;
  /** For functions continued to x < 0 by reflection: the same there, in ulp of max(1, |result|), for −30 < x < 0. */
  readonly reflectedUlp?: number;
  /** One closed interval per argument; NaN outside, and at NaN. */
  readonly domain: readonly (readonly [number, number])[];
  /** The function's name in test/reference/special.json, and which of its outputs it is (the first unless told). */
  readonly reference: string | null;
  readonly output?: number;
}

const REAL: readonly [number, number] = [-Infinity, Infinity];
const POSITIVE: readonly [number, number] = [0, Infinity];

const entries: readonly MathFunction[] = [
  { name: "erf", fn: erf, arity: 1, source: "DLMF 7.2.1", maxUlp: 1.1, domain: [REAL], reference: "erf" },
  { name: "erfc", fn: erfc, arity: 1, source: "DLMF 7.2.2", maxUlp: 3.1, domain: [REAL], reference: "erfc" },
  { name: "erfcx", fn: erfcx, arity: 1, source: "DLMF 7.2.2, 7.12.1", maxUlp: 1.9, domain: [REAL], reference: null },
  { name: "erfinv", fn: erfinv, arity: 1, source: "Wichura 1988", maxUlp: 3.6, domain: [[-1, 1]], reference: "erfinv" },
  { name: "ndtri", fn: ndtri, arity: 1, source: "Wichura 1988", maxUlp: 3.1, domain: [[0, 1]], reference: "ndtri" },
  { name: "ndtr", fn: ndtr, arity: 1, source: "DLMF 7.2.2", maxUlp: 3.3, domain: [REAL], reference: null },
  { name: "logNdtr", fn: logNdtr, arity: 1, source: "DLMF 7.2.2", maxUlp: 3.9, domain: [REAL], reference: "log_ndtr" },
  {
    name: "softplus",
    fn: softplus,
    arity: 1,
    source: "Mächler 2012",
    maxUlp: 1.4,
    domain: [REAL],
    reference: "softplus",
  },
  {
    name: "logSigmoid",
    fn: logSigmoid,
    arity: 1,
    source: "Mächler 2012",
    maxUlp: 1.4,
    domain: [REAL],
    reference: "log_sigmoid",
  },
  { name: "sigmoid", fn: sigmoid, arity: 1, source: "definition", maxUlp: 2.2, domain: [REAL], reference: null },
  {
    name: "log1mexp",
    fn: log1mexp,
    arity: 1,
    source: "Mächler 2012",
    maxUlp: 1.8,
    domain: [POSITIVE],
    reference: "log1mexp",
  },
  {
    name: "logaddexp",
    fn: logaddexp,
    arity: 2,
    source: "definition",
    maxUlp: 0.7,
    domain: [REAL, REAL],
    reference: null,
  },
  {
    name: "log1pmx",
    fn: log1pmx,
    arity: 1,
    source: "DLMF 4.37.24",
    maxUlp: 2.6,
    domain: [[-1, Infinity]],
    reference: null,
  },
  {
    name: "lgamma",
    fn: lgamma,
    arity: 1,
    source: "DLMF 5.5.3, 5.11.1",
    maxUlp: 2.5,
    reflectedUlp: 3.1,
    domain: [REAL],
    reference: "lgamma",
  },
  {
    name: "digamma",
    fn: digamma,
    arity: 1,
    source: "DLMF 5.5.4, 5.11.2",
    maxUlp: 2.7,
    reflectedUlp: 5.3,
    domain: [REAL],
    reference: "digamma",
  },
  {
    name: "trigamma",
    fn: trigamma,
    arity: 1,
    source: "DLMF 25.11.12, 25.11.28",
    maxUlp: 2.6,
    reflectedUlp: 1.8,
    domain: [REAL],
    reference: "trigamma",
  },
  {
    name: "tetragamma",
    fn: tetragamma,
    arity: 1,
    source: "DLMF 25.11.12, 25.11.28",
    maxUlp: 2.5,
    reflectedUlp: 27,
    domain: [REAL],
    reference: "polygamma2",
  },
  {
    name: "polygamma",
    fn: polygamma,
    arity: 2,
    source: "DLMF 25.11.12, 25.11.28",
    maxUlp: 7.4,
    domain: [POSITIVE, REAL],
    reference: null,
  },
  {
    name: "poissonPmf",
    fn: poissonPmf,
    arity: 2,
    source: "Loader 2000",
    maxUlp: 1050,
    domain: [POSITIVE, POSITIVE],
    reference: null,
  },
  {
    name: "igamma",
    fn: igamma,
    arity: 2,
    source: "Gautschi 1979; Temme 1979",
    maxUlp: 760,
    domain: [POSITIVE, POSITIVE],
    reference: "gamma_p",
  },
  {
    name: "igammac",
    fn: igammac,
    arity: 2,
    source: "Gautschi 1979; Temme 1979",
    maxUlp: 580,
    domain: [POSITIVE, POSITIVE],
    reference: "gamma_p",
    output: 1,
  },
  {
    name: "poissonInverse",
    fn: poissonInverse,
    arity: 2,
    source: "DLMF 8.4.10; Giles 2016",
    maxUlp: 0,
    domain: [[0, 1], POSITIVE],
    reference: null,
  },
];

/** The scalar special functions, with their sources and measured errors. */
export const mathFunctions: readonly MathFunction[] = Object.freeze(entries.map((entry) => Object.freeze(entry)));
