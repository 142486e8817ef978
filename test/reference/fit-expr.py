"""Fits the coefficients in src/kernel/expr/math: minimax polynomials and rational functions by Remez exchange and Lawson's weights.

    python fit-expr.py [name ...]

A fit is made on a grid, in 70 digits. Polynomials: an alternation of the weighted error over as many points as there are unknowns and
one more, improved until no point of the grid is worse; coefficients are then rounded one by one from the constant term up, the others
being fitted anew each time, so that each makes up for the rounding of those before. Rational functions: reweighted least squares.
Printed from the constant term up, with the largest weighted error. Needs mpmath and numpy.
"""
import sys

import numpy
from mpmath import cos, erf, erfc, exp, expm1, fabs, log, lu_solve, matrix, mp, mpf, ncdf, pi, sin, sqrt, tanh

mp.dps = 70


def rounded(x, bits):
    return mpf(float(numpy.float32(float(x)))) if bits == 32 else mpf(float(x))


def clustered(a, b, count):
    """Points between a and b, denser at the ends."""
    a, b = mpf(a), mpf(b)
    return [(a + b) / 2 - (b - a) / 2 * cos(pi * (i + mpf(1) / 2) / count) for i in range(count)]


def horner(coefficients, t):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * t + c
    return total


def exchange(errors, size):
    """Indices of `size` extrema of alternating sign, the greatest error among them."""
    runs = []
    for i, e in enumerate(errors):
        if runs and (errors[runs[-1]] > 0) == (e > 0):
            if fabs(e) > fabs(errors[runs[-1]]):
                runs[-1] = i
        else:
            runs.append(i)
    while len(runs) > size:
        if len(runs) == size + 1:
            runs = runs[1:] if fabs(errors[runs[0]]) < fabs(errors[runs[-1]]) else runs[:-1]
        else:
            k = min(range(len(runs) - 1), key=lambda j: max(fabs(errors[runs[j]]), fabs(errors[runs[j + 1]])))
            runs = runs[:k] + runs[k + 2 :]
    return runs


def deviations(p, q, ts, fs, ws, first=0):
    return [(t**first * horner(p, t) / horner(q, t) - f) / w for t, f, w in zip(ts, fs, ws)]


