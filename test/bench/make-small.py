"""
Losses of the training workloads at their small sizes, written by hand in JAX: mean and standard deviation over keys of the first and of
the second step. `python make-small.py > small.json`, with jax 0.10.2.
"""

import json
import numpy as np
import jax
import jax.numpy as jnp
from jax import lax, nn, random

KEYS = 400
tm = jax.tree_util.tree_map


def u(seed, n):
    x = (np.arange(n, dtype=np.uint64) + np.uint64((seed * 0x9E3779B9) & 0xFFFFFFFF)) & np.uint64(0xFFFFFFFF)
    x = x.astype(np.uint32)
    x ^= x >> 16
    x *= np.uint32(0x21F0AAAD)
    x ^= x >> 15
    x *= np.uint32(0x735A2D97)
    x ^= x >> 15
    return (x.astype(np.float64) + 0.5) / 2.0**32


def U(seed, shape, a):
    return jnp.asarray(((2 * u(seed, int(np.prod(shape))) - 1) * a).astype(np.float32).reshape(shape))


def binary(seed, shape, p):
    return jnp.asarray((u(seed, int(np.prod(shape))) < p).astype(np.float32).reshape(shape))


def lin(seed, i, o):
    return U(seed, (i, o), i**-0.5), jnp.zeros(o)


def aff(p, h):
    return h @ p[0] + p[1]


def adam(p, g, lr=1e-3):
    """The first step, from averages of zero."""
    return tm(lambda p, g: p - lr * g / (jnp.abs(g) + 1e-8), p, g)


def sgd(lr):
    return lambda p, g: tm(lambda p, g: p - lr * g, p, g)


def w6():
    B, D, H, Z = 8, 30, 16, 4
    x = binary(60, (B, D), 0.2)
    p = [lin(61, D, H), lin(62, H, Z), lin(63, H, Z), lin(64, Z, H), lin(65, H, D)]

    def f(p, k):
        h = nn.relu(aff(p[0], x))
        m, lv = aff(p[1], h), aff(p[2], h)
        z = m + jnp.exp(0.5 * lv) * random.normal(k, (B, Z))
        lo = aff(p[4], nn.relu(aff(p[3], z)))
        return ((nn.softplus(lo) - lo * x).sum() - 0.5 * (1 + lv - m * m - jnp.exp(lv)).sum()) / B

    return f, f, p, adam


def dvae(hard):
    B, D, H, K, tau = 4, 30, 12, 4, 0.5
    x = binary(70, (B, D), 0.2)
    p = [lin(71, D, H), lin(72, H, H), lin(73, H, H), lin(74, H, D)]

    def kl(l):
        return (nn.sigmoid(l) * l - nn.softplus(l) + np.log(2.0)).sum() / B

    def relaxed(p, k):
        l = aff(p[1], nn.relu(aff(p[0], x)))
        v = random.uniform(k, (B, H), minval=1e-6, maxval=1 - 1e-6)
        lo = aff(p[3], nn.relu(aff(p[2], nn.sigmoid((l + jnp.log(v) - jnp.log1p(-v)) / tau))))
        return (nn.softplus(lo) - lo * x).sum() / B + kl(l)

    def parts(p, k):
        l = aff(p[1], nn.relu(aff(p[0], x)))
        z = lax.stop_gradient((random.uniform(k, (K, B, H)) < nn.sigmoid(l)).astype(jnp.float32))
        lo = aff(p[3], nn.relu(aff(p[2], z)))
        f = (nn.softplus(lo) - lo * x).sum(2)
        fd = lax.stop_gradient(f)
        lp = (z * l).sum(2) - nn.softplus(l).sum(1)
        return f.sum() / (K * B) + kl(l), (lp * (fd - (fd.sum(0) - fd) / (K - 1))).sum() / (K * B)

    if hard:
        return lambda p, k: parts(p, k)[0], lambda p, k: sum(parts(p, k)), p, adam
    return relaxed, relaxed, p, adam


