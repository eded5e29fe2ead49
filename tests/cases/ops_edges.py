# SPDX-License-Identifier: Apache-2.0
"""What lies at the edge of an operator's definition: nothing to look at, a scalar, an axis twice,
NaN, a resize between the runs."""
import numpy as np

from cases.model import SAME, VALID, Model
from cases.ops_window import reduce, unary
from cases.write import write_case


def pool(op, dtype, shape, filter_h, filter_w, padding=VALID, **more):
    return unary(op, dtype, shape, options="Pool2DOptions", padding=padding, filterHeight=filter_h,
                 filterWidth=filter_w, strideH=1, strideW=2, **more)


def conv_of_nothing(path, rng):
    model = Model()
    x = model.tensor("in0", "float32", (1, 4, 2, 3))
    weights = model.constant("weights", rng.normal(0, 1, (2, 3, 3, 3)).astype(np.float32))
    bias = model.constant("bias", np.ones(2, np.float32))
    y = model.tensor("out", "float32", (1,))
    model.op("CONV_2D", [x, weights, bias], [y], options="Conv2DOptions", padding=VALID, strideH=1,
             strideW=1, dilationHFactor=1, dilationWFactor=1)
    write_case(path, model, [x], [y], [[np.ones((1, 4, 2, 3), np.float32)]])


def rnn(activation):
    """NaN, and an input whose batch grows, which starts the state anew."""
    def make(path, rng):
        model = Model()
        x = model.tensor("in0", "float32", (2, 3, 2))
        w = model.constant("w", rng.normal(0, 1, (2, 2)).astype(np.float32))
        r = model.constant("r", rng.normal(0, 1, (2, 2)).astype(np.float32))
        b = model.constant("b", np.zeros(2, np.float32))
        h = model.tensor("state", "float32", (2, 2), variable=True)
        y = model.tensor("out", "float32", (1, 1, 1))
        model.op("UNIDIRECTIONAL_SEQUENCE_RNN", [x, w, r, b, h], [y], options="SequenceRNNOptions",
                 fusedActivationFunction=activation)
        steps = [[rng.normal(0, 1, (2, n, 2)).astype(np.float32)] for n in (3, 3, 5, 5)]
        steps[1][0][1, 2] = np.nan
        write_case(path, model, [x], [y], steps, "close")
    return make


def random_numbers(path, rng):
    model = Model()
    x, y = model.tensor("in0", "float32", (2, 5)), model.tensor("out", "int32", (1, 1))
    count = model.constant("count", np.array(4, np.int32))
    model.op("MULTINOMIAL", [x, count], [y], options="RandomOptions", seed=5, seed2=9)
    steps = [[rng.normal(0, 1, (n, 5)).astype(np.float32)] for n in (2, 2, 3)]
    write_case(path, model, [x], [y], steps)


def odd_rows_of_int4(path, rng):
    model = Model()
    ids = model.tensor("in0", "int32", (3,))
    table = model.int4_constant("table", rng.integers(-7, 8, (3, 5)).astype(np.int8), scale=0.5)
    y = model.tensor("out", "float32", (1, 1))
    model.op("EMBEDDING_LOOKUP", [ids, table], [y], 4)
    write_case(path, model, [ids], [y], [[np.array([1, 2, 0], np.int32)]])


def pad(dtype):
    def make(path, rng):
        model = Model()
        x, y = model.tensor("in0", "float32", (2, 3)), model.tensor("out", "float32", (1, 1))
        paddings = model.constant("paddings", np.array([[1, 0], [2, 1]], dtype))
        model.op("PAD", [x, paddings], [y])
        write_case(path, model, [x], [y], [[rng.normal(0, 1, (2, 3)).astype(np.float32)]])
    return make


CODES = {"scale": 0.1, "zero": 3, "out_scale": 0.1, "out_zero": 3}

CASES = {
    "AVERAGE_POOL_2D_no_columns": pool("AVERAGE_POOL_2D", "int8", (1, 4, 2, 3), 2, 4, **CODES),
    "MAX_POOL_2D_nothing": pool("MAX_POOL_2D", "uint8", (1, 4, 2, 3), 2, 7, **CODES),
    "L2_POOL_2D_of_nothing": pool("L2_POOL_2D", "float32", (1, 0, 2, 3), 2, 2, SAME),
    "CONV_2D_no_columns": conv_of_nothing,
    "SUM_scalar": reduce("SUM", "float32", np.float32(2.5), [0, -3], True),
    "REDUCE_MAX_many_axes": reduce("REDUCE_MAX", "int32", (2, 3), [[1, -1, 1], [1, 1, -1]]),
    "SQRT_f32_negative": unary("SQRT", "float32", [-4, -0.0, 4, -np.inf], compare="exact"),
    "RSQRT_f32_negative": unary("RSQRT", "float32", [-4, -0.0, 4, -np.inf], compare="exact"),
    "RNN_relu_nan": rnn(1),
    "RNN_relu6_nan": rnn(3),
    "RNN_relu_n1_nan": rnn(2),
    "MULTINOMIAL_resized": random_numbers,
    "EMBEDDING_LOOKUP_s4_odd": odd_rows_of_int4,
    "PAD_s8_paddings": pad(np.int8),
    "PAD_s16_paddings": pad(np.int16),
}
