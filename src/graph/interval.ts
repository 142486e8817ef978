/**
 * Where the numbers of a tensor lie: an interval that holds all its elements, whatever the random choices are. It decides whether a
 * singular point of a primitive (1/x at 0) can be met. Mathematics, not rounding: a sigmoid never reaches 1 here.
 */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
  /** Whether the ends themselves are left out. */
  readonly open: readonly [boolean, boolean];
  /** Whether an element may meet 0 on its way, as random choices move. An element that is always 0 does not meet it. */
  readonly zero: boolean;
  /** Whether random choices move it at all. Left out: they do if they move an input. */
  readonly random?: boolean;
}

export function interval(lo: number, hi: number, open: readonly [boolean, boolean] = [false, false]): Interval {
  if (!(lo <= hi)) return everything;
  const single = lo === hi;
  const ends = [!single && (open[0] || lo === -Infinity), !single && (open[1] || hi === Infinity)] as const;
  const zero = lo < 0 ? hi > 0 || (hi === 0 && !ends[1]) : lo === 0 && !ends[0];
  return { lo, hi, open: ends, zero };
}

export const everything: Interval = {
  lo: Number.NEGATIVE_INFINITY,
  hi: Number.POSITIVE_INFINITY,
  open: [true, true],
  zero: true,
};
/** Of what has no numbers: NaN is loud, so it is left out of account. */
export const nowhere: Interval = { lo: Infinity, hi: -Infinity, open: [true, true], zero: false };

export const exactly = (x: number): Interval => interval(x, x);
export const isSingle = ({ lo, hi }: Interval): boolean => lo === hi;
export const above = (low: number): Interval => interval(low, Infinity, [true, true]);
export const inside = (low: number, high: number): Interval => interval(low, high, [true, true]);
/** All elements on one side: at least `x`. */
export const atLeast = ({ lo, hi }: Interval, x: number): boolean => lo >= x && hi >= lo;
/** Above `x`, and not at it. */
export const isAbove = ({ lo, open }: Interval, x: number): boolean => lo > x || (lo === x && open[0]);
export const isBelow = ({ hi, open }: Interval, x: number): boolean => hi < x || (hi === x && open[1]);

/** The same interval, which meets 0 only if `zero` says so. */
function meeting(r: Interval, zero: boolean): Interval {
  return r.zero && !zero ? { ...r, zero } : r;
}

export function hull(a: Interval, b: Interval): Interval {
  if (a.hi < a.lo) return b;
  if (b.hi < b.lo) return a;
  const [lo, hi] = [Math.min(a.lo, b.lo), Math.max(a.hi, b.hi)];
  const open = [
    (a.lo > lo || a.open[0]) && (b.lo > lo || b.open[0]),
    (a.hi < hi || a.open[1]) && (b.hi < hi || b.open[1]),
  ] as const;
  return meeting(interval(lo, hi, open), a.zero || b.zero);
}

/** What two intervals have in common; the second where they have nothing. */
export function meet(a: Interval, b: Interval): Interval {
  const [lo, hi] = [Math.max(a.lo, b.lo), Math.min(a.hi, b.hi)];
  if (!(lo <= hi)) return b;
  const open = [
    (a.lo === lo && a.open[0]) || (b.lo === lo && b.open[0]),
    (a.hi === hi && a.open[1]) || (b.hi === hi && b.open[1]),
  ] as const;
  return meeting(interval(lo, hi, open), a.zero);
}

const oneSided = (a: Interval, b: Interval): boolean => (a.lo >= 0 && b.lo >= 0) || (a.hi <= 0 && b.hi <= 0);

export function plus(a: Interval, b: Interval): Interval {
  const sum = interval(a.lo + b.lo, a.hi + b.hi, [a.open[0] || b.open[0], a.open[1] || b.open[1]]);
  return oneSided(a, b) ? meeting(sum, a.zero || b.zero) : sum;
}

export function opposite({ lo, hi, open, zero }: Interval): Interval {
  return meeting(interval(-hi, -lo, [open[1], open[0]]), zero);
}

