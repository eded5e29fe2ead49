#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small messages that become large: what edged-mqtt has memory for is decoded, the rest waits as it came; and nobody is lost where there is none."""
import base64
import json
import os
import resource
import signal
import struct
import unittest

from mqtt_rig import BOUND, EDGED, EDGED_MQTT, ROOT, Device, Rig, free_port, is_sanitized, need_mosquitto, run_tests, wait_for

need_mosquitto()
SIDE, OUT_SIDE = 257, 676
IN_BYTES, OUT_BYTES = SIDE * SIDE * 3 * 4, OUT_SIDE * OUT_SIDE * 3 * 4  # 0.8 MB and 5.5 MB
MARGIN = 128 << 10  # of memory: less than what is to fail needs, more than a small message does


def resizing_model(side, channels):
    """A model of the golden cases with a picture of other sizes: @side becomes OUT_SIDE."""
    with open(os.path.join(ROOT, "tests", "data", "RESIZE_BILINEAR_f32", "model.tflite"), "rb") as file:
        model = file.read()
    for old, new in (((1, 4, 4, 2), (1, side, side, channels)), ((1, 6, 3, 2), (1, OUT_SIDE, OUT_SIDE, channels)), ((6, 3), (OUT_SIDE, OUT_SIDE))):
        pattern = struct.pack(f"<{len(old)}i", *old)
        assert model.count(pattern) == 1, old
        model = model.replace(pattern, struct.pack(f"<{len(new)}i", *new))
    return model


