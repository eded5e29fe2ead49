#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts assert() at the boundaries between layers: what one layer has proved and the next relies on is asserted where they meet.

assertions.py ROOT
"""
import os
import re
import sys

# boundary -> (file where the layers meet, least number of assertions)
BOUNDARIES = {
    "wire to request": ("daemon/edged/serve/request.c", 8),
    "model to plan": ("engine/plan/plan.c", 5),
    "plan to kernel": ("backends/cpu/cpu_backend.c", 6),
}
ASSERT = re.compile(r"^\s*assert\(", re.M)


def main():
    root, failed = sys.argv[1], False
    for name, (path, least) in BOUNDARIES.items():
        with open(os.path.join(root, path), encoding="utf-8") as file:
            n = len(ASSERT.findall(file.read()))
        print(f"{name}: {n} assertions in {path}")
        if n < least:
            print(f"  {least} are the least")
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
