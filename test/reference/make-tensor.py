"""Golden values for test/tensor: softmax family, norms, statistics, interpolation, polynomials, rules of Gauss, integrals.

    python make-tensor.py > tensor.json

Needs mpmath, numpy and jax (in double precision; on the CPU). Rules of Gauss and integrals have 40 digits behind them and are rounded once.
"""
import json

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from mpmath import mp, mpf

jax.config.update("jax_enable_x64", True)
mp.dps = 40


def number(x):
    x = float(x)
    return {float("inf"): "inf", float("-inf"): "-inf"}.get(x, "nan" if x != x else x)


def numbers(a):
    a = np.asarray(a)
    return [numbers(row) for row in a] if a.ndim else number(a)


# --- softmax and its logarithm, exactly
def soft(row):
    xs = [mpf(x) if np.isfinite(x) else mpmath.ninf for x in row]
    top = max(xs)
    if top == mpmath.ninf:
        return {"x": numbers(row), "logsumexp": "-inf"}
    total = sum(mpmath.exp(x - top) for x in xs if x != mpmath.ninf)
    lse = top + mpmath.log(total)
    log_p = [x - lse for x in xs]
    return {"x": numbers(row), "logsumexp": number(lse), "logSoftmax": [number(v) for v in log_p],
            "softmax": [number(mpmath.exp(v) if v != mpmath.ninf else 0) for v in log_p]}


inf = float("inf")
soft_rows = [[1.0, 2.0, 3.0], [1e4, 1e4 - 1, -1e4], [-1e4, -1e4 - 2, -1e4 + 1], [-inf, 0.5, -0.5], [-inf, -inf, -inf],
             [-inf, -inf, 7.0], [0.0, 0.0, 0.0], [700.0, -700.0, 710.0], [1e-3, -1e-3, 2e-3]]


# --- norms
def norm_case(x, p):
    v = [mpf(t) for t in x]
    if p == inf:
        n = max(abs(t) for t in v)
        ties = sum(abs(t) == n for t in v)
        g = [mpmath.sign(t) / ties if abs(t) == n else mpf(0) for t in v]
    else:
        n = sum(abs(t) ** p for t in v) ** (mpf(1) / mpf(p))
        g = [mpmath.sign(t) * (abs(t) / n) ** (mpf(p) - 1) for t in v]
    return {"x": x, "p": number(p), "value": number(n), "grad": [number(t) for t in g]}


norm_cases = [norm_case(x, p) for x in ([1.0, -2.0, 3.0], [3.0, 0.0, -4.0], [1e200, -2e200, 2e200], [3e-200, 1e-210, -4e-200], [-5.0])
              for p in (1, 1.5, 2, 3, 10, inf)]

# --- statistics
rng = np.random.default_rng(0)
data = np.round(rng.normal(size=(3, 6)) * 3, 3)
weights = np.round(rng.normal(size=(3, 3)), 3)
stats = {
    "x": numbers(data),
    "cov": {str(ddof): numbers(np.cov(data, ddof=ddof)) for ddof in (0, 1, 2)},
    "corrcoef": numbers(np.corrcoef(data)),
    "weights": numbers(weights),
    "covGrad": numbers(jax.grad(lambda x: jnp.sum(jnp.cov(x) * weights))(data)),
    "corrcoefGrad": numbers(jax.grad(lambda x: jnp.sum(jnp.corrcoef(x) * weights))(data)),
    "standardise": numbers((data - data.mean(-1, keepdims=True)) / np.sqrt(data.var(-1, keepdims=True) + 1e-5)),
}

# --- interpolation: strictly between knots, so that derivatives exist
xp = np.array([-1.0, 0.25, 0.5, 2.0, 3.5])
fp = np.array([2.0, -1.0, 4.0, 4.5, 0.0])
x = np.array([-3.0, -0.5, 0.0, 0.3, 0.5001, 1.7, 3.0, 3.4999, 4.0, 10.0])


def interp_case(name, left, right):
    f = lambda x, xp, fp: jnp.interp(x, xp, fp, left=left, right=right)
    total = lambda *a: jnp.sum(f(*a) * jnp.arange(1.0, len(x) + 1))
    return {"name": name, "value": numbers(f(x, xp, fp)), "grad": [numbers(g) for g in jax.grad(total, argnums=(0, 1, 2))(x, xp, fp)]}


interp = {"x": numbers(x), "xp": numbers(xp), "fp": numbers(fp), "numpy": numbers(np.interp(x, xp, fp)),
          "cases": [interp_case("clamp", None, None), interp_case("extrapolate", "extrapolate", "extrapolate"),
                    interp_case("numbers", -7.0, 9.0)]}

