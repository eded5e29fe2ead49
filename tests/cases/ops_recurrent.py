# SPDX-License-Identifier: Apache-2.0
"""Cases of LSTM, RNN, SVDF and their sequences, in all their kernels: three runs, the state carries
on."""
import dataclasses

import numpy as np

from cases import layers
from cases.model import Model
from cases.write import write_case

NOTE = "three runs: the state carries on"
TANH = 4
# Differences of the order of sums in float; a code more or less in a quantised row.
TOLERANCE = {"f32": "close", "f32s8": "close:0.002:0.001", "s8": "exact"}
GATES = "ifco"


@dataclasses.dataclass
class Sizes:
    batch: int = 2
    time: int = 3
    depth: int = 5
    cells: int = 4
    outputs: int = 4


class Parts:
    """What a node has, by words: cifg peep proj projb norm aux."""

    def __init__(self, words):
        self.words = words.split("_")

    def __getattr__(self, word):
        return word in self.words


def matrix(model, rng, kind, name, shape):
    """Weights, float or int8."""
    if kind == "f32":
        return model.constant(name, rng.normal(0, 0.4, shape).astype(np.float32))
    data = rng.integers(-127, 128, shape).astype(np.int8)
    return model.constant(name, data, scale=float(rng.uniform(0.004, 0.012)))


def vector(model, rng, kind, name, n):
    """A bias."""
    if kind == "s8":
        return model.constant(name, rng.integers(-2000, 2000, n).astype(np.int32), scale=1e-4)
    return model.constant(name, rng.normal(0, 0.2, n).astype(np.float32))


def peephole(model, rng, kind, name, n):
    if kind == "s8":
        data = rng.integers(-32767, 32768, n).astype(np.int16)
        return model.constant(name, data, scale=2.0 ** -16)
    return matrix(model, rng, kind, name, (n,))


def norm(model, rng, kind, name, n):
    if kind == "s8":
        data = rng.integers(4000, 32768, n).astype(np.int16)
        return model.constant(name, data, scale=2.0 ** -14)
    return model.constant(name, rng.uniform(0.5, 1.5, n).astype(np.float32))


def per_gate(there, parts, make):
    """Operands of the four gates; without an input gate, or where there are none, -1."""
    return [make(g) if there and not (g == "i" and parts.cifg) else -1 for g in GATES]


def lstm_weights(model, rng, kind, parts, s, way=""):
    """The seventeen operands of one direction."""
    def weights(name, columns):
        return per_gate(True, parts, lambda g: matrix(
            model, rng, kind, f"{way}{name}_{g}", (s.cells, columns)))
    operands = weights("input_to", s.depth) + weights("recurrent_to", s.outputs)
    peepholes = per_gate(parts.peep, parts, lambda g: g == "c" or peephole(
        model, rng, kind, f"{way}peephole_{g}", s.cells))
    operands += peepholes[:2] + peepholes[3:]
    operands += per_gate(True, parts, lambda g: vector(
        model, rng, kind, f"{way}bias_{g}", s.cells))
    operands.append(matrix(model, rng, kind, way + "projection", (s.outputs, s.cells))
                    if parts.proj else -1)
    operands.append(vector(model, rng, kind, way + "projection_bias", s.outputs)
                    if parts.projb else -1)
    return operands


def lstm_states(model, kind, s, way="", cell_scale=2.0 ** -11):
    h, c = (s.batch, s.outputs), (s.batch, s.cells)
    if kind == "s8":
        return [model.tensor(way + "output_state", "int8", h, scale=0.0075, zero=3, variable=True),
                model.tensor(way + "cell_state", "int16", c, scale=cell_scale, variable=True)]
    return [model.tensor(way + "output_state", "float32", h, variable=True),
            model.tensor(way + "cell_state", "float32", c, variable=True)]


def intermediates(model, rng, kind, parts):
    if kind != "s8":
        return ()
    scales = rng.uniform(0.0005, 0.002, 4) if parts.norm else [2.0 ** -12] * 4
    gates = [model.tensor(f"part_{i}", "int16", (1,), scale=float(v)) for i, v in enumerate(scales)]
    return [*gates, model.tensor("hidden", "int8", (1,), scale=0.0062, zero=-2)]


