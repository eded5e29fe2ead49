# SPDX-License-Identifier: Apache-2.0
"""Spoken words for the model `keyword`: espeak-ng in many voices, with noise, rooms and shifts.

A clip is one second of sound at 16 kHz, float32 in -1..1. Loudness is left as it falls (peaks from
0.1 to 1): a client hands over the samples as they are in the WAV file.
"""
import concurrent.futures
import io
import subprocess
import wave

import numpy as np
import scipy.signal

RATE = 16000
WORDS = ["yes", "no", "up", "down", "on", "off", "stop", "go"]
LABELS = WORDS + ["unknown", "silence"]
UNKNOWN, SILENCE = len(WORDS), len(WORDS) + 1

ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
           "en-029", "en-us-nyc"]
# Variants of espeak-ng that pass for people: no whispers, robots or demons. Those that differ only
# by a number are mostly one speaker and stand on one side of the split.
TRAIN_VOICES = """Alex Andrea Andy AnxiousAndy Denis Diogo Henrique Hugo Jacky Lee Marco Mike Nguyen
    RicishayMax RicishayMax2 RicishayMax3 Storm Tweaky anika antonio aunty belinda benjamin boris
    caleb ed edward edward2 f1 f2 f4 f5 grandma grandpa gustave iven iven2 iven3 iven4 john klatt
    klatt2 klatt3 klatt4 klatt5 klatt6 m1 m2 m3 m5 m6 m8 marcelo max michel miguel norbert pablo
    quincy rob robert sandro shelby travis zac""".split()
TEST_VOICES = """Alicia Annie Gene Gene2 Mario Michael adam david f3 linda m4 m7 paul pedro steph
    steph2 steph3 victor""".split()

# Other words, some of them near the keywords. The last third is only in the test set.
OTHER_WORDS = """left right cat dog bird house tree happy learn visual backward forward follow one
    two three four five six seven eight nine zero marvin sheila wow bed know so low show yet guess
    less chess top step shop cup us app under gone done town now brown often office cough awful
    odd honest all also water window light music kitchen table hello thanks please
    open close start red green blue door lamp heat cold morning evening yesterday nobody upper
    online goat stone""".split()
