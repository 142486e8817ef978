/** sin(πx), exact in its reduction: x is brought to [−½, ½] before π enters. */
export function sinPi(x: number): number {
  const n = Math.round(x);
  const s = Math.sin(Math.PI * (x - n));
  return n % 2 === 0 ? s : -s;
}

/** tan(πx), exact in its reduction. */
export function tanPi(x: number): number {
  return Math.tan(Math.PI * (x - Math.round(x)));
}
