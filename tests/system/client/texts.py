#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names and reasons with bytes that a terminal acts on: escaped once, shown alike everywhere, and harmless whoever sends them.

texts.py EDGECTL EDGED ROOT. Exit status 77 (skipped) where the shipped models are not there.
"""
import json
import os
import re
import socket
import struct
import tempfile
import threading
import unittest

from transfer_world import DIGITS, EDGECTL, ROOT, SAMPLE, WithDaemon, bundle, main, read, run

# A name of a tar's part, and how it is shown: backslash, newline, ESC, DEL, CSI as one character, what turns the text, what is no UTF-8.
ODD = b"a\\x0a\\\n\x1b[2J\x7f\xc2\x9b31m\xe2\x80\xae\xff\xc3\xa9"
SHOWN = "a\\x5cx0a\\x5c\\x0a\\x1b[2J\\x7f\\xc2\\x9b31m\\xe2\\x80\\xae\\xff\u00e9"
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f]")


class NamesInModels(WithDaemon):
    def test_what_edged_check_says_is_not_escaped_again(self):
        operator = b"TFLite_Detection_PostProcess"
        data = read(os.path.join(ROOT, "tests", "data", "TFLite_Detection_PostProcess_f32_fast", "model.tflite"))
        self.assertEqual(data.count(operator), 1)
        self.write("models/odd.tflite", data.replace(operator, b"\\\n\x1b[2J\x7f\xff\xc3\xa9".ljust(len(operator), b"x")))
        reason = self.look()["odd"]["reason"]
        self.assertIn("custom operator '\\x5c\\x0a\\x1b[2J\\x7f\\xff\u00e9xxx", reason)
        for command, before in ((["list"], "  "), (["history", "odd"], "Z refused: ")):
            said = self.ask(*command).stdout.decode()
            self.assertTrue(said.endswith(before + reason + "\n"), said)


class NamesOfParts(WithDaemon):
    """A bundle has a part of that name: its reason says it."""

    def setUp(self):
        super().setUp()
        self.bundle = bundle(("model.tflite", read(DIGITS)), ("?" * len(ODD), b""))
        self.assertEqual(self.bundle.count(b"?" * len(ODD)), 1)
        self.bundle = self.renamed(self.bundle)
        self.reason = "the bundle: " + SHOWN + " does not belong into one"

    @staticmethod
    def renamed(archive):
        """With ODD as its second name, and the sum of that header."""
        at = archive.index(b"?" * len(ODD))
        header = bytearray(archive[at:at + 512])
        header[:len(ODD)] = ODD
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        return archive[:at] + bytes(header) + archive[at + 512:]

    def test_a_reason_is_the_same_wherever_it_is_shown(self):
        self.write("models/digits.tar", self.bundle)
        self.assertEqual(self.look()["digits"]["reason"], self.reason)
        line = self.ask("list", "--no-legend").stdout.decode()
        self.assertTrue(line.endswith("  " + self.reason + "\n"), line)
        line = self.ask("history", "digits").stdout.decode()
        self.assertTrue(line.endswith("Z refused: " + self.reason + "\n"), line)
        said = self.ask("install", self.write("digits.tar", self.bundle))
        self.assertTrue(said.stderr.decode().endswith(self.reason + "\n"), said)
        self.stop()
        told = [one.decode() for one in self.log if b"does not belong" in one]
        self.start()
        self.assertTrue(told)
        for one in told:
            self.assertTrue(one.endswith(": " + self.reason + "\n"), one)

    def test_what_the_store_remembers_of_it_is_the_same(self):
        self.write("models/digits.tar", self.bundle)
        self.look()
        self.restart()
        self.assertEqual(self.models()["digits"]["reason"], self.reason)
        line = self.ask("history", "digits").stdout.decode()
        self.assertTrue(line.endswith("Z refused: " + self.reason + "\n"), line)


class NamesOfInputs(WithDaemon):
    def test_json_says_what_nobody_sees_by_its_number(self):
        self.install(DIGITS)
        name = "seven\u200b\ufeff\u202e\U000e0041.png"
        done = self.ask("infer", "digits", self.write(name, read(SAMPLE)), "--json")
        said = done.stdout.decode()
        self.assertIsNone(HIDDEN.search(said), done)
        self.assertIn("seven\\u200b\\ufeff\\u202e\\udb40\\udc41.png", said)
        self.assertTrue(json.loads(said)["source"].endswith("/" + name), said)


class NamesInTheConfiguration(WithDaemon):
    config = "[power]\nsensors = /nowhere\\x1b\\\u00e9"

    def test_what_is_shown_is_what_edged_would_take(self):
        said = self.ask("config", "show")
        self.assertEqual(said.returncode, 0, said)
        self.assertIn("\nsensors = /nowhere\\x1b\\\u00e9\n", said.stdout.decode())


HELLO, LIST, STORE_LIST, STORE, SUBSCRIBE, EVENT = 1, 2, 11, 12, 15, 16
REPLY = 0x8000


def text(data):
    return struct.pack("<H", len(data)) + data


def item(data):
    return text(data) * 4 + struct.pack("<Q", 1)


class HostileDaemon(unittest.TestCase):
    """Who listens at edged's socket says SENT wherever there is a text."""

    SENT = b"a\\x1b\\\n\x01\x08\r\x1b]0;x\x07\x1b[2J\x7f\x9b2J\xff" + "\u009b31m\u061c\u202e\u2028\u200b\ufeff\U000e0041\u00e9".encode()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name + "/s"
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.refuse = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def tearDown(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        self.folder.cleanup()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while header := stream.read(32):
                    _, kind, _, number, length = struct.unpack_from("<4sHHQI", header)
                    stream.read(length)
                    self.answer(connection, kind, number)
                    if kind == SUBSCRIBE:
                        break  # what follows the event is the end

    def answer(self, connection, kind, number):
        body, status = self.body_of(kind), 0
        if self.refuse and kind != HELLO:
            body, status = text(self.SENT[:240]), 2
        connection.sendall(struct.pack("<4sHHQIIII", b"EDG1", REPLY | kind, 0, number, len(body), status, 0, 0) + body)
        if kind == SUBSCRIBE:
            body = struct.pack("<II", 1, 1) + item(self.SENT)
            connection.sendall(struct.pack("<4sHHQIIII", b"EDG1", REPLY | EVENT, 0, number, len(body), 0, 0, 0) + body)

    def body_of(self, kind):
        known = text(self.SENT) + struct.pack("<QQQI", 1, 0, 1, 0)
        return {
            HELLO: struct.pack("<HHQIII", 1, 3, 0x1f, 1 << 20, 16, 64) + text(self.SENT) * 2 + struct.pack("<I", 4),
            LIST: struct.pack("<I", 1) + item(self.SENT),
            STORE_LIST: struct.pack("<I", 1) + item(self.SENT) + known,
            STORE: struct.pack("<I", len(self.SENT)) + self.SENT,
        }.get(kind, b"")

    def say(self, *args):
        done = run(EDGECTL, "--socket", self.path, *args)
        said = (done.stdout + done.stderr).decode()
        self.assertIsNone(HIDDEN.search(said), (args, said))
        return said

    def test_nothing_that_a_terminal_acts_on_is_printed(self):
        model = self.folder.name + "/m.tflite"
        with open(model, "wb") as file:
            file.write(b"x")
        for args in (["list"], ["list", "--json"], ["watch"], ["watch", "--json"], ["history", "m"], ["fsck"],
                     ["install", model]):
            said = self.say(*args)
            self.assertIn("a\\", said, args)  # it came through
            self.assertEqual("\u00e9" in said, args[0] != "install", args)  # its first line alone

    def test_refusals_are_harmless_too(self):
        self.refuse = True
        for args in (["list"], ["history", "m"], ["pin", "m"], ["rollback", "m"], ["reload"], ["show", "m"], ["status"]):
            self.assertIn("a\\x1b\\\\x0a\\x01", self.say(*args), args)

    def test_lines_are_told_apart_and_backslashes_kept(self):
        lines = self.say("history", "m").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines[0], "a\\x1b\\")

    def test_json_says_all_of_it(self):
        listed = json.loads(self.say("list", "--json"))
        self.assertEqual(len(listed), 1)
        self.assertTrue(listed[0]["name"].startswith("a"))


if __name__ == "__main__":
    main()
