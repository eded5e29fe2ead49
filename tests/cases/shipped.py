# SPDX-License-Identifier: Apache-2.0
"""Cases of the three models that edged ships, with the samples that it ships."""
import os
import wave

import numpy as np
from PIL import Image

from cases.write import open_model, read_model, write_file_case

MODELS = os.path.join("..", "..", "..", "packaging", "models")


def picture(path):
    """112x112 grey to 28x28 by averaging; 0..1."""
    pixels = np.asarray(Image.open(path).convert("L"), np.float64)
    return pixels.reshape(28, 4, 28, 4).mean((1, 3))[..., None] / 255


def sound(path):
    with wave.open(path) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def window(path):
    return np.loadtxt(path, delimiter=",", skiprows=1) - [0, 0, 1]


def case(name, read, *samples):
    """A run for each sample, then one of random codes."""
    def make(path, rng):
        model = os.path.join(MODELS, name + ".tflite")
        os.makedirs(path)
        detail, = open_model(read_model(path, model)).get_input_details()
        scale, zero = detail["quantization"]
        reals = [read(os.path.join(path, MODELS, "samples", s))[None] for s in samples]
        codes = [np.clip(np.round(real / scale) + zero, -128, 127) for real in reals]
        codes.append(rng.integers(-128, 128, codes[0].shape))
        steps = [[code.astype(np.int8)] for code in codes]
        write_file_case(path, model, steps, note=" ".join(samples) + ", random")
    return make


CASES = {
    "SHIPPED_digits": case("digits", picture, "digit-7.png"),
    "SHIPPED_keyword": case("keyword", sound, "yes.wav"),
    "SHIPPED_vibration": case("vibration", window, "vibration-normal.csv", "vibration-fault.csv"),
}
