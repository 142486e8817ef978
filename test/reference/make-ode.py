"""Golden values of differential equations for test/tensor/ode*.test.ts.

    python make-ode.py > ode.json

Needs scipy and jax. Values: scipy's solve_ivp, DOP853, rtol 1e-12, atol 1e-13. First derivatives: the variational equations, solved with
the system by the same method; second derivatives: central differences of those (h = 1e-5). The right-hand side's own derivatives come
from jax in float64, not from the method under test. A case holds y0, params and times, y [times, n], dy/dy0 [times, n, n],
dy/dparams [times, n, p], and for some the Hessian of the sum of the last y with respect to (y0, params).
"""
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import scipy
from scipy.integrate import solve_ivp

jax.config.update("jax_enable_x64", True)


def lorenz(t, y, p):
    return jnp.stack([p[0] * (y[1] - y[0]), y[0] * (p[1] - y[2]) - y[1], y[0] * y[1] - p[2] * y[2]])


def lotka(t, y, p):
    return jnp.stack([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]])


def pendulum(t, y, p):
    """Damped and driven: depends on time."""
    return jnp.stack([y[1], -jnp.sin(y[0]) - p[0] * y[1] + p[1] * jnp.cos(p[2] * t)])


def solve(f, y0, p, times):
    n, m = len(y0), len(p)
    rhs = jax.jit(f)
    by_y, by_p = jax.jit(jax.jacfwd(f, 1)), jax.jit(jax.jacfwd(f, 2))

    def both(t, z):
        y, s = z[:n], z[n:].reshape(n, n + m)
        a, b = np.asarray(by_y(t, y, p)), np.asarray(by_p(t, y, p))
        return np.concatenate([np.asarray(rhs(t, y, p)), (a @ s + np.hstack([np.zeros((n, n)), b])).ravel()])

    z0 = np.concatenate([y0, np.hstack([np.eye(n), np.zeros((n, m))]).ravel()])
    out = solve_ivp(both, (times[0], times[-1]), z0, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-13)
    if not out.success:
        sys.exit(out.message)
    z = out.y.T
    s = z[:, n:].reshape(len(times), n, n + m)
    return z[:, :n], s[:, :, :n], s[:, :, n:]


def slope_of_last(f, x, n, times):
    _, s, q = solve(f, x[:n], x[n:], times)
    return np.concatenate([s[-1].sum(0), q[-1].sum(0)])


def case(name, f, y0, p, times, hessian):
    y0, p, times = map(np.asarray, (y0, p, times))
    y, s, q = solve(f, y0, p, times)
    entry = {"name": name, "y0": y0, "params": p, "times": times, "y": y, "byY0": s, "byParams": q}
    if hessian:
        x = np.concatenate([y0, p])
        h = 1e-5
        rows = [
            (slope_of_last(f, x + h * e, len(y0), times) - slope_of_last(f, x - h * e, len(y0), times)) / (2 * h)
            for e in np.eye(len(x))
        ]
        entry["hessian"] = np.array(rows)
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in entry.items()}


cases = [
    case("lorenz", lorenz, [1.0, 1.0, 1.0], [10.0, 28.0, 8 / 3], [0, 0.25, 1.0, 2.5], False),
    case("lotka", lotka, [1.0, 0.5], [1.1, 0.4, 0.1, 0.4], [0, 1.0, 3.0, 5.0], True),
    case("pendulum", pendulum, [0.5, 0.0], [0.2, 1.2, 2 / 3], [0.3, 1.0, 2.5, 6.0], True),
    case("backwards", pendulum, [0.5, 0.0], [0.2, 1.2, 2 / 3], [1.0, 0.2, -2.0], False),
]
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
print(f'{{"scipyVersion":"{scipy.__version__}","jaxVersion":"{jax.__version__}","cases":[\n{lines}]}}')
