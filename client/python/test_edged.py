#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python client against the real edged, with the project's models, and against peers that misbehave.

test_edged.py EDGED ROOT
"""
import array
import hashlib
import io
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest
import wave
import zipfile
from pathlib import Path
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import edged  # noqa: E402
import edged_tensor  # noqa: E402

try:
    import numpy as np
except ImportError:
    np = None

EDGED, ROOT = sys.argv[1:3] if len(sys.argv) > 2 else ("build/daemon/edged", ".")
MODELS = os.path.join(ROOT, "packaging", "models")
CASES = [
    "ADD_f32_broadcast", "ADD_f16", "CAST_c64_to_s32", "CAST_f64_to_f16", "COMPLEX_ABS_c64", "EMBEDDING_LOOKUP_s4_odd", "MUL_c64",
    "MUL_f16_relu6", "SELECT_V2_c64",
]


def read(*path):
    with open(os.path.join(ROOT, *path), "rb") as file:
        return file.read()


def case_files(case, kind):
    """The bytes of a golden case's first set of inputs or outputs."""
    found = []
    while os.path.exists(os.path.join(ROOT, "tests", "data", case, f"{kind}0_{len(found)}.bin")):
        found.append(read("tests", "data", case, f"{kind}0_{len(found)}.bin"))
    return found


class WithDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.models = os.path.join(cls.folder.name, "models")
        cls.socket = os.path.join(cls.folder.name, "s")
        os.makedirs(cls.models)
        os.mkdir(os.path.join(cls.folder.name, "state"))
        for name in ("digits", "keyword", "vibration"):
            shutil.copy(os.path.join(MODELS, name + ".tflite"), cls.models)
        for name in CASES + ["SERVICE_signatures", "SERVICE_endless"]:
            shutil.copy(os.path.join(ROOT, "tests", "data", name, "model.tflite"), os.path.join(cls.models, name.lower() + ".tflite"))
        with open(os.path.join(cls.models, "broken.tflite"), "wb") as file:
            file.write(b"\x1c\0\0\0TFL3" + b"\xff" * 100)
        cls.edged = subprocess.Popen(
            [EDGED, "--socket", cls.socket, "--models", cls.models, "--state", os.path.join(cls.folder.name, "state")],
            stderr=subprocess.PIPE)
        line = b""
        while b" models ready" not in line:  # the line that says that all models were looked at
            line = cls.edged.stderr.readline()
            if not line:
                raise RuntimeError("edged did not start")

    @classmethod
    def tearDownClass(cls):
        cls.edged.send_signal(signal.SIGTERM)
        cls.edged.communicate(timeout=60)
        cls.folder.cleanup()
        if cls.edged.returncode != 0:
            raise RuntimeError(f"edged ended with {cls.edged.returncode}")

    def setUp(self):
        self.client = edged.Client(self.socket, timeout=60)
        self.addCleanup(self.client.close)


