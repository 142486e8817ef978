"""Golden values of whole differentiable programs for test/golden: values and derivatives by JAX in float64.

    python make-jax-programs.py > jax-programs.json

Made with jax 0.10.2 on the CPU. Inputs are drawn from a numpy generator seeded with the name of the program and rounded to three
decimals. A program is f(params, data). Of a scalar one the file holds value, gradient, derivative along `direction`, Hessian times
`direction`, where small the whole Hessian [n, n] (leaves in the order of their sorted names, row-major), and value and gradient at the
three parameters `batch`. Of any other it holds value, derivative along `direction`, the pullback of `cotangent`, the Jacobian
[outputs, inputs] and the values at `batch`.
"""
import json
import sys
import zlib

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.scipy import special
from jax.scipy.special import logsumexp

themes = {}


def draw(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def leaf(x):
    x = np.asarray(x)
    kind = "int32" if np.issubdtype(x.dtype, np.integer) else "float64"
    return {"shape": list(x.shape), "dtype": kind, "data": x.reshape(-1).tolist()}


def written(tree):
    if isinstance(tree, dict):
        return {key: written(tree[key]) for key in sorted(tree)}
    if isinstance(tree, (list, tuple)):
        return [written(part) for part in tree]
    return leaf(tree)


def rounded(rng, shape, scale=0.1):
    return np.round(rng.uniform(-1, 1, shape) * scale, 3)


def program(theme, name, shapes, data=lambda rng: {}, *, whole=True, forward=False, scale=1.0):
    """Records f under a theme. `shapes`: name -> shape (normal draws times `scale`), or a function of the generator that gives them.
    `whole`: with the Hessian. `forward`: derivatives by forward mode only (JAX does not transpose while_loop)."""

    def keep(f):
        rng = draw(name)
        normal = lambda shape: np.round(rng.normal(size=shape) * scale, 3)
        params = shapes(rng) if callable(shapes) else {key: normal(shapes[key]) for key in sorted(shapes)}
        params = {key: np.asarray(x, dtype=np.float64) for key, x in params.items()}
        inputs = data(rng)
        direction = {key: rounded(rng, x.shape, 1.0) for key, x in sorted(params.items())}
        shifts = [{key: rounded(rng, x.shape) for key, x in sorted(params.items())} for _ in range(3)]
        batch = {key: np.round(np.stack([params[key] + s[key] for s in shifts]), 3) for key in params}
        g = lambda p: f(p, inputs)
        out = jax.jit(g)(params)
        entry = {"params": params, "data": inputs, "direction": direction, "batch": {"params": batch}, "value": out}
        scalar = not isinstance(out, (dict, list, tuple)) and jnp.ndim(out) == 0
        grad = jax.jacfwd(g) if forward else jax.grad(g)
        entry["jvp"] = jax.jit(lambda p, v: jax.jvp(g, (p,), (v,))[1])(params, direction)
        if scalar:
            entry["grad"] = jax.jit(grad)(params)
            entry["hvp"] = jax.jit(lambda p, v: jax.jvp(grad, (p,), (v,))[1])(params, direction)
            entry["batch"]["value"], entry["batch"]["grad"] = jax.jit(jax.vmap(lambda p: (g(p), grad(p))))(batch)
            flat, unravel = ravel_pytree(params)
            if whole and flat.size <= 48:
                entry["hessian"] = jax.jit(jax.jacfwd(lambda q: ravel_pytree(grad(unravel(q)))[0]))(flat)
        else:
            flat, unravel = ravel_pytree(params)
            jacobian = jax.jacfwd if forward else jax.jacrev
            entry["cotangent"] = jax.tree.map(lambda x: rounded(rng, jnp.shape(x), 1.0), out)
            matrix = jax.jit(jacobian(lambda q: ravel_pytree(g(unravel(q)))[0]))(flat)
            entry["jacobian"] = matrix
            entry["vjp"] = unravel(ravel_pytree(entry["cotangent"])[0] @ matrix)
            entry["batch"]["value"] = jax.jit(jax.vmap(g))(batch)
        assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(entry)), name
        themes.setdefault(theme, {})[name] = written(entry)
        print(f"{theme}: {name}", file=sys.stderr)
        return f

    return keep


def table(n, k, **others):
    """Data x [n, k] and whatever else is made of the generator."""
    return lambda rng: {"x": np.round(rng.normal(size=(n, k)), 3)} | {key: make(rng) for key, make in others.items()}


def normals(*shape):
    return lambda rng: np.round(rng.normal(size=shape), 3)


def uniforms(low, high, *shape):
    return lambda rng: np.round(rng.uniform(low, high, shape), 3)


def integers(high, *shape):
    return lambda rng: rng.integers(0, high, shape).astype(np.int32)


def affine(p, x):
    return x @ p["w"] + p["b"]


# ---- regressions


@program("regression", "linear", {"w": (4,), "b": ()}, table(12, 4, y=normals(12)))
def _(p, d):
    return jnp.mean((affine(p, d["x"]) - d["y"]) ** 2)


@program("regression", "ridge through its closed form", {"loglambda": ()}, table(12, 4, y=normals(12), z=normals(6, 4), t=normals(6)))
def _(p, d):
    x, y = d["x"], d["y"]
    w = jnp.linalg.solve(x.T @ x + jnp.exp(p["loglambda"]) * jnp.eye(4), x.T @ y)
    return jnp.mean((d["z"] @ w - d["t"]) ** 2)


@program("regression", "logistic", {"w": (4,), "b": ()}, table(12, 4, y=integers(2, 12)))
def _(p, d):
    z = affine(p, d["x"])
    return jnp.mean(jax.nn.softplus(z) - d["y"] * z) + 0.05 * jnp.sum(p["w"] ** 2)