class Work(unittest.TestCase):
    def setUp(self):
        self.rig = Rig(EDGED, EDGED_MQTT, ROOT, models=("digits",))
        self.addCleanup(self.rig.close)
        for name, model in (("large", resizing_model(SIDE, 3)), ("grows", resizing_model(4, 3))):
            with open(self.rig.path("models", name + ".tflite"), "wb") as file:
                file.write(model)
        self.edged = self.rig.start_edged()
        self.port = free_port()
        self.rig.start_broker(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0")
        self.picture = self.rig.sample("digit-7.png")

    def start(self, text="", env=None, others=None):
        """The default memory; what waits, waits for the test."""
        bridge = self.rig.start_bridge(f"stats-interval = 50ms\nmax-pause = 0ms\nqueue-length = 256\ndeadline = 10min\ndecode-timeout = 1min\n{text}",
                                       {"broker a": f"address = mqtt://127.0.0.1:{self.port}\nreceive-maximum = 1000", **(others or {})}, env=env)
        self.addCleanup(bridge.end)
        self.device = Device(self.port, "d")
        self.addCleanup(self.device.close)
        for topic in ("edged/reply/d", "edged/gw1/stats", "edged/gw1/+/state"):
            self.device.subscribe(topic)
        for name in ("digits", "large", "grows"):
            self.device.wait_json(f"edged/gw1/{name}/state", lambda state: state["state"] == "ready")
        return bridge

    def ask(self, name, model, payload=None, priority="normal", raw=False, kind=None):
        self.device.publish(f"edged/gw1/{model}/infer", self.picture if payload is None else payload, ResponseTopic="edged/reply/d",
                            CorrelationData=name.encode(), ContentType=kind or ("image/png" if payload is None else "application/octet-stream"),
                            UserProperty=[("priority", priority), ("accept", f"application/{'octet-stream' if raw else 'json'}")])

    def answers(self, count):
        """(correlation data, status) in the order in which they came."""
        return [(m.properties.CorrelationData.decode() if hasattr(m.properties, "CorrelationData") else json.loads(m.payload)["id"], dict(m.properties.UserProperty)["status"])
                for m in self.device.wait("edged/reply/d", count)]

    def wait_stats(self, condition):
        self.device.wait("edged/gw1/stats")

        def there():
            stats = json.loads(self.device.of("edged/gw1/stats")[-1].payload)
            return stats if condition(stats) else None
        return wait_for(there, "these stats")

    def pause_edged(self):
        self.edged.child.send_signal(signal.SIGSTOP)
        self.addCleanup(self.edged.child.send_signal, signal.SIGCONT)

    def check_none_lost(self, bridge, answers):
        stats = self.wait_stats(lambda s: s["answers"] == answers)
        self.assertEqual((stats["pipeline_restarts"], bridge.text().count("edged is away")), (0, 0), bridge.text())
        return stats

    def storm(self, raw):
        bridge = self.start()
        self.pause_edged()
        for i in range(120):
            self.ask(f"{i}", "large", raw=raw)
        for i in range(5):
            self.ask(f"u{i}", "digits", priority="high")
        self.wait_stats(lambda s: s["requests"] == 125)
        self.edged.child.send_signal(signal.SIGCONT)
        answers = self.answers(125)
        self.assertEqual(sorted(answers), sorted([(f"{i}", "OK") for i in range(120)] + [(f"u{i}", "OK") for i in range(5)]))
        self.assertEqual(self.check_none_lost(bridge, 125)["shed"], 0)

    def test_small_pictures_of_a_large_input_are_all_answered(self):
        self.storm(raw=False)

    def test_and_with_large_answers(self):
        self.storm(raw=True)

    def test_an_urgent_request_does_not_wait_behind_what_is_decoded(self):
        bridge = self.start("in-flight = 1")
        self.pause_edged()
        # Those that are decoded are decoded again behind the urgent ones: by their id alone they would have come twice.
        data = base64.b64encode(self.picture).decode()
        for i in range(40):
            self.device.publish("edged/gw1/large/infer", json.dumps({"id": f"{i}", "content_type": "image/png", "data": data, "priority": "low"}),
                                ResponseTopic="edged/reply/d", UserProperty=("priority", "low"))
        self.wait_stats(lambda s: s["requests"] == 40 and s["in_flight"] == 1)
        for i in range(3):
            self.ask(f"u{i}", "large", priority="high")
        self.ask("d", "digits", priority="high")
        # No picture at all is known as soon as it was its turn to be decoded, behind those.
        self.ask("bad", "digits", b"no picture", priority="high", kind="image/png")
        self.assertEqual(self.answers(1), [("bad", "UNSUPPORTED")])
        self.edged.child.send_signal(signal.SIGCONT)
        # The one that edged had, and those that were urgent; the rest in the order in which they came.
        names = ["0", "u0", "u1", "u2", "d"] + [f"{i}" for i in range(1, 40)]
        self.assertEqual(self.answers(45)[1:], [(name, "OK") for name in names])
        self.check_none_lost(bridge, 45)

    def test_what_waits_for_room_at_one_broker_has_no_memory_that_others_need(self):
        port = free_port()
        broker = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0", "hangs")
        bridge = self.start("queue-bytes = 32M", others={"broker b": f"address = mqtt://127.0.0.1:{port}\nreceive-maximum = 1000"})
        asks = Device(port, "asks")
        self.addCleanup(asks.close)
        self.addCleanup(broker.child.send_signal, signal.SIGCONT)
        bridge.child.send_signal(signal.SIGSTOP)
        self.addCleanup(bridge.child.send_signal, signal.SIGCONT)
        for sent in [asks.publish("edged/gw1/large/infer", self.picture, ResponseTopic="edged/reply/a", CorrelationData=b"%d" % i, ContentType="image/png",
                                  UserProperty=("accept", "application/octet-stream")) for i in range(40)]:
            sent.wait_for_publish(BOUND)
        broker.child.send_signal(signal.SIGSTOP)
        bridge.child.send_signal(signal.SIGCONT)
        # One answer is all that the outbox holds, and one request at a time all that there is memory for.
        self.wait_stats(lambda s: (s["requests"], s["answers"], s["queue_length"]) == (40, 1, 39))
        for i in range(10):
            self.ask(f"{i}", "large")
        self.assertEqual(sorted(self.answers(10)), [(f"{i}", "OK") for i in range(10)])
        self.check_none_lost(bridge, 11)

    def without_memory(self, bridge, work, raised_after):
        """@work while there is memory for small things alone, until @raised_after is true."""
        self.wait_stats(lambda s: s["answers"] == 1)  # told once all is given back that the answer took
        pid, most = bridge.child.pid, resource.prlimit(bridge.child.pid, resource.RLIMIT_DATA)
        resource.prlimit(pid, resource.RLIMIT_DATA, ((bridge.memory_kb() << 10) + MARGIN, most[1]))
        work()
        raised_after()
        resource.prlimit(pid, resource.RLIMIT_DATA, most)

    @unittest.skipIf(is_sanitized(EDGED_MQTT), "its run time takes more memory than any limit")
    def test_no_memory_for_what_was_decoded_is_no_fault_of_the_picture(self):
        bridge = self.start()
        self.ask("first", "large")
        self.answers(1)
        self.without_memory(bridge, lambda: self.ask("lacks", "large"), lambda: self.answers(2))
        self.ask("last", "large")
        self.assertEqual(self.answers(3), [("first", "OK"), ("lacks", "OVERLOADED"), ("last", "OK")])
        self.assertEqual(self.check_none_lost(bridge, 3)["shed"], 1)

    @unittest.skipIf(is_sanitized(EDGED_MQTT), "its run time takes more memory than any limit")
    def test_nor_is_no_memory_for_an_answer_the_end_of_the_connection(self):
        bridge = self.start()
        data = bytes(4 * 4 * 3 * 4)
        self.ask("first", "grows", data)
        self.answers(1)
        self.without_memory(bridge, lambda: self.ask("lacks", "grows", data), lambda: self.answers(2))
        self.ask("last", "grows", data)
        self.assertEqual(self.answers(3), [("first", "OK"), ("lacks", "OVERLOADED"), ("last", "OK")])
        self.assertEqual(self.check_none_lost(bridge, 3)["shed"], 1)

    @unittest.skipIf(is_sanitized(EDGED_MQTT), "its run time takes more memory than any limit")
    def test_what_is_kept_is_asked_again_once_there_is_memory(self):
        os.mkdir(self.rig.path("run"))
        bridge = self.start(env={"RUNTIME_DIRECTORY": self.rig.path("run")})
        self.ask("first", "large")
        self.answers(1)

        def tried():
            """A small one behind it is answered: it was its turn before."""
            self.ask("small", "digits")
            self.answers(2)
        self.without_memory(bridge, lambda: self.ask("lacks", "large"), tried)
        self.assertEqual(self.answers(3), [("first", "OK"), ("small", "OK"), ("lacks", "OK")])
        self.assertEqual(self.check_none_lost(bridge, 3)["shed"], 0)


if __name__ == "__main__":
    run_tests()
