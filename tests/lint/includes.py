#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks every #include of the project and fails on a forbidden or upward arrow, a circle of modules, or a foreign header outside its door.

  includes.py ROOT            checks a tree
  includes.py --self-test     shows that each rule fires

A room is a folder; ROOMS lists them from the lowest to the highest. A module is a .h and the .c files that define what it declares; the files
of a kernel's instruction sets are of the module of its family. A library's public header is a module of its own: its types belong to all of the
library, and a call of one of its functions is an arrow to the file that defines it.
"""
import collections
import os
import re
import sys
import tempfile

ENGINE_INTERFACE = {"engine/graph.h", "engine/op_options.h", "engine/operators.h", "engine/backend.h"}
LIBRARY = {"engine/edge.h", "backends/backends.h"}

# top folder -> (top folders that it may include, single headers besides)
TOPS = {
    "base": ({"base"}, set()),
    "kernels": ({"kernels"}, set()),
    "engine": ({"engine", "base"}, set()),
    "backends": ({"backends", "kernels", "base"}, ENGINE_INTERFACE),
    "daemon": ({"daemon", "base"}, LIBRARY),
    "client": ({"client", "base"}, LIBRARY),
}
EXTRA_TOPS = {"engine/run": {"kernels"}, "daemon/mqtt": {"client"}, "client/pipeline": {"kernels"}}
# Rooms, lowest first: each may include itself and what stands before it in its list. Rooms of one line are one layer.
ROOMS = [
    ["base base/text", "base/wire"],
    ["kernels", "kernels/math kernels/simd", "kernels/requant kernels/move kernels/reduce kernels/search kernels/signal kernels/softmax kernels/elementwise kernels/pool "
     "kernels/hybrid kernels/conv kernels/depthwise kernels/gemm kernels/float kernels/recurrent"],
    ["engine/model", "engine/plan engine/plan/rules engine/plan/rules/weighted engine/plan/rules/elementwise engine/plan/rules/move engine/plan/rules/search "
     "engine/plan/rules/signal", "engine/run"],
    ["backends/cpu", "backends/cpu/operand", "backends/cpu/ops/conv backends/cpu/ops/elementwise backends/cpu/ops/gemm backends/cpu/ops/move backends/cpu/ops/recurrent "
     "backends/cpu/ops/reduce backends/cpu/ops/search backends/cpu/ops/signal backends/cpu/ops/softmax", "backends"],
    ["client/lib", "client/golden", "client/media", "client/pipeline/config client/pipeline", "client/edgectl", "client/edgectl/view", "client/edgectl/commands"],
    ["daemon/system", "daemon/edged/model", "daemon/check", "daemon/edged/config", "daemon/edged/store", "daemon/edged/install", "daemon/edged/models",
     "daemon/edged/serve", "daemon/edged/socket", "daemon/edged/dbus", "daemon/edged"],
    ["daemon/system", "daemon/mqtt/text", "daemon/mqtt/config", "daemon/mqtt/broker", "daemon/mqtt/worker", "daemon/mqtt/request", "daemon/mqtt/pipelines", "daemon/mqtt/announce",
     "daemon/mqtt"],
]
# Files that stand above the rooms of their folder.
LATE = {"engine/entry": ["engine/model", "engine/plan", "engine/run"], "engine/edge": ["engine/model", "engine/plan", "engine/run"]}
# Public headers, which the library itself includes for their types.
INTERFACES = {"client/lib/edge_client.h"}
# Folders that know nothing of each other.
STRANGERS = [("daemon/edged/", "daemon/mqtt/"), ("daemon/check/", "daemon/mqtt/")]
ISA = re.compile(r"_(variants|x86|arm|sse41|avx2|avx512|avx512vnni|avxvnni|ymm|neon|vfp|vfpv4|dotprod|i8mm|inorder)$")

# foreign header -> the files that may name it (a folder ends in /)
DOORS = {
    "uv.h": ["daemon/"],
    "nettle/": ["daemon/system/digest.c", "daemon/system/base64.c"],
    "sodium.h": ["daemon/system/sodium.c"],
    "systemd/": ["daemon/system/service_manager.c", "daemon/system/dbus_api.h"],
    "sys/sdt.h": ["base/probe.h"],
    "turbojpeg.h": ["client/media/image_jpeg.c"],
    "spng.h": ["client/media/image_png.c"],
    "jansson.h": ["client/pipeline/json_builder.c", "client/pipeline/json_builder.h", "daemon/mqtt/worker/envelope.c"],
    "mosquitto.h": ["daemon/mqtt/broker/mosq.c"],
    "mqtt_protocol.h": ["daemon/mqtt/broker/mosq.c"],
    "cmocka.h": ["tests/"],
    "sanitizer/": ["tests/"],
}
LIBC = re.compile(
    r"^(assert|ctype|errno|fcntl|fenv|float|getopt|glob|grp|inttypes|limits|locale|math|dirent|dlfcn|elf|endian|link|malloc|poll|pthread|pwd"
    r"|sched|setjmp|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|threads|time"
    r"|unistd|ucontext|wchar|arm_neon|cpuid|immintrin|libgen|ftw|argp|syslog)\.h$|^(sys|linux|netinet|arpa|asm)/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
DEFINITION = re.compile(r"^(?!static\b|typedef\b|#|struct \w+ \{|else\b)[a-z_][\w \t*]*?\b([a-z]\w+)\(", re.M)


def sources(root):
    for folder, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if not d.startswith((".", "build"))]
        for name in sorted(files):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), root)


def allowed(path, header):
    top = path.split("/")[0]
    if path.startswith("tests/"):
        return True
    if top not in TOPS:
        return False
    tops, singles = TOPS[top]
    target = header.split("/")[0]
    extra = next((r for prefix, r in EXTRA_TOPS.items() if path.startswith(prefix + "/")), set())
    return header in singles or target in tops or target in extra


def door_error(path, header):
    for name, doors in DOORS.items():
        if header == name or (name.endswith("/") and header.startswith(name)) or header.startswith(name + "/"):
            inside = any(path == d or (d.endswith("/") and path.startswith(d)) for d in doors)
            return None if inside or path.startswith("tests/") else f"{header} enters only through {', '.join(doors)}"
    return None if LIBC.match(header) else f"{header} is a foreign header without a door"


def modules_of(texts):
    """path -> module, a path without its suffix."""
    headers = {p[:-2] for p in texts if p.endswith(".h") and p not in INTERFACES}
    families = collections.Counter()

    def family(stem):
        while stem.startswith("kernels/") and ISA.search(stem):
            stem = ISA.sub("", stem)
        return stem
    for path in texts:
        families[family(path[:-2])] += 1
    found = {}
    for path, text in texts.items():
        stem = path[:-2]
        if path in INTERFACES:
            found[path] = path
            continue
        if family(stem) != stem or stem in headers:
            found[path] = family(stem)
            continue
        votes = collections.Counter()
        included = [h for _, h in INCLUDE.findall(text) if h in texts and h not in INTERFACES]
        names = set(DEFINITION.findall(text))
        for header in included:
            votes[header] = sum(1 for n in names if re.search(rf"\b{n}\(", texts[header]))
        best = max(votes, key=lambda h: votes[h], default=None)
        found[path] = family(best[:-2]) if best and votes[best] else stem
    return found


def upward(module, target):
    """Does the arrow between two modules lead to a higher room, or to one that is no business of the first?"""
    if any({a, b} <= {f for f in (a, b) for m in (module, target) if m.startswith(f)} for a, b in STRANGERS):
        return True
    room, other = os.path.dirname(module), os.path.dirname(target)
    for file, below in LATE.items():
        if target == file and room != "engine" and any(room == b or room.startswith(b + "/") for b in below):
            return True
    for rooms in ROOMS:
        rank = {r: i for i, line in enumerate(rooms) for r in line.split()}
        if room in rank and other in rank and rank[other] > rank[room]:
            return True
    return False


def calls_of(path, header, texts):
    """The files that define functions of the public header which the file calls."""
    folder = os.path.dirname(header)
    for other, text in texts.items():
        if other != path and os.path.dirname(other) == folder and other.endswith(".c"):
            names = [n for n in DEFINITION.findall(text) if re.search(rf"\b{n}\(", texts[header])]
            if any(re.search(rf"\b{n}\(", texts[path]) for n in names):
                yield other


def circles(graph):
    """Strongly connected components of more than one module (Tarjan), without recursion."""
    index, low, on, stack, out = {}, {}, set(), [], []
    for start in sorted(graph):
        if start in index:
            continue
        work = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on.add(target)
                    work.append((target, iter(sorted(graph.get(target, ())))))
                    break
                if target in on:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on.discard(part[-1])
                    if len(part) > 1:
                        out.append(frozenset(part))
    return out


def look(root):
    """Errors, circles of modules, upward arrows."""
    errors, texts = [], {}
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            texts[path] = file.read()
    product = {p: t for p, t in texts.items() if not p.startswith("tests/")}
    module = modules_of(product)
    graph, up = collections.defaultdict(set), set()
    for path, text in texts.items():
        for mark, header in INCLUDE.findall(text):
            if mark == "<":
                error = door_error(path, header)
                if error:
                    errors.append(f"{path}: {error}")
                continue
            if header not in texts:
                errors.append(f'{path}: "{header}" is not a path from the root')
                continue
            if not allowed(path, header):
                errors.append(f"{path}: may not include {header}")
            elif path in product and header in product:
                if module[path] != module[header]:
                    graph[module[path]].add(module[header])
                if header in INTERFACES and os.path.dirname(path) == os.path.dirname(header):
                    graph[module[path]] |= {module[p] for p in calls_of(path, header, product)} - {module[path]}
                # The room is that of the file, also where it defines what a header of another room declares.
                if upward(path[:-2], header[:-2]):
                    up.add((path[:-2], header[:-2]))
    return errors, circles(graph), up


def check(root):
    errors, rings, up = look(root)
    errors += ["circle of modules: " + " ".join(sorted(ring)) for ring in rings]
    return errors + [f"{a} points up to {b}" for a, b in sorted(up)]


def self_test():
    cases = [
        ({"kernels/a.c": '#include "base/b.h"\n', "base/b.h": ""}, "may not include"),
        ({"base/a.c": "#include <uv.h>\n"}, "enters only through"),
        ({"daemon/system/a.c": '#include "client/lib/c.h"\n', "client/lib/c.h": ""}, "may not include"),
        ({"daemon/mqtt/a.c": '#include "daemon/edged/serve/s.h"\n', "daemon/edged/serve/s.h": ""}, "points up"),
        ({"backends/a.c": '#include "engine/plan/p.h"\n', "engine/plan/p.h": ""}, "may not include"),
        ({"client/lib/a.c": '#include "tests/t.h"\n', "tests/t.h": ""}, "may not include"),
        ({"engine/plan/a.c": '#include "engine/run/r.h"\n', "engine/run/r.h": ""}, "points up"),
        ({"engine/run/a.c": '#include "engine/edge.h"\n', "engine/edge.h": ""}, "points up"),
        ({"daemon/system/a.h": '#include "daemon/edged/store/s.h"\n', "daemon/edged/store/s.h": ""}, "points up"),
        ({"base/a.h": '#include "base/b.h"\n', "base/b.h": '#include "base/a.h"\n'}, "circle of modules: base/a base/b"),
        # No header includes the other one; only the two .c files close the circle.
        ({"base/a.h": "", "base/b.h": "", "base/a.c": '#include "base/a.h"\n#include "base/b.h"\n',
          "base/b.c": '#include "base/a.h"\n#include "base/b.h"\n'}, "circle of modules: base/a base/b"),
        # Of which one has no header of its own, but what another one declares.
        ({"base/a.h": "int a_more(void);\n", "base/b.h": "", "base/a_more.c": '#include "base/a.h"\n#include "base/b.h"\nint a_more(void)\n{\n}\n',
          "base/b.c": '#include "base/a.h"\n#include "base/b.h"\n'}, "circle of modules: base/a base/b"),
        # Which calls upwards what the public header declares.
        ({"client/lib/edge_client.h": "void up(void);\n", "client/lib/a.h": "", "client/lib/a.c": '#include "client/lib/edge_client.h"\n#include "client/lib/a.h"\n'
          "static void f(void)\n{\n\tup();\n}\n",
          "client/lib/edge_client.c": '#include "client/lib/edge_client.h"\n#include "client/lib/a.h"\nvoid up(void)\n{\n}\n'},
         "circle of modules: client/lib/a client/lib/edge_client"),
        ({"base/a.c": '#include "base/wire/b.h"\n', "base/wire/b.h": ""}, "points up"),
        ({"base/a.c": '#include "b.h"\n', "base/b.h": ""}, "not a path from the root"),
        ({"base/a.c": "#include <zlib.h>\n"}, "without a door"),
    ]
    good = {"base/wire/a.c": '#include "base/b.h"\n', "base/b.h": "", "base/c.h": "int c(void);\n", "base/c.c": '#include "base/c.h"\n'}
    for tree, wanted in [*cases, (good, None)]:
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            errors = check(root)
            if [e for e in errors if wanted is None or wanted not in e] or len(errors) != (wanted is not None):
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
