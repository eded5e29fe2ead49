# SPDX-License-Identifier: Apache-2.0
"""Cases of one operator that gathers, scatters, selects or counts by index."""
import copy

import numpy as np

from cases.model import Model, encode_graphs
from cases.write import write_case, write_own_case


class Body(Model):
    """A model whose operator runs a second graph of two scalars: one operator, or the second."""

    def __init__(self, op, dtype):
        super().__init__()
        body = Model()
        ends = [body.tensor(name, dtype, ()) for name in ("there", "update", "result")]
        if op:
            body.op(op, ends[:2], ends[2:])
        body.ends(ends[:2], ends[2:] if op else ends[1:2])
        self.body = body

    def encode(self, inputs, outputs):
        """The operators of the body stand behind the model's own."""
        self.ends(inputs, outputs)
        graph = copy.deepcopy(self.body.graph)
        for op in graph.operators:
            op.opcodeIndex += len(self.codes)
        return encode_graphs([self.graph, graph], self.codes + self.body.codes, self.buffers)


def indexed(op, operands, outputs, constants=(), shape=(1,), model=None, steps=1, compare="exact",
            version=1, options=None, **fields):
    """@operands: arrays, or functions of a generator that give one for each step; @constants: those
    of them that are part of the model; @outputs: types; @shape: of an output that LiteRT sizes only
    when it runs, or takes as it is declared."""
    def make(path, rng):
        built = model() if model else Model()
        data = [[a(rng) if callable(a) else np.asarray(a) for a in operands] for _ in range(steps)]
        indices = [built.constant(f"constant{i}", a) if i in constants
                   else built.tensor(f"in{i}", str(a.dtype), a.shape)
                   for i, a in enumerate(data[0])]
        outs = [built.tensor(f"out{i}", dtype, shape) for i, dtype in enumerate(outputs)]
        built.op(op, indices, outs, version, options=options, **fields)
        live = [i for i in range(len(indices)) if i not in constants]
        write_case(path, built, [indices[i] for i in live], outs,
                   [[step[i] for i in live] for step in data], compare)
    return make


def floats(*shape):
    return lambda rng: rng.normal(0, 1, shape).astype(np.float32)


def below(limit, *shape, dtype=np.int32):
    return lambda rng: rng.integers(0, limit, shape).astype(dtype)


def ints(*values, dtype=np.int32):
    return np.array(values, dtype)


def scalar(value, dtype=np.int32):
    return np.array(value, dtype)


def boxes(n):
    """Corners in any order, close enough to overlap."""
    return lambda rng: rng.uniform(0, 3, (n, 4)).astype(np.float32)


def tied_scores(n):
    return lambda rng: (rng.integers(0, 5, n) / 4).astype(np.float32)


def suppression(n, most, iou, least, sigma=None, constants=(2, 3, 4, 5)):
    soft = [] if sigma is None else [scalar(sigma, np.float32)]
    operands = [boxes(n), tied_scores(n), scalar(most), scalar(iou, np.float32),
                scalar(least, np.float32), *soft]
    return indexed("NON_MAX_SUPPRESSION_V5" if soft else "NON_MAX_SUPPRESSION_V4", operands,
                   ["int32", "float32", "int32"] if soft else ["int32", "int32"],
                   [i for i in constants if i < len(operands)], steps=2, compare="close")


def segments(kind, dtype):
    data = floats(6, 3) if dtype == "float32" else below(9, 6, 3)
    return indexed("UNSORTED_SEGMENT_" + kind, [data, ints(2, 0, -1, 2, 3, 0), scalar(5)], [dtype],
                   [2], (5, 3), compare="close")


def hlo_gather(operand, indices, shape, **fields):
    return indexed("STABLEHLO_GATHER", [operand, indices], ["float32"], shape=shape,
                   options="StablehloGatherOptions", **fields)


