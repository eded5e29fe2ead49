# SPDX-License-Identifier: Apache-2.0
"""Cases of operators that only move elements: slices, tiles, blocks, pads, stacks.

An operand in @given is an input of the model, so that only the run knows it.
"""
import numpy as np

from ai_edge_litert import schema_py_generated as schema

from cases import layers
from cases.model import Model, options_of
from cases.write import write_case, write_refused

WORDS = [b"", b"a", b"edge", b"\xc3\xa9\x00!", b"gateway", b"of", b"things"]


def draw(rng, dtype, shape):
    if dtype == "string":
        return np.array(WORDS, object)[rng.integers(0, len(WORDS), shape)]
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    return layers.random_data(rng, dtype, shape)


def quantized(dtype):
    return {"scale": 0.5, "zero": 3} if dtype in ("int8", "uint8") else {}


def add_options(model, options, fields):
    """Options of the second union, which Model.op() does not know."""
    op = model.graph.operators[-1]
    op.builtinOptions2Type = getattr(schema.BuiltinOptions2, options)
    op.builtinOptions2 = options_of(options, fields)


def build(rng, op, inputs, fixed=(), given=(), outputs=1, out=None, options=None, options2=None,
          before=False, **fields):
    """@inputs: (dtype, shape) of each tensor that is moved; @fixed: constants, @given: inputs that
    follow them (or stand before them); @out: (dtype, shape) where it is not the first input's."""
    model = Model()
    data = [draw(rng, dtype, shape) for dtype, shape in inputs]
    moved = [model.tensor(f"in{i}", dtype, shape, **quantized(dtype))
             for i, (dtype, shape) in enumerate(inputs)]
    params = [model.tensor(f"given{i}", str(p.dtype), p.shape) for i, p in enumerate(given)]
    constants = [model.constant(f"constant{i}", c) for i, c in enumerate(fixed)]
    dtype, shape = out or (inputs[0][0], (1,))
    results = [model.tensor(f"out{i}", dtype, shape, **quantized(dtype)) for i in range(outputs)]
    operands = constants + params + moved if before else moved + constants + params
    model.op(op, operands, results, options=options, **fields if options else {})
    if options2:
        add_options(model, options2, fields)
    return model, moved + params, results, data + list(given)


def case(op, inputs, **how):
    def make(path, rng):
        model, ins, outs, data = build(rng, op, inputs, **how)
        write_case(path, model, ins, outs, [data])
    return make


def refused(op, inputs, **how):
    def make(path, rng):
        model, ins, outs, data = build(rng, op, inputs, **how)
        write_refused(path, model.encode(ins, outs), data)
    return make


def ints(*values):
    return np.array(values, np.int32)


def longs(*values):
    return np.array(values, np.int64)


STRIDED = {"options": "StridedSliceOptions"}
BLOCKS = {"options": "SpaceToBatchNDOptions"}
BATCHES = {"options": "BatchToSpaceNDOptions"}

