# SPDX-License-Identifier: Apache-2.0
"""Cases of operators of one operand (PRELU: and its factors)."""
import numpy as np

from cases.model import Model
from cases.write import write_case

SPECIAL = [0, -0.0, 1e-40, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, 2.5, -3, 3, 6, 3e4]
HALF = "close:1e-3:2e-3"


def floats(rng, dtype):
    return np.concatenate([SPECIAL, rng.normal(0, 4, 50)]).astype(dtype)


def every_code(_, dtype):
    """All bytes; of int16 the ends, and every 1021st."""
    if dtype == "int16":
        return np.append(np.arange(-32768, 32768, 1021), 32767).astype(dtype)
    return np.arange(256, dtype=np.uint8).view(dtype)


def upper_codes(rng, dtype):
    """Those that are not below the middle."""
    codes = every_code(rng, dtype)
    return codes[codes >= 0]


def integers(rng, dtype):
    info = np.iinfo(dtype)
    return np.append([info.min, info.max], rng.integers(-1000, 1000, 20)).astype(dtype)


def parts(rng, dtype):
    return (rng.normal(0, 3, 16) + 1j * rng.normal(0, 3, 16)).astype(dtype)


def bits(rng, dtype):
    return rng.integers(0, 2, 16).astype(dtype)


def small(rng, dtype):
    """Within the range of every type of 8 bits and more."""
    return np.append([0, 1], rng.uniform(0, 100, 30)).astype(dtype)


def rows(rng, dtype):
    info = np.iinfo(dtype)
    return np.stack([rng.integers(info.min, info.max + 1, 33),
                     rng.choice([info.min, info.max], 33), np.full(33, 3)]).astype(dtype)


def float_rows(rng, dtype):
    return rng.normal(0, 5, (3, 17)).astype(dtype)


def unary(op, dtype, data, quant=None, out_quant=None, out=None, options=None, compare="exact",
          **fields):
    """@quant: scale and zero point of the input, @out_quant of the output; @out: its type."""
    def make(path, rng):
        model, x = Model(), data(rng, dtype)
        scale, zero = quant or (None, 0)
        in0 = model.tensor("in0", dtype, x.shape, scale=scale, zero=zero)
        scale, zero = out_quant or (None, 0)
        result = model.tensor("out", out or dtype, (1,), scale=scale, zero=zero)
        model.op(op, [in0], [result], options=options and options + "Options", **fields)
        write_case(path, model, [in0], [result], [[x]], compare)
    return make


def prelu(dtype, quants=((None, 0),) * 3):
    def make(path, rng):
        model = Model()
        x = floats(rng, dtype)[:60].reshape(2, 2, 15) if dtype == "float32" else every_code(
            rng, dtype).reshape(2, 8, 16)
        alpha = (rng.normal(0, 1, x.shape[-1]) if dtype == "float32" else rng.integers(
            -90, 90, x.shape[-1])).astype(dtype)
        quants_of = [{"scale": scale, "zero": zero} for scale, zero in quants]
        in0 = model.tensor("in0", dtype, x.shape, **quants_of[0])
        factors = model.constant("alpha", alpha, **quants_of[1])
        out = model.tensor("out", dtype, (1,), **quants_of[2])
        model.op("PRELU", [in0, factors], [out])
        write_case(path, model, [in0], [out], [[x]])
    return make


CASES = {
    "ABS_s8": unary("ABS", "int8", every_code, (0.05, 7), (0.03, -90), options="Abs"),
    "ABS_s16": unary("ABS", "int16", every_code, (2e-4, 0), (3e-4, 0), options="Abs"),
    "BITCAST_u8_to_f32": unary("BITCAST", "uint8", lambda rng, _: rng.integers(
        0, 120, (2, 3, 4), np.uint8), out="float32", options="Bitcast"),
    "CAST_f32_to_u8": unary("CAST", "float32", small, out="uint8", options="Cast"),
    "CAST_s32_to_s16": unary("CAST", "int32", integers, out="int16", options="Cast"),
    "CAST_f64_to_f16": unary("CAST", "float64", floats, out="float16", options="Cast"),
    "CAST_c64_to_s32": unary("CAST", "complex64", parts, out="int32", options="Cast"),
    "CEIL_f32": unary("CEIL", "float32", floats),
    "COMPLEX_ABS_c64": unary("COMPLEX_ABS", "complex64", parts, out="float32", compare="close"),
    "COS_f16": unary("COS", "float16", small, options="Cos", compare=HALF),
    "ELU_s8": unary("ELU", "int8", every_code, (0.04, 20), (0.02, -60)),
    "EXP_s8": unary("EXP", "int8", every_code, (0.03, 10), (0.2, -128), options="Exp"),
    "EXP_s16": unary("EXP", "int16", every_code, (3e-4, 0), (5e-4, 0), options="Exp"),
    "FAKE_QUANT_f32": unary("FAKE_QUANT", "float32", float_rows, options="FakeQuant", min=-3.3,
                            max=7.1, numBits=5, narrowRange=False),
    "FLOOR_f16": unary("FLOOR", "float16", floats),
    "GELU_u8": unary("GELU", "uint8", every_code, (0.04, 100), (0.03, 9), options="Gelu",
                     approximate=True),
    "GELU_s16": unary("GELU", "int16", every_code, (2e-4, 0), (2e-4, 0), options="Gelu",
                      approximate=False),
    "HARD_SWISH_s8": unary("HARD_SWISH", "int8", every_code, (0.06, -9), (0.04, -80),
                           options="HardSwish"),
    "HARD_SWISH_f32": unary("HARD_SWISH", "float32", floats, options="HardSwish",
                            compare="close"),
    "L2_NORMALIZATION_s8": unary("L2_NORMALIZATION", "int8", rows, (0.1, 3), (1 / 128, 0),
                                 options="L2Norm"),
    "LEAKY_RELU_u8": unary("LEAKY_RELU", "uint8", every_code, (0.05, 120), (0.03, 60),
                           options="LeakyRelu", alpha=-0.3),
    "LOGICAL_NOT_b": unary("LOGICAL_NOT", "bool", bits, options="LogicalNot"),
    "LOG_s16": unary("LOG", "int16", every_code, (4e-4, 0), (3e-4, 0)),
    "LOG_SOFTMAX_u8": unary("LOG_SOFTMAX", "uint8", rows, (0.07, 128), (1 / 16, 255),
                            options="LogSoftmax"),
    "NEG_s64": unary("NEG", "int64", integers, options="Neg"),
    "PRELU_f32": prelu("float32"),
    "PRELU_s8": prelu("int8", ((0.05, 10), (0.01, -3), (0.04, -20))),
    "ROUND_f32": unary("ROUND", "float32", floats),
    "RSQRT_s8": unary("RSQRT", "int8", upper_codes, (0.02, -1), (0.05, -30)),
    "RSQRT_s16": unary("RSQRT", "int16", upper_codes, (2e-4, 0), (1e-3, 0)),
    "SIGN_f64": unary("SIGN", "float64", floats, options="Sign"),
    "SOFTMAX_f16": unary("SOFTMAX", "float16", float_rows, options="Softmax", beta=0.7,
                         compare=HALF),
    "SQRT_s16": unary("SQRT", "int16", upper_codes, (3e-4, 0), (2e-4, 0)),
    "TANH_f16": unary("TANH", "float16", floats, compare=HALF),
}
