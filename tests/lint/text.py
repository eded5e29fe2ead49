#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules on the text of the tree: SPDX lines, file sizes, stub words, switched-off tests, marks of a merge, paths of somebody's machine."""
import os
import re
import subprocess
import sys

MAX_LINES = 600
# Tables of facts: long because the format is.
TABLES = {"engine/operators.h", "engine/operators.c", "engine/model/schema.c", "engine/model/schema.h", "LICENSE"}
SPDX = ("*.c", "*.h", "*.py", "*.sh")
WORDS = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "unfinished work"),
    (re.compile(r"^\s*#\s*if\s+0\b", re.M), "code switched off by #if 0"),
    (re.compile(r"\bskip\(\)\s*;"), "a test that skips without saying why"),
    (re.compile(r"(?<![\w}.])(/wor" r"k/|/roo" r"t/[a-z]|/hom" r"e/[a-z])"), "a path of somebody's machine"),
]


def tracked(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True, capture_output=True).stdout
    return [p for p in out.decode().split("\0") if p]


def is_text(path):
    with open(path, "rb") as file:
        return b"\0" not in file.read(8192)


def check_file(root, path):
    full = os.path.join(root, path)
    if os.path.islink(full) or not os.path.isfile(full) or not is_text(full):
        return []
    with open(full, encoding="utf-8", errors="replace") as file:
        text = file.read()
    errors = []
    code = path.endswith((".c", ".h", ".py")) or text.startswith("#!")
    if code and "SPDX-License-Identifier: Apache-2.0" not in text[:300]:
        errors.append(f"{path}: no SPDX line on top")
    lines = text.count("\n")
    if code and lines > MAX_LINES and path not in TABLES:
        errors.append(f"{path}: {lines} lines, {MAX_LINES} is the limit")
    left = re.search(r"^(<{7}|>{7}) ", text, re.M)
    if left:
        errors.append(f"{path}:{text.count(chr(10), 0, left.start()) + 1}: left by a merge: {left.group(0)}")
    if path.startswith("tests/lint/"):
        return errors
    for pattern, why in WORDS:
        found = pattern.search(text) if code else None
        if found:
            errors.append(f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {why}: {found.group(0).strip()}")
    return errors


def main():
    root = sys.argv[1]
    errors = [e for path in tracked(root) for e in check_file(root, path)]
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