@program("regression", "softmax", {"w": (4, 3), "b": (3,)}, table(12, 4, y=integers(3, 12)))
def _(p, d):
    logits = jax.nn.log_softmax(affine(p, d["x"]), axis=-1)
    return -jnp.mean(jnp.take_along_axis(logits, d["y"][:, None], axis=1))


@program("regression", "Poisson", {"w": (3,), "b": ()}, table(10, 3, y=integers(6, 10)), scale=0.5)
def _(p, d):
    eta = affine(p, d["x"])
    return jnp.mean(jnp.exp(eta) - d["y"] * eta + special.gammaln(d["y"] + 1.0))


@program("regression", "Huber", {"w": (4,), "b": ()}, table(12, 4, y=normals(12)))
def _(p, d):
    r = jnp.abs(affine(p, d["x"]) - d["y"])
    return jnp.mean(jnp.where(r < 1.0, 0.5 * r**2, r - 0.5))


@program("regression", "Student t", {"w": (3,), "logscale": (), "logdf": ()}, table(12, 3, y=normals(12)))
def _(p, d):
    df, scale = jnp.exp(p["logdf"]), jnp.exp(p["logscale"])
    z = (d["y"] - d["x"] @ p["w"]) / scale
    norm = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * jnp.log(df * jnp.pi) - p["logscale"]
    return -jnp.mean(norm - (df + 1) / 2 * jnp.log1p(z**2 / df))


@program("regression", "quantile", {"w": (3,), "b": ()}, table(12, 3, y=normals(12)))
def _(p, d):
    r = d["y"] - affine(p, d["x"])
    return jnp.mean(jnp.maximum(0.3 * r, -0.7 * r))


@program("regression", "probit", {"w": (3,), "b": ()}, table(12, 3, y=integers(2, 12)))
def _(p, d):
    sign = 2.0 * d["y"] - 1.0
    return -jnp.mean(jnp.log(0.5 * special.erfc(-sign * affine(p, d["x"]) / jnp.sqrt(2.0))))


@program("regression", "negative binomial", {"w": (3,), "logr": ()}, table(10, 3, y=integers(7, 10)), scale=0.6)
def _(p, d):
    r, mu, y = jnp.exp(p["logr"]), jnp.exp(d["x"] @ p["w"]), d["y"]
    counts = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1.0)
    return -jnp.mean(counts + r * jnp.log(r / (r + mu)) + y * jnp.log(mu / (r + mu)))


@program("regression", "factorisation machine", {"w": (4,), "v": (4, 2)}, table(8, 4, y=normals(8)))
def _(p, d):
    x = d["x"]
    pairs = 0.5 * jnp.sum((x @ p["v"]) ** 2 - (x**2) @ (p["v"] ** 2), axis=1)
    return jnp.mean((x @ p["w"] + pairs - d["y"]) ** 2)


# ---- networks

mlp = {"w1": (3, 4), "b1": (4,), "w2": (4, 2), "b2": (2,)}


def perceptron(activation):
    def f(p, d):
        h = activation(d["x"] @ p["w1"] + p["b1"])
        return jnp.mean((h @ p["w2"] + p["b2"] - d["y"]) ** 2)

    return f


for title, activation in [
    ("tanh", jnp.tanh),
    ("relu", jax.nn.relu),
    ("gelu", lambda x: x * 0.5 * (1 + special.erf(x / jnp.sqrt(2.0)))),
    ("softplus", jax.nn.softplus),
    ("sigmoid", jax.nn.sigmoid),
    ("silu", lambda x: x * jax.nn.sigmoid(x)),
]:
    program("network", f"MLP with {title}", mlp, table(6, 3, y=normals(6, 2)))(perceptron(activation))


@program("network", "Jacobian of an MLP", {"x": (3,)}, lambda rng: {k: normals(*s)(rng) for k, s in mlp.items()})
def _(p, d):
    h = jnp.tanh(p["x"] @ d["w1"] + d["b1"])
    return jax.nn.softmax(h @ d["w2"] + d["b2"])


@program("network", "per-example gradient norms", {"w": (4,), "b": ()}, table(6, 4, y=normals(6)))
def _(p, d):
    one = lambda q, x, y: (jnp.tanh(affine(q, x)) - y) ** 2
    g = jax.vmap(jax.grad(one), in_axes=(None, 0, 0))(p, d["x"], d["y"])
    return {"norms": jnp.sqrt(jnp.sum(g["w"] ** 2, axis=1) + g["b"] ** 2), "mean": jnp.mean(g["w"], axis=0)}


@program("network", "layer norm", {"x": (3, 5), "scale": (5,), "shift": (5,)}, lambda rng: {"t": normals(3, 5)(rng)})
def _(p, d):
    mean = jnp.mean(p["x"], axis=-1, keepdims=True)
    var = jnp.var(p["x"], axis=-1, keepdims=True)
    out = (p["x"] - mean) / jnp.sqrt(var + 1e-5) * p["scale"] + p["shift"]
    return jnp.sum((jnp.tanh(out) - d["t"]) ** 2)


@program("network", "batch norm", {"w": (3, 4), "scale": (4,), "shift": (4,)}, table(8, 3, t=normals(8, 4)))
def _(p, d):
    h = d["x"] @ p["w"]
    h = (h - jnp.mean(h, axis=0)) / jnp.sqrt(jnp.var(h, axis=0) + 1e-3) * p["scale"] + p["shift"]
    return jnp.mean((jax.nn.sigmoid(h) - d["t"]) ** 2)


@program("network", "masked attention", {"q": (3, 4), "k": (3, 4), "v": (3, 4)}, table(5, 3, t=normals(5, 4)))
def _(p, d):
    q, k, v = (d["x"] @ p[name] for name in "qkv")
    mask = jnp.tril(jnp.ones((5, 5), bool))
    scores = jnp.where(mask, q @ k.T / 2.0, -jnp.inf)
    return jnp.mean((jax.nn.softmax(scores, axis=-1) @ v - d["t"]) ** 2)


