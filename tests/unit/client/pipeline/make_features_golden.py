#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes features_golden.h: what librosa, tf.signal, numpy and scipy make of a signal that test_features.c builds too.

make_features_golden.py librosa > part   with librosa, numpy and scipy installed
make_features_golden.py tensorflow > part   with tensorflow installed
The two parts together, after the first three lines of the header, are the header.
"""
import sys

import numpy as np

N, RATE = 1600, 16000


def signal():
    i = np.arange(N, dtype=np.float64)
    chirp = np.sin(2 * np.pi * (300 * i / RATE + 0.0004 * i * i))
    return (0.4 * chirp + 0.2 * np.sin(2 * np.pi * 3100 * i / RATE)).astype(np.float32).astype(np.float64)


def show(name, values):
    values = np.asarray(values, dtype=np.float64)
    print(f"static const double golden_{name}[{values.size}] = {{")
    flat = values.reshape(-1)
    for at in range(0, flat.size, 6):
        print("\t" + ", ".join(f"{v:.10g}" for v in flat[at:at + 6]) + ",")
    print("};")


def by_librosa():
    import librosa
    import scipy.stats
    y = signal()
    mel = librosa.feature.melspectrogram(y=y, sr=RATE, n_fft=512, hop_length=160, win_length=400, n_mels=40, fmin=20, fmax=7600, center=False)
    show("librosa_mel", librosa.power_to_db(mel, ref=1.0, top_db=None).T)
    mel = librosa.feature.melspectrogram(y=y, sr=RATE, n_fft=512, hop_length=320, n_mels=24, fmin=0, htk=True, norm=None, power=1.0, window="hamming")
    show("librosa_htk", np.log(mel + 1e-6).T)
    show("librosa_mfcc", librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=13, n_fft=512, hop_length=160, n_mels=40, center=False).T)
    rows = np.stack([y[:128], np.abs(y[200:328])], axis=1)
    out = []
    for column in rows.T:
        x = column - column.mean()
        rms = np.sqrt(np.mean(x * x))
        out += [rms, scipy.stats.skew(x), scipy.stats.kurtosis(x), np.abs(x).max() / rms]
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
        frames = [np.abs(np.fft.rfft(x[at:at + 64] * window)) for at in range(0, 128 - 64 + 1, 32)]
        out += list(np.mean(frames, axis=0))
    show("spectral", out)


def by_tensorflow():
    import tensorflow as tf
    y = tf.constant(signal())
    magnitudes = tf.abs(tf.signal.stft(y, 480, 320, 512, window_fn=lambda n, dtype: tf.signal.hann_window(n, dtype=dtype)))
    weights = tf.signal.linear_to_mel_weight_matrix(40, 257, RATE, 20.0, 4000.0, dtype=tf.float64)
    log_mel = tf.math.log(tf.tensordot(magnitudes, weights, 1) + 1e-6)
    show("tensorflow_mel", log_mel.numpy())
    show("tensorflow_mfcc", tf.signal.mfccs_from_log_mel_spectrograms(log_mel)[..., :10].numpy())


if __name__ == "__main__":
    {"librosa": by_librosa, "tensorflow": by_tensorflow}[sys.argv[1]]()
