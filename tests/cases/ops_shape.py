# SPDX-License-Identifier: Apache-2.0
"""Cases of one operator that moves, joins, reduces or resamples."""
import numpy as np

from cases import layers
from cases.model import ACTIVATIONS, SAME, VALID, Model
from cases.write import write_case


def moved(op, dtype, shape, constants=(), version=1, options=None, outputs=1, before=False,
          out_dtype=None, out_scale=None, compare="exact", **fields):
    """One input, constants after it (or @before it); the output keeps scale and zero point, or has
    a scale of its own."""
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, dtype, shape)
        others = [model.constant(f"constant{i}", np.array(c, np.int32))
                  for i, c in enumerate(constants)]
        zero = x.zero if out_scale is None else x.zero + 5
        outs = [layers.new_output(model, out_dtype or dtype, out_scale or x.scale, zero, f"out{i}")
                for i in range(outputs)]
        indices = [*others, x.index] if before else [x.index, *others]
        model.op(op, indices, [o.index for o in outs], version, options=options, **fields)
        steps = layers.two_runs(rng, x)
        write_case(path, model, [x.index], [o.index for o in outs],
                   steps[:1] if dtype == "float32" else steps, compare)
    return make


def pool(op, dtype, shape, size, stride, padding, act="none"):
    return moved(op, dtype, shape, options="Pool2DOptions", version=2, padding=padding,
                 filterHeight=size[0], filterWidth=size[1], strideH=stride, strideW=stride,
                 fusedActivationFunction=ACTIVATIONS[act],
                 compare="close" if op == "AVERAGE_POOL_2D" else "exact")


def concatenation(dtype, shapes, axis, same=True):
    """@same: all inputs share scale and zero point (int8 demands it)."""
    def make(path, rng):
        model = Model()
        first = layers.new_input(model, rng, dtype, shapes[0])
        scale, zero = (first.scale, first.zero) if same else (None, None)
        inputs = [first] + [layers.new_input(model, rng, dtype, shape, scale, zero, f"in{i + 1}")
                            for i, shape in enumerate(shapes[1:])]
        out = layers.new_output(model, dtype, first.scale, first.zero)
        indices = [x.index for x in inputs]
        model.op("CONCATENATION", indices, [out.index], 2, options="ConcatenationOptions",
                 axis=axis)
        write_case(path, model, indices, [out.index], layers.two_runs(rng, *inputs))
    return make


def resize(dtype, shape, size, **flags):
    return moved("RESIZE_BILINEAR", dtype, shape, [size], 3, "ResizeBilinearOptions",
                 compare="close", **flags)


def arg_max(dtype, shape, axis):
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, dtype, shape)
        out = model.tensor("out", "int32", (1,))
        model.op("ARG_MAX", [x.index, model.constant("axis", np.array(axis, np.int32))], [out], 2,
                 options="ArgMaxOptions", outputType=2)
        ties = layers.extremes(rng, dtype, shape)
        write_case(path, model, [x.index], [out], [[layers.random_data(rng, dtype, shape)], [ties]])
    return make


def mean(dtype, shape, axes, keep, out_scale=None):
    return moved("MEAN", dtype, shape, [axes], 2, "ReducerOptions", keepDims=keep,
                 out_scale=out_scale, compare="close")


SPLIT = {"version": 2, "options": "SplitOptions", "before": True}

CASES = {
    "AVERAGE_POOL_2D_s8_same": pool("AVERAGE_POOL_2D", "int8", (1, 7, 6, 5), (3, 2), 2, SAME),
    "AVERAGE_POOL_2D_u8_valid": pool("AVERAGE_POOL_2D", "uint8", (2, 5, 5, 3), (2, 3), 1, VALID,
                                     "relu"),
    "AVERAGE_POOL_2D_s16_global": pool("AVERAGE_POOL_2D", "int16", (1, 4, 4, 6), (4, 4), 4, VALID),
    "AVERAGE_POOL_2D_f32_same": pool("AVERAGE_POOL_2D", "float32", (1, 5, 5, 4), (3, 3), 2, SAME),
    "MAX_POOL_2D_s8_same": pool("MAX_POOL_2D", "int8", (1, 7, 7, 4), (3, 3), 2, SAME, "relu6"),
    "MAX_POOL_2D_u8_valid": pool("MAX_POOL_2D", "uint8", (1, 6, 6, 5), (2, 2), 2, VALID),
    "MAX_POOL_2D_f32_same": pool("MAX_POOL_2D", "float32", (1, 6, 5, 3), (3, 2), 2, SAME),
    "CONCATENATION_s8": concatenation("int8", [(2, 3, 4), (2, 1, 4)], 1),
    "CONCATENATION_u8_rescale": concatenation("uint8", [(2, 5), (2, 4), (2, 3)], -1, same=False),
    "CONCATENATION_f32": concatenation("float32", [(2, 3), (2, 3)], 0),
    "SPLIT_s8": moved("SPLIT", "int8", (2, 6, 3), [1], outputs=3, numSplits=3, **SPLIT),
    "SPLIT_f32": moved("SPLIT", "float32", (4, 5), [-2], outputs=2, numSplits=2, **SPLIT),
    "PAD_s8": moved("PAD", "int8", (1, 3, 4, 2), [[[0, 0], [1, 2], [0, 3], [1, 0]]], 2,
                    "PadOptions"),
    "PAD_f32": moved("PAD", "float32", (3, 2), [[[2, 1], [0, 2]]], 1, "PadOptions"),
    "TRANSPOSE_s8": moved("TRANSPOSE", "int8", (2, 3, 4, 5), [[0, 3, 1, 2]], 2, "TransposeOptions"),
    "TRANSPOSE_f32": moved("TRANSPOSE", "float32", (3, 4, 2), [[2, 0, 1]], 1, "TransposeOptions"),
    "RESHAPE_s8": moved("RESHAPE", "int8", (2, 3, 4), [[4, -1]], 1, "ReshapeOptions"),
    "RESHAPE_f32_options": moved("RESHAPE", "float32", (2, 3, 4), options="ReshapeOptions",
                                 newShape=np.array([6, -1], np.int32)),
    "MEAN_s8_spatial": mean("int8", (1, 5, 4, 6), [1, 2], True, 0.04),
    "MEAN_u8_axis": mean("uint8", (2, 7, 3), [1], False, 0.05),
    "MEAN_s16": mean("int16", (2, 3, 5), [-1], False),
    "MEAN_f32": mean("float32", (2, 4, 3), [0, 2], False),
    "RESIZE_BILINEAR_s8_half_pixel": resize("int8", (1, 4, 5, 3), [7, 9], halfPixelCenters=True),
    "RESIZE_BILINEAR_s8_corners": resize("int8", (1, 3, 3, 2), [8, 5], alignCorners=True),
    "RESIZE_BILINEAR_u8_smaller": resize("uint8", (2, 7, 7, 2), [3, 4]),
    "RESIZE_BILINEAR_f32": resize("float32", (1, 4, 4, 2), [6, 3], halfPixelCenters=True),
    "ARG_MAX_s8": arg_max("int8", (2, 3, 7), -1),
    "ARG_MAX_f32": arg_max("float32", (5, 4), 0),
}
