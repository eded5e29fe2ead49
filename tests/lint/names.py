#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on a function of a header that is not named after its module.

  names.py ROOT         checks a tree
  names.py --self-test  shows that the rule fires

A function that a header declares or defines begins with the name of the header, with the name of the .c file that defines it, or with the
name of a struct, union or enum that the header defines. A header x_y.h may also declare what begins with the name of x.h beside it. The "op_" of an operator's file may be left out. Kernels begin with "ek_"; what the
files of one family share among themselves may begin with the name of the family's folder or of a header of it. Static functions of .c files
and of kernel bodies are free.
"""
import collections
import os
import re
import sys
import tempfile

TOPS = ("base", "engine", "kernels", "backends", "daemon", "client")
# Functions with a name of another kind, and why.
EXCEPTIONS = {
    "client/edgectl/commands.h": "cmd_",  # the functions of the table of commands bear the names of the commands
}
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
TYPE = re.compile(r"\b(?:struct|union|enum)\s+([a-z]\w*)\s*\{")
FUNCTION = re.compile(r"\b([a-z_]\w*)\s*\(")
NOT_NAMES = {"sizeof", "printf", "__attribute__", "if", "while", "for", "switch", "return", "typeof", "defined", "nonstring", "alignas", "_Static_assert", "static_assert"}


def bare(text):
    """The text without comments, strings, directives and macros."""
    text = COMMENT.sub(" ", text).replace("\\\n", " ")
    return re.sub(r"(?m)^[ \t]*#.*$", "", text)


def functions(text):
    """Names and storage of the functions that are declared or defined at the top level."""
    found, depth, statement = [], 0, ""
    for piece in re.split(r"([{};])", bare(text)):
        if piece == "{":
            if depth == 0:
                found += [(name, static or "inline") for name, static in function_of(statement)]
            depth += 1
        elif piece == "}":
            depth -= 1
            statement = ""
        elif piece == ";":
            if depth == 0:
                found += function_of(statement)
                statement = ""
        elif depth == 0:
            statement += piece
    return found


def function_of(statement):
    if re.match(r"\s*typedef\b", statement) or "=" in statement.split("(")[0]:
        return []
    statement = re.sub(r"__attribute__\s*\(\(.*?\)\)|\b[A-Z][A-Z0-9_]*\s*\([^()]*\)", " ", statement)
    for m in FUNCTION.finditer(statement):
        before = statement[:m.start()].split()
        if m.group(1) not in NOT_NAMES and before:
            return [(m.group(1), "static" in before)]
    return []


def begins(name, word):
    return name == word or name.startswith(word + "_")


def stem(path):
    return os.path.basename(path).rsplit(".", 1)[0]


def check(root):
    texts = {}
    for top in TOPS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for n in names:
                if n.endswith((".c", ".h")):
                    p = os.path.join(folder, n)
                    with open(p, encoding="utf-8") as f:
                        texts[os.path.relpath(p, root)] = f.read()
    defined = collections.defaultdict(set)
    for path, text in texts.items():
        if path.endswith(".c"):
            for name, static in functions(text):
                if static is not True:
                    defined[name].add(stem(path))
    headers = collections.defaultdict(set)
    for path in texts:
        if path.endswith(".h"):
            headers[os.path.dirname(path)].add(stem(path))
    for path in sorted(p for p in texts if p.endswith(".h")):
        kernels = path.startswith("kernels/")
        types = set(TYPE.findall(bare(texts[path])))
        for name, static in functions(texts[path]):
            words = {stem(path)} | defined[name] | types
            words |= {w[3:] for w in words if w.startswith("op_")}
            words |= {owner for owner in headers[os.path.dirname(path)] if begins(stem(path), owner)}
            if kernels:
                words |= {"ek", os.path.basename(os.path.dirname(path))}
                words |= headers[os.path.dirname(path)]
                words |= {re.sub(r"_(x86|arm|sse41|avx2|avx512|ymm|neon)$", "", w) for w in words}
                if static: # or a body that a macro makes static
                    continue
            if not any(begins(name, w) for w in words) and not name.startswith(EXCEPTIONS.get(path, "\0")):
                yield f"{path}: {name}() begins with none of: {', '.join(sorted(words))}"


def self_test():
    files = {
        "base/ring.h": "/* bell(int x); */\nstruct bell {\n\tint n;\n};\nint ring_open(int n);\nvoid bell_free(struct bell *bell);\nint rang(void);\n"
                       "static inline int loud(int n)\n{\n\treturn ring_open(n);\n}\n",
        "base/ring_more.c": "int ring_more_open(void)\n{\n\treturn loud(1);\n}\n",
        "base/other.h": "int ring_more_open(void);\nint must_check __attribute__((cold)) ring_less(\n\tint n);\n",
        "kernels/conv/conv.h": "void ek_conv(void);\nvoid pair_of(void);\nstatic inline void free_name(void)\n{\n}\n",
    }
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        bad = [line.split("(")[0] for line in check(root)]
    want = ["base/other.h: ring_less", "base/ring.h: rang", "base/ring.h: loud", "kernels/conv/conv.h: pair_of"]
    if bad != want:
        raise SystemExit(f"names.py finds {bad}, not {want}")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    bad = list(check(sys.argv[1]))
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