def hlo_scatter(op, dtype, operand, indices, updates, **fields):
    return indexed("STABLEHLO_SCATTER", [operand, indices, updates], [dtype],
                   model=lambda: Body(op, dtype), options="StablehloScatterOptions",
                   updateComputationSubgraphIndex=1, **fields)


GATHER = {"options": "GatherOptions"}
ROWS = {"updateWindowDims": [1], "insertedWindowDims": [0], "scatterDimsToOperandDims": [0],
        "indexVectorDim": 1}

def gathered_strings(path, rng):
    """Strings of many lengths; which ones are taken only a run knows."""
    words = np.array([b"x" * n for n in (1, 60, 3, 41, 2, 55)], object)
    indices = rng.permutation(len(words)).astype(np.int32)
    model = Model()
    inputs = [model.tensor("words", "string", words.shape),
              model.tensor("indices", "int32", indices.shape)]
    out = model.tensor("taken", "string", indices.shape)
    model.op("GATHER", inputs, [out], **GATHER)
    write_own_case(path, model, inputs, [out], [([words, indices], [words[indices]])], "exact",
                   "outputs by the operator's formula")


CASES = {
    "GATHER_str_run_time": gathered_strings,
    "GATHER_f32_batch": indexed("GATHER", [floats(2, 3, 4), below(3, 2, 2)], ["float32"], axis=1,
                                batchDims=1, **GATHER),
    "GATHER_s64_last": indexed("GATHER", [below(99, 2, 5, dtype=np.int64),
                                          below(5, 3, dtype=np.int16)], ["int64"], axis=-1,
                               **GATHER),
    "GATHER_ND_u8": indexed("GATHER_ND", [below(256, 3, 4, 2, dtype=np.uint8),
                                          below(3, 2, 2, 2, dtype=np.int64)], ["uint8"], steps=2),
    "SCATTER_ND_s32_run_time": indexed("SCATTER_ND", [below(3, 4, 2), below(9, 4, 2),
                                                      ints(3, 4, 2)], ["int32"]),
    "SCATTER_ND_bool": indexed("SCATTER_ND", [below(4, 5, 1), below(2, 5, dtype=bool),
                                              ints(4)], ["bool"], [2]),
    "EMBEDDING_LOOKUP_f32": indexed("EMBEDDING_LOOKUP", [below(4, 3), floats(4, 2, 3)],
                                    ["float32"]),
    "EMBEDDING_LOOKUP_SPARSE_sqrtn": indexed(
        "EMBEDDING_LOOKUP_SPARSE", [below(5, 4), ints([0, 1], [0, 2], [2, 0], [2, 1]), ints(4, 3),
                                    floats(4), floats(5, 3)], ["float32"], compare="close",
        options="EmbeddingLookupSparseOptions", combiner=2),
    "ONE_HOT_s8_run_time": indexed("ONE_HOT", [ints([0, 3], [-1, 7], dtype=np.int64), scalar(4),
                                               scalar(9, np.int8), scalar(-3, np.int8)], ["int8"],
                                   options="OneHotOptions", axis=1),
    "SPARSE_TO_DENSE_f32": indexed("SPARSE_TO_DENSE", [ints([0, 1], [2, 0], [0, 1]), ints(3, 2),
                                                       floats(3), scalar(7, np.float32)],
                                   ["float32"], [1], options="SparseToDenseOptions"),
    "TOPK_V2_f32": indexed("TOPK_V2", [tied_scores(40), scalar(7)], ["float32", "int32"], [1],
                           steps=2),
    "TOPK_V2_s16_run_time": indexed("TOPK_V2", [below(4, 3, 9, dtype=np.int16), scalar(9)],
                                    ["int16", "int32"]),
    "UNIQUE_f32": indexed("UNIQUE", [tied_scores(12)], ["float32", "int64"], steps=2,
                          options="UniqueOptions", idxOutType=4),
    "UNIQUE_f32_nan": indexed("UNIQUE", [ints(3, 0, np.nan, -0.0, 3, -2, np.nan,
                                              dtype=np.float32)], ["float32", "int32"],
                              options="UniqueOptions", idxOutType=2),
    "WHERE_s32": indexed("WHERE", [below(2, 2, 3, 2)], ["int64"], steps=2),
    "NON_MAX_SUPPRESSION_V4_ties": suppression(20, 8, 0.2, 0.1),
    "NON_MAX_SUPPRESSION_V4_above_one": suppression(5, 9, 1.5, 0.1),
    "NON_MAX_SUPPRESSION_V5_soft": suppression(16, 12, 0.6, 0.05, 0.4),
    "NON_MAX_SUPPRESSION_V5_run_time": suppression(16, 12, 0.4, 0.05, 0.0, (3, 4, 5)),
    "BUCKETIZE_s64": indexed("BUCKETIZE", [ints(16777217, 0, -5, dtype=np.int64)], ["int32"],
                             options="BucketizeOptions",
                             boundaries=ints(-5, 1, 16777216, 16777218, dtype=np.float32)),
    "CUMSUM_s32": indexed("CUMSUM", [below(99, 2, 4, 3), scalar(-2)], ["int32"], [1],
                          options="CumsumOptions", exclusive=True, reverse=True),
    "CUMSUM_f32_run_time": indexed("CUMSUM", [floats(3, 4), scalar(0)], ["float32"],
                                   compare="close", options="CumsumOptions"),
    "UNSORTED_SEGMENT_SUM_f32": segments("SUM", "float32"),
    "UNSORTED_SEGMENT_PROD_s32": segments("PROD", "int32"),
    "UNSORTED_SEGMENT_MAX_f32": segments("MAX", "float32"),
    "UNSORTED_SEGMENT_MIN_s32": segments("MIN", "int32"),
    "RANGE_f32_run_time": indexed("RANGE", [scalar(1.5, np.float32), scalar(-1, np.float32),
                                            scalar(-0.3, np.float32)], ["float32"]),
    "RANGE_s64": indexed("RANGE", [scalar(-7, np.int64), scalar(12, np.int64),
                                   scalar(5, np.int64)], ["int64"]),
    "HASHTABLE_LOOKUP_s16": indexed("HASHTABLE_LOOKUP", [ints(4, -9, 5, 30, 4), ints(-9, 4, 30),
                                                         below(99, 3, 2, dtype=np.int16)],
                                    ["int16", "uint8"], [1, 2]),
    "STABLEHLO_GATHER_f32": hlo_gather(floats(3, 4, 2), ints([1, 2], [9, -4], [0, 1]), (2, 3, 1),
                                       offsetDims=[0, 2], collapsedSliceDims=[1],
                                       startIndexMap=[2, 1], indexVectorDim=1,
                                       sliceSizes=[2, 1, 1]),
    "STABLEHLO_GATHER_f32_vector_first": hlo_gather(floats(4, 5), below(5, 2, 3), (3, 3),
                                                    offsetDims=[0], collapsedSliceDims=[0],
                                                    startIndexMap=[1, 0], indexVectorDim=0,
                                                    sliceSizes=[1, 3]),
    "STABLEHLO_SCATTER_add": hlo_scatter("STABLEHLO_ADD", "int32", below(9, 3, 2),
                                         ints([0], [2], [0], [7]), below(9, 4, 2), **ROWS),
    "STABLEHLO_SCATTER_max": hlo_scatter("STABLEHLO_MAXIMUM", "float32", floats(3, 2),
                                         ints([1], [1]), floats(2, 2), **ROWS),
    "STABLEHLO_SCATTER_set": hlo_scatter(None, "int8", below(9, 4, 3, dtype=np.int8),
                                         ints([0], [2], [3]), below(9, 2, 3, 3, dtype=np.int8),
                                         updateWindowDims=[0, 2], scatterDimsToOperandDims=[0],
                                         insertedWindowDims=[], indexVectorDim=1),
}
