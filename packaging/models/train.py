#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the three models that edged ships, from data that it makes itself.

    apt-get install espeak-ng python3-venv fonts-cantarell fonts-crosextra-caladea \\
        fonts-crosextra-carlito fonts-comfortaa fonts-dejavu fonts-firacode fonts-freefont-ttf \\
        fonts-hack fonts-inconsolata fonts-lato fonts-liberation fonts-linuxlibertine \\
        fonts-noto-core fonts-open-sans fonts-quicksand fonts-roboto-unhinted fonts-urw-base35
    python3 -m venv /tmp/train && /tmp/train/bin/pip install -r packaging/models/requirements.txt
    /tmp/train/bin/python packaging/models/train.py             trains, writes *.tflite, samples/
    /tmp/train/bin/python packaging/models/train.py --evaluate  measures them, writes README.md

Seeds are fixed: another run reaches the same accuracy, though not the same bytes on another CPU.
The float weights stay in --work for --evaluate; nothing else is kept.
"""
import argparse
import os
import time
import wave

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import convert
import data_digits
import data_keyword
import data_vibration
import evaluate
import metadata
import nets

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 64


def compile_net(net, loss, steps):
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    net.compile(keras.optimizers.Adam(rate), loss)


def fit_epochs(net, epochs, make):
    """Trains on data that @make() gives anew for each epoch: samples for the net, and classes."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = make()
    compile_net(net, loss, epochs * -(-len(x) // BATCH))
    for epoch in range(epochs):
        done = net.fit(x, y, batch_size=BATCH, verbose=0)
        print(f"  epoch {epoch + 1}/{epochs}: loss {done.history['loss'][0]:.3f}", flush=True)
        x, y = make()
    return x


def train_digits():
    rng = np.random.default_rng(11)
    drawn, digits = data_digits.glyphs(data_digits.TRAIN_FONTS)

    def make():
        pictures, classes = data_digits.make_pictures(rng, drawn, digits, 8)
        return pictures.astype(np.float32) / 255, classes

    net = nets.digits()
    samples = fit_epochs(net, 6, make)
    return net, convert.to_int8(convert.with_softmax(net), samples[:300])


def train_keyword():
    rng = np.random.default_rng(21)
    labels, sounds = data_keyword.train_words(22)
    noises = data_keyword.make_noises(rng, sounds)

    def make():
        clips, classes = data_keyword.make_clips(rng, labels, sounds, noises)
        return clips.astype(np.float32) / 128, classes

    net = nets.keyword()
    samples = fit_epochs(net, 50, make)
    samples = np.concatenate([samples[::20], [np.linspace(-1, 1, data_keyword.RATE)]])
    return net, convert.to_int8(convert.with_softmax(net), samples.astype(np.float32))


def train_vibration():
    rng = np.random.default_rng(31)
    windows = data_vibration.make_normal(rng, 20000) - data_vibration.GRAVITY
    net = nets.vibration()
    compile_net(net, "mse", 30 * -(-len(windows) // BATCH))
    net.fit(windows, windows, batch_size=BATCH, epochs=30, verbose=0)
    # Faults too, so that what they add isn't cut off before it is seen.
    faulty = [data_vibration.make_faulty(rng, 50, f) - data_vibration.GRAVITY
              for f in data_vibration.FAULTS]
    return net, convert.to_int8(net, np.concatenate([windows[:300], *faulty]))


def scores(labels):
    return {"name": "scores", "description": "how likely each class is, 0 to 1", "labels": labels}


def describe(name, flatbuffer):
    """What the metadata of a model says."""
    if name == "digits":
        source = {"name": "picture", "description": "a printed digit, dark on light or the reverse",
                  "image": True, "mean": [0], "std": [255]}
        result, what = scores(data_digits.LABELS), "which digit a small grey picture shows"
    elif name == "keyword":
        source = {"name": "sound", "description": "one second at 16 kHz, samples in -1..1",
                  "rate": data_keyword.RATE, "mean": [0], "std": [1]}
        result, what = scores(data_keyword.LABELS), "which of eight words is spoken in a second"
    else:
        source = {"name": "window", "description": "128 samples at 1 kHz of x, y, z in g",
                  "mean": [float(g) for g in data_vibration.GRAVITY], "std": [1, 1, 1]}
        result = {"name": "reconstruction", "threshold": evaluate.find_threshold(flatbuffer),
                  "labels": data_vibration.AXES,
                  "description": "the window as a healthy machine would show it; the mean square "
                                 "of the difference is the anomaly score"}
        what = "how unlike a healthy machine a window of vibration is"
    return {"name": name, "description": what, "version": "1", "input": source, "output": result}


def write_samples(folder):
    os.makedirs(folder, exist_ok=True)
    data_digits.sample_seven().save(os.path.join(folder, "digit-7.png"))
    with wave.open(os.path.join(folder, "yes.wav"), "wb") as file:
        file.setparams((1, 2, data_keyword.RATE, 0, "NONE", None))
        file.writeframes(data_keyword.sample_yes().tobytes())
    rng = np.random.default_rng(88)
    data_vibration.write_csv(os.path.join(folder, "vibration-normal.csv"),
                             data_vibration.make_normal(rng, 1)[0])
    data_vibration.write_csv(os.path.join(folder, "vibration-fault.csv"),
                             data_vibration.make_faulty(rng, 1, "bearing")[0])


TRAINERS = {"digits": train_digits, "keyword": train_keyword, "vibration": train_vibration}


def train(name, work):
    start = time.monotonic()
    keras.utils.set_random_seed(1)
    net, flatbuffer = TRAINERS[name]()
    flatbuffer = metadata.attach(flatbuffer, describe(name, flatbuffer))
    convert.check(flatbuffer)
    net.save_weights(os.path.join(work, name + ".weights.h5"))
    with open(os.path.join(HERE, name + ".tflite"), "wb") as file:
        file.write(flatbuffer)
    print(f"{name}: {len(flatbuffer)} bytes, {time.monotonic() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description="trains or measures the models that edged ships")
    parser.add_argument("--evaluate", action="store_true", help="measure, and write README.md")
    parser.add_argument("--only", choices=TRAINERS, action="append", help="train this one")
    parser.add_argument("--work", default="/tmp/edged-models", help="where float weights stay")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    if args.evaluate:
        evaluate.write_readme(HERE, args.work)
        return
    for name in args.only or TRAINERS:
        train(name, args.work)
    write_samples(os.path.join(HERE, "samples"))


if __name__ == "__main__":
    main()