def w9():
    n, H, S = 16, 5, 4
    x = jnp.linspace(-2, 2, n).reshape(1, n, 1)
    y = jnp.sin(2 * x) + 0.1 * U(90, (1, n, 1), 1.0)
    shapes = [(1, H), (1, H), (H, H), (1, H), (H, 1), (1, 1)]
    p = (
        [U(91 + i, s, s[0] ** -0.5 if i % 2 == 0 else 0.01) for i, s in enumerate(shapes)],
        [jnp.full(s, -3.0) for s in shapes],
    )

    def f(p, k):
        ss = [nn.softplus(r) for r in p[1]]
        w = [m + s * random.normal(kk, (S, *m.shape)) for m, s, kk in zip(p[0], ss, random.split(k, 6))]
        h = jnp.tanh(jnp.tanh(x * w[0] + w[1]) @ w[2] + w[3])
        nll = 50.0 * ((h @ w[4] + w[5] - y) ** 2).sum() / S
        return nll + sum((0.5 * (s * s + m * m - 1) - jnp.log(s)).sum() for m, s in zip(p[0], ss))

    return f, f, p, adam


def w11():
    B, N = 2, 8
    x = U(110, (B, 1, N, N), 1.0)
    y = 0.5 * x + 0.3 * U(111, (B, 1, N, N), 1.0)
    p = [
        U(112, (16, 1, 3, 3), 9**-0.5),
        U(113, (32, 16, 3, 3), 144**-0.5),
        U(114, (2, 32, 3, 3), 288**-0.5),
        jnp.zeros((16, 1, 1)),
        jnp.zeros((32, 1, 1)),
        jnp.zeros((2, 1, 1)),
    ]

    def cv(h, k, s):
        return lax.conv_general_dilated(h, k, (s, s), [(1, 1), (1, 1)])

    def f(p, _):
        h = nn.relu(cv(x, p[0], 1) + p[3])
        h = nn.relu(cv(h, p[1], 2) + p[4])
        o = cv(h.repeat(2, 2).repeat(2, 3), p[2], 1) + p[5]
        m, lv = o[:, :1], o[:, 1:]
        return (0.5 * (lv + (y - m) ** 2 * jnp.exp(-lv))).mean()

    return f, f, p, sgd(1e-2)


def w12():
    T, B, I, H, Z = 4, 3, 2, 4, 2
    x, y = U(120, (T, B, I), 1.0), U(121, (T, B, 1), 1.0)
    p = dict(
        i=(U(122, (I + Z, 3 * H), (I + Z) ** -0.5), jnp.zeros(3 * H)),
        h=(U(123, (H, 3 * H), H**-0.5), jnp.zeros(3 * H)),
        zo=lin(124, H, 2 * Z),
        yo=lin(125, Z, 1),
    )

    def f(p, k):
        h, z, total = jnp.zeros((B, H)), jnp.zeros((B, Z)), 0.0
        e = random.normal(k, (T, B, Z))
        for t in range(T):
            ir, iz, in_ = jnp.split(aff(p["i"], jnp.concatenate([x[t], z], 1)), 3, 1)
            hr, hz, hn = jnp.split(aff(p["h"], h), 3, 1)
            c = jnp.tanh(in_ + nn.sigmoid(ir + hr) * hn)
            h = c + nn.sigmoid(iz + hz) * (h - c)
            m, s = jnp.split(aff(p["zo"], h), 2, 1)
            s = nn.softplus(s)
            z = m + s * e[t]
            total += ((aff(p["yo"], z) - y[t]) ** 2).sum() + 0.1 * (0.5 * (m * m + s * s - 1) - jnp.log(s)).sum()
        return total / (B * T)

    return f, f, p, sgd(0.1)


def losses(loss, surrogate, p, update):
    def two(k):
        a, b = random.split(k)
        return jnp.stack([loss(p, a), loss(update(p, jax.grad(surrogate)(p, a)), b)])

    return np.asarray(jax.jit(jax.vmap(two))(random.split(random.PRNGKey(0), KEYS)), np.float64)


out = {}
for name, made in dict(W6=w6(), W7=dvae(False), W7b=dvae(True), W9=w9(), W11=w11(), W12=w12()).items():
    found = losses(*made)
    out[name] = dict(mean=[float("%.8g" % v) for v in found.mean(0)], sd=[float("%.4g" % v) for v in found.std(0)])
print(json.dumps(out, indent=2))
