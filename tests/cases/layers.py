# SPDX-License-Identifier: Apache-2.0
"""Layers with weights, in every type and with scales to choose."""
import dataclasses

import numpy as np

from cases.model import ACTIVATIONS, SAME

# Types of activations, weights and bias. s16b32: int16 activations, a bias of int32.
KINDS = {"s8": ("int8", "int8", "int32"), "u8": ("uint8", "uint8", "int32"),
         "s16": ("int16", "int8", "int64"), "s16b32": ("int16", "int8", "int32"),
         "f32": ("float32", "float32", "float32")}
INT32 = 2  # TensorType, for quantized_bias_type


@dataclasses.dataclass
class Value:
    """A tensor and what a layer on top of it must know."""

    index: int
    dtype: str
    shape: tuple
    scale: float = None
    zero: int = 0


def code_range(dtype):
    info = np.iinfo(dtype)
    return info.min, info.max


def pick_zero(rng, dtype):
    low, high = code_range(dtype)
    return 0 if dtype == "int16" else int((low + high + 1) // 2 + rng.integers(-20, 21))


def new_input(model, rng, dtype, shape, scale=None, zero=None, name="in0"):
    """An input with a scale and zero point drawn where they are not given."""
    if dtype == "float32":
        return Value(model.tensor(name, dtype, shape), dtype, shape)
    scale = scale or float(np.float32(2.0 ** rng.uniform(-6, -3)))
    zero = pick_zero(rng, dtype) if zero is None else zero
    index = model.tensor(name, dtype, shape, scale=scale, zero=zero)
    return Value(index, dtype, shape, scale, zero)


def new_output(model, dtype, scale=None, zero=0, name="out"):
    """A tensor that an operator writes; its shape is found out later."""
    scale = None if dtype == "float32" else scale
    return Value(model.tensor(name, dtype, (1,), scale=scale, zero=zero), dtype, (), scale, zero)


def random_data(rng, dtype, shape):
    if dtype == "float32":
        return rng.normal(0, 1, shape).astype(np.float32)
    low, high = code_range(dtype)
    return rng.integers(low, high + 1, shape).astype(dtype)


def extremes(rng, dtype, shape):
    """Only the ends of the type; for floats: zeros of both signs, huge, tiny and denormal."""
    if dtype == "float32":
        return rng.choice(np.array([0, -0.0, 1e-40, -1e-40, 1e30, -1e30, 1, -1], np.float32), shape)
    return rng.choice(np.array(code_range(dtype), dtype), shape)


def two_runs(rng, *values):
    """Steps of a case: random data, then extremes."""
    return [[make(rng, v.dtype, v.shape) for v in values] for make in (random_data, extremes)]


def weight_scales(rng, regime, n):
    if regime == "pow2":
        return np.full(n, 2.0 ** -5, np.float32)
    low, high = (-30, 2) if regime == "wide" else (-9, -5)
    return (2.0 ** rng.uniform(low, high, n)).astype(np.float32)


def output_scale(rng, regime, x, scales, n_terms):
    """So that sums of n_terms random products fill the type of the output (or 2^k: ties)."""
    if regime == "pow2":
        return float(x.scale * scales[0] * 2.0 ** (8 if x.dtype != "int16" else 10))
    spread = float(np.median(scales)) * x.scale * np.sqrt(n_terms) * 73
    return float(np.float32(spread * (73 / 40 if x.dtype != "int16" else 1.5)))


def draw_bias(rng, regime, dtype, n):
    if dtype == "float32":
        return rng.normal(0, 1, n).astype(dtype)
    if regime == "bias":
        return (rng.choice([-1, 1], n) * (2 ** 31 - 1 - rng.integers(0, 2 ** 24, n))).astype(dtype)
    return rng.integers(-5000, 5000, n).astype(dtype)


def weigh(model, rng, kind, op, x, shape, axis, n_terms, options, *, regime="normal",
          channel=True, bias=True, version=1, **fields):
    """An operator with weights @shape, as many outputs as @axis has. Returns the output."""
    dtype, weight_type, bias_type = KINDS[kind]
    n = shape[axis]
    if kind == "f32":
        weights = (rng.normal(0, 1, shape) / np.sqrt(n_terms)).astype(np.float32)
        inputs = [x.index, model.constant("weights", weights)]
        if bias:
            inputs.append(model.constant("bias", draw_bias(rng, regime, bias_type, n)))
        out = new_output(model, dtype)
        model.op(op, inputs, [out.index], version, options=options, **fields)
        return out
    channel = channel and kind != "u8"
    scales = weight_scales(rng, regime, n if channel else 1)
    weights, zero = rng.integers(-127, 128, shape).astype(np.int8), 0
    if weight_type == "uint8":
        weights, zero = rng.integers(0, 256, shape).astype(np.uint8), int(rng.integers(100, 150))
    inputs = [x.index, model.constant("weights", weights, scale=scales, zero=zero,
                                      axis=axis if channel else 0)]
    if bias:
        inputs.append(model.constant("bias", draw_bias(rng, regime, bias_type, n),
                                     scale=np.float32(x.scale) * scales))
    if kind == "s16b32":
        fields["quantizedBiasType"] = INT32
    out = new_output(model, dtype, output_scale(rng, regime, x, scales, n_terms),
                     pick_zero(rng, dtype))
    model.op(op, inputs, [out.index], version, options=options, **fields)
    return out


def conv(model, rng, kind, x, channels, kernel, *, groups=1, stride=1, dilation=1, padding=SAME,
         act="none", **more):
    depth = x.shape[3] // groups
    return weigh(model, rng, kind, "CONV_2D", x, (channels, *kernel, depth), 0,
                 kernel[0] * kernel[1] * depth, "Conv2DOptions", version=3, padding=padding,
                 strideW=stride, strideH=stride, dilationWFactor=dilation, dilationHFactor=dilation,
                 fusedActivationFunction=ACTIVATIONS[act], **more)


def depthwise(model, rng, kind, x, kernel, *, multiplier=1, stride=1, dilation=1, padding=SAME,
              act="none", **more):
    return weigh(model, rng, kind, "DEPTHWISE_CONV_2D", x, (1, *kernel, x.shape[3] * multiplier), 3,
                 kernel[0] * kernel[1], "DepthwiseConv2DOptions", version=3, padding=padding,
                 strideW=stride, strideH=stride, depthMultiplier=multiplier,
                 dilationWFactor=dilation, dilationHFactor=dilation,
                 fusedActivationFunction=ACTIVATIONS[act], **more)


def dense(model, rng, kind, x, units, *, act="none", keep=False, depth=None, **more):
    depth = depth or x.shape[-1]
    return weigh(model, rng, kind, "FULLY_CONNECTED", x, (units, depth), 0, depth,
                 "FullyConnectedOptions", version=4, keepNumDims=keep,
                 fusedActivationFunction=ACTIVATIONS[act], **more)