@program("network", "two attention heads", {"q": (4, 4), "k": (4, 4), "v": (4, 4), "o": (4, 4)}, table(3, 4, t=normals(3, 4)), whole=False)
def _(p, d):
    q, k, v = ((d["x"] @ p[name]).reshape(3, 2, 2).transpose(1, 0, 2) for name in "qkv")
    a = jax.nn.softmax(q @ k.transpose(0, 2, 1) / jnp.sqrt(2.0), axis=-1)
    out = (a @ v).transpose(1, 0, 2).reshape(3, 4) @ p["o"]
    return jnp.mean((d["x"] + out - d["t"]) ** 2)


@program("network", "word embeddings", {"e": (6, 3), "w": (3, 6)}, lambda rng: {"words": integers(6, 7)(rng), "next": integers(6, 7)(rng)})
def _(p, d):
    logits = jax.nn.log_softmax(jnp.tanh(p["e"][d["words"]]) @ p["w"], axis=-1)
    return -jnp.mean(logits[jnp.arange(7), d["next"]])


@program("network", "variational autoencoder", {"enc": (4, 4), "dec": (2, 4)}, table(5, 4, noise=normals(5, 2)), scale=0.5)
def _(p, d):
    h = d["x"] @ p["enc"]
    mean, logvar = h[:, :2], h[:, 2:]
    z = mean + jnp.exp(0.5 * logvar) * d["noise"]
    kl = 0.5 * jnp.sum(jnp.exp(logvar) + mean**2 - 1 - logvar)
    return 0.5 * jnp.sum((jnp.tanh(z @ p["dec"]) - d["x"]) ** 2) + kl


# ---- convolutions


def conv(x, w, spec="NCHW", stride=1, padding=0, dilation=1, groups=1):
    n = len(spec) - 2
    both = lambda a: (a,) * n if isinstance(a, int) else a
    return lax.conv_general_dilated(
        x, w, both(stride), [(k, k) for k in both(padding)], rhs_dilation=both(dilation),
        dimension_numbers=(spec, "OI" + spec[2:], spec), feature_group_count=groups,
    )


@program("convolution", "1-D, padded", {"x": (2, 2, 6), "w": (3, 2, 3)}, lambda rng: {"t": normals(2, 3, 6)(rng)})
def _(p, d):
    return jnp.mean((jnp.tanh(conv(p["x"], p["w"], "NCW", padding=1)) - d["t"]) ** 2)


@program("convolution", "2-D", {"w": (3, 2, 2, 2), "b": (3,)}, lambda rng: {"x": normals(2, 2, 4, 4)(rng), "t": normals(2, 3, 3, 3)(rng)})
def _(p, d):
    return jnp.mean((jnp.tanh(conv(d["x"], p["w"]) + p["b"][:, None, None]) - d["t"]) ** 2)


@program("convolution", "2-D, strided and padded", {"x": (1, 2, 5, 4), "w": (2, 2, 3, 2)}, whole=False)
def _(p, d):
    return jnp.sum(jnp.sin(conv(p["x"], p["w"], stride=2, padding=1)))


@program("convolution", "2-D, dilated", {"x": (1, 1, 5, 5), "w": (2, 1, 2, 2)})
def _(p, d):
    return jnp.sum(jnp.tanh(conv(p["x"], p["w"], dilation=2)) ** 2)


@program("convolution", "2-D, grouped", {"x": (1, 4, 3, 3), "w": (4, 2, 2, 2)}, whole=False)
def _(p, d):
    return jnp.sum(jax.nn.softplus(conv(p["x"], p["w"], groups=2)))


@program("convolution", "2-D, transposed", {"x": (1, 2, 3, 3), "w": (2, 3, 2, 2)})
def _(p, d):
    # Weights [in, out, kh, kw]: the adjoint of the convolution with stride 2 from 3 channels to 2.
    like = jax.ShapeDtypeStruct((1, 3, 6, 6), jnp.float64)
    (up,) = jax.linear_transpose(lambda z: conv(z, p["w"], stride=2), like)(p["x"])
    return jnp.sum(jnp.tanh(up) ** 2)


