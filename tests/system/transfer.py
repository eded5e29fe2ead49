#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signed models, bundles, install, export and remove: the real edged and edgectl, and the standard tools minisign, tar and zstd.

transfer.py EDGECTL EDGED ROOT. What lacks a tool is skipped, and says so.
"""
import base64
import hashlib
import io
import json
import os
import shutil
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
PAIRS = os.path.join(ROOT, "..", "shared", "models")


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


class Bundles(WithDaemon):
    def test_a_model_is_installed_from_a_file_and_from_a_stream(self):
        self.assertEqual(self.install(DIGITS), "digits version 1: ready")
        first = self.answers()
        self.assertEqual(self.install("-", "--name", "digits", stdin=other(1)), "digits version 2: ready")
        self.assertEqual(self.answers(), first)
        self.assertEqual(self.install("-", "--name", "digits", stdin=other(1)), "digits version 2: ready")
        self.restart()
        self.assertEqual(self.models()["digits"]["version"], "2")
        self.assertEqual(self.look()["digits"]["version"], "2")
        self.assertEqual(os.listdir(self.at("models")), [])

    def test_what_stands_beside_a_file_goes_with_it(self):
        path = self.write("here/seven.tflite", read(DIGITS))
        self.write("here/seven.labels.txt", b"zero\none\n")
        self.write("here/seven.golden", b"nonsense")
        self.assertIn("self-test, question 1", self.install(path))
        os.remove(self.at("here", "seven.golden"))
        self.assertEqual(self.install(path), "seven version 1: ready")
        with tarfile.open(fileobj=io.BytesIO(self.ask("export", "seven").stdout)) as tar:
            self.assertEqual(tar.extractfile("labels.txt").read(), b"zero\none\n")

    def test_what_is_exported_is_installed_elsewhere(self):
        golden = self.at("digits.golden")
        run(EDGECTL, "run", DIGITS, SAMPLE, "--record", golden, "-q")
        labels = b"".join(b"label %d\n" % i for i in range(10))
        source = bundle(("model.tflite", read(DIGITS)), ("labels.txt", labels), ("golden", read(golden)))
        self.assertEqual(self.install("-", "--name", "digits", stdin=source), "digits version 1: ready")
        out = self.ask("export", "digits")
        self.assertEqual((out.returncode, out.stderr), (0, b""))
        with tarfile.open(fileobj=io.BytesIO(out.stdout)) as tar:
            parts = {entry.name: tar.extractfile(entry).read() for entry in tar}
        self.assertEqual(parts, {"bundle.conf": b"[bundle]\nname = digits\n", "model.tflite": read(DIGITS), "labels.txt": labels,
                                 "golden": read(golden)})
        self.assertEqual(self.ask("remove", "digits").returncode, 0)
        self.assertEqual(self.install("-", stdin=out.stdout), "digits version 2: ready")
        self.assertEqual(self.install("-", "--name", "other", stdin=out.stdout), "other version 1: ready")
        self.assertEqual(self.ask("export", "other", self.at("other.tar")).returncode, 0)
        self.assertEqual(len(read(self.at("other.tar"))), len(out.stdout))
        self.assertEqual(self.ask("export", "nobody").returncode, 3)

    def test_a_removed_model_stays_gone(self):
        self.install(DIGITS)
        self.assertEqual(self.ask("pin", "digits").returncode, 0)
        self.assertEqual(self.ask("remove", "digits").returncode, 5)
        self.assertIn("is pinned", self.install(DIGITS))
        self.assertEqual(self.ask("unpin", "digits").returncode, 0)
        self.assertEqual(self.ask("remove", "digits").returncode, 0)
        self.assertEqual(self.models(), {})
        self.assertEqual(self.ask("infer", "digits", SAMPLE).returncode, 3)
        self.restart()
        self.assertEqual(self.look(), {})
        self.assertEqual(os.listdir(self.at("state", "blobs")), [])
        self.assertEqual(self.ask("remove", "digits").returncode, 3)

    def test_an_install_takes_the_place_of_the_folders_file_until_that_changes(self):
        self.write("models/digits.tflite", read(DIGITS))
        self.assertEqual(self.look()["digits"]["version"], "1")
        self.assertIn("models folder", self.ask("remove", "digits").stderr.decode())
        self.assertEqual(self.install("-", "--name", "digits", stdin=other(1)), "digits version 2: ready")
        self.assertEqual(self.look()["digits"]["version"], "2")
        self.restart()
        self.assertEqual(self.look()["digits"]["version"], "2")
        self.write("models/digits.tflite", other(2))
        self.assertEqual(self.look()["digits"]["version"], "3")
        self.assertEqual(self.install("-", "--name", "digits", stdin=other(3)), "digits version 4: ready")
        os.remove(self.at("models", "digits.tflite"))
        self.assertEqual(self.look()["digits"]["version"], "4")
        self.write("models/digits.tflite", b"no model")
        self.assertEqual((self.look()["digits"]["version"], self.look()["digits"]["state"]), ("4", "ready"))
        self.assertEqual(self.install("-", "--name", "digits", stdin=other(5)), "digits version 5: ready")
        os.remove(self.at("models", "digits.tflite"))
        self.assertEqual(self.look()["digits"]["version"], "5")
        self.assertEqual(self.ask("remove", "digits").returncode, 0)

    def test_a_bundle_in_the_models_folder_is_a_model(self):
        self.write("models/digits.tar", bundle(("labels.txt", b"a\n"), ("model.tflite", read(DIGITS))))
        found = self.look()["digits"]
        self.assertEqual((found["state"], found["version"]), ("ready", "1"))
        self.write("models/digits.tar", bundle(("model.tflite", read(DIGITS)[:-1000])))
        found = self.look()["digits"]
        self.assertEqual((found["state"], found["version"]), ("ready", "1"))
        self.assertNotEqual(found["reason"], "")
        os.remove(self.at("models", "digits.tar"))
        self.assertEqual(self.look(), {})

    def test_what_tar_itself_writes_is_taken(self):
        self.write("b/model.tflite", read(DIGITS))
        self.write("b/bundle.conf", b"[bundle]\nname = seven\n")
        for style in ("ustar", "gnu"):
            done = run("tar", "-C", self.at("b"), "--format=" + style, "-cf", self.at("b.tar"), "model.tflite", "bundle.conf")
            self.assertEqual(done.returncode, 0)
            self.assertEqual(self.install(self.at("b.tar")), "seven version 1: ready")

    def test_hostile_archives_are_refused_by_name(self):
        model, good = read(DIGITS), bundle(("model.tflite", read(DIGITS)))

        def entry(**fields):
            info = tarfile.TarInfo("model.tflite")
            for key, value in fields.items():
                setattr(info, key, value)
            return info.tobuf(tarfile.USTAR_FORMAT)

        def resized(field):
            header = bytearray(entry(size=len(model)))
            header[124:136] = field
            header[148:156] = b" " * 8
            header[148:156] = b"%06o\0 " % sum(header)
            return bytes(header) + model
        cases = [
            (entry(type=tarfile.SYMTYPE, linkname="/etc/shadow"), "model.tflite is a link"),
            (entry(type=tarfile.LNKTYPE, linkname="x"), "model.tflite is a link"),
            (entry(type=tarfile.CHRTYPE), "model.tflite is a device"),
            (entry(type=tarfile.FIFOTYPE), "model.tflite is a FIFO"),
            (entry(type=tarfile.DIRTYPE), "is a folder"),
            (entry(type=b"x", size=10) + bytes(512), "is an extended header"),
            (entry(type=b"g", size=10) + bytes(512), "is an extended header"),
            (entry(type=b"L", size=10) + bytes(512), "is a long name"),
            (entry(name="/etc/passwd"), "/etc/passwd does not belong into one"),
            (entry(name="../model.tflite"), "../model.tflite does not belong into one"),
            (entry(name="a\nb"), "does not belong into one"),
            (entry(name="d" * 90 + "/model.tflite"), "lies in a folder"),
            (bundle(("model.tflite", model), ("model.tflite", model)), "model.tflite is there twice"),
            (good[:1000], "model.tflite is cut short"),
            (good[:512 + (len(model) + 511) // 512 * 512], "it is cut short"),
            (resized(b"77777777777\0"), "model.tflite is cut short"),
            (resized(b"777777777777"), "model.tflite is cut short"),
            (resized(b"\x80" + b"\xff" * 11), "no size that counts"),
            (resized(b"-1\0\0\0\0\0\0\0\0\0\0"), "no size that counts"),
            (bytes(2048)[:257] + b"ustar" + bytes(2048), "no header of an archive"),
            (bundle(("labels.txt", b"x")), "it has no model.tflite"),
            (bundle(("model.tflite", model), ("labels.txt", b"x" * (1 << 20) + b"y")), "labels.txt: File too large"),
            (bundle(("model.tflite", model), ("model.conf", b"[other]\n")), "the only section is [model]"),
        ]
        self.assertEqual(self.install("-", "--name", "good", stdin=good), "good version 1: ready")
        for archive, why in cases:
            with self.subTest(why):
                self.assertIn(why, self.install("-", "--name", "hostile", stdin=archive))
        for conf, why in [(b"[bundle]\nname = ../x\n", "the only key is name"), (b"x" * 5000, "larger than 4096 bytes"),
                          (b"", "does not say which model it is")]:
            self.assertIn(why, self.install("-", stdin=bundle(("bundle.conf", conf), ("model.tflite", model))))
        self.assertEqual(self.answers("good"), self.answers("good"))
        self.assertEqual(len(os.listdir(self.at("state", "blobs"))), 1)

    def test_what_is_no_file_or_too_large_is_refused(self):
        self.write("edged.conf.d/x.conf", b"[models]\nmax-file-bytes = 4K\n")
        self.restart()
        self.assertIn("the limit is 4096", self.install(DIGITS))
        self.assertIn("the limit is 4096", self.install("-", "--name", "a", stdin=bundle(("model.tflite", read(DIGITS)))))
        self.assertEqual(self.install("-", "--name", "UPPER", stdin=read(DIGITS)), "edgectl: -: that cannot be a model's name")
        self.assertEqual(self.ask("install", self.at("nothing.tflite")).returncode, 6)
        self.assertEqual(self.ask("install", "-").returncode, 5)

    def test_a_client_that_dies_while_it_reads_its_stream_leaves_nothing(self):
        client = subprocess.Popen([EDGECTL, "install", "-", "--name", "half"], stdin=subprocess.PIPE, env={**os.environ, **self.env})
        client.stdin.write(read(DIGITS)[:5000])
        client.stdin.flush()
        client.kill()
        client.wait()
        client.stdin.close()
        self.assertEqual(self.look(), {})
        self.assertEqual(os.listdir(self.at("state", "blobs")), [])

    def test_a_file_that_changes_while_it_is_read_is_one_or_refused(self):
        """What is installed is always the whole of one file."""
        path, stop = self.write("b.tar", bundle(("model.tflite", read(DIGITS)))), threading.Event()

        def scribble():
            with open(path, "r+b") as file:
                while not stop.is_set():
                    file.seek(512 + len(read(DIGITS)) - 8)
                    file.write(os.urandom(8))
                    file.flush()
        thread = threading.Thread(target=scribble)
        thread.start()
        said = {self.install(path, "--name", "m").split(":")[-1].strip() for _ in range(10)}
        stop.set()
        thread.join()
        self.assertTrue(said, said)
        for name in os.listdir(self.at("state", "blobs")):
            self.assertEqual(hashlib.sha256(read(self.at("state", "blobs", name))).hexdigest(), name)


@unittest.skipUnless(shutil.which("zstd"), "SKIPPED: no zstd")
class Patches(WithDaemon):
    """The commands of docs/models.md."""

    def patch(self, old, new):
        old, new = self.write("old.tflite", old), self.write("new.tar", new)
        done = run("zstd", "-9", "--long=27", "-q", "-f", "--patch-from=" + old, new, "-o", self.at("patch"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.at("patch")

    def shell(self, line):
        return run("bash", "-o", "pipefail", "-c", line.replace("edgectl", EDGECTL).replace("FOLDER", self.path), env=self.env)

    def test_a_patch_brings_a_new_version(self):
        self.install(DIGITS)
        new = bundle(("bundle.conf", b"[bundle]\nname = digits\n"), ("model.tflite", other(1)))
        patch = self.patch(read(DIGITS), new)
        self.assertLess(os.path.getsize(patch), len(new) // 20)
        done = self.shell("edgectl export digits | tar -xOf - model.tflite > FOLDER/here.tflite && "
                          "zstd -dcq --long=27 --patch-from=FOLDER/here.tflite FOLDER/patch | edgectl install -")
        self.assertEqual((done.returncode, done.stdout), (0, b"digits version 2: ready\n"), done)
        self.assertEqual(self.models()["digits"]["sha256"], hashlib.sha256(other(1)).hexdigest())
        # The gateway has version 2 now: the same patch is not for that.
        done = self.shell("edgectl export digits | tar -xOf - model.tflite > FOLDER/here.tflite && "
                          "head -c 20000 FOLDER/here.tflite > FOLDER/less && "
                          "zstd -dcq --long=27 --patch-from=FOLDER/less FOLDER/patch | edgectl install -")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.models()["digits"]["version"], "2")

    @unittest.skipUnless(os.path.isdir(PAIRS), "SKIPPED: no " + PAIRS)
    def test_the_patch_of_a_head_that_was_tuned_is_small(self):
        """As in docs/models.md: weights of the last layer of MobileNet v2, one in twenty by one step."""
        data = bytearray(read(os.path.join(PAIRS, "coral", "mobilenet_v2_1.0_224_quant.tflite")))
        old, begin, size = bytes(data), data.index((1001 * 1280).to_bytes(4, "little")) + 4, 1001 * 1280
        for at in range(begin, begin + size, 20):
            data[at] = (data[at] + (at >> 4 & 2) - 1) % 256
        self.assertLess(os.path.getsize(self.patch(old, bytes(data))), len(old) // 5)


@unittest.skipUnless(shutil.which("minisign"), "SKIPPED: no minisign")
class Signed(WithDaemon):
    config = "signatures = require"

    def setUp(self):
        super().setUp()
        self.key("first")

    def key(self, name, trusted=True):
        folder = self.at("secret")
        os.makedirs(folder, exist_ok=True)
        public = self.at("keys" if trusted else "secret", name + ".pub")
        done = run("minisign", "-G", "-W", "-f", "-p", public, "-s", os.path.join(folder, name))
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.id_of(read(public).splitlines()[1])

    @staticmethod
    def id_of(line):
        return base64.b64decode(line)[2:10][::-1].hex().upper()

    def sign(self, data, comment, key="first", *flags):
        path = self.write("to-sign", data)
        done = run("minisign", "-S", "-W", "-s", self.at("secret", key), "-m", path, "-x", path + ".minisig", "-t", comment, *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return read(path + ".minisig")

    def signed(self, data, comment, key="first", *flags):
        return bundle(("model.tflite", data), ("model.tflite.minisig", self.sign(data, comment, key, *flags)))

    def give(self, archive, name="digits"):
        return self.install("-", "--name", name, stdin=archive).removeprefix("edgectl: -: ")

    def manifest(self, name="digits"):
        return dict(line.split(" = ", 1) for line in read(self.at("state", "manifests", name)).decode().splitlines() if " = " in line)

    def test_what_a_trusted_key_signed_serves_by_either_algorithm(self):
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:3 model:digits")), "digits version 3: ready")
        self.assertEqual(self.give(self.signed(other(1), "timestamp:1\tfile:x version:5", "first", "-l")), "digits version 5: ready")
        key = self.id_of(read(self.at("keys", "first.pub")).splitlines()[1])
        self.assertEqual("%016X" % int(self.manifest()["signed-by"]), key)
        self.assertIn(f"version 5 installed, sha256 {hashlib.sha256(other(1)).hexdigest()}, by uid {os.getuid()}, signed by {key}",
                      self.ask("history", "digits").stdout.decode())
        self.assertEqual((self.manifest()["signed-version"], self.manifest()["signed-newest"]), ("5", "5"))
        out = self.ask("export", "digits").stdout
        self.assertEqual(self.ask("remove", "digits").returncode, 0)
        self.assertEqual(self.install("-", stdin=out), "digits version 5: ready")
        self.assertNotIn(b"libsodium", read(f"/proc/{self.edged.pid}/maps"))  # it is let go

    def test_what_nobody_signed_or_for_something_else_is_refused(self):
        first = self.signed(read(DIGITS), "version:1")
        stranger = self.key("stranger", trusted=False)
        good = self.sign(read(DIGITS), "version:1")
        lines = good.splitlines(keepends=True)
        other_lines = self.sign(other(1), "version:9").splitlines(keepends=True)

        def with_signature(text):
            return bundle(("model.tflite", read(DIGITS)), ("model.tflite.minisig", text))

        def flipped(line, at):
            raw = bytearray(base64.b64decode(lines[line]))
            raw[at] ^= 1
            return b"".join([*lines[:line], base64.b64encode(raw) + b"\n", *lines[line + 1:]])
        cases = [
            (bundle(("model.tflite", read(DIGITS))), "there is none"),
            (self.signed(read(DIGITS), "version:1", "stranger"), "no trusted key " + stranger),
            (with_signature(self.sign(other(1), "version:1")), "it is not of this file"),
            (with_signature(self.sign(other(1), "version:1", "first", "-l")), "it is not of this file"),
            (with_signature(b"".join(lines[:2] + other_lines[2:])), "its trusted comment is not the one that was signed"),
            (with_signature(b"".join(lines[:2] + [b"trusted comment: version:9\n"] + lines[3:])),
             "its trusted comment is not the one that was signed"),
            (with_signature(flipped(1, 40)), "its trusted comment is not the one that was signed"),
            (with_signature(flipped(3, 5)), "its trusted comment is not the one that was signed"),
            (with_signature(flipped(1, 1)), "an unknown algorithm"),
            (with_signature(flipped(1, 5)), "no trusted key"),
            (self.signed(read(DIGITS), "no number"), "its trusted comment has no version:N"),
            (self.signed(read(DIGITS), "version:0"), "version of the trusted comment is malformed"),
            (self.signed(read(DIGITS), "version:1 version:2"), "version of the trusted comment is malformed or twice there"),
            (self.signed(read(DIGITS), "version:99999999999999999999"), "version of the trusted comment is malformed"),
            (self.signed(read(DIGITS), "version:1 expires:2020-02-30"), "expires of the trusted comment is malformed"),
            (self.signed(read(DIGITS), "version:1 expires:2020-01-31"), "it has expired"),
            (self.signed(read(DIGITS), "version:1 expires:2020-01-31T10:00:00Z"), "it has expired"),
            (self.signed(read(DIGITS), "version:1 model:keyword"), "it is for model keyword"),
            (with_signature(good + b"more\n"), "more than one signature"),
            (with_signature(good[:-4]), "no signature of minisign"),
            (with_signature(b"x" * 8193), "model.tflite.minisig: File too large"),
            (with_signature(b""), "no signature of minisign"),
            (with_signature(b"\0" * 400), "no signature of minisign"),
        ]
        for archive, why in cases:
            with self.subTest(why):
                self.assertIn(why, self.give(archive))
        self.assertEqual(self.models(), {})
        self.assertEqual(os.listdir(self.at("state", "blobs")), [])
        self.assertEqual(self.give(first), "digits version 1: ready")

    def test_labels_are_signed_by_their_digest(self):
        labels = b"zero\none\n"
        signature = self.sign(read(DIGITS), "version:1 labels:" + hashlib.sha256(labels).hexdigest())
        for parts in ([], [("labels.txt", b"one\nzero\n")]):
            archive = bundle(("model.tflite", read(DIGITS)), ("model.tflite.minisig", signature), *parts)
            self.assertEqual(self.give(archive), "signature: the labels are not those that were signed")
        # In the models folder as elsewhere.
        self.write("models/digits.tar", bundle(("model.tflite", read(DIGITS)), ("model.tflite.minisig", signature), ("labels.txt", labels)))
        found = self.look()["digits"]
        self.assertEqual((found["state"], found["version"]), ("ready", "1"))

    def test_an_older_version_comes_back_by_rollback_alone(self):
        old, new = self.signed(read(DIGITS), "version:3"), self.signed(other(1), "version:5")
        self.give(old)
        for _ in range(11):
            self.ask("infer", "digits", *[SAMPLE] * 10)
        self.assertIn(b"version 3 is good", self.ask("history", "digits").stdout)
        self.assertEqual(self.give(new), "digits version 5: ready")
        self.assertEqual(self.give(old), "signature: version 3 is older than 5")
        self.assertEqual(self.give(self.signed(other(2), "version:5")), "signature: version 5 was another file")
        self.assertEqual(self.ask("rollback", "digits").returncode, 0)
        self.assertEqual(self.models()["digits"]["version"], "3")
        self.assertIn("older than 5", self.give(self.signed(other(3), "version:4")))
        self.restart()
        self.assertEqual(self.look()["digits"]["version"], "3")
        self.assertEqual(self.ask("remove", "digits").returncode, 0)
        self.restart()
        self.assertEqual(self.look(), {})
        self.assertEqual(self.give(old), "signature: version 3 is older than 5")
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:6")), "digits version 6: ready")

    def test_keys_take_over_from_one_another_and_go(self):
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:1")), "digits version 1: ready")
        second = self.key("second", trusted=False)
        archive = self.signed(other(1), "version:2", "second")
        self.assertEqual(self.give(archive), "signature: no trusted key " + second)
        shutil.copy(self.at("secret", "second.pub"), self.at("keys", "second.pub"))
        self.assertEqual(self.give(archive), "digits version 2: ready")
        os.remove(self.at("keys", "first.pub"))
        self.assertIn("no trusted key", self.give(self.signed(other(2), "version:3")))
        os.remove(self.at("keys", "second.pub"))
        self.restart()  # what was accepted serves
        self.assertEqual(self.look()["digits"]["version"], "2")

    def test_a_refused_file_of_the_folder_is_tried_again_with_other_keys(self):
        second = self.key("second", trusted=False)
        self.write("models/digits.tflite.minisig", self.sign(read(DIGITS), "version:7", "second"))
        self.write("models/digits.tflite", read(DIGITS))
        self.assertEqual(self.look()["digits"]["reason"], "signature: no trusted key " + second)
        self.rest(self.at("models", "digits.tflite"))
        self.assertEqual(self.look()["digits"]["state"], "refused")  # from now on it is not copied again
        shutil.copy(self.at("secret", "second.pub"), self.at("keys", "second.pub"))
        found = self.look()["digits"]
        self.assertEqual((found["state"], found["version"]), ("ready", "7"))
        os.makedirs(self.at("models", "digits", "8"))
        self.write("models/digits/8/model.tflite.minisig", self.sign(other(1), "version:9"))
        self.write("models/digits/8/model.tflite", other(1))
        self.assertEqual(self.look()["digits"]["reason"], "version 8: signature: it is of version 9, not 8")
        self.write("models/digits/8/model.tflite.minisig", self.sign(other(1), "version:8"))
        self.assertEqual(self.look()["digits"]["version"], "8")

    def test_key_files_that_are_none_are_left_out(self):
        self.write("keys/large.pub", b"x" * 100000)
        self.write("keys/empty.pub", b"")
        self.write("keys/half.pub", read(self.at("keys", "first.pub"))[:-10])
        os.mkfifo(self.at("keys", "fifo.pub"))
        os.mkdir(self.at("keys", "folder.pub"))
        os.symlink("loop.pub", self.at("keys", "loop.pub"))
        self.write("keys/note.txt", b"no key")
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:1")), "digits version 1: ready")
        self.stop()
        log = b"".join(self.log)
        for name, why in [("large", "too long"), ("empty", "no public key"), ("half", "no public key"), ("fifo", "not a regular file"),
                          ("folder", "not a regular file"), ("loop", "symbolic links")]:
            self.assertRegex(log, f"key {name}.pub is left out: .*{why}".encode())
        self.assertNotIn(b"note.txt", log)
        self.start()

    def test_without_the_keys_folder_nothing_new_serves(self):
        archive = self.signed(read(DIGITS), "version:1")
        os.rename(self.at("keys"), self.at("elsewhere"))
        self.assertRegex(self.give(archive), "^signature: no trusted key [0-9A-F]{16}: the keys folder: No such file or directory$")
        self.write("keys", b"no folder")
        self.assertIn("the keys folder: Not a directory", self.give(archive))
        os.remove(self.at("keys"))
        os.rename(self.at("elsewhere"), self.at("keys"))
        self.assertEqual(self.give(archive), "digits version 1: ready")

    def test_the_policy_of_a_model_comes_before_that_of_all(self):
        self.write("edged.conf.d/x.conf", b"[models]\nsignatures-of = free=off, warned=warn\n")
        self.restart()
        self.assertEqual(self.give(bundle(("model.tflite", read(DIGITS))), "free"), "free version 1: ready")
        self.assertEqual(self.give(bundle(("model.tflite", read(DIGITS))), "warned"), "warned version 1: ready")
        self.assertEqual(self.give(bundle(("model.tflite", read(DIGITS))), "kept"), "signature: there is none")
        self.assertIn(b"accepted all the same: signature: there is none", self.ask("history", "warned").stdout)
        # What comes with the model decides nothing.
        conf = bundle(("model.tflite", read(DIGITS)), ("model.conf", b"[model]\nsignatures = off\n"))
        self.assertIn("there is no key signatures", self.give(conf, "kept"))

    def test_a_refused_file_is_not_opened_by_anything(self):
        """What is no model at all is refused for its signature: nothing has looked at it."""
        self.assertEqual(self.give(bundle(("model.tflite", b"nonsense" * 100))), "signature: there is none")
        self.assertIn("has no", self.give(self.signed(b"nonsense" * 100, "nothing")))
        self.assertNotIn("signature", self.give(self.signed(b"nonsense" * 100, "version:1")))
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:1")), "digits version 1: ready")  # it was never accepted

    def test_signatures_that_are_broken_anywhere_are_refused(self):
        """Every byte of a signature's file counts but those of the untrusted comment."""
        good = self.sign(read(DIGITS), "version:1")
        begin = good.index(b"\n") + 1
        for at in range(begin, len(good) - 1, 7):
            broken = bytearray(good)
            broken[at] ^= 4
            with self.subTest(at):
                said = self.give(bundle(("model.tflite", read(DIGITS)), ("model.tflite.minisig", bytes(broken))))
                self.assertTrue(said.startswith("signature: "), said)
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:1")), "digits version 1: ready")


if __name__ == "__main__":
    if not os.path.exists(DIGITS):
        print("SKIPPED: the shipped models are not there")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
