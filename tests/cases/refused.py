# SPDX-License-Identifier: Apache-2.0
"""Cases that must be refused, at load or when they run; LiteRT refuses all of them."""
import numpy as np

from cases import layers
from cases.model import VALID, Model
from cases.write import write_refused


def one_op(op, inputs, out, options=None, constants=(), version=1, **fields):
    """@inputs and @out: (dtype, shape, scale, zero) of tensors; @constants follow the inputs."""
    def make(path, rng):
        model = Model()
        given = [model.tensor(f"in{i}", d, s, scale=scale, zero=zero)
                 for i, (d, s, scale, zero) in enumerate(inputs)]
        fixed = [model.constant(f"constant{i}", c) for i, c in enumerate(constants)]
        result = model.tensor("out", out[0], out[1], scale=out[2], zero=out[3])
        model.op(op, given + fixed, [result], version, options=options, **fields)
        data = [layers.random_data(rng, d, s) for d, s, _, _ in inputs]
        write_refused(path, model.encode(given, [result]), data)
    return make


def conv(change, **fields):
    """A sound convolution of int8 but for @change(model) or one of its options."""
    def make(path, rng):
        data, model, x, out = small_conv(rng, **fields)
        change(model)
        write_refused(path, model.encode([x], [out]), [data])
    return make


def small_conv(rng, **fields):
    model = Model()
    x = layers.new_input(model, rng, "int8", (1, 5, 5, 4))
    out = layers.conv(model, rng, "s8", x, 3, (3, 3), padding=VALID)
    for name, value in fields.items():
        setattr(model.graph.operators[0].builtinOptions, name, value)
    model.graph.tensors[out.index].shape = np.array([1, 3, 3, 3], np.int32)
    return layers.random_data(rng, "int8", x.shape), model, x.index, out.index


def file(change):
    """The bytes of a sound file, changed."""
    def make(path, rng):
        data, model, x, out = small_conv(rng)
        write_refused(path, change(bytearray(model.encode([x], [out]))), [data])
    return make


def nothing(_):
    pass


def drop_bias(model):
    model.graph.operators[0].inputs = model.graph.operators[0].inputs[:2]


def short_bias(model):
    model.graph.tensors[2].shape = np.array([2], np.int32)
    model.graph.tensors[2].quantization = None
    model.buffers[2].data = model.buffers[2].data[:8]


def narrow_filter(model):
    model.graph.tensors[1].shape = np.array([3, 3, 4, 3], np.int32)


def short_buffer(model):
    model.buffers[1].data = model.buffers[1].data[:-1]


def far_tensor(model):
    model.graph.operators[0].inputs = np.array([0, 99, 2], np.int32)


def far_buffer(model):
    model.graph.tensors[1].buffer = 99


def far_code(model):
    model.graph.operators[0].opcodeIndex = 7


def strange_operator(model):
    model.codes[0].builtinCode, model.codes[0].deprecatedBuiltinCode = 32, 32
    model.codes[0].customCode = "NobodyKnowsThis"
    model.graph.operators[0].builtinOptionsType, model.graph.operators[0].builtinOptions = 0, None


def huge_shape(model):
    model.graph.tensors[0].shape = np.array([65536, 65536, 65536, 4], np.int32)


def few_scales(model):
    model.graph.tensors[1].quantization.scale = np.array([0.1, 0.2], np.float32)
    model.graph.tensors[1].quantization.zeroPoint = np.zeros(2, np.int64)


def S8(*shape, scale=0.1, zero=0):
    return "int8", shape, scale, zero


def F32(*shape):
    return "float32", shape, None, 0


def i32(*values):
    return np.array(values, np.int32)


CASES = {
    "BAD_file_cut": file(lambda data: bytes(data[:len(data) // 2])),
    "BAD_file_identifier": file(lambda data: bytes(data[:4] + b"TFL9" + data[8:])),
    "BAD_file_root": file(lambda data: bytes(b"\xff\xff\xff\x7f" + data[4:])),
    "BAD_tensor_index": conv(far_tensor),
    "BAD_buffer_index": conv(far_buffer),
    "BAD_buffer_short": conv(short_buffer),
    "BAD_operator_index": conv(far_code),
    "BAD_operator_unknown": conv(strange_operator),
    "BAD_shape_overflow": conv(huge_shape),
    "BAD_scales_count": conv(few_scales),
    "BAD_CONV_2D_no_bias": conv(drop_bias),
    "BAD_CONV_2D_short_bias": conv(short_bias),
    "BAD_CONV_2D_channels": conv(narrow_filter),
    "BAD_CONV_2D_stride": conv(nothing, strideW=0),
    "BAD_ADD_types": one_op("ADD", [F32(2, 3), S8(2, 3)], F32(2, 3), "AddOptions"),
    "BAD_ADD_shapes": one_op("ADD", [F32(2, 3), F32(2, 4)], F32(2, 3), "AddOptions"),
    "BAD_CONCATENATION_shapes": one_op("CONCATENATION", [F32(2, 3), F32(3, 3)], F32(2, 6),
                                       "ConcatenationOptions", axis=1),
    "BAD_PAD_negative": one_op("PAD", [F32(2, 3)], F32(2, 2), "PadOptions",
                               [np.array([[0, 0], [-1, 0]], np.int32)]),
    "BAD_TRANSPOSE_axis": one_op("TRANSPOSE", [F32(2, 3)], F32(3, 2), "TransposeOptions",
                                 [i32(0, 5)]),
    "BAD_MEAN_axis": one_op("MEAN", [F32(2, 3)], F32(2), "ReducerOptions", [i32(4)]),
    "BAD_RESHAPE_count": one_op("RESHAPE", [F32(2, 3)], F32(4, 2), "ReshapeOptions", [i32(4, 2)]),
    "BAD_SOFTMAX_scale": one_op("SOFTMAX", [S8(2, 3)], S8(2, 3, scale=0.1), "SoftmaxOptions",
                                beta=1.0),
    "BAD_LOGISTIC_scale": one_op("LOGISTIC", [S8(2, 3)], S8(2, 3, scale=0.1), version=2),
    "BAD_RESIZE_BILINEAR_size": one_op("RESIZE_BILINEAR", [F32(1, 2, 2, 1)], F32(1, 1, 1, 1),
                                       "ResizeBilinearOptions", [i32(0, 3)]),
}
