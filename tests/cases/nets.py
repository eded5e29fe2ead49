# SPDX-License-Identifier: Apache-2.0
"""Cases of small networks: operators in a row, branches, signatures, inputs that change shape."""
import os

import numpy as np

from cases import layers
from cases.model import SAME, Model, encode_signatures
from cases.write import open_model, write_case, write_signature_case

SOFTMAX_SCALE = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (2.0 ** -15, 0),
                 "float32": (None, 0)}


def settle(model, *values):
    """Asks LiteRT for the shapes of tensors so far; the last value is what is built on."""
    inputs = [0]
    interpreter = open_model(model.encode(inputs, [v.index for v in values]))
    interpreter.allocate_tensors()
    model.set_shapes(interpreter)
    for value in values:
        value.shape = tuple(int(d) for d in model.graph.tensors[value.index].shape)
    return values[-1]


def same_scale(model, x, op, name, inputs=(), **more):
    out = layers.new_output(model, x.dtype, x.scale, x.zero, name)
    model.op(op, [x.index, *inputs], [out.index], **more)
    return settle(model, out)


def residual(model, a, b):
    scale = a.scale and float(np.float32(np.hypot(a.scale, b.scale)))
    out = layers.new_output(model, a.dtype, scale, a.zero, "sum")
    model.op("ADD", [a.index, b.index], [out.index], 2, options="AddOptions", potScaleInt16=False)
    return settle(model, out)


def average(model, x):
    return same_scale(model, x, "AVERAGE_POOL_2D", "pooled", version=2, options="Pool2DOptions",
                      padding=SAME, filterHeight=2, filterWidth=2, strideH=2, strideW=2)


def classify(model, rng, kind, x):
    """Fold, dense layer, softmax."""
    flat = model.constant("flat", np.array([1, -1], np.int32))
    x = same_scale(model, x, "RESHAPE", "folded", [flat], options="ReshapeOptions")
    x = settle(model, layers.dense(model, rng, kind, x, 6, channel=False))
    scale, zero = SOFTMAX_SCALE[x.dtype]
    out = layers.new_output(model, x.dtype, scale, zero, "scores")
    model.op("SOFTMAX", [x.index], [out.index], 2, options="SoftmaxOptions", beta=1.0)
    return out


def classifier(kind):
    """Convolution, depthwise beside a short cut, pool, classifier."""
    def make(path, rng):
        model = Model()
        x = first = layers.new_input(model, rng, layers.KINDS[kind][0], (1, 12, 10, 3))
        act = "none" if kind == "s16" else "relu6"
        x = settle(model, layers.conv(model, rng, kind, x, 8, (3, 3), stride=2, act=act))
        deep = settle(model, layers.depthwise(model, rng, kind, x, (3, 3), act=act))
        deep = settle(model, layers.conv(model, rng, kind, deep, 8, (1, 1)))
        out = classify(model, rng, kind, average(model, residual(model, x, deep)))
        steps = layers.two_runs(rng, first)
        write_case(path, model, [first.index], [out.index], steps[:1] if kind == "f32" else steps,
                   "close" if kind == "f32" else "exact")
    return make


def float_ends(path, rng):
    """Float in and out, int8 between."""
    model = Model()
    x = layers.new_input(model, rng, "float32", (1, 6, 6, 3))
    q = layers.new_output(model, "int8", 0.03, -5, "quantised")
    model.op("QUANTIZE", [x.index], [q.index], options="QuantizeOptions")
    y = layers.conv(model, rng, "s8", settle(model, q), 5, (3, 3), act="relu")
    out = layers.new_output(model, "float32", name="real")
    model.op("DEQUANTIZE", [y.index], [out.index], 2, options="DequantizeOptions")
    write_case(path, model, [x.index], [out.index], [[layers.random_data(rng, "float32", x.shape)]])


def branches(path, rng):
    """Split, two ways, joined again; what lies between is an output as well."""
    model = Model()
    x = layers.new_input(model, rng, "uint8", (1, 6, 6, 8))
    axis = model.constant("axis", np.array(3, np.int32))
    halves = [layers.new_output(model, "uint8", x.scale, x.zero, f"half{i}") for i in range(2)]
    model.op("SPLIT", [axis, x.index], [h.index for h in halves], 2, options="SplitOptions",
             numSplits=2)
    settle(model, *halves)
    left = layers.conv(model, rng, "u8", halves[0], 4, (3, 3), act="relu")
    right = layers.depthwise(model, rng, "u8", halves[1], (3, 3))
    joined = layers.new_output(model, "uint8", left.scale, left.zero, "joined")
    model.op("CONCATENATION", [left.index, right.index, halves[0].index], [joined.index], 2,
             options="ConcatenationOptions", axis=3)
    write_case(path, model, [x.index], [joined.index, right.index], layers.two_runs(rng, x))


def resized(path, rng):
    """One session, inputs of other batches, heights and widths, and back."""
    model = Model()
    x = layers.new_input(model, rng, "int8", (1, 8, 8, 3))
    y = settle(model, layers.conv(model, rng, "s8", x, 6, (3, 3), stride=2, act="relu"))
    y = settle(model, layers.depthwise(model, rng, "s8", y, (3, 3)))
    axes = model.constant("axes", np.array([1, 2], np.int32))
    out = layers.new_output(model, "int8", y.scale, y.zero, "mean")
    model.op("MEAN", [y.index, axes], [out.index], 2, options="ReducerOptions", keepDims=False)
    shapes = [(1, 8, 8, 3), (3, 8, 8, 3), (1, 5, 11, 3), (1, 1, 1, 3), (1, 8, 8, 3)]
    write_case(path, model, [x.index], [out.index],
               [[layers.random_data(rng, "int8", shape)] for shape in shapes],
               note="inputs change shape between runs")


def half(rng, op):
    """A model of one operator on two float inputs, ready to be one subgraph of several."""
    model = Model()
    a, b = (layers.new_input(model, rng, "float32", (2, 3), name=name) for name in ("b", "a"))
    out = layers.new_output(model, "float32", name="result")
    model.op(op, [a.index, b.index], [out.index], options=op.capitalize() + "Options")
    model.ends([a.index, b.index], [out.index])
    model.graph.tensors[out.index].shape = np.array([2, 3], np.int32)
    return model


def signatures(key):
    """Two signatures on two subgraphs; their inputs stand in the subgraph in another order than
    their names."""
    def make(path, rng):
        os.makedirs(path)
        models = {"minus": half(rng, "SUB"), "times": half(rng, "MUL")}
        with open(os.path.join(path, "model.tflite"), "wb") as file:
            file.write(encode_signatures(models))
        data = {name: layers.random_data(rng, "float32", (2, 3)) for name in ("a", "b")}
        write_signature_case(path, "model.tflite", key, [data])
    return make


CASES = {
    "NET_s8": classifier("s8"),
    "NET_u8": classifier("u8"),
    "NET_s16": classifier("s16"),
    "NET_f32": classifier("f32"),
    "NET_float_ends": float_ends,
    "NET_branches": branches,
    "NET_resized": resized,
    "NET_signature_minus": signatures("minus"),
    "NET_signature_times": signatures("times"),
}
