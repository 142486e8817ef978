"""Fits the coefficients in src/kernel/math: rational interpolants at Chebyshev nodes, solved in 60 digits.

    python fit-math.py

Each fit is f(x0 + t) = f(x0) + t P(t)/Q(t) on an interval; printed with the largest relative error on a fine grid.
Also prints the coefficients c_k(eta) of Temme's expansion (DLMF 8.12.11), in rational arithmetic. Needs mpmath.
"""
from fractions import Fraction

from mpmath import (bernfrac, cos, digamma, erf, erfc, erfinv, euler, exp, findroot, hyp2f0, log, loggamma, lu_solve,
                    matrix, mp, mpf, pi, sqrt)

mp.dps = 60


def nodes(n, a, b):
    return [(a + b) / 2 + (b - a) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]


def rational(g, a, b, m, n):
    """P of degree m and Q of degree n, Q(0) = 1, with P/Q = g at m + n + 1 Chebyshev nodes."""
    size = m + n + 1
    rows, right = matrix(size, size), matrix(size, 1)
    for i, t in enumerate(nodes(size, a, b)):
        value = g(t)
        for j in range(m + 1):
            rows[i, j] = t**j
        for j in range(1, n + 1):
            rows[i, m + j] = -value * t**j
        right[i] = value
    s = lu_solve(rows, right)
    return [float(s[j]) for j in range(m + 1)], [1.0] + [float(s[m + j]) for j in range(1, n + 1)]


def horner(coefficients, t):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * t + mpf(c)
    return total


def fit(name, f, a, b, x0, m, n, start=None):
    a, b, x0 = mpf(a) - mpf(x0), mpf(b) - mpf(x0), mpf(x0)
    at = f(x0) if start is None else start
    p, q = rational(lambda t: (f(x0 + t) - at) / t, a, b, m, n)
    worst = 0
    for i in range(1, 400):
        t = a + (b - a) * i / mpf(400.5)
        exact = f(x0 + t)
        worst = max(worst, abs((at + t * horner(p, t) / horner(q, t) - exact) / exact))
    print(f"{name}: about {float(x0)}, value {float(at)!r} {float(at - mpf(float(at)))!r}, relative error {float(worst):.1e}")
    print("  P", p)
    print("  Q", q)


def quantile(p):
    start = -sqrt(-2 * log(p)) if p < 0.2 else (p - 0.5) * 2.5
    return findroot(lambda z: log(erfc(-z / sqrt(2)) / 2) - log(p), start)


def center(v):
    u = abs(mpf(0.180625) - v)
    return sqrt(2 * pi) if u < 1e-20 else sqrt(2) * erfinv(2 * sqrt(u)) / sqrt(u)


def scaled(x):
    return exp(x * x) * erfc(x)


def scaled_tail(u):
    return hyp2f0(mpf(1) / 2, 1, -u) / sqrt(pi) if u < 1e-4 else scaled(1 / sqrt(u)) / sqrt(u)


def temme(rows=6, order=40):
    a = [Fraction(0)] * (order + 2)  # mu = sum a_n eta^n solves mu mu' = eta (1 + mu)
    a[1] = Fraction(1)
    for n in range(2, order + 1):
        a[n] = (a[n - 1] - sum(a[i] * (n + 1 - i) * a[n + 1 - i] for i in range(2, n))) / (n + 1)
    inverse = [Fraction(1)]  # 1/mu = sum inverse_n eta^(n - 1)
    for n in range(1, order):
        inverse.append(-sum(a[i + 1] * inverse[n - i] for i in range(1, n + 1)))
    g = [Fraction(1)]  # the coefficients of Gamma*, from the exponential of Stirling's series
    stirling = [Fraction(0)] * (rows + 2)
    for j in range(1, rows // 2 + 2):
        if 2 * j - 1 <= rows:
            numerator, denominator = bernfrac(2 * j)
            stirling[2 * j - 1] = Fraction(int(numerator), int(denominator)) / (2 * j * (2 * j - 1))
    for n in range(1, rows):
        g.append(sum(k * stirling[k] * g[n - k] for k in range(1, n + 1)) / n)
    c = inverse[1:]
    for k in range(rows):
        print(f"c_{k}", [float(x) for x in c[: 17 - 2 * k]])
        step = {}
        for i in range(1, len(c)):
            step[i - 2] = step.get(i - 2, 0) + i * c[i]
        for j in range(order):
            step[j - 1] = step.get(j - 1, 0) + (-1) ** (k + 1) * (g[k + 1] if k + 1 < rows else 0) * inverse[j]
        c = [step[i] for i in range(len(c) - 2)]


if __name__ == "__main__":
    excess, _ = rational(lambda u: erf(sqrt(u)) / sqrt(u) - 1, mpf(0), mpf(1), 11, 0)
    print("erf(sqrt u)/sqrt u - 1:", excess)
    fit("erfcx near", scaled, 0.5, 1.5, 0.875, 6, 6)
    fit("erfcx middle", scaled, 1.5, 3.5, 2.25, 5, 6)
    fit("erfcx far", scaled, 3.5, 6, 4.5, 5, 6)
    fit("erfcx tail", scaled_tail, mpf(10) ** -12, mpf(1) / 36, 0, 4, 4, 1 / sqrt(pi))
    fit("ndtri center", center, 0, 0.180625, 0, 8, 7)
    tail = lambda r: -quantile(exp(-(r**2)))
    fit("ndtri near", tail, 1.6, 4, 1.6, 7, 7)
    fit("ndtri middle", tail, 4, 9, 4, 5, 6)
    fit("ndtri far", tail, 9, 27.5, 9, 6, 6)
    one = lambda z: loggamma(1 + z) / (z * (z - 1)) if abs(z) > 1e-30 else +euler
    two = lambda z: loggamma(2 + z) / (z * (z + 1)) if abs(z) > 1e-30 else 1 - euler
    fit("lgamma one", one, -0.3125, 0.5, -0.3125, 7, 6)
    fit("lgamma two", two, -0.5, 1, -0.5, 6, 6)
    zero = findroot(digamma, 1.4616)
    fit("digamma", lambda z: digamma(1 + z) / (1 + z - zero), 0, 1, 0, 5, 5)
    temme()
