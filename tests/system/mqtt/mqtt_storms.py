#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt where brokers die, networks are cut, and devices send far more than can be answered."""
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import struct
import sys
import threading
import time
import zlib

from mqtt_rig import (BOUND, DIGIT_BYTES, EDGED_MQTT, LONG, ROOT, WithBroker, edged_client, free_port, is_sanitized, mqtt_text, need_mosquitto,
                      run_tests, varint, wait_for)

need_mosquitto()
RESTARTS = 100 if LONG else 5
CUT_S = 150 if LONG else 0  # beyond what it takes to be noticed
DEVICES = 1000 if LONG else 200
OVERLOAD_S = 20 if LONG else 4


class Storms(WithBroker):
    def restart_broker(self):
        self.broker.end(signal.SIGKILL)
        type(self).broker = self.rig.start_broker(self.broker_text)

    def test_a_broker_that_takes_no_answers_keeps_those_of_others_out_of_nothing(self):
        """Its requests are more urgent than the others', and fill the line while their answers find no room. Also once it is gone."""
        port = free_port()
        slow = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0", "slow")
        self.addCleanup(slow.end, signal.SIGKILL)
        bridge = self.bridge("queue-length = 16\nmax-pause = 0ms\ndeadline = 10min\nstats-interval = 50ms", "outbox-messages = 16",
                             others={"broker b": f"address = mqtt://127.0.0.1:{port}\noutbox-messages = 16\nreceive-maximum = 1000"})
        device, urgent = self.device("patient"), self.device("urgent", port=port)
        device.subscribe("edged/reply/patient")
        device.subscribe("edged/gw1/stats")
        bridge.child.send_signal(signal.SIGSTOP)
        try:
            for one in [urgent.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/urgent", CorrelationData=b"%d" % n,
                                       UserProperty=("priority", "high")) for n in range(200)]:
                one.wait_for_publish(BOUND)
            slow.child.send_signal(signal.SIGSTOP)
        finally:
            bridge.child.send_signal(signal.SIGCONT)
        device.wait_json("edged/gw1/stats", lambda s: s["requests"] > 100 and s["queue_length"] >= 14 and s["in_flight"] == 0)
        for n, state in enumerate(("it hangs", "it is gone")):
            with self.subTest(state):
                for one in range(50):
                    device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/patient", CorrelationData=b"%d" % (50 * n + one))
                    device.wait("edged/reply/patient", 50 * n + one + 1)
                answers = device.of("edged/reply/patient")
                self.assertEqual({dict(m.properties.UserProperty)["status"] for m in answers}, {"OK"})
            if state == "it hangs":
                slow.child.kill()
                device.wait_json("edged/gw1/stats", lambda s: s["brokers_up"] == 1)

    def test_what_waits_behind_a_large_answer_waits_for_its_own_time_at_most(self):
        """Small ones do not overtake a large one, or it might never have its room; where the broker takes nothing each goes when its time is over."""
        port = free_port()
        slow = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", "slow-of-large")
        self.addCleanup(slow.end, signal.SIGKILL)
        shutil.copy(os.path.join(ROOT, "tests", "data", "FILL_f32", "model.tflite"), self.rig.path("models", "fill.tflite"))
        self.edged.child.send_signal(signal.SIGHUP)
        bridge = self.bridge("deadline = 10s\nstats-interval = 50ms", others={
            "broker b": f"address = mqtt://127.0.0.1:{port}\noutbox-bytes = 64K\nreceive-maximum = 100"})
        bridge.wait_log("broker b: connected")
        device, asker = self.device("watches"), self.device("asks", port=port)
        device.subscribe("edged/gw1/stats")
        asker.subscribe("edged/#")
        asker.wait_json("edged/gw1/fill/state", lambda s: s["state"] == "ready")

        def ask(name):
            inputs = [{"name": "in0", "datatype": "FP32", "shape": [], "data": [0.5]}, {"name": "given0", "datatype": "INT32", "shape": [2], "data": [12, 1000]}]
            small = {"id": name, "data": [0] * DIGIT_BYTES}
            request = {"id": name, "inputs": inputs} if name.startswith("large") else small
            model = "fill" if name.startswith("large") else "digits"
            return asker.publish(f"edged/gw1/{model}/infer", json.dumps(request), ResponseTopic=f"edged/reply/{name}")

        for name in ("large-0", "small-0"):  # 48 KB, and a few hundred bytes
            ask(name)
            asker.wait(f"edged/reply/{name}")
        bridge.child.send_signal(signal.SIGSTOP)
        try:
            for one in [ask(name) for name in ("large-1", "large-2", *(f"small-{n}" for n in range(1, 6)))]:
                one.wait_for_publish(BOUND)
            slow.child.send_signal(signal.SIGSTOP)
        finally:
            bridge.child.send_signal(signal.SIGCONT)
        before = device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] == 6 and s["in_flight"] == 0)
        self.assertEqual((before["requests"], before["answers_ok"], before["expired"]), (9, 3, 0))
        after = device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] == 0 and s["requests"] == 9)
        self.assertEqual((after["answers_ok"], after["expired"]), (3, 6))
        slow.child.send_signal(signal.SIGCONT)
        ask("small-6")
        asker.wait("edged/reply/small-6")
        self.assertEqual(sorted(t for t in asker.messages if t.startswith("edged/reply/")),
                         [f"edged/reply/{name}" for name in ("large-0", "large-1", "small-0", "small-6")])

    def test_what_one_broker_has_asked_leaves_room_to_keep_what_others_ask(self):
        """Each has an equal part of what is kept for the case of a crash, after a reload too."""
        port, folder = free_port(), self.rig.path("run-of-two")
        os.mkdir(folder)
        other = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", "other")
        self.addCleanup(other.end)
        page = os.sysconf("SC_PAGE_SIZE")
        b = {"broker b": f"address = mqtt://127.0.0.1:{port}"}
        text = f"kept-bytes = {16 * page}\nstats-interval = 50ms\ndeadline = 10min"
        bridge = self.bridge(text, others=b, env={"RUNTIME_DIRECTORY": folder})
        bridge.wait_log("broker b: connected")
        devices = self.device("of-a"), self.device("of-b", port=port)
        for device in devices:
            device.subscribe("edged/gw1/#")
            device.wait("edged/gw1/digits/state")

        def ask(device, count, kept, not_kept):
            for _ in range(count):
                device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES)).wait_for_publish(BOUND)
            devices[0].wait_json("edged/gw1/stats", lambda s: (s["kept"], s["not_kept"]) == (kept, not_kept))
        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            ask(devices[1], 20, 8, 12)
            ask(devices[0], 8, 16, 12)
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        devices[0].messages.pop("edged/gw1/stats")
        devices[0].wait_json("edged/gw1/stats", lambda s: s["kept"] == 0)
        self.rig.write_bridge(text, {"broker a": self.broker_key})
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("broker b: left")
        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            ask(devices[0], 17, 16, 13)
        finally:
            self.edged.child.send_signal(signal.SIGCONT)

    def test_a_broker_is_held_back_each_time_that_the_line_is_nearly_full(self):
        """Also a while after a time of holding back that was over before max-pause."""
        self.bridge("queue-length = 64\nmax-pause = 3s\nin-flight = 1\nstats-interval = 50ms\ndeadline = 60s")
        device = self.device("burst")
        device.subscribe("edged/reply/burst")
        device.subscribe("edged/gw1/stats")
        stats = lambda: json.loads(device.of("edged/gw1/stats")[-1].payload)  # noqa: E731
        for turn in (1, 2):
            self.edged.child.send_signal(signal.SIGSTOP)
            try:
                for one in [device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/burst",
                                           CorrelationData=b"%d" % n) for n in range(200 * turn, 200 * turn + 200)]:
                    one.wait_for_publish(BOUND)
                device.wait_json("edged/gw1/stats", lambda s: s["queue_length"] >= 48)
            finally:
                self.edged.child.send_signal(signal.SIGCONT)
            answers = device.wait("edged/reply/burst", 200 * turn)
            self.assertEqual({dict(m.properties.UserProperty)["status"] for m in answers}, {"OK"})
            device.messages.pop("edged/gw1/stats")
            device.wait("edged/gw1/stats")
            self.assertEqual(stats()["shed"], 0)
            wait_for(lambda until=stats()["uptime_s"] + 4: stats()["uptime_s"] >= until, "the end of max-pause")

    def runs(self):
        with edged_client.Client(self.rig.socket) as client:
            return sum(model.answers[0] for model in client.stats().models)  # OK

    def test_answers_wait_in_the_line_while_the_outbox_is_full_and_none_is_lost(self):
        self.bridge("queue-length = 200\nmax-pause = 0ms\nstats-interval = 50ms\ndeadline = 10min", "in-flight = 1\noutbox-messages = 16")
        device = self.device("many")
        device.subscribe("edged/reply/many")
        device.subscribe("edged/gw1/stats")
        before = self.runs()
        self.edged.child.send_signal(signal.SIGSTOP)
        try:
            for n in range(100):
                device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/many", CorrelationData=b"%d" % n)
            device.wait_json("edged/gw1/stats", lambda s: s["requests"] == 100)
            self.broker.child.send_signal(signal.SIGSTOP)
            try:
                self.edged.child.send_signal(signal.SIGCONT)
                wait_for(lambda: self.runs() >= before + 8, "the outbox to fill")
            finally:
                self.broker.child.send_signal(signal.SIGCONT)
        finally:
            self.edged.child.send_signal(signal.SIGCONT)
        answers = device.wait("edged/reply/many", 100)
        self.assertEqual(sorted(int(m.properties.CorrelationData) for m in answers), list(range(100)))
        self.assertEqual({dict(m.properties.UserProperty)["status"] for m in answers}, {"OK"})

    def test_large_answers_find_room_one_after_the_other_and_one_that_never_could_is_told(self):
        """Of sizes that the request alone decides."""
        folder = self.rig.path("run")
        os.mkdir(folder)
        shutil.copy(os.path.join(ROOT, "tests", "data", "FILL_f32", "model.tflite"), self.rig.path("models", "fill.tflite"))
        self.edged.child.send_signal(signal.SIGHUP)
        self.bridge("stats-interval = 50ms\ndeadline = 10min\nin-flight = 8", "outbox-bytes = 64K", env={"RUNTIME_DIRECTORY": folder})
        device = self.device("large")
        device.subscribe("edged/#")
        device.wait_json("edged/gw1/fill/state", lambda s: s["state"] == "ready")

        def ask(number, rows, qos=1):
            inputs = [{"name": "in0", "datatype": "FP32", "shape": [], "data": [0.5]},
                      {"name": "given0", "datatype": "INT32", "shape": [2], "data": [rows, 1000]}]
            device.publish("edged/gw1/fill/infer", json.dumps({"id": str(number), "inputs": inputs}), qos, ResponseTopic=f"edged/reply/{number}")

        for number in range(24):
            ask(number, 1 + number % 12)  # 4 KB to 48 KB
        for number in range(24):
            answer = json.loads(device.wait(f"edged/reply/{number}")[0].payload)
            self.assertEqual(answer["outputs"][0]["data"], [0.5] * 1000 * (1 + number % 12))
        for number, qos in ((100, 1), (101, 0)):
            ask(number, 40, qos)
            answer, = device.wait(f"edged/reply/{number}")
            told = json.loads(answer.payload)
            self.assertEqual((told["error"], told["id"]), ("TOO_LARGE", str(number)))
            self.assertIn("outbox-bytes = 65536", told["message"])
        device.messages.pop("edged/gw1/stats")
        last = device.wait_json("edged/gw1/stats", lambda s: s["kept"] == 0)
        self.assertEqual((last["messages_dropped"], last["answers_ok"], last["answers"]), (0, 24, 26))
        self.assertEqual([len(device.of(f"edged/reply/{number}")) for number in range(24)], [1] * 24)

    def test_it_comes_back_from_every_restart_of_the_broker_and_answers_what_it_had(self):
        bridge = self.bridge("deadline = 60s\nstats-interval = 100ms")
        device = self.device("patient")
        device.subscribe("edged/reply/patient")
        device.subscribe("edged/gw1/stats")
        with edged_client.Client(self.rig.socket) as client:
            expected = bytes(client.infer("digits", [bytes(DIGIT_BYTES)]).outputs[0].data)
        for turn in range(RESTARTS):
            keys = [struct.pack("<II", turn, number) for number in range(20)]
            self.edged.child.send_signal(signal.SIGSTOP)  # so that no answer goes before the broker is back
            try:
                sent = [device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/patient", CorrelationData=key,
                                       ContentType="application/octet-stream") for key in keys]
                for one in sent:
                    one.wait_for_publish(BOUND)
                device.wait_json("edged/gw1/stats", lambda s, n=20 * (turn + 1): s["requests"] == n)
                device.subscribed.clear()
                self.restart_broker()
                bridge.wait_log("connected, MQTT", turn + 2)
                self.assertTrue(device.subscribed.wait(BOUND))  # to the answers, which it asks for first
            finally:
                self.edged.child.send_signal(signal.SIGCONT)

            def answers(keys=keys):
                there = {m.properties.CorrelationData: m.payload for m in device.of("edged/reply/patient")}
                return [there.get(key) for key in keys]
            wait_for(lambda answers=answers: None not in answers(), "an answer to each request that it had")
            self.assertEqual(set(answers()), {expected})
        if not is_sanitized(EDGED_MQTT):
            self.assertLess(bridge.memory_kb(), 64 * 1024)
        self.assertEqual(self.edged.child.poll(), None)

    def test_results_of_the_time_without_a_broker_arrive_once_in_order(self):
        folder, port = self.rig.path("spool"), free_port()
        os.makedirs(folder)
        text = f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {self.rig.folder}/"
        other = self.rig.start_broker(text, "away")
        bridge = self.rig.start_bridge(f"state = {folder}\ndeadline = 60s", {
            "broker b": f"address = mqtt://127.0.0.1:{port}\nspool = 4M"}, name="spooler")
        self.addCleanup(bridge.end)
        reader = self.device("reader", 3, port, keep=True)
        reader.subscribe("edged/gw1/digits/result")
        reader.subscribe("edged/gw1/capability")
        reader.wait("edged/gw1/capability")  # told behind its own subscriptions: requests come to it from now on
        asked = 0
        for turn in range(3):
            feeder = self.device(f"feeder{turn}", 5, port)
            for _ in range(20):
                feeder.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES)).wait_for_publish(BOUND)
            asked += 20
            reader.wait("edged/gw1/digits/result", asked)
            # What was asked while the broker was there is answered while it is away: edged stands still meanwhile.
            os.kill(self.edged.child.pid, signal.SIGSTOP)
            try:
                for _ in range(20):
                    feeder.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES)).wait_for_publish(BOUND)
                feeder.subscribe("edged/gw1/capability")
                feeder.wait_json("edged/gw1/capability", lambda c: c["queue_length"] + c["in_flight"] == 20)
                feeder.close()
                other.end()
            finally:
                os.kill(self.edged.child.pid, signal.SIGCONT)
            asked += 20
            spool = os.path.join(folder, "spool-b")
            wait_for(lambda: any(n.endswith(".spool") for n in os.listdir(spool)), "the spool")
            other = self.rig.start_broker(text, "away")
            bridge.wait_log("broker b: connected", turn + 2)
            reader.wait("edged/gw1/digits/result", asked)
            wait_for(lambda: not any(n.endswith(".spool") for n in os.listdir(spool)), "an empty spool")
        numbers = [json.loads(m.payload)["seq"] for m in reader.of("edged/gw1/digits/result")]
        self.assertEqual(numbers, list(range(1, asked + 1)))
        other.end()


