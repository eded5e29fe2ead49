#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What edgectl pipeline run makes of streams: of silence, of numbers that are none, and with a full disk behind it; and a file of examples that
somebody else has locked.

pipeline_streams.py EDGECTL ROOT.
"""
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import unittest
import wave

EDGECTL, ROOT = sys.argv[1:3]
SAMPLES = os.path.join(ROOT, "packaging", "models")
SEVEN = os.path.join(SAMPLES, "samples", "digit-7.png")
FULL = b"edgectl: standard output: No space left on device\n"


class Streams(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_pipeline(self, text, *inputs, stdin=b"", out=subprocess.PIPE):
        conf = self.write("p.conf", text)
        return subprocess.run([EDGECTL, "pipeline", "run", conf, *inputs, "-o", "jsonl"], input=stdin, stdout=out,
                              stderr=subprocess.PIPE, timeout=120)

    def shipped(self, name):
        with open(os.path.join(ROOT, "conf", "pipelines.d", name + ".conf"), encoding="utf-8") as file:
            return file.read().replace(f"name = {name}\n", f"name = {SAMPLES}/{name}.tflite\n")

    def test_silence_is_no_word(self):
        with wave.open(os.path.join(SAMPLES, "samples", "yes.wav")) as file:
            word = file.readframes(file.getnframes())
        quiet = bytes(64000)
        done = self.run_pipeline(self.shipped("keyword"), "-", stdin=quiet + word + quiet)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        events = [event for line in done.stdout.splitlines() for event in json.loads(line)["events"]]
        self.assertEqual([(event["event"], event["label"]) for event in events], [("begin", "yes")])

    def test_a_row_that_is_no_number_is_refused_and_the_window_goes_on(self):
        text = f"[source]\nkind = numbers\ncolumns = 3\n[model]\nname = {SAMPLES}/vibration.tflite\n[post]\nkind = reconstruction\n"
        rows = b"0.1,0.2,0.3\n" * 64
        for bad, why in ((b"1,nan,2\n", b"row 1, number 2: nan is no number"), (b"1,2,-inf\n", b"row 1, number 3: -inf is no number"),
                         (b"1e39,1,2\n", b"row 1, number 1: 1e+39 is too large")):
            done = self.run_pipeline(text, "-", stdin=rows + bad + rows)
            self.assertEqual(done.returncode, 6)
            self.assertEqual(done.stderr, b"edgectl: -: " + why + b"\n")
            result = json.loads(done.stdout)  # 128 rows are one window
            self.assertEqual((result["from_row"], result["to_row"]), (0, 128))
            self.assertEqual(len(result["results"]), 1)

    def micro_speech(self):
        """The example of docs/pipelines.md, with files for names."""
        shared = os.path.join(ROOT, "..", "shared")
        if not os.path.isdir(os.path.join(shared, "audio")):
            self.skipTest("../shared is not there")
        with open(os.path.join(ROOT, "docs", "pipelines.md"), encoding="utf-8") as file:
            text = next(block for block in file.read().split("```") if "[stage speech]" in block)
        for name in ("audio_preprocessor_int8", "micro_speech_quantized"):
            text = text.replace(f"name = {name}\n", f"name = {shared}/models/micro/{name}.tflite\n")
        labels = self.write("labels.txt", "silence\nunknown\nyes\nno\n")
        return text.replace("kind = classes\n", f"kind = classes\nlabels = {labels}\n"), os.path.join(shared, "audio")

    def test_a_command_is_heard_after_the_word_that_wakes_only(self):
        text, folder = self.micro_speech()
        model, decision = text.split("input = outputs\n")[1].replace("window = 49\nhop = 5\n", "").split("[decision]")
        woken = (text.replace("labels = yes, no", "labels = yes") + "[stage command]\nwhen = yes\non = event\nfor = 4s\n" + model +
                 "[decision]" + decision.replace("labels = yes, no", "labels = no"))
        sound = b""
        for name in ("silence", "no", "silence", "yes", "silence", "no", "silence", "silence", "silence", "no", "silence"):
            with wave.open(os.path.join(folder, name + "_1000ms.wav")) as file:
                sound += file.readframes(16000)
        for pipe, wanted in ((woken, [("speech", "yes", 3), ("command", "no", 5)]),
                             # Else the command would have to be in the window of the word.
                             (woken.replace("for = 4s\n", ""), [("speech", "yes", 3)])):
            done = self.run_pipeline(pipe, "-", stdin=sound)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            results = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([(r["stage"], r["events"][0]["label"], int(r["to_s"])) for r in results], wanted)

    def test_a_full_disk_is_told_as_such_and_ends_it(self):
        text = f"[model]\nname = {SAMPLES}/digits.tflite\n"
        loud = "".join(line + "\n" for line in self.shipped("keyword").splitlines() if line.split(" ")[0] not in ("ignore", "low", "threshold", "publish"))
        with open("/dev/full", "wb") as full:
            # Were the second file looked at, its error would be told.
            done = self.run_pipeline(text, SEVEN, "/nonexistent.png", out=full)
            self.assertEqual((done.returncode, done.stderr), (1, FULL))
            done = self.run_pipeline(loud + "threshold = 0\npublish = all\n", "-", stdin=bytes(320000), out=full)
            self.assertEqual((done.returncode, done.stderr), (1, FULL))

    def test_a_file_of_examples_whose_lock_somebody_keeps_is_told_of_and_given_up(self):
        examples = self.write("examples.tsv", "first\t" + " ".join("1" + "0" * 9) + "\n")
        conf = self.write("taught.conf", f"[model]\nname = {SAMPLES}/digits.tflite\n[post]\nkind = embedding\nexamples = {examples}\n")
        said = f"edgectl: waiting for who else writes to {examples}\n"
        with open(examples, "rb") as held:
            fcntl.flock(held, fcntl.LOCK_SH)
            lessons = [subprocess.Popen([EDGECTL, "teach", *more, conf, "seven", SEVEN], stderr=subprocess.PIPE, text=True) for more in ([], ["--quiet"])]
            given_up = f"edgectl: {examples}: another program has held its lock for 10 s: nothing was written\n"
            self.assertEqual([(lesson.communicate(timeout=60)[1], lesson.returncode) for lesson in lessons], [(said + given_up, 8), (given_up, 8)])
            self.assertEqual(held.read().count(b"\n"), 1)
            lesson = subprocess.Popen([EDGECTL, "teach", conf, "seven", SEVEN], stderr=subprocess.PIPE, text=True)
            self.assertEqual(lesson.stderr.readline(), said)
        self.assertEqual((lesson.communicate(timeout=60)[1], lesson.returncode), ("edgectl: 1 examples of seven\n", 0))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