TRAIN_OTHERS = OTHER_WORDS[:2 * len(OTHER_WORDS) // 3]
TEST_OTHERS = OTHER_WORDS[len(TRAIN_OTHERS):]


def say(word, voice, speed, pitch):
    """One word by espeak-ng, without the silence around it; 16 kHz, peak 1."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word]
    spoken = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    with wave.open(io.BytesIO(spoken)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    sound = scipy.signal.resample_poly(sound, RATE, rate).astype(np.float32)
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    sound = sound[loud[0]:loud[-1] + 1][:RATE]
    return sound / np.abs(sound).max()


def plan_words(rng, voices, others, per_word, per_other):
    """Who says what and how: a list of (class, word, voice, speed, pitch)."""
    wanted = [(i, word) for i, word in enumerate(WORDS) for _ in range(per_word)]
    wanted += [(UNKNOWN, word) for word in others for _ in range(per_other)]
    return [(label, word, f"{rng.choice(ACCENTS)}+{rng.choice(voices)}",
             int(rng.integers(120, 221)), int(rng.integers(20, 81))) for label, word in wanted]


def say_all(plan):
    """Speaks a plan; returns the classes and the sounds (of different lengths)."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        sounds = list(pool.map(lambda row: say(*row[1:]), plan))
    return np.array([row[0] for row in plan]), sounds


def train_words(seed):
    rng = np.random.default_rng(seed)
    return say_all(plan_words(rng, TRAIN_VOICES, TRAIN_OTHERS, 600, 16))


def test_words(seed):
    rng = np.random.default_rng(seed)
    return say_all(plan_words(rng, TEST_VOICES, TRAIN_OTHERS[:20] + TEST_OTHERS, 100, 2))


def make_noises(rng, sounds):
    """Half a minute each of white, pink and brown noise, hum and babble; root mean square 1."""
    n = 30 * RATE
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    noises = [np.fft.irfft(spectrum / frequency ** slope, n) for slope in (0, 0.5, 1)]
    t = np.arange(n) / RATE
    noises.append(sum(np.sin(2 * np.pi * 50 * k * t + k) / k for k in range(1, 9)))
    babble = np.zeros(n)
    for i in rng.integers(0, len(sounds), 600):
        at = rng.integers(0, n - len(sounds[i]))
        babble[at:at + len(sounds[i])] += sounds[i]
    noises.append(babble)
    return np.array([noise / np.sqrt(np.mean(noise ** 2)) for noise in noises], np.float32)


def room(rng):
    """A short decaying impulse response; the direct sound comes first."""
    n = int(RATE * rng.uniform(0.01, 0.15))
    response = rng.standard_normal(n) * np.exp(-6 * np.arange(n) / n) * rng.uniform(0, 0.25)
    response[0] = 1
    return response


def colour(rng):
    """A gentle random filter, as microphones differ: first difference or first sum."""
    return np.array([1, rng.uniform(-0.6, 0.4)])


def place(rng, sound):
    """One second with the sound somewhere in it, spoken a little faster or slower, in a room."""
    stretch = rng.uniform(0.88, 1.12)
    at = np.arange(0, len(sound) - 1, stretch)
    sound = np.interp(at, np.arange(len(sound)), sound)[:RATE]
    if rng.random() < 0.5:
        sound = scipy.signal.fftconvolve(sound, room(rng))[:RATE]
    sound = np.convolve(sound, colour(rng))[:RATE]
    start = rng.integers(0, RATE - len(sound) + 1)
    clip = np.zeros(RATE, np.float32)
    clip[start:start + len(sound)] = sound / np.abs(sound).max()
    return clip


def add_noise(rng, clip, noises, level):
    noise = noises[rng.integers(len(noises))]
    start = rng.integers(0, noise.size - RATE)
    return clip + level * noise[start:start + RATE]


def mix(rng, sound, noises):
    """A clip of a word: peak 0.1..1, noise from none to 10 dB below the word."""
    clip = place(rng, sound)
    if rng.random() < 0.85:
        power = np.sqrt(np.mean(clip[clip != 0] ** 2))
        clip = add_noise(rng, clip, noises, power * 10 ** (-rng.uniform(10, 40) / 20))
    return clip / np.abs(clip).max() * 10 ** rng.uniform(-1, 0)


def silence(rng, noises):
    """Nothing, or noise alone (the babble is far away)."""
    clip = np.zeros(RATE, np.float32)
    if rng.random() < 0.9:
        clip = add_noise(rng, clip, noises[:4], 10 ** rng.uniform(-4, -0.8))
    if rng.random() < 0.2:
        clip = add_noise(rng, clip, noises[4:], 10 ** rng.uniform(-4, -2.5))
    return clip


def make_clips(rng, labels, sounds, noises):
    """Every sound once, and a tenth of that as silence. int8 samples (1/128) and classes."""
    n_silent = len(sounds) // 9
    clips = np.empty((len(sounds) + n_silent, RATE), np.int8)
    for i, row in enumerate(clips):
        clip = mix(rng, sounds[i], noises) if i < len(sounds) else silence(rng, noises)
        row[:] = np.clip(np.round(clip * 128), -128, 127)
    return clips, np.concatenate([labels, np.full(n_silent, SILENCE)])


def sample_yes():
    """The sound that edged ships: a voice of the test set, int16."""
    rng = np.random.default_rng(77)
    sound = say("yes", "en-gb+f3", 150, 55)
    clip = np.zeros(RATE)
    start = (RATE - len(sound)) // 2
    clip[start:start + len(sound)] = 0.6 * sound
    clip += 0.002 * rng.standard_normal(RATE)
    return np.round(np.clip(clip, -1, 1) * 32767).astype("<i2")
