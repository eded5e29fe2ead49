#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edgectl infer where there is a pipeline of the model's name: each input has its answer, and options count.

pipeline_infer.py EDGECTL EDGED ROOT.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import wave

EDGECTL, EDGED, ROOT = sys.argv[1:4]
MODELS = os.path.join(ROOT, "packaging", "models")
YES, FAULT, SEVEN = (os.path.join(MODELS, "samples", name) for name in ("yes.wav", "vibration-fault.csv", "digit-7.png"))


class Infer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        for name in ("models", "state"):
            os.mkdir(cls.path(name))
        for name in ("keyword", "vibration", "digits"):
            shutil.copy(os.path.join(MODELS, name + ".tflite"), cls.path("models"))
        shutil.copytree(os.path.join(ROOT, "conf", "pipelines.d"), cls.path("pipelines"))
        cls.write("pipelines/digits.conf", "[model]\nname = digits\n")
        conf = cls.write("edged.conf", f"[daemon]\nmodels = {cls.path('models')}\nstate = {cls.path('state')}\n")
        daemon = subprocess.Popen([EDGED, "--config", conf, "--socket", cls.path("s")], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(daemon.wait, timeout=30)
        cls.addClassCleanup(daemon.terminate)
        end = time.monotonic() + 30
        while cls.edgectl("list").stdout.count(b"ready") < 3:
            assert daemon.poll() is None and time.monotonic() < end, "edged ended"
            time.sleep(0.02)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def write(cls, name, text):
        with open(cls.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return cls.path(name)

    @classmethod
    def edgectl(cls, *args, stdin=b""):
        return subprocess.run([EDGECTL, *args, "--socket", cls.path("s")], input=stdin, capture_output=True, timeout=120)

    def infer(self, *args, code=0, said="", stdin=b""):
        done = self.edgectl("infer", *args, "--pipelines", self.path("pipelines"), "-o", "jsonl", stdin=stdin)
        self.assertEqual((done.returncode, done.stderr.decode()), (code, said))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def short(self):
        """The word in less than a window of 16000 samples."""
        with wave.open(YES) as file:
            frames, rate = file.readframes(15000), file.getframerate()
        with wave.open(self.path("short.wav"), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", None))
            file.writeframes(frames)
        return self.path("short.wav")

    def test_a_sound_shorter_than_a_window_is_answered(self):
        short = self.short()
        results = self.infer("keyword", short, YES, short)
        self.assertEqual([(r["source"], r["label"], r["to_s"]) for r in results], [(short, "yes", 1), (YES, "yes", 1), (short, "yes", 1)])
        for result in results:
            self.assertGreater(result["score"], 0.9)

    def test_what_is_too_short_for_an_answer_says_so(self):
        rows = self.write("rows.csv", "1,2,3\n" * 100)
        for results in (self.infer("vibration", rows, code=6, said=f"edgectl: {rows}: too short for a result\n"),
                        self.infer("vibration", rows, FAULT, rows, code=6, said=f"edgectl: {rows}: too short for a result\n" * 2)):
            self.assertEqual([r["source"] for r in results], [FAULT] * len(results))
        self.assertEqual(len(results), 1)

    def test_standard_input_is_a_file_like_any_other(self):
        with open(self.short(), "rb") as short, open(FAULT, "rb") as fault, wave.open(YES) as whole:
            word, rows, rate, frames = short.read(), fault.read(), whole.getframerate(), whole.readframes(15000)
        for name, path, data in (("keyword", self.short(), word), ("vibration", FAULT, rows)):
            wanted, got = self.infer(name, path)[0], self.infer(name, "-", stdin=data)
            self.assertEqual([(r["source"], r["results"]) for r in got], [("-", wanted["results"])])
        # Without a header it is of the rate that the pipeline says.
        self.assertEqual(self.infer("keyword", "-", stdin=frames)[0]["results"], self.infer("keyword", self.short())[0]["results"])
        # A second of another rate is a second.
        with wave.open(self.path("other.wav"), "wb") as file:
            file.setparams((1, 2, 3 * rate, 0, "NONE", None))
            file.writeframes(b"".join(frames[i:i + 2] * 3 for i in range(0, len(frames), 2)))
        with open(self.path("other.wav"), "rb") as file:
            self.assertEqual([(r["label"], r["to_s"]) for r in self.infer("keyword", "-", stdin=file.read())], [("yes", 1)])
        self.infer("vibration", "-", stdin=b"1,2,3\n" * 5, code=6, said="edgectl: -: too short for a result\n")

    def test_options_count_for_what_is_found(self):
        for name, sample, best in (("keyword", YES, "yes"), ("digits", SEVEN, "7")):
            found, = self.infer(name, sample)
            least = found["results"][1]["score"]
            self.assertGreater(found["count"], 2)
            self.assertEqual([r["label"] for r in self.infer(name, sample, "-k", "1")[0]["results"]], [best])
            self.assertEqual(self.infer(name, sample, "-k", "2")[0]["count"], 2)
            self.assertEqual(self.infer(name, sample, "-t", f"{(least + found['score']) / 2}")[0]["count"], 1)
            self.assertEqual(self.infer(name, sample, "-t", "1.5")[0]["results"], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
