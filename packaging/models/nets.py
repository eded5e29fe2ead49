# SPDX-License-Identifier: Apache-2.0
"""The three networks. Small, and of operators that every int8 runtime has."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

import data_keyword


class Rounded(layers.Layer):
    """In training, rounds 0..6 to the 256 steps that int8 will have; nothing otherwise."""

    def call(self, x, training=False):
        return tf.quantization.fake_quant_with_min_max_args(x, 0, 6) if training else x


def bounded(x):
    """Normalisation and ReLU6; the converter folds both into the operator before them."""
    return Rounded()(layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x)))


def conv(x, filters, size):
    return bounded(layers.Conv2D(filters, size, padding="same", use_bias=False)(x))


def separable(x, filters, size):
    x = layers.DepthwiseConv2D(size, padding="same", use_bias=False)(x)
    return conv(bounded(x), filters, 1)


def digits():
    """[28, 28, 1] in 0..1 to ten logits."""
    picture = layers.Input((28, 28, 1))
    x = conv(picture, 16, 3)
    x = layers.MaxPooling2D(2)(conv(x, 24, 3))
    x = layers.MaxPooling2D(2)(conv(x, 32, 3))
    x = layers.AveragePooling2D(7)(conv(x, 64, 3))
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    return keras.Model(picture, layers.Dense(10)(x))


BANDS, PHASES, FRAME, TAPS = 24, 4, 80, 320  # of keyword's front end; the last two in samples


def band_pass():
    """Filters to start from: per band of the mel scale one Gabor wavelet in each of four phases.

    A band's four outputs behind a ReLU are a smooth measure of its loudness whatever the phase.
    Shape [TAPS / FRAME, 1, FRAME, BANDS * PHASES].
    """
    mel = np.linspace(*(2595 * np.log10(1 + np.array([100, 7000]) / 700)), BANDS)
    centre = np.tile(700 * (10 ** (mel / 2595) - 1), PHASES)
    phase = np.repeat(np.arange(PHASES) * 2 * np.pi / PHASES, BANDS)
    t = (np.arange(TAPS)[:, None] - (TAPS - 1) / 2) / data_keyword.RATE
    width = np.maximum(60, 0.12 * centre)
    wave = np.exp(-2 * (t * width) ** 2) * np.cos(2 * np.pi * centre * t + phase)
    wave /= np.sqrt(np.sum(wave ** 2, axis=0))
    return wave.reshape(TAPS // FRAME, 1, FRAME, BANDS * PHASES).astype(np.float32)


def keyword():
    """[16000] in -1..1 to ten logits.

    A strided convolution over the waveform: the samples are folded into frames of 5 ms, which turns
    the stride into channels (the same sums, in a form that runs fast everywhere).
    """
    sound = layers.Input((data_keyword.RATE,))
    x = layers.Reshape((data_keyword.RATE // FRAME, 1, FRAME))(sound)
    front = layers.Conv2D(BANDS * PHASES, (TAPS // FRAME, 1), padding="same", use_bias=False)
    x = bounded(front(x))
    front.set_weights([band_pass()])
    x = conv(layers.AveragePooling2D((2, 1))(x), 64, 1)
    x = layers.MaxPooling2D((2, 1))(separable(x, 64, (9, 1)))
    x = layers.MaxPooling2D((2, 1))(separable(x, 64, (9, 1)))
    x = separable(separable(x, 64, (9, 1)), 64, (9, 1))
    x = layers.Flatten()(layers.AveragePooling2D((25, 1))(x))
    return keras.Model(sound, layers.Dense(10)(layers.Dropout(0.1)(x)))


def vibration():
    """[128, 3] to itself, through sixteen numbers of 0..1: too few for what it never saw."""
    window = layers.Input((128, 3))
    x = layers.Dense(64, "relu")(layers.Flatten()(window))
    x = layers.Dense(64, "relu")(layers.Dense(16, "sigmoid")(x))
    return keras.Model(window, layers.Reshape((128, 3))(layers.Dense(128 * 3)(x)))
