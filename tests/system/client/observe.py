#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What edged tells of itself, seen by edgectl: status, top, flight records, the configuration.

observe.py EDGECTL EDGED ROOT
"""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import unittest

EDGECTL, EDGED, ROOT = sys.argv[1:4]
MODELS = os.path.join(ROOT, "packaging", "models")
DIGIT = os.path.join(MODELS, "samples", "digit-7.png")
PHASES = ("queue", "compute", "total")


class Daemon(unittest.TestCase):
    """edged with the three shipped models in a folder of its own."""
    config = ""
    arguments = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.state = self.path("state")
        os.mkdir(self.state)
        with open(self.path("edged.conf"), "w", encoding="utf-8") as file:
            file.write(self.config)
        self.log = []
        self.env = {**os.environ, "EDGED_SOCKET": self.path("s")}
        self.edged = subprocess.Popen(
            [EDGED, "--config", self.path("edged.conf"), "--socket", self.path("s"), "--models", MODELS, "--state", self.state,
             *self.arguments], stderr=subprocess.PIPE)
        self.addCleanup(self.stop)
        self.wait_log("models ready")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def stop(self):
        if self.edged.poll() is None:
            self.edged.send_signal(signal.SIGTERM)
        self.edged.communicate(timeout=60)

    def wait_log(self, text):
        while True:
            line = self.edged.stderr.readline().decode()
            self.assertTrue(line, f"edged ended without: {text}; it said {self.log}")
            self.log.append(line)
            if text in line:
                return line

    def ask(self, *args):
        return subprocess.run([EDGECTL, *args], env=self.env, capture_output=True, timeout=60)

    def ask_json(self, *args):
        done = self.ask(*args, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def infer(self, n):
        done = self.ask("infer", "digits", *[DIGIT] * n, "-q")
        self.assertEqual(done.returncode, 0, done.stderr)


class Status(Daemon):
    def test_each_answer_is_in_the_histograms_of_its_model(self):
        self.infer(20)
        status = self.ask_json("status")
        self.assertEqual(set(status["queue"].values()), {0})
        self.assertEqual(list(status["queue"]), ["control", "realtime", "normal", "batch"])
        self.assertTrue(status["backends"][0].startswith("cpu: "), status["backends"])
        models = {m["name"]: m for m in status["models"]}
        self.assertEqual(list(models), ["digits", "keyword", "vibration"])
        digits = models["digits"]
        self.assertEqual((digits["state"], digits["version"], digits["requests"]["OK"]), ("ready", "1", 20))
        self.assertGreater(digits["held_bytes"], 0)
        for phase in PHASES:
            figures = digits[phase]
            self.assertEqual(figures["count"], 20)
            times = [figures[key] for key in ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")]
            self.assertEqual(times, sorted(times))
            self.assertLessEqual(figures["p50_us"] * 10, figures["sum_us"] * 1.04)
            self.assertEqual(models["keyword"][phase]["count"], 0)
        self.assertGreaterEqual(digits["total"]["sum_us"], digits["queue"]["sum_us"] + digits["compute"]["sum_us"])
        self.assertEqual(status["requests"]["OK"], 20)

    def test_failures_are_counted_by_kind_and_model(self):
        self.infer(1)
        self.assertEqual(self.ask("infer", "digits", DIGIT, "-s", "none").returncode, 3)
        self.assertEqual(self.ask("infer", "keyword", "text:1,2", "--no-pipeline").returncode, 6)
        status = self.ask_json("status")
        self.assertEqual(status["requests"]["OK"], 1)
        self.assertEqual(sum(m["requests"]["OK"] for m in status["models"]), 1)

    def test_users_are_told_with_their_part_of_the_work(self):
        self.infer(3)
        (user,) = self.ask_json("status")["users"]
        self.assertEqual((user["uid"], user["clients"], user["queued"]), (os.getuid(), 1, 0))
        self.assertGreater(user["charged_bytes"], 0)  # this question itself

    def test_the_tables_have_a_row_for_each_model(self):
        self.infer(3)
        text = self.ask("status").stdout.decode()
        self.assertIn("queued realtime", text)
        rows = {line.split()[0]: line.split() for line in text.split("\n\n")[2].splitlines()}
        self.assertEqual(rows["MODEL"], ["MODEL", "VERSION", "STATE", "OK", "FAILED", "QUEUE", "COMPUTE", "P50", "P90", "P99", "P99.9"])
        self.assertEqual(rows["digits"][:5], ["digits", "1", "ready", "3", "0"])
        self.assertEqual(rows["keyword"][5:], ["-"] * 6)


class Top(Daemon):
    def test_pages_follow_each_other_where_there_is_no_terminal(self):
        self.infer(5)
        done = self.ask("top", "-n", "2")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertNotIn(b"\033", done.stdout)
        pages = done.stdout.decode().split("edged 0.")[1:]
        self.assertEqual(len(pages), 2)
        rows = [next(line.split() for line in page.splitlines() if line.startswith("digits ")) for page in pages]
        for row in rows:  # the first one too: what was counted before may be older than the daemon
            self.assertEqual(row[2:], ["0.0", "0.0"] + ["-"] * 5)

    def top_on_a_terminal(self):
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(EDGECTL, [EDGECTL, "top"], {**self.env, "TERM": "xterm"})
        self.addCleanup(os.close, fd)
        return pid, fd

    def read_until(self, fd, wanted):
        seen = b""
        while wanted not in seen:
            self.assertTrue(select.select([fd], [], [], 30)[0], seen)
            try:
                data = os.read(fd, 65536)
            except OSError:  # the other end has gone
                break
            seen += data
        self.assertIn(wanted, seen)
        return seen

    def test_q_ends_it_on_a_terminal_which_is_as_before(self):
        for key in (b"q", b"\x03"):
            pid, fd = self.top_on_a_terminal()
            self.assertIn(b"\033[H", self.read_until(fd, b"BUSY"))
            os.write(fd, key)
            self.read_until(fd, b"\033[?25h\033[?7h")  # the cursor is there again
            self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_a_daemon_that_goes_away_is_told(self):
        top = subprocess.Popen([EDGECTL, "top"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(top.stdout.readline().startswith(b"edged 0."))
        self.edged.send_signal(signal.SIGTERM)
        stderr = top.communicate(timeout=60)[1]
        self.assertTrue(stderr.startswith(b"edgectl: "), stderr)
        self.assertNotEqual(top.returncode, 0)


class Flight(Daemon):
    def test_the_last_requests_are_shown_in_order(self):
        self.infer(2)
        self.assertEqual(self.ask("infer", "none", DIGIT).returncode, 3)
        table = [line.split() for line in self.ask("flight").stdout.decode().splitlines()]
        self.assertEqual(table[0], ["ENDED", "MODEL", "VERSION", "STATUS", "CLASS", "QUEUE", "COMPUTE", "TOTAL", "BYTES", "USER", "PID"])
        self.assertEqual([row[2:6] for row in table[1:3]], [["digits", "1", "OK", "normal"]] * 2)
        told = self.ask_json("flight")
        self.assertEqual((told["pid"], told["signal"], told["requests"]), (self.edged.pid, 0, len(told["records"])))
        first, second = told["records"][:2]
        self.assertEqual((first["seq"], first["model"], first["status"], first["uid"]), (1, "digits", "OK", os.getuid()))
        self.assertGreater(first["body_bytes"], 0)
        self.assertGreaterEqual(first["total_us"], first["queue_us"] + first["compute_us"])
        self.assertLessEqual(first["ended_us"], second["ended_us"])
        lines = self.ask("flight", "-o", "jsonl").stdout.splitlines()
        self.assertEqual(json.loads(lines[0]), first)

    def test_files_are_read_without_a_daemon(self):
        self.infer(2)
        self.edged.send_signal(signal.SIGUSR1)
        path = self.wait_log("flight records of 2 requests").split()[-1]
        self.assertEqual(path, os.path.join(self.state, "flight"))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.edged.send_signal(signal.SIGSEGV)
        self.edged.wait(timeout=60)
        self.assertEqual([r["model"] for r in self.ask_json("flight", path)["records"]], ["digits"] * 2)
        done = self.ask("flight", os.path.join(self.state, "flight.crash"))
        self.assertIn(f"edged, process {self.edged.pid}, was ended by signal 11".encode(), done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 3)
        for bad in (DIGIT, "/nonexistent", self.state):
            self.assertEqual(self.ask("flight", bad).returncode, 6)


class Slow(Daemon):
    config = "[daemon]\nslow-request = 20us\n"

    def test_the_steps_of_a_real_model_are_named_with_their_kernels(self):
        shown = json.loads(subprocess.run([EDGECTL, "show", os.path.join(MODELS, "keyword.tflite"), "--json"], capture_output=True).stdout)
        done = self.ask("infer", "keyword", *[os.path.join(MODELS, "samples", "yes.wav")] * 20, "-q")
        self.assertEqual(done.returncode, 0, done.stderr)
        line = self.wait_log("slow request: model keyword version 1")
        steps = line.split("; slowest steps: ")[1].split("; ")[0].split(", ")
        self.assertEqual(len(steps), min(4, len(shown["nodes"])))
        times = []
        for step in steps:
            number, op, *detail, us, unit = step.split()
            self.assertEqual((shown["nodes"][int(number)]["op"], unit), (op, "us"))
            self.assertEqual(" ".join(detail), shown["nodes"][int(number)]["kernel"])
            times.append(int(us))
        self.assertEqual(times, sorted(times, reverse=True))


class Config(Daemon):
    config = "[daemon]\nworkers = 2\nslow-request = 1500us\n[limits]\nmax-body = 2M\nheader-timeout = 2s\n"

    def shown(self):
        return {(item["section"], item["key"]): item for item in self.ask_json("config", "show")}

    def test_each_value_is_told_with_its_origin(self):
        os.mkdir(self.path("edged.conf.d"))
        with open(self.path("edged.conf.d/10-later.conf"), "w", encoding="utf-8") as file:
            file.write("# later wins\n[limits]\nmax-body = 3145728\n")
        self.edged.send_signal(signal.SIGHUP)
        self.wait_log("models ready")
        shown, file = self.shown(), self.path("edged.conf")
        for key, value, origin in [
                (("daemon", "workers"), "2", file + ":2"), (("daemon", "slow-request"), "1500us", file + ":3"),
                (("limits", "max-body"), "3M", self.path("edged.conf.d/10-later.conf") + ":3"),
                (("limits", "header-timeout"), "2s", file + ":6"), (("daemon", "socket"), self.path("s"), "--socket"),
                (("daemon", "state"), self.state, "--state"), (("daemon", "socket-mode"), "0660", "default"),
                (("models", "rescan"), "1min", "default"), (("models", "signatures"), "off", "default")]:
            self.assertEqual((shown[key]["value"], shown[key]["origin"], "pending" in shown[key]), (value, origin, False), key)

    def test_what_the_files_say_by_now_is_told(self):
        with open(self.path("edged.conf"), "w", encoding="utf-8") as file:
            file.write("[daemon]\nworkers = 3\nslow-request = 2ms\n")
        shown = self.shown()
        self.assertEqual(shown["daemon", "workers"]["value"], "2")
        self.assertEqual(shown["daemon", "workers"]["pending"], "3, after a restart")
        self.assertEqual(shown["daemon", "slow-request"]["pending"], "2ms, after a reload")
        with open(self.path("edged.conf"), "w", encoding="utf-8") as file:
            file.write("nonsense\n")
        shown = self.shown()
        self.assertEqual(shown["daemon", "workers"]["value"], "2")
        self.assertTrue(shown["daemon", "workers"]["origin"].startswith("not known"))

    def test_what_is_shown_is_a_file_that_means_the_same(self):
        text = self.ask("config", "show").stdout.decode()
        self.assertIn("[limits]\n", text)
        with open(self.path("again.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([EDGED, "--check-config", "--config", self.path("again.conf")], capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        values = {line for line in text.splitlines() if " = " in line}
        printed = subprocess.run([EDGED, "--print-config"], capture_output=True).stdout.decode()
        keys = {line.lstrip("#").split(" = ")[0] for line in printed.splitlines() if line.startswith("#") and " = " in line and not line.startswith("# ")}
        self.assertEqual({line.split(" = ")[0] for line in values}, keys)
        self.assertEqual(self.ask("config", "frobnicate").returncode, 2)


class Watch(Daemon):
    def test_each_line_goes_into_a_pipe_at_once(self):
        for form, known in (("table", b"digits 1 ready"), ("jsonl", b'"state":"ready"')):
            with subprocess.Popen([EDGECTL, "watch", "-o", form], env=self.env, stdout=subprocess.PIPE, bufsize=0) as watch:
                try:
                    self.assertTrue(select.select([watch.stdout], [], [], 60)[0], f"-o {form}: nothing comes")
                    self.assertIn(known, watch.stdout.read(4096))
                finally:
                    watch.kill()


if __name__ == "__main__":
    if not os.path.exists(os.path.join(MODELS, "digits.tflite")):
        print("the shipped models are not there")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
