#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/failures.md against the tests: each row names a test that there is.

failures.py ROOT

The last column is `FILE`, or `FILE`: name, name; several are separated by semicolons. "the same" is the
row before.
"""
import os
import re
import sys

TEST = re.compile(r"`([\w./]+)`(?::((?: ?\w+,?)+))?")


def rows(page):
    """(line number, first and last column) of the table's rows."""
    for number, line in enumerate(page.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and set(line) - set("|- ") and cells[-1] != "test":
            yield number, cells[0], cells[-1]


def missing(root, file, names):
    path = os.path.join(root, "tests", file)
    if not os.path.exists(path):
        return [f"there is no tests/{file}"]
    with open(path, encoding="utf-8") as source:
        there = set(re.findall(r"\w+", source.read()))
    return [f"tests/{file} has no {name}" for name in names if name not in there]


def errors(root, page):
    n = 0
    for number, what, shown in rows(page):
        n += 1
        tests = TEST.findall(shown)
        if not tests and not (shown == "the same" and n > 1):
            yield f"docs/failures.md:{number}: no test shows \"{what}\""
        for file, names in tests:
            for error in missing(root, file, re.findall(r"\w+", names)):
                yield f"docs/failures.md:{number}: {error}"
    if n < 20:
        yield f"docs/failures.md: {n} rows are no table of failures"


def main():
    root = sys.argv[1]
    with open(os.path.join(root, "docs/failures.md"), encoding="utf-8") as file:
        found = list(errors(root, file.read()))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
