# SPDX-License-Identifier: Apache-2.0
"""Networks that a plan runs otherwise than node by node: strips, folded pads, parts of tensors."""
import numpy as np

from cases import layers
from cases.model import Model
from cases.nets import residual, same_scale, settle
from cases.write import write_case

VALID = 1  # Padding


def strips(kind):
    """First layer, two blocks of 1x1, depthwise and 1x1 with a short cut, 5x5, dilated, stride 2."""
    def make(path, rng):
        model = Model()
        act = "none" if kind == "s16" else "relu6"
        x = first = layers.new_input(model, rng, layers.KINDS[kind][0], (1, 23, 18, 3))
        x = settle(model, layers.conv(model, rng, kind, x, 8, (3, 3), stride=2, act=act))
        deep = settle(model, layers.conv(model, rng, kind, x, 24, (1, 1), act=act))
        deep = settle(model, layers.depthwise(model, rng, kind, deep, (3, 3), act=act))
        deep = settle(model, layers.conv(model, rng, kind, deep, 8, (1, 1)))
        x = residual(model, x, deep)
        deep = settle(model, layers.conv(model, rng, kind, x, 16, (1, 1), act=act))
        deep = settle(model, layers.depthwise(model, rng, kind, deep, (5, 5), stride=2))
        deep = settle(model, layers.depthwise(model, rng, kind, deep, (3, 3), dilation=2, act=act))
        out = layers.conv(model, rng, kind, deep, 5, (3, 2), padding=VALID)
        steps = layers.two_runs(rng, first)
        write_case(path, model, [first.index], [out.index], steps[:1] if kind == "f32" else steps,
                   "close" if kind == "f32" else "exact")
    return make


def pad(model, x, rows, columns):
    paddings = model.constant("paddings", np.array([(0, 0), rows, columns, (0, 0)], np.int32))
    return same_scale(model, x, "PAD", "padded", [paddings], options="PadOptions")


def pads(kind):
    """Before filters of 3x3, 1x1 and 5x5; one too large to be a filter's own; one with two readers."""
    def make(path, rng):
        model = Model()
        act = "none" if kind == "s16" else "relu"
        x = first = layers.new_input(model, rng, layers.KINDS[kind][0], (1, 13, 16, 4))
        x = settle(model, layers.conv(model, rng, kind, pad(model, x, (1, 1), (0, 1)), 12, (3, 3),
                                      stride=2, padding=VALID, act=act))
        x = settle(model, layers.depthwise(model, rng, kind, pad(model, x, (0, 1), (1, 1)), (3, 3),
                                           padding=VALID))
        x = settle(model, layers.depthwise(model, rng, kind, pad(model, x, (1, 1), (1, 1)), (5, 5)))
        x = settle(model, layers.conv(model, rng, kind, pad(model, x, (1, 0), (0, 2)), 8, (1, 1)))
        wide = pad(model, x, (3, 4), (2, 5))
        left = settle(model, layers.depthwise(model, rng, kind, wide, (3, 3), padding=VALID))
        twice = pad(model, left, (1, 1), (1, 1))
        right = layers.conv(model, rng, kind, twice, 3, (3, 3), padding=VALID, act=act)
        write_case(path, model, [first.index], [right.index, twice.index], layers.two_runs(rng, first))
    return make


def join(model, parts, name, axis):
    like = parts[0]
    out = layers.new_output(model, like.dtype, like.scale, like.zero, name)
    model.op("CONCATENATION", [p.index for p in parts], [out.index], 2,
             options="ConcatenationOptions", axis=axis)
    return settle(model, out)


def split(model, x, n, axis):
    where = model.constant("axis", np.array(axis, np.int32))
    parts = [layers.new_output(model, x.dtype, x.scale, x.zero, f"part{i}") for i in range(n)]
    model.op("SPLIT", [where, x.index], [p.index for p in parts], 2, options="SplitOptions",
             numSplits=n)
    settle(model, *parts)
    return parts


def views(path, rng):
    """Parts put together and taken apart along the first dimension of more than one element."""
    model = Model()
    x = first = layers.new_input(model, rng, "int8", (1, 6, 8, 4))
    a, b = (same_scale(model, x, "RELU", f"relu{i}", version=2) for i in range(2))
    whole = join(model, [a, b, x, a], "whole", 1)  # once in its place, once copied
    top, middle, bottom = split(model, whole, 3, 1)
    flat = model.constant("flat", np.array([1, 8, 32], np.int32))
    folded = same_scale(model, middle, "RESHAPE", "folded", [flat], options="ReshapeOptions")
    again = join(model, [join(model, [top, bottom], "outer", 1), whole], "again", 1)
    thin = join(model, [top, bottom], "thin", 3)  # not one behind the other
    outs = [folded, again, thin, b]
    write_case(path, model, [first.index], [o.index for o in outs], layers.two_runs(rng, first))


CASES = {
    "REWRITE_strips_s8": strips("s8"),
    "REWRITE_strips_u8": strips("u8"),
    "REWRITE_strips_s16": strips("s16"),
    "REWRITE_strips_f32": strips("f32"),
    "REWRITE_pads_s8": pads("s8"),
    "REWRITE_pads_u8": pads("u8"),
    "REWRITE_pads_s16": pads("s16"),
    "REWRITE_views": views,
}
