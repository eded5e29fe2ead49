# SPDX-License-Identifier: Apache-2.0
"""Cases of operators that remember: three runs, the state carries on."""
from cases import layers
from cases.model import ACTIVATIONS, Model
from cases.write import write_case

NOTE = "three runs: the state carries on"


def steps_of(rng, dtype, shape):
    return [[layers.random_data(rng, dtype, shape)] for _ in range(3)]


def random_constant(model, rng, name, dtype, bound, shape, scale):
    return model.constant(name, rng.integers(-bound, bound + 1, shape).astype(dtype), scale=scale)


def svdf_s8(path, rng):
    batch, depth, units, rank, memory = 2, 9, 5, 2, 6
    filters = units * rank
    model = Model()
    x = layers.new_input(model, rng, "int8", (batch, depth), 0.04)
    feature = random_constant(model, rng, "feature", "int8", 127, (filters, depth), 0.01)
    in_time = random_constant(model, rng, "time", "int16", 9000, (filters, memory), 1e-4)
    bias = random_constant(model, rng, "bias", "int32", 900, units, 5e-7)
    state = model.tensor("state", "int16", (batch, memory * filters), scale=0.005, variable=True)
    out = layers.new_output(model, "int8", 0.15, -100)
    model.op("SVDF", [x.index, feature, in_time, bias, state], [out.index], 3,
             options="SVDFOptions", rank=rank, fusedActivationFunction=ACTIVATIONS["relu"])
    write_case(path, model, [x.index], [out.index], steps_of(rng, "int8", x.shape), note=NOTE)


def lstm_weights(model, rng, name, shape):
    return random_constant(model, rng, name, "int8", 127, shape, float(rng.uniform(0.004, 0.008)))


def lstm_bias(model, rng, name, cells):
    return random_constant(model, rng, name, "int32", 2000, cells, 1e-4)


def lstm_s8(time_major):
    """8-bit weights, 16-bit cell: 24 inputs, of which peepholes, projection and layer norm are not
    there (-1)."""
    def make(path, rng):
        batch, time, depth, cells = 2, 4, 5, 6
        shape = (time, batch, depth) if time_major else (batch, time, depth)
        model = Model()
        x = layers.new_input(model, rng, "int8", shape, 0.02)
        to_gates = [lstm_weights(model, rng, f"input_to_{g}", (cells, depth)) for g in "ifco"]
        back = [lstm_weights(model, rng, f"recurrent_to_{g}", (cells, cells)) for g in "ifco"]
        bias = [lstm_bias(model, rng, f"bias_{g}", cells) for g in "ifco"]
        state = (batch, cells)
        h = model.tensor("output_state", "int8", state, scale=0.0075, zero=3, variable=True)
        c = model.tensor("cell_state", "int16", state, scale=2.0 ** -11, variable=True)
        gates = [model.tensor(f"part_{i}", "int16", (1,), scale=2.0 ** -12) for i in range(4)]
        hidden = model.tensor("hidden", "int8", (1,), scale=0.0075, zero=3)
        out = layers.new_output(model, "int8", 0.0075, 3)
        inputs = [x.index, *to_gates, *back, -1, -1, -1, *bias, -1, -1, h, c, -1, -1, -1, -1]
        model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [out.index], 3, [*gates, hidden],
                 "UnidirectionalSequenceLSTMOptions", fusedActivationFunction=4, cellClip=10.0,
                 timeMajor=time_major)
        write_case(path, model, [x.index], [out.index], steps_of(rng, "int8", shape), note=NOTE)
    return make


CASES = {
    "SVDF_s8": svdf_s8,
    "UNIDIRECTIONAL_SEQUENCE_LSTM_s8": lstm_s8(False),
    "UNIDIRECTIONAL_SEQUENCE_LSTM_s8_time_major": lstm_s8(True),
}