class Wire:
    """What is between edged-mqtt and the broker, and may be cut: nothing comes through any more, nobody is told."""

    def __init__(self, port):
        self.to, self.uncut, self.sockets = port, threading.Event(), []
        self.uncut.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                self.uncut.wait()
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            for sock in (near, far):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, sink):
        try:
            while True:
                data = source.recv(1 << 16)
                if not self.uncut.is_set():
                    return  # what was under way is lost, and both ends stay open
                sink.sendall(data)
                if not data:
                    break
        except OSError:
            pass
        self.shut(source, sink)
        source.close()

    @staticmethod
    def shut(*sockets):
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def mend(self):
        """What hung is reset, as routers do."""
        old, self.sockets = self.sockets, []
        self.shut(*old)
        for sock in old:
            sock.close()
        self.uncut.set()

    def close(self):
        self.shut(self.listener)
        self.listener.close()
        self.mend()


class Cut(WithBroker):
    def test_results_of_the_time_of_a_cut_arrive_once_in_order_when_it_is_over(self):
        folder = self.rig.path("spool-of-a-cut")
        os.makedirs(folder)
        wire = Wire(self.port)
        self.addCleanup(wire.close)
        bridge = self.rig.start_bridge(f"state = {folder}\ndeadline = 10min", {
            "broker w": f"address = mqtt://127.0.0.1:{wire.port}\nspool = 4M\nkeepalive = 5s\nconnect-timeout = 500ms"}, name="cut")
        self.addCleanup(bridge.end)
        reader = self.device("reader", 3)
        reader.subscribe("edged/gw1/digits/result")
        reader.subscribe("edged/gw1/capability")
        os.kill(self.edged.child.pid, signal.SIGSTOP)
        try:
            for _ in range(20):
                reader.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES))
            reader.wait_json("edged/gw1/capability", lambda c: c["queue_length"] + c["in_flight"] == 20)
            wire.uncut.clear()
        finally:
            os.kill(self.edged.child.pid, signal.SIGCONT)
        spool = os.path.join(folder, "spool-w")
        wait_for(lambda: any(name.endswith(".spool") for name in os.listdir(spool)), "the cut to be noticed")
        self.assertEqual(bridge.text().count("connected, MQTT"), 1)
        time.sleep(CUT_S)
        with edged_client.Client(self.rig.socket) as client:  # edged itself has no part in it
            self.assertEqual(len(client.infer("digits", [bytes(DIGIT_BYTES)]).outputs[0].data), 10)
        wire.mend()
        bridge.wait_log("connected, MQTT", 2)
        reader.wait("edged/gw1/digits/result", 20)
        wait_for(lambda: not any(name.endswith(".spool") for name in os.listdir(spool)), "an empty spool")
        self.assertEqual([json.loads(m.payload)["seq"] for m in reader.of("edged/gw1/digits/result")], list(range(1, 21)))


