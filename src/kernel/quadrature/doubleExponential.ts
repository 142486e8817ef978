/**
 * The double exponential rules: the trapezoidal rule in t with step h = 2^−level, after a substitution under which the integrand and its
 * derivatives vanish doubly exponentially at both ends, whatever singularity sits there. The error falls like exp(−c/(h log 1/h)).
 *
 * Source: H. Takahasi and M. Mori, Double exponential formulas for numerical integration, Publ. RIMS 9 (1974).
 */

/** What is integrated over: (0, 1), (0, ∞) or (−∞, ∞). */
export type Range = "finite" | "half" | "line";

export interface Substitution {
  /** "finite": the distance to the nearer end, which keeps its digits next to both; "half": to the end; "line": the node itself. */
  readonly at: Float64Array;
  /** "finite": whether that end is the left one. */
  readonly left: Uint8Array;
  /** dx/dt */
  readonly slope: Float64Array;
  /** Nodes so far out that an integrand which is not finite there may be taken for 0: next to a finite end, or towards an infinite one. */
  readonly outer: Uint8Array;
  readonly step: number;
}

/**
 * Where t stops, in quarters, so that the rules of all levels from 4 on are nested: the outermost nodes are about 1e-130 from an end (3e-18 in
 * single precision) and 1e±137 (1e±18) from an infinite one. Their squares can be written.
 */
const reach = { double: { finite: 5.25, half: 6, line: 6 }, single: { finite: 3.25, half: 4, line: 4 } };
const epsilon = { double: 2 ** -52, single: 2 ** -23 };

/** @param level at least 4; the rules of the two levels below are every second and every fourth node, the first included */
export function doubleExponential(range: Range, level: number, precision: "double" | "single"): Substitution {
  const step = 2 ** -level;
  const half = reach[precision][range] / step;
  const size = 2 * half + 1;
  const [at, slope] = [new Float64Array(size), new Float64Array(size)];
  const [left, outer] = [new Uint8Array(size), new Uint8Array(size)];
  for (let i = 0; i < size; i++) {
    const t = (i - half) * step;
    const node = substitutes[range](t);
    at[i] = node.at;
    slope[i] = node.slope;
    left[i] = t <= 0 ? 1 : 0;
    outer[i] = isOuter(range, node.at, epsilon[precision]) ? 1 : 0;
  }
  return { at, left, slope, outer, step };
}

function isOuter(range: Range, at: number, eps: number): boolean {
  if (range === "line") return Math.abs(at) > 1;
  return at < eps || (range === "half" && at > 1);
}

const substitutes: Record<Range, (t: number) => { at: number; slope: number }> = {
  // x = 1/(1 + exp(−π sinh t)): tanh–sinh, moved to (0, 1).
  finite: (t) => {
    const e = Math.exp(-Math.PI * Math.sinh(Math.abs(t)));
    return { at: e / (1 + e), slope: (Math.PI * Math.cosh(t) * e) / (1 + e) ** 2 };
  },
  // exp–sinh
  half: (t) => {
    const x = Math.exp((Math.PI / 2) * Math.sinh(t));
    return { at: x, slope: (Math.PI / 2) * Math.cosh(t) * x };
  },
  // sinh–sinh
  line: (t) => {
    const s = (Math.PI / 2) * Math.sinh(t);
    return { at: Math.sinh(s), slope: (Math.PI / 2) * Math.cosh(t) * Math.cosh(s) };
  },
};
