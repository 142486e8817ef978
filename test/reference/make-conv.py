"""Golden values of convolutions, pooling and resampling for test/tensor/conv*.test.ts.

    python make-conv.py > conv.json

Needs jax and torch; runs on the CPU in float64. Inputs are numbers both sides can make: element i of stream s is
((7919 i + 104729 s) mod 10007) / 5000 - 1, all different within one tensor. A case holds what it was called with, the shape of its output,
and three sums: of the output with stream 10 as weights, of its gradient by the first input with stream 11, and by the second with stream
12 (null where there is none). `values` are all numbers of the output where they are few.
"""
import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)
F = torch.nn.functional


def stream(shape, s):
    i = np.arange(int(np.prod(shape)))
    return (((7919 * i + 104729 * s) % 10007) / 5000 - 1).reshape(shape)


def with_jax(f, *args):
    """Output of f and its gradients by every argument, for the loss <output, stream 10>."""
    out = f(*args)
    weights = stream(out.shape, 10)
    grads = jax.grad(lambda *a: (f(*a) * weights).sum(), argnums=tuple(range(len(args))))(*args)
    return np.asarray(out), [np.asarray(g) for g in grads]


def with_torch(f, *args):
    leaves = [torch.tensor(a, requires_grad=True) for a in args]
    out = f(*leaves)
    (out * torch.tensor(stream(out.shape, 10))).sum().backward()
    return out.detach().numpy(), [a.grad.numpy() for a in leaves]


def case(kind, shapes, options, result):
    out, grads = result
    return {
        "kind": kind,
        "shapes": shapes,
        "options": options,
        "shape": list(out.shape),
        "value": float((out * stream(out.shape, 10)).sum()),
        "grads": [float((g * stream(g.shape, 11 + k)).sum()) for k, g in enumerate(grads)],
        **({"values": out.ravel().tolist()} if out.size <= 12 else {}),
    }


def inputs(*shapes):
    return [stream(shape, k + 1) for k, shape in enumerate(shapes)]


def convolutions():
    numbers = {1: "NCH", 2: "NCHW"}
    for space, stride, dilation, groups, window, padding in itertools.product(
        (1, 2), (1, 2, 3), (1, 2), (1, 2, 4), (2, 3), ("valid", "same", [1, 2])
    ):
        x = (1 if groups == 2 else 2, 4, *([9] if space == 1 else [8, 7]))
        kernel = (4 if groups == 2 else 8, 4 // groups, *([window] if space == 1 else [window, 5 - window]))
        options = {"stride": stride, "dilation": dilation, "groups": groups}
        options["padding"] = [padding] * space if isinstance(padding, list) else padding
        spec = numbers[space]
        layout = (spec, spec.replace("NC", "OI"), spec)

        def f(a, k):
            pads = options["padding"].upper() if isinstance(padding, str) else options["padding"]
            return jax.lax.conv_general_dilated(
                a, k, (stride,) * space, pads, rhs_dilation=(dilation,) * space,
                dimension_numbers=layout, feature_group_count=groups,
            )

        yield case(f"conv{space}d", [x, kernel], options, with_jax(f, *inputs(x, kernel)))


def transposed():
    for space, stride, dilation, groups, window, padding in itertools.product(
        (1, 2), (1, 2, 3), (1, 2), (1, 2, 4), (2, 3), (0, 1)
    ):
        x = (2, 4, *([5] if space == 1 else [4, 3]))
        kernel = (4, 3 if groups < 4 else 1, *([window] if space == 1 else [window, 5 - window]))
        extra = max(stride, dilation) - 1
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "outputPadding": extra}
        call = F.conv_transpose1d if space == 1 else F.conv_transpose2d

        def f(a, k):
            return call(a, k, stride=stride, padding=padding, output_padding=extra, groups=groups, dilation=dilation)

        yield case(f"convTranspose{space}d", [x, kernel], options, with_torch(f, *inputs(x, kernel)))


def pooling():
    maxima, means = (F.max_pool1d, F.max_pool2d), (F.avg_pool1d, F.avg_pool2d)
    for space, window, stride, padding in itertools.product((1, 2), (2, 3), (1, 2, 3), (0, 1)):
        x = (2, 3, *([9] if space == 1 else [7, 6]))
        for dilation in (1, 2):
            options = {"window": window, "stride": stride, "padding": padding, "dilation": dilation}

            def largest(a):
                return maxima[space - 1](a, window, stride, padding, dilation)

            yield case(f"maxPool{space}d", [x], options, with_torch(largest, *inputs(x)))
        for counted in (True, False):
            options = {"window": window, "stride": stride, "padding": padding, "countIncludePad": counted}

            def mean(a):
                return means[space - 1](a, window, stride, padding, False, counted)

            yield case(f"avgPool{space}d", [x], options, with_torch(mean, *inputs(x)))


def resampling():
    for shape, sizes in (((2, 1, 5), ([10], [3], [1], [12], [4])), ((1, 2, 3, 6), ([6, 12], [3, 2], [7, 5], [1, 1], [9, 3]))):
        linear = "linear" if len(shape) == 3 else "bilinear"
        for size in sizes:
            for corners in (False, True):

                def smooth(a):
                    return F.interpolate(a, size=size, mode=linear, align_corners=corners)

                options = {"size": size, "mode": linear, "alignCorners": corners}
                yield case("resize", [shape], options, with_torch(smooth, *inputs(shape)))

            def nearest(a):
                return F.interpolate(a, size=size, mode="nearest-exact")

            yield case("resize", [shape], {"size": size, "mode": "nearest"}, with_torch(nearest, *inputs(shape)))

            def second(a):
                return jax.image.resize(a, (*shape[:2], *size), "linear", antialias=False)

            options = {"size": size, "mode": "linear"}
            yield case("resize", [shape], options, with_jax(second, *inputs(shape)))


cases = [*convolutions(), *transposed(), *pooling(), *resampling()]
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
print(f'{{"jaxVersion":"{jax.__version__}","torchVersion":"{torch.__version__}","cases":[\n{lines}]}}')
