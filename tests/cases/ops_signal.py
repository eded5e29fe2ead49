# SPDX-License-Identifier: Apache-2.0
"""Cases of the signal operators: what TensorFlow Lite Micro's Python runtime answers."""
import os

import numpy as np

from cases.model import Model
from cases.write import Folder, write_own_case

NOTE = "outputs by TensorFlow Lite Micro's reference kernels; the state carries on"
SMOOTHING = {"smoothing": 409, "one_minus_smoothing": 15975, "alternate_smoothing": 983,
             "alternate_one_minus_smoothing": 15401, "min_signal_remaining": 819,
             "smoothing_bits": 10, "spectral_subtraction_bits": 14, "clamping": False}


def write_micro_case(path, model, inputs, outputs, steps):
    from tflite_micro.python.tflite_micro import runtime  # only these cases need it
    os.makedirs(path, exist_ok=True)
    data = model.encode(inputs, outputs)
    with open(os.path.join(path, "model.tflite"), "wb") as file:
        file.write(data)
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 18)
    folder = Folder(path, "model.tflite", NOTE)
    for step, arrays in enumerate(steps):
        for index, array in enumerate(arrays):
            interpreter.set_input(array, index)
            folder.add("in", step, index, array, f"in{index}")
        interpreter.invoke()
        for index in range(len(outputs)):
            out = np.array(interpreter.get_output(index))
            folder.add("out", step, index, out, f"out{index}", "exact")
    folder.close()


def sounds(rng, n):
    """Noise at full scale, silence, a soft tone, the lowest number."""
    tone = 900 * np.sin(np.arange(n) * 0.3)
    return [[rng.integers(-32768, 32768, n).astype(np.int16)], [np.zeros(n, np.int16)],
            [tone.astype(np.int16)], [np.full(n, -32768, np.int16)]]


def spectrum(model, x, n, bins):
    """Window, scale, transform, energy: tensors of the scale, the transform and the energy."""
    hann = np.round(4096 * np.hanning(n)).astype(np.int16)
    names = {"windowed": n, "scaled": n, "transform": 2 * bins}
    t = {name: model.tensor(name, "int16", (size,)) for name, size in names.items()}
    scale, energy = model.tensor("scale", "int32", ()), model.tensor("energy", "uint32", (bins,))
    model.custom("SignalWindow", [x, model.constant("hann", hann)], [t["windowed"]],
                 {"shift": 12})
    model.custom("SignalFftAutoScale", [t["windowed"]], [t["scaled"], scale], {})
    model.custom("SignalRfft", [t["scaled"]], [t["transform"]],
                 {"T": 7, "fft_length": 2 * bins - 2})
    model.custom("SignalEnergy", [t["transform"]], [energy],
                 {"start_index": 0, "end_index": bins})
    return scale, t["transform"], energy


def channels(model, rng, scale, energy, count):
    """Filter bank, root, noise reduction, gain and logarithm: the features."""
    lists = [rng.integers(0, 4097, 8 * (count + 1)), rng.integers(0, 4097, 8 * (count + 1)),
             3 * np.arange(count + 1), 8 * np.arange(count + 1), np.arange(count + 1) % 4 + 3]
    lists = [model.constant(f"list{i}", v.astype(np.int16)) for i, v in enumerate(lists)]
    sums, features = model.tensor("sums", "uint64", (count,)), model.tensor(
        "features", "int16", (count,))
    roots, cleared, noise, gained = (model.tensor(n, "uint32", (count,))
                                     for n in ("roots", "cleared", "noise", "gained"))
    gains = model.constant("gains", rng.integers(0, 30000, 125).astype(np.int16))
    model.custom("SignalFilterBank", [energy, *lists], [sums], {"num_channels": count})
    model.custom("SignalFilterBankSquareRoot", [sums, scale], [roots], {})
    model.custom("SignalFilterBankSpectralSubtraction", [roots], [cleared, noise],
                 {"num_channels": count, **SMOOTHING})
    model.custom("SignalPCAN", [cleared, noise, gains], [gained], {"snr_shift": 6})
    model.custom("SignalFilterBankLog", [gained], [features],
                 {"input_correction_bits": 3, "output_scale": 64})
    return features


def features(path, rng):
    n, bins, count = 100, 65, 6
    model = Model()
    x = model.tensor("in0", "int16", (n,))
    scale, _, energy = spectrum(model, x, n, bins)
    out = channels(model, rng, scale, energy, count)
    write_micro_case(path, model, [x], [out, scale], sounds(rng, n))


def there_and_back(path, rng):
    """Transform and its inverse, delayed, cut into frames and put together again."""
    n = 64
    model = Model()
    x = model.tensor("in0", "int16", (n,))
    _, transform, _ = spectrum(model, x, n, n // 2 + 1)
    back, late, whole = (model.tensor(name, "int16", (n,)) for name in ("back", "late", "whole"))
    frames, valid = model.tensor("frames", "int16", (4, 24)), model.tensor("valid", "bool", ())
    model.custom("SignalIrfft", [transform], [back], {"T": 7, "fft_length": n})
    model.custom("SignalDelay", [back], [late], {"delay_length": 10})
    model.custom("SignalFramer", [late], [frames, valid],
                 {"frame_size": 24, "frame_step": 16, "prefill": True})
    model.custom("SignalOverlapAdd", [frames], [whole], {"T": 7, "frame_step": 16})
    write_micro_case(path, model, [x], [whole, valid], sounds(rng, n))


def rfft_s32(path, rng):
    n = 32
    model = Model()
    x, y = model.tensor("in0", "int32", (2, n - 5)), model.tensor("out", "int32", (2, n + 2))
    model.custom("SignalRfft", [x], [y], {"T": 2, "fft_length": n})
    data = rng.integers(-2 ** 31, 2 ** 31, (2, n - 5)).astype(np.int32)
    write_micro_case(path, model, [x], [y], [[data]])


def filter_bank(path, rng):
    """Bins, weights and all lists are inputs: only a run knows them."""
    count, bins = 4, 20
    starts, widths = 3 * np.arange(count + 1), np.arange(count + 1) % 4 + 3
    weights, unweights = rng.integers(0, 4097, (2, 8 * (count + 1))).astype(np.int16)
    energy = rng.integers(0, 2 ** 32, bins).astype(np.uint32)
    sums, carried = [], 0
    for i, (start, width) in enumerate(zip(starts, widths)):
        taken = [int(v) for v in energy[start:start + width]]
        pairs = [[(v, int(w)) for v, w in zip(taken, list_[8 * i:])] for list_ in (weights, unweights)]
        sums.append(carried + sum(v * w for v, w in pairs[0]))
        carried = sum(v * w for v, w in pairs[1])
    lists = [weights, unweights, *(v.astype(np.int16) for v in (
        starts, 8 * np.arange(count + 1), widths))]
    model = Model()
    inputs = [model.tensor("energy", "uint32", (bins,))]
    inputs += [model.tensor(f"list{i}", "int16", v.shape) for i, v in enumerate(lists)]
    out = model.tensor("sums", "uint64", (count,))
    model.custom("SignalFilterBank", inputs, [out], {"num_channels": count})
    write_own_case(path, model, inputs, [out],
                   [([energy, *lists], [np.array(sums[1:], np.uint64)])], "exact",
                   "outputs by the operator's formula")


CASES = {
    "SignalFilterBank_run_time": filter_bank,
    "SignalFeatures_s16": features,
    "SignalIrfft_s16_frames": there_and_back,
    "SignalRfft_s32": rfft_s32,
}
