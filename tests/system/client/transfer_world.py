# SPDX-License-Identifier: Apache-2.0
"""What transfer.py and signed.py share: an edged of its own for each test, and archives. The arguments are EDGECTL EDGED ROOT."""
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest

EDGECTL, EDGED, ROOT = sys.argv[1:4]
DIGITS = os.path.join(ROOT, "packaging", "models", "digits.tflite")
SAMPLE = os.path.join(ROOT, "packaging", "models", "samples", "digit-7.png")


def run(*args, stdin=b"", env=None):
    return subprocess.run(args, input=stdin, capture_output=True, timeout=60, env={**os.environ, **(env or {})})


def read(path):
    with open(path, "rb") as file:
        return file.read()


def bundle(*parts):
    """An archive of (name, bytes) as tar itself would write it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in parts:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class WithDaemon(unittest.TestCase):
    config = ""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.path = self.folder.name
        for name in ("models", "state", "keys"):
            os.mkdir(os.path.join(self.path, name))
        self.env = {"EDGED_SOCKET": self.at("s")}
        self.edged = None
        self.write("edged.conf", f"[models]\nwatch = no\nkeys = {self.at('keys')}\n{self.config}\n".encode())
        self.start()

    def tearDown(self):
        self.stop()
        self.folder.cleanup()

    def start(self):
        self.edged = subprocess.Popen([EDGED, "--config", self.at("edged.conf"), "--socket", self.env["EDGED_SOCKET"],
                                       "--models", self.at("models"), "--state", self.at("state")], stderr=subprocess.PIPE)
        self.log = []
        line = b""
        while b" models ready" not in line:
            line = self.edged.stderr.readline()
            self.assertTrue(line, b"".join(self.log))
            self.log.append(line)
        self.drain = threading.Thread(target=lambda: self.log.extend(self.edged.stderr))
        self.drain.start()

    def stop(self):
        self.edged.send_signal(signal.SIGTERM)
        self.assertEqual(self.edged.wait(60), 0)
        self.drain.join()
        self.edged.stderr.close()

    def restart(self):
        self.stop()
        self.start()

    def at(self, *names):
        return os.path.join(self.path, *names)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name + ".new"), "wb") as file:
            file.write(data)
        os.rename(self.at(name + ".new"), self.at(name))
        return self.at(name)

    def ask(self, *args, stdin=b""):
        return run(EDGECTL, *args, stdin=stdin, env=self.env)

    def install(self, *args, stdin=b""):
        """What it says: the line, or the reason without what comes before it."""
        done = self.ask("install", *args, stdin=stdin)
        self.assertEqual(done.returncode == 0, done.stderr == b"", done)
        return done.stdout.decode().strip() if done.returncode == 0 else done.stderr.decode().strip()

    def models(self):
        return {row["name"]: row for row in json.loads(self.ask("list", "--json").stdout)}

    def look(self):
        self.assertEqual(self.ask("reload").returncode, 0)
        return self.models()

    @staticmethod
    def rest(path):
        """Until the file is old enough for edged to know it again by its time stamp."""
        while time.time() < os.stat(path).st_ctime + 4:
            time.sleep(0.1)

    def answers(self, name="digits"):
        done = self.ask("infer", name, SAMPLE, "--raw")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


def other(n):
    """The same model in another file."""
    return read(DIGITS) + bytes([n]) * 16


def main():
    if not os.path.exists(DIGITS):
        print("SKIPPED: the shipped models are not there")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