class Inference(WithDaemon):
    def test_the_greeting_and_the_counters(self):
        self.assertEqual(self.client.peer.name, "edged")
        self.assertGreaterEqual(self.client.peer.minor, 1)
        self.client.infer("digits", [bytes(784)])
        status = self.client.status()
        self.assertGreaterEqual(status.answers[edged.Status.OK], 1)
        self.assertGreater(status.resident_bytes, 0)

    def test_what_cannot_be_asked_is_invalid_and_the_connection_stays(self):
        for timeout in (float("inf"), float("nan"), -float("inf"), 1e10, -1, -1.0, "1"):
            for ask in (lambda: self.client.infer("digits", [bytes(784)], timeout=timeout), lambda: self.client.reload(timeout=timeout),
                        lambda: self.client.export("digits", timeout=timeout), lambda: edged.Client(self.socket, timeout=timeout)):
                with self.assertRaises(edged.Invalid, msg=repr(timeout)):
                    ask()
        endless = []
        endless.append(endless)
        for ask in (lambda: self.client.describe("a\ud800"), lambda: self.client.infer("digits", [bytes(784)], version="\udfff"),
                    lambda: self.client.forget_bad("\ud800" * 8), lambda: edged.Client(self.socket, name="\ud800"),
                    lambda: self.client.infer("digits", [endless]), lambda: self.client.infer("digits", [[[endless], 1]]),
                    lambda: self.client.describe("digits").inputs[0].quantize(endless),
                    lambda: self.client.describe(5), lambda: self.client.infer("digits", 5), lambda: self.client.infer(bytearray(b"digits"), [bytes(784)]),
                    lambda: self.client.infer(["digits"], [bytes(784)]), lambda: self.client.infer("digits", [bytes(784)], version={}),
                    lambda: self.client.infer("digits", [bytes(784)], outputs=5),
                    *((lambda key=key: self.client.infer("digits", [bytes(784)], latest_key=key)) for key in (-1, 2**64, 1.5, "k"))):
            with self.assertRaises(edged.Invalid):
                ask()
        self.assertTrue(self.client.connected)
        self.assertEqual(len(self.client.infer("digits", [bytes(784)], timeout=None).outputs), 1)

    def test_a_calls_timeout_of_none_is_the_clients(self):
        with edged.Client(self.socket, timeout=0.25) as client, \
                mock.patch.object(client._connection, "call", side_effect=edged.Deadline("seen")) as call:
            for timeout, counts in ((None, 0.25), (3, 3)):
                with self.assertRaises(edged.Deadline):
                    client.reload(timeout=timeout)
                self.assertEqual(call.call_args.args[3], counts)

    def test_models_are_listed_with_reasons(self):
        models = {m.name: m for m in self.client.list()}
        self.assertEqual((models["digits"].state, models["digits"].reason), ("ready", ""))
        self.assertEqual((models["broken"].state, models["broken"].generation), ("refused", 0))
        self.assertNotEqual(models["broken"].reason, "")

    def test_a_model_is_described(self):
        digits = self.client.describe("digits")
        picture = digits.inputs[0]
        self.assertEqual((picture.type, picture.shape, picture.content), (edged.ElementType.INT8, (1, 28, 28, 1), "image"))
        self.assertEqual(digits.outputs[0].labels, [str(i) for i in range(10)])

    def test_a_sound_is_a_word(self):
        with wave.open(os.path.join(MODELS, "samples", "yes.wav")) as file:
            samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
        sound = self.client.describe("keyword").inputs[0].quantize([s / 32768 for s in samples[:16000]])
        best = self.client.infer("keyword", {"sound": sound}).outputs[0].top(1)[0]
        self.assertEqual(best.label, "yes")
        self.assertGreater(best.score, 0.9)

    def test_golden_cases_have_their_bytes_from_bytes_lists_and_arrays(self):
        for case in CASES:
            wanted, raw = case_files(case, "out"), case_files(case, "in")
            model = self.client.describe(case.lower())
            values = [edged.Output(t.name, t.type, t.shape, memoryview(data), t, ()) for t, data in zip(model.inputs, raw)]
            self.assertEqual(len(values), len(model.inputs))
            given = [raw, [v.tolist() for v in values]] + ([[v.numpy() for v in values]] if np else [])
            for inputs in given:
                answer = self.client.infer(model.name, inputs)
                for output, expected in zip(answer.outputs, wanted):
                    self.assertEqual(bytes(output.data), expected, case)

    def test_shapes_and_types_are_checked_before_anything_is_sent(self):
        asked = self.client.status().answers
        for wrong, text in [
            ([[0] * 783], "shape 783"), ([bytes(783)], "783 bytes"), ([[0.5] * 784], "takes int8"), ([[200] * 784], "takes int8"),
            ([array.array("f", [0] * 784)], "has float32"), ([array.array("B", [0] * 784)], "has uint8"), ([], "missing: picture"),
            ([[[0] * 28] * 27 + [[0]]], "not all of one length"), ([["a"] * 784], "takes int8"), ([[None] * 784], "takes int8"),
        ]:
            with self.assertRaisesRegex(edged.Invalid, text) as caught:
                self.client.infer("digits", wrong)
            self.assertEqual(caught.exception.status, edged.Status.INVALID)
        for call in [
            lambda: self.client.infer("digits", {"image": bytes(784)}), lambda: self.client.infer("digits", [bytes(784)] * 2),
            lambda: self.client.infer("digits", [bytes(784)], outputs=[1]), lambda: self.client.infer("digits", [bytes(784)], signature="x"),
        ]:
            self.assertRaises(edged.NotFound, call)
        self.assertEqual(self.client.status().answers, asked)

    def test_ones_may_be_left_out_and_flat_lists_stand_for_any_shape(self):
        answers = [bytes(self.client.infer("digits", [given]).outputs[0].data) for given in (
            bytes(784), [0] * 784, [[0] * 28] * 28, [[[[0]] * 28] * 28], array.array("b", [0] * 784))]
        self.assertEqual(len(set(answers)), 1)

    def test_an_input_is_resized_when_asked_for(self):
        rows = [[1.0] * 4] * 3
        self.assertRaises(edged.Invalid, self.client.infer, "digits", [[[[[0]] * 28] * 28] * 2])
        answer = self.client.infer("digits", [[[[[0]] * 28] * 28] * 2], resize=True)
        self.assertEqual(answer.outputs[0].shape, (2, 10))
        self.assertRaises(edged.Invalid, self.client.infer, "service_signatures", [rows], signature="add")

    def test_strings_and_booleans_come_out(self):
        answer = self.client.infer("service_signatures", [["yes", b"\xff\0", ""]], signature="words")
        self.assertEqual(answer.outputs[0].tolist(), [b"yes", b"\xff\0", b""] * 2)
        self.assertEqual(answer.outputs[1].tolist(), [True, False, False])
        one = self.client.infer("service_signatures", {"words": ["no"]}, signature="words", outputs=["is_yes"])
        self.assertEqual([o.name for o in one.outputs], ["is_yes"])

    def test_a_session_keeps_state_until_it_is_reset(self):
        def add(where):
            return where.infer([[1, 2, 3, 4]], signature="add").outputs[0].tolist()
        with self.client.session("service_signatures") as one, self.client.session("service_signatures") as two:
            self.assertEqual([add(one), add(one), add(two)], [[1, 2, 3, 4], [2, 4, 6, 8], [1, 2, 3, 4]])
            one.reset()
            self.assertEqual(add(one), [1, 2, 3, 4])
            one.close()
            self.assertRaises(edged.EdgedError, add, one)
            self.assertEqual(add(two), [2, 4, 6, 8])

    def test_refusals_are_exceptions_with_a_status(self):
        for call, kind, status in [
            (lambda: self.client.describe("none"), edged.NotFound, edged.Status.NOT_FOUND),
            (lambda: self.client.infer("digits", [bytes(784)], version="7"), edged.NotFound, edged.Status.NOT_FOUND),
            (lambda: self.client.describe("broken"), edged.ModelRefused, edged.Status.MODEL_REFUSED),
            (lambda: self.client.infer("service_signatures", [["../a"]], signature="save"), edged.Invalid, edged.Status.INVALID),
            (lambda: self.client.infer("digits", [bytes(self.client.peer.max_body)]), edged.Invalid, edged.Status.INVALID),
        ]:
            with self.assertRaises(kind) as caught:
                call()
            self.assertEqual(caught.exception.status, status)
            self.assertTrue(self.client.connected)

    def test_a_deadline_ends_a_run_and_the_connection_stays(self):
        inputs = [bytes(t.bytes) for t in self.client.describe("service_endless").inputs]
        with mock.patch.object(edged, "GRACE", 60), self.assertRaises(edged.Deadline):
            self.client.infer("service_endless", inputs, timeout=0.05)
        self.assertTrue(self.client.connected)
        self.client.infer("digits", [bytes(784)])

    def test_every_priority_is_answered_and_no_other_is_sent(self):
        plain = self.client.infer("digits", [bytes(784)])
        for priority in ("normal", "batch", "realtime", "control"):
            answer = self.client.infer("digits", [bytes(784)], priority=priority, latest_key=3)
            self.assertEqual(bytes(answer.outputs[0].data), bytes(plain.outputs[0].data))
        with self.assertRaises(edged.Invalid):
            self.client.infer("digits", [bytes(784)], priority="urgent")
        self.assertTrue(self.client.connected)

    def test_a_newer_request_takes_the_place_of_one_that_waits(self):
        ends = []

        def ask(priority, key):
            with edged.Client(self.socket, timeout=60) as client:
                try:
                    client.infer("service_endless", [[1]], timeout=5, priority=priority, latest_key=key)
                except edged.EdgedError as problem:
                    ends.append(problem.status)

        workers = self.client.status().workers
        first = [threading.Thread(target=ask, args=("realtime", 0)) for _ in range(workers)]
        for thread in first:
            thread.start()
        while self.client.status().running < workers:
            pass
        keyed = [threading.Thread(target=ask, args=("realtime", 9)) for _ in range(3)]
        for thread in keyed:
            thread.start()
        for thread in first + keyed:
            thread.join()
        self.assertEqual(ends.count(edged.Status.SUPERSEDED), 2)
        self.assertEqual(ends.count(edged.Status.DEADLINE), workers + 1)

    def test_a_replaced_model_is_seen(self):
        path = os.path.join(self.models, "changing.tflite")
        with open(os.path.join(self.models, "changing.conf"), "w", encoding="utf-8") as config:
            config.write("[model]\nallow-signature-change = yes\n")

        def put(name):
            shutil.copy(os.path.join(MODELS, name + ".tflite"), path + "~")
            os.rename(path + "~", path)
            self.client.reload()
        put("digits")
        self.assertEqual(len(self.client.infer("changing", [bytes(784)]).outputs[0].flat()), 10)
        put("keyword")
        self.assertEqual(self.client.infer("changing", [bytes(16000)]).outputs[0].labels[-1], self.client.describe("keyword").outputs[0].labels[-1])
        with self.client.session("changing") as session:
            put("digits")
            self.assertEqual(len(session.infer([bytes(16000)]).outputs), 1)
            self.assertEqual(len(self.client.infer("changing", [bytes(784)]).outputs), 1)

    def test_threads_share_a_client(self):
        wrong = []

        def ask(fill):
            for _ in range(20):
                got = bytes(self.client.infer("digits", [bytes([fill]) * 784]).outputs[0].data)
                if got != expected[fill]:
                    wrong.append(fill)
        expected = {fill: bytes(self.client.infer("digits", [bytes([fill]) * 784]).outputs[0].data) for fill in (0, 100, 200)}
        threads = [threading.Thread(target=ask, args=(fill,)) for fill in expected]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((wrong, len(set(expected.values()))), ([], 3))

    def test_a_request_that_edged_would_not_take_is_not_sent(self):
        self.client.describe("digits")
        self.client._connection.max_body = 500
        self.assertRaises(edged.TooLarge, self.client.infer, "digits", [bytes(784)])
        self.assertTrue(self.client.connected)

    def test_a_reply_above_the_limit_is_refused_before_it_is_read(self):
        with edged.Client(self.socket, max_reply=200) as small:
            self.assertRaises(edged.TooLarge, small.describe, "digits")
            self.assertFalse(small.connected)
            self.assertRaises(edged.Disconnected, small.list)

    def test_the_socket_is_found_by_the_environment(self):
        with mock.patch.dict(os.environ, {"EDGED_SOCKET": self.socket}), edged.Client() as client:
            self.assertTrue(client.connected)

    @unittest.skipUnless(np, "numpy is not installed")
    def test_arrays_go_in_and_come_out(self):
        picture = self.client.describe("digits").inputs[0]
        grey = np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28)
        stored = picture.quantize(grey)
        self.assertEqual((stored.dtype, stored.ravel().tolist()), (np.int8, picture.quantize(grey.tolist())))
        for wrong in (np.array([np.nan]), [float("inf")]):
            self.assertRaises(edged.Invalid, picture.quantize, wrong)
        answer = self.client.infer("digits", [stored])
        self.assertEqual((answer[0].dtype, answer[0].shape), (np.int8, (1, 10)))
        self.assertEqual(answer["scores"].tolist(), answer.outputs[0].tolist())
        again = self.client.infer("digits", [np.asfortranarray(stored)])  # in another order in memory
        self.assertTrue((again[0] == answer[0]).all())
        with self.assertRaisesRegex(edged.Invalid, "has float32"):
            self.client.infer("digits", [grey])

    def test_without_numpy_values_are_lists(self):
        with mock.patch.object(edged_tensor, "_numpy", lambda: None):
            self.assertEqual(len(self.client.infer("digits", [bytes(784)])["scores"][0]), 10)


