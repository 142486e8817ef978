"""Golden values of linear algebra for test/tensor/linalg-golden.test.ts: values and derivatives by JAX in float64, spectra by mpmath.

    python make-linalg.py > linalg.json

Made with jax 0.10.2 on the CPU, numpy 2.4 and mpmath 1.4. `programs`: every output y of a program enters the loss as Σ w sin(y), with the
weights given; the file holds inputs, outputs, loss, gradient, and the Hessian times `direction`. Signs that LAPACK leaves open are fixed: the
diagonal of r is positive, the largest element of an eigenvector or left singular vector too. `hilbert`: exact results for Hilbert matrices,
60 digits on the way.
"""
import json
import zlib

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import jax.scipy.linalg
import mpmath
import numpy as np


def upright(v):
    """The signs that make the largest element of every column positive."""
    top = jnp.take_along_axis(v, jnp.argmax(jnp.abs(v), axis=-2, keepdims=True), axis=-2)
    return jnp.sign(top)


def qr(a):
    q, r = jnp.linalg.qr(a)
    s = jnp.sign(jnp.diagonal(r, axis1=-2, axis2=-1))
    return [q * s[..., None, :], r * s[..., :, None]]


def eigh(a):
    w, v = jnp.linalg.eigh(a)
    return [w, v * upright(v)]


def svd(a):
    u, s, vh = jnp.linalg.svd(a, full_matrices=False)
    sign = upright(u)
    return [u * sign, s, vh * jnp.swapaxes(sign, -1, -2)]


def spd(a):
    return a @ jnp.swapaxes(a, -1, -2) + 0.5 * jnp.eye(a.shape[-1])


def cholesky_solve(a, b):
    return jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(spd(a)), True), b)


def triangular(lower, trans, unit):
    return lambda a, b: [jax.scipy.linalg.solve_triangular(a, b, lower=lower, trans=trans, unit_diagonal=unit)]


programs = {
    "cholesky": (lambda a: [jnp.linalg.cholesky(spd(a))], [(4, 4)]),
    "cholesky, batched": (lambda a: [jnp.linalg.cholesky(spd(a))], [(2, 3, 3, 3)]),
    "cholesky of an asymmetric matrix": (lambda a: [jnp.linalg.cholesky(a + 4 * jnp.eye(3))], [(3, 3)]),
    "choleskySolve": (lambda a, b: [cholesky_solve(a, b)], [(3, 3), (3, 2)]),
    "solve": (lambda a, b: [jnp.linalg.solve(a, b)], [(4, 4), (4, 2)]),
    "solve, vector": (lambda a, b: [jnp.linalg.solve(a, b)], [(3, 3), (3,)]),
    "solve, broadcast": (lambda a, b: [jnp.linalg.solve(a, b)], [(2, 1, 3, 3), (4, 3, 2)]),
    "triangularSolve, lower": (triangular(True, 0, False), [(4, 4), (4, 2)]),
    "triangularSolve, upper, transposed": (triangular(False, 1, False), [(4, 4), (4, 2)]),
    "triangularSolve, lower, unit": (triangular(True, 0, True), [(4, 4), (4, 2)]),
    "inverse": (lambda a: [jnp.linalg.inv(a)], [(4, 4)]),
    "det": (lambda a: [jnp.linalg.det(a)], [(4, 4)]),
    "det, batched": (lambda a: [jnp.linalg.det(a)], [(2, 3, 2, 2)]),
    "slogdet": (lambda a: [jnp.linalg.slogdet(a)[1]], [(4, 4)]),
    "logdet": (lambda a: [jnp.linalg.slogdet(spd(a))[1]], [(4, 4)]),
    "qr": (qr, [(5, 3)]),
    "qr, square": (qr, [(2, 3, 3)]),
    "eigh": (eigh, [(4, 4)]),
    "eigh, batched": (eigh, [(2, 3, 3)]),
    "eigvalsh": (lambda a: [jnp.linalg.eigvalsh(a)], [(5, 5)]),
    "svd": (svd, [(4, 4)]),
    "svd, tall": (svd, [(5, 3)]),
    "svd, wide": (svd, [(2, 3, 4)]),
    "svdvals": (lambda a: [jnp.linalg.svd(a, compute_uv=False)], [(3, 5)]),
    "pinv": (lambda a: [jnp.linalg.pinv(a)], [(5, 3)]),
    "pinv, wide": (lambda a: [jnp.linalg.pinv(a)], [(3, 5)]),
    "pinv of rank 2": (lambda a: [jnp.linalg.pinv(a)], "rank 2"),
    "lstsq": (lambda a, b: [jnp.linalg.lstsq(a, b)[0]], [(5, 3), (5, 2)]),
    "lstsq, wide": (lambda a, b: [jnp.linalg.lstsq(a, b)[0]], [(3, 5), (3,)]),
    "matrixNorm": (lambda a: [jnp.linalg.norm(a, k, axis=(-2, -1)) for k in ["fro", "nuc", 1, 2, np.inf]], [(4, 3)]),
    "matrixExp": (lambda a: [jax.scipy.linalg.expm(a)], [(4, 4)]),
    "matrixExp, large": (lambda a: [jax.scipy.linalg.expm(5 * (a - a.T))], [(3, 3)]),
}


