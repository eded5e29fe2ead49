#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pipelines that are asked: answers at response topics, and models that are taught meanwhile."""
import base64
import json
import os
import shutil
import signal
import socket
import struct
import tempfile
import unittest

from mqtt_pipelines_rig import DIGIT, EACH_DIGIT, WithPipelines, white_png
from mqtt_rig import ROOT, Device, need_mosquitto, run_tests, wait_for

need_mosquitto()
SSD = os.path.join(ROOT, "..", "shared", "golden", "nets", "ssd__f32", "model.tflite")


class Store:
    """As root on edged's own socket: docs/protocol.md."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.ask(1, struct.pack("<HHQH", 1, 3, 1 << 0 | 1 << 3, 4) + b"test")

    def ask(self, kind, body, *fds):
        frame = b"EDG1" + struct.pack("<HHQIIII", kind, 0, 7, len(body), 0, 0, 0) + body
        if fds:
            socket.send_fds(self.socket, [frame], fds)
        else:
            self.socket.sendall(frame)
        size, status = struct.unpack("<16xII8x", self.read(32))
        body = self.read(size)
        assert status == 0, body

    def read(self, size):
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data))
        return data

    def order(self, verb, model, argument="", *fds):
        texts = b"".join(struct.pack("<H", len(t)) + t.encode() for t in (model, argument))
        self.ask(12, struct.pack("<I", verb) + texts, *fds)

    def teach(self, model, text):
        with tempfile.TemporaryFile() as file:
            file.write(text.encode())
            file.flush()
            self.order(12, model, "", file.fileno())

    def forget(self, model, label):
        self.order(13, model, label)


class Asked(WithPipelines):
    def test_who_asks_is_answered_whatever_the_decision_says(self):
        """Each input with a response topic once, under its own correlation data, also where nothing is told to others."""
        cascade = DIGIT + "[stage again]\nwhen = 7\nmin-score = 0.5\n[model]\nname = digits\n[post]\nkind = classes\ntop-k = 1\n"
        bridge, device = self.bridge(digit=DIGIT, two=cascade, third=EACH_DIGIT.replace("picture\n", "picture\nevery = 3\n"))
        device.subscribe("edged/reply/#")
        seven, blank, reply = self.rig.sample("digit-7.png"), white_png(), "edged/reply/me"

        def ask(pipeline, picture, n, **given):
            device.publish(f"edged/gw1/pipeline/{pipeline}/in/cam", picture, ResponseTopic=reply, CorrelationData=b"%d" % n, **given)

        def answers(count):
            found = [(int(m.properties.CorrelationData), dict(m.properties.UserProperty)["status"], json.loads(m.payload))
                     for m in device.wait(reply, count)]
            device.messages.clear()
            return found

        for n in range(20):
            ask("digit", seven if n < 10 else blank, n)
        found = answers(20)
        self.assertEqual([(n, status) for n, status, _ in sorted(found, key=lambda a: a[0])], [(n, "OK") for n in range(20)])
        for n, _, result in found:
            self.check_flat({"seq": 0, **result})
            self.assertNotIn("seq", result)
            self.assertEqual((result["pipeline"], result["source"], result["label"] == "7"), ("digit", "cam", n < 10))
        # What the decision does not let through is told to nobody else.
        ask("digit", blank, 20)
        answers(1)
        device.publish("edged/gw1/pipeline/digit/in/cam", seven)
        result = json.loads(device.wait("edged/gw1/pipeline/digit/result/cam")[0].payload)
        self.assertEqual((result["event"], result["seq"]), ("begin", 3))
        # A second stage is an answer more, and the last one says so.
        ask("two", seven, 1)
        found = answers(2)
        self.assertEqual([(n, status, r["stage"]) for n, status, r in found], [(1, "MORE", "two"), (1, "OK", "again")])
        ask("two", blank, 2)
        self.assertEqual([(n, s, r["stage"]) for n, s, r in answers(1)], [(2, "OK", "two")])
        # What is no picture, what is not looked at, and what a process that ends leaves behind.
        ask("digit", b"\x89PNG\r\n\x1a\nnothing", 3)
        self.assertEqual([(n, s) for n, s, _ in answers(1)], [(3, "INVALID")])
        for n in range(4):
            ask("third", seven, n)
        self.assertEqual(sorted((n, s) for n, s, _ in answers(4)), [(0, "OK"), (1, "SUPERSEDED"), (2, "SUPERSEDED"), (3, "OK")])
        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            for n in range(30, 33):
                ask("digit", seven, n)
            device.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs"] == 31)
            os.kill(self.child(bridge), signal.SIGKILL)
            self.assertEqual(sorted((n, s) for n, s, _ in answers(3)), [(n, "INTERNAL") for n in range(30, 33)])
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        ask("digit", seven, 40)
        self.assertEqual([(n, s) for n, s, _ in answers(1)], [(40, "OK")])

    def ask_who_takes_nothing(self, recipe, count, outbox):
        """@count inputs of a broker that hangs from then on until no more can be asked. What it has answers of: (number, status)."""
        port, asker = self.own_broker()
        bridge, device = self.bridge("queue-length = 200\nmax-pause = 0ms\ndeadline = 10min\nin-flight = 64", others={
            "broker b": f"address = mqtt://127.0.0.1:{port}\nin-flight = 1\n{outbox}"}, asked=recipe)
        bridge.wait_log("broker b: connected")
        asker.subscribe("edged/reply/me")
        asker.subscribe("edged/gw1/#")
        asker.wait("edged/gw1/pipeline/asked/state")

        def is_settled():
            """Two stats, one after the other, with nothing under way between."""
            a, b = (json.loads(m.payload) for m in device.wait("edged/gw1/stats", 2)[-2:])
            questions = b["pipeline_questions"]
            return questions >= 8 and questions == b["pipeline_results"] == a["pipeline_questions"] and b["queue_length"] > 0

        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            for n in range(count):
                asker.publish(f"edged/gw1/pipeline/asked/in/cam{n % 4}", self.rig.sample("digit-7.png"), ResponseTopic="edged/reply/me",
                              CorrelationData=b"%d" % n)
            device.wait_json("edged/gw1/stats", lambda s: s["requests"] == count)
            self.own.child.send_signal(signal.SIGSTOP)
            try:
                self.edged.child.send_signal(signal.SIGCONT)
                wait_for(is_settled, "the outbox to be full")
            finally:
                self.own.child.send_signal(signal.SIGCONT)
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        device.wait_json("edged/gw1/stats", lambda s: s["answers"] == count)
        for name in (b"a", b"b"):  # behind all that was to be sent
            asker.publish("edged/gw1/digits/infer", b"nothing", ResponseTopic="edged/reply/me", CorrelationData=name)
        wait_for(lambda: asker.of("edged/reply/me")[-1].properties.CorrelationData == b"b", "the last one")
        self.assertNotIn("an answer found no room", bridge.text())
        return [(int(m.properties.CorrelationData), dict(m.properties.UserProperty)["status"]) for m in asker.of("edged/reply/me")[:-2]]

    def test_every_answer_has_its_room_before_edged_is_asked(self):
        """Of a cascade there are several."""
        cascade = EACH_DIGIT + "top-k = 1\n[stage again]\nwhen = 7\nmin-score = 0.5\n[model]\nname = digits\n[post]\nkind = classes\ntop-k = 1\n"
        answers = self.ask_who_takes_nothing(cascade, 60, "outbox-messages = 16")
        self.assertEqual(sorted(answers), [(n, status) for n in range(60) for status in ("MORE", "OK")])

    @unittest.skipUnless(os.path.exists(SSD), "a net with boxes: ../shared is not there")
    def test_an_input_whose_answers_would_take_the_whole_outbox_is_asked_all_the_same(self):
        crops = "".join(f"[stage each{i}]\nafter = find\ninput = crop\nmax-crops = 32\n[model]\nname = digits\n[post]\nkind = classes\n" for i in range(6))
        boxes = "[source]\nkind = picture\n[stage find]\n[model]\nname = ssd\n[post]\nkind = detections\nthreshold = 0\nmax-boxes = 100\n"
        topic = "edged/reply/many"
        shutil.copy(SSD, self.rig.path("models", "ssd.tflite"))
        self.edged.child.send_signal(signal.SIGHUP)
        try:
            _, device = self.bridge("deadline = 10min", "outbox-bytes = 64K", many=boxes + crops)
            device.subscribe(topic)
            for number in range(1, 4):
                device.publish("edged/gw1/pipeline/many/in/cam", self.rig.sample("digit-7.png"), ResponseTopic=topic, CorrelationData=b"%d" % number)
                wait_for(lambda n=number: any(m.properties.CorrelationData == b"%d" % n and dict(m.properties.UserProperty)["status"] != "MORE"
                                              for m in device.of(topic)), f"the last answer to input {number}")
            self.assertGreater(len(device.of(topic)), 3 * 40)
        finally:
            self.remove_model("ssd")

    def test_an_answer_that_is_larger_than_any_before_and_has_no_room_is_told(self):
        labels = self.rig.write("long-labels", "".join(f"{n}{'x' * 250}\n" for n in range(10)))
        recipe = EACH_DIGIT + f"labels = {labels}\ntop-k = 5\n"
        answers = self.ask_who_takes_nothing(recipe, 60, "outbox-bytes = 64K")
        self.assertEqual(sorted(n for n, _ in answers), list(range(60)))
        self.assertEqual({status for _, status in answers}, {"OK", "OVERLOADED"})
        self.assertLess(sum(status == "OVERLOADED" for _, status in answers), 30)  # the others are asked when there is as much room

    def test_an_input_that_waits_for_room_is_overtaken_by_no_request(self):
        cascade = EACH_DIGIT + "[stage again]\nwhen = 7\n[model]\nname = digits\n[post]\nkind = classes\n"
        _, device = self.bridge("in-flight = 64\ndeadline = 10min", "outbox-messages = 16", two=cascade)
        device.subscribe("edged/reply/me")
        n = 0

        def ask(topic, payload):
            nonlocal n
            n += 1
            device.publish(topic, payload, ResponseTopic="edged/reply/me", CorrelationData=b"%d" % n)

        def wait(requests, in_flight, queue_length):
            device.wait_json("edged/gw1/stats", lambda s: (s["requests"], s["in_flight"], s["queue_length"]) == (requests, in_flight, queue_length))
        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            for _ in range(13):  # one of 14 places is left, and the input wants two
                ask("edged/gw1/digits/infer", bytes(784))
            wait(13, 13, 0)
            ask("edged/gw1/pipeline/two/in/cam", self.rig.sample("digit-7.png"))
            wait(14, 13, 1)
            ask("edged/gw1/digits/infer", bytes(784))
            wait(15, 13, 2)
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        found = [(int(m.properties.CorrelationData), dict(m.properties.UserProperty)["status"]) for m in device.wait("edged/reply/me", 16)]
        self.assertEqual(sorted(found), sorted([(k, "OK") for k in range(1, 16)] + [(14, "MORE")]))

    def test_who_has_asked_a_pipeline_that_goes_is_told(self):
        bridge, device = self.bridge(digit=DIGIT, other=EACH_DIGIT)
        device.subscribe("edged/reply/#")

        def ask(pipeline, n):
            device.publish(f"edged/gw1/pipeline/{pipeline}/in/cam{n}", self.rig.sample("digit-7.png"),
                           ResponseTopic="edged/reply/me", CorrelationData=b"%d" % n)

        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            for n in range(60):  # more than edged is asked at once: others wait in the line
                ask("digit", n)
            device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] > 20)
            os.unlink(os.path.join(self.folder, "digit.conf"))
            bridge.child.send_signal(signal.SIGHUP)
            answers = [(int(m.properties.CorrelationData), dict(m.properties.UserProperty)["status"])
                       for m in device.wait("edged/reply/me", 60)]
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        self.assertEqual(sorted(n for n, _ in answers), list(range(60)))
        self.assertEqual({status for _, status in answers}, {"INTERNAL", "NOT_FOUND"})
        ask("other", 60)
        device.wait("edged/reply/me", 61)
        self.assertIsNone(bridge.child.poll())

    def test_json_asks_where_there_are_no_properties(self):
        """The envelope of models' requests on both inputs of a pipeline, and each way in which it may be no good."""
        rows = "[source]\nkind = numbers\ncolumns = 3\n[model]\nname = vibration\n[post]\nkind = reconstruction\n"
        _, device = self.bridge(extra="pool = yes", digit=EACH_DIGIT, third=EACH_DIGIT.replace("picture\n", "picture\nevery = 3\n"), rows=rows)
        device.wait_json("edged/gw1/capability", lambda c: "digit" in json.dumps(c))
        seven, n = self.rig.sample("digit-7.png"), 0
        for version in (4, 5):
            asker, reply = Device(self.port, f"asker{version}", version=version), f"edged/reply/{version}"
            self.addCleanup(asker.close)
            asker.subscribe("edged/#")
            asker.subscribe("secret/#")
            asker.subscribe("homeassistant/#")

            def ask(topic="edged/gw1/pipeline/digit/in/cam", given=None, qos=1, asker=asker, reply=reply, **change):
                nonlocal n
                n += 1
                text = {"id": f"q{n}", "reply_to": reply, "content_type": "image/png", "data": base64.b64encode(seven).decode(), **change}
                asker.publish(topic, given or json.dumps({k: v for k, v in text.items() if v is not None}), qos)
                return f"q{n}"

            def answer(topic=reply, asker=asker):
                result = json.loads(asker.wait(topic)[-1].payload)
                asker.messages.clear()
                return result

            for topic in ("edged/gw1/pipeline/digit/in/cam", "edged/pool/pipeline/digit/in/cam"):
                name = ask(topic)
                result = answer()
                self.assertEqual((result["id"], result["label"], result["pipeline"], result["source"], "seq" in result),
                                 (name, "7", "digit", "cam", False))
            # Without a content type its first bytes decide; a number is an id too; a property says OK.
            ask(id=17, content_type=None, priority="high", deadline_ms=60000, qos=0)
            if version == 5:
                self.assertEqual(dict(asker.wait(reply)[0].properties.UserProperty)["status"], "OK")
            result = answer()
            self.assertEqual((result["id"], result["label"]), ("17", "7"))
            # Told to all where nobody is named.
            ask(reply_to=None)
            result = answer("edged/gw1/pipeline/digit/result/cam")
            self.assertEqual((result["label"], "id" in result), ("7", False))
            # No good, with a place to say so.
            for change, error in (({"data": "no base64"}, "INVALID"), ({"data": None}, "INVALID"), ({"data": 5}, "INVALID"),
                                  ({"content_type": "text/none"}, "UNSUPPORTED"), ({"id": "x" * 65}, "INVALID"), ({"id": [1]}, "INVALID"),
                                  ({"deadline_ms": -5}, "INVALID"), ({"data": base64.b64encode(b"\x89PNG\r\n\x1a\nnothing").decode()}, "INVALID")):
                name = ask(**change)
                result = answer()
                self.assertEqual(result["error"], error, (change, result))
                self.assertEqual(result.get("id"), name if "id" not in change else None, change)
            # Places that are not for answers: said where errors are, and nowhere else.
            for bad in ("edged/gw1/mine", "edged/reply/+", "edged/pool/digits/infer", "$SYS/x", "secret/x", "homeassistant/x"):
                name = ask(reply_to=bad)
                asker.wait("edged/gw1/pipeline/digit/error/cam")
                self.assertEqual(asker.of(bad), [], bad)
                result = answer("edged/gw1/pipeline/digit/error/cam")
                self.assertEqual((result["error"], result["id"]), ("DENIED", name), bad)
            # The same id twice is answered once; of two pipelines it is two questions.
            for _ in range(2):
                ask(id=f"twice{version}")
            ask("edged/gw1/pipeline/third/in/cam", id=f"twice{version}")
            ask(id=f"end{version}")
            results = [json.loads(m.payload) for m in asker.wait(reply, 3)]
            self.assertEqual([r["id"] for r in results if r["pipeline"] == "digit"], [f"twice{version}", f"end{version}"])
            self.assertEqual([r["id"] for r in results if r["pipeline"] == "third"], [f"twice{version}"])
            asker.messages.clear()
            # What `every` passes over is an answer too.
            ask("edged/gw1/pipeline/third/in/cam")
            self.assertEqual(answer()["error"], "SUPERSEDED")
            ask("edged/gw1/pipeline/third/in/cam")
            self.assertEqual(answer()["error"], "SUPERSEDED")
        # Plain numbers are what they were: with and without an envelope the same window.
        window = [[(i * 7 + k) % 5 / 10 for k in range(3)] for i in range(128)]
        scores = []
        for source, body in (("plain", window), ("values", {"id": "1", "reply_to": "edged/reply/4", "values": sum(window, [])}),
                             ("sealed", {"id": "1", "data": window})):
            device.publish(f"edged/gw1/pipeline/rows/in/{source}", json.dumps(body))
            result = json.loads(device.wait(f"edged/gw1/pipeline/rows/result/{source}")[0].payload)
            scores.append(result["score"])
        self.assertEqual(scores, [scores[0]] * 3)

    def test_what_cannot_be_asked_is_refused(self):
        _, device = self.bridge(extra="pool = yes", digit=EACH_DIGIT)
        device.subscribe("edged/reply/#")
        device.wait_json("edged/gw1/capability", lambda c: "digit" in json.dumps(c))
        inputs, seven = "edged/gw1/pipeline/digit/in/", self.rig.sample("digit-7.png")

        def ask(topic, **given):
            device.publish(topic, seven, ResponseTopic="edged/reply/me", **given)
            message = device.wait("edged/reply/me")[0]
            device.messages.clear()
            return dict(message.properties.UserProperty)["status"], json.loads(message.payload).get("message", "")

        for where in (inputs, "edged/pool/pipeline/digit/in/"):
            for source in ("x" * 64, "a b", "\u00fc", "$x"):
                status, why = ask(where + source)
                self.assertEqual((status, "source" in why), ("INVALID", True), (where, source))
            self.assertEqual(ask(where + "x" * 63)[0], "OK")
        for topic in (inputs + "cam", "edged/gw1/digits/infer"):
            for deadline in ("-5", "0.001", "soon", "86400001", "99999999999999999999", "5 "):
                status, why = ask(topic, UserProperty=[("deadline_ms", deadline)])
                self.assertEqual((status, "deadline_ms" in why), ("INVALID", True), (topic, deadline))
            for deadline in ("60000", "0", ""):
                self.assertEqual(ask(topic, UserProperty=[("deadline_ms", deadline)])[0], "OK", (topic, deadline))

    def test_a_camera_gets_its_snapshot_as_jpeg(self):
        _, device = self.bridge(extra="discovery = yes", digit=EACH_DIGIT + "snapshot = jpeg\n", other=EACH_DIGIT + "snapshot = yes\n")
        device.subscribe("homeassistant/#")
        for name, begin, kind in (("digit", b"\xff\xd8\xff", "image/jpeg"), ("other", b"\x89PNG", "image/png")):
            device.publish(f"edged/gw1/pipeline/{name}/in/cam", self.rig.sample("digit-7.png"))
            message = device.wait(f"edged/gw1/pipeline/{name}/snapshot/cam")[0]
            self.assertTrue(message.payload.startswith(begin), message.payload[:8])
            self.assertEqual(message.properties.ContentType, kind)
            device.wait_json("homeassistant/device/edged_gw1/config",
                             lambda c, n=name, k=kind: any(one.get("img_t") == f"edged/gw1/pipeline/{n}/snapshot/cam" and one["cont_type"] == k
                                                           for one in c["cmps"].values()))

    def test_what_a_model_is_taught_counts_at_once_and_in_every_life(self):
        store = Store(self.rig.socket)
        self.addCleanup(store.socket.close)
        bridge, device = self.bridge(taught="[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = embedding\n")
        where = "edged/gw1/pipeline/taught/{}/cam".format
        n = 0

        def label():
            nonlocal n
            n += 1
            device.publish(where("in"), self.rig.sample("digit-7.png"))
            return json.loads(device.wait(where("result"), n)[n - 1].payload).get("label")

        self.assertIsNone(label())
        # Of the ten classes' scores: 7 is near one, and not the other.
        store.teach("digits", "seven\t0 0 0 0 0 0 0 1 0 0\none\t0 1 0 0 0 0 0 0 0 0\n")
        self.addCleanup(store.forget, "digits", "one")
        wait_for(lambda: label() == "seven", "the label that was taught")
        # Another process of the pipelines is told before it sees a picture, and so is another edged-mqtt.
        os.kill(self.child(bridge), signal.SIGKILL)
        self.assertEqual(label(), "seven")
        bridge.end()
        bridge, device = self.bridge()
        n = 0
        self.wait_live(device, "edged/gw1/pipeline/taught/state", lambda s: s["state"] == "ready")
        self.assertEqual(label(), "seven")
        store.forget("digits", "seven")
        wait_for(lambda: label() == "one", "the label that is left")


if __name__ == "__main__":
    run_tests()
