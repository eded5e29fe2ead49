# SPDX-License-Identifier: Apache-2.0
"""Measures the models on test data of fixed seeds and writes README.md about them."""
import os
import platform
import time

import numpy as np

import convert
import data_digits
import data_keyword
import data_vibration
import nets


def digits_test():
    drawn, digits = data_digits.glyphs(data_digits.TEST_FONTS)
    pictures, classes = data_digits.make_pictures(np.random.default_rng(101), drawn, digits, 7)
    return pictures.astype(np.float32) / 255, classes


def keyword_test():
    rng = np.random.default_rng(102)
    labels, sounds = data_keyword.test_words(103)
    noises = data_keyword.make_noises(rng, sounds)
    clips, classes = data_keyword.make_clips(rng, labels, sounds, noises)
    return clips.astype(np.float32) / 128, classes


def vibration_test():
    """Windows without gravity, and for each whether it is one of a fault (its number + 1)."""
    rng = np.random.default_rng(104)
    parts = [data_vibration.make_normal(rng, 2000)]
    parts += [data_vibration.make_faulty(rng, 500, fault) for fault in data_vibration.FAULTS]
    kinds = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.concatenate(parts) - data_vibration.GRAVITY, kinds


def roc_auc(normal, faulty):
    """How often a faulty window's score is above a normal one's; ties count half."""
    both = np.sort(normal)
    below = np.searchsorted(both, faulty, "left") + np.searchsorted(both, faulty, "right")
    return below.mean() / 2 / len(normal)


def anomaly(net_input, reconstruction):
    return np.mean((net_input - reconstruction) ** 2, axis=(1, 2))


def int8_anomaly(flatbuffer, windows):
    """As the client computes it: the input as the model saw it, quantised, against the output."""
    runner = convert.Runner(flatbuffer)
    return anomaly(runner.real_input(runner.quantise(windows)), runner.run(windows))


def find_threshold(flatbuffer):
    """The score that one healthy window in a thousand exceeds (windows of their own seed)."""
    windows = data_vibration.make_normal(np.random.default_rng(32), 4000) - data_vibration.GRAVITY
    return round(float(np.quantile(int8_anomaly(flatbuffer, windows), 0.999)), 4)


def milliseconds(flatbuffer, sample):
    """Median time of one answer under TF Lite's reference kernels, one thread."""
    runner = convert.Runner(flatbuffer)
    codes = runner.quantise(sample)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        runner.run_raw(codes)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def load(here, work, name):
    """The float network and the file of a model."""
    path = os.path.join(work, name + ".weights.h5")
    if not os.path.exists(path):
        raise SystemExit(f"{path} is missing: run train.py first")
    net = getattr(nets, name)()
    net.load_weights(path)
    with open(os.path.join(here, name + ".tflite"), "rb") as file:
        return net, file.read()


def classify(here, work, name, test):
    """A row of the table, and how many percent of each class the int8 model gets right."""
    net, flatbuffer = load(here, work, name)
    samples, classes = test
    floats = np.argmax(net.predict(samples, verbose=0), 1) == classes
    ints = np.argmax(convert.Runner(flatbuffer).run(samples), 1) == classes
    row = (name, f"{100 * floats.mean():.1f} %", f"{100 * ints.mean():.1f} %", len(flatbuffer),
           milliseconds(flatbuffer, samples[0]))
    return row, [100 * ints[classes == c].mean() for c in range(10)], len(samples)


def detect(here, work, test):
    net, flatbuffer = load(here, work, "vibration")
    windows, kinds = test
    floats = anomaly(windows, net.predict(windows, verbose=0))
    ints = int8_anomaly(flatbuffer, windows)
    row = ("vibration", *(f"{roc_auc(s[kinds == 0], s[kinds > 0]):.4f}" for s in (floats, ints)),
           len(flatbuffer), milliseconds(flatbuffer, windows[0]))
    threshold = find_threshold(flatbuffer)
    found = [100 * np.mean(ints[kinds == k] > threshold) for k in range(kinds.max() + 1)]
    aucs = [roc_auc(ints[kinds == 0], ints[kinds == k + 1]) for k in range(kinds.max())]
    return row, threshold, found, aucs


def table(rows):
    lines = ["| model | float | int8 | bytes | TF Lite, reference kernels |",
             "| --- | ---: | ---: | ---: | ---: |"]
    lines += [f"| {n} | {f} | {i} | {size} | {ms:.2f} ms |" for n, f, i, size, ms in rows]
    return "\n".join(lines)


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write_readme(here, work):
    digits, digit_hits, n_digits = classify(here, work, "digits", digits_test())
    words, word_hits, n_words = classify(here, work, "keyword", keyword_test())
    machine, threshold, found, aucs = detect(here, work, vibration_test())
    per_word = "\n".join(f"| {w} | {h:.0f} % |" for w, h in zip(data_keyword.LABELS, word_hits))
    per_fault = "\n".join(f"| {f} | {a:.4f} | {d:.1f} % |"
                          for f, a, d in zip(data_vibration.FAULTS, aucs, found[1:]))
    with open(os.path.join(here, "README.in.md"), encoding="utf-8") as file:
        text = file.read()
    text = text.format(
        table=table([digits, words, machine]), cpu=cpu_name(), threshold=threshold,
        n_digits=n_digits, worst_digit=f"{min(digit_hits):.1f}", n_words=n_words,
        per_word=per_word, per_fault=per_fault, false_alarms=f"{found[0]:.1f}")
    with open(os.path.join(here, "README.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
