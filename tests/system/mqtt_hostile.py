#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt and brokers that mean harm or are broken: it stays within its memory, lives, and comes back; edged never notices."""
import os
import signal
import sys
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "fakes"))
from fake_broker import FakeBroker, behaviours  # noqa: E402
from mqtt_rig import (BOUND, DIGIT_BYTES, EDGED, EDGED_MQTT, LONG, ROOT, Device, Rig, free_port, is_sanitized,  # noqa: E402
                      need_mosquitto, run_tests, wait_for)

LIMIT_MB = 64
TURNS = 3 if LONG else 1


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(EDGED, EDGED_MQTT, ROOT)
        cls.addClassCleanup(cls.rig.close)
        cls.edged = cls.rig.start_edged()

    def test_every_behaviour_is_survived_within_the_memory_limit(self):
        self.assertGreaterEqual(len(behaviours()), 40)
        broker = FakeBroker()
        self.addCleanup(broker.close)
        run = self.rig.path("run")
        os.mkdir(run)
        bridge = self.rig.start_bridge(f"max-memory = {LIMIT_MB}M\ncommands = threshold", {
            "broker a": f"address = mqtt://127.0.0.1:{broker.port}\nconnect-timeout = 500ms\nkeepalive = 5s\nreconnect-max = 100ms"},
            env={"RUNTIME_DIRECTORY": run})
        self.addCleanup(bridge.end)
        most = kept = 0
        for name in list(behaviours()) * TURNS:
            with self.subTest(name):
                broker.name = name
                before = broker.connections
                if broker.last:
                    broker.last.sock.close()
                wait_for(lambda b=before: broker.connections > b, "a connection", BOUND)
                wait_for(lambda: broker.done >= 1, "the end of it", BOUND)
                most = max(most, bridge.memory_kb("VmData"), bridge.memory_kb("VmRSS"))
                kept = max(kept, os.stat(os.path.join(run, "kept")).st_blocks // 2)
                broker.name, broker.last = "good", None
                wait_for(lambda: broker.last and any(t.startswith("edged/gw1/") for t in broker.last.topics), f"a good connection after {name!r}", 20)
                broker.done = 0
                self.assertIsNone(bridge.child.poll(), bridge.text()[-1000:])
                self.assertIsNone(self.edged.child.poll())
        if not is_sanitized(EDGED_MQTT):
            self.assertLess(most, LIMIT_MB * 1024 + 1024)
        self.assertNotIn("Sanitizer", bridge.text())
        self.assertIn(kept, range(64, 4096 + 256 + 64))  # kept-bytes, a page in each of the first places, and the system's own
        print(f"{len(behaviours())} behaviours; at most {most} KB, {kept} KB kept", file=sys.stderr)

    def test_one_that_ends_the_program_costs_the_others_little(self):
        """Each CONNACK of one broker ends libmosquitto: it is met ever less often, and every request of QoS 1 at the other is answered."""
        need_mosquitto()
        port, run = free_port(), self.rig.path("run-two")
        os.mkdir(run)
        self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true")
        bad = FakeBroker("CONNACK with wrong properties")
        self.addCleanup(bad.close)
        bridge = self.rig.start_bridge("deadline = 60s", {
            "broker a": f"address = mqtt://127.0.0.1:{port}",
            "broker b": f"address = mqtt://127.0.0.1:{bad.port}\nreconnect-min = 1s\nreconnect-max = 60s"},
            env={"RUNTIME_DIRECTORY": run}, wait=False, name="beside")
        self.addCleanup(bridge.end)
        asker = Device(port, "asker")
        self.addCleanup(asker.close)
        asker.subscribe("edged/reply/x")

        def ask(number):
            asker.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/x", CorrelationData=b"%d" % number,
                          ContentType="application/octet-stream", MessageExpiryInterval=60)

        def is_answered(number):
            return any(m.properties.CorrelationData == b"%d" % number for m in asker.of("edged/reply/x")[-50:])

        # Until it has subscribed; the broker remembers that.
        wait_for(lambda: ask(0) or is_answered(0), "a subscription")
        asked, end = 1, time.monotonic() + BOUND
        while "broker b: its packets ended the program 3 times; next attempt in 4000 ms" not in bridge.text() or asked < 60:
            self.assertLess(time.monotonic(), end, bridge.text())
            ask(asked)
            wait_for(lambda: is_answered(asked), f"answer {asked}")
            asked += 1
        self.assertEqual({dict(m.properties.UserProperty)["status"] for m in asker.of("edged/reply/x")}, {"OK"})

    def test_a_broker_that_comes_late_is_found(self):
        port = free_port()
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{port}"}, wait=False, name="patient")
        self.addCleanup(bridge.end)
        bridge.wait_log("broker a: connect")
        broker = FakeBroker(port=port)
        self.addCleanup(broker.close)
        bridge.wait_log("connected, MQTT")

    def test_the_watchdogs_signal_ends_it(self):
        broker = FakeBroker()
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, name="watched")
        self.assertEqual(bridge.end(signal.SIGABRT, 20), -signal.SIGABRT)

    def test_connections_that_hang_do_not_keep_it_from_ending(self):
        broker = FakeBroker("accepts and says nothing")
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, wait=False, name="hanging")
        wait_for(lambda: broker.connections, "a connection")
        started = time.monotonic()
        bridge.end()
        self.assertLess(time.monotonic() - started, 5)


if __name__ == "__main__":
    run_tests()
