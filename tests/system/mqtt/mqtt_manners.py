#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt as its users meet it: what is the same request and what is another, and what it says of itself."""
import json
import os
import signal
import time

from mqtt_rig import BOUND, DIGIT_BYTES, WithBroker, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
INFER = "edged/gw1/digits/infer"


class Repeated(WithBroker):
    """Each test ends with a request of its own, whose answer shows that what came before it has been dealt with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_port = free_port()
        cls.other = cls.rig.start_broker(f"listener {cls.other_port} 127.0.0.1\nallow_anonymous true", name="other")

    def two(self, version=5):
        """edged-mqtt at two brokers, and a device at each. No run of a test is longer than the window."""
        bridge = self.bridge("stats-interval = 100ms\nduplicate-window = 10min", others={"broker b": f"address = mqtt://127.0.0.1:{self.other_port}"})
        bridge.wait_log("connected, MQTT", 2)
        devices = [self.device("one", version), self.device("two", version, port=self.other_port)]
        for device in devices:
            device.subscribe("edged/reply/#")
            device.subscribe("edged/gw1/stats")
        return devices

    @staticmethod
    def ask(device, number, of=0, **more):
        device.publish(INFER, json.dumps({"id": number, "reply_to": "edged/reply/me", "data": [of] * DIGIT_BYTES, **more}))

    @staticmethod
    def ids(device):
        return [json.loads(m.payload).get("id") for m in device.of("edged/reply/me")]

    def test_an_id_of_json_with_another_content_or_from_another_broker_is_another_request(self):
        one, two = self.two(4)
        self.ask(one, "x")
        self.ask(one, "x", of=1)
        self.ask(one, "x")
        self.ask(one, "end")
        self.ask(two, "x")
        wait_for(lambda: "end" in self.ids(one), "the last answer")
        wait_for(lambda: self.ids(two) == ["x"], "the answer at the other broker")
        one.wait_json("edged/gw1/stats", lambda s: s["duplicates"] == 1)
        self.assertCountEqual(self.ids(one), ["x", "x", "end"])

    def test_correlation_data_of_another_broker_is_another_request(self):
        devices = self.two()
        for device in (*devices, devices[0]):
            device.publish(INFER, bytes(DIGIT_BYTES), ResponseTopic="edged/reply/me", CorrelationData=b"1")
        for device in devices:
            device.wait("edged/reply/me")
        devices[0].wait_json("edged/gw1/stats", lambda s: s["duplicates"] == 1 and s["answers_ok"] == 2)
        self.assertEqual([len(d.of("edged/reply/me")) for d in devices], [1, 1])

    def test_who_asks_again_when_the_time_that_he_gave_is_over_is_answered(self):
        """However fast it was answered the first time."""
        device, _ = self.two()
        of = lambda number: [m for m in device.of("edged/reply/me") if m.properties.CorrelationData == b"%d" % number]  # noqa: E731
        for number, given in enumerate(({"MessageExpiryInterval": 1}, {"UserProperty": [("deadline_ms", "1000")]})):
            send = lambda: device.publish(INFER, bytes(DIGIT_BYTES), ResponseTopic="edged/reply/me", CorrelationData=b"%d" % number,  # noqa: E731,B023
                                          **given)  # noqa: B023
            wait_for(lambda: send() and len(of(number)) > 1, "a second answer")  # noqa: B023
        wait_for(lambda: self.ask(device, "y", deadline_ms=1000) or self.ids(device).count("y") > 1, "a second answer")

    def test_what_comes_twice_is_answered_once_whatever_comes_between(self):
        device, _ = self.two()
        send = lambda number: device.publish(INFER, bytes(DIGIT_BYTES), ResponseTopic="edged/reply/me", CorrelationData=b"%d" % number)  # noqa: E731
        seen = lambda: {m.properties.CorrelationData for m in device.of("edged/reply/me")}  # noqa: E731
        send(0)
        for first in range(1, 1501, 20):
            for number in range(first, first + 20):
                send(number)
            wait_for(lambda: len(seen()) == first + 20, "the answers")  # noqa: B023
        send(0)
        device.wait_json("edged/gw1/stats", lambda s: s["duplicates"] == 1)
        self.assertEqual(len(device.of("edged/reply/me")), 1501)

    def test_an_id_comes_back_as_it_was(self):
        device, _ = self.two(4)
        ids = ["DEV\\17", "a\tb", "\U0001f468\u200d\U0001f469", "\u202e", "\u00e9\"", "\U000e0001"]
        for one in ids:
            self.ask(device, one)
        device.wait("edged/reply/me", len(ids))
        self.assertCountEqual(self.ids(device), ids)

    def test_a_ping_without_an_answer_is_told_as_that(self):
        bridge = self.bridge(others={"broker b": f"address = mqtt://127.0.0.1:{self.other_port}\nkeepalive = 5s"})
        bridge.wait_log("connected, MQTT", 2)
        os.kill(self.other.child.pid, signal.SIGSTOP)
        try:
            bridge.wait_log("broker b: no answer to a ping in time")
        finally:
            os.kill(self.other.child.pid, signal.SIGCONT)

    @staticmethod
    def decoder_of(bridge):
        with open(f"/proc/{bridge.child.pid}/task/{bridge.child.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            with open(f"/proc/{child}/cmdline", encoding="ascii") as file:
                if "--worker" in file.read():
                    return int(child)
        return None

    def test_who_kills_the_decoder_does_not_make_a_request_bad(self):
        bridge = self.bridge("stats-interval = 100ms\ndecode-timeout = 60s\ndeadline = 60s")
        device = self.device("one")
        device.subscribe("edged/reply/me")
        device.subscribe("edged/gw1/stats")
        picture = self.rig.sample("digit-7.png")
        ask = lambda: device.publish(INFER, picture, ResponseTopic="edged/reply/me")  # noqa: E731
        ask()
        device.wait("edged/reply/me")
        for number, wanted in ((signal.SIGKILL, "OK"), (signal.SIGSYS, "INVALID")):
            pid, before = wait_for(lambda: self.decoder_of(bridge), "the decoder"), len(device.of("edged/reply/me"))
            os.kill(pid, signal.SIGSTOP)
            ask()
            with device.lock:
                device.messages["edged/gw1/stats"] = []
            device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] == 1)
            os.kill(pid, number)
            if number != signal.SIGKILL:
                os.kill(pid, signal.SIGCONT)
            answer = device.wait("edged/reply/me", before + 1)[-1]
            self.assertEqual(dict(answer.properties.UserProperty)["status"], wanted)
        device.wait_json("edged/gw1/stats", lambda s: s["pipeline_restarts"] == 2)


class Said(WithBroker):
    def listener(self, name="one", port=None):
        device = self.device(name, port=port)
        device.subscribe("edged/gw1/#")
        return device

    def assert_few(self, count, since):
        """At most one a second, and one at all."""
        self.assertIn(count, range(1, int(time.monotonic() - since) + 2))

    def test_orders_are_counted_and_do_not_write_the_log_at_their_rate(self):
        since = time.monotonic()
        bridge, device = self.bridge("stats-interval = 100ms"), self.listener()
        for number in range(500):
            device.publish("edged/gw1/digits/set/threshold", f"0.{500 + number % 2}", qos=0)
            device.publish("edged/gw1/digits/set/threshold", "none", qos=0)
        device.wait_json("edged/gw1/stats", lambda s: s["commands"] == 500 and s["refused"] == 500)
        self.assert_few(bridge.text().count("digits: threshold was set"), since)
        self.assert_few(bridge.text().count("a refused command"), since)

    def test_what_the_broker_refuses_is_counted_and_told_now_and_then(self):
        port, since = free_port(), time.monotonic()
        rules = self.rig.write("rules", "topic readwrite edged/gw1/#\n")
        broker = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {rules}", name="strict")
        self.addCleanup(broker.end)
        bridge = self.rig.start_bridge("stats-interval = 100ms", {"broker a": f"address = mqtt://127.0.0.1:{port}"}, name="denied")
        self.addCleanup(bridge.end)
        device = self.listener(port=port)
        for _ in range(200):
            device.publish(INFER, bytes(DIGIT_BYTES), ResponseTopic="edged/reply/me")
        device.wait_json("edged/gw1/stats", lambda s: s["messages_refused"] == 200)
        self.assert_few(bridge.text().count("it refused a message to edged/reply/me (reason 135)"), since)

    def test_who_drains_says_so(self):
        bridge, device = self.bridge(), self.listener()
        device.wait_json("edged/gw1/capability", lambda c: c["draining"] == 0 and c["models_ready"] == 3)
        bridge.end()
        device.wait_json("edged/gw1/capability", lambda c: c["draining"] == 1)

    def test_the_capability_names_every_model(self):
        names = [f"digits-{number:02}-" + "x" * 50 for number in range(40)]
        for name in names:
            self.rig.put_model("digits", name)
        try:
            self.bridge()
            there = {*names, "digits", "keyword", "vibration"}
            self.listener().wait_json("edged/gw1/capability", lambda c: set(c["models"].split()) == there and c["models_ready"] == len(there))
        finally:
            for name in names:
                os.unlink(self.rig.path("models", name + ".tflite"))

    def test_settings_of_a_model_called_pipeline_stay_from_life_to_life(self):
        self.rig.put_model("digits", "pipeline")
        device, state = self.listener(), self.rig.path("of-pipeline")
        os.mkdir(state)
        kept, ghost = "edged/gw1/pipeline/get/enable", "edged/gw1/ghost/get/enable"
        try:
            for _ in range(2):
                bridge = self.bridge(f"state = {state}")
                device.wait(kept)
                bridge.end()
                with open(os.path.join(state, "retained"), "a", encoding="utf-8") as file:
                    file.write(f"+a topic {ghost}\n")
                device.publish(ghost, "ON", retain=True)
                device.wait(ghost)
                with device.lock:
                    device.messages.pop(ghost)
                bridge = self.bridge(f"state = {state}")
                wait_for(lambda: any(not m.payload for m in device.of(ghost)), "what is nobody's to be emptied")
                bridge.end()
                self.assertEqual({bytes(m.payload) for m in device.of(kept)}, {b"ON"})
        finally:
            os.unlink(self.rig.path("models", "pipeline.tflite"))


class Hung(WithBroker):
    def test_a_disk_that_hangs_keeps_nobody_waiting_and_gets_the_newest_of_what_was_set(self):
        """Requests and orders are answered meanwhile; what comes later is written later, and an end waits for it."""
        state = self.rig.path("slow")
        os.mkdir(state)
        bridge = self.bridge(f"state = {state}")
        device = self.device("patient")
        device.subscribe("edged/gw1/digits/get/threshold")
        device.subscribe("edged/reply/me")
        device.subscribe("edged/gw1/status")
        os.mkfifo(os.path.join(state, "set.new"))  # to be opened by a reader too, so who writes there waits
        values = [f"0.{n}" for n in range(1, 10)]
        for n, value in enumerate(values):
            device.publish("edged/gw1/digits/set/threshold", value)
            wait_for(lambda n=n: len(device.of("edged/gw1/digits/get/threshold")) == n + 1, "its echo")
            device.publish(INFER, bytes(DIGIT_BYTES), ResponseTopic="edged/reply/me")
            self.assertEqual(dict(device.wait("edged/reply/me", n + 1)[n].properties.UserProperty)["status"], "OK")
        self.assertEqual([m.payload.decode() for m in device.of("edged/gw1/digits/get/threshold")], values)
        bridge.child.send_signal(signal.SIGTERM)
        wait_for(lambda: device.of("edged/gw1/status")[-1].payload == b"stopped", "the end")
        os.rename(os.path.join(state, "set.new"), os.path.join(state, "slow"))
        reader = os.open(os.path.join(state, "slow"), os.O_RDONLY | os.O_NONBLOCK)  # the write that hangs goes on, and fails: this is no file
        self.assertEqual(bridge.child.wait(BOUND), 0)
        with open(os.path.join(state, "set.conf"), encoding="utf-8") as file:
            self.assertIn("threshold = 0.9\n", file.read())
        self.assertEqual(os.read(reader, 1000).decode().count("threshold = 0.1\n"), 1)
        os.close(reader)
        self.bridge(f"state = {state}")
        again = self.device("later")
        again.subscribe("edged/gw1/digits/get/threshold")
        self.assertEqual(again.wait("edged/gw1/digits/get/threshold")[-1].payload, b"0.9")


if __name__ == "__main__":
    run_tests()
