#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the probes in the code against docs/observability.md, and against the notes of a program that was built with them.

probes.py ROOT EDGED yes|no
"""
import glob
import os
import re
import subprocess
import sys

PAGE = "docs/observability.md"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def in_code(root):
    """Name -> number of arguments."""
    found = {}
    for room in ("base", "engine", "backends", "daemon"):
        for path in glob.glob(os.path.join(root, room, "**", "*.c"), recursive=True):
            found.update({name: int(n) for n, name in re.findall(r"\bPROBE(\d)\(\s*(\w+),", read(path))})
    return found


def in_page(root):
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", read(os.path.join(root, PAGE)).split("## Probes")[1].split("\n## ")[0], re.M)
    return {name: len(arguments.split(",")) for name, arguments in rows}


def in_program(edged):
    notes = subprocess.run(["readelf", "-n", edged], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"Provider: edged\n\s*Name: (\w+)", notes))


def main():
    root, edged, built = sys.argv[1:4]
    code, page = in_code(root), in_page(root)
    errors = [] if code and code == page else [f"{PAGE} has {page}, the code {code}"]
    wanted = set(code) if built == "yes" else set()
    if in_program(edged) != wanted:
        errors.append(f"{edged} has {sorted(in_program(edged))}, not {sorted(wanted)}")
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
