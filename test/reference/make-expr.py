"""Random points of the functions in src/kernel/expr/math and their values by mpmath, for test/kernel/expr/math.test.ts.

    python make-expr.py [points per function and precision, default 60] [name ...] > expr.json

{name: {"32": rows, "64": rows}}; a row is [arguments..., value, rest]: arguments are float32 or float64 numbers, value is the double
nearest to the exact result and rest, in ulp of value, is what it leaves. The value has not been rounded to float32. Needs mpmath and numpy.
"""
import json
import math
import random
import sys

import numpy
from mpmath import (cos, erfc, erf, exp, expm1, log, log1p, loggamma, mp, mpf, ncdf, pi, power, psi, sin, sqrt, tan,
                    tanh)

mp.dps = 50


def quantile(p):
    if p > 0.5:
        return -quantile(1 - p)
    if p == 0.5:
        return mpf(0)
    z = sqrt(-2 * log(p)) if p < 0.1 else (0.5 - p) * 2.5
    for _ in range(60):  # Newton on the logarithm, which is concave
        tail = erfc(z / sqrt(mpf(2))) / 2
        step = (log(tail) - log(p)) * tail * sqrt(2 * pi) * exp(z * z / 2)
        z += step
        if abs(step) < abs(z) * mpf(10) ** -30:
            return -z
    raise ArithmeticError(f"no quantile of {p}")


def erfinv(y):
    if abs(y) < 1e-12:
        return y * sqrt(pi) / 2 * (1 + pi * y * y / 12)
    return -quantile((1 - abs(y)) / 2) / sqrt(mpf(2)) * (1 if y > 0 else -1)


def erf_(x):
    return erf(x) if abs(x) < 5 else (1 - erfc(abs(x))) * (1 if x > 0 else -1)


def softplus(x):
    return log1p(exp(x)) if x < 0 else x + log1p(exp(-x))


def symmetric(low, high):
    """Log-uniform magnitude, either sign."""
    return lambda r: r.choice([-1, 1]) * 10 ** r.uniform(low, high)


def positive(low, high):
    return lambda r: 10 ** r.uniform(low, high)


def uniform(low, high):
    return lambda r: r.uniform(low, high)


def near(points, scale):
    return lambda r: r.choice(points) * (1 + r.choice([-1, 1]) * 10 ** r.uniform(-scale, -1))


# Per precision: "least" and "most" are decimal exponents of the type.
# "exp" are the arguments whose exponential is neither 0 nor Infinity, "tail" those of erfc.
LIMITS = {
    "32": {"least": -44, "most": 38, "digits": 7, "exp": (-103, 88), "tail": 10},
    "64": {"least": -320, "most": 308, "digits": 15, "exp": (-744, 709), "tail": 26.5},
}
HALVES = [float(k * pi / 2) for k in (1, 2, 3, 4, 7, 20, 60)]


def functions(t):
    least, most, digits, (low, high), far = t["least"], t["most"], t["digits"], t["exp"], t["tail"]
    wide = symmetric(least, 0)
    unit = uniform(0, 1)
    gamma = [uniform(0, 4), uniform(0, 30), positive(-10, 10), near([1.0, 2.0, 1.4616321449683622], digits)]
    angles = [uniform(-4, 4), uniform(-100, 100), uniform(-1e4, 1e4), wide, near(HALVES, digits)]
    return {
        "exp": (exp, [uniform(-2, 2), uniform(low, high), wide]),
        "expm1": (expm1, [uniform(-2, 2), uniform(low, high), wide, symmetric(-digits, 0)]),
        "log": (log, [uniform(0, 4), positive(least, most), near([1.0], digits)]),
        "log1p": (log1p, [uniform(-1, 3), wide, symmetric(-digits, -0.001), positive(0, most)]),
        "sin": (sin, angles),
        "cos": (cos, angles),
        "tan": (tan, angles),
        "tanh": (tanh, [uniform(-1, 1), uniform(-9, 9), wide, symmetric(-digits, 0)]),
        "sigmoid": (lambda x: 1 / (1 + exp(-x)), [uniform(-5, 5), uniform(low, 20), wide]),
        "softplus": (softplus, [uniform(-5, 5), uniform(low, 40), wide]),
        "logSigmoid": (lambda x: -softplus(-x), [uniform(-5, 5), uniform(-40, -low), wide]),
        "erf": (erf_, [uniform(-1.2, 1.2), uniform(-4, 4), wide]),
        "erfc": (erfc, [uniform(-2, 4), uniform(0, far), wide]),
        "ndtr": (ncdf, [uniform(-3, 3), uniform(-far * 1.41, 2), wide]),
        "ndtri": (quantile, [unit, unit, uniform(0, 0.02), positive(least, 0), lambda r: 1 - 10 ** r.uniform(-digits, -1)]),
        "erfinv": (erfinv, [uniform(-1, 1), lambda r: 1 - 10 ** r.uniform(-digits, 0), symmetric(least, 0)]),
        "lgamma": (loggamma, gamma),
        "digamma": (lambda x: psi(0, x), gamma),
        "trigamma": (lambda x: psi(1, x), gamma),
    }


def pairs(t):
    low, high = t["exp"]

    def draw(r):
        x = 10 ** r.uniform(*r.choice([(-1, 1), (t["least"], t["most"])]))
        return [x, r.uniform(low, high) / math.log(x) if r.random() < 0.7 else r.uniform(-3, 3)]

    return {"pow": (power, [draw])}


def ulp(x):
    return mpf(2) ** max(math.frexp(x)[1] - 53, -1074)


def row(function, arguments):
    value = function(*map(mpf, arguments))
    high = float(value)
    if not math.isfinite(high):
        return None
    rest = (value - mpf(high)) / ulp(high) if high else mpf(0)
    return [*arguments, high, round(float(rest), 3)]


def table(bits, count, names):
    for name, (function, samplers) in {**functions(LIMITS[bits]), **pairs(LIMITS[bits])}.items():
        if names and name not in names:
            continue
        random_ = random.Random(name + bits)
        rows = []
        for i in range(count):
            drawn = samplers[i % len(samplers)](random_)
            arguments = drawn if isinstance(drawn, list) else [drawn]
            if bits == "32":
                arguments = [float(numpy.float32(a)) for a in arguments]
            # Rounding may have moved it onto the end of the domain; the test has those by hand.
            top = 1 if name in ("ndtri", "erfinv") else math.inf
            if not 0 < abs(arguments[0]) < top or name == "log1p" and arguments[0] <= -1:
                continue
            rows.append(row(function, arguments))
        yield name, [r for r in rows if r is not None]


def main(count, names):
    found = {bits: dict(table(bits, count, names)) for bits in LIMITS}
    blocks = []
    for name in found["32"]:
        sides = [f'"{bits}":[\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in found[bits][name]) + "]" for bits in LIMITS]
        blocks.append(f'"{name}":{{' + ",\n".join(sides) + "}")
    print("{" + ",\n".join(blocks) + "}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2:])
