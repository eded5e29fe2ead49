#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules on the text of the tree: SPDX lines, file sizes, stub words, switched-off tests, marks of a merge, paths of somebody's machine; and on
the subjects of commits."""
import os
import re
import subprocess
import sys

MAX_LINES = 600
MAX_DOCS_COLUMNS = 120  # of Markdown, outside tables and code
MAX_SUBJECT = 72  # of a commit
SUBJECTS_SINCE = 1795446000  # the rule is as old as that: 2026-11-23 15:00 UTC
# Tables of facts: long because the format is.
TABLES = {"LICENSE", "client/lib/edge_client.h"}  # of any length; the client library has one public header
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


def check_columns(path, text):
    """Lines of a page are at most MAX_DOCS_COLUMNS long, but for rows of tables and blocks of code."""
    errors, code = [], False
    for number, line in enumerate(text.split("\n"), 1):
        code ^= line.startswith("```")
        if not code and not line.startswith("|") and len(line) > MAX_DOCS_COLUMNS:
            errors.append(f"{path}:{number}: {len(line)} columns, {MAX_DOCS_COLUMNS} is the limit")
    return errors


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
    if path.endswith(".md") and not path.startswith("packaging/"):
        errors += check_columns(path, text)
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


def check_subjects(root):
    """Commits have subjects of at most MAX_SUBJECT characters. Without a history, in a tarball or a shallow clone, there are none to check."""
    done = subprocess.run(["git", "-C", root, "log", "--no-merges", f"--since={SUBJECTS_SINCE}", "--format=%h%x09%s"], capture_output=True, text=True)
    commits = [line.split("\t", 1) for line in done.stdout.splitlines()]
    return [f"commit {h}: a subject of {len(s)} characters, {MAX_SUBJECT} is the limit" for h, s in commits if len(s) > MAX_SUBJECT]


def main():
    root = sys.argv[1]
    errors = [e for path in tracked(root) for e in check_file(root, path)] + check_subjects(root)
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
