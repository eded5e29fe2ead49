# SPDX-License-Identifier: Apache-2.0
"""Cases of reductions, sliding windows, matrix products, transposed and three-dimensional
convolutions, and Fourier transforms."""
import numpy as np

from cases import layers
from cases.model import ACTIVATIONS, SAME, VALID, Model, encode_graphs, schema
from cases.write import write_case


def draw(rng, dtype, shape):
    if dtype == "bool":
        return rng.random(shape) < 0.7
    if dtype == "float32":
        return rng.normal(0, 1, shape).astype(np.float32)
    low, high = layers.code_range(dtype)
    return rng.integers(max(low, -2 ** 20), min(high, 2 ** 20) + 1, shape).astype(dtype)


def unary(op, dtype, data, *, parameter=None, at_run=False, first=False, options=None, version=1,
          scale=None, zero=0, out=None, out_scale=None, out_zero=0, compare="close", **fields):
    """One input, and a @parameter tensor after it, constant or given to each run. @data: a shape to
    fill at random, or the numbers themselves."""
    def make(path, rng):
        model = Model()
        x = draw(rng, dtype, data) if isinstance(data, tuple) else np.array(data, dtype)
        inputs, step = [model.tensor("in0", dtype, x.shape, scale=scale, zero=zero)], [x]
        operands = list(inputs)
        if parameter is not None and at_run:
            p = np.array(parameter, np.int32)
            inputs.append(model.tensor("in1", "int32", p.shape))
            operands.append(inputs[1])
            step.append(p)
        elif parameter is not None:
            operands.append(model.constant("parameter", np.array(parameter, np.int32)))
        y = model.tensor("out", out or dtype, (1, 1), scale=out_scale, zero=out_zero)
        model.op(op, operands, [y], version, options=options, **fields)
        write_case(path, model, inputs, [y], [step], compare)
    return make


def reduce(op, dtype, data, axes, keep=False, **more):
    return unary(op, dtype, data, parameter=axes, options="ReducerOptions", keepDims=keep, **more)


def matmul(left, right, out, left_shape, right_shape, *, constant=False, **fields):
    def make(path, rng):
        model = Model()
        a, b = draw(rng, left, left_shape), draw(rng, right, right_shape)
        zeros = {"int8": 5, "int16": 0}
        depth = left_shape[-2 if fields.get("adjX") else -1]
        spread = {"int8": 2.0 * 73 * np.sqrt(depth), "int16": 2.0 ** 15 * np.sqrt(depth) * 0.4}
        def scaled(dtype):
            return dtype in zeros and (left != "float32" or dtype == "int8")
        def zero(dtype):
            return 0 if left in ("float32", "int16") else zeros.get(dtype, 0)
        x = model.tensor("in0", left, a.shape, scale=0.02 if scaled(left) else None,
                         zero=zero(left))
        quantized = {"scale": 0.015, "zero": zero(right)} if scaled(right) else {}
        if constant:
            w, inputs, step = model.constant("in1", b, **quantized), [x], [a]
        else:
            w = model.tensor("in1", right, b.shape, **quantized)
            inputs, step = [x, w], [a, b]
        y = model.tensor("out", out, (1, 1), zero=zero(out),
                         scale=0.02 * 0.015 * spread[out] if out in zeros else None)
        model.op("BATCH_MATMUL", [x, w], [y], 4, options="BatchMatMulOptions", **fields)
        write_case(path, model, inputs, [y], [step], "close")
    return make


