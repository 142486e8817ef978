"""Random points of the scalar mathematical functions and their values by mpmath, for test/kernel/math.test.ts.

    python make-math-sweep.py [points per function, default 120] > math-sweep.json

Rows are [arguments..., value, rest]: value + rest is the exact function of the double arguments to about 32 digits,
so an error can be measured in fractions of an ulp. Needs mpmath.
"""
import json
import random
import sys

from mpmath import (erf, erfc, erfinv, exp, expm1, findroot, hyp1f1, log, log1p, loggamma, mp, mpf, ncdf, pi, psi, sqrt,
                    workdps)

mp.dps = 50


def symmetric(low, high):
    """Log-uniform magnitude, either sign."""
    return lambda r: [r.choice([-1, 1]) * 10 ** r.uniform(low, high)]


def positive(low, high):
    return lambda r: [10 ** r.uniform(low, high)]


def uniform(low, high):
    return lambda r: [r.uniform(low, high)]


def either(*samplers):
    return lambda r: r.choice(samplers)(r)


def quantile(p):
    if p > 0.5:
        return -quantile(1 - p)
    if p > 1e-10:
        return sqrt(2) * erfinv(2 * p - 1)
    start = -sqrt(-2 * log(p) - log(-4 * pi * log(p)))
    return findroot(lambda z: log(ncdf(z)) - log(p), start)


def log_ndtr(x):
    return log(ncdf(x)) if x < 5 else log1p(-ncdf(-x))


def pmf(a, x):
    return exp(a * log(x) - x - loggamma(a + 1))


def lower(a, x):
    return pmf(a, x) * hyp1f1(1, a + 1, x)


def upper(a, x):
    with workdps(60):
        lead = pmf(a, x) if x > a else mpf(1)
    digits = 60 + max(0, int(-log(lead, 10))) + max(0, int(-log(a, 10)))
    with workdps(digits):
        return 1 - lower(a, x)


def gamma_arguments(r):
    """a over nine decades; x near a on the scale of the standard deviation, or anywhere."""
    a = 10 ** r.uniform(-4, 5)
    if r.random() < 0.6:
        x = a + r.uniform(-6, 6) * a ** 0.5
    else:
        x = a * 10 ** r.uniform(-1, 1)
    return gamma_arguments(r) if x <= 0 or (a > 10 and pmf(mpf(a), mpf(x)) < 1e-250) else [a, x]


def integer_and(low, high, top):
    return lambda r: [float(r.randint(1, top)), 10 ** r.uniform(low, high)]


FUNCTIONS = {
    "erf": (erf, either(symmetric(-3, 0.77), uniform(-3, 3))),
    "erfc": (erfc, either(uniform(-6, 6), uniform(0, 27))),
    "erfcx": (lambda x: exp(x * x) * erfc(x), either(uniform(-26, 5), positive(-1, 5), uniform(0, 10))),
    "erfinv": (erfinv, either(uniform(-1, 1), lambda r: [1 - 10 ** r.uniform(-15, -1)], symmetric(-10, 0))),
    "ndtri": (quantile, either(uniform(0, 1), positive(-300, 0), positive(-5, 0))),
    "ndtr": (ncdf, either(uniform(-5, 5), uniform(-38, 5))),
    "logNdtr": (log_ndtr, either(uniform(-10, 10), uniform(-40, 37), lambda r: [-10 ** r.uniform(0, 8)])),
    "softplus": (lambda x: log1p(exp(x)), either(uniform(-5, 5), uniform(-700, 50))),
    "logSigmoid": (lambda x: -log1p(exp(-x)), either(uniform(-5, 5), uniform(-50, 700))),
    "sigmoid": (lambda x: 1 / (1 + exp(-x)), either(uniform(-5, 5), uniform(-700, 40))),
    "log1mexp": (lambda x: log1p(-exp(-x)) if x > 1 else log(-expm1(-x)), either(positive(-10, 2.8), uniform(0, 3))),
    "logaddexp": (lambda a, b: log(exp(a) + exp(b)), lambda r: [r.uniform(0, 50), r.uniform(0, 50)]),
    "log1pmx": (lambda x: log1p(x) - x, either(symmetric(-8, -0.01), uniform(-0.99, 5), positive(0, 10))),
    "lgamma": (lambda x: loggamma(x), either(uniform(0, 4), uniform(0, 30), positive(-10, 10))),
    "digamma": (lambda x: psi(0, x), either(uniform(0, 4), uniform(0, 30), positive(-10, 10))),
    "trigamma": (lambda x: psi(1, x), either(uniform(0, 4), uniform(0, 30), positive(-10, 10))),
    "tetragamma": (lambda x: psi(2, x), either(uniform(0, 4), uniform(0, 30), positive(-10, 10))),
    "polygamma": (lambda n, x: psi(int(n), x), either(integer_and(-2, 2, 12), integer_and(-1, 4, 40))),
    "poissonPmf": (pmf, gamma_arguments),
    "igamma": (lower, gamma_arguments),
    "igammac": (upper, gamma_arguments),
}
# Functions whose argument may be negative only by reflection: judged by absolute error there.
NEGATIVE = {
    "lgamma": lambda x: loggamma(x).real,
    "digamma": lambda x: psi(0, x),
    "trigamma": lambda x: psi(1, x),
    "tetragamma": lambda x: psi(2, x),
}
SLOW = {"igamma", "igammac", "polygamma", "poissonPmf"}


def row(function, arguments):
    value = function(*map(mpf, arguments))
    high = float(value)
    return [*arguments, high, float(value - mpf(high))]


def main(points, names):
    table = {}
    for name, (function, sampler) in FUNCTIONS.items():
        if names and name not in names:
            continue
        random_ = random.Random(name)
        count = points if points <= 200 or name not in SLOW else points // 10
        table[name] = [row(function, sampler(random_)) for _ in range(count)]
        if name in NEGATIVE:
            table[name] += [row(NEGATIVE[name], [-random_.uniform(0, 30)]) for _ in range(count // 3)]
    lines = ",\n".join(
        f'"{name}":[\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "]" for name, rows in table.items()
    )
    print("{" + lines + "}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120, sys.argv[2:])
