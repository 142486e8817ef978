import { lu, luSolve } from "./lu.js";

/** Coefficients of the numerator of the [13/13] Padé approximant of e^x. */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
];
/** Up to this 1-norm its backward error is below half an ulp. */
const REACH = 5.371920351148152;
/** Beyond 2^SQUARINGS · REACH the result is 0 or overflows, but for nilpotent parts. */
const SQUARINGS = 1000;

/** e^a for a [n, n], by scaling and squaring with the Padé approximant of degree 13 (Higham 2005). May overflow to Infinity or NaN. */
export function expm(a: Float64Array, n: number): Float64Array {
  const norm = oneNorm(a, n);
  const squarings = norm > REACH ? Math.min(SQUARINGS, Math.ceil(Math.log2(norm / REACH))) : 0;
  const x = a.map((value) => value * 2 ** -squarings);
  const x2 = matmul(x, x, n);
  const x4 = matmul(x2, x2, n);
  const x6 = matmul(x4, x2, n);
  const even = polynomial([x2, x4, x6], 0, n);
  const odd = matmul(x, polynomial([x2, x4, x6], 1, n), n);
  const numerator = even.map((value, i) => value + (odd[i] as number));
  const denominator = even.map((value, i) => value - (odd[i] as number));
  let result = luSolve(lu(denominator, n), n, numerator, n, false);
  for (let i = 0; i < squarings; i++) result = matmul(result, result, n);
  return result;
}

/** Σ of every second coefficient, from `first` on, with the even powers of x. */
function polynomial([x2, x4, x6]: readonly Float64Array[], first: 0 | 1, n: number): Float64Array {
  const c = (k: number): number => PADE[2 * k + first] as number;
  const at = (low: number, middle: number, high: number) => (_: number, i: number) =>
    low * (x2?.[i] as number) + middle * (x4?.[i] as number) + high * (x6?.[i] as number);
  const size = n * n;
  const high = Float64Array.from({ length: size }, (_, i) => at(c(4), c(5), c(6))(0, i));
  const low = Float64Array.from({ length: size }, (_, i) => at(c(1), c(2), c(3))(0, i));
  const out = matmul(x6 as Float64Array, high, n);
  for (let i = 0; i < size; i++) out[i] = (out[i] as number) + (low[i] as number);
  for (let i = 0; i < n; i++) out[i * (n + 1)] = (out[i * (n + 1)] as number) + c(0);
  return out;
}

/**
 * The derivative of e^a along e: the upper right block of exp [[a, e], [0, a]] (Van Loan 1978; Higham, Functions of Matrices, 3.2). Linear
 * in e, whose size is taken out so that it does not steer the scaling.
 */
export function expmAlong(a: Float64Array, e: Float64Array, n: number): Float64Array {
  const size = oneNorm(e, n);
  if (size === 0) return new Float64Array(n * n);
  const factor = 2 ** Math.floor(Math.log2(size));
  const block = new Float64Array(4 * n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      block[i * 2 * n + j] = a[i * n + j] as number;
      block[(n + i) * 2 * n + n + j] = a[i * n + j] as number;
      block[i * 2 * n + n + j] = (e[i * n + j] as number) / factor;
    }
  }
  const whole = expm(block, 2 * n);
  return Float64Array.from({ length: n * n }, (_, p) => {
    const [i, j] = [Math.floor(p / n), p % n];
    return (whole[i * 2 * n + n + j] as number) * factor;
  });
}

function oneNorm(a: Float64Array, n: number): number {
  let top = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.abs(a[i * n + j] as number);
    if (!(sum <= top)) top = sum;
  }
  return top;
}

function matmul(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k] as number;
      for (let j = 0; j < n; j++) out[i * n + j] = (out[i * n + j] as number) + factor * (b[k * n + j] as number);
    }
  }
  return out;
}