def transpose_conv(kind, shape, weights_shape, out_shape, *, bias=True, channel=True, at_run=False,
                   act="none", **fields):
    """The operand before weights and input says the shape of the output."""
    def make(path, rng):
        model = Model()
        dtype, weight_type, bias_type = layers.KINDS[kind]
        x = layers.new_input(model, rng, dtype, shape, 2.0 ** -5 * 1.1)
        n = weights_shape[0]
        weights = draw(rng, weight_type, weights_shape)
        per_channel = channel and kind != "u8"
        scales = layers.weight_scales(rng, "normal", n if per_channel else 1)
        quantized = {} if kind == "f32" else {"scale": scales, "zero": 120 if kind == "u8" else 0}
        inputs, step = [x.index], [layers.random_data(rng, dtype, shape)]
        target = np.array(out_shape, np.int32)
        if at_run:
            inputs.append(model.tensor("shape", "int32", (4,)))
            step.append(target)
        operands = [inputs[1] if at_run else model.constant("shape", target),
                    model.constant("weights", np.maximum(weights, -127) if weight_type == "int8"
                                   else weights, **quantized), x.index]
        if bias:
            operands.append(model.constant("bias", layers.draw_bias(rng, "normal", bias_type, n)))
        if kind == "s16b32":
            fields["quantizedBiasType"] = layers.INT32
        scale = None if kind == "f32" else layers.output_scale(
            rng, "normal", x, scales, weights[0].size)
        y = layers.new_output(model, dtype, scale, x.zero)
        model.op("TRANSPOSE_CONV", operands, [y.index], 4, options="TransposeConvOptions",
                 fusedActivationFunction=ACTIVATIONS[act], **fields)
        write_case(path, model, inputs, [y.index], [step], "close")
    return make


def conv_3d(op, shape, weights_shape, out_shape=None, **fields):
    def make(path, rng):
        model = Model()
        x = model.tensor("in0", "float32", shape)
        weights = model.constant("weights", draw(rng, "float32", weights_shape))
        n = weights_shape[4 if op == "CONV_3D" else 3]
        bias = model.constant("bias", draw(rng, "float32", (n,)))
        operands = [x, weights, bias]
        if out_shape:
            operands = [model.constant("shape", np.array(out_shape, np.int32)), weights, x, bias]
        y = model.tensor("out", "float32", (1,))
        model.op(op, operands, [y], options="Conv3DOptions", **fields)
        write_case(path, model, [x], [y], [[draw(rng, "float32", shape)]], "close")
    return make


def set_options_2(model, kind, **fields):
    op = model.graph.operators[-1]
    op.builtinOptions2Type = getattr(schema.BuiltinOptions2, kind)
    op.builtinOptions2 = getattr(schema, kind + "T")()
    for name, value in fields.items():
        setattr(op.builtinOptions2, name, value)


def reduce_window(dtype, shape, init, window, strides, dilations, function):
    def make(path, rng):
        model = Model()
        x = model.tensor("in0", dtype, shape)
        operands = [x, model.constant("init", np.array(init, dtype))]
        operands += [model.constant(name, np.array(values, np.int64)) for name, values in
                     (("window", window), ("strides", strides), ("dilations", dilations))]
        y = model.tensor("out", dtype, (1,) * len(shape))
        model.op("REDUCE_WINDOW", operands, [y])
        set_options_2(model, "ReduceWindowOptions", reduceFunction=function)
        write_case(path, model, [x], [y], [[draw(rng, dtype, shape)]])
    return make


class WithBody(Model):
    """A second subgraph of one operator of two scalars."""

    def encode(self, inputs, outputs):
        self.ends(inputs, outputs)
        body = Model()
        scalars = [body.tensor(name, self.dtype, ()) for name in ("a", "b", "c")]
        body.op(self.body, scalars[:2], scalars[2:])
        body.ends(scalars[:2], scalars[2:])
        body.graph.operators[0].opcodeIndex = len(self.codes)
        return encode_graphs([self.graph, body.graph], self.codes + body.codes, self.buffers)