class Store(WithDaemon):
    """Each test has a model of its own."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(MODELS, "digits.tflite"), "rb") as file:
            self.digits = file.read()

    def about(self, name):
        return {m.name: m for m in self.client.stored()}[name]

    def test_a_model_is_installed_from_bytes_a_file_and_a_path(self):
        self.assertEqual(self.client.install(self.digits, "one"), "one version 1: ready")
        self.assertEqual(self.client.install(io.BytesIO(self.digits + b"1"), "one"), "one version 2: ready")
        path = os.path.join(self.folder.name, "one.tflite")
        with open(path, "wb") as file:
            file.write(self.digits + b"22")
        self.assertEqual(self.client.install(path), "one version 3: ready")
        found = self.about("one")
        self.assertEqual((found.sha256, found.by, found.state), (hashlib.sha256(self.digits + b"22").hexdigest(), os.getuid(), "ready"))
        self.assertAlmostEqual(found.since, time.time(), delta=600)
        self.assertEqual(len(self.client.infer("one", [bytes(784)]).outputs[0].flat()), 10)
        self.assertEqual(len([line for line in self.client.history("one") if "installed" in line]), 3)

    def test_what_stands_beside_a_path_goes_with_it_and_comes_back(self):
        stem = os.path.join(self.folder.name, "two")
        for end, data in [(".tflite", self.digits), (".labels.txt", b"a\nb\n"), (".conf", b"[model]\n")]:
            with open(stem + end, "wb") as file:
                file.write(data)
        self.assertEqual(self.client.install(Path(stem + ".tflite")), "two version 1: ready")
        self.assertEqual(self.client.describe("two").labels, ["a", "b"])
        archive = self.client.export("two")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            self.assertEqual({e.name: tar.extractfile(e).read() for e in tar},
                             {"bundle.conf": b"[bundle]\nname = two\n", "model.tflite": self.digits, "labels.txt": b"a\nb\n", "model.conf": b"[model]\n"})
        self.client.remove("two")
        self.assertRaises(edged.NotFound, self.client.describe, "two")
        self.assertEqual(self.client.install(archive), "two version 2: ready")

    def test_a_pipe_is_read_to_its_end(self):
        path = os.path.join(self.folder.name, "fifo")
        os.mkfifo(path)
        writer = threading.Thread(target=lambda: Path(path).write_bytes(self.digits))
        writer.start()
        self.assertEqual(self.client.install(path, "piped"), "piped version 1: ready")
        writer.join()

    def test_pins_rollbacks_and_bad_files(self):
        self.client.install(self.digits, "three")
        self.client.pin("three")
        self.assertTrue(self.about("three").pinned)
        self.assertRaises(edged.Denied, self.client.install, self.digits + b"1", "three")
        self.assertRaises(edged.Denied, self.client.remove, "three")
        self.client.unpin("three")
        self.assertRaises(edged.NotFound, self.client.rollback, "three")
        for _ in range(100):
            self.client.infer("three", [bytes(784)])
        while self.about("three").last_good != 1:
            self.client.infer("three", [bytes(784)])
        self.client.install(self.digits + b"1", "three")
        self.assertTrue(self.about("three").on_trial)
        bad = self.about("three").sha256
        self.client.rollback("three")
        self.assertEqual(self.about("three").version, "1")
        with self.assertRaisesRegex(edged.ModelRefused, "bad"):
            self.client.install(self.digits + b"1", "three")
        self.client.forget_bad(bad[:10])
        self.client.install(self.digits + b"1", "three")
        self.assertEqual(self.about("three").sha256, bad)

    def test_what_cannot_be_is_an_exception_and_the_connection_stays(self):
        for call, kind in [
            (lambda: self.client.install(b"no model", "four"), edged.ModelRefused), (lambda: self.client.install(self.digits), edged.Invalid),
            (lambda: self.client.install(self.digits, "../four"), edged.Invalid), (lambda: self.client.export("four"), edged.NotFound),
            (lambda: self.client.remove("digits"), edged.Denied), (lambda: self.client.forget_bad("ab"), edged.Invalid),
            (lambda: self.client.pin("four"), edged.NotFound), (lambda: self.client.install("/nonexistent.tflite"), FileNotFoundError),
        ]:
            self.assertRaises(kind, call)
        self.client.list()

    def test_a_model_is_unloaded_and_loaded_and_the_store_is_whole(self):
        self.client.install(self.digits, "six")
        self.client.unload("six")
        self.assertNotEqual(self.about("six").state, "ready")
        self.client.load("six")
        self.assertEqual(self.about("six").state, "ready")
        self.assertEqual(self.client.fsck(), [])

    def test_no_descriptor_is_left(self):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            self.client.install(self.digits, "five")
            self.client.export("five")
            self.assertRaises(edged.ModelRefused, self.client.install, b"no model", "five")
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


HELLO = struct.pack("<HHQIII", 1, 1, 4, 1 << 20, 16, 64) + b"\5\0edged" + b"\1\0x" + struct.pack("<I", 16)


def frame(type_, id_, body, status=0, magic=b"EDG1", size=None):
    return struct.pack("<4sHHQIIII", magic, type_, 0, id_, len(body) if size is None else size, status, 0, 0) + body


class WithBadPeer(unittest.TestCase):
    """A thread answers each request with the next of the given frames, and then holds the connection."""

    def talk(self, *frames):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(folder.name, "s"))
        listener.listen()

        def serve():
            peer, _ = listener.accept()
            for answer in frames:
                if answer is None:
                    break
                header = peer.recv(32, socket.MSG_WAITALL)
                peer.recv(struct.unpack_from("<I", header, 16)[0], socket.MSG_WAITALL)
                peer.sendall(answer)
            else:
                peer.recv(1)  # until the client goes
            peer.close()
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(listener.close)
        self.addCleanup(thread.join)
        client = edged.Client(os.path.join(folder.name, "s"), timeout=60)
        self.addCleanup(client.close)
        return client

    def after_hello(self, answer):
        return self.talk(frame(0x8001, 1, HELLO), answer)

    def test_who_is_not_greeted_by_one_that_stops_asks_the_next_one(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(folder.name, "s"))
        listener.listen()

        listener.settimeout(30)  # whoever does not ask again is not waited for

        def serve():
            listener.accept()[0].close()
            peer, _ = listener.accept()
            peer.settimeout(None)
            peer.sendall(frame(0x8001, 1, HELLO))
            peer.recv(1 << 16)
            peer.recv(1)  # until the client goes
            peer.close()
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(listener.close)
        self.addCleanup(thread.join)
        with edged.Client(os.path.join(folder.name, "s"), timeout=60) as client:
            self.assertTrue(client.connected)

    def test_what_is_not_the_protocol_closes_the_connection(self):
        name = b"\1\0a"
        for answer in [
            frame(0x8002, 2, b"", magic=b"HTTP"), frame(2, 2, b""), frame(0x8002, 9, b""), frame(0x8003, 2, b""),
            frame(0x8002, 2, struct.pack("<I", 1)), frame(0x8002, 2, struct.pack("<I", 0) + b"x"), frame(0x8002, 2, b"\xff\xff\xff\xff"),
            frame(0x8002, 2, struct.pack("<I", 1) + name * 3 + b"\xff\xff" + b"x" * 20), frame(0x8002, 2, b"\xff\xff", status=1),
        ]:
            client = self.after_hello(answer)
            self.assertRaises(edged.ProtocolError, client.list)
            self.assertFalse(client.connected)

    def test_a_huge_reply_takes_no_memory(self):
        client = self.after_hello(frame(0x8002, 2, b"", size=(1 << 32) - 1))
        self.assertRaises(edged.TooLarge, client.list)
        self.assertFalse(client.connected)

    def test_silence_ends_with_the_timeout(self):
        client = self.after_hello(b"EDG1")
        client.timeout = 0.1
        self.assertRaises(edged.Deadline, client.list)
        self.assertFalse(client.connected)

    def test_an_end_in_the_middle_is_told(self):
        client = self.talk(frame(0x8001, 1, HELLO), frame(0x8002, 2, b"abc", size=10), None)
        self.assertRaises(edged.Disconnected, client.list)

    def test_the_reason_for_being_sent_away_is_told(self):
        text = b"\4\0full"
        with self.assertRaisesRegex(edged.Overloaded, "overloaded: full"):
            self.talk(frame(0x8000, 0, text, status=5))
        with self.assertRaises(edged.EdgedError) as caught:
            self.talk(frame(0x8001, 1, b"\3\0\x1b[m", status=99))
        self.assertEqual((caught.exception.status, str(caught.exception)), (99, r"99: \x1b[m"))

    def test_another_major_version_is_refused(self):
        self.assertRaises(edged.ProtocolError, self.talk, frame(0x8001, 1, b"\2" + HELLO[1:]))

    def test_version_1_0_has_no_sessions(self):
        client = self.talk(frame(0x8001, 1, struct.pack("<HHQ", 1, 0, 0) + HELLO[12:-4]))
        self.assertRaises(edged.Unsupported, client.session, "digits")
        self.assertTrue(client.connected)

    def test_versions_before_1_2_have_no_store(self):
        client = self.talk(frame(0x8001, 1, HELLO))
        for call in [client.stored, lambda: client.pin("a"), lambda: client.remove("a")]:
            self.assertRaises(edged.Unsupported, call)
        self.assertTrue(client.connected)

    def test_nobody_listens(self):
        with self.assertRaisesRegex(edged.Disconnected, "No such file"):
            edged.Client("/nonexistent/edged.sock")


class Values(unittest.TestCase):
    def test_values_become_bytes_and_come_back(self):
        T = edged.ElementType
        for type_, values, raw in [
            (T.INT4, [1, -1, -8, 7, 3], b"\xf1\x78\x03"), (T.BFLOAT16, [1.0, -2.5], b"\x80\x3f\x20\xc0"), (T.BOOL, [True, False], b"\1\0"),
            (T.COMPLEX64, [1 + 2j], struct.pack("<2f", 1, 2)), (T.STRING, [b"a", b""], struct.pack("<4i", 2, 16, 17, 17) + b"a"),
            (T.UINT64, [2**64 - 1], b"\xff" * 8), (T.FLOAT16, [0.5], b"\0\x38"),
        ]:
            self.assertEqual(edged_tensor._pack(type_, values), raw, type_)
            self.assertEqual(edged_tensor._unpack(type_, memoryview(raw), len(values)), values, type_)

    def test_bfloat16_is_rounded_to_even(self):
        for value, bits in [(1 + 2**-8, 0x3F80), (1 + 3 * 2**-8, 0x3F82), (float("inf"), 0x7F80), (3.0e38, 0x7F62)]:
            self.assertEqual(edged_tensor._bfloat16(value), bits)
        self.assertEqual(edged_tensor._bfloat16(float("nan")) & 0x7FC0, 0x7FC0)

    def test_broken_tables_of_strings_are_found(self):
        good = struct.pack("<4i", 2, 16, 17, 18) + b"ab"
        edged_tensor.check_strings(memoryview(good), (2,))
        for bad in [good[:-1], good + b"c", struct.pack("<4i", 2, 16, 19, 18) + b"ab", struct.pack("<4i", 3, 16, 17, 18) + b"ab",
                    struct.pack("<4i", 2, 12, 17, 18) + b"ab", b"\2"]:
            self.assertRaises(edged.ProtocolError, edged_tensor.check_strings, memoryview(bad), (2,))

    def test_empty_and_single_values_have_their_lists(self):
        def output(shape, data):
            return edged.Output("", edged.ElementType.INT8, shape, memoryview(data), None, ())
        self.assertEqual(output((), b"\7").tolist(), 7)
        self.assertEqual(output((2, 0, 3), b"").tolist(), [[], []])
        self.assertEqual(output((2, 1), b"\1\2").tolist(), [[1], [2]])


class Wheel(unittest.TestCase):
    def test_the_wheel_has_what_pip_needs_and_is_the_same_each_time(self):
        here = os.path.join(ROOT, "client", "python")
        build = "import backend, sys; print(backend.build_wheel(sys.argv[1]))"
        wheels = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([sys.executable, "-B", "-c", build, folder], cwd=here, capture_output=True, text=True, check=True)
                self.assertEqual(done.stdout, f"edged-{edged.__version__}-py3-none-any.whl\n")
                path = os.path.join(folder, done.stdout.strip())
                with open(path, "rb") as file:
                    wheels.append(file.read())
                found = subprocess.run([sys.executable, "-I", "-c", "import sys; sys.path[:0] = sys.argv[1:]; import edged; print(edged.__file__)",
                                        path], capture_output=True, text=True, check=True).stdout
                self.assertEqual(found.strip(), os.path.join(path, "edged.py"))
                names = set(zipfile.ZipFile(path).namelist())
        info = f"edged-{edged.__version__}.dist-info/"
        self.assertEqual(names, {*(path.name for path in Path(here).glob("edged*.py")), info + "METADATA", info + "WHEEL", info + "RECORD"})
        self.assertEqual(wheels[0], wheels[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
