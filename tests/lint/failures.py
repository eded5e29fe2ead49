#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/failures.md, docs/threat-model.md and docs/specification.md against the tests: each row names a test that there is.

failures.py ROOT

The last column of a table whose last heading is "test" is `FILE`, or `FILE`: name, name; several are separated by
semicolons. "the same" is the row before; "none: REASON" says that there is no test. A row with nothing but
its first cell is a heading.
"""
import os
import re
import sys

TEST = re.compile(r"`([\w./]+)`(?::((?: ?\w+,?)+))?")


def rows(page):
    """(line number, first and last column) of the rows of tables of tests."""
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1] == "test":
            inside = True
        elif inside and set(line) - set("|- ") and any(cells[1:]):
            yield number, cells[0], cells[-1]


def missing(root, file, names):
    path = os.path.join(root, "tests", file)
    if not os.path.exists(path):
        return [f"there is no tests/{file}"]
    with open(path, encoding="utf-8") as source:
        there = set(re.findall(r"\w+", source.read()))
    return [f"tests/{file} has no {name}" for name in names if name not in there]


def errors(root, name, least):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        page = file.read()
    n = 0
    for number, what, shown in rows(page):
        n += 1
        tests = TEST.findall(shown)
        if not tests and not (shown == "the same" and n > 1) and not shown.startswith("none: "):
            yield f"{name}:{number}: no test shows \"{what}\""
        for file, names in tests:
            for error in missing(root, file, re.findall(r"\w+", names)):
                yield f"{name}:{number}: {error}"
    if n < least:
        yield f"{name}: {n} rows are too few"


def main():
    root = sys.argv[1]
    found = [*errors(root, "docs/failures.md", 60), *errors(root, "docs/threat-model.md", 40),
             *errors(root, "docs/specification.md", 20)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
