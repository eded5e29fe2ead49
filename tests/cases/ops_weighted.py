# SPDX-License-Identifier: Apache-2.0
"""Cases of one operator with weights."""
from cases import layers
from cases.model import VALID, Model
from cases.write import write_case


def one(kind, shape, layer, scale=None, **more):
    """A case of one layer; @layer(model, rng, kind, x, **more)."""
    def make(path, rng):
        model = Model()
        x = layers.new_input(model, rng, layers.KINDS[kind][0], shape, scale)
        out = layer(model, rng, kind, x, **more)
        steps = layers.two_runs(rng, x)
        if kind == "f32":
            write_case(path, model, [x.index], [out.index], steps[:1], "close")
        else:
            write_case(path, model, [x.index], [out.index], steps)
    return make


def conv(kind, shape, **more):
    return one(kind, shape, layers.conv, **more)


def depthwise(kind, shape, **more):
    return one(kind, shape, layers.depthwise, **more)


def dense(kind, shape, **more):
    return one(kind, shape, layers.dense, **more)


POW2 = {"scale": 2.0 ** -4, "regime": "pow2"}

CASES = {
    "CONV_2D_s8_same_relu6": conv("s8", (1, 7, 6, 5), channels=9, kernel=(3, 3), act="relu6"),
    "CONV_2D_s8_valid_stride": conv("s8", (2, 9, 8, 3), channels=4, kernel=(3, 2), stride=2,
                                    padding=VALID),
    "CONV_2D_s8_pointwise": conv("s8", (1, 5, 5, 33), channels=17, kernel=(1, 1)),
    "CONV_2D_s8_groups": conv("s8", (1, 6, 6, 8), channels=12, kernel=(3, 3), groups=4),
    "CONV_2D_s8_dilation": conv("s8", (1, 9, 9, 2), channels=3, kernel=(3, 3), dilation=2),
    "CONV_2D_s8_tensor": conv("s8", (1, 6, 6, 4), channels=6, kernel=(3, 3), channel=False),
    "CONV_2D_s8_pow2": conv("s8", (1, 6, 6, 4), channels=6, kernel=(3, 3), **POW2),
    "CONV_2D_s8_wide": conv("s8", (1, 5, 5, 4), channels=32, kernel=(3, 3), regime="wide"),
    "CONV_2D_s8_bias": conv("s8", (1, 5, 5, 4), channels=8, kernel=(1, 1), regime="bias"),
    "CONV_2D_u8_same": conv("u8", (1, 7, 6, 5), channels=7, kernel=(3, 3), act="relu"),
    "CONV_2D_u8_valid": conv("u8", (1, 8, 8, 3), channels=5, kernel=(5, 3), stride=2,
                             padding=VALID),
    "CONV_2D_u8_dilation": conv("u8", (1, 9, 9, 2), channels=3, kernel=(3, 3), dilation=3),
    "CONV_2D_s16_same": conv("s16", (1, 6, 5, 4), channels=6, kernel=(3, 3)),
    "CONV_2D_s16b32_valid": conv("s16b32", (1, 6, 6, 4), channels=5, kernel=(2, 3), padding=VALID),
    "CONV_2D_f32_same_relu6": conv("f32", (1, 7, 6, 5), channels=9, kernel=(3, 3), act="relu6"),
    "CONV_2D_f32_stride_dilation": conv("f32", (1, 11, 11, 3), channels=4, kernel=(3, 3),
                                        dilation=2),
    "DEPTHWISE_CONV_2D_s8_same": depthwise("s8", (1, 7, 7, 9), kernel=(3, 3), act="relu6"),
    "DEPTHWISE_CONV_2D_s8_multiplier": depthwise("s8", (1, 8, 7, 3), kernel=(3, 3), multiplier=4,
                                                 dilation=2),
    "DEPTHWISE_CONV_2D_s8_stride": depthwise("s8", (2, 9, 9, 4), kernel=(5, 3), stride=2,
                                             padding=VALID),
    "DEPTHWISE_CONV_2D_s8_no_bias": depthwise("s8", (1, 5, 5, 6), kernel=(3, 3), bias=False),
    "DEPTHWISE_CONV_2D_s8_pow2": depthwise("s8", (1, 6, 6, 8), kernel=(3, 3), **POW2),
    "DEPTHWISE_CONV_2D_u8_same": depthwise("u8", (1, 7, 6, 5), kernel=(3, 3), act="relu"),
    "DEPTHWISE_CONV_2D_u8_multiplier": depthwise("u8", (1, 7, 6, 2), kernel=(3, 3), multiplier=3,
                                                 stride=2),
    "DEPTHWISE_CONV_2D_s16_same": depthwise("s16", (1, 6, 6, 5), kernel=(3, 3)),
    "DEPTHWISE_CONV_2D_f32_same": depthwise("f32", (1, 7, 7, 6), kernel=(3, 3), act="relu"),
    "FULLY_CONNECTED_s8": dense("s8", (3, 40), units=11, channel=False, act="relu"),
    "FULLY_CONNECTED_s8_no_bias": dense("s8", (1, 65), units=10, channel=False, bias=False),
    "FULLY_CONNECTED_s8_channel": dense("s8", (2, 31), units=7),
    "FULLY_CONNECTED_s8_pow2": dense("s8", (4, 24), units=16, channel=False, **POW2),
    "FULLY_CONNECTED_s8_keep_dims": dense("s8", (2, 3, 8), units=5, channel=False, keep=True),
    "FULLY_CONNECTED_s8_folded": dense("s8", (2, 3, 4), units=5, channel=False, depth=12),
    "FULLY_CONNECTED_u8": dense("u8", (2, 33), units=9, act="relu6"),
    "FULLY_CONNECTED_s16": dense("s16", (2, 20), units=6, channel=False),
    "FULLY_CONNECTED_s16b32": dense("s16b32", (2, 20), units=6, channel=False),
    "FULLY_CONNECTED_f32": dense("f32", (3, 50), units=13, act="relu"),
}
