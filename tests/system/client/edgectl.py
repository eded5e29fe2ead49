#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edgectl from outside: exit codes, one line per file, the shape of JSON, answers to the shipped samples, with and without a daemon.

edgectl.py EDGECTL EDGED ROOT NO_OP IPC. Exit status 77 (skipped) where the shipped models are not there.
"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

EDGECTL, EDGED, ROOT, NO_OP, IPC = sys.argv[1:6]
MODELS = os.path.join(ROOT, "packaging", "models")
SAMPLES = os.path.join(MODELS, "samples")
SERVICE = os.path.join(ROOT, "tests", "data", "SERVICE_signatures", "model.tflite")


def edgectl(*args, stdin=b"", env=None):
    return subprocess.run([EDGECTL, *args], input=stdin, capture_output=True, timeout=300, env={**os.environ, **(env or {})})


def run_ipc(*args, env):
    return subprocess.run([IPC, *args], capture_output=True, timeout=300, check=True, env={**os.environ, **env}).stdout


def model(name):
    return os.path.join(MODELS, name + ".tflite")


def sample(name):
    return os.path.join(SAMPLES, name)


class WithoutDaemon(unittest.TestCase):
    def test_run_answers_the_shipped_samples(self):
        for name, file, label in [("digits", "digit-7.png", "7"), ("keyword", "yes.wav", "yes")]:
            done = edgectl("run", model(name), sample(file), "-o", "jsonl", "-k", "1")
            self.assertEqual(done.returncode, 0, done.stderr)
            answer = json.loads(done.stdout)
            self.assertEqual(set(answer), {"model", "version", "source", "infer_ms", "results"})
            self.assertEqual(answer["model"], name)
            self.assertEqual(answer["results"][0]["label"], label)

    def test_a_fault_is_more_anomalous_than_a_healthy_machine(self):
        done = edgectl("run", model("vibration"), sample("vibration-fault.csv"), sample("vibration-normal.csv"), "--json")
        fault, normal = json.loads(done.stdout)
        self.assertTrue(fault["anomalous"])
        self.assertFalse(normal["anomalous"])

    def test_standard_input_and_raw_bytes(self):
        with open(sample("digit-7.png"), "rb") as file:
            done = edgectl("run", model("digits"), "-", "--raw", stdin=file.read())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout), 10)
        self.assertEqual(max(range(10), key=lambda i: done.stdout[i] ^ 0x80), 7)

    def test_outputs_are_written_as_arrays(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = os.path.join(folder, "made")
            done = edgectl("run", model("digits"), sample("digit-7.png"), "--output-dir", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            names = os.listdir(folder)
            self.assertEqual(len(names), 1)
            with open(os.path.join(folder, names[0]), "rb") as file:
                self.assertTrue(file.read().startswith(b"\x93NUMPY\x01\x00"))

    def test_verify_gives_one_line_for_each_file_in_order(self):
        with tempfile.TemporaryDirectory() as folder:
            bad = os.path.join(folder, "bad\n.tflite")
            with open(bad, "wb") as file:
                file.write(b"\x1c\0\0\0TFL3" + b"\xff" * 100)
            good = model("digits")
            done = edgectl("verify", "--run", good, bad, good)
            lines = done.stdout.decode().splitlines()
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(lines), 3)
            self.assertEqual(lines[0], "ok")
            self.assertRegex(lines[1], r"\Arefused: model_refused: [^:]+: .+")
            self.assertEqual(lines[2], "ok")
            lines = edgectl("verify", "-v", good, bad).stdout.decode().splitlines()
            self.assertEqual(lines[0], good + ": ok")
            self.assertRegex(lines[1], r"bad\\x0a\.tflite: refused: model_refused: [^:]+: .+")
            done = edgectl("verify", bad)
            self.assertRegex(done.stdout.decode(), r"\Arefused: model_refused: [^:]+: .+\n\Z")
            done = edgectl("verify", os.path.join(folder, "none"), bad)
            self.assertEqual(done.returncode, 6)
            self.assertEqual(len(done.stdout.decode().splitlines()), 2)
        self.assertEqual(edgectl("verify", good).stdout, b"ok\n")

    def test_exit_codes(self):
        digits, picture = model("digits"), sample("digit-7.png")
        nowhere = {"EDGED_SOCKET": "/nonexistent/edged.sock"}
        for code, args in [
            (0, ["--help"]), (0, ["infer", "--help"]), (0, ["--version"]),
            (1, ["run", digits, picture, "-t", "2", "--exit-status"]),
            (0, ["run", digits, picture, "-t", "2"]),
            (2, []), (2, ["frobnicate"]), (2, ["list", "--run"]), (2, ["bench", digits, "--threads", "17"]),
            (2, ["bench", "digits", "--threads", "2"]),
            (3, ["run", "/nonexistent.tflite", picture]), (3, ["run", digits, picture, "--signature", "none"]),
            (4, ["list"]), (4, ["infer", "digits", picture]),
            (5, ["run", picture, picture]),
            (4, ["list", "--socket", "/" + "a" * 200]),
            (1, ["run", digits, picture, "--output-dir", "/proc/nonexistent"]),
            (6, ["run", digits, "/nonexistent.png"]), (6, ["run", digits, digits]),
        ]:
            done = edgectl(*args, env=nowhere)
            self.assertEqual(done.returncode, code, (args, done.stderr))
            if code > 1:
                self.assertEqual(done.stdout, b"", args)
                self.assertTrue(done.stderr.startswith(b"edgectl: "), (args, done.stderr))

    def test_one_bad_input_of_several_does_not_stop_the_others(self):
        done = edgectl("run", model("digits"), "/nonexistent.png", sample("digit-7.png"), "-o", "jsonl")
        self.assertEqual(done.returncode, 6)
        self.assertEqual(len(done.stdout.decode().splitlines()), 1)

    def test_show_names_the_kernel_of_each_operator(self):
        shown = json.loads(edgectl("show", model("digits"), "--json").stdout)
        self.assertEqual(len(shown["nodes"]), shown["operators"])
        self.assertEqual(shown["nodes"][0]["op"], "CONV_2D")
        self.assertTrue(shown["nodes"][0]["kernel"].startswith("conv_s8__"), shown["nodes"][0])

    def test_show_names_the_signatures(self):
        shown = json.loads(edgectl("show", os.path.join(ROOT, "tests", "data", "NET_signature_minus", "model.tflite"), "--json").stdout)
        self.assertEqual((shown["signatures"], shown["signature_keys"]), (2, "minus, times"))

    def test_show_tells_the_nodes_of_a_signature(self):
        file = os.path.join(ROOT, "tests", "data", "NET_signature_minus", "model.tflite")
        ops = [json.loads(edgectl("show", file, "-s", key, "--json").stdout)["nodes"][0]["op"] for key in ("minus", "times")]
        self.assertEqual(ops, ["SUB", "MUL"])

    def test_a_model_may_have_no_inputs(self):
        done = edgectl("run", os.path.join(ROOT, "tests", "data", "RANDOM_UNIFORM_f32", "model.tflite"), "--json")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        done = edgectl("run", model("digits"))
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"is missing; give it as", done.stderr)

    def test_models_of_strings_and_divisors_are_measured_and_verified(self):
        strings = os.path.join(ROOT, "tests", "data", "SLICE_str", "model.tflite")
        divisor = os.path.join(ROOT, "tests", "data", "FLOOR_MOD_s64", "model.tflite")
        self.assertEqual(json.loads(edgectl("bench", strings, "-c", "2", "--local", "--json").stdout)["runs"], 2)
        self.assertEqual(edgectl("verify", "--run", strings, divisor).stdout, b"ok\nok\n")
        for more in [], ["--per-op"]:
            done = edgectl("bench", divisor, "-c", "1", "--local", *more)
            self.assertEqual(done.returncode, 5)
            self.assertIn(b"FLOOR_MOD: input 1: element 0 is a divisor of zero", done.stderr)

    def test_show_tells_every_signature(self):
        shown = json.loads(edgectl("show", SERVICE, "--json").stdout)
        found = {s["key"]: ([i["name"] for i in s["inputs"]], [o["name"] for o in s["outputs"]]) for s in shown["signature_list"]}
        self.assertEqual(found["pad"], (["pads", "x"], ["y"]))
        self.assertEqual(found["read"], ([], ["y"]))
        self.assertEqual(len(found), 7)
        table = edgectl("show", SERVICE).stdout.decode()
        self.assertIn("\nsignature words\n", table)
        self.assertNotIn("signature", edgectl("show", SERVICE, "-s", "pad").stdout.decode().split("\n\n", 1)[1])

    def test_strings_go_in_and_come_out(self):
        with tempfile.TemporaryDirectory() as folder:
            lines = os.path.join(folder, "lines")
            with open(lines, "wb") as file:
                file.write(b"yes\nno\n\xff\x01\n")
            answer = json.loads(edgectl("run", SERVICE, "-s", "words", lines, "-o", "jsonl").stdout)
            again, is_yes = answer["outputs"]
            self.assertEqual(again["values"], ["yes", "no", "\\xff\\x01"] * 2)
            self.assertEqual(is_yes["values"], [1, 0, 0])
            table = edgectl("run", SERVICE, "-s", "words", "words=text:y\x07es").stdout.decode()
            self.assertIn('"y\\x07es" "y\\x07es"', table)
            raw = edgectl("run", SERVICE, "-s", "words", "text:a", "--raw").stdout
            self.assertEqual(raw, b"\2\0\0\0\x10\0\0\0\x11\0\0\0\x12\0\0\0aa\0")

    def test_state_is_kept_only_when_asked_for(self):
        def totals(*more):
            done = edgectl("run", SERVICE, "text:1,2,3,4", "text:1,1,1,1", "-o", "jsonl", "-k", "1", *more)
            return [json.loads(line)["results"][0]["score"] for line in done.stdout.splitlines()]
        self.assertEqual(totals(), [4, 1])
        self.assertEqual(totals("--keep-state"), [4, 5])

    def test_checkpoints_are_kept_in_the_state_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            state = os.path.join(folder, "made")
            self.assertEqual(edgectl("run", SERVICE, "-s", "save", "text:one").returncode, 5)
            done = edgectl("run", SERVICE, "-s", "save", "text:one", "--state", state)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(state), ["one"])
            self.assertEqual(edgectl("run", SERVICE, "-s", "restore", "text:one", "--state", state).returncode, 0)
            self.assertEqual(edgectl("run", SERVICE, "-s", "restore", "text:two", "--state", state).returncode, 5)

    def test_a_signature_without_inputs_is_asked_once(self):
        answer = json.loads(edgectl("run", SERVICE, "-s", "read", "--json").stdout)
        self.assertEqual([r["score"] for r in answer["results"]], [0, 0, 0, 0])
        self.assertEqual(edgectl("run", SERVICE).returncode, 2)

    def test_closed_standard_streams_are_errors(self):
        for closed, code in [("<&-", 6), (">&-", 1)]:
            command = f'"$1" run "$2" - {closed}'
            with open(sample("digit-7.png"), "rb") as picture:
                done = subprocess.run(["sh", "-c", command, "sh", EDGECTL, model("digits")], stdin=picture, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.returncode, code, done.stderr)

    def test_bench_counts_every_run(self):
        done = edgectl("bench", model("digits"), "-c", "7", "--threads", "2", "--clients", "2", "--json")
        figures = json.loads(done.stdout)
        self.assertEqual(figures["runs"], 7)
        self.assertLessEqual(figures["min_ms"], figures["p50_ms"])
        self.assertLessEqual(figures["p99_ms"], figures["max_ms"])

    def test_one_run_is_its_own_percentile(self):
        figures = json.loads(edgectl("bench", model("digits"), "-c", "1", "--json").stdout)
        self.assertEqual({figures[name + "_ms"] for name in ("min", "p50", "p90", "p99", "max", "mean")}, {figures["min_ms"]})

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EDGECTL, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)


class WithDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        socket = os.path.join(cls.folder.name, "s")
        state = os.path.join(cls.folder.name, "state")
        os.mkdir(state)
        cls.env = {"EDGED_SOCKET": socket}
        cls.edged = subprocess.Popen([EDGED, "--socket", socket, "--models", MODELS, "--state", state], stderr=subprocess.PIPE)
        ready = b""
        while b" models ready" not in ready:  # the line that says that all models were looked at
            ready = cls.edged.stderr.readline()
            if not ready:
                raise RuntimeError("edged did not start")

    @classmethod
    def tearDownClass(cls):
        cls.edged.send_signal(signal.SIGTERM)
        cls.edged.communicate(timeout=60)
        cls.folder.cleanup()

    def ask(self, *args):
        return edgectl(*args, env=self.env)

    def ipc(self, *args):
        return run_ipc(*args, env=self.env)

    def test_the_daemon_answers_as_the_library_does(self):
        for name, file in [("digits", "digit-7.png"), ("keyword", "yes.wav"), ("vibration", "vibration-fault.csv")]:
            here = edgectl("run", model(name), sample(file), "--raw")
            there = self.ask("infer", name, sample(file), "--raw")
            self.assertEqual(there.returncode, 0, there.stderr)
            self.assertEqual(here.stdout, there.stdout)

    def test_labels_come_from_the_daemon(self):
        answer = json.loads(self.ask("infer", "digits", sample("digit-7.png"), "--json").stdout)
        self.assertEqual(answer["results"][0]["label"], "7")

    def test_models_are_listed_and_shown(self):
        names = {m["name"]: m["state"] for m in json.loads(self.ask("list", "--json").stdout)}
        self.assertEqual(names, {"digits": "ready", "keyword": "ready", "vibration": "ready"})
        shown = json.loads(self.ask("show", "keyword", "--json").stdout)
        self.assertEqual(shown["inputs"][0]["shape"], [1, 16000])
        self.assertEqual(len(self.ask("list", "--no-legend").stdout.splitlines()), 3)

    def test_status_counts_answers(self):
        self.assertEqual(self.ask("infer", "digits", sample("digit-7.png")).returncode, 0)
        status = json.loads(self.ask("status", "--json").stdout)
        self.assertEqual(status["models_ready"], 3)
        self.assertGreaterEqual(status["requests"]["OK"], 1)

    def test_heat_and_power_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {"thermal/thermal_zone0/temp": "80000", "thermal/thermal_zone0/type": "soc", "thermal/thermal_zone0/trip_point_0_type": "hot",
                               "thermal/thermal_zone0/trip_point_0_temp": "85000", "hwmon/hwmon0/power1_input": "4500000"}.items():
                path = os.path.join(folder, "class", name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as file:
                    file.write(text + "\n")
            config, socket = os.path.join(folder, "edged.conf"), os.path.join(folder, "s")
            with open(config, "w") as file:
                file.write(f"[power]\nsensors = {folder}\npolicy = cool\n")
            edged = subprocess.Popen([EDGED, "--config", config, "--socket", socket, "--models", MODELS, "--state", folder], stderr=subprocess.PIPE)
            self.addCleanup(edged.communicate, timeout=60)
            self.addCleanup(edged.terminate)
            while b" models ready" not in edged.stderr.readline():
                pass
            env, until = {"EDGED_SOCKET": socket}, time.monotonic() + 60
            self.assertNotIn("power", json.loads(edgectl("status", "--json", env=env).stdout))  # nothing was read yet
            while "run_uj" not in json.loads(edgectl("show", "digits", "--json", env=env).stdout):
                self.assertLess(time.monotonic(), until)
                self.assertEqual(edgectl("infer", "digits", sample("digit-7.png"), env=env).returncode, 0)
            power = json.loads(edgectl("status", "--json", env=env).stdout)["power"]
            self.assertEqual((power["sensor"], power["temperature_c"], power["limit_c"], power["power_w"]), ("soc", 80, 85, 4.5))
            table = edgectl("status", env=env).stdout.decode()
            self.assertRegex(table, r"temperature +80\.0 C of 85\.0 C \(soc\)")
            self.assertIn("4.50 W", table)
            self.assertRegex(table, r"held back +.*\(cool\)")

    def test_a_model_that_is_not_there(self):
        done = self.ask("infer", "none", sample("digit-7.png"))
        self.assertEqual(done.returncode, 3)

    def test_a_session_is_kept_over_several_inputs(self):
        answers = [json.loads(line)["results"] for line in self.ask(
            "infer", "keyword", sample("yes.wav"), sample("yes.wav"), "--keep-state", "-o", "jsonl").stdout.splitlines()]
        self.assertEqual(len(answers), 2)
        self.assertEqual(answers[0], answers[1])  # it has no state to keep

    def test_bench_over_several_connections(self):
        figures = json.loads(self.ask("bench", "digits", "-c", "10", "--clients", "3", "--json").stdout)
        self.assertEqual(figures["runs"], 10)
        self.assertEqual(figures["at_once"], 3)

    def test_bench_of_asking_tells_the_floor_first(self):
        rows = json.loads(self.ipc("-c", "10", "--json", "digits"))
        asked = ["tensors in the body", "tensors in shared memory", "all in shared memory", "all there, with a copy"]
        floors = ["ping-pong of 64 bytes", "ping-pong of as many bytes", "ping-pong of two wake-ups"]
        one, two = floors + ["ping-pong giving way"] + asked, floors + asked
        self.assertIn([row["round_trip"] for row in rows], [one, one + two])
        for row in rows:
            self.assertGreater(row["p50_us"], 0)
            self.assertGreaterEqual(row["p99_us"], row["p50_us"])
        table = self.ipc("-c", "10", "digits").splitlines()
        self.assertTrue(table[0].startswith(b"ROUND TRIP"))

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "one core")
    def test_bench_without_sleep_takes_two_cores(self):
        rows = json.loads(self.ipc("--spin", "20", "-c", "10", "--json", "digits"))
        self.assertEqual({row["cores"] for row in rows}, {"two"})
        self.assertIn("ping-pong without sleep", [row["round_trip"] for row in rows])


