#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the events of daemon/system/notice.h against the journal's catalog, docs/observability.md, and the code that tells them.

notices.py ROOT
"""
import glob
import os
import re
import sys

CATALOG = "packaging/systemd/edged.catalog"
PAGE = "docs/observability.md"
COLUMNS = 76  # https://systemd.io/CATALOG/


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def differences(what, here, one, there, other):
    return [f"{what} {name} is in {one}, not in {other}" for name in sorted(here - there)] + [
        f"{what} {name} is in {other}, not in {one}" for name in sorted(there - here)]


def check_catalog(catalog, ids, fields):
    errors = [f"{CATALOG}:{i + 1}: more than {COLUMNS} columns" for i, line in enumerate(catalog.splitlines()) if len(line) > COLUMNS]
    entries = re.split(r"^-- ", catalog, flags=re.M)[1:]
    told = [entry[:32] for entry in entries]
    errors += [f"{CATALOG}: {name} is there twice" for name in sorted(set(told)) if told.count(name) > 1]
    errors += differences("the id", ids, "daemon/system/notice.c", set(told), CATALOG)
    for entry in entries:
        if not re.match(r"[0-9a-f]{32}\nSubject: .+\nDefined-By: edged\nDocumentation: man:[\w.-]+\(\d\)\n\n\S", entry):
            errors.append(f"{CATALOG}: {entry[:32]}: Subject, Defined-By, Documentation, an empty line and a text are wanted")
    named = set(re.findall(r"@(\w+)@", catalog))
    return errors + [f"{CATALOG}: @{name}@ is no field of daemon/system/notice.c" for name in sorted(named - fields)]


def main():
    root = sys.argv[1]
    code, header, page = (read(root, path) for path in ("daemon/system/notice.c", "daemon/system/notice.h", PAGE))
    rows = dict(re.findall(r'\[(NOTICE_\w+)\] = \{"([0-9a-f]{32})"', code))
    declared = set(re.findall(r"^\t(NOTICE_\w+),$", header, re.M))
    fields = set(re.findall(r'"(EDGED_\w+)"', code))
    users = "".join(read(root, os.path.relpath(path, root)) for path in glob.glob(os.path.join(root, "daemon", "**", "*.c"), recursive=True)
                    if not path.endswith("/notice.c"))
    errors = differences("the event", declared, "daemon/system/notice.h", set(rows), "daemon/system/notice.c")
    errors += [f"{name} is told nowhere in daemon/" for name in sorted(declared) if not re.search(rf"\b{name}\b", users)]
    errors += [f"{name} has the id of another event" for name, value in rows.items() if list(rows.values()).count(value) > 1]
    errors += check_catalog(read(root, CATALOG), set(rows.values()), fields)
    errors += differences("the id", set(rows.values()), "daemon/system/notice.c", set(re.findall(r"`([0-9a-f]{32})`", page)), PAGE)
    errors += differences("the field", fields, "daemon/system/notice.c", set(re.findall(r"`(EDGED_\w+)`", page)), PAGE)
    if f"MESSAGE_ID={rows['NOTICE_SLOW_REQUEST']}" not in read(root, "docs/man/edged.conf.5.scd"):
        errors.append("edged.conf(5) has another id for slow requests")
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
