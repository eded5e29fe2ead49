#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles, install, export, remove and patches: the real edged and edgectl, and the standard tools tar and zstd.

transfer.py EDGECTL EDGED ROOT. What lacks a tool is skipped, and says so.
"""
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import threading
import unittest

from transfer_world import DIGITS, EDGECTL, ROOT, SAMPLE, WithDaemon, bundle, main, other, read, run

PAIRS = os.path.join(ROOT, "..", "shared", "models")


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
        conf = b"# ours\n[model]\nallow-signature-change = yes\n"
        source = bundle(("model.tflite", read(DIGITS)), ("labels.txt", labels), ("golden", read(golden)), ("model.conf", conf))
        self.assertEqual(self.install("-", "--name", "digits", stdin=source), "digits version 1: ready")
        out = self.ask("export", "digits")
        self.assertEqual((out.returncode, out.stderr), (0, b""))
        with tarfile.open(fileobj=io.BytesIO(out.stdout)) as tar:
            parts = {entry.name: tar.extractfile(entry).read() for entry in tar}
        self.assertEqual(parts, {"bundle.conf": b"[bundle]\nname = digits\n", "model.tflite": read(DIGITS), "labels.txt": labels,
                                 "golden": read(golden), "model.conf": conf})
        self.assertEqual(self.ask("remove", "digits").returncode, 0)
        self.assertEqual(self.install("-", stdin=out.stdout), "digits version 2: ready")
        self.assertEqual(self.install("-", "--name", "other", stdin=out.stdout), "other version 1: ready")
        self.assertEqual(self.ask("export", "other", self.at("other.tar")).returncode, 0)
        self.assertEqual(len(read(self.at("other.tar"))), len(out.stdout))
        self.assertEqual(self.ask("export", "digits").stdout, out.stdout)
        self.assertEqual(self.ask("export", "nobody").returncode, 3)
        nowhere = self.ask("export", "digits", self.at("missing/x.tar"))
        self.assertEqual(nowhere.returncode, 6)
        self.assertIn(b"missing/x.tar: No such file or directory", nowhere.stderr)

    def test_an_export_that_fails_leaves_the_one_before(self):
        self.install(DIGITS)
        self.assertEqual(self.ask("export", "digits", self.at("x.tar")).returncode, 0)
        before = read(self.at("x.tar"))
        done = run("bash", "-c", f"ulimit -f 8; trap '' XFSZ; {EDGECTL} export digits {self.at('x.tar')}", env=self.env)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertEqual(read(self.at("x.tar")), before)
        self.assertFalse(os.path.exists(self.at("x.tar.part")))

    def test_an_export_touches_no_file_of_another_name(self):
        self.install(DIGITS)
        self.write("x.tar.part", b"mine")
        os.symlink("x.tar.part", self.at("x.tar.part1"))
        there = set(os.listdir(self.path))
        self.assertEqual(self.ask("export", "digits", self.at("x.tar")).returncode, 0)
        self.assertEqual(read(self.at("x.tar")), self.ask("export", "digits").stdout)
        done = run("bash", "-c", f"ulimit -f 8; trap '' XFSZ; {EDGECTL} export digits {self.at('x.tar')}", env=self.env)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertEqual(read(self.at("x.tar.part")), b"mine")
        self.assertTrue(os.path.islink(self.at("x.tar.part1")))
        self.assertEqual(set(os.listdir(self.path)) - there, {"x.tar"})

    def test_names_that_nobody_has_are_told_alike(self):
        long = "n" * 65
        for args in (["load", long], ["pin", long], ["history", long], ["install", DIGITS, "--name", long]):
            said = self.ask(*args)
            self.assertEqual(said.returncode, 5, said)
            self.assertTrue(said.stderr.endswith(b": that cannot be a model's name\n"), said)
        for args in (["load", "nix"], ["remove", "nix"], ["pin", "nix"], ["export", "nix"], ["infer", "nix", SAMPLE], ["show", "nix"]):
            said = self.ask(*args)
            self.assertEqual((said.returncode, said.stderr), (3, b"edgectl: model nix: there is no such model\n"), args)
        self.install("-", "--name", "bad", stdin=b"no model")
        self.write("models/bad.tflite", b"no model")
        self.look()
        self.assertEqual(self.ask("load", "bad").stderr, b"edgectl: model bad: there is nothing to load\n")

    def test_another_self_test_for_the_same_file_is_asked(self):
        golden = self.at("digits.golden")
        run(EDGECTL, "run", DIGITS, SAMPLE, "--record", golden, "-q")
        self.assertEqual(self.install(DIGITS), "digits version 1: ready")
        wrong = bytearray(read(golden))
        wrong[-1] ^= 1
        said = self.install("-", "--name", "digits", stdin=bundle(("model.tflite", read(DIGITS)), ("golden", bytes(wrong))))
        self.assertIn("self-test", said)
        self.assertEqual(self.install("-", "--name", "digits", stdin=bundle(("model.tflite", read(DIGITS)), ("golden", read(golden)))),
                         "digits version 1: ready")
        with tarfile.open(fileobj=io.BytesIO(self.ask("export", "digits").stdout)) as tar:
            self.assertEqual(tar.extractfile("golden").read(), read(golden))

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
        for style in ("ustar", "gnu", "pax"):
            for files in (["model.tflite", "bundle.conf"], ["./bundle.conf", "./model.tflite"], ["."]):
                done = run("tar", "-C", self.at("b"), "--format=" + style, "-cf", self.at("b.tar"), *files)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(self.install(self.at("b.tar")), "seven version 1: ready")

    def test_what_python_writes_by_itself_is_taken(self):
        self.write("b/model.tflite", read(DIGITS))
        with tarfile.open(self.at("b.tar"), "w") as tar:
            tar.add(self.at("b"), ".")
        self.assertIn(b"mtime=", read(self.at("b.tar")))
        self.assertEqual(self.install(self.at("b.tar"), "--name", "seven"), "seven version 1: ready")

    def test_hostile_archives_are_refused_by_name(self):
        model, good = read(DIGITS), bundle(("model.tflite", read(DIGITS)))

        def entry(**fields):
            info = tarfile.TarInfo("model.tflite")
            for key, value in fields.items():
                setattr(info, key, value)
            return info.tobuf(tarfile.USTAR_FORMAT)

        def extended(text, kind=b"x"):
            size = len(text) or 1
            return entry(type=kind, size=size) + text.ljust((size + 511) // 512 * 512, b"\0")

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
            (extended(b""), "an extended header is malformed"),
            (extended(b"14 path=/etc/p\n"), "an extended header is malformed"),
            (extended(b"99 mtime=1\n"), "an extended header is malformed"),
            (extended(b"11 mtime=1\n" + b"0 =\n"), "an extended header is malformed"),
            (extended(b"15 path=/etc/p\n"), "an extended header says path"),
            (extended(b"11 mtime=1\n" + b"12 size=999\n"), "an extended header says size"),
            (extended(b"24 GNU.sparse.size=9999\n", b"g"), "an extended header says GNU.sparse.size"),
            (entry(type=b"x", size=5000) + bytes(8192), "an extended header is too long"),
            (entry(type=b"x", size=2000), "it is cut short"),
            (extended(b"11 mtime=1\n") * 20 + good, "more entries than belong into one"),
            (entry(type=b"5", name="./", size=1 << 30), "is a folder"),
            (entry(type=b"5", name="a/"), "a/ is a folder"),
            (entry(name="././model.tflite"), "does not belong into one"),
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

    def test_who_wants_no_shared_memory_installs_and_exports(self):
        self.write("edged.conf.d/x.conf", b"[limits]\nmax-regions = 0\nmax-shared-clients = 0\n")
        self.restart()
        self.assertEqual(self.install(DIGITS), "digits version 1: ready")
        self.assertEqual(self.ask("export", "digits", self.at("x.tar")).returncode, 0)
        self.assertEqual(len(self.answers()), 10)

    def test_what_is_refused_and_what_is_bad_is_in_the_journal(self):
        golden = self.at("digits.golden")
        run(EDGECTL, "run", DIGITS, SAMPLE, "--record", golden, "-q")
        wrong = bytearray(read(golden))
        wrong[-1] ^= 0x40
        reason = self.install("-", "--name", "m", stdin=bundle(("model.tflite", read(DIGITS)), ("golden", bytes(wrong))))
        self.assertIn("self-test, question 1", reason)
        self.install("-", "--name", "n", stdin=b"no model")
        bad, = os.listdir(self.at("state", "bad"))
        self.stop()
        log = b"".join(self.log).decode().splitlines()
        self.start()
        self.assertEqual(bad, hashlib.sha256(read(DIGITS)).hexdigest())
        self.assertEqual([line.endswith("model m: refused: " + reason.removeprefix("edgectl: -: ")) for line in log].count(True), 1, log)
        self.assertEqual(["file " + bad + " is bad: its answers are not those of golden " in line for line in log].count(True), 1, log)
        self.assertEqual(["model n: refused: " in line for line in log].count(True), 1, log)

    def test_pin_wants_something_to_pin(self):
        self.assertEqual(self.ask("install", "-", "--name", "nothing", stdin=b"no model").returncode, 5)
        self.assertEqual(self.ask("pin", "nothing").returncode, 3)
        self.assertEqual(self.install("-", "--name", "nothing", stdin=read(DIGITS)), "nothing version 1: ready")
        self.assertEqual(self.install("-", "--name", "nothing", stdin=other(1)), "nothing version 2: ready")

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


if __name__ == "__main__":
    main()