def hlo_reduce_window(dtype, shape, init, body, **lists):
    def make(path, rng):
        model = WithBody()
        model.dtype, model.body = dtype, body
        x = model.tensor("in0", dtype, shape)
        y = model.tensor("out", dtype, (1,) * len(shape))
        model.op("STABLEHLO_REDUCE_WINDOW", [x, model.constant("init", np.array(init, dtype))],
                 [y])
        set_options_2(model, "StablehloReduceWindowOptions", bodySubgraphIndex=1,
                      **{name: np.array(values, np.int64) for name, values in lists.items()})
        write_case(path, model, [x], [y], [[draw(rng, dtype, shape)]])
    return make


NAN, INF = np.nan, np.inf
CODES = {"scale": 0.1, "zero": 3, "out_scale": 0.1, "out_zero": 3}
STRIDE_1 = {"strideD": 1, "strideH": 1, "strideW": 1}

CASES = {
    "REDUCE_MAX_s8": reduce("REDUCE_MAX", "int8", (2, 3, 4), [1], True, **CODES),
    "REDUCE_MAX_f32_nan": reduce("REDUCE_MAX", "float32", [[NAN, 1], [-INF, -INF]], [1],
                                 compare="exact"),
    "REDUCE_MIN_f32_whole": reduce("REDUCE_MIN", "float32", [[NAN, 1], [2, 3]], [0, 1], True,
                                   compare="exact"),
    "REDUCE_MIN_s64_at_run": reduce("REDUCE_MIN", "int64", (2, 3, 4), [-1, 0], at_run=True),
    "REDUCE_PROD_s8": reduce("REDUCE_PROD", "int8", (3, 4), [0], scale=0.02, zero=-3,
                             out_scale=0.1, out_zero=7),
    "REDUCE_PROD_s32": reduce("REDUCE_PROD", "int32", (3, 4), [1]),
    "REDUCE_ANY_at_run": reduce("REDUCE_ANY", "bool", (2, 3, 2), [1], at_run=True),
    "REDUCE_ALL": reduce("REDUCE_ALL", "bool", (2, 9), [1, 1]),
    "MEAN_f32_of_none": reduce("MEAN", "float32", (2, 0), [1], compare="exact"),
    "SUM_u8": reduce("SUM", "uint8", (5, 3), [0], scale=0.1, zero=100, out_scale=0.7, out_zero=90),
    "RESIZE_BILINEAR_u8_at_run": unary(
        "RESIZE_BILINEAR", "uint8", (1, 3, 4, 2), parameter=[5, 3], at_run=True, version=3,
        options="ResizeBilinearOptions", **CODES),
    "L2_POOL_2D": unary("L2_POOL_2D", "float32", (1, 5, 4, 3), options="Pool2DOptions",
                        padding=SAME, filterHeight=3, filterWidth=2, strideH=2, strideW=1),
    "LOCAL_RESPONSE_NORMALIZATION": unary(
        "LOCAL_RESPONSE_NORMALIZATION", "float32", (1, 1, 2, 9), radius=2, bias=0.5, alpha=0.3,
        beta=0.75, options="LocalResponseNormalizationOptions"),
    "RFFT2D": unary("RFFT2D", "float32", (2, 3, 5), parameter=[4, 8], out="complex64",
                    options="Rfft2dOptions", compare="close:1e-5:1e-5"),
    "RFFT2D_width_1_at_run": unary("RFFT2D", "float32", (6, 2), parameter=[8, 1], at_run=True,
                                   out="complex64", options="Rfft2dOptions",
                                   compare="close:1e-5:1e-5"),
    "BATCH_MATMUL_f32": matmul("float32", "float32", "float32", (2, 1, 3, 4), (3, 4, 2)),
    "BATCH_MATMUL_f32_adjoint": matmul("float32", "float32", "float32", (4, 3), (2, 4),
                                       adjX=True, adjY=True, constant=True),
    "BATCH_MATMUL_s8": matmul("int8", "int8", "int8", (2, 3, 20), (2, 20, 4)),
    "BATCH_MATMUL_s8s32": matmul("int8", "int8", "int32", (3, 20), (4, 20), adjY=True),
    "BATCH_MATMUL_s16": matmul("int16", "int16", "int16", (3, 8), (8, 3)),
    "BATCH_MATMUL_s16s8": matmul("int16", "int8", "int16", (8, 3), (8, 3), adjX=True,
                                 constant=True),
    "BATCH_MATMUL_hybrid": matmul("float32", "int8", "float32", (3, 16), (16, 4), constant=True),
    "BATCH_MATMUL_hybrid_asymmetric": matmul("float32", "int8", "float32", (3, 16), (16, 4),
                                             constant=True, asymmetricQuantizeInputs=True),
    "TRANSPOSE_CONV_f32": transpose_conv("f32", (1, 3, 2, 3), (4, 3, 3, 3), (1, 6, 4, 4),
                                         padding=SAME, strideH=2, strideW=2, act="relu"),
    "TRANSPOSE_CONV_s8": transpose_conv("s8", (1, 3, 2, 5), (3, 3, 2, 5), (1, 8, 3, 3),
                                        padding=VALID, strideH=2, strideW=1),
    "TRANSPOSE_CONV_s8_at_run": transpose_conv("s8", (1, 2, 3, 4), (2, 4, 3, 4), (1, 3, 5, 2),
                                               padding=SAME, strideH=2, strideW=2, at_run=True,
                                               bias=False, channel=False, act="relu6"),
    "TRANSPOSE_CONV_u8": transpose_conv("u8", (1, 3, 3, 4), (3, 2, 2, 4), (1, 6, 6, 3),
                                        padding=VALID, strideH=2, strideW=2),
    "TRANSPOSE_CONV_s16": transpose_conv("s16", (1, 2, 3, 4), (3, 3, 3, 4), (1, 2, 3, 3),
                                         padding=SAME, strideH=1, strideW=1),
    "TRANSPOSE_CONV_s16b32": transpose_conv("s16b32", (1, 2, 3, 4), (3, 3, 3, 4), (1, 2, 3, 3),
                                            padding=SAME, strideH=1, strideW=1),
    "CONV_3D": conv_3d("CONV_3D", (1, 3, 4, 3, 2), (2, 3, 2, 2, 3), padding=SAME, strideD=1,
                       strideH=2, strideW=1, fusedActivationFunction=ACTIVATIONS["relu6"]),
    "CONV_3D_dilation": conv_3d("CONV_3D", (1, 3, 3, 4, 2), (2, 1, 2, 2, 1), padding=VALID,
                                dilationDFactor=2, dilationWFactor=3, **STRIDE_1),
    "CONV_3D_TRANSPOSE": conv_3d("CONV_3D_TRANSPOSE", (1, 2, 2, 3, 3), (2, 3, 2, 2, 3),
                                 (1, 3, 4, 3, 2), padding=SAME, strideD=2, strideH=2, strideW=1),
    "REDUCE_WINDOW_s16": reduce_window("int16", (6, 5), 3, (2, 3), (1, 2), (3, 1), 4),
    "REDUCE_WINDOW_all": reduce_window("bool", (2, 4, 3), True, (1, 2, 1), (1, 1, 1), (1, 1, 1), 5),
    "STABLEHLO_REDUCE_WINDOW_s8": hlo_reduce_window(
        "int8", (3, 4), 5, "STABLEHLO_ADD", windowDimensions=(2, 2), baseDilations=(2, 1),
        windowDilations=(1, 2), padding=(1, 0, -1, 2), windowStrides=(1, 2)),
    "STABLEHLO_REDUCE_WINDOW_f32": hlo_reduce_window(
        "float32", (1, 4, 4, 2), -INF, "STABLEHLO_MAXIMUM", windowDimensions=(1, 3, 3, 1),
        windowStrides=(1, 2, 2, 1), padding=(0, 0, 1, 1, 1, 1, 0, 0)),
}
