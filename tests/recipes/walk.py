#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks recipes of docs/ in a scratch copy of the tree: does what each page says, step by step, and fails where a step cannot be done.

walk.py ROOT PAGE...     in a temporary folder, which is removed
walk.py --keep FOLDER ROOT PAGE...

A step is a block of code whose first line says, behind the language, what to do with it:

  ```c after PATH: TEXT    inserts the block behind the first line of PATH that contains TEXT
  ```c before PATH: TEXT   inserts it before that line
  ```c replace PATH: TEXT  puts it in that line's place
  ```c new PATH            makes the file
  ```sh run                runs the block with bash in the copy's root; it fails where a command fails

All other blocks are for the reader alone.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+) (after|before|replace|new|run)\b ?(.*?)\n(.*?)^```$", re.M | re.S)


class Failed(Exception):
    pass


def copy_tree(root, to):
    names = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True).stdout
    for name in names.decode().split("\0"):
        source, target = os.path.join(root, name), os.path.join(to, name)
        if name and os.path.isfile(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def insert(tree, what, where, block):
    path, _, text = where.partition(": ")
    full = os.path.join(tree, path)
    if not os.path.isfile(full):
        raise Failed(f"there is no {path}")
    with open(full, encoding="utf-8") as file:
        lines = file.readlines()
    at = next((i for i, line in enumerate(lines) if text in line), None)
    if at is None:
        raise Failed(f"{path} has no line with {text}")
    first, last = {"after": (at + 1, at + 1), "before": (at, at), "replace": (at, at + 1)}[what]
    lines[first:last] = [block]
    with open(full, "w", encoding="utf-8") as file:
        file.writelines(lines)


def run(tree, block):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"it left with status {done.returncode}:\n{done.stdout[-6000:]}")
    if "No suitable tests defined" in done.stdout:  # meson leaves with 0
        raise Failed("meson knows no test of that name")


def walk(tree, root, page):
    with open(os.path.join(root, page), encoding="utf-8") as file:
        text = file.read()
    steps = 0
    for found in BLOCK.finditer(text):
        _, what, where, block = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        try:
            if what == "run":
                run(tree, block)
            elif what == "new":
                with open(os.path.join(tree, where), "w", encoding="utf-8") as file:
                    file.write(block)
            else:
                insert(tree, what, where, block)
        except Failed as why:
            print(f"{page}:{line}: {what} {where}: {why}")
            return False
        steps += 1
        print(f"{page}:{line}: {what} {where}")
    if steps == 0:
        print(f"{page}: no step")
    return steps > 0


def main():
    arguments = sys.argv[1:]
    folder = arguments[1] if arguments[:1] == ["--keep"] else None
    root, *pages = arguments[2:] if folder else arguments
    with tempfile.TemporaryDirectory() as scratch:
        tree = os.path.join(folder or scratch, "edged")
        copy_tree(root, tree)
        passed = [walk(tree, root, page) for page in pages]
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