CASES = {
    "SLICE_str": case("SLICE", [("string", (3, 4))], fixed=[ints(1, 0), ints(-1, 2)],
                      out=("string", (2, 2)), options="SliceOptions"),
    "SLICE_s16_given": case("SLICE", [("int16", (3, 4, 2))],
                            given=[longs(0, 1, 0), longs(2, -1, 1)],
                            out=("int16", (2, 3, 1)), options="SliceOptions"),
    "BAD_SLICE_given": refused("SLICE", [("float32", (3, 4))], given=[ints(1, 3), ints(1, 2)],
                               out=("float32", (1, 1)), options="SliceOptions"),
    "STRIDED_SLICE_s8_masks": case("STRIDED_SLICE", [("int8", (3, 4, 5, 2))],
                                   fixed=[ints(2, 0, 0, -1), ints(0, 0, 0, 0), ints(1, 1, 1, 1)],
                                   shrinkAxisMask=9, newAxisMask=2, ellipsisMask=4, **STRIDED),
    "STRIDED_SLICE_f32_back": case("STRIDED_SLICE", [("float32", (5, 7))], fixed=[ints(-1, 6)],
                                   given=[ints(-9, 0), ints(-2, -3)], beginMask=1, endMask=2,
                                   **STRIDED),
    "STRIDED_SLICE_str_given": case("STRIDED_SLICE", [("string", (5, 3))],
                                    given=[ints(4, 0), ints(0, 3), ints(-2, 2)], **STRIDED),
    "STRIDED_SLICE_s32_offset": case("STRIDED_SLICE", [("int32", (6, 5))],
                                     fixed=[ints(-4, 1), ints(3, 4), ints(2, 3)], offset=True,
                                     **STRIDED),
    "BAD_STRIDED_SLICE_stride": refused("STRIDED_SLICE", [("int32", (4,))], fixed=[ints(0)],
                                        given=[ints(2), ints(0)], **STRIDED),
    "DYNAMIC_UPDATE_SLICE_u8": case("DYNAMIC_UPDATE_SLICE", [("uint8", (3, 5)), ("uint8", (2, 2))],
                                    given=[longs(7, -3)]),
    "TILE_str": case("TILE", [("string", (2, 2))], given=[ints(2, 3)], options="TileOptions"),
    "TILE_b_empty": case("TILE", [("bool", (2, 3))], fixed=[longs(2, 0)], options="TileOptions"),
    "BAD_TILE_negative": refused("TILE", [("bool", (2, 3))], given=[ints(1, -1)],
                                 options="TileOptions"),
    "FILL_f32": case("FILL", [("float32", ())], given=[ints(2, 3)], before=True,
                     options="FillOptions"),
    "FILL_s64": case("FILL", [("int64", ())], fixed=[longs(3, 1)], before=True,
                     options="FillOptions"),
    "SPACE_TO_BATCH_ND_u8": case("SPACE_TO_BATCH_ND", [("uint8", (2, 3, 4, 2))],
                                 fixed=[ints(2, 3)], given=[np.array([[1, 0], [0, 2]], np.int32)],
                                 **BLOCKS),
    "BATCH_TO_SPACE_ND_s16": case("BATCH_TO_SPACE_ND", [("int16", (6, 3, 2))], fixed=[ints(3)],
                                  given=[np.array([[4, 1]], np.int32)], **BATCHES),
    "BAD_BATCH_TO_SPACE_ND_block": refused("BATCH_TO_SPACE_ND", [("int16", (6, 3, 2))],
                                           given=[ints(0), np.array([[0, 0]], np.int32)],
                                           **BATCHES),
    "DEPTH_TO_SPACE_s8": case("DEPTH_TO_SPACE", [("int8", (2, 2, 3, 8))], blockSize=2,
                              options="DepthToSpaceOptions"),
    "SPACE_TO_DEPTH_s64": case("SPACE_TO_DEPTH", [("int64", (1, 3, 6, 2))], blockSize=3,
                               options="SpaceToDepthOptions"),
    "MIRROR_PAD_s32_reflect": case("MIRROR_PAD", [("int32", (2, 3, 4))], mode=0,
                                   given=[np.array([[1, 0], [2, 1], [3, 3]], np.int64)],
                                   options="MirrorPadOptions"),
    "MIRROR_PAD_f32_symmetric": case("MIRROR_PAD", [("float32", (2, 3))], mode=1,
                                     fixed=[np.array([[2, 1], [0, 3]], np.int32)],
                                     options="MirrorPadOptions"),
    "DILATE_s16": case("DILATE", [("int16", (2, 3))], fixed=[ints(3, 2)],
                       given=[np.array(7, np.int16)], options2="DilateOptions"),
    "STABLEHLO_PAD_s32": case("STABLEHLO_PAD", [("int32", (3, 4))], given=[np.array(9, np.int32)],
                              options2="StablehloPadOptions", edgePaddingLow=longs(-2, 1),
                              edgePaddingHigh=longs(1, -3), interiorPadding=longs(2, 1)),
    "PACK_s8": case("PACK", [("int8", (2, 3))] * 3, axis=-2, valuesCount=3, options="PackOptions"),
    "UNPACK_b": case("UNPACK", [("bool", (2, 3, 2))], outputs=3, axis=1, num=3,
                     options="UnpackOptions"),
    "REVERSE_V2_s64": case("REVERSE_V2", [("int64", (2, 3, 4))], given=[ints(-1, 1)],
                           options="ReverseV2Options"),
    "BAD_REVERSE_V2_gap": refused("REVERSE_V2", [("int64", (2, 3, 4))], given=[ints(0, 2)],
                                  options="ReverseV2Options"),
    "REVERSE_SEQUENCE_s16": case("REVERSE_SEQUENCE", [("int16", (4, 3, 2))],
                                 given=[longs(4, 0, 3)], seqDim=0, batchDim=1,
                                 options="ReverseSequenceOptions"),
    "BAD_REVERSE_SEQUENCE_length": refused("REVERSE_SEQUENCE", [("int16", (4, 3, 2))],
                                           given=[longs(5, 0, 3)], seqDim=0, batchDim=1,
                                           options="ReverseSequenceOptions"),
    "SHAPE_str": case("SHAPE", [("string", (2, 3))], out=("int64", (2,)), outType=4,
                      options="ShapeOptions"),
    "RANK_s32": case("RANK", [("int32", (2, 1, 3))], out=("int32", ()), options="RankOptions"),
    "MATRIX_DIAG_u8": case("MATRIX_DIAG", [("uint8", (2, 3))], options="MatrixDiagOptions"),
    "MATRIX_SET_DIAG_s32": case("MATRIX_SET_DIAG", [("int32", (2, 4, 3)), ("int32", (2, 3))],
                                options="MatrixSetDiagOptions"),
    "RESIZE_NEAREST_NEIGHBOR_s8_corners": case("RESIZE_NEAREST_NEIGHBOR", [("int8", (2, 3, 4, 2))],
                                               given=[ints(5, 2)], alignCorners=True,
                                               options="ResizeNearestNeighborOptions"),
    "RESIZE_NEAREST_NEIGHBOR_f32_half": case("RESIZE_NEAREST_NEIGHBOR", [("float32", (1, 5, 3, 1))],
                                             fixed=[ints(3, 7)], halfPixelCenters=True,
                                             options="ResizeNearestNeighborOptions"),
    "RESHAPE_str": case("RESHAPE", [("string", (2, 3))], given=[ints(3, -1)],
                        options="ReshapeOptions"),
}