class WithStore(unittest.TestCase):
    """edged with a models folder of its own, where a model comes with a self-test."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        path = self.folder.name
        self.models, self.golden = os.path.join(path, "models"), os.path.join(path, "models", "digits.golden")
        for name in ("models", "state"):
            os.mkdir(os.path.join(path, name))
        self.env = {"EDGED_SOCKET": os.path.join(path, "s")}
        self.edged = subprocess.Popen(
            [EDGED, "--socket", self.env["EDGED_SOCKET"], "--models", self.models, "--state", os.path.join(path, "state")],
            stderr=subprocess.PIPE)
        while b" models ready" not in self.edged.stderr.readline():
            pass

    def tearDown(self):
        self.edged.send_signal(signal.SIGTERM)
        self.edged.communicate(timeout=60)
        self.folder.cleanup()

    def ask(self, *args):
        return edgectl(*args, env=self.env)

    def install(self, source):
        new = os.path.join(self.models, ".digits.new")
        shutil.copyfile(source, new)
        os.rename(new, os.path.join(self.models, "digits.tflite"))
        self.ask("reload")
        return self.settled()

    def settled(self):
        """What the first model is like, once the folder's own watch does not look at it again."""
        until = time.monotonic() + 60
        while (item := json.loads(self.ask("list", "--json").stdout)[0])["state"] == "loading" and time.monotonic() < until:
            pass
        return item

    def record(self, *samples):
        new = os.path.join(self.folder.name, "recorded")
        done = edgectl("run", model("digits"), *[sample(name) for name in samples], "--record", new, "-q")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with open(new, "rb") as file:
            return file.read()

    def test_bench_of_asking_tells_what_the_library_shares_by_itself(self):
        said = []
        for size in ("16380", "16384"):
            self.assertEqual(subprocess.run([NO_OP, size, "1001", os.path.join(self.models, f"n{size}.tflite")]).returncode, 0)
            edgectl("reload", env=self.env)
            rows = json.loads(run_ipc("-c", "10", "--json", f"n{size}", env=self.env))
            said.append("inputs copied to shared memory" in [row["round_trip"] for row in rows])
        self.assertEqual(said, [False, True])

    def test_answers_that_are_due_let_a_model_in_and_others_do_not(self):
        frames = self.record("digit-7.png", "digit-7.png")
        self.assertEqual((frames[:4], frames[4:6]), (b"EDG1", b"\x04\x00"))
        with open(self.golden, "wb") as file:
            file.write(frames)
        first = self.install(model("digits"))
        self.assertEqual((first["state"], first["version"], "reason" in first), ("ready", "1", False))
        os.remove(os.path.join(self.models, "digits.tflite"))
        self.ask("reload")
        for broken, why in [
                (frames[:-1] + bytes([frames[-1] ^ 1]), "self-test, question 2: output 0 is not what is due"),
                (frames[:-1], "self-test, question 2: the file ends within a frame"),
                (b"nonsense" * 8, "self-test, question 1: header: the frame does not begin with EDG1")]:
            with open(self.golden, "wb") as file:
                file.write(broken)
            refused = self.install(model("digits"))
            # The reload is the second look at a file that the folder's own watch may have found bad by then.
            again = f"bad: its answers are not those of golden {hashlib.sha256(broken).hexdigest()[:16]}"
            self.assertEqual(refused["state"], "refused")
            self.assertIn(refused.get("reason"), (why, again) if why.endswith("due") else (why,))

    def test_a_model_is_pinned_rolled_back_and_forgiven(self):
        with open(model("digits"), "rb") as file:
            data = file.read()
        other = os.path.join(self.folder.name, "other.tflite")
        with open(other, "wb") as file:
            file.write(data + b"\0" * 16)  # the same model, another file
        first = self.install(model("digits"))
        self.assertEqual((first["on_trial"], first["pinned"], first["by"]), (True, False, os.getuid()))
        for _ in range(10):
            self.ask("infer", "digits", *[sample("digit-7.png")] * 10)
        self.assertIn(b"version 1 passed its trial", self.ask("history", "digits").stdout)
        self.assertEqual(self.ask("pin", "digits").returncode, 0)
        self.assertEqual(self.install(other)["version"], "1")
        self.assertEqual(self.ask("unpin", "digits").returncode, 0)
        self.ask("reload")
        second = self.settled()
        self.assertEqual((second["version"], second["last_good"], second["on_trial"]), ("2", 1, True))
        self.assertEqual(self.ask("rollback", "digits").returncode, 0)
        back = self.settled()
        self.assertEqual((back["version"], back["sha256"]), ("1", first["sha256"]))
        self.assertEqual(self.ask("forget-bad", "0000000000").returncode, 3)
        self.assertEqual(self.ask("forget-bad", second["sha256"][:12]).returncode, 0)
        self.ask("reload")
        self.assertEqual(self.settled()["sha256"], second["sha256"])
        table = self.ask("list").stdout.decode().splitlines()
        self.assertEqual(table[0].split(), ["NAME", "VERSION", "STATE", "SHA256", "SINCE", "BY", "NOTE"])
        self.assertIn(second["sha256"][:12], table[1])
        line = self.ask("list", "--no-legend").stdout.decode().rstrip()
        self.assertEqual(line.split()[2], "ready")
        self.assertTrue(line.endswith("  on trial"), line)

    def test_a_model_is_unloaded_and_loaded_again(self):
        self.install(model("digits"))
        self.assertEqual(self.ask("unload", "digits").returncode, 0)
        listed = json.loads(self.ask("list", "--json").stdout)[0]
        self.assertEqual((listed["state"], listed["reason"]), ("unloaded", "as somebody said"))
        status = json.loads(self.ask("status", "--json").stdout)
        self.assertEqual((status["models_ready"], status["models_unloaded"], status["held_bytes"]), (0, 1, 0))
        self.assertEqual(self.ask("load", "digits").returncode, 0)
        status = json.loads(self.ask("status", "--json").stdout)
        self.assertEqual((status["models_ready"], status["models_unloaded"]), (1, 0))
        self.assertTrue(0 < status["held_bytes"] < status["budget_bytes"])
        self.assertEqual(self.ask("unload", "nobody").returncode, 3)
        self.assertEqual(self.ask("unload", "digits").returncode, 0)
        self.assertIn(b"7", self.ask("infer", "digits", sample("digit-7.png")).stdout)

    def test_the_store_is_looked_at(self):
        self.install(model("digits"))
        fine = self.ask("fsck")
        self.assertEqual((fine.returncode, fine.stdout), (0, b""))
        with open(os.path.join(self.folder.name, "state", "bad", "me"), "w") as file:
            file.write("x")
        self.assertEqual((self.ask("fsck").returncode, self.ask("fsck").stdout), (1, b"bad/me: not a digest\n"))
        self.env["PATH"] = os.path.dirname(EDGED)
        alone = self.ask("fsck", "--state", os.path.join(self.folder.name, "state"))
        self.assertEqual(alone.returncode, 2)
        self.assertIn(b"an edged uses it", alone.stderr)
        self.assertEqual(self.ask("fsck", "--repair").returncode, 1)
        self.assertEqual(self.ask("fsck").returncode, 0)

    def test_a_store_without_a_daemon_is_repaired(self):
        state = os.path.join(self.folder.name, "alone")
        os.makedirs(os.path.join(state, "bad"))
        with open(os.path.join(state, "bad", "me"), "w") as file:
            file.write("x")
        self.env["PATH"] = os.path.dirname(EDGED)
        repaired = self.ask("fsck", "--state", state, "--repair")
        self.assertEqual((repaired.returncode, repaired.stdout), (1, b"bad/me: not a digest\n"))
        self.assertEqual(self.ask("fsck", "--state", state).returncode, 0)


