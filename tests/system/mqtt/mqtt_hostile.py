#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt and brokers that mean harm or are broken: it stays within its memory, lives, and comes back; edged never notices."""
import json
import os
import random
import signal
import socket
import struct
import sys
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "fakes"))
from fake_broker import INFER, OLD, TENSOR, FakeBroker, behaviours, text  # noqa: E402
from mqtt_rig import (BOUND, DIGIT_BYTES, EDGED, EDGED_MQTT, LONG, ROOT, Rig, WithBroker, free_port, is_sanitized,  # noqa: E402
                      need_mosquitto, run_tests, wait_for)

LIMIT_MB = 64
TURNS = 3 if LONG else 1


def noise(width, height):
    return b"P5 %d %d 255\n" % (width, height) + random.Random(1).randbytes(width * height)


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
                wait_for(lambda: broker.last and any(t.startswith("edged/gw1/") for t in broker.last.topics), f"a good connection after {name!r}")
                broker.done = 0
                self.assertIsNone(bridge.child.poll(), bridge.text()[-1000:])
                self.assertIsNone(self.edged.child.poll())
        if not is_sanitized(EDGED_MQTT):
            self.assertLess(most, LIMIT_MB * 1024 + 1024)
        self.assertNotIn("Sanitizer", bridge.text())
        self.assertIn(kept, range(1, 4096 + 64))  # kept-bytes, and the system's own
        print(f"{len(behaviours())} behaviours; at most {most} KB, {kept} KB kept", file=sys.stderr)

    def versions(self, turns, name="good", keys=""):
        """What it says of each connection that holds, the second after the first was closed; and the broker."""
        broker = FakeBroker(name, turns=turns)
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}\n{keys}"}, wait=False)
        self.addCleanup(bridge.end)
        bridge.wait_log("broker a: connected, MQTT")
        broker.turns += turns
        wait_for(lambda: broker.last and broker.last.topics, "what is published").clear()
        broker.last.sock.shutdown(socket.SHUT_RDWR)
        bridge.wait_log("broker a: connected, MQTT", 2)
        return [line.rpartition(" ")[2] for line in bridge.text().splitlines() if "broker a: connected" in line], broker

    def test_a_broker_of_mqtt_5_that_was_away_is_spoken_to_in_mqtt_5(self):
        for turns in (["closes at once"], ["closes after CONNECT"] * 3, ["closes after CONNECT"] * 9,
                      ["reads and never answers"] * 3, ["CONNACK with a reason"] * 7):
            with self.subTest(turns):
                versions, broker = self.versions(turns, keys="connect-timeout = 200ms")
                self.assertEqual(versions, ["5", "5"])
                self.assertEqual(broker.turns, [])

    def test_a_broker_of_3_1_1_is_spoken_to_in_3_1_1_whether_it_says_so_or_closes(self):
        for name in OLD:
            with self.subTest(name):
                versions, broker = self.versions([], name)
                self.assertEqual(versions, ["3.1.1", "3.1.1"])
                self.assertEqual(broker.connections, 4 + 4 * (name == "old, and closes"))

    def test_a_broker_that_has_become_one_of_3_1_1_is_spoken_to_in_3_1_1(self):
        broker = FakeBroker()
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, name="aged")
        self.addCleanup(bridge.end)
        broker.name = "old, and closes"
        broker.last.sock.shutdown(socket.SHUT_RDWR)
        bridge.wait_log("broker a: connected, MQTT 3.1.1")

    def test_why_it_does_not_come_back_is_told_once_for_each_reason(self):
        broker = FakeBroker()
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}\nconnect-timeout = 1s"}, name="refused")
        self.addCleanup(bridge.end)
        for name, why in (("CONNACK with a reason", "it refused us (reason 135)"), ("reads and never answers", "no CONNACK in time"),
                          ("CONNACK with a reason", "it refused us (reason 135)")):
            before, count = broker.connections, bridge.text().count(why)
            broker.name = name
            if broker.last:
                broker.last.sock.shutdown(socket.SHUT_RDWR)
                broker.last = None
            wait_for(lambda: broker.connections > before + 2, "attempts")  # noqa: B023
            self.assertEqual(bridge.text().count(why), count + 1)
        broker.name = "good"
        bridge.wait_log("broker a: connected", 2)

    def reload(self, bridge, brokers):
        self.rig.write_bridge("", brokers, bridge.name)
        before = bridge.text().count("configuration read again")
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("configuration read again", before + 1)

    def test_routes_that_come_and_go_while_the_broker_is_away_leave_room_for_those_that_stay(self):
        broker = FakeBroker()
        keys = {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}
        routes = lambda turn: {f"route r{i}": f"topic = t{turn}/{i}\nmodel = digits" for i in range(60)}  # noqa: E731
        bridge = self.rig.start_bridge("", {**keys, **routes(0)}, name="rerouted")
        self.addCleanup(bridge.end)
        wait_for(lambda: len(broker.last.subscriptions) > 60, "the first subscriptions")
        broker.close()
        bridge.wait_log("broker a: ", 2)
        for turn in range(1, 8):
            self.reload(bridge, {**keys, **routes(turn)})
        broker = FakeBroker(port=broker.port)
        self.addCleanup(broker.close)
        wait_for(lambda: broker.last and broker.last.topics, "the next connection")
        wanted = {**{f"t0/{i}": False for i in range(60)}, **{f"t7/{i}": True for i in range(60)}}
        wait_for(lambda: {name: options >= 0 for name, options in list(broker.last.subscriptions.items()) if name.startswith("t")} == wanted,
                 "subscriptions to the routes that stay, and no other")

    def test_a_reload_counts_the_pipelines_that_are_no_good(self):
        broker, folder = FakeBroker(), self.rig.path("counted")
        self.addCleanup(broker.close)
        os.mkdir(folder)
        bridge = self.rig.start_bridge(f"pipelines = {folder}", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, name="counting")
        self.addCleanup(bridge.end)
        for name, text_of in (("a", "nonsense"), ("b", "nonsense"), ("c", "[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = classes\n")):
            with open(os.path.join(folder, name + ".conf"), "w", encoding="utf-8") as file:
                file.write(text_of)
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("configuration read again: 1 pipelines, 2 no good")

    def test_a_route_is_subscribed_with_the_qos_that_it_has_now(self):
        broker = FakeBroker()
        self.addCleanup(broker.close)
        keys = {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}
        routes = lambda qos: {f"route {name}": f"topic = t/{name}\nmodel = digits\nqos = {qos[name]}" for name in qos}  # noqa: E731
        bridge = self.rig.start_bridge("", {**keys, **routes({"same": 0, "up": 0, "down": 1})}, name="requalified")
        self.addCleanup(bridge.end)
        wait_for(lambda: broker.last and broker.last.topics, "the first connection")
        seen = broker.last.subscriptions
        of = lambda name: seen.get("t/" + name, -1) & 3  # noqa: E731
        wait_for(lambda: (of("same"), of("up"), of("down")) == (0, 0, 1), "the subscriptions")
        seen.clear()
        self.reload(bridge, {**keys, **routes({"same": 0, "up": 1, "down": 0})})
        # Beside those of the routes there may be others still: what an earlier life has left is looked for.
        wait_for(lambda: sorted(name for name in list(seen) if name.startswith("t/")) == ["t/down", "t/up"] and (of("up"), of("down")) == (1, 0),
                 "those that have changed, again")

    def test_routes_that_a_killed_life_had_and_this_one_has_not_are_taken_back(self):
        broker, state = FakeBroker(), self.rig.path("state-routes")
        self.addCleanup(broker.close)
        os.mkdir(state)

        def live(*names):
            """The broker's view of the routes after a start with those of @names and a SIGKILL."""
            broker.last = None
            routes = {f"route {name}": f"topic = t/{name}/+\nmodel = digits" for name in names}
            bridge = self.rig.start_bridge(f"state = {state}", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}", **routes}, name="forgetful")
            self.addCleanup(bridge.end)
            wait_for(lambda: broker.last and broker.last.topics, "a connection")
            bridge.end(signal.SIGKILL)
            return {name[2]: options >= 0 for name, options in broker.last.subscriptions.items() if name.startswith("t/")}
        self.assertEqual(live("a", "b"), {"a": True, "b": True})
        self.assertEqual(live("b", "c"), {"a": False, "b": True, "c": True})
        self.assertEqual(live("c"), {"b": False, "c": True})
        self.assertEqual(live("c"), {"c": True})

    def test_what_has_ended_a_connection_is_said(self):
        broker = FakeBroker(turns=["DISCONNECT with a reason"])
        self.addCleanup(broker.close)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, name="told")
        self.addCleanup(bridge.end)
        bridge.wait_log("broker a: Server shutting down")
        wait_for(lambda: broker.last and broker.last.topics, "a good connection")
        broker.last.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        broker.last.sock.close()
        bridge.wait_log("broker a: Connection reset by peer")

    def test_a_network_that_fails_whatever_is_sent_costs_no_answer(self):
        broker = FakeBroker()
        self.addCleanup(broker.close)
        broker.deadly = "edged/reply/x"
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtt://127.0.0.1:{broker.port}"}, name="flapping")
        self.addCleanup(bridge.end)
        wait_for(lambda: broker.last and broker.last.topics, "a connection")
        first, broker.deadly = broker.last, "*"
        first.publish(INFER, TENSOR, 1, 1, b"\x08" + text("edged/reply/x"))
        wait_for(lambda: broker.connections > 14, "the connections to end")
        broker.deadly = ""
        wait_for(lambda: "edged/reply/x" in broker.last.topics, "the answer")
        self.assertNotIn("are left out", bridge.text())

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


