# SPDX-License-Identifier: Apache-2.0
"""Models for tests of the daemon: signatures that share variables, strings, sizes that only a run
knows, a loop without end. LiteRT needs a delegate for some of it, so they are models without
answers."""
import os

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cases.model import TYPES, Model, encode_signatures

TYPES.setdefault("string", schema.TensorType.STRING)
TYPES.setdefault("resource", schema.TensorType.RESOURCE)


def strings(model, name, texts):
    """A constant of strings: count, offsets, bytes."""
    at = 4 * (len(texts) + 2)
    offsets = [at + sum(len(t) for t in texts[:i]) for i in range(len(texts) + 1)]
    table = np.array([len(texts), *offsets], np.int32).tobytes() + "".join(texts).encode()
    index = model.constant(name, np.frombuffer(table, np.uint8))
    model.graph.tensors[index].type = TYPES["string"]
    model.graph.tensors[index].shape = np.array([len(texts)], np.int32)
    return index


def flex(model, name, inputs, outputs):
    model.custom(name, inputs, outputs, {})


def total(model):
    """The variable that all signatures share; the first to come sets it to zeros."""
    handle = model.tensor("handle", "resource", ())
    model.op("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=INIT)
    model.op("VAR_HANDLE", [], [handle], options="VarHandleOptions", container="",
             sharedName="total")
    return handle


def add():
    model = Model()
    x = model.tensor("x", "float32", (4,))
    handle = total(model)
    before, y = model.tensor("before", "float32", (4,)), model.tensor("y", "float32", (4,))
    model.op("READ_VARIABLE", [handle], [before], options="ReadVariableOptions")
    model.op("ADD", [before, x], [y], options="AddOptions")
    model.op("ASSIGN_VARIABLE", [handle, y], [], options="AssignVariableOptions")
    model.ends([x], [y])
    return model


def read():
    model = Model()
    handle = total(model)
    y = model.tensor("y", "float32", (4,))
    model.op("READ_VARIABLE", [handle], [y], options="ReadVariableOptions")
    model.ends([], [y])
    return model


def save():
    model = Model()
    path = model.tensor("path", "string", ())
    handle = total(model)
    value = model.tensor("value", "float32", (4,))
    model.op("READ_VARIABLE", [handle], [value], options="ReadVariableOptions")
    flex(model, "FlexSave", [path, strings(model, "names", ["total"]), value], [])
    model.ends([path], [path])
    return model


def restore():
    model = Model()
    path = model.tensor("path", "string", ())
    handle = total(model)
    value = model.tensor("value", "float32", (4,))
    flex(model, "FlexRestore", [path, strings(model, "names", ["total"])], [value])
    model.op("ASSIGN_VARIABLE", [handle, value], [], options="AssignVariableOptions")
    model.ends([path], [value])
    return model


def words():
    """Strings of any number, and which of them are the word "yes"."""
    model = Model()
    x = model.tensor("words", "string", (1,))
    model.graph.tensors[x].shapeSignature = np.array([-1], np.int32)
    y = model.tensor("is_yes", "bool", (1,))
    copy = model.tensor("again", "string", (2,))
    model.op("EQUAL", [x, strings(model, "yes", ["yes"])], [y], options="EqualOptions")
    model.op("TILE", [x, model.constant("twice", np.array([2], np.int32))], [copy],
             options="TileOptions")
    model.ends([x], [y, copy])
    return model


def pad():
    """How large the output is, the second input says."""
    model = Model()
    x, pads = model.tensor("x", "float32", (2,)), model.tensor("pads", "int32", (1, 2))
    y = model.tensor("y", "float32", (2,))
    model.op("PAD", [x, pads], [y], options="PadOptions")
    model.ends([x, pads], [y])
    return model


def init():
    model = Model()
    handle = model.tensor("handle", "resource", ())
    zeros = model.constant("zeros", np.zeros(4, np.float32))
    model.op("VAR_HANDLE", [], [handle], options="VarHandleOptions", container="",
             sharedName="total")
    model.op("ASSIGN_VARIABLE", [handle, zeros], [], options="AssignVariableOptions")
    model.ends([], [])
    return model


SIGNATURES = {"add": add, "read": read, "save": save, "restore": restore, "words": words,
              "pad": pad, "init": init}
INIT = list(SIGNATURES).index("init")


def signatures(path, rng):
    write(path, {key: make() for key, make in SIGNATURES.items()})


def loop_part(kind):
    model = Model()
    x = model.tensor("x", "float32", (1,))
    if kind == "body":
        y = model.tensor("y", "float32", (1,))
        model.op("ADD", [x, model.constant("one", np.ones(1, np.float32))], [y],
                 options="AddOptions")
    else:
        y = model.constant("true", np.array([True]))
    model.ends([x], [y])
    return model


def endless(path, rng):
    model = Model()
    x, y = model.tensor("x", "float32", (1,)), model.tensor("y", "float32", (1,))
    model.op("WHILE", [x], [y], options="WhileOptions", condSubgraphIndex=1, bodySubgraphIndex=2)
    model.ends([x], [y])
    write(path, {"run": model, "condition": loop_part("condition"), "body": loop_part("body")})


def write(path, models):
    os.makedirs(path)
    with open(os.path.join(path, "model.tflite"), "wb") as file:
        file.write(encode_signatures(models))


def trial_main(kind):
    """y = 2x as it should be; otherwise, later, never, or as no number."""
    model = Model()
    x, y = model.tensor("x", "float32", (4,)), model.tensor("y", "float32", (4,))
    two = model.constant("two", np.full(4, 3 if kind == "wrong" else 2, np.float32))
    if kind == "nan":
        zero = model.tensor("zero", "float32", (4,))
        model.op("SUB", [x, x], [zero], options="SubOptions")
        model.op("DIV", [zero, zero], [y], options="DivOptions")
    elif kind in ("slow", "loop"):
        doubled = model.tensor("doubled", "float32", (4,))
        first = model.constant("first", np.zeros(1, np.int32))
        last = model.tensor("last", "int32", (1,))
        model.op("WHILE", [x, first], [doubled, last], options="WhileOptions", condSubgraphIndex=1,
                 bodySubgraphIndex=2)
        model.op("MUL", [doubled, two], [y], options="MulOptions")
    else:
        model.op("MUL", [x, two], [y], options="MulOptions")
    model.ends([x], [y])
    return model


def trial_condition(kind):
    """So many rounds; or, for anything but zeros, no end."""
    model = Model()
    x, n = model.tensor("x", "float32", (4,)), model.tensor("n", "int32", (1,))
    go_on = model.tensor("go_on", "bool", (1,))
    if kind == "slow":
        model.op("LESS", [n, model.constant("rounds", np.array([SLOW_ROUNDS], np.int32))], [go_on],
                 options="LessOptions")
    else:
        largest = model.tensor("largest", "float32", (1,))
        model.op("REDUCE_MAX", [x, model.constant("axis", np.zeros(1, np.int32))], [largest],
                 options="ReducerOptions", keepDims=True)
        model.op("GREATER", [largest, model.constant("zero", np.zeros(1, np.float32))], [go_on],
                 options="GreaterOptions")
    model.ends([x, n], [go_on])
    return model


def trial_body():
    model = Model()
    x, n = model.tensor("x", "float32", (4,)), model.tensor("n", "int32", (1,))
    same, more = model.tensor("same", "float32", (4,)), model.tensor("more", "int32", (1,))
    model.op("MUL", [x, model.constant("one", np.ones(4, np.float32))], [same], options="MulOptions")
    model.op("ADD", [n, model.constant("step", np.ones(1, np.int32))], [more], options="AddOptions")
    model.ends([x, n], [same, more])
    return model


SLOW_ROUNDS = 20000


def trial(kind):
    def make(path, rng):
        models = {"double": trial_main(kind)}
        if kind in ("slow", "loop"):
            models |= {"condition": trial_condition(kind), "body": trial_body()}
        write(path, models)
    return make


CASES = {
    **{f"SERVICE_trial_{kind}": trial(kind) for kind in ("good", "wrong", "nan", "slow", "loop")},
    "SERVICE_signatures": signatures,
    "SERVICE_endless": endless,
}