def large_png(side):
    """A picture that takes a while to read and little to send."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compress(bytes((1 + side) * side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


class Swarm:
    """Devices that each have a connection, publish their newest and listen to nothing."""

    def __init__(self, port, n):
        self.sockets = []
        for i in range(n):
            sock = socket.create_connection(("127.0.0.1", port))
            body = mqtt_text("MQTT") + b"\5\2\0\0\0" + mqtt_text(f"swarm{i}")
            sock.sendall(b"\x10" + varint(len(body)) + body)
            self.sockets.append(sock)
        for sock in self.sockets:
            assert sock.recv(4)[0] == 0x20

    def publish(self, i, topic, payload, properties):
        body = mqtt_text(topic) + varint(len(properties)) + properties + payload
        self.sockets[i].sendall(b"\x30" + varint(len(body)) + body)

    def close(self):
        for sock in self.sockets:
            sock.close()


class Overload(WithBroker):
    PATIENT = b"\x02" + struct.pack(">I", 1)  # message expiry: a second
    HASTY = b"\x26" + mqtt_text("deadline_ms") + mqtt_text("10")

    def ask(self, properties=b""):
        now = struct.pack(">HQ", 8, time.monotonic_ns())
        return (b"\x08" + mqtt_text("edged/reply/swarm") + b"\x03" + mqtt_text("image/png") + b"\x09" + now + properties)

    def on_answer(self, _client, _data, message):
        if dict(message.properties.UserProperty)["status"] == "OK":
            sent = struct.unpack(">Q", message.properties.CorrelationData)[0]
            self.ages.append((time.monotonic_ns() - sent) / 1e9)

    def capacity(self, swarm, picture):
        """Answers a second, a few requests under way."""
        n, window = 100, 4
        start = time.monotonic()
        for i in range(n):
            wait_for(lambda i=i: len(self.ages) > i - window, "an answer")
            swarm.publish(0, "edged/gw1/digits/infer", picture, self.ask())
        wait_for(lambda: len(self.ages) == n, "all answers")
        return n / (time.monotonic() - start)

    def test_devices_at_ten_times_of_what_can_be_answered_get_the_newest_served(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
        port, n = free_port(), min(DEVICES, most - 100)
        self.addCleanup(self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", "busy").end)
        bridge = self.rig.start_bridge("max-memory = 64M\nmax-message = 256K\nstats-interval = 200ms\nmax-pause = 50ms\nin-flight = 1", {
            "broker a": f"address = mqtt://127.0.0.1:{port}"}, name="busy-bridge")
        self.addCleanup(bridge.end)
        reader, self.ages = self.device("reader", 5, port), []
        reader.subscribe("edged/gw1/stats")
        picture = large_png(1500)
        listener = self.device("listener", 5, port)
        listener.client.on_message = self.on_answer
        listener.subscribe("edged/reply/swarm")
        swarm = Swarm(port, n)
        self.addCleanup(swarm.close)
        capacity = self.capacity(swarm, picture)
        before = reader.wait_json("edged/gw1/stats", lambda s: s["answers_ok"] == 100)
        self.ages.clear()
        sent, memory, start = 0, [], time.monotonic()
        while (passed := time.monotonic() - start) < OVERLOAD_S:
            for _ in range(int(10 * capacity * passed) - sent):
                swarm.publish(sent % n, "edged/gw1/digits/infer", picture, self.ask(self.HASTY if sent % 2 else self.PATIENT))
                sent += 1
            memory.append(bridge.memory_kb("VmRSS"))
            time.sleep(0.005)
        memory = memory[len(memory) // 4:]
        sums = ("answers_ok", "shed", "expired")

        def settled():
            """Nothing waits, runs or changes. On a slow machine edged itself refuses some whose deadline is near: errors, but not shed."""
            nonlocal last, since
            stats = json.loads(reader.of("edged/gw1/stats")[-1].payload)
            counts = {name: stats[name] - before[name] for name in ("requests", "answers", *sums)}
            if counts != last or stats["queue_length"] or stats["in_flight"]:
                last, since = counts, time.monotonic()
            left = counts["requests"] - sum(counts[name] for name in sums)
            return stats if time.monotonic() - since > 1 and 0 <= left <= counts["answers"] - counts["answers_ok"] else None
        last, since = None, time.monotonic()
        stats = wait_for(settled, "everything to be answered, let go or expired")
        print({**{name: stats[name] - before[name] for name in ("requests", *sums)}, "devices": n, "sent": sent, "capacity_per_s": round(capacity),
               "offered_per_s": round(sent / OVERLOAD_S), "served_per_s": round(len(self.ages) / OVERLOAD_S), "rss_kb": (min(memory), max(memory)),
               "age_s_p50": round(statistics.median(self.ages), 3), "age_s_max": round(max(self.ages), 3)}, file=sys.stderr)
        self.assertGreater(sent, 5 * capacity * OVERLOAD_S)
        self.assertGreater(stats["shed"] - before["shed"], 0)
        self.assertGreater(stats["expired"] - before["expired"], 0)
        self.assertEqual(stats["brokers_lost"], 0)
        # In the order of arrival they would be seconds old in the end.
        self.assertLess(statistics.quantiles(self.ages, n=10)[-1], 2)
        self.assertGreater(len(self.ages), 0.1 * capacity * OVERLOAD_S)
        if not is_sanitized(EDGED_MQTT):
            self.assertLess(max(memory) - min(memory), 8 * 1024)


if __name__ == "__main__":
    run_tests()