interface End {
  readonly at: number;
  readonly open: boolean;
}

const endsOf = ({ lo, hi, open }: Interval): readonly [End, End] => [
  { at: lo, open: open[0] },
  { at: hi, open: open[1] },
];

/** 0 · ∞ is 0: the infinite end is never reached. A 0 that is reached makes the product 0 whatever the other factor is. */
function product(a: End, b: End): End {
  if (a.at !== 0 && b.at !== 0) return { at: a.at * b.at, open: a.open || b.open };
  return { at: 0, open: !((a.at === 0 && !a.open) || (b.at === 0 && !b.open)) };
}

export function times(a: Interval, b: Interval): Interval {
  const corners = endsOf(a).flatMap((x) => endsOf(b).map((y) => product(x, y)));
  const lo = Math.min(...corners.map(({ at }) => at));
  const hi = Math.max(...corners.map(({ at }) => at));
  const left = (end: number): boolean => corners.every(({ at, open }) => at !== end || open);
  return meeting(interval(lo, hi, [left(lo), left(hi)]), a.zero || b.zero);
}

/** x² */
export function squared(a: Interval): Interval {
  const r = magnitude(a);
  return meeting(interval(r.lo ** 2, r.hi ** 2, r.open), a.zero);
}

export function magnitude(a: Interval): Interval {
  if (a.lo >= 0) return a;
  if (a.hi <= 0) return opposite(a);
  const hi = Math.max(-a.lo, a.hi);
  const open = (-a.lo < hi || a.open[0]) && (a.hi < hi || a.open[1]);
  return meeting(interval(0, hi, [false, open]), a.zero);
}

/** a / b. A b that is 0 at an end gives infinities of one sign. */
export function over(a: Interval, b: Interval): Interval {
  if (b.hi <= 0 && b.lo < 0) return over(opposite(a), opposite(b));
  if (b.lo < 0 || b.hi <= 0) return meeting(everything, a.zero);
  const top = b.lo === 0 ? Infinity : 1 / b.lo;
  return meeting(times(a, interval(1 / b.hi, top, [b.open[1], b.lo === 0 || b.open[0]])), a.zero);
}

/** The sum of `count` elements. */
export function summed(a: Interval, count: number): Interval {
  if (count === 0) return exactly(0);
  return meeting(interval(a.lo * count, a.hi * count, a.open), !oneSided(a, a) || a.zero);
}

/** Under an increasing function. */
export function rising(f: (x: number) => number): (inputs: readonly Interval[]) => Interval {
  return ([a]) => {
    const { lo, hi, open, zero } = a as Interval;
    return meeting(interval(f(lo), f(hi), open), f(0) !== 0 || zero);
  };
}

export function falling(f: (x: number) => number): (inputs: readonly Interval[]) => Interval {
  const up = rising((x) => -f(x));
  return (inputs) => opposite(up(inputs));
}

export function larger(a: Interval, b: Interval): Interval {
  const [lo, hi] = [Math.max(a.lo, b.lo), Math.max(a.hi, b.hi)];
  const open = [
    (a.lo === lo && a.open[0]) || (b.lo === lo && b.open[0]),
    (a.hi < hi || a.open[1]) && (b.hi < hi || b.open[1]),
  ] as const;
  return interval(lo, hi, open);
}

export const smaller = (a: Interval, b: Interval): Interval => opposite(larger(opposite(a), opposite(b)));

const truth: Interval = interval(0, 1);

/** Whether a < b: settled where the intervals lie apart. */
export function isLess(a: Interval, b: Interval): Interval {
  if (a.hi < b.lo || (a.hi === b.lo && (a.open[1] || b.open[0]))) return exactly(1);
  return a.lo >= b.hi ? exactly(0) : truth;
}

export function isEqual(a: Interval, b: Interval): Interval {
  if (isSingle(a) && isSingle(b) && a.lo === b.lo) return exactly(1);
  return isLess(a, b).lo === 1 || isLess(b, a).lo === 1 ? exactly(0) : truth;
}

export const isNot = (a: Interval): Interval => interval(1 - a.hi, 1 - a.lo);
