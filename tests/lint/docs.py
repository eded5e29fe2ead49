#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds edgectl(1) against `edgectl --help`, edged.conf(5) against edgectl(1) in what `manage` grants, and the
protocol's pages against the message types of base/wire/wire.h.

docs.py ROOT EDGECTL
"""
import os
import re
import subprocess
import sys

# What a command's help says of its own; all other words that begin with two dashes are options.
COMMAND = re.compile(r"^  ([a-z-]+)\b", re.M)
OPTION = re.compile(r"^  (?:-\w|  ) +(--[a-z-]+)", re.M)
# Names of commands in running text.
COMMANDS = re.compile(r"\*([a-z -]+)\*")


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def found(pattern, text):
    return re.search(pattern, text, re.M | re.S).group(1)


def differences(what, here, one, there, other):
    return [f"{what} {name} is in {one}, not in {other}" for name in sorted(here - there)] + [
        f"{what} {name} is in {other}, not in {one}" for name in sorted(there - here)]


def help_of(edgectl, *command):
    return subprocess.run([edgectl, *command, "--help"], check=True, capture_output=True, text=True).stdout


def check_manual(root, edgectl):
    page = read(root, "docs/man/edgectl.1.scd")
    overview = help_of(edgectl).split("\nOptions")[0]
    commands = set(COMMAND.findall(overview))
    options = {name for command in commands for name in OPTION.findall(help_of(edgectl, command))}
    told = set(re.findall(r"\*(--[a-z-]+)\*", page))
    headings = set(re.findall(r"^\*([a-z-]+)\*(?: |$)", page.split("# COMMANDS")[1].split("# INPUTS")[0], re.M))
    return differences("option", options, "edgectl --help", told, "edgectl(1)") + differences(
        "command", commands, "edgectl --help", headings, "edgectl(1)")


def check_manage(root):
    """What `manage` grants is the same in both pages."""
    said = found(r"^Of the daemon, (.*?) can be asked", read(root, "docs/man/edgectl.1.scd"))
    grants = found(r"^\*manage\* = _root_\n\t.*of \*edgectl\*\(1\) (.*?), and in \*status", read(root, "docs/man/edged.conf.5.scd"))
    return differences("command", set(COMMANDS.findall(grants)), "edged.conf(5)", set(COMMANDS.findall(said)), "edgectl(1)")


def check_types(root):
    """Both pages of the protocol have every message type with its number."""
    types = set(re.findall(r"\bWIRE_([A-Z_]+) = (\d+),", found(r"^enum wire_type \{(.*?)\};", read(root, "base/wire/wire.h"))))
    table = {(name, number) for number, name in re.findall(r"^\| (\d+) \| \[?([A-Z_]+)\b.*\|$",
                                                           found(r"^\| type \| message \|(.*?)\n\n", read(root, "docs/protocol.md")), re.M)}
    page = found(r"^:  type: (.*?);", read(root, "docs/man/edged-protocol.7.scd"))
    manual = {(name, number) for number, name in re.findall(r"(\d+)\s+([A-Z_]+)", page)}
    show = lambda all: {f"{number} {name}" for name, number in all}
    return differences("type", show(types), "base/wire/wire.h", show(table), "protocol.md") + differences(
        "type", show(types), "base/wire/wire.h", show(manual), "edged-protocol(7)")


def main():
    root, edgectl = sys.argv[1:3]
    errors = check_manual(root, edgectl) + check_manage(root) + check_types(root)
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
