#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden cases in tests/data: small models and what LiteRT's reference kernels answer.

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install ai-edge-litert==2.3.0 flatbuffers==25.12.19 pillow==11.0.0
    /tmp/golden/bin/python tests/make_data.py

Every case draws from a generator seeded by its name, so adding one leaves the others as they are.
The cases are committed; whoever runs the tests needs neither this script nor LiteRT.
"""
import os
import shutil
import zlib

import numpy as np

from cases import nets, ops_pointwise, ops_shape, ops_state, ops_weighted, refused, shipped

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
GROUPS = (ops_weighted, ops_pointwise, ops_shape, ops_state, nets, refused, shipped)


def main():
    shutil.rmtree(DATA, ignore_errors=True)
    n = 0
    for group in GROUPS:
        for name, make in group.CASES.items():
            make(os.path.join(DATA, name), np.random.default_rng(zlib.crc32(name.encode())))
            n += 1
    print(f"{n} cases in {DATA}")


if __name__ == "__main__":
    main()
