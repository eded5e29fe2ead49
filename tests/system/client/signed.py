#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signed models: the real edged and edgectl, and the standard tool minisign.

signed.py EDGECTL EDGED ROOT. Skipped without minisign.
"""
import base64
import hashlib
import io
import os
import shutil
import tarfile
import unittest

from transfer_world import DIGITS, EDGECTL, EDGED, SAMPLE, WithDaemon, bundle, main, other, read, run


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
        self.stop()
        told = [line for line in self.log if b"model digits: refused: " in line]
        self.start()
        self.assertEqual(len(told), len(cases), told)
        self.assertIn(b"no trusted key " + stranger.encode(), told[1])
        self.assertEqual(self.give(first), "digits version 1: ready")

    def test_what_stands_beside_is_signed_by_its_digest(self):
        golden = self.at("digits.golden")
        run(EDGECTL, "run", DIGITS, SAMPLE, "--record", golden, "-q")
        texts = [("labels", "labels.txt", b"zero\none\n", b"one\nzero\n"), ("golden", "golden", read(golden), read(golden) * 2),
                 ("conf", "model.conf", b"[model]\n", b"[model]\nallow-signature-change = yes\n")]
        for at, (claim, name, good, bad) in enumerate(texts):
            with self.subTest(claim):
                signature = self.sign(read(DIGITS), f"version:{2 * at + 1} {claim}:{hashlib.sha256(good).hexdigest()}")
                nothing = self.sign(read(DIGITS), f"version:{2 * at + 2} {claim}:none")
                model = ("model.tflite", read(DIGITS))
                for minisig, parts in [(signature, []), (signature, [(name, bad)]), (nothing, [(name, good)])]:
                    self.assertEqual(self.give(bundle(model, ("model.tflite.minisig", minisig), *parts)), f"signature: {claim}: not what was signed")
                self.assertEqual(self.give(bundle(model, ("model.tflite.minisig", signature), (name, good))), f"digits version {2 * at + 1}: ready")
                self.assertEqual(self.give(bundle(model, ("model.tflite.minisig", nothing))), f"digits version {2 * at + 2}: ready")

    def test_a_file_signed_anew_has_the_new_number(self):
        """So that what was in between does not come back."""
        first, between = self.signed(read(DIGITS), "version:1"), self.signed(other(1), "version:7")
        self.assertEqual(self.give(first), "digits version 1: ready")
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:9")), "digits version 9: ready")
        self.assertEqual(self.give(between), "signature: version 7 is older than 9")
        self.assertEqual(self.give(first), "signature: version 1 is older than 9")
        self.assertEqual(self.give(bundle(("model.tflite", read(DIGITS)))), "signature: there is none")
        self.restart()
        self.assertEqual(self.give(between), "signature: version 7 is older than 9")

    def test_what_served_unsigned_gets_its_number_with_its_signature(self):
        self.write("edged.conf.d/x.conf", b"[models]\nsignatures = off\n")
        self.restart()
        self.assertEqual(self.give(bundle(("model.tflite", read(DIGITS)))), "digits version 1: ready")
        self.write("edged.conf.d/x.conf", b"[models]\nsignatures = require\n")
        self.restart()
        self.assertEqual(self.models()["digits"]["state"], "ready")
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:9")), "digits version 9: ready")
        self.assertEqual(self.give(self.signed(other(1), "version:7")), "signature: version 7 is older than 9")

    def test_where_it_is_only_wished_for_a_strange_signature_is_kept_and_is_no_news(self):
        self.write("edged.conf.d/x.conf", b"[models]\nsignatures = warn\n")
        self.restart()
        self.key("stranger", trusted=False)
        strange = self.signed(read(DIGITS), "version:9", "stranger")
        self.assertEqual([self.give(strange) for _ in range(2)], ["digits version 1: ready"] * 2)
        self.assertEqual(self.ask("history", "digits").stdout.count(b"installed"), 1)
        with tarfile.open(fileobj=io.BytesIO(self.ask("export", "digits").stdout)) as tar:
            self.assertIn("model.tflite.minisig", tar.getnames())

    def test_labels_that_are_signed_come_with_a_file_of_the_folder(self):
        labels = b"zero\none\n"
        signature = self.sign(read(DIGITS), "version:1 labels:" + hashlib.sha256(labels).hexdigest())
        # In the models folder as elsewhere.
        self.write("models/digits.tar", bundle(("model.tflite", read(DIGITS)), ("model.tflite.minisig", signature), ("labels.txt", labels)))
        found = self.look()["digits"]
        self.assertEqual((found["state"], found["version"]), ("ready", "1"))

    def test_an_older_version_comes_back_by_rollback_alone(self):
        old, new = self.signed(read(DIGITS), "version:3"), self.signed(other(1), "version:5")
        self.give(old)
        for _ in range(11):
            self.ask("infer", "digits", *[SAMPLE] * 10)
        self.assertIn(b"version 3 passed its trial", self.ask("history", "digits").stdout)
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

    def test_no_process_is_started_for_what_nobody_signed(self):
        marker, check = self.at("started"), os.path.join(os.path.dirname(os.path.abspath(EDGED)), "edged-check")
        os.chmod(self.write("check", f"#!/bin/sh\necho >> {marker}\nexec {check} \"$@\"\n".encode()), 0o755)
        self.write("edged.conf.d/x.conf", f"[daemon]\nsandbox = no\ncheck-program = {self.at('check')}\n".encode())
        self.restart()
        self.give(bundle(("model.tflite", read(DIGITS))))
        self.give(self.signed(read(DIGITS), "version:1 model:keyword"))
        self.give(bundle(("model.tflite", read(DIGITS)), ("model.tflite.minisig", self.sign(other(1), "version:1"))))
        self.assertFalse(os.path.exists(marker))
        self.assertEqual(self.give(self.signed(read(DIGITS), "version:1")), "digits version 1: ready")
        self.assertTrue(os.path.exists(marker))

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
    main()
