#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt as its users meet it: what is the same request and what is another, and what it says of itself."""
import json
import os
import signal

from mqtt_rig import DIGIT_BYTES, WithBroker, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
INFER = "edged/gw1/digits/infer"


class Repeated(WithBroker):
    """Each test ends with a request of its own, whose answer shows that what came before it has been dealt with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_port = free_port()
        cls.other = cls.rig.start_broker(f"listener {cls.other_port} 127.0.0.1\nallow_anonymous true", name="other")

    def two(self, version=5, text=""):
        """edged-mqtt at two brokers, and a device at each."""
        bridge = self.bridge("stats-interval = 100ms\n" + text, others={"broker b": f"address = mqtt://127.0.0.1:{self.other_port}"})
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
        device, _ = self.two(text="duplicate-window = 10min")
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
                if "--decode" in file.read():
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
        device.wait_json("edged/gw1/stats", lambda s: s["decoder_restarts"] == 2)


if __name__ == "__main__":
    run_tests()