def inputs_of(model, rng, kind, s, time_major, sequence=True):
    shape = (s.batch, s.depth)
    if sequence:
        shape = (s.time, s.batch, s.depth) if time_major else (s.batch, s.time, s.depth)
    dtype = "int8" if kind == "s8" else "float32"
    return layers.new_input(model, rng, dtype, shape, 0.02)


def lstm(kind, words="", sizes=Sizes(), op="UNIDIRECTIONAL_SEQUENCE_LSTM", time_major=False,
         asymmetric=False, clips=(0.0, 0.0), cell_scale=2.0 ** -11):
    def make(path, rng):
        parts, model = Parts(words), Model()
        sequence = op != "LSTM"
        x = inputs_of(model, rng, kind, sizes, time_major, sequence)
        operands = lstm_weights(model, rng, kind, parts, sizes)
        states = lstm_states(model, kind, sizes, cell_scale=cell_scale)
        norms = per_gate(parts.norm, parts, lambda g: norm(
            model, rng, kind, f"norm_{g}", sizes.cells))
        dtype = "int8" if kind == "s8" else "float32"
        out = layers.new_output(model, dtype, 0.0075, 3)
        options = {"timeMajor": time_major} if sequence else {}
        model.op(op, [x.index, *operands, *states, *norms], [out.index], 3,
                 intermediates(model, rng, kind, parts),
                 "UnidirectionalSequenceLSTMOptions" if sequence else "LSTMOptions",
                 fusedActivationFunction=TANH, cellClip=clips[0], projClip=clips[1],
                 asymmetricQuantizeInputs=asymmetric, **options)
        steps = [[layers.random_data(rng, dtype, x.shape)] for _ in range(3)]
        write_case(path, model, [x.index], [out.index], steps, TOLERANCE[kind], NOTE)
    return make


def two_ways(op, options, kind, make_operands, sizes, time_major, merge, aux, asymmetric, more):
    def make(path, rng):
        model = Model()
        x = [inputs_of(model, rng, kind, sizes, time_major)]
        if aux:
            x.append(layers.new_input(model, rng, "float32", x[0].shape, name="in1"))
        operands = make_operands(model, rng, x)
        outs = [layers.new_output(model, "float32", name=f"out{i}") for i in range(2 - merge)]
        ends = [v.index for v in x], [v.index for v in outs]
        model.op(op, operands, ends[1], 1, options=options, timeMajor=time_major,
                 mergeOutputs=merge, asymmetricQuantizeInputs=asymmetric, **more)
        steps = [[layers.random_data(rng, "float32", v.shape) for v in x] for _ in range(3)]
        write_case(path, model, *ends, steps, TOLERANCE[kind], NOTE)
    return make


def bidirectional_lstm(kind, words="", sizes=Sizes(), time_major=False, merge=False,
                       asymmetric=False, clips=(0.0, 0.0)):
    parts = Parts(words)

    def operands(model, rng, x):
        ways = [lstm_weights(model, rng, kind, parts, sizes, way) for way in ("fw_", "bw_")]
        states = [v for way in ("fw_", "bw_") for v in lstm_states(model, kind, sizes, way)]
        aux = [-1] * 8
        if parts.aux:
            aux = [v for way in ("fw_", "bw_") for v in per_gate(True, parts, lambda g: matrix(
                model, rng, kind, f"{way}aux_{g}", (sizes.cells, sizes.depth)))]
        second = x[1].index if len(x) > 1 else -1
        return [x[0].index, *ways[0], *ways[1], *states, second, *aux]
    return two_ways("BIDIRECTIONAL_SEQUENCE_LSTM", "BidirectionalSequenceLSTMOptions", kind,
                    operands, sizes, time_major, merge, parts.aux or parts.par, asymmetric,
                    {"fusedActivationFunction": TANH, "cellClip": clips[0], "projClip": clips[1]})


