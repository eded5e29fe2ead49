# SPDX-License-Identifier: Apache-2.0
"""Cases of weights that are no plain constants of the activations' kind: hybrid, int4, sparse,
computed."""
import numpy as np

from cases import layers
from cases.model import ACTIVATIONS, SAME, VALID, Model, blockwise
from cases.write import write_case, write_own_case

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
    """Weights. No code is the lowest of its type: the reference multiplies it wrongly."""
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


def asymmetric_rows(x):
    """What the reference makes of float rows: code less zero point, and scale."""
    low, high = np.minimum(x.min(1), 0).astype(float), np.maximum(x.max(1), 0).astype(float)
    scale = (high - low) / 255
    by_low = 128 - low / scale < 127 + high / scale
    zero = np.round(np.where(by_low, -128 - low / scale, 127 - high / scale))
    scale = scale.astype(np.float32)
    codes = zero[:, None].astype(np.float32) + x * (1 / scale)[:, None]
    codes = np.clip(np.trunc(codes + np.copysign(0.5, codes)), -128, 127)
    return codes - zero[:, None], scale


def blockwise_dense(shape, units, block, zeros=False, act="none", run_time=False):
    """int4 weights in blocks. LiteRT's answers are at fault: these are by the definition.
    @run_time: the input is tiled first, as often as another input says."""
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, "float32", shape)
        depth, blocks = shape[-1], shape[-1] // block
        codes = rng.integers(-8, 8, (units, depth)).astype(np.int8)
        scales = (2.0 ** rng.uniform(-6, -2, (units, blocks))).astype(np.float16)
        points = rng.integers(-3, 4, (units, blocks)).astype(np.int8) * zeros
        bias = rng.normal(0, 1, units).astype(np.float32)
        w = model.int4_constant("weights", codes)
        operands = [x.index, w, model.constant("bias", bias)]
        inputs, ins = [x.index], [layers.random_data(rng, "float32", shape)]
        data = ins[0]
        if run_time:
            inputs.append(model.tensor("times", "int32", (2,)))
            ins.append(np.array([2, 1], np.int32))
            operands[0] = model.tensor("tiled", "float32", (1, depth))
            model.op("TILE", inputs, operands[:1], options="TileOptions")
            data = np.tile(data, (2, 1))
        s = model.constant("scales", scales)
        z = model.constant("zeros", points) if zeros else 0
        model.graph.tensors[w].quantization = blockwise(s, z, block)
        out = model.tensor("out", "float32", (shape[0], units))
        model.op("FULLY_CONNECTED", operands, [out], 12, options="FullyConnectedOptions",
                 fusedActivationFunction=ACTIVATIONS[act])
        rows, row_scale = asymmetric_rows(data)
        real = (codes - np.repeat(points, block, 1)) * np.repeat(scales, block, 1).astype(float)
        answer = rows @ real.T * row_scale[:, None] + bias
        answer = np.maximum(answer, 0) if act == "relu" else answer
        write_own_case(path, model, inputs, [out], [(ins, [answer.astype(np.float32)])],
                       "close", "by the definition: the reference kernels are at fault here")
    return make


CASES = {
    "FULLY_CONNECTED_f32s4_blocks": blockwise_dense((3, 64), 5, 32),
    "FULLY_CONNECTED_f32s4_blocks_zeros": blockwise_dense((2, 24), 4, 8, zeros=True, act="relu"),
    "FULLY_CONNECTED_f32s4_blocks_run_time": blockwise_dense((3, 16), 3, 8, run_time=True),
    "CONV_2D_f32s8_channel": conv("int8", (2, 6, 5, 4), 5, (3, 3)),
    "CONV_2D_f32s8_tensor": conv("int8", (2, 6, 5, 4), 5, (3, 3), channel=False),
    "CONV_2D_f32s8_equal_scales": conv("int8", (1, 6, 5, 4), 5, (3, 2), equal=True),
    "CONV_2D_f32s8_groups": conv("int8", (1, 5, 5, 6), 4, (3, 3), groups=2, padding=VALID),
    "CONV_2D_f32s8_equal_groups": conv("int8", (1, 4, 4, 6), 3, (2, 2), groups=3, equal=True),
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
