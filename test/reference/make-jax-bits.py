"""Golden values of jax.random.bits for test/kernel/threefry.test.ts.

    python make-jax-bits.py > jax-bits.json

Needs jax >= 0.5 (partitionable Threefry is the default there); runs on the CPU.
"""
import json

import jax

SEEDS = [0, 1, 42, 2**31 + 5]
SHAPES = [(1,), (7,), (3, 5), (1000,)]

assert jax.config.jax_threefry_partitionable
cases = []
for seed in SEEDS:
    key = jax.random.key(seed)
    words = [int(word) for word in jax.random.key_data(key)]
    for shape in SHAPES:
        bits = jax.random.bits(key, shape).reshape(-1).tolist()
        cases.append(json.dumps({"seed": seed, "key": words, "shape": shape, "bits": bits}, separators=(",", ":")))
print(f'{{"jaxVersion":"{jax.__version__}","cases":[\n' + ",\n".join(cases) + "]}")
