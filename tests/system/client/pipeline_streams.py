#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What edgectl pipeline run makes of streams: of silence, of numbers that are none, and with a full disk behind it; and a file of examples that
somebody else has locked.

pipeline_streams.py EDGECTL ROOT.
"""
import fcntl
import json
import os
import resource
import subprocess
import sys
import tempfile
import unittest
import wave

EDGECTL, ROOT = sys.argv[1:3]
SAMPLES = os.path.join(ROOT, "packaging", "models")
SEVEN = os.path.join(SAMPLES, "samples", "digit-7.png")
RECONSTRUCTION = f"[source]\nkind = numbers\ncolumns = 3\n[model]\nname = {SAMPLES}/vibration.tflite\n[post]\nkind = reconstruction\n"
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
        text, rows = RECONSTRUCTION, b"0.1,0.2,0.3\n" * 64
        for bad, why in ((b"1,nan,2\n", b"number 2: nan is no number"), (b"1,2,-inf\n", b"number 3: -inf is no number"),
                         (b"1e39,1,2\n", b"number 1: 1e+39 is too large"), (b"1,,2\n", b"number 2: there is none"),
                         (b"1,2,3,4\n", b"4 fields, expected 3"), (b"0,5;0,7\n", b"number 3: mixed separators"),
                         (b"x,y,z\n", b"there are no numbers"), (b"1,2,3\0,4\n", b"number 3: not a number"),
                         (b"1" * 100000 + b"\n", b"more than 8190 bytes")):
            done = self.run_pipeline(text, "-", stdin=rows + bad + rows)
            self.assertEqual(done.returncode, 6)
            self.assertEqual(done.stderr, b"edgectl: -: line 65: " + why + b"\n")
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

    def test_a_file_with_a_heading_is_a_stream_too(self):
        text = RECONSTRUCTION
        with open(os.path.join(SAMPLES, "samples", "vibration-fault.csv"), "rb") as file:
            rows = file.read()
        for before in (b"", b"\xef\xbb\xbf"):
            for heading in (b"", b"x,y,z\n", b"# of today\n", b" # of today\n", b"\r\n   # of\r\n"):
                data = before + heading + rows.split(b"\n", 1)[1]
                done = self.run_pipeline(text, "-", stdin=data)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertEqual(len(done.stdout.splitlines()), 1)

    def test_a_line_without_end_takes_no_memory(self):
        conf = self.write("p.conf", self.shipped("vibration"))
        stream = subprocess.Popen([EDGECTL, "pipeline", "run", conf, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        with stream.stdin:
            for _ in range(300):
                stream.stdin.write(b"1" * (1 << 20))
            with open(f"/proc/{stream.pid}/status", encoding="ascii") as file:
                most = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
        self.assertLess(most, 150 << 10)
        self.assertEqual(stream.stderr.read(), b"edgectl: -: line 1: more than 8190 bytes\n")
        self.assertEqual(stream.wait(timeout=60), 6)
        stream.stderr.close()

    def sound(self, name, rate, frames):
        path = os.path.join(self.folder.name, name)
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", None))
            file.writeframes(frames)
        return path

    def test_a_source_that_changes_its_rate_begins_its_window_anew(self):
        with wave.open(os.path.join(SAMPLES, "samples", "yes.wav")) as file:
            word = file.readframes(file.getnframes())
        twice = b"".join(word[i:i + 2] * 2 for i in range(0, len(word), 2))  # as if of 32000 samples a second
        quiet, loud = self.sound("quiet.wav", 16000, bytes(40000)), self.sound("loud.wav", 32000, bytes(64000) + twice + bytes(128000))
        done = self.run_pipeline(self.shipped("keyword"), quiet, loud)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        told, event = map(json.loads, done.stdout.splitlines())
        self.assertEqual(told["skipped"], "the source had 16000 samples a second, now 32000: its window begins anew")
        self.assertEqual([e["label"] for e in event["events"]], ["yes"])
        self.assertTrue(1 < event["to_s"] < 2.6, event["to_s"])  # of the second file

    def test_there_is_nothing_to_draw_in_a_sound(self):
        sound, out = os.path.join(SAMPLES, "samples", "yes.wav"), os.path.join(self.folder.name, "out.png")
        for text, code, said in ((self.shipped("keyword"), 2, "--draw: pipeline p takes no pictures"),
                                 (f"[model]\nname = {SAMPLES}/keyword.tflite\n", 6, f"{sound}: no picture was looked at that --draw could draw in")):
            done = self.run_pipeline(text, sound, "-d", out)
            self.assertEqual((done.returncode, done.stderr.decode()), (code, f"edgectl: {said}\n"))
            self.assertFalse(os.path.exists(out))

    def test_a_mask_that_there_is_none_of_is_told(self):
        out = os.path.join(self.folder.name, "mask.png")
        digits = f"[model]\nname = {SAMPLES}/digits.tflite\n"
        never = digits + "[decision]\nthreshold = 2\n[stage two]\non = event\n" + digits + "[post]\nkind = mask\n"
        for text, code, said in ((digits, 2, "--mask: pipeline p has no stage of kind = mask"), (never, 6, "no result had a mask that --mask could write")):
            done = self.run_pipeline(text, SEVEN, "--mask", out)
            self.assertEqual((done.returncode, done.stderr.decode()), (code, f"edgectl: {said}\n"))
            self.assertFalse(os.path.exists(out))

    def test_a_picture_beyond_the_limit_of_files_is_told_and_none_of_it_stays(self):
        out, link, behind = (os.path.join(self.folder.name, name) for name in ("out.png", "link.png", "behind.png"))
        os.symlink(behind, link)
        conf = self.write("p.conf", f"[model]\nname = {SAMPLES}/digits.tflite\n")
        for path in (out, link):
            done = subprocess.run([EDGECTL, "pipeline", "run", conf, SEVEN, "-d", path], capture_output=True, timeout=60,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)))
            self.assertEqual((done.returncode, done.stderr.decode()), (1, f"edgectl: {path}: File too large\n"))
        self.assertFalse(os.path.exists(out))
        self.assertTrue(os.path.islink(link))
        self.assertEqual(os.path.getsize(behind), 0)

    def test_a_terminal_gets_no_foreign_bytes(self):
        text = (f"[pipeline]\ndescription = a\x1bc\\\n[model]\nname = {SAMPLES}/digits.tflite\n"
                "[post]\nkind = numbers\nnames = a , b\nunit = \x1b[2J\n")
        conf = self.write("p.conf", text)
        bad = self.write("\x1b[2J.conf", "[nothing]\n")
        shown = subprocess.run([EDGECTL, "pipeline", "show", conf], capture_output=True, timeout=60).stdout
        checked = subprocess.run([EDGECTL, "pipeline", "check", bad, os.path.join(self.folder.name, "\x1bc.conf")], capture_output=True, timeout=60).stderr
        run = subprocess.run([EDGECTL, "pipeline", "run", conf, SEVEN], capture_output=True, timeout=60).stdout
        for told, part in ((shown, b"description = a\\x1bc\\\n"), (shown, b"unit = \\x1b[2J\n"), (checked, b"/\\x1b[2J.conf: "),
                           (checked, b"/\\x1bc.conf: No such file"), (run, b" \\x1b[2J,")):
            self.assertIn(part, told)
            self.assertNotIn(b"\x1b", told)
        result = json.loads(self.run_pipeline(text, SEVEN).stdout)
        self.assertIn("a", result)
        self.assertIn("b", result)
        self.assertEqual(result["unit"], "\x1b[2J")

    def test_a_line_that_is_cut_says_so(self):
        labels = self.write("labels.txt", "".join("\u00e4" * 60 + f"{i}\n" for i in range(10)))
        conf = self.write("p.conf", f"[model]\nname = {SAMPLES}/digits.tflite\n[post]\nkind = classes\nlabels = {labels}\ntop-k = 10\n")
        line = subprocess.run([EDGECTL, "pipeline", "run", conf, SEVEN], capture_output=True, timeout=60).stdout.decode()
        self.assertRegex(line, r"^\S+digit-7\.png  p:( \u00e4{60}\d 0\.\d{4},)*( \u00e4{60}\d( 0\.\d{4},?)?)? \.\.\.\n$")

    def test_a_label_that_is_too_long_is_refused_with_its_line(self):
        for length, code, said in ((255, 0, ""), (256, 1, ":4: stage p: labels: line 2: a label of 256 bytes, limit 255")):
            labels = self.write("labels.txt", "a\n" + "x" * length + "\n" + "b\n" * 8)
            conf = self.write("p.conf", f"[model]\nname = {SAMPLES}/digits.tflite\n[post]\nlabels = {labels}\n")
            done = subprocess.run([EDGECTL, "pipeline", "check", conf], capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr.decode()), (code, f"edgectl: {conf}{said}\n" if said else ""))

    def test_a_stream_that_cannot_be_read_is_no_end(self):
        for name in ("keyword", "vibration"):
            conf = self.write("p.conf", self.shipped(name))
            folder = os.open(self.folder.name, os.O_RDONLY)
            done = subprocess.run([EDGECTL, "pipeline", "run", conf, "-"], stdin=folder, capture_output=True, timeout=60)
            os.close(folder)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (6, b"", b"edgectl: standard input: Is a directory\n"))

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
