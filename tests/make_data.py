#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden cases in tests/data: small models and what LiteRT's reference kernels answer.

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install ai-edge-litert==2.3.0 flatbuffers==25.12.19 pillow==11.0.0
    /tmp/golden/bin/pip install tflite-micro==0.dev20261023182759  (for ops_signal)
    /tmp/golden/bin/python tests/make_data.py            all of them
    /tmp/golden/bin/python tests/make_data.py ops_shape  those of tests/cases/ops_shape.py only

Every case draws from a generator seeded by its name, so adding one leaves the others as they are.
The cases are committed; whoever runs the tests needs neither this script nor LiteRT.
"""
import importlib
import os
import pkgutil
import shutil
import sys
import zlib

import numpy as np

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")


def groups():
    """The modules of tests/cases that hold cases, by name."""
    found = {}
    for module in pkgutil.iter_modules(cases.__path__):
        group = importlib.import_module(f"cases.{module.name}")
        if hasattr(group, "CASES"):
            found[module.name] = group
    return found


def main():
    wanted = sys.argv[1:] or sorted(groups())
    if not sys.argv[1:]:
        shutil.rmtree(DATA, ignore_errors=True)
    n = 0
    for name in wanted:
        for case, make in groups()[name].CASES.items():
            path = os.path.join(DATA, case)
            shutil.rmtree(path, ignore_errors=True)
            make(path, np.random.default_rng(zlib.crc32(case.encode())))
            n += 1
    print(f"{n} cases in {DATA}")


if __name__ == "__main__":
    main()