# --- polynomials
c = np.array([0.5, -2.0, 0.0, 3.0, 1.25])
at = np.array([-1.5, 0.0, 0.7, 2.0])
poly = {"c": numbers(c), "x": numbers(at), "value": numbers(np.polyval(c, at)),
        "grad": [numbers(g) for g in jax.grad(lambda c, x: jnp.sum(jnp.polyval(c, x) * jnp.arange(1.0, 5.0)), argnums=(0, 1))(c, at)]}


# --- rules of Gauss: Newton in 60 digits from NumPy's nodes; weights by the sum of squares of the orthonormal polynomials
def rule(a, b, guess):
    n = len(guess)

    def sequence(t):
        p, q, dp, dq = mpf(1), mpf(0), mpf(0), mpf(0)
        norm, total = b(0), 1 / b(0)
        for k in range(n):
            p, q, dp, dq = (t - a(k)) * p - (b(k) if k else 0) * q, p, p + (t - a(k)) * dp - (b(k) if k else 0) * dq, dp
            if k + 1 < n:
                norm *= b(k + 1)
                total += p * p / norm
        return p, dp, total

    nodes, w = [], []
    for g in guess:
        t = mpf(g)
        for _ in range(4):
            p, dp, _total = sequence(t)
            t -= p / dp
        nodes.append(number(t))
        w.append(number(1 / sequence(t)[2]))
    assert all(s < t for s, t in zip(nodes, nodes[1:]))
    return {"n": n, "nodes": nodes, "weights": w}


def jacobi(a, b, n):
    """Starting values: the eigenvalues of the Jacobi matrix."""
    d = np.array([float(a(k)) for k in range(n)])
    e = np.sqrt([float(b(k)) for k in range(1, n)])
    return np.linalg.eigvalsh(np.diag(d) + np.diag(e, 1) + np.diag(e, -1))


def family(name, a, b, even, sizes):
    rules = []
    for n in sizes:
        guess = jacobi(a, b, n)
        # An even weight: the upper half says it all.
        r = rule(a, b, guess)
        if even:
            for key in ("nodes", "weights"):
                r[key] = r[key][n // 2:]
            if n % 2:
                r["nodes"][0] = 0.0
        rules.append(r)
    return name, rules


small = list(range(1, 65))
with mpmath.workdps(60):
    gauss = dict([
        family("legendre", lambda k: 0, lambda k: mpf(2) if k == 0 else mpf(k * k) / (4 * k * k - 1), True, small + [100, 500]),
        family("hermite", lambda k: 0, lambda k: mpmath.sqrt(mpmath.pi) if k == 0 else mpf(k) / 2, True, [1, 2, 3, 10, 33, 64, 100, 500]),
        family("hermiteE", lambda k: 0, lambda k: mpmath.sqrt(2 * mpmath.pi) if k == 0 else mpf(k), True, [1, 2, 7, 64]),
        family("laguerre", lambda k: 2 * k + 1, lambda k: mpf(1) if k == 0 else mpf(k * k), False, [1, 2, 3, 10, 33, 64, 100]),
    ])

# --- integrals with closed forms (or 40 digits of mpmath's own quadrature), by the names of test/tensor/integrands.ts
pi, e = mpmath.pi, mpmath.e
oscillating = mpmath.quad(lambda t: 1 + mpmath.exp(-t) * mpmath.sin(8 * mpmath.exp(2 * t / 3)), mpmath.linspace(0, 2, 9))
integrals = {name: number(value) for name, value in {
    "gaussian bump": mpmath.sqrt(pi) / 2 * mpmath.erf(1),
    "inverse root at 0": 2,
    "power -0.9 at 0": 10,
    "logarithm": -1,
    "product of logarithms": 2 - pi**2 / 6,
    "squared logarithm over root": 16,
    "semicircle": pi / 2,
    "inverse root at 1, by distance": 2,
    "arcsine, by distance": pi,
    "Beta(0.3, 0.2), by distance": mpmath.beta(mpf(0.3), mpf(0.2)),
    "Runge": mpf(2) / 5 * mpmath.atan(5),
    "sine of 50 x": (1 - mpmath.cos(50)) / 50,
    "chirp": oscillating,
    "Gaussian over the line": mpmath.sqrt(pi),
    "Cauchy over the line": pi,
    "logistic density, naively": 1,
    "exponential": 1,
    "Gamma(1/2)": mpmath.sqrt(pi),
    "Bose": pi**4 / 15,
    "slow power": 10,
    "Bessel K0(1)": mpmath.besselk(0, 1),
    "exponential, up to 0": 1,
    "Fermi": pi**2 / 12,
    "root of the tangent": pi / mpmath.sqrt(2),
}.items()}

print(json.dumps({"soft": [soft(r) for r in soft_rows], "norm": norm_cases, "statistics": stats, "interp": interp, "polyval": poly,
                  "gauss": gauss, "integrals": integrals}, separators=(",", ":")))
