# SPDX-License-Identifier: Apache-2.0
"""Cases of one operator that works element by element, or row by row."""
import numpy as np

from cases import layers
from cases.model import ACTIVATIONS, Model
from cases.write import write_case


def binary(op, dtype, shapes=((2, 3, 4), (2, 3, 4)), scales=None, compare="exact", act="none",
           **fields):
    """ADD, SUB or MUL; @scales of both inputs and the output where they matter."""
    def make(path, rng):
        model = Model()
        scale = scales or [2.0 ** rng.uniform(-6, -3) for _ in range(3)]
        a, b = (layers.new_input(model, rng, dtype, shape, scale[i], name=f"in{i}")
                for i, shape in enumerate(shapes))
        out = layers.new_output(model, dtype, scale[2], zero_of(rng, dtype))
        model.op(op, [a.index, b.index], [out.index], 2, options=op.capitalize() + "Options",
                 fusedActivationFunction=ACTIVATIONS[act], **fields)
        steps = layers.two_runs(rng, a, b)
        write_case(path, model, [a.index, b.index], [out.index], steps, compare)
    return make


def zero_of(rng, dtype):
    return 0 if dtype == "float32" else layers.pick_zero(rng, dtype)


def integers(op, shape=(2, 3, 4)):
    """The same of int32."""
    def make(path, rng):
        model = Model()
        a, b = (model.tensor(f"in{i}", "int32", shape) for i in range(2))
        out = model.tensor("out", "int32", shape)
        model.op(op, [a, b], [out], options=op.capitalize() + "Options")
        small = [rng.integers(-10000, 10000, shape).astype(np.int32) for _ in range(2)]
        write_case(path, model, [a, b], [out], [small])
    return make


def every_code(rng, value):
    """All values of a byte; of wider types as many spread over the range; for floats: all kinds."""
    if value.dtype == "float32":
        special = [0, -0.0, 1e-40, np.inf, -np.inf, np.nan, 6, 6.5, -1, 1, 0.5, 88, -88, 1e-5]
        data = np.concatenate([special, rng.normal(0, 4, 242)]).astype(np.float32)
    else:
        low, high = layers.code_range(value.dtype)
        data = np.linspace(low, high, 256).astype(value.dtype)
    return data.reshape(value.shape)


def every_step(rng, value):
    """Three quarters of a step of 1/32 apart: on steps, on ties, beyond the lower end."""
    return (np.arange(-128, 128) * 0.75 * 0.03125).astype(np.float32).reshape(value.shape)


def unary(op, dtype, scale, out_dtype, out_scale, out_zero, zero=None, compare="exact",
          options=None, version=2, data=every_code, **fields):
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, dtype, (1, 256), scale, zero)
        out = layers.new_output(model, out_dtype, out_scale, out_zero)
        model.op(op, [x.index], [out.index], version, options=options, **fields)
        write_case(path, model, [x.index], [out.index], [[data(rng, x)]], compare)
    return make


def softmax(dtype, shape, scale, out_dtype, out_scale, out_zero, beta=1.0, compare="exact"):
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, dtype, shape, scale)
        out = layers.new_output(model, out_dtype, out_scale, out_zero)
        model.op("SOFTMAX", [x.index], [out.index], 2, options="SoftmaxOptions", beta=beta)
        steps = [[layers.random_data(rng, dtype, shape)]]
        if dtype != "float32":
            steps.append([layers.extremes(rng, dtype, shape)])
        write_case(path, model, [x.index], [out.index], steps, compare)
    return make


BROADCAST = ((2, 1, 4), (3, 1))
SCALAR = ((2, 5), ())
POT16 = (2.0 ** -12, 2.0 ** -14, 2.0 ** -12)
QUANTIZE = {"options": "QuantizeOptions"}
DEQUANTIZE = {"options": "DequantizeOptions"}