def rnn_weights(model, rng, kind, s, way=""):
    units = s.outputs
    recurrent = matrix(model, rng, kind, way + "recurrent", (units, units))
    return [matrix(model, rng, kind, way + "weights", (units, s.depth)), recurrent,
            vector(model, rng, kind, way + "bias", units),
            model.tensor(way + "state", "float32", (s.batch, units), variable=True)]


def rnn(kind, op="UNIDIRECTIONAL_SEQUENCE_RNN", sizes=Sizes(), activation=TANH, time_major=False,
        asymmetric=False):
    def make(path, rng):
        model, sequence = Model(), op != "RNN"
        x = inputs_of(model, rng, kind, sizes, time_major, sequence)
        operands = rnn_weights(model, rng, kind, sizes)
        out = layers.new_output(model, "float32")
        more = {"timeMajor": time_major} if sequence else {}
        model.op(op, [x.index, *operands], [out.index], 1,
                 options="SequenceRNNOptions" if sequence else "RNNOptions",
                 fusedActivationFunction=activation, asymmetricQuantizeInputs=asymmetric, **more)
        steps = [[layers.random_data(rng, "float32", x.shape)] for _ in range(3)]
        write_case(path, model, [x.index], [out.index], steps, TOLERANCE[kind], NOTE)
    return make


def bidirectional_rnn(kind, words="", sizes=Sizes(), activation=TANH, time_major=False,
                      merge=False, asymmetric=False):
    parts = Parts(words)

    def operands(model, rng, x):
        ways = [rnn_weights(model, rng, kind, sizes, way) for way in ("fw_", "bw_")]
        aux = [matrix(model, rng, kind, f"{way}aux", (sizes.outputs, sizes.depth))
               if parts.aux else -1 for way in ("fw_", "bw_")]
        second = x[1].index if len(x) > 1 else -1
        return [x[0].index, *ways[0], *ways[1], second, *aux]
    return two_ways("BIDIRECTIONAL_SEQUENCE_RNN", "BidirectionalSequenceRNNOptions", kind, operands,
                    sizes, time_major, merge, parts.aux or parts.par, asymmetric,
                    {"fusedActivationFunction": activation})


def svdf(kind, batch=2, depth=6, units=3, rank=2, memory=4, activation=0, bias=True,
         asymmetric=False):
    def make(path, rng):
        model = Model()
        filters = units * rank
        x = layers.new_input(model, rng, "float32", (batch, depth))
        feature = matrix(model, rng, kind, "feature", (filters, depth))
        in_time = matrix(model, rng, kind, "time", (filters, memory))
        b = vector(model, rng, kind, "bias", units) if bias else -1
        state = model.tensor("state", "float32", (batch, memory * filters), variable=True)
        out = layers.new_output(model, "float32")
        model.op("SVDF", [x.index, feature, in_time, b, state], [out.index], 1,
                 options="SVDFOptions", rank=rank, fusedActivationFunction=activation,
                 asymmetricQuantizeInputs=asymmetric)
        steps = [[layers.random_data(rng, "float32", x.shape)] for _ in range(3)]
        write_case(path, model, [x.index], [out.index], steps, TOLERANCE[kind], NOTE)
    return make