class Deadly(WithBroker):
    """Requests whose answer would end the connection of who publishes it."""

    def test_no_request_has_it_publish_what_a_broker_calls_malformed(self):
        bridge = self.bridge("deadline = 60s")
        asker = self.device("asker")
        for topic in ("edged/reply/x", "edged/gw1/digits/error"):
            asker.subscribe(topic)
        data = [0] * DIGIT_BYTES
        names = ["/" * 200, "\u0001", "\uffff", "\u0085", "\U0001fffe"]
        for name in names:
            asker.publish("edged/gw1/digits/infer", json.dumps({"id": "1", "reply_to": "edged/reply/" + name, "data": data}))
        asker.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/" + "/" * 200, CorrelationData=b"never")
        told = asker.wait("edged/gw1/digits/error", len(names))
        self.assertEqual([json.loads(m.payload)["error"] for m in told], ["DENIED"] * len(names))
        traces = ["\u0001\u0002", "\uffff", "x" * 60, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
        for n, trace in enumerate(traces):
            asker.publish("edged/gw1/digits/infer", json.dumps({"id": n, "reply_to": "edged/reply/x", "traceparent": trace, "data": data}))
            asker.wait("edged/reply/x", n + 1)  # one after the other: answers come in no order
        asker.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/x", UserProperty=[("traceparent", "x" * 60)])
        answers = asker.wait("edged/reply/x", len(traces) + 1)
        self.assertEqual([dict(m.properties.UserProperty).get("traceparent") for m in answers], [None] * 3 + [traces[3], None])
        self.assertEqual(bridge.text().count("connected, MQTT"), 1)

    def small(self, name, size, keys=""):
        """A device of a broker that takes @size bytes at once, and edged-mqtt there."""
        port, folder = free_port(), self.rig.path(name)
        os.mkdir(folder)
        with open(os.path.join(folder, "digit.conf"), "w", encoding="utf-8") as file:
            file.write("[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = classes\nsnapshot = yes\n")
        broker = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size {size}", name)
        self.addCleanup(broker.end)
        bridge = self.rig.start_bridge(f"pipelines = {folder}\ndeadline = 60s", {"broker a": f"address = mqtt://127.0.0.1:{port}\n{keys}"})
        self.addCleanup(bridge.end)
        return bridge, self.device(name, port=port)

    def test_who_asks_for_more_than_the_broker_takes_is_told(self):
        _, asker = self.small("small", 950)
        asker.subscribe("edged/reply/x")
        ask = {"id": "17", "reply_to": "edged/reply/x", "inputs": [{"datatype": "FP32", "data": [0] * 384}]}
        asker.publish("edged/gw1/vibration/infer", json.dumps(ask, separators=(",", ":")), CorrelationData=b"c")
        answer, = asker.wait("edged/reply/x")
        said = json.loads(answer.payload)
        self.assertEqual((said["error"], said["id"], answer.properties.CorrelationData), ("TOO_LARGE", "17", b"c"))
        self.assertEqual(dict(answer.properties.UserProperty)["status"], "TOO_LARGE")

    def test_a_snapshot_that_the_broker_does_not_take_is_told_and_left_out(self):
        bridge, camera = self.small("small-5", 131072, "protocol = 5")
        camera.subscribe("edged/gw1/pipeline/digit/error/cam")
        camera.subscribe("edged/gw1/digits/result")
        picture = noise(300, 300)  # of 90 KB, whose snapshot has colours
        for turn in (1, 2):
            camera.publish("edged/gw1/pipeline/digit/in/cam", picture, 0)
            told = camera.wait("edged/gw1/pipeline/digit/error/cam", turn)
            self.assertEqual(json.loads(told[-1].payload)["error"], "TOO_LARGE")
        camera.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), 1)
        camera.wait("edged/gw1/digits/result")
        self.assertEqual(bridge.text().count("connected, MQTT"), 1)


if __name__ == "__main__":
    run_tests()
