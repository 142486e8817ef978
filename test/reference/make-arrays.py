"""Reference values of the array functions for test/tensor: numpy 2.4.6 and jax 0.10.2 on the CPU in float64.

    python make-arrays.py > arrays.json

`derivatives`: {name: {inputs: {a: tensor, ...}, out, gradient, hessian}}, inputs float64 unless they are named by a capital letter
(places, int32). With w the numbers cos(0), cos(1), ... of the shape of `out`, gradient and hessian are those of sum(sin(out) * w), with
respect to the float inputs in alphabetical order, flattened one after another.
`values`: {name: {inputs, out}}, by numpy. `einsum`: [{spec, operands, out, gradient}], `out` by numpy, the gradient by jax as above.
A tensor is {shape, dtype, data}; "nan", "inf", "-inf" are strings.
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


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def number(x):
    if np.isnan(x):
        return "nan"
    if np.isinf(x):
        return "inf" if x > 0 else "-inf"
    return x


def leaf(x):
    x = np.asarray(x)
    flat = x.reshape(-1).tolist()
    kind = {"b": "bool", "i": "int32", "u": "uint32", "f": "float64"}[x.dtype.kind]
    return {"shape": list(x.shape), "dtype": kind, "data": [number(v) if kind == "float64" else int(v) for v in flat]}


def normal(name, *shape):
    return np.round(rng(name).normal(size=shape), 3)


derivatives = {}
values = {}


def weights(shape):
    return jnp.cos(jnp.arange(int(np.prod(shape)), dtype=jnp.float64)).reshape(shape)


def derive(name, f, **inputs):
    floats = {k: jnp.asarray(v, jnp.float64) for k, v in sorted(inputs.items()) if k.islower()}
    places = {k: jnp.asarray(v, jnp.int32) for k, v in inputs.items() if not k.islower()}
    flat, back = ravel_pytree(floats)
    out = f(**floats, **places)
    loss = lambda v: jnp.sum(jnp.sin(f(**back(v), **places)) * weights(out.shape))
    derivatives[name] = {
        "inputs": {k: leaf(v) for k, v in {**floats, **places}.items()},
        "out": leaf(out),
        "gradient": leaf(jax.grad(loss)(flat)),
        "hessian": leaf(jax.jacfwd(jax.jacrev(loss))(flat)),
    }


def value(name, f, **inputs):
    arrays = {k: np.asarray(v) for k, v in inputs.items()}
    values[name] = {"inputs": {k: leaf(v) for k, v in arrays.items()}, "out": leaf(f(**arrays))}


# Order.
derive("sort", lambda x: jnp.sort(x, axis=-1), x=normal("sort", 2, 5))
derive("sort falling on axis 0", lambda x: jnp.sort(x, axis=0, descending=True), x=normal("sort0", 4, 2))
derive("sort with ties", lambda x: jnp.sort(x, stable=True), x=[1.0, 0.5, 1.0, 0.5, 2.0, 1.0])
derive("topK", lambda x: lax.top_k(x, 2)[0], x=normal("topK", 2, 5))
derive("median of an odd number", lambda x: jnp.median(x, axis=0), x=normal("median5", 5, 2))
derive("median of all", lambda x: jnp.median(x), x=normal("median", 2, 3))
derive("quantile", lambda x: jnp.quantile(x, jnp.array([0.0, 0.1, 0.75, 1.0]), axis=1), x=normal("quantile", 2, 6))
derive("quantile of two axes", lambda x: jnp.quantile(x, 0.3, axis=(0, 2), keepdims=True), x=normal("quantile2", 2, 2, 3))
odd = [0.0, np.nan, -0.0, 1.0, -np.inf, 1.0, np.inf, np.nan, -2.0, 0.0]
value("argsort", lambda x: np.argsort(x, kind="stable"), x=odd)
value("argsort of whole numbers", lambda x: np.argsort(x, axis=0, kind="stable"), x=np.array([[3, 1], [1, 1], [2, 0]]))
value("sort of odd numbers", lambda x: np.sort(x, kind="stable"), x=odd)
sorted_odd = [-np.inf, -1.0, 0.0, 0.0, 2.0, 2.0, np.inf, np.nan]
probes = [[-np.inf, -2.0, -1.0, 0.0], [0.5, 2.0, np.inf, np.nan]]
value("searchsorted left", lambda x, v: np.searchsorted(x, v, "left"), x=sorted_odd, v=probes)
value("searchsorted right", lambda x, v: np.searchsorted(x, v, "right"), x=sorted_odd, v=probes)

# Cumulative operations and products.
zeros1 = np.array([[0.7, -1.2, 0.0, 0.4, 1.5], [2.0, 0.3, -0.8, 1.1, 0.9]])
zeros2 = np.array([0.6, 0.0, -1.3, 0.0, 0.9])
derive("cumprod", lambda x: jnp.cumprod(x, axis=1), x=normal("cumprod", 2, 4))
derive("cumprod with a zero", lambda x: jnp.cumprod(x, axis=1), x=zeros1)
derive("cumprod with two zeros", lambda x: jnp.cumprod(x), x=zeros2)
derive("cumprod from the back", lambda x: lax.cumprod(x, axis=0, reverse=True), x=zeros1)
derive("cummax", lambda x: lax.cummax(x, axis=1), x=normal("cummax", 2, 5))
derive("cummin from the back", lambda x: lax.cummin(x, axis=0, reverse=True), x=normal("cummin", 5, 2))
derive("cumlogsumexp", lambda x: lax.cumlogsumexp(x, axis=1), x=normal("cumlogsumexp", 2, 4) * 3)
derive("cumlogsumexp from the back", lambda x: lax.cumlogsumexp(x, axis=0, reverse=True), x=normal("clse", 3, 2) * 3)
derive("prod", lambda x: jnp.prod(x, axis=1), x=normal("prod", 2, 4))
derive("prod with zeros", lambda x: jnp.prod(x, axis=1), x=np.array([[0.7, 0.0, 1.3], [0.0, 0.4, 0.0], [1.0, 2.0, 0.5]]))
derive("prod of two axes", lambda x: jnp.prod(x, axis=(0, 2)), x=normal("prod2", 2, 3, 2))


def recurrence(a, b):
    step = lambda y, ab: (ab[0] * y + ab[1], ab[0] * y + ab[1])
    return lax.scan(step, jnp.zeros(b.shape[1:]), (a, b), reverse=True)[1]


derive("linearRecurrence from the back", recurrence, a=normal("la", 4, 2), b=normal("lb", 4, 2))

# Indexing.
place = np.array([[0, 2, 2], [1, 0, 1]])
derive("takeAlongAxis", lambda x, I: jnp.take_along_axis(x, I, axis=1), x=normal("taa", 2, 3), I=place)
derive("takeAlongAxis broadcast", lambda x, I: jnp.take_along_axis(x, I, axis=0), x=normal("taab", 3, 4), I=[[2], [0]])
derive(
    "putAlongAxis",
    lambda x, v, I: jnp.put_along_axis(x, I, v, axis=1, inplace=False),
    x=normal("paa", 2, 4), v=normal("pav", 2, 2), I=[[3, 0], [1, 2]],
)
derive(
    "putAlongAxis accumulating",
    lambda x, v, I: x.at[jnp.arange(2)[:, None], I].add(v),
    x=normal("paa2", 2, 3), v=normal("pav2", 2, 3), I=place,
)
derive("scatterAdd", lambda x, u, I: x.at[:, I].add(u), x=normal("sx", 2, 3), u=normal("su", 2, 2, 2), I=[[0, 2], [2, 2]])
derive("scatterSet", lambda x, u, I: x.at[I].set(u), x=normal("ssx", 4, 2), u=normal("ssu", 2, 2), I=[3, 1])
for start in [[1, 0], [-2, 1], [9, -9]]:
    derive(f"dynamicSlice at {start}", lambda x, S: lax.dynamic_slice(x, (S[0], S[1]), (2, 2)), x=normal("ds", 4, 3), S=start)
    derive(
        f"dynamicUpdateSlice at {start}",
        lambda x, u, S: lax.dynamic_update_slice(x, u, (S[0], S[1])),
        x=normal("dus", 4, 3), u=normal("duu", 2, 2), S=start,
    )
derive("pad with a number", lambda x: jnp.pad(x, ((1, 0), (2, 1)), constant_values=0.5), x=normal("pad", 2, 2))
derive("pad with edges", lambda x: jnp.pad(x, ((1, 0), (2, 1)), mode="edge"), x=normal("pade", 2, 3))
derive("pad with images", lambda x: jnp.pad(x, ((1, 0), (2, 1)), mode="reflect"), x=normal("padr", 2, 3))
derive("roll", lambda x: jnp.roll(x, (1, -2), axis=(0, 1)), x=normal("roll", 2, 3))
derive("roll of all", lambda x: jnp.roll(x, 4), x=normal("rolla", 2, 3))
derive("linspace", lambda a, b: jnp.linspace(a, b, 4), a=normal("lina", 2), b=normal("linb", 2))
derive("linspace without the end", lambda a, b: jnp.linspace(a, b, 4, endpoint=False), a=0.3, b=normal("linb", 2))
value("meshgrid xy", lambda a, b, c: np.stack(np.meshgrid(a, b, c)), a=[1.0, 2.0], b=[3.0, 4.0, 5.0], c=[6.0, 7.0])
value("meshgrid ij", lambda a, b: np.stack(np.meshgrid(a, b, indexing="ij")), a=[1.0, 2.0], b=[3.0, 4.0, 5.0])
value(
    "select",
    lambda p, q, a, b: np.select([p, q], [a, b], 7.0),
    p=np.array([True, False, False, True]), q=np.array([True, True, False, False]), a=[1.0, 2.0, 3.0, 4.0], b=[[5.0], [6.0]],
)

# Fourier.
stacked = lambda c: jnp.stack([c.real, c.imag])
for n in (6, 7):
    re, im = normal(f"re{n}", 2, n), normal(f"im{n}", 2, n)
    derive(f"fft of {n}", lambda re, im: stacked(jnp.fft.fft(re + 1j * im)), re=re, im=im)
    derive(f"ifft of {n} on axis 0", lambda re, im: stacked(jnp.fft.ifft(re + 1j * im, axis=0)), re=re.T, im=im.T)
    derive(f"rfft of {n}", lambda x: stacked(jnp.fft.rfft(x)), x=re)
    derive(f"irfft to {n}", lambda re, im: jnp.fft.irfft(re + 1j * im, n), re=re[:, : n // 2 + 1], im=im[:, : n // 2 + 1])
derive("fft of two axes", lambda re, im: stacked(jnp.fft.fft2(re + 1j * im)), re=normal("f2", 3, 4), im=normal("f2i", 3, 4))
derive("rfft of two axes", lambda x: stacked(jnp.fft.rfft2(x)), x=normal("rf2", 3, 4))
derive("irfft of two axes", lambda re, im: jnp.fft.irfft2(re + 1j * im, (3, 4)), re=normal("if2", 3, 3), im=normal("if2i", 3, 3))

# Whole numbers.
signed = np.array([0, 1, -1, 5, -6, 2**31 - 1, -(2**31), 123456789], np.int32)
unsigned = np.array([0, 1, 7, 2**31, 2**32 - 1, 3000000000, 255, 65536], np.uint32)
other = np.array([3, -1, 12, 6, 5, 255, -7, 1000], np.int32)
for kind, a, b in [("int32", signed, other), ("uint32", unsigned, other.astype(np.uint32))]:
    value(f"bitAnd {kind}", lambda a, b: a & b, a=a, b=b)
    value(f"bitOr {kind}", lambda a, b: a | b, a=a, b=b)
    value(f"bitXor {kind}", lambda a, b: a ^ b, a=a, b=b)
    value(f"bitNot {kind}", lambda a: ~a, a=a)
    value(f"populationCount {kind}", lambda a: np.asarray(lax.population_count(jnp.asarray(a))), a=a)
    value(f"floorDivide {kind}", lambda a, b: np.floor_divide(a, b), a=a, b=b)
    value(f"remainder {kind}", lambda a, b: np.remainder(a, b), a=a, b=b)
    counts = np.array([0, 1, 31, 5, 32, 33, 4, 8]).astype(a.dtype)
    value(f"shiftLeft {kind}", lambda a, n: np.asarray(lax.shift_left(jnp.asarray(a), jnp.asarray(n))), a=a, n=counts)
    right = lax.shift_right_arithmetic if kind == "int32" else lax.shift_right_logical
    value(f"shiftRight {kind}", lambda a, n: np.asarray(right(jnp.asarray(a), jnp.asarray(n))), a=a, n=counts)
with np.errstate(all="ignore"):
    tops = np.array([5.5, -5.5, 1.0, 0.0, -0.3, np.inf, 5.0, -5.0, 1.0, 0.0, np.nan, -1e-20, 6.0, 7.0])
    lows = np.array([2.0, 2.0, 0.1, 3.0, -7.0, 2.0, np.inf, np.inf, 0.0, 0.0, 1.0, 1.0, -4.0, np.nan])
    value("floorDivide floats", lambda a, b: np.floor_divide(a, b), a=tops, b=lows)
    value("remainder floats", lambda a, b: np.remainder(a, b), a=tops, b=lows)
derive("remainder", lambda a, b: jnp.remainder(a, b), a=[5.5, -5.5, 7.25, -0.4], b=[2.0, 1.5, -3.0, -1.0])

# Einstein sums.
sizes = {"i": 2, "j": 3, "k": 4, "l": 2, "m": 3, "n": 5, "b": 2, "c": 3, "A": 2, "B": 3}
specs = [
    "i->", "i->i", "i", "ij->ji", "ij", "ji", "ij->", "ij->i", "ij->j", "ii", "ii->i", "iji->j", "iij->ji", "iii->i",
    "i,i", "i,i->i", "i,j", "i,j->ji", "ij,j", "ij,jk", "ij,jk->ki", "ij,kj->ik", "ij,ij->", "ij,ij->i", "ij,k->kij",
    "bij,bjk->bik", "bij,jk->bik", "ij,bjk->bik", "bcij,bckj->bcik", "ii,jk->ijk", "iji,j->i", "BA,Ai->Bi", "BA,Ai",
    "ij,jk,kl->il", "ij,jk,kl", "i,i,i->i", "ij,jk,kl,ln->in", "ni,ij,nj->n", "bij,jk,ki->b", "ij,jk,ki->", "i,j,k->kji",
    "i,ij,j", "ijk,jk,k->i", " i j , j k -> i k ",
]
dotted = [
    ("...->...", [(2, 3)]), ("...i->...", [(2, 3, 4)]), ("i...->...i", [(2, 3, 4)]), ("...ij->...ji", [(2, 3, 4)]),
    ("...ij,...jk->...ik", [(2, 2, 3), (2, 3, 4)]), ("...ij,...jk", [(5, 1, 2, 3), (2, 3, 4)]), ("...,...->...", [(3, 1), (2,)]),
    ("...i,...i->...", [(2, 3), (4, 1, 3)]), ("i...j,j->...i", [(2, 3, 4), (4,)]), ("...ii->...i", [(2, 3, 3)]), ("...,i->i...", [(2,), (3,)]),
]
repeated = [("ij,ij->ij", [(1, 3), (2, 3)]), ("ij,jk->ik", [(2, 1), (3, 4)]), ("ij,ij->", [(1, 3), (2, 1)]), ("ij,jk->ik", [(0, 3), (3, 2)]), ("ij,jk->ik", [(2, 0), (0, 3)])]
einsum = []
for spec, shapes in [(s, [tuple(sizes[c] for c in t.strip().replace(" ", "")) for t in s.split("->")[0].split(",")]) for s in specs] + dotted + repeated:
    operands = [normal(f"{spec}{k}", *shape) for k, shape in enumerate(shapes)]
    out = np.einsum(spec, *operands)
    flat, back = ravel_pytree([jnp.asarray(x) for x in operands])
    loss = lambda v: jnp.sum(jnp.sin(jnp.einsum(spec, *back(v))) * weights(out.shape))
    if any(1 in shape for shape in shapes) and (spec, shapes) in repeated:
        big = {c: max(s[t.index(c)] for t, s in zip(spec.split("->")[0].split(","), shapes) if c in t) for c in spec if c.isalpha()}
        wide = lambda v: [jnp.broadcast_to(x, tuple(big[c] for c in t)) for x, t in zip(back(v), spec.split("->")[0].split(","))]
        loss = lambda v: jnp.sum(jnp.sin(jnp.einsum(spec, *wide(v))) * weights(out.shape))
    einsum.append({"spec": spec, "operands": [leaf(x) for x in operands], "out": leaf(out), "gradient": leaf(jax.grad(loss)(flat))})

a, b, c = normal("ta", 2, 3, 4), normal("tb", 3, 4, 5), normal("tc", 4, 2, 6)
value("tensordot", lambda a, b: np.tensordot(a, b), a=a, b=b)
value("tensordot of listed axes", lambda a, c: np.tensordot(a, c, ([0, -1], [1, 0])), a=a, c=c)
value("tensordot of none", lambda a, b: np.tensordot(a, b, 0), a=a[0], b=b[0])
value("inner", lambda a, b: np.inner(a, b), a=a, b=normal("ti", 5, 4))
value("vdot", lambda a, b: np.vdot(a, b), a=a, b=normal("tv", 4, 6))

json.dump({"derivatives": derivatives, "values": values, "einsum": einsum}, sys.stdout)
