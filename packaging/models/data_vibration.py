# SPDX-License-Identifier: Apache-2.0
"""Windows for the model `vibration`: a made-up rotating machine, healthy and with four faults.

A window is 128 samples at 1 kHz of a 3-axis accelerometer in g, float32 [128, 3]; the z axis shows
gravity. The machine turns with 25 to 50 Hz. A healthy one shows harmonics of its speed, with the
fixed amplitudes and phases that bearings and frame give them, a load that changes all of them by
some percent, and noise.
"""
import numpy as np

RATE = 1000
SAMPLES = 128
AXES = ["x", "y", "z"]
GRAVITY = np.array([0, 0, 1], np.float32)

# Of the first three harmonics, per axis: amplitude in g and phase in radians.
AMPLITUDE = np.array([[0.40, 0.35, 0.12], [0.12, 0.10, 0.08], [0.05, 0.06, 0.03]])
PHASE = np.array([[0.0, 1.6, 0.7], [0.4, 2.0, 2.9], [1.1, 0.2, 0.5]])
NOISE = 0.03


def turns(rng, n):
    """How many turns the shaft has made at each sample of n windows: [n, SAMPLES, 1]."""
    speed = rng.uniform(25, 50, (n, 1, 1))
    return rng.uniform(0, 1, (n, 1, 1)) + speed * np.arange(SAMPLES)[None, :, None] / RATE


def harmonic(turn, order, amplitude, phase):
    """One multiple of the speed on three axes; amplitude and phase are [3] or [n, 1, 3]."""
    return amplitude * np.sin(2 * np.pi * order * turn + phase)


def healthy(rng, turn):
    """Windows without gravity: [n, SAMPLES, 3]."""
    load = rng.uniform(0.85, 1.15, (len(turn), 1, 1))
    own = rng.uniform(0.9, 1.1, (len(turn), 1, 9))  # each harmonic a little for itself
    window = rng.normal(0, NOISE, (len(turn), SAMPLES, 3))
    for k in range(3):
        window += load * harmonic(turn, k + 1, own[..., 3 * k:3 * k + 3] * AMPLITUDE[k], PHASE[k])
    return window


def imbalance(rng, turn):
    """A mass off the axis: the first harmonic grows, across the shaft."""
    amplitude = rng.uniform(0.15, 0.8, (len(turn), 1, 1)) * np.array([1, 0.9, 0.1])
    return harmonic(turn, 1, amplitude, PHASE[0])


def misalignment(rng, turn):
    """Shafts that do not meet in line: twice the speed, along the shaft."""
    amplitude = rng.uniform(0.1, 0.6, (len(turn), 1, 1)) * np.array([0.4, 0.3, 1])
    return harmonic(turn, 2, amplitude, rng.uniform(0, 6.3, (len(turn), 1, 1)))


def looseness(rng, turn):
    """A loose foot: half the speed and its multiples."""
    window = np.zeros((len(turn), SAMPLES, 3))
    for order in (0.5, 1.5, 2.5, 3.5):
        amplitude = rng.uniform(0.04, 0.25, (len(turn), 1, 3))
        window += harmonic(turn, order, amplitude, rng.uniform(0, 6.3, (len(turn), 1, 1)))
    return window


def bearing(rng, turn):
    """A pitted outer race: 3.6 blows a turn, each of which rings at some hundred hertz."""
    since = (3.6 * turn + rng.uniform(0, 1, (len(turn), 1, 1))) % 1  # 0..1 between blows
    seconds = since / (3.6 * (turn[:, 1:2] - turn[:, 0:1]) * RATE)
    ring = np.exp(-seconds / 0.004) * np.sin(2 * np.pi * rng.uniform(280, 420) * seconds)
    return ring * rng.uniform(0.25, 1.2, (len(turn), 1, 1)) * np.array([0.8, 1, 0.5])


FAULTS = {"imbalance": imbalance, "bearing": bearing, "looseness": looseness,
          "misalignment": misalignment}


def make_normal(rng, n):
    return (healthy(rng, turns(rng, n)) + GRAVITY).astype(np.float32)


def make_faulty(rng, n, fault):
    turn = turns(rng, n)
    window = healthy(rng, turn) + FAULTS[fault](rng, turn)
    return (window + GRAVITY).astype(np.float32)


def write_csv(path, window):
    with open(path, "w", encoding="ascii") as file:
        file.write("x,y,z\n")
        file.writelines(",".join(f"{v:.4f}" for v in row) + "\n" for row in window)