def remez(ts, fs, ws, first, degree):
    """Σ c_k t^k, k = first … degree, of least greatest error."""
    size, count = degree - first + 2, len(ts)
    at, best = [i * (count - 1) // (size - 1) for i in range(size)], None
    for _ in range(30):
        rows, right = matrix(size, size), matrix(size, 1)
        for r, i in enumerate(at):
            for j in range(size - 1):
                rows[r, j] = ts[i] ** (first + j)
            rows[r, size - 1], right[r] = (-1) ** r * ws[i], fs[i]
        s = lu_solve(rows, right)
        p = [s[j] for j in range(size - 1)]
        errors = deviations(p, [mpf(1)], ts, fs, ws, first)
        worst = max(fabs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (p, worst)
        at = exchange(errors, size)
        if worst < fabs(s[size - 1]) * mpf("1.01") or len(at) < size:
            break
    return best[0]


def lawson(ts, fs, ws, m, n, rounds=14):
    """P/Q, Q(0) = 1, by least squares of (P − f Q)/(w Q before), points of great error weighing ever more: all but minimax."""
    size, best = m + 1 + n, None
    q, weights = [mpf(1)] + [mpf(0)] * n, [mpf(1)] * len(ts)
    for _ in range(rounds):
        gram, right = matrix(size, size), matrix(size, 1)
        for t, f, w, weight in zip(ts, fs, ws, weights):
            scale = sqrt(weight) / (w * horner(q, t))
            row = [t**k * scale for k in range(m + 1)] + [-f * t**j * scale for j in range(1, n + 1)]
            for i in range(size):
                right[i] += row[i] * f * scale
                for j in range(i + 1):
                    gram[i, j] += row[i] * row[j]
        for i in range(size):
            for j in range(i):
                gram[j, i] = gram[i, j]
        s = lu_solve(gram, right)
        p, q = [s[j] for j in range(m + 1)], [mpf(1)] + [s[m + j] for j in range(1, n + 1)]
        errors = deviations(p, q, ts, fs, ws)
        worst, mean = max(fabs(e) for e in errors), sum(fabs(e) for e in errors) / len(errors)
        if best is None or worst < best[2]:
            best = (p, q, worst)
        weights = [weight * (fabs(e) / mean + mpf("0.05")) for weight, e in zip(weights, errors)]
    return best


def polynomial(name, bits, f, w, a, b, degree, fixed=(), count=None):
    """Σ c_k t^k; `fixed` are constant terms given beforehand."""
    ts = clustered(a, b, count or 40 * (degree + 2))
    fs, ws = [f(t) for t in ts], [w(t) for t in ts]
    done = [mpf(c) for c in fixed]
    if a < 0:  # Inside are zeros of all powers from k > 0 on: no second fit.
        done += [rounded(c, bits) for c in remez(ts, fs, ws, 0, degree)]
    for k in range(len(done), degree + 1):
        rest = [g - horner(done, t) for g, t in zip(fs, ts)]
        done.append(rounded(remez(ts, rest, ws, k, degree)[0], bits))
    worst = max(fabs((horner(done, t) - g) / u) for t, g, u in zip(ts, fs, ws))
    print(f"{name} f{bits}: weighted error {float(worst):.2e} = 2^{float(log(worst, 2)):.1f}")
    print("  [" + ", ".join(repr(float(c)) for c in done) + "]", flush=True)


def rational(name, bits, ts, fs, ws, m, n):
    p, q, ideal = lawson(ts, fs, ws, m, n)
    p, q = [rounded(c, bits) for c in p], [rounded(c, bits) for c in q]
    worst = max(fabs((horner(p, t) / horner(q, t) - g) / u) for t, g, u in zip(ts, fs, ws))
    print(f"{name} f{bits} {m}/{n}: weighted error {float(worst):.2e} = 2^{float(log(worst, 2)):.1f} (unrounded {float(ideal):.1e})")
    print("  P [" + ", ".join(repr(float(c)) for c in p) + "]")
    print("  Q [" + ", ".join(repr(float(c)) for c in q) + "]", flush=True)


def exponential():
    """e^r = 1 + r + r²·P(r) on half a power of two; the weight is that of the whole."""
    half = log(2) / 2 * mpf("1.0001")
    f = lambda r: (exp(r) - 1 - r) / r**2 if fabs(r) > 1e-12 else mpf(1) / 2
    for bits, degree in ((32, 3), (32, 4), (64, 9)):
        polynomial("exp", bits, f, lambda r: exp(r) / r**2 if fabs(r) > 1e-6 else mpf(1e12), -half, half, degree)
    # For expm1 the weight is |r|: relative in e^r − 1.
    for bits, degree in ((32, 4), (64, 9), (64, 10)):
        polynomial("expm1", bits, f, lambda r: fabs(expm1(r)) / r**2 if fabs(r) > 1e-6 else mpf(1e6), -half, half, degree)


def logarithm():
    """log((1 + s)/(1 − s)) = 2s + s·z·P(z), z = s², up to s = 3 − 2√2; P(0) about 2/3."""
    top = (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.0001")
    f = lambda z: ((log((1 + sqrt(z)) / (1 - sqrt(z)))) / sqrt(z) - 2) / z if z > 1e-12 else mpf(2) / 3 + 2 * z / 5
    for bits, degree in ((32, 2), (32, 3), (64, 6)):
        polynomial("log", bits, f, lambda z: 1 / z if z > 1e-9 else mpf(1e9), 0, top, degree)


def circular():
    """sin r = r + r·z·P(z), cos r = 1 − z/2 + z²·Q(z), z = r² up to (π/4)²."""
    top = (pi / 4) ** 2 * mpf("1.0001")
    s = lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z if z > 1e-12 else -mpf(1) / 6 + z / 120
    c = lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2 if z > 1e-9 else mpf(1) / 24 - z / 720
    for bits, ns, nc in ((32, 2, 2), (64, 5, 5)):
        polynomial("sin", bits, s, lambda z: 1 / z if z > 1e-9 else mpf(1e9), 0, top, ns)
        polynomial("cos", bits, c, lambda z: 1 / z**2 if z > 1e-5 else mpf(1e10), 0, top, nc)


def hyperbolic():
    """tanh x = x + x·z·P(z), z = x² up to 0.55²."""
    t = lambda z: (tanh(sqrt(z)) / sqrt(z) - 1) / z if z > 1e-12 else -mpf(1) / 3 + 2 * z / 15
    for bits, degree in ((32, 3), (32, 4), (64, 9), (64, 10)):
        polynomial("tanh", bits, t, lambda z: 1 / z if z > 1e-9 else mpf(1e9), 0, mpf("0.3026"), degree)


def errors():
    """erf x = x + x·P(x²) up to 1; beyond it 32-bit erf x = P(x − 2.5) up to 4; erfc y (1 + 2y) e^(y²) = P((y − K)/(y + K))."""
    excess = lambda z: erf(sqrt(z)) / sqrt(z) - 1 if z > 1e-20 else 2 / sqrt(pi) - 1
    for bits, degree in ((32, 6), (64, 11)):
        polynomial("erf", bits, excess, lambda z: 1 + excess(z), 0, 1, degree)
    # Tight at the end, where half an ulp makes 1 of erf x.
    tight = lambda t: min(mpf(1), 4 * (mpf("1.55") - t))
    polynomial("erfc beyond", 32, lambda t: erfc(t + mpf(5) / 2), tight, -1.5, 1.5, 12)


def scaledErfc():
    def g(t, k):
        y = k * (1 + t) / (1 - t)
        return (1 + 2 * y) * exp(y * y) * erfc(y)

    for bits, k, top, degree in ((32, 2, 10.5, 9), (64, 2, 27.5, 22), (64, 3, 27.5, 22), (64, 2, 27.5, 21)):
        f = lambda t: g(t, mpf(k))
        polynomial(f"erfcx K={k}", bits, f, f, -1, (mpf(top) - k) / (mpf(top) + k), degree, count=300)


def quantiles():
    """(Φ⁻¹(p)/(p − ½) − √2π)/(p − ½)² in v = p(1 − p) where v ≥ V; −Φ⁻¹(p) in r = √(−log p) below."""

    def central(least, count):
        x0 = findEnd(least * (1 + least))
        xs = [x0 * (i + mpf(1) / 2) / count for i in range(count)] + [x0]
        rows = [(ncdf(-x), x) for x in xs]
        return [p * (1 - p) for p, _ in rows], [x / (mpf(1) / 2 - p) for p, x in rows]

    for bits, least, m, n in QUANTILES:
        ts, fs = central(mpf(least), 160)
        # In units of (p − ½)² above its least value, so that less is rounded.
        us = [mpf(1) / 4 - t for t in ts]
        rows, weights = [(f - sqrt(2 * pi)) / u for f, u in zip(fs, us)], [f / u for f, u in zip(fs, us)]
        rational(f"ndtri v >= {least}", bits, ts[::-1], rows[::-1], weights[::-1], m, n)
    for bits, a, b, m, n in TAILS:
        xs = clustered(findEnd(exp(-mpf(a) ** 2)), findEnd(exp(-mpf(b) ** 2)), 160)
        ts = [sqrt(-log(erfc(x / sqrt(mpf(2))) / 2)) for x in xs]
        if bits == 64:  # All but what is exact, so that less is rounded.
            rational(f"ndtri tail {a}..{b} − 11/8 r", bits, ts, [x - t * 11 / 8 for x, t in zip(xs, ts)], xs, m, n)
        else:
            rational(f"ndtri tail {a}..{b}", bits, ts, xs, xs, m, n)


QUANTILES = ((32, 0.0019, 5, 5), (32, 0.0019, 5, 6), (64, 0.006, 11, 12))
TAILS = ((32, 2.4, 10.3, 3, 2), (32, 2.4, 10.3, 3, 3), (64, 2.1, 27.5, 9, 9), (64, 2.1, 27.5, 10, 9))


def findEnd(v):
    """x > 0 with Φ(−x) = v, nearly."""
    low, high = mpf(0), mpf(60)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if erfc(middle / sqrt(mpf(2))) / 2 > v else (low, middle)
    return low


FITS = {f.__name__: f for f in (exponential, logarithm, circular, hyperbolic, errors, scaledErfc, quantiles)}

if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        FITS[name]()
