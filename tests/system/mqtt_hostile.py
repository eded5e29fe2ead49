#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt and brokers that mean harm or are broken: it stays within its memory, lives, and comes back; edged never notices.

mqtt_hostile.py EDGED EDGED_MQTT ROOT [--long] [TEST...]. Exit status 77 (skipped) where paho is not installed.
"""
import json
import os
import struct
import sys
import threading
import time
import unittest

try:
    import paho.mqtt.client  # noqa: F401
except ImportError:
    if os.path.exists("/usr/bin/python3") and not os.environ.get("EDGED_SYSTEM_PYTHON"):
        os.execve("/usr/bin/python3", ["/usr/bin/python3", *sys.argv], {**os.environ, "EDGED_SYSTEM_PYTHON": "1"})
    print("SKIPPED: python3-paho-mqtt is not installed, so edged-mqtt was not tested")
    sys.exit(77)
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, os.pardir, "fakes")]
from fake_broker import FakeBroker, behaviours  # noqa: E402
from mqtt_rig import BOUND, Device, Rig, find_mosquitto, free_port, is_sanitized, wait_for  # noqa: E402

LONG = "--long" in sys.argv
ARGUMENTS = [a for a in sys.argv[1:] if a != "--long"]
EDGED, EDGED_MQTT, ROOT = ARGUMENTS[:3]
LIMIT_MB = 64
TURNS = 10 if LONG else 1
DEVICES = 1000 if LONG else 100


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
        bridge = self.rig.start_bridge(f"max-memory = {LIMIT_MB}M\ncommands = threshold", {
            "broker a": f"address = mqtt://127.0.0.1:{broker.port}\nconnect-timeout = 500ms\nkeepalive = 5s\nreconnect-max = 100ms"})
        self.addCleanup(bridge.end)
        most = 0
        for name in list(behaviours()) * TURNS:
            with self.subTest(name):
                broker.name = name
                before = broker.connections
                if broker.last:
                    broker.last.sock.close()
                wait_for(lambda b=before: broker.connections > b, "a connection", BOUND)
                wait_for(lambda: broker.done >= 1, "the end of it", BOUND)
                most = max(most, bridge.memory_kb("VmData"), bridge.memory_kb("VmRSS"))
                broker.name, broker.last = "good", None
                wait_for(lambda: broker.last and any(t.startswith("edged/gw1/") for t in broker.last.topics), f"a good connection after {name!r}", 20)
                broker.done = 0
                self.assertIsNone(bridge.child.poll(), bridge.text()[-1000:])
                self.assertIsNone(self.edged.child.poll())
        if not is_sanitized(EDGED_MQTT):
            self.assertLess(most, LIMIT_MB * 1024 + 1024)
        self.assertNotIn("Sanitizer", bridge.text())
        print(f"{len(behaviours())} behaviours; at most {most} KB", file=sys.stderr)

    def test_a_broker_that_comes_late_is_found(self):
        port = free_port()
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{port}"}, wait=False, name="patient")
        self.addCleanup(bridge.end)
        bridge.wait_log("broker a: connect")
        broker = FakeBroker(port=port)
        self.addCleanup(broker.close)
        bridge.wait_log("connected, MQTT")

    def test_connections_that_hang_do_not_keep_it_from_ending(self):
        broker = FakeBroker("accepts and says nothing")
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, wait=False, name="hanging")
        wait_for(lambda: broker.connections, "a connection")
        started = time.monotonic()
        bridge.end()
        self.assertLess(time.monotonic() - started, 5)

    @unittest.skipUnless(os.path.exists(find_mosquitto()), "mosquitto is not installed")
    def test_devices_far_above_capacity_get_the_newest_answered_and_memory_stays(self):
        port = free_port()
        broker = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100")
        self.addCleanup(broker.end)
        bridge = self.rig.start_bridge(f"max-memory = {LIMIT_MB}M\nqueue-length = 16\nin-flight = 1\nstats-interval = 200ms\nmax-pause = 50ms", {
            "broker a": f"address = mqtt://127.0.0.1:{port}"}, name="busy")
        self.addCleanup(bridge.end)
        reader = Device(port, "reader")
        self.addCleanup(reader.close)
        reader.subscribe("edged/gw1/stats")
        reader.subscribe("edged/reply/#")
        sample = self.rig.sample("digit-7.png")  # decoding makes it slow
        before, stop = bridge.memory_kb("VmRSS"), threading.Event()

        def many(first):
            device = Device(port, f"many{first}")
            number = 0
            while not stop.is_set():
                for one in range(first, DEVICES, 4):
                    device.publish("edged/gw1/digits/infer", sample, 0, ResponseTopic=f"edged/reply/{one}", ContentType="image/png",
                                   CorrelationData=struct.pack("<I", number), MessageExpiryInterval=2)
                number += 1
                time.sleep(0.02)
            device.close()
        threads = [threading.Thread(target=many, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        reader.wait_json("edged/gw1/stats", lambda s: s["shed"] > 200 and s["answers_ok"] > 50)
        stop.set()
        for thread in threads:
            thread.join(BOUND)
        stats = json.loads(reader.of("edged/gw1/stats")[-1].payload)
        self.assertEqual(stats["brokers_lost"], 0)
        if not is_sanitized(EDGED_MQTT):
            self.assertLess(bridge.memory_kb("VmRSS"), before + 24 * 1024)
        print({k: stats[k] for k in ("requests", "answers_ok", "shed", "expired")}, file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *ARGUMENTS[3:]], verbosity=2)