def written(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "data": x.reshape(-1).tolist()}


def case(name, f, shapes):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    draw = lambda shape: np.round(rng.normal(size=shape), 3)
    # Of rank 2 exactly: small whole numbers.
    if shapes == "rank 2":
        inputs = [rng.integers(-3, 4, size=(4, 2)) @ rng.integers(-3, 4, size=(2, 3)) * 1.0]
        direction = [np.zeros((4, 3))]
        left, right = np.linalg.svd(inputs[0])[0][:, :2], np.linalg.svd(inputs[0])[2][:2]
        direction = [left @ draw((2, 3)) + draw((4, 2)) @ right]
    else:
        inputs = [draw(shape) for shape in shapes]
        direction = [draw(shape) for shape in shapes]
    outputs = f(*inputs)
    weights = [draw(np.shape(y)) for y in outputs]
    loss = lambda *args: sum(jnp.sum(w * jnp.sin(y)) for w, y in zip(weights, f(*args)))
    slope = jax.grad(loss, argnums=tuple(range(len(inputs))))
    out = {"name": name, "inputs": inputs, "outputs": outputs, "weights": weights, "direction": direction}
    out = {key: value if key == "name" else [written(x) for x in value] for key, value in out.items()}
    out["loss"] = float(loss(*inputs))
    out["grad"] = [written(g) for g in slope(*inputs)]
    if shapes != "rank 2":
        out["curvature"] = [written(h) for h in jax.jvp(slope, tuple(inputs), tuple(direction))[1]]
    return out


def hilbert(n):
    mpmath.mp.dps = 60
    # The matrix of doubles nearest to 1 / (i + j + 1): the results are exact for what is typed in.
    a = mpmath.matrix([[mpmath.mpf(1.0 / (i + j + 1)) for j in range(n)] for i in range(n)])
    values = sorted(mpmath.eigsy(a, eigvals_only=True))
    lower, inverse = mpmath.cholesky(a), a**-1
    return {
        "n": n,
        "eigenvalues": [float(x) for x in values],
        "det": float(mpmath.det(a)),
        "cholesky": [[float(lower[i, j]) for j in range(n)] for i in range(n)],
        "inverse": [[float(inverse[i, j]) for j in range(n)] for i in range(n)],
    }


print(
    json.dumps(
        {
            "programs": [case(name, f, shapes) for name, (f, shapes) in programs.items()],
            "hilbert": [hilbert(n) for n in (4, 8, 12)],
        }
    )
)
