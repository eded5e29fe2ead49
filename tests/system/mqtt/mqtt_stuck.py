#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt with a broker that has asked much and takes no answers, beside one that does: the second one is to see nothing of it."""
import json
import os
import signal

from mqtt_rig import BOUND, DIGIT_BYTES, WithBroker, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
DIGIT = "[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = classes\n[decision]\npublish = all\n"


def status_of(message):
    return dict(message.properties.UserProperty)["status"]


class Stuck(WithBroker):
    def setUp(self):
        self.slow_port = free_port()
        self.slow = self.rig.start_broker(f"listener {self.slow_port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0", f"slow-{self._testMethodName}")
        self.addCleanup(self.slow.end, signal.SIGKILL)
        self.addCleanup(self.slow.child.send_signal, signal.SIGCONT)
        self.addCleanup(self.edged.child.send_signal, signal.SIGCONT)

    def begin(self, text, **given):
        """Two brokers: b is the one that will hang. Of both a device; that of a knows how things are."""
        self.text = f"stats-interval = 50ms\ndeadline = 10min\n{text}"
        self.brokers = {"broker b": f"address = mqtt://127.0.0.1:{self.slow_port}\noutbox-messages = 16\nreceive-maximum = 1000\nkeepalive = 10min"}
        bridge = self.bridge(self.text, "keepalive = 60s", others=self.brokers, **given)
        self.device, self.urgent = self.device_of("patient", self.port), self.device_of("urgent", self.slow_port)
        self.device.subscribe("edged/gw1/#")
        self.device.wait("edged/gw1/stats")
        return bridge

    def device_of(self, name, port):
        device = self.device(name, port=port)
        device.subscribe("edged/reply/me")
        return device

    def ask(self, device, numbers, topic="digits/infer", payload=bytes(DIGIT_BYTES), priority="normal"):
        for one in [device.publish(f"edged/gw1/{topic}", payload, ResponseTopic="edged/reply/me", CorrelationData=b"%d" % n,
                                   UserProperty=("priority", priority)) for n in numbers]:
            one.wait_for_publish(BOUND)

    def hang(self, bridge, ask, waits=14):
        """The broker takes no answers of what @ask asks. The line as it is then."""
        bridge.child.send_signal(signal.SIGSTOP)
        try:
            ask()
            self.slow.child.send_signal(signal.SIGSTOP)
        finally:
            bridge.child.send_signal(signal.SIGCONT)
        return self.device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] >= waits and s["in_flight"] == 0 and s["answers_ok"] > 0)

    def last(self):
        return json.loads(self.device.of("edged/gw1/stats")[-1].payload)

    def answers(self, device, count):
        wait_for(lambda: len({m.properties.CorrelationData for m in device.of("edged/reply/me")}) >= count, f"{count} answers")
        return {int(m.properties.CorrelationData): status_of(m) for m in device.of("edged/reply/me")}

    def ask_while_edged_is_busy(self, count, **inputs):
        """And as many inputs, if there are any, in the same turn."""
        before, all_ = self.last()["requests"], 2 * count if inputs else count
        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            self.ask(self.device, range(count))
            if inputs:
                self.ask(self.device, range(count, all_), **inputs)
            self.device.wait_json("edged/gw1/stats", lambda s: s["requests"] == before + all_)
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        self.assertEqual(self.answers(self.device, all_), dict.fromkeys(range(all_), "OK"))

    def test_a_pause_does_not_keep_out_what_makes_room(self):
        """Answers have all the room that there is, and the broker's word on them comes with what is not read."""
        bridge = self.begin("queue-length = 64\nmax-pause = 60s")
        bridge.child.send_signal(signal.SIGSTOP)
        try:
            for one in [self.urgent.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/me", CorrelationData=b"%d" % n,
                                            MessageExpiryInterval=40) for n in range(60)]:
                one.wait_for_publish(BOUND)
        finally:
            bridge.child.send_signal(signal.SIGCONT)
        self.answers(self.urgent, 60)  # before a pause would end: what expires has none
        self.assertEqual({status_of(m) for m in self.urgent.of("edged/reply/me")}, {"OK"})

    def test_its_requests_keep_nobody_out_while_edged_is_busy(self):
        """Nor does anybody expect to wait for them."""
        bridge = self.begin("queue-length = 16\nmax-pause = 0ms")
        self.hang(bridge, lambda: self.ask(self.urgent, range(60), priority="high"))
        self.device.wait_json("edged/gw1/stats", lambda s: s["requests"] == 60 and s["in_flight"] == 0)
        told = self.device.wait_json("edged/gw1/stats", lambda s: s["requests"] == 60 and s["in_flight"] == 0 and s["queue_length"] >= 14)
        self.assertEqual(told["wait_ms"], 0)
        self.device.messages.pop("edged/gw1/capability")
        self.assertEqual(json.loads(self.device.wait("edged/gw1/capability")[0].payload)["wait_ms"], 0)
        self.ask_while_edged_is_busy(12)

    def test_its_inputs_keep_nobody_out_while_edged_is_busy_with_both(self):
        folder = self.rig.path("stuck.d")
        os.mkdir(folder)
        self.rig.write("stuck.d/digit.conf", DIGIT)
        bridge = self.begin(f"queue-length = 16\nmax-pause = 0ms\npipelines = {folder}")
        self.device.wait_json("edged/gw1/pipeline/digit/state", lambda s: s["state"] == "ready")
        picture = {"topic": "pipeline/digit/in/cam", "payload": self.rig.sample("digit-7.png")}
        self.hang(bridge, lambda: self.ask(self.urgent, range(60), priority="high", **picture))
        self.device.wait_json("edged/gw1/stats", lambda s: s["requests"] == 60 and s["pipeline_questions"] == s["pipeline_results"] and s["queue_length"] >= 14)
        self.ask_while_edged_is_busy(8, **picture)

    def test_others_are_held_back_by_what_they_ask_themselves(self):
        bridge = self.begin("queue-length = 64\nmax-pause = 15s\nin-flight = 1")
        before = self.hang(bridge, lambda: self.ask(self.urgent, range(60), priority="high"), waits=32)["requests"]
        self.edged.child.send_signal(signal.SIGSTOP)
        self.ask(self.device, range(200))
        self.device.wait_json("edged/gw1/stats", lambda s: s["requests"] >= before + 48)
        self.edged.child.send_signal(signal.SIGCONT)
        self.assertEqual(self.answers(self.device, 200), dict.fromkeys(range(200), "OK"))

    def test_what_it_has_asked_in_an_earlier_life_keeps_nobody_waiting(self):
        folder = self.rig.path("run-of-stuck")
        os.mkdir(folder)
        given = {"env": {"RUNTIME_DIRECTORY": folder}}
        bridge = self.begin("queue-length = 64\nmax-pause = 0ms\nduplicate-window = 0ms", **given)
        self.edged.child.send_signal(signal.SIGSTOP)
        self.ask(self.urgent, range(60))
        self.device.wait_json("edged/gw1/stats", lambda s: s["kept"] == 60)
        self.ask(self.device, range(4))
        self.device.wait_json("edged/gw1/stats", lambda s: s["kept"] == 64)
        self.slow.child.send_signal(signal.SIGSTOP)
        bridge.end(signal.SIGKILL)
        self.edged.child.send_signal(signal.SIGCONT)
        bridge = self.bridge(self.text.replace("queue-length = 64", "queue-length = 16"), "keepalive = 60s", others=self.brokers, wait=False, **given)
        self.assertEqual(self.answers(self.device, 4), dict.fromkeys(range(4), "OK"))
        self.assertEqual(self.urgent.of("edged/reply/me"), [])
        self.slow.child.send_signal(signal.SIGCONT)
        self.assertEqual(self.answers(self.urgent, 60), dict.fromkeys(range(60), "OK"))

    def test_the_least_urgent_gives_way_first(self):
        bridge = self.begin("queue-length = 16\nmax-pause = 0ms\nin-flight = 64")

        def ask():
            self.ask(self.urgent, range(14))
            self.ask(self.urgent, range(14, 22), priority="low")
            self.ask(self.urgent, range(22, 30), priority="high")
        self.hang(bridge, ask)
        self.device.wait_json("edged/gw1/stats", lambda s: s["requests"] == 30 and s["in_flight"] == 0)
        self.ask_while_edged_is_busy(6)
        self.slow.child.send_signal(signal.SIGCONT)
        urgent = [*range(14), *range(22, 30)]
        wait_for(lambda: set(urgent) <= {int(m.properties.CorrelationData) for m in self.urgent.of("edged/reply/me")}, "the urgent ones")
        self.device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] == 0 and s["requests"] == 36)
        found = self.answers(self.urgent, 22)
        self.assertEqual({n: found[n] for n in urgent}, dict.fromkeys(urgent, "OK"))
        self.assertLess(len([n for n in range(14, 22) if found.get(n) == "OK"]), 8)


if __name__ == "__main__":
    run_tests()
