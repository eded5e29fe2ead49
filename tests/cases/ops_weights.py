# SPDX-License-Identifier: Apache-2.0
"""Cases of weights that are no plain constants of the activations' kind: hybrid, int4, sparse,
computed."""
import numpy as np

from cases import layers
from cases.model import ACTIVATIONS, SAME, VALID, Model
from cases.write import write_case

SPARSE_1X4 = {"order": (0, 1, 2), "block_map": (1,), "blocks": (4,), "compressed": (1,)}
SPARSE_1X16 = {**SPARSE_1X4, "blocks": (16,), "width": np.uint8}
SPARSE_1X1 = {"order": (0, 1), "compressed": (1,), "width": np.uint16}
SPARSE_BY_COLUMNS = {"order": (1, 0), "compressed": (1,)}
SPARSE_ALL_LEVELS = {"order": (0, 1), "compressed": (0, 1)}


def pruned(rng, weights, block):
    """Seven in ten blocks along the last dimension become zero, the first row whole."""
    kept = rng.random((weights.shape[0], weights.shape[1] // block)) < 0.3
    kept[0] = False
    return weights * np.repeat(kept, block, axis=1).astype(weights.dtype)


def draw(rng, kind, shape):
    """Codes of weights; one is the lowest of the type where the reference can multiply it."""
    if kind == "float32":
        return rng.normal(0, 1, shape).astype(np.float32)
    low = -7 if kind == "int4" else -127
    return rng.integers(low, -low + 1, shape).astype(np.int8)


def add_weights(model, rng, kind, shape, scales, axis, levels=None):
    data = draw(rng, kind, shape)
    quantized = {} if scales is None else {"scale": scales, "axis": axis if len(scales) > 1 else 0}
    if levels:
        data = pruned(rng, data, levels.get("blocks", (1,))[0])
        return model.sparse_constant("weights", data, levels, **quantized)
    if kind == "int4":
        return model.int4_constant("weights", data, **quantized)
    if kind == "uint8":
        return model.constant("weights", data.view(np.uint8), **quantized)
    return model.constant("weights", data, **quantized)


def scales_of(rng, channels, per_channel, equal=False):
    if equal:
        return np.full(channels, 2.0 ** -7 * 1.3, np.float32)
    return layers.weight_scales(rng, "normal", channels if per_channel else 1)


def hybrid(op, kind, shape, weights_shape, axis, options, *, channel=True, equal=False, bias=True,
           computed=False, levels=None, **fields):
    """Float activations, integer weights."""
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, "float32", shape)
        n = weights_shape[axis]
        scales = scales_of(rng, n, channel, equal)
        if computed:
            w = layers.new_input(model, rng, "int8", weights_shape, float(scales[0]), 0, "weights")
            operands, ends = [x.index, w.index], [x, w]
        else:
            operands, ends = [x.index, add_weights(model, rng, kind, weights_shape, scales, axis,
                                                   levels)], [x]
        if bias:
            operands.append(model.constant("bias", rng.normal(0, 1, n).astype(np.float32)))
        out = layers.new_output(model, "float32")
        model.op(op, operands, [out.index], 5, options=options, **fields)
        write_case(path, model, [v.index for v in ends], [out.index],
                   [[layers.random_data(rng, v.dtype, v.shape) for v in ends]], "close")
    return make


def conv(kind, shape, channels, kernel, groups=1, stride=1, padding=SAME, **more):
    return hybrid("CONV_2D", kind, shape, (channels, *kernel, shape[3] // groups), 0,
                  "Conv2DOptions", padding=padding, strideW=stride, strideH=stride,
                  dilationWFactor=1, dilationHFactor=1, **more)


def depthwise(kind, shape, kernel, multiplier=1, stride=1, **more):
    return hybrid("DEPTHWISE_CONV_2D", kind, shape, (1, *kernel, shape[3] * multiplier), 3,
                  "DepthwiseConv2DOptions", padding=SAME, strideW=stride, strideH=stride,
                  depthMultiplier=multiplier, dilationWFactor=1, dilationHFactor=1, **more)


def dense(kind, shape, units, asymmetric, **more):
    return hybrid("FULLY_CONNECTED", kind, shape, (units, shape[-1]), 0, "FullyConnectedOptions",
                  asymmetricQuantizeInputs=asymmetric, **more)


def plain_dense(x_type, kind, shape, units, levels=None, scale=2.0 ** -5, channel=False,
                act="none"):
    """Activations and weights both float, or both integers."""
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, x_type, shape, scale)
        floats = x_type == "float32"
        scales = None if floats else scales_of(rng, units, channel)
        w = add_weights(model, rng, kind, (units, shape[-1]), scales, 0, levels)
        bias = layers.draw_bias(rng, "normal", "float32" if floats else "int32", units)
        quantized = {} if floats else {"scale": np.float32(x.scale) * scales}
        b = model.constant("bias", bias, **quantized)
        out = layers.new_output(
            model, x_type, None if floats else
            layers.output_scale(rng, "normal", x, scales, shape[-1] / 3), 3)
        model.op("FULLY_CONNECTED", [x.index, w, b], [out.index], 8,
                 options="FullyConnectedOptions", fusedActivationFunction=ACTIVATIONS[act])
        steps = layers.two_runs(rng, x)
        write_case(path, model, [x.index], [out.index], steps[:1] if floats else steps, "close")
    return make


def densify(kind, shape, levels):
    """DENSIFY of a constant, added to an input (or kept from folding by nothing else)."""
    def make(path, rng):
        model = Model()
        data = pruned(rng, draw(rng, kind, shape), 1)
        w = model.sparse_constant("sparse", data, levels)
        x = layers.new_input(model, rng, kind, shape)
        made, out = model.tensor("dense", kind, shape), layers.new_output(model, kind)
        model.op("DENSIFY", [w], [made], options="DensifyOptions")
        model.op("ADD", [x.index, made], [out.index], options="AddOptions")
        write_case(path, model, [x.index], [out.index],
                   [[layers.random_data(rng, kind, shape)]])
    return make


CASES = {
    "CONV_2D_f32s8_channel": conv("int8", (2, 6, 5, 4), 5, (3, 3)),
    "CONV_2D_f32s8_tensor": conv("int8", (2, 6, 5, 4), 5, (3, 3), channel=False),
    "CONV_2D_f32s8_equal_scales": conv("int8", (1, 6, 5, 4), 5, (3, 2), equal=True),
    "CONV_2D_f32s8_groups": conv("int8", (1, 5, 5, 6), 4, (3, 3), groups=2, padding=VALID),
    "CONV_2D_f32s4": conv("int4", (1, 5, 5, 3), 3, (3, 3), stride=2),
    "CONV_2D_f32u8": conv("uint8", (1, 5, 5, 3), 3, (2, 2), channel=False),
    "DEPTHWISE_CONV_2D_f32s8": depthwise("int8", (2, 6, 5, 3), (3, 3), multiplier=2),
    "FULLY_CONNECTED_f32s8_channel_sym": dense("int8", (3, 33), 7, False),
    "FULLY_CONNECTED_f32s8_tensor_asym": dense("int8", (3, 33), 7, True, channel=False),
    "FULLY_CONNECTED_f32s4": dense("int4", (2, 15), 5, True),
    "FULLY_CONNECTED_f32s8_computed": dense("int8", (2, 9), 4, True, channel=False, computed=True),
    "FULLY_CONNECTED_f32_sparse_1x4": plain_dense("float32", "float32", (2, 16), 6, SPARSE_1X4),
    "FULLY_CONNECTED_f32_sparse_1x1": plain_dense("float32", "float32", (2, 9), 6, SPARSE_1X1),
    "FULLY_CONNECTED_s8_sparse": plain_dense("int8", "int8", (3, 64), 8, SPARSE_1X16),
    "FULLY_CONNECTED_s8_sparse_channel": plain_dense("int8", "int8", (3, 64), 8, SPARSE_1X16,
                                                     channel=True, act="relu"),
    "FULLY_CONNECTED_s8s4": plain_dense("int8", "int4", (3, 15), 6, channel=True),
    "DENSIFY_f32_columns": densify("float32", (5, 7), SPARSE_BY_COLUMNS),
    "DENSIFY_f32_all_levels": densify("float32", (6, 5), SPARSE_ALL_LEVELS),
}
