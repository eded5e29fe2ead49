# SPDX-License-Identifier: Apache-2.0
"""Cases of the custom operators that LiteRT has, of random numbers and of hashes."""
import numpy as np

from cases.model import Model
from cases.write import write_case, write_own_case

GOES_ON = "two runs: the generator goes on"


def detection_data(rng, boxes, classes):
    """Codes, scores, and anchors of a grid: the boxes of neighbours overlap."""
    codes = rng.normal(0, 0.5, (1, boxes, 4)).astype(np.float32)
    scores = rng.uniform(0, 1, (1, boxes, classes)).astype(np.float32)
    centres = np.stack([np.arange(boxes) % 3, np.arange(boxes) // 3], 1) / 4
    anchors = np.concatenate([centres, np.full((boxes, 2), 0.4)], 1).astype(np.float32)
    return codes, scores, anchors


def detection(quantised, regular):
    """All outputs are filled, for the reference writes no others."""
    def make(path, rng):
        boxes, classes, found = 12, 3, 4
        data = detection_data(rng, boxes, classes + 1)
        model = Model()
        if quantised:
            scales = ((0.03, 128), (1 / 256, 0), (0.01, 0))
            data = [np.clip(np.round(d / s) + z, 0, 255).astype(np.uint8)
                    for d, (s, z) in zip(data, scales)]
        else:
            scales = ((None, 0),) * 3
        dtype = str(data[0].dtype)
        inputs = [model.tensor(n, dtype, d.shape, scale=s, zero=z)
                  for n, d, (s, z) in zip(("boxes", "scores"), data, scales)]
        anchors = model.constant("anchors", data[2], scale=scales[2][0], zero=scales[2][1])
        rows = found * (1 if regular else 2)
        outs = [model.tensor(n, "float32", shape) for n, shape in (
            ("found_boxes", (1, rows, 4)), ("found_classes", (1, rows)),
            ("found_scores", (1, rows)), ("count", (1,)))]
        model.custom("TFLite_Detection_PostProcess", [*inputs, anchors], outs, {
            "max_detections": found, "max_classes_per_detection": 1 if regular else 2,
            "detections_per_class": 3, "use_regular_nms": regular, "num_classes": classes,
            "nms_score_threshold": 0.1, "nms_iou_threshold": 0.6,
            "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0})
        write_case(path, model, inputs, outs, [list(data[:2])], "close")
    return make


def spectrogram(squared):
    def make(path, rng):
        model = Model()
        sound = rng.uniform(-1, 1, (90, 2)).astype(np.float32)
        x = model.tensor("sound", "float32", sound.shape)
        y = model.tensor("spectrogram", "float32", (2, 4, 17))
        model.custom("AudioSpectrogram", [x], [y],
                     {"window_size": 30, "stride": 20, "magnitude_squared": squared})
        write_case(path, model, [x], [y], [[sound]], "close")
    return make


def mfcc(path, rng):
    model = Model()
    spectra = rng.uniform(0, 2, (1, 2, 65)).astype(np.float32) ** 2
    x = model.tensor("spectra", "float32", spectra.shape)
    rate = model.constant("rate", np.array([8000], np.int32))
    y = model.tensor("coefficients", "float32", (1, 2, 7))
    model.custom("Mfcc", [x, rate], [y], {
        "upper_frequency_limit": 3500, "lower_frequency_limit": 50,
        "filterbank_channel_count": 12, "dct_coefficient_count": 7})
    write_case(path, model, [x], [y], [[spectra]], "close")


def random_numbers(name, compare):
    def make(path, _rng):
        model = Model()
        shape = model.constant("shape", np.array([3, 7], np.int32))
        y = model.tensor("out", "float32", (3, 7))
        model.op(name, [shape], [y], 1, options="RandomOptions", seed=1234567890123, seed2=-5)
        write_case(path, model, [], [y], [[], []], compare, GOES_ON)
    return make


def multinomial(path, rng):
    model = Model()
    logits = rng.normal(0, 1, (2, 6)).astype(np.float32)
    x = model.tensor("logits", "float32", logits.shape)
    samples = model.constant("samples", np.array(9, np.int32))
    y = model.tensor("out", "int64", (2, 9))
    model.op("MULTINOMIAL", [x, samples], [y], 1, options="RandomOptions", seed=4, seed2=5)
    write_case(path, model, [x], [y], [[logits], [logits[::-1]]], note=GOES_ON)


def lsh(dense, dtype, item):
    def make(path, rng):
        model = Model()
        items = rng.integers(-100, 100, (4, item)).astype(dtype)
        weights = rng.uniform(0, 1, 4).astype(np.float32)
        seeds = model.constant("seeds", rng.normal(0, 1, (3, 5)).astype(np.float32))
        x = model.tensor("items", dtype, items.shape)
        w = model.tensor("weights", "float32", weights.shape)
        y = model.tensor("out", "int32", (15 if dense else 3,))
        model.op("LSH_PROJECTION", [seeds, x, w], [y], 1, options="LSHProjectionOptions",
                 type=2 if dense else 1)
        write_case(path, model, [x, w], [y], [[items, weights]])
    return make


def unpooling(path, rng):
    """Places in the picture, as LiteRT's pooling gives them; windows of 2 x 2 beside each other."""
    places = rng.permutation(4 * 6 * 3)[:2 * 3 * 3].reshape(1, 2, 3, 3).astype(np.int32)
    values = rng.normal(0, 1, places.shape).astype(np.float32)
    whole = np.zeros((1, 4, 6, 3), np.float32)
    whole.reshape(-1)[places.reshape(-1)] = values.reshape(-1)
    model = Model()
    inputs = [model.tensor("values", "float32", values.shape),
              model.tensor("places", "int32", places.shape)]
    out = model.tensor("whole", "float32", whole.shape)
    words = np.array([1, 2, 2, 2, 2, 0, 0, 0, 0, 0], np.int32)  # TfLitePoolParams: SAME, strides, filter
    model.custom("MaxUnpooling2D", inputs, [out], words.tobytes())
    write_own_case(path, model, inputs, [out], [([values, places], [whole])], "exact",
                   "outputs by the operator's formula")


CASES = {
    "MaxUnpooling2D_s32": unpooling,
    "AudioSpectrogram_f32": spectrogram(False),
    "AudioSpectrogram_f32_squared": spectrogram(True),
    "LSH_PROJECTION_f32_dense": lsh(True, "float32", 30),
    "LSH_PROJECTION_s64_sparse": lsh(False, "int64", 2),
    "LSH_PROJECTION_u8_sparse": lsh(False, "uint8", 3),
    "MULTINOMIAL_s64": multinomial,
    "Mfcc_f32": mfcc,
    "RANDOM_STANDARD_NORMAL_f32": random_numbers("RANDOM_STANDARD_NORMAL", "close:2e-07:2e-06"),
    "RANDOM_UNIFORM_f32": random_numbers("RANDOM_UNIFORM", "exact"),
    "TFLite_Detection_PostProcess_f32_fast": detection(False, False),
    "TFLite_Detection_PostProcess_f32_regular": detection(False, True),
    "TFLite_Detection_PostProcess_u8_fast": detection(True, False),
    "TFLite_Detection_PostProcess_u8_regular": detection(True, True),
}
