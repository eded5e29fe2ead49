#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks every #include of the project and fails on a forbidden arrow, a circle, or a foreign header outside its door.

The rules are those of docs/architecture.md. `includes.py ROOT` checks a tree; `includes.py --self-test` shows that each rule fires.
"""
import os
import re
import sys
import tempfile

ENGINE_INTERFACE = {"engine/graph.h", "engine/options.h", "engine/operators.h", "engine/backend.h"}
LIBRARY = {"engine/edge.h", "backends/backends.h"}

# room -> (rooms it may include, single headers it may include besides)
ROOMS = {
    "base": ({"base"}, set()),
    "kernels": ({"kernels"}, set()),
    "engine": ({"engine", "base"}, set()),
    "backends": ({"backends", "kernels", "base"}, ENGINE_INTERFACE),
    "daemon": ({"daemon", "base"}, LIBRARY),
    "client": ({"client", "base"}, LIBRARY),
}
EXTRA_ROOMS = {"engine/run": {"kernels"}, "daemon/mqtt": {"client"}}
# Layers of the engine, lowest first: each may include itself and what stands before it.
LAYERS = ["engine/model/", "engine/plan/", "engine/run/", "engine/entry.", "engine/edge.c"]
TEST_TREES = ("tests/",)

# foreign header -> the files that may name it (a folder ends in /)
DOORS = {
    "uv.h": ["daemon/"],
    "nettle/": ["daemon/digest.c"],
    "sodium.h": ["daemon/sodium.c"],
    "systemd/": ["daemon/bus.c", "daemon/dbus_api.h", "tests/system/test_dbus.c"],
    "sys/sdt.h": ["base/probe.h"],
    "turbojpeg.h": ["client/pipeline/image_jpeg.c"],
    "spng.h": ["client/pipeline/image_png.c"],
    "jansson.h": ["client/json.c", "client/json.h", "daemon/mqtt/envelope.c"],
    "mosquitto.h": ["daemon/mqtt/mosq.c"],
    "mqtt_protocol.h": ["daemon/mqtt/mosq.c"],
    "cmocka.h": ["tests/"],
    "sanitizer/": ["tests/"],
}
LIBC = re.compile(
    r"^(assert|ctype|errno|fcntl|fenv|float|getopt|glob|grp|inttypes|limits|locale|math|dirent|dlfcn|elf|endian|link|malloc|poll|pthread|pwd"
    r"|sched|setjmp|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|threads|time"
    r"|unistd|ucontext|wchar|arm_neon|cpuid|immintrin|libgen|ftw|argp|syslog)\.h$|^(sys|linux|netinet|arpa|asm)/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def sources(root):
    for folder, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if not d.startswith((".", "build"))]
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), root)


def layer_of(path):
    """-1 for what belongs to no layer: the engine's interface headers and the other rooms."""
    return next((i for i, prefix in enumerate(LAYERS) if path.startswith(prefix)), -1)


def allowed_inside(path, header):
    room = path.split("/")[0]
    if path.startswith(TEST_TREES):
        return True
    if room not in ROOMS:
        return False
    rooms, singles = ROOMS[room]
    target = header.split("/")[0]
    if layer_of(path) >= 0 and layer_of(header) > layer_of(path):
        return False
    extra = next((r for prefix, r in EXTRA_ROOMS.items() if path.startswith(prefix + "/")), set())
    return header in singles or target in rooms or target in extra


def door_error(path, header):
    for name, doors in DOORS.items():
        if header == name or (name.endswith("/") and header.startswith(name)) or header.startswith(name + "/"):
            inside = any(path == d or (d.endswith("/") and path.startswith(d)) for d in doors)
            return None if inside or path.startswith("tests/") else f"{header} enters only through {', '.join(doors)}"
    return None if LIBC.match(header) else f"{header} is a foreign header without a door"


def find_circle(graph):
    state, stack = {}, []

    def visit(node):
        state[node] = 1
        stack.append(node)
        for target in graph.get(node, ()):
            if state.get(target) == 1:
                return stack[stack.index(target):] + [target]
            if target not in state:
                circle = visit(target)
                if circle:
                    return circle
        stack.pop()
        state[node] = 2
        return None

    for node in sorted(graph):
        if node not in state:
            circle = visit(node)
            if circle:
                return circle
    return None


def check(root):
    errors, graph = [], {}
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        for mark, header in INCLUDE.findall(text):
            if mark == "<":
                error = door_error(path, header)
                if error:
                    errors.append(f"{path}: {error}")
                continue
            if not os.path.exists(os.path.join(root, header)):
                errors.append(f'{path}: "{header}" is not a path from the root')
                continue
            if not allowed_inside(path, header):
                errors.append(f"{path}: may not include {header}")
            if path.endswith(".h"):
                graph.setdefault(path, []).append(header)
    circle = find_circle(graph)
    if circle:
        errors.append("circle: " + " -> ".join(circle))
    return errors


def self_test():
    cases = [
        ({"kernels/a.c": '#include "base/b.h"\n', "base/b.h": ""}, "may not include"),
        ({"base/a.c": "#include <uv.h>\n"}, "enters only through"),
        ({"daemon/a.c": '#include "client/c.h"\n', "client/c.h": ""}, "may not include"),
        ({"backends/a.c": '#include "engine/plan/p.h"\n', "engine/plan/p.h": ""}, "may not include"),
        ({"engine/plan/a.c": '#include "engine/run/r.h"\n', "engine/run/r.h": ""}, "may not include"),
        ({"client/a.c": '#include "tests/t.h"\n', "tests/t.h": ""}, "may not include"),
        ({"base/a.h": '#include "base/b.h"\n', "base/b.h": '#include "base/a.h"\n'}, "circle"),
        ({"base/a.c": '#include "b.h"\n', "base/b.h": ""}, "not a path from the root"),
        ({"base/a.c": "#include <zlib.h>\n"}, "without a door"),
    ]
    for tree, wanted in cases:
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            errors = check(root)
            if len(errors) != 1 or wanted not in errors[0]:
                print(f"self-test: wanted one '{wanted}', got {errors}")
                return 1
    print(f"{len(cases)} forbidden trees, each found")
    return 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    errors = check(sys.argv[1])
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