@program("convolution", "max pool", {"x": (1, 2, 4, 4)})
def _(p, d):
    y = lax.reduce_window(p["x"], -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return jnp.sum(jnp.sin(y))


@program("convolution", "average pool", {"x": (1, 2, 4, 4)})
def _(p, d):
    y = lax.reduce_window(p["x"], 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4
    return jnp.sum(jnp.exp(y))


@program("convolution", "a small network", {"k1": (2, 1, 3, 3), "k2": (2, 2, 2, 2), "w": (2, 3)}, lambda rng: {"x": normals(3, 1, 6, 6)(rng), "y": integers(3, 3)(rng)}, scale=0.6)
def _(p, d):
    h = jax.nn.relu(conv(d["x"], p["k1"], padding=1))
    h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    h = jnp.mean(jnp.tanh(conv(h, p["k2"])), axis=(2, 3))
    logits = jax.nn.log_softmax(h @ p["w"], axis=-1)
    return -jnp.mean(logits[jnp.arange(3), d["y"]])


# ---- loops

sequence = lambda n, k, **others: table(n, k, **others)


def rnn(reverse):
    def f(p, d):
        def step(h, x):
            h = jnp.tanh(x @ p["u"] + h @ p["w"] + p["b"])
            return h, h

        last, hs = lax.scan(step, jnp.zeros(3), d["x"], reverse=reverse)
        return jnp.mean((hs @ p["v"] - d["y"]) ** 2) + 0.1 * jnp.sum(last**2)

    return f


cell = {"u": (2, 3), "w": (3, 3), "b": (3,), "v": (3,)}
program("loop", "RNN", cell, sequence(6, 2, y=normals(6)))(rnn(False))
program("loop", "RNN, backwards", cell, sequence(6, 2, y=normals(6)))(rnn(True))


@program("loop", "GRU", {"wz": (4, 2), "wr": (4, 2), "wh": (4, 2), "h0": (2,)}, sequence(5, 2, y=normals(2)))
def _(p, d):
    def step(h, x):
        both = jnp.concatenate([h, x])
        z, r = jax.nn.sigmoid(both @ p["wz"]), jax.nn.sigmoid(both @ p["wr"])
        new = jnp.tanh(jnp.concatenate([r * h, x]) @ p["wh"])
        return (1 - z) * h + z * new, None

    return jnp.sum((lax.scan(step, p["h0"], d["x"])[0] - d["y"]) ** 2)


@program("loop", "LSTM", {"w": (4, 8), "b": (8,)}, sequence(5, 2, y=normals(5, 2)))
def _(p, d):
    def step(state, x):
        h, c = state
        i, f, g, o = jnp.split(jnp.concatenate([h, x]) @ p["w"] + p["b"], 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    (h, c), hs = lax.scan(step, (jnp.zeros(2), jnp.zeros(2)), d["x"])
    return jnp.mean((hs - d["y"]) ** 2) + jnp.sum(h * c)


@program("loop", "states of an RNN", {"w": (2, 2), "h0": (2,)}, sequence(4, 2))
def _(p, d):
    def step(h, x):
        h = jnp.tanh(h @ p["w"] + x)
        return h, {"sum": jnp.sum(h), "square": h**2}

    last, ys = lax.scan(step, p["h0"], d["x"])
    return {"last": last, "ys": ys}


@program("loop", "Kalman filter", {"a": (2, 2), "c": (2,), "logq": (), "logr": ()}, sequence(6, 1), scale=0.6)
def _(p, d):
    q, r = jnp.exp(p["logq"]) * jnp.eye(2), jnp.exp(p["logr"])

    def step(state, y):
        m, s = state
        m, s = p["a"] @ m, p["a"] @ s @ p["a"].T + q
        gain = s @ p["c"]
        v = p["c"] @ gain + r
        e = y[0] - p["c"] @ m
        ll = -0.5 * (jnp.log(2 * jnp.pi * v) + e**2 / v)
        return (m + gain * e / v, s - jnp.outer(gain, gain) / v), ll

    _, lls = lax.scan(step, (jnp.zeros(2), jnp.eye(2)), d["x"])
    return -jnp.sum(lls)


@program("loop", "hidden Markov model", {"start": (3,), "move": (3, 3), "emit": (3, 4)}, lambda rng: {"y": integers(4, 7)(rng)})
def _(p, d):
    start = jax.nn.log_softmax(p["start"])
    move = jax.nn.log_softmax(p["move"], axis=1)
    emit = jax.nn.log_softmax(p["emit"], axis=1)

    def step(alpha, y):
        return logsumexp(alpha[:, None] + move, axis=0) + emit[:, y], None

    alpha, _ = lax.scan(step, start + emit[:, d["y"][0]], d["y"][1:])
    return -logsumexp(alpha)


@program("loop", "nested scan", {"a": (), "b": (2,)}, sequence(3, 4))
def _(p, d):
    def outer(c, row):
        def inner(h, x):
            h = jnp.sin(p["a"] * h + x * p["b"])
            return h, h[0] * h[1]

        h, ys = lax.scan(inner, c, row)
        return h, jnp.sum(ys**2)

    c, ys = lax.scan(outer, jnp.ones(2), d["x"])
    return jnp.sum(ys) + jnp.sum(c)


@program("loop", "scan inside vmap", {"w": (2, 2), "h0": (2,)}, lambda rng: {"x": normals(3, 4, 2)(rng), "y": normals(3, 2)(rng)})
def _(p, d):
    def run(xs):
        return lax.scan(lambda h, x: (jnp.tanh(h @ p["w"] + x), None), p["h0"], xs)[0]

    return jnp.mean((jax.vmap(run)(d["x"]) - d["y"]) ** 2)


@program("loop", "vmap inside scan", {"w": (2, 2), "h0": (3, 2)}, lambda rng: {"x": normals(4, 2)(rng)})
def _(p, d):
    def step(h, x):
        h = jax.vmap(lambda row: jnp.tanh(p["w"] @ row + x))(h)
        return h, jnp.sum(h, axis=0)

    h, ys = lax.scan(step, p["h0"], d["x"])
    return jnp.sum(h**2) + jnp.sum(jnp.sin(ys))


@program("loop", "meta-gradient: descent inside scan", {"w": (2,), "lograte": ()}, table(6, 2, y=normals(6), z=normals(4, 2), t=normals(4)), scale=0.7)
def _(p, d):
    loss = lambda w, x, y: jnp.mean((jnp.tanh(x @ w) - y) ** 2)

    def step(w, _):
        return w - jnp.exp(p["lograte"]) * jax.grad(loss)(w, d["x"], d["y"]), None

    w, _ = lax.scan(step, p["w"], None, length=5)
    return loss(w, d["z"], d["t"])


@program("loop", "MAML", {"w": (3,), "b": ()}, lambda rng: {"x": normals(2, 4, 3)(rng), "y": normals(2, 4)(rng), "z": normals(2, 4, 3)(rng), "t": normals(2, 4)(rng)})
def _(p, d):
    loss = lambda q, x, y: jnp.mean((jnp.sin(affine(q, x)) - y) ** 2)

    def task(x, y, z, t):
        def step(q, _):
            g = jax.grad(loss)(q, x, y)
            return jax.tree.map(lambda a, b: a - 0.1 * b, q, g), None

        q, _ = lax.scan(step, p, None, length=3)
        return loss(q, z, t)

    return jnp.mean(jax.vmap(task)(d["x"], d["y"], d["z"], d["t"]))


@program("loop", "cond inside scan", {"a": (), "b": ()}, sequence(8, 1))
def _(p, d):
    def step(s, x):
        s = lax.cond(x[0] > 0, lambda s: jnp.sin(p["a"] * s) + x[0], lambda s: s * jnp.exp(-p["b"] * s**2), s)
        return s, s

    s, ss = lax.scan(step, 0.5, d["x"])
    return s + jnp.sum(ss**2)


@program("loop", "cond", {"x": (3,)}, lambda rng: {"flags": np.array([1, 0], np.int32)})
def _(p, d):
    yes, no = (lambda x: jnp.sum(jnp.exp(x))), (lambda x: jnp.prod(x))
    a = lax.cond(d["flags"][0] > 0, yes, no, p["x"])
    b = lax.cond(d["flags"][1] > 0, yes, no, p["x"])
    return a * b + lax.cond(jnp.sum(p["x"]) > 100, lambda x: x[0], lambda x: x[1] ** 3, p["x"])


@program("loop", "while: sum of a series", {"x": ()}, scale=0.5, forward=True)
def _(p, d):
    # Σ xᵏ / k! until the terms vanish: exp(x).
    def body(state):
        k, term, total = state
        term = term * p["x"] / k
        return k + 1.0, term, total + term

    state = (1.0, 1.0 + 0 * p["x"], 1.0 + 0 * p["x"])
    return lax.while_loop(lambda s: jnp.abs(s[1]) > 1e-18, body, state)[2] ** 2


@program("loop", "while: Newton's square root", lambda rng: {"a": rng.uniform(1, 5, (3,)).round(3)}, forward=True)
def _(p, d):
    def body(state):
        x, _ = state
        new = 0.5 * (x + p["a"] / x)
        return new, x

    far = lambda state: jnp.max(jnp.abs(state[0] - state[1])) > 1e-13
    x, _ = lax.while_loop(far, body, (p["a"], p["a"] + 1.0))
    return jnp.sum(jnp.sin(x))


@program("loop", "fori: power iteration", {"m": (3, 3), "x": (3,)})
def _(p, d):
    s = p["m"] @ p["m"].T
    x = lax.fori_loop(0, 6, lambda _, x: (s @ x) / jnp.sqrt(jnp.sum((s @ x) ** 2)), p["x"])
    return x @ s @ x


def runge(f, y, h):
    k1 = f(y)
    k2 = f(y + h / 2 * k1)
    k3 = f(y + h / 2 * k2)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(y + h * k3))


@program("loop", "Runge-Kutta: Lotka-Volterra", lambda rng: {"rates": np.array([1.1, 0.4, 0.3, 0.9]), "y0": np.array([2.0, 1.5])})
def _(p, d):
    a, b, c, e = p["rates"]
    f = lambda y: jnp.stack([a * y[0] - b * y[0] * y[1], c * y[0] * y[1] - e * y[1]])

    def step(y, _):
        y = runge(f, y, 0.1)
        return y, y

    y, ys = lax.scan(step, p["y0"], None, length=12)
    return jnp.mean(ys**2) + y[0] * y[1]


@program("loop", "neural ODE", {"w1": (2, 3), "w2": (3, 2), "y0": (2,)}, lambda rng: {"t": normals(2)(rng)}, scale=0.7)
def _(p, d):
    f = lambda y: jnp.tanh(y @ p["w1"]) @ p["w2"]
    y, _ = lax.scan(lambda y, _: (runge(f, y, 0.2), None), p["y0"], None, length=8)
    return jnp.sum((y - d["t"]) ** 2)


@program("loop", "leapfrog: energy and end of an orbit", lambda rng: {"q": np.array([1.0, 0.2]), "v": np.array([-0.1, 0.9])})
def _(p, d):
    force = lambda q: -q / jnp.sum(q**2) ** 1.5

    def step(state, _):
        q, v = state
        v = v + 0.05 * force(q)
        q = q + 0.1 * v
        v = v + 0.05 * force(q)
        return (q, v), 0.5 * jnp.sum(v**2) - 1 / jnp.sqrt(jnp.sum(q**2))

    (q, v), energy = lax.scan(step, (p["q"], p["v"]), None, length=10)
    return {"q": q, "v": v, "energy": energy}


@program("loop", "Newton's method, unrolled", {"a": (2,), "b": ()}, scale=0.5)
def _(p, d):
    # The minimum over x of a convex function with parameters a and b.
    energy = lambda x: jnp.sum(jnp.exp(p["a"] * x)) + jnp.sum((x - p["b"]) ** 2) + 0.5 * (x[0] - x[1]) ** 2
    x = jnp.zeros(2)
    for _ in range(4):
        h, g = jax.hessian(energy)(x), jax.grad(energy)(x)
        det = h[0, 0] * h[1, 1] - h[0, 1] * h[1, 0]
        x = x - jnp.stack([h[1, 1] * g[0] - h[0, 1] * g[1], h[0, 0] * g[1] - h[1, 0] * g[0]]) / det
    return jnp.sum(jnp.sin(x)) + energy(x)


@program("loop", "fixed point, by the implicit function", {"w": (3, 3), "b": (3,)}, scale=0.35)
def _(p, d):
    # z = tanh(W z + b), differentiated implicitly.
    residual = lambda z: z - jnp.tanh(p["w"] @ z + p["b"])
    solve = lambda f, z0: lax.fori_loop(0, 400, lambda _, z: z - f(z), z0)
    tangent_solve = lambda g, y: jnp.linalg.solve(jax.jacobian(g)(y), y)
    z = lax.custom_root(residual, jnp.zeros(3), solve, tangent_solve)
    return jnp.sum(z**2) + z[0]


@program("loop", "root of a system, by the implicit function", {"a": (3,), "b": (3, 3)}, scale=0.5)
def _(p, d):
    residual = lambda x: x + jnp.exp(x) - 1 - p["a"] + 0.3 * jnp.sin(p["b"] @ x)
    newton = lambda f, x0: lax.fori_loop(0, 30, lambda _, x: x - jnp.linalg.solve(jax.jacfwd(f)(x), f(x)), x0)
    x = lax.custom_root(residual, jnp.zeros(3), newton, lambda g, y: jnp.linalg.solve(jax.jacobian(g)(y), y))
    return jnp.sum(jnp.cos(x)) + x[0] * x[1]


@program("loop", "Kepler's equation, by the implicit function", lambda rng: {"m": np.array([0.3, 1.2, 2.5]), "e": np.array(0.6)})
def _(p, d):
    residual = lambda x: x - p["e"] * jnp.sin(x) - p["m"]
    newton = lambda f, x0: lax.fori_loop(0, 60, lambda _, x: x - f(x) / (1 - p["e"] * jnp.cos(x)), x0)
    x = lax.custom_root(residual, p["m"], newton, lambda g, y: jnp.linalg.solve(jax.jacobian(g)(y), y))
    return {"radius": 1 - p["e"] * jnp.cos(x), "x": x}


# ---- linear algebra


def spd(m):
    return m @ m.T + jnp.eye(m.shape[0])


def kernel(p, x):
    distance = jnp.sum((x[:, None, :] - x[None, :, :]) ** 2, axis=-1)
    return jnp.exp(p["amplitude"]) * jnp.exp(-0.5 * distance * jnp.exp(-2 * p["length"])) + jnp.exp(p["noise"]) * jnp.eye(x.shape[0])


@program("algebra", "Gaussian process", {"amplitude": (), "length": (), "noise": ()}, table(7, 2, y=normals(7)), scale=0.5)
def _(p, d):
    l = jnp.linalg.cholesky(kernel(p, d["x"]))
    z = lax.linalg.triangular_solve(l, d["y"][:, None], left_side=True, lower=True)
    return 0.5 * jnp.sum(z**2) + jnp.sum(jnp.log(jnp.diagonal(l))) + 3.5 * jnp.log(2 * jnp.pi)


@program("algebra", "multivariate normal", {"m": (3, 3), "mean": (3,)}, table(5, 3))
def _(p, d):
    l = jnp.linalg.cholesky(spd(p["m"]))
    z = jax.scipy.linalg.solve_triangular(l, (d["x"] - p["mean"]).T, lower=True)
    return 0.5 * jnp.sum(z**2) + 5 * jnp.sum(jnp.log(jnp.diagonal(l)))


@program("algebra", "Cholesky factor", {"m": (3, 3)})
def _(p, d):
    return jnp.linalg.cholesky(spd(p["m"]))


@program("algebra", "solve", {"a": (3, 3), "b": (3, 2)})
def _(p, d):
    return jnp.sum(jnp.tanh(jnp.linalg.solve(p["a"] + 3 * jnp.eye(3), p["b"])))


@program("algebra", "upper triangular solve, transposed", {"a": (3, 3), "b": (3,)})
def _(p, d):
    u = jnp.triu(p["a"]) + 2 * jnp.eye(3)
    x = jax.scipy.linalg.solve_triangular(u, p["b"], trans=1, lower=False)
    return jnp.sum(jnp.sin(x))


@program("algebra", "log determinant", {"a": (4, 4)})
def _(p, d):
    sign, log = jnp.linalg.slogdet(p["a"] + 0.5 * jnp.eye(4))
    return log + 0 * sign + jnp.sum(jnp.sin(p["a"]))


@program("algebra", "eigenvalues", {"m": (4, 4)})
def _(p, d):
    values = jnp.linalg.eigvalsh((p["m"] + p["m"].T) / 2)
    return jnp.sum(jnp.sin(values) * jnp.arange(1.0, 5.0))


@program("algebra", "projector on two eigenvectors", {"m": (4, 4)}, lambda rng: {"t": normals(4, 4)(rng)})
def _(p, d):
    _, vectors = jnp.linalg.eigh((p["m"] + p["m"].T) / 2)
    top = vectors[:, 2:]
    return jnp.sum(jnp.tanh(top @ top.T) * d["t"])


@program("algebra", "singular values", {"a": (4, 3)})
def _(p, d):
    s = jnp.linalg.svd(p["a"], compute_uv=False)
    return jnp.sum(jnp.log1p(s) * jnp.arange(1.0, 4.0))


@program("algebra", "low-rank approximation", {"a": (4, 3)}, lambda rng: {"t": normals(4, 3)(rng)})
def _(p, d):
    u, s, vh = jnp.linalg.svd(p["a"], full_matrices=False)
    near = (u[:, :2] * s[:2]) @ vh[:2]
    return jnp.sum(jnp.tanh(near) * d["t"])


@program("algebra", "least squares by QR", {"a": (5, 3), "b": (5,)})
def _(p, d):
    q, r = jnp.linalg.qr(p["a"])
    x = jax.scipy.linalg.solve_triangular(r, q.T @ p["b"], lower=False)
    return jnp.sum((p["a"] @ x - p["b"]) ** 2) + jnp.sum(jnp.sin(x))


@program("algebra", "square root of a matrix, implicit", {"m": (3, 3)}, scale=0.6)
def _(p, d):
    values, vectors = jnp.linalg.eigh(spd(p["m"]))
    root = (vectors * jnp.sqrt(values)) @ vectors.T
    return jnp.sum(jnp.sin(root))


@program("algebra", "Kronecker-factored curvature", {"a": (2, 2), "b": (2, 2)})
def _(p, d):
    big = jnp.kron(spd(p["a"]), spd(p["b"])) + 0.1 * jnp.ones((4, 4))
    return jnp.linalg.slogdet(big)[1] + jnp.trace(jnp.linalg.inv(big))


@program("algebra", "determinant", {"a": (3, 3)})
def _(p, d):
    return jnp.linalg.det(p["a"]) + jnp.trace(p["a"] @ p["a"])


@program("algebra", "matrix exponential", {"a": (3, 3)})
def _(p, d):
    return jnp.sum(jnp.sin(jax.scipy.linalg.expm(p["a"])))


@program("algebra", "pseudoinverse", {"a": (4, 2)})
def _(p, d):
    return jnp.sum(jnp.sin(jnp.linalg.pinv(p["a"])))


# ---- arrays


@program("array", "einsum", {"a": (2, 3, 2), "b": (3, 4), "c": (4, 2)})
def _(p, d):
    return jnp.sum(jnp.sin(jnp.einsum("bij,jk->bik", p["a"].transpose(0, 2, 1), p["b"]) @ p["c"])) + jnp.einsum("bij,jk,ki->", p["a"].transpose(0, 2, 1), p["b"], p["c"])


@program("array", "bilinear form by einsum", {"a": (3, 3), "x": (4, 3), "y": (4, 3)})
def _(p, d):
    return jnp.einsum("ni,ij,nj->n", p["x"], p["a"], p["y"])


@program("array", "power spectrum", {"x": (8,)}, lambda rng: {"w": normals(8)(rng)})
def _(p, d):
    f = jnp.fft.fft(p["x"])
    return jnp.sum(jnp.log1p(jnp.real(f) ** 2 + jnp.imag(f) ** 2) * d["w"])


@program("array", "complex spectrum", {"re": (2, 6), "im": (2, 6)})
def _(p, d):
    f = jnp.fft.fft(p["re"] + 1j * p["im"], axis=-1)
    back = jnp.fft.ifft(f * jnp.conj(f))
    return {"re": jnp.sin(jnp.real(f)), "im": jnp.imag(back)}


@program("array", "cumulative product", {"x": (2, 5)}, lambda rng: {"w": normals(2, 5)(rng)})
def _(p, d):
    return jnp.sum(jnp.cumprod(p["x"], axis=1) * d["w"]) + jnp.prod(jnp.cos(p["x"]))


@program("array", "cumulative product with a zero", lambda rng: {"x": np.array([0.7, 0.0, -1.3, 0.4])}, lambda rng: {"w": normals(4)(rng)})
def _(p, d):
    # Written with loops: JAX too gives NaN for some formulas at a zero.
    total, out = 1.0, 0.0
    for i in range(4):
        total = total * p["x"][i]
        out = out + total * d["w"][i]
    return out


@program("array", "running maximum", {"x": (3, 6)}, lambda rng: {"w": normals(3, 6)(rng)})
def _(p, d):
    return jnp.sum(jnp.sin(lax.cummax(p["x"], axis=1)) * d["w"])


@program("array", "running log-sum-exp", {"x": (3, 6)}, lambda rng: {"w": normals(3, 6)(rng)})
def _(p, d):
    return jnp.sum(lax.cumlogsumexp(p["x"], axis=1) * d["w"]) + jnp.sum(lax.cumlogsumexp(p["x"], axis=0, reverse=True)[0])


@program("array", "sort: one-dimensional optimal transport", {"x": (6,), "y": (6,)})
def _(p, d):
    return jnp.sum(jnp.abs(jnp.sort(p["x"]) - jnp.sort(p["y"])) ** 1.5)


@program("array", "top k", {"x": (3, 6)})
def _(p, d):
    values, _ = lax.top_k(p["x"], 3)
    return jnp.sum(jnp.exp(values) * jnp.array([3.0, 2.0, 1.0]))


@program("array", "median and quantile by sorting", {"x": (7,)})
def _(p, d):
    s = jnp.sort(p["x"])
    return s[3] ** 3 + 0.25 * s[1] * s[2]


@program("array", "segment sums (scatter)", {"x": (8,), "w": (3,)}, lambda rng: {"group": integers(3, 8)(rng)})
def _(p, d):
    sums = jnp.zeros(3).at[d["group"]].add(jnp.exp(p["x"]))
    return jnp.sum(jnp.log1p(sums) * p["w"])


@program("array", "graph convolution (gather and scatter)", {"h": (5, 2), "w": (2, 2)}, lambda rng: {"from": integers(5, 9)(rng), "to": integers(5, 9)(rng)})
def _(p, d):
    messages = jnp.tanh(p["h"] @ p["w"])[d["from"]]
    return jnp.sum(jnp.sin(p["h"] + jnp.zeros((5, 2)).at[d["to"]].add(messages)))


@program("array", "padded differences", {"x": (3, 5)})
def _(p, d):
    x = jnp.pad(p["x"], [(1, 0), (0, 2)])
    return jnp.sum((x[1:] - x[:-1]) ** 2) + jnp.sum(jnp.sin(x[:, ::2][:, ::-1]))


@program("array", "real spectrum", {"x": (7,)})
def _(p, d):
    f = jnp.fft.rfft(p["x"])
    return jnp.fft.irfft(f * jnp.exp(-0.3 * jnp.arange(4)), n=7) ** 2


@program("array", "interpolation", {"y": (5,), "x": (4,)})
def _(p, d):
    return jnp.sum(jnp.interp(jnp.tanh(p["x"]) * 2, jnp.array([-2.0, -0.7, 0.1, 0.8, 2.0]), p["y"]) ** 2)


# ---- densities and special functions


@program("density", "mixture of normals", {"logits": (3,), "mean": (3,), "logscale": (3,)}, table(8, 1))
def _(p, d):
    z = (d["x"] - p["mean"]) * jnp.exp(-p["logscale"])
    logs = jax.nn.log_softmax(p["logits"]) - 0.5 * z**2 - p["logscale"] - 0.5 * jnp.log(2 * jnp.pi)
    return -jnp.mean(logsumexp(logs, axis=1))


@program("density", "KL of two Dirichlet laws", {"a": (4,), "b": (4,)}, scale=0.5)
def _(p, d):
    a, b = jnp.exp(p["a"]), jnp.exp(p["b"])
    norm = lambda c: special.gammaln(jnp.sum(c)) - jnp.sum(special.gammaln(c))
    return norm(a) - norm(b) + jnp.sum((a - b) * (special.digamma(a) - special.digamma(jnp.sum(a))))


@program("density", "KL of two gamma laws", {"a": (2,), "b": (2,)}, scale=0.5)
def _(p, d):
    (a, r), (b, s) = jnp.exp(p["a"]), jnp.exp(p["b"])
    return (a - b) * special.digamma(a) - special.gammaln(a) + special.gammaln(b) + b * jnp.log(r / s) + a * (s / r - 1)


@program("density", "KL of two normal laws", {"m": (3,), "n": (3,), "s": (3,), "t": (3,)})
def _(p, d):
    return jnp.sum(p["t"] - p["s"] + 0.5 * (jnp.exp(2 * p["s"]) + (p["m"] - p["n"]) ** 2) * jnp.exp(-2 * p["t"]) - 0.5)


@program("density", "beta likelihood", {"a": (), "b": ()}, lambda rng: {"x": uniforms(0.05, 0.95, 9)(rng)})
def _(p, d):
    a, b = jax.nn.softplus(p["a"]), jax.nn.softplus(p["b"])
    norm = special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)
    return -jnp.mean(special.xlogy(a - 1, d["x"]) + special.xlog1py(b - 1, -d["x"]) - norm)


@program("density", "Black-Scholes and its Greeks", lambda rng: {"spot": np.array([90.0, 100.0, 115.0]), "vol": np.array([0.2, 0.25, 0.4]), "rate": np.array(0.03)})
def _(p, d):
    price = lambda s, v: s * cdf(one(s, v)) - 100.0 * jnp.exp(-p["rate"]) * cdf(one(s, v) - v)
    cdf = lambda z: 0.5 * (1 + special.erf(z / jnp.sqrt(2.0)))
    one = lambda s, v: (jnp.log(s / 100.0) + p["rate"] + 0.5 * v**2) / v
    delta = jax.vmap(jax.grad(price))(p["spot"], p["vol"])
    vega = jax.vmap(jax.grad(price, 1))(p["spot"], p["vol"])
    return jnp.sum(jax.vmap(price)(p["spot"], p["vol"])) + jnp.sum(delta * vega)


@program("density", "truncated normal (erf, log, erfinv)", {"m": (), "s": ()}, lambda rng: {"u": uniforms(0.1, 0.9, 5)(rng)}, scale=0.5)
def _(p, d):
    # A draw by inversion on [-1, 2].
    scale = jnp.exp(p["s"])
    cdf = lambda x: 0.5 * (1 + special.erf((x - p["m"]) / scale / jnp.sqrt(2.0)))
    low, high = cdf(-1.0), cdf(2.0)
    z = special.erfinv(2 * (low + d["u"] * (high - low)) - 1) * jnp.sqrt(2.0)
    return jnp.mean(jnp.sin(p["m"] + scale * z))


@program("density", "an integral in closed form", lambda rng: {"a": np.array(0.7), "b": np.array(1.3)})
def _(p, d):
    # The integral of exp(-a x) sin x from 0 to b.
    a, b = p["a"], p["b"]
    return (1 - jnp.exp(-a * b) * (a * jnp.sin(b) + jnp.cos(b))) / (1 + a**2)


@program("density", "third derivative", {"x": (4,)})
def _(p, d):
    f = lambda x: jnp.sin(x) * jnp.exp(0.5 * x) / (1 + x**2)
    return jnp.sum(jax.vmap(jax.grad(jax.grad(jax.grad(f))))(p["x"]) ** 2)


@program("density", "score matching (trace of a Hessian)", {"w": (2, 3), "v": (3,)}, table(4, 2))
def _(p, d):
    energy = lambda x: jnp.sum(jax.nn.softplus(x @ p["w"]) * p["v"])

    def one(x):
        return 0.5 * jnp.sum(jax.grad(energy)(x) ** 2) + jnp.trace(jax.hessian(energy)(x))

    return jnp.mean(jax.vmap(one)(d["x"]))


@program("density", "normalizing flow (log |det J|)", {"w": (2, 2), "u": (2, 2)}, table(4, 2), scale=0.4)
def _(p, d):
    flow = lambda x: x + jnp.tanh(x @ p["w"]) @ p["u"]

    def one(x):
        j = jax.jacobian(flow)(x)
        return 0.5 * jnp.sum(flow(x) ** 2) - 0.5 * jnp.log((j[0, 0] * j[1, 1] - j[0, 1] * j[1, 0]) ** 2)

    return jnp.mean(jax.vmap(one)(d["x"]))


@program("density", "polar coordinates", {"r": (2,)})
def _(p, d):
    r, a = p["r"]
    return jnp.stack([r * jnp.cos(a), r * jnp.sin(a), jnp.log1p(r**2 * jnp.sin(a) ** 2)])


@program("density", "physics-informed loss (second derivatives inside)", {"w": (3,), "b": (3,), "v": (3,)}, lambda rng: {"x": uniforms(-1, 1, 5)(rng)})
def _(p, d):
    u = lambda x: jnp.sum(p["v"] * jnp.tanh(p["w"] * x + p["b"]))
    residual = lambda x: jax.grad(jax.grad(u))(x) + u(x) ** 2 - jnp.sin(x)
    return jnp.mean(jax.vmap(residual)(d["x"]) ** 2) + u(0.0) ** 2


def text(value):
    """One program a line."""
    rooms = []
    for theme, programs in value.items():
        lines = [f"{json.dumps(name)}:{json.dumps(entry, separators=(',', ':'))}" for name, entry in programs.items()]
        rooms.append(f"{json.dumps(theme)}:{{\n" + ",\n".join(lines) + "\n}")
    return ",\n".join(rooms)


print(f'{{"jaxVersion":"{jax.__version__}","themes":{{\n{text(themes)}\n}}}}')