LARGE = os.path.join(ROOT, "..", "shared", "models", "mlperf_tiny", "vww_96_int8.tflite")


@unittest.skipUnless(os.path.exists(LARGE), "SKIPPED: no " + LARGE)
class WithATeam(unittest.TestCase):
    """A model that is large enough for several threads to share a run."""

    def test_several_threads_answer_as_one(self):
        with tempfile.TemporaryDirectory() as folder:
            place = {name: os.path.join(folder, name) for name in ("s", "state", "models", "edged.conf", "in.raw")}
            os.mkdir(place["state"])
            os.mkdir(place["models"])
            shutil.copy(LARGE, os.path.join(place["models"], "large.tflite"))
            with open(place["edged.conf"], "w") as config:
                config.write("[daemon]\nthreads-per-run = 3\n")
            with open(place["in.raw"], "wb") as tensor:
                tensor.write(bytes(i * 73 % 251 for i in range(96 * 96 * 3)))
            raw = ("--raw", "--input-format", "raw")
            expected = edgectl("run", *raw, LARGE, place["in.raw"])
            self.assertEqual(expected.returncode, 0, expected.stderr)
            edged = subprocess.Popen([EDGED, "--config", place["edged.conf"], "--socket", place["s"], "--models", place["models"],
                                      "--state", place["state"]], stderr=subprocess.PIPE)
            try:
                while True:
                    line = edged.stderr.readline()
                    self.assertTrue(line, "edged did not start")
                    if b"1 model" in line:
                        break
                for _ in range(20):
                    done = edgectl("infer", *raw, "large", place["in.raw"], env={"EDGED_SOCKET": place["s"]})
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(done.stdout, expected.stdout)
            finally:
                edged.send_signal(signal.SIGTERM)
                edged.communicate(timeout=60)


if __name__ == "__main__":
    absent = [name for name in ("digits", "keyword", "vibration") if not os.path.exists(model(name))]
    if absent:
        print("skipped: packaging/models has no", ", ".join(absent))
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