def basic_lstm(kind, batch=2, depth=5, cells=3, scale=0.02):
    """Five inputs, four outputs: states are ordinary tensors."""
    def make(path, rng):
        model, joined = Model(), depth + cells
        real = kind == "f32"
        a, b = ("float32", "float32") if real else ("uint8", "int16")
        x = layers.new_input(model, rng, a, (batch, depth), 1 / 128, 128)
        h = layers.new_input(model, rng, a, (batch, cells), 1 / 128, 128, "in1")
        s = layers.new_input(model, rng, b, (batch, cells), 2.0 ** -11, 0, "in2")
        if real:
            w = matrix(model, rng, kind, "weights", (4 * cells, joined))
            bias = vector(model, rng, kind, "bias", 4 * cells)
        else:
            codes = rng.integers(0, 256, (4 * cells, joined)).astype(np.uint8)
            w = model.constant("weights", codes, scale=scale, zero=int(rng.integers(100, 150)))
            numbers = rng.integers(-9000, 9000, 4 * cells).astype(np.int32)
            bias = model.constant("bias", numbers, scale=scale / 128)
        outs = [layers.new_output(model, t, step, zero, f"out{i}") for i, (t, step, zero) in
                enumerate([(a, 1 / 128, 128), (b, 2.0 ** -11, 0), (a, 1 / 128, 128),
                           (b, 2.0 ** -12, 0)])]
        ends = [v.index for v in (x, h, s)], [v.index for v in outs]
        model.op("LSTM", [x.index, h.index, w, bias, s.index], ends[1], 1, options="LSTMOptions",
                 fusedActivationFunction=TANH, kernelType=1)
        steps = [[layers.random_data(rng, v.dtype, v.shape) for v in (x, h, s)] for _ in range(2)]
        write_case(path, model, *ends, steps, "close" if real else "exact")
    return make


PROJECTED = Sizes(batch=3, cells=5, outputs=2)

CASES = {
    "LSTM_f32_norm": lstm("f32", "norm", op="LSTM"),
    "LSTM_f32s8_peep": lstm("f32s8", "peep", op="LSTM"),
    "LSTM_s8_cifg_peep_proj": lstm("s8", "cifg_peep_proj", PROJECTED, "LSTM", clips=(4.0, 0.6)),
    "LSTM_basic_f32": basic_lstm("f32"),
    "LSTM_basic_u8": basic_lstm("u8"),
    "LSTM_basic_u8_small": basic_lstm("u8", scale=0.003),
    "UNIDIRECTIONAL_SEQUENCE_LSTM_f32_proj": lstm("f32", "proj_projb_norm", PROJECTED,
                                                  clips=(0.5, 0.4)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM_f32s8_cifg_time": lstm("f32s8", "cifg_norm_proj", PROJECTED,
                                                         time_major=True, asymmetric=True),
    "UNIDIRECTIONAL_SEQUENCE_LSTM_s8_fine_cell": lstm("s8", cell_scale=2.0 ** -17),
    "UNIDIRECTIONAL_SEQUENCE_LSTM_s8_peep_proj": lstm("s8", "peep_proj_projb", PROJECTED),
    "UNIDIRECTIONAL_SEQUENCE_LSTM_s8_peep_proj_time": lstm("s8", "peep_proj_norm", PROJECTED,
                                                           time_major=True),
    "BIDIRECTIONAL_SEQUENCE_LSTM_f32_aux": bidirectional_lstm("f32", "aux"),
    "BIDIRECTIONAL_SEQUENCE_LSTM_f32_stacked": bidirectional_lstm("f32", "cifg_par"),
    "BIDIRECTIONAL_SEQUENCE_LSTM_f32s8_merge_time": bidirectional_lstm(
        "f32s8", "cifg", time_major=True, merge=True),
    "RNN_f32_relu6": rnn("f32", "RNN", activation=3),
    "RNN_f32s8": rnn("f32s8", "RNN", asymmetric=True),
    "UNIDIRECTIONAL_SEQUENCE_RNN_f32_sign": rnn("f32", activation=5, time_major=True),
    "UNIDIRECTIONAL_SEQUENCE_RNN_f32s8": rnn("f32s8"),
    "BIDIRECTIONAL_SEQUENCE_RNN_f32_merge": bidirectional_rnn("f32", "aux", merge=True),
    "BIDIRECTIONAL_SEQUENCE_RNN_f32_stacked": bidirectional_rnn("f32", "par"),
    "BIDIRECTIONAL_SEQUENCE_RNN_f32s8_time": bidirectional_rnn(
        "f32s8", sizes=Sizes(batch=1), time_major=True, asymmetric=True),
    "SVDF_f32": svdf("f32", activation=TANH),
    "SVDF_f32s8": svdf("f32s8", bias=False, asymmetric=True),
}