CASES = {
    "ADD_s8": binary("ADD", "int8"),
    "ADD_s8_broadcast_relu": binary("ADD", "int8", BROADCAST, act="relu"),
    "ADD_u8_scalar": binary("ADD", "uint8", SCALAR),
    "ADD_s16": binary("ADD", "int16", potScaleInt16=False),
    "ADD_s16_power_of_two": binary("ADD", "int16", scales=POT16, potScaleInt16=True),
    "ADD_f32_broadcast": binary("ADD", "float32", BROADCAST),
    "ADD_s32": integers("ADD"),
    "SUB_s8_broadcast": binary("SUB", "int8", BROADCAST),
    "SUB_u8_relu6": binary("SUB", "uint8", act="relu6"),
    "SUB_s16": binary("SUB", "int16", potScaleInt16=False),
    "SUB_f32": binary("SUB", "float32"),
    "MUL_s8": binary("MUL", "int8"),
    "MUL_s8_ties": binary("MUL", "int8", scales=(0.25, 0.5, 0.25)),
    "MUL_u8_broadcast": binary("MUL", "uint8", BROADCAST),
    "MUL_s16": binary("MUL", "int16", scales=(2.0 ** -13, 3e-5, 4e-4)),
    "MUL_f32_scalar": binary("MUL", "float32", SCALAR, act="relu_n1"),
    "RELU_s8": unary("RELU", "int8", 0.05, "int8", 0.04, 7, -3),
    "RELU_f32": unary("RELU", "float32", None, "float32", None, 0),
    "RELU6_u8": unary("RELU6", "uint8", 0.07, "uint8", 0.03, 5, 99),
    "RELU_N1_TO_1_s8": unary("RELU_N1_TO_1", "int8", 0.02, "int8", 0.015, 3, 10,
                             version=1),
    "LOGISTIC_s8": unary("LOGISTIC", "int8", 0.06, "int8", 1 / 256, -128),
    "LOGISTIC_u8": unary("LOGISTIC", "uint8", 0.09, "uint8", 1 / 256, 0),
    "LOGISTIC_s16": unary("LOGISTIC", "int16", 3.1e-4, "int16", 2.0 ** -15, 0),
    "LOGISTIC_f32": unary("LOGISTIC", "float32", None, "float32", None, 0, compare="close"),
    "TANH_s8": unary("TANH", "int8", 0.03, "int8", 1 / 128, 0),
    "TANH_s16": unary("TANH", "int16", 2.0 ** -12, "int16", 2.0 ** -15, 0),
    "TANH_f32": unary("TANH", "float32", None, "float32", None, 0, compare="close"),
    "SOFTMAX_s8": softmax("int8", (3, 21), 0.11, "int8", 1 / 256, -128),
    "SOFTMAX_u8_beta": softmax("uint8", (2, 1, 2, 9), 0.05, "uint8", 1 / 256, 0, beta=1.7),
    "SOFTMAX_s16": softmax("int16", (2, 40), 2e-4, "int16", 2.0 ** -15, 0),
    "SOFTMAX_s8_to_s16": softmax("int8", (2, 12), 0.2, "int16", 2.0 ** -16, -32768),
    "SOFTMAX_f32": softmax("float32", (4, 17), None, "float32", None, 0, compare="close"),
    "QUANTIZE_f32_to_s8": unary("QUANTIZE", "float32", None, "int8", 0.03125, -70,
                                data=every_step, **QUANTIZE),
    "QUANTIZE_s8_to_u8": unary("QUANTIZE", "int8", 0.05, "uint8", 0.05, 125, -3, **QUANTIZE),
    "QUANTIZE_u8_to_s8": unary("QUANTIZE", "uint8", 0.05, "int8", 0.021, 12, 101, **QUANTIZE),
    "QUANTIZE_s16_to_s8": unary("QUANTIZE", "int16", 1e-4, "int8", 0.02, 4, **QUANTIZE),
    "DEQUANTIZE_s8": unary("DEQUANTIZE", "int8", 0.0123, "float32", None, 0, 5, **DEQUANTIZE),
    "DEQUANTIZE_u8": unary("DEQUANTIZE", "uint8", 0.3, "float32", None, 0, 130, **DEQUANTIZE),
}
