# SPDX-License-Identifier: Apache-2.0
"""Cases of what the reference answers where one would not expect it to answer so, or at all."""
import numpy as np

from cases import layers
from cases.model import VALID, Model
from cases.write import write_case


def matmul_by_channel(path, rng):
    """The reference takes several scales for 0: every answer is the zero point."""
    model = Model()
    x = model.tensor("in0", "int16", (3, 8), scale=0.01)
    w = model.constant("in1", rng.integers(-127, 128, (8, 4)).astype(np.int8),
                       scale=rng.uniform(0.01, 0.02, 4), axis=1)
    y = model.tensor("out", "int16", (3, 4), scale=0.02)
    model.op("BATCH_MATMUL", [x, w], [y], 4, options="BatchMatMulOptions")
    steps = [[rng.integers(-32768, 32768, (3, 8)).astype(np.int16)]]
    write_case(path, model, [x], [y], steps)


def hybrid_transpose_conv(channels):
    """Batch entries are quantised each by itself; @channels: a scale for each output channel."""
    def make(path, rng):
        model = Model()
        x = model.tensor("in0", "float32", (2, 3, 2, 5))
        weights = rng.integers(-127, 128, (4, 3, 3, 5)).astype(np.int8)
        scales = rng.uniform(0.01, 0.03, 4 if channels else 1)
        operands = [model.constant("shape", np.array((2, 7, 5, 4), np.int32)),
                    model.constant("weights", weights, scale=scales), x,
                    model.constant("bias", rng.normal(0, 1, 4).astype(np.float32))]
        y = model.tensor("out", "float32", (2, 7, 5, 4))
        model.op("TRANSPOSE_CONV", operands, [y], 3, options="TransposeConvOptions",
                 padding=VALID, strideH=2, strideW=2)
        data = rng.normal(0, 1, (2, 3, 2, 5)).astype(np.float32)
        data[1] = 10 * data[1] + 7
        write_case(path, model, [x], [y], [[data]], "close:0.0001:1e-05")
    return make


def default_convolution(path, rng):
    """DEPTH_TO_SPACE v2 is not in the reference resolver: the default kernels' convolution rounds
    ties up. Scales are powers of two, so every rounding can tie."""
    model = Model()
    x = layers.new_input(model, rng, "int8", (1, 6, 6, 8), 0.5)
    wide = layers.conv(model, rng, "s8", x, 16, (1, 1), regime="pow2")
    y = model.tensor("out", "int8", (1, 12, 12, 4), scale=wide.scale, zero=wide.zero)
    model.op("DEPTH_TO_SPACE", [wide.index], [y], 2, options="DepthToSpaceOptions", blockSize=2)
    write_case(path, model, [x.index], [y], layers.two_runs(rng, x))


def default_quantize(dtype, scale, zero):
    """In such a model floats are quantised by the inverse of the scale, ties to even: all the data
    are ties."""
    def make(path, rng):
        model = Model()
        x = model.tensor("in0", "float32", (1, 4, 4, 8))
        codes = model.tensor("codes", dtype, (1, 4, 4, 8), scale=scale, zero=zero)
        y = model.tensor("out", dtype, (1, 8, 8, 2), scale=scale, zero=zero)
        model.op("QUANTIZE", [x], [codes], 3, options="QuantizeOptions")
        model.op("DEPTH_TO_SPACE", [codes], [y], 2, options="DepthToSpaceOptions", blockSize=2)
        ties = rng.integers(-140, 140, (1, 4, 4, 8)) + 0.5
        write_case(path, model, [x], [y], [[(ties * scale).astype(np.float32)]])
    return make


CASES = {
    "BATCH_MATMUL_s16s8_channel": matmul_by_channel,
    "TRANSPOSE_CONV_hybrid": hybrid_transpose_conv(False),
    "TRANSPOSE_CONV_hybrid_channel": hybrid_transpose_conv(True),
    "CONV_2D_s8_default": default_convolution,
    "QUANTIZE_s8_default": default_quantize("int8", 0.1, -3),
    "QUANTIZE_u8_default": default_quantize("uint8", 0.3, 120),
}
