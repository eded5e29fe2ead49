#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edged-mqtt against a real mosquitto: requests and answers over every kind of connection, commands, states, discovery, routes, reload."""
import base64
import json
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from mqtt_rig import BOUND, DIGIT_BYTES, LONG, WithBroker, edged_client, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
REQUESTS = 10000 if LONG else 1000
WINDOW = 20  # requests under way


def tensors(n, seed=1):
    rng = random.Random(seed)
    return [bytes(rng.getrandbits(8) for _ in range(DIGIT_BYTES)) for _ in range(n)]


def answers_of(path, inputs):
    """What edged itself says over its socket, as bytes."""
    with edged_client.Client(path) as client:
        return [bytes(client.infer("digits", [one]).outputs[0].data) for one in inputs]


class Asking(WithBroker):
    def ask_all(self, device, inputs, expected, send):
        """@send(number, input) publishes; every answer comes once, with its own bits."""
        seen, lock, room = {}, threading.Lock(), threading.Semaphore(WINDOW)

        def on_message(_c, _d, message):
            number, data = self.read_answer(device, message)
            with lock:
                seen.setdefault(number, []).append(data)
            room.release()
        device.client.on_message = on_message
        for number, one in enumerate(inputs):
            self.assertTrue(room.acquire(timeout=BOUND), f"no answer before request {number}, {len(seen)} answered")
            send(number, one)
        wait_for(lambda: len(seen) == len(inputs), "all answers")
        for number, data in seen.items():
            self.assertEqual(data, [expected[number]], number)

    @staticmethod
    def read_answer(device, message):
        if device.version == 5:
            return struct.unpack("<I", message.properties.CorrelationData)[0], message.payload
        answer = json.loads(message.payload)
        return int(answer["id"]), base64.b64decode(answer["data"])


class Requests(Asking):
    def five(self, port=None, **given):
        device = self.device("five", 5, port, **given)
        device.subscribe("edged/reply/five")
        inputs = tensors(50) * (REQUESTS // 50)
        expected = answers_of(self.rig.socket, inputs[:50]) * (REQUESTS // 50)
        self.ask_all(device, inputs, expected, lambda number, one: device.publish(
            "edged/gw1/digits/infer", one, 1, ResponseTopic="edged/reply/five", CorrelationData=struct.pack("<I", number),
            ContentType="application/octet-stream", MessageExpiryInterval=60))

    def test_mqtt_5_answers_every_request_once_with_its_bits(self):
        self.bridge()
        self.five()

    def test_mqtt_3_1_1_answers_every_request_once_with_its_bits(self):
        self.bridge(extra="protocol = 3.1.1")
        device = self.device("three", 3)
        device.subscribe("edged/reply/three")
        inputs = tensors(50) * (REQUESTS // 50)
        expected = answers_of(self.rig.socket, inputs[:50]) * (REQUESTS // 50)
        self.ask_all(device, inputs, expected, lambda number, one: device.publish("edged/gw1/digits/infer", json.dumps({
            "id": number, "reply_to": "edged/reply/three", "data": base64.b64encode(one).decode(),
            "content_type": "application/octet-stream", "accept": "application/octet-stream"}), 1))

    def test_mosquittos_own_clients_are_answered(self):
        self.bridge("decode-timeout = 60s\ndeadline = 60s")
        inputs = tensors(50)
        expected = [base64.b64encode(answer).decode() for answer in answers_of(self.rig.socket, inputs)]
        for version, topic in (("5", "edged/reply/m5"), ("311", "edged/reply/m4")):
            # The version that has properties says with them where the answer goes.
            said = ["-D", "publish", "response-topic", topic, "-D", "publish", "content-type", "application/json"] if version == "5" else []
            at = ["-p", str(self.port), "-q", "1", "-V", version]
            sub = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", *at, "-t", topic, "-d"], stdout=subprocess.PIPE, text=True)
            pub = subprocess.Popen(["mosquitto_pub", *at, "-t", "edged/gw1/digits/infer", "-l", *said], stdin=subprocess.PIPE, text=True)
            try:
                while "Subscribed" not in sub.stdout.readline():
                    pass
                seen, sent = {}, 0
                while len(seen) < REQUESTS // 2:
                    while sent - len(seen) < WINDOW and sent < REQUESTS // 2:
                        request = {"id": sent, "data": base64.b64encode(inputs[sent % 50]).decode(), "content_type": "application/octet-stream",
                                   "accept": "application/octet-stream", **({} if said else {"reply_to": topic})}
                        pub.stdin.write(json.dumps(request) + "\n")
                        pub.stdin.flush()
                        sent += 1
                    line = sub.stdout.readline()
                    self.assertTrue(line, "mosquitto_sub has ended")
                    if line.startswith("{"):
                        answer = json.loads(line)
                        self.assertIn("id", answer, line)
                        self.assertNotIn(answer["id"], seen)
                        seen[answer["id"]] = answer["data"]
                self.assertEqual(seen, {str(n): expected[n % 50] for n in range(REQUESTS // 2)})
            finally:
                for process in (sub, pub):
                    process.kill()
                    process.communicate()
        request = json.dumps({"id": 1, "data": base64.b64encode(inputs[0]).decode(), "content_type": "application/octet-stream",
                              "accept": "application/octet-stream"})
        done = subprocess.run(["mosquitto_rr", "-p", str(self.port), "-V", "5", "-t", "edged/gw1/digits/infer", "-e", "edged/reply/rr", "-m", request,
                               "-W", str(BOUND)], capture_output=True, check=True)
        self.assertEqual(json.loads(done.stdout)["data"], expected[0])

    def test_over_the_brokers_unix_socket(self):
        port = free_port()
        path = self.rig.path("broker.sock")
        broker = self.rig.start_broker(f"listener 0 {path}\nlistener {port} 127.0.0.1\nallow_anonymous true", "unix")
        self.addCleanup(broker.end)
        self.broker_key = f"address = unix:{path}"
        try:
            self.bridge()
            self.five(port)
        finally:
            self.broker_key = f"address = mqtt://127.0.0.1:{self.port}"

    def make_certificates(self):
        at = self.rig.path
        run = lambda *a: subprocess.run(["openssl", *a], check=True, capture_output=True)  # noqa: E731
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca", "-keyout", at("ca.key"), "-out", at("ca.crt"))
        for name, extension in (("localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"), ("gateway", "subjectAltName=DNS:gateway")):
            run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", at(name + ".key"), "-out", at(name + ".csr"))
            self.rig.write(name + ".ext", extension)
            run("x509", "-req", "-in", at(name + ".csr"), "-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2",
                "-extfile", at(name + ".ext"), "-out", at(name + ".crt"))

    def test_over_tls_with_certificates_of_both_sides_from_credentials(self):
        self.make_certificates()
        at, tls_port, port = self.rig.path, free_port(), free_port()
        broker = self.rig.start_broker(
            f"per_listener_settings true\nlistener {tls_port} 127.0.0.1\ncafile {at('ca.crt')}\ncertfile {at('localhost.crt')}\n"
            f"keyfile {at('localhost.key')}\nrequire_certificate true\nallow_anonymous true\n"
            f"listener {port} 127.0.0.1\nallow_anonymous true", "tls")
        self.addCleanup(broker.end)
        self.broker_key = (f"address = mqtts://localhost:{tls_port}\nca = credential:ca.crt\ncertificate = credential:gateway.crt\n"
                           f"key = credential:gateway.key")
        try:
            self.bridge(env={"CREDENTIALS_DIRECTORY": self.rig.folder})
            self.five(port)
        finally:
            self.broker_key = f"address = mqtt://127.0.0.1:{self.port}"

    def test_the_protocols_name_goes_with_the_greeting_where_a_port_is_shared(self):
        self.make_certificates()
        at = self.rig.path
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(at("localhost.crt"), at("localhost.key"))
        context.set_alpn_protocols(["h2", "x-amzn-mqtt-ca"])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(BOUND)
            bridge = self.rig.start_bridge("", {"broker a": f"address = mqtts://localhost:{listener.getsockname()[1]}\nca = file:{at('ca.crt')}\n"
                                                            "alpn = x-amzn-mqtt-ca"}, wait=False)
            self.addCleanup(bridge.end)
            with context.wrap_socket(listener.accept()[0], server_side=True) as server:
                self.assertEqual(server.selected_alpn_protocol(), "x-amzn-mqtt-ca")

    def test_a_broker_with_another_name_in_its_certificate_is_not_trusted(self):
        self.make_certificates()
        at, port = self.rig.path, free_port()
        broker = self.rig.start_broker(f"listener {port} 127.0.0.1\ncafile {at('ca.crt')}\ncertfile {at('gateway.crt')}\n"
                                       f"keyfile {at('gateway.key')}\nallow_anonymous true", "other")
        self.addCleanup(broker.end)
        bridge = self.rig.start_bridge("", {"broker a": f"address = mqtts://localhost:{port}\nca = file:{at('ca.crt')}"}, wait=False)
        self.addCleanup(bridge.end)
        bridge.wait_log("broker a: TLS: certificate verify failed")
        self.assertNotIn("connected", bridge.text())

    def test_with_password_and_with_a_shared_key(self):
        at, port, psk_port = self.rig.path, free_port(), free_port()
        self.rig.write("passwords", "me:secret\n")
        subprocess.run(["mosquitto_passwd", "-U", at("passwords")], check=True)
        self.rig.write("psk", "me:00112233445566778899aabbccddeeff\n")
        self.rig.write("mqtt.password", "secret\n")
        self.rig.write("mqtt.psk", "00112233445566778899aabbccddeeff\n")
        broker = self.rig.start_broker(
            f"per_listener_settings true\nlistener {port} 127.0.0.1\npassword_file {at('passwords')}\n"
            f"listener {psk_port} 127.0.0.1\npsk_hint x\npsk_file {at('psk')}\nallow_anonymous true", "login")
        self.addCleanup(broker.end)
        bridge = self.rig.start_bridge("", {
            "broker one": f"address = mqtt://127.0.0.1:{port}\nusername = me\npassword = credential:mqtt.password",
            "broker two": f"address = mqtts://127.0.0.1:{psk_port}\npsk-identity = me\npsk = credential:mqtt.psk",
            "broker wrong": f"address = mqtt://127.0.0.1:{port}\nusername = me\nclient-id = w"},
            env={"CREDENTIALS_DIRECTORY": self.rig.folder})
        self.addCleanup(bridge.end)
        bridge.wait_log("broker one: connected")
        bridge.wait_log("broker two: connected")
        bridge.wait_log("broker wrong: it refused us")

    def test_pictures_sounds_and_numbers_become_flat_results(self):
        self.bridge()
        device = self.device("files")
        device.subscribe("edged/gw1/+/result")
        for model, sample, type_ in (("digits", "digit-7.png", "image/png"), ("keyword", "yes.wav", "audio/wav"),
                                     ("vibration", "vibration-fault.csv", "text/csv"), ("digits", "digit-7.png", "")):
            before = len(device.of(f"edged/gw1/{model}/result"))
            device.publish(f"edged/gw1/{model}/infer", self.rig.sample(sample), **({"ContentType": type_} if type_ else {}))
            result = json.loads(device.wait(f"edged/gw1/{model}/result", before + 1)[-1].payload)
            for key, value in result.items():
                self.assertNotIsInstance(value, (dict, list, bool), key)
            for key in ("ts_ms", "infer_ms", "queue_ms", "total_ms", "seq"):
                self.assertIsInstance(result[key], (int, float))
            self.assertRegex(result["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            if model == "vibration":
                self.assertEqual(result["anomalous"], 1)
                self.assertGreater(result["anomaly_score"], result["threshold"])
            else:
                self.assertEqual(result["label"], {"digits": "7", "keyword": "yes"}[model])

    def test_properties_come_back_and_errors_are_told(self):
        self.bridge()
        device = self.device("properties")
        device.subscribe("edged/reply/p")
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

        def ask(model="digits", payload=bytes(DIGIT_BYTES), **given):
            before = len(device.of("edged/reply/p"))
            device.publish(f"edged/gw1/{model}/infer", payload, ResponseTopic="edged/reply/p", **given)
            return device.wait("edged/reply/p", before + 1)[-1]
        good = ask(CorrelationData=b"\0\1\xff", ContentType="application/octet-stream", UserProperty=[("traceparent", trace)])
        self.assertEqual(good.properties.CorrelationData, b"\0\1\xff")
        self.assertEqual(good.properties.ContentType, "application/octet-stream")
        user = dict(good.properties.UserProperty)
        self.assertEqual(user["traceparent"], trace)
        self.assertEqual(user["status"], "OK")
        self.assertRegex(user["tensors"], r"^[^ ]*:int8\[1,10\]$")
        self.assertFalse(good.retain)
        as_json = ask(ContentType="application/octet-stream", UserProperty=[("accept", "application/json")])
        self.assertEqual(json.loads(as_json.payload)["model"], "digits")
        for status, given in (("NOT_FOUND", {"model": "nothing"}), ("UNSUPPORTED", {"ContentType": "video/mp4"}),
                              ("INVALID", {"payload": b"x", "ContentType": "application/octet-stream"}),
                              ("INVALID", {"payload": b"\xff\xd8\xff nonsense", "ContentType": "image/jpeg"}),
                              ("INVALID", {"payload": b"{", "ContentType": "application/json"}),
                              ("INVALID", {"CorrelationData": bytes(65)})):
            bad = ask(**given)
            self.assertEqual(dict(bad.properties.UserProperty)["status"], status, given)
            self.assertEqual(json.loads(bad.payload)["error"], status)

    def test_the_open_inference_protocol_in_json(self):
        self.bridge()
        device = self.device("oip")
        device.subscribe("edged/reply/oip")
        values = [random.Random(3).randint(-128, 127) for _ in range(DIGIT_BYTES)]
        device.publish("edged/gw1/digits/infer", json.dumps({"id": "a", "inputs": [
            {"name": "image", "datatype": "INT8", "shape": [1, 28, 28, 1], "data": values}]}), ResponseTopic="edged/reply/oip")
        answer = json.loads(device.wait("edged/reply/oip")[0].payload)
        raw = answers_of(self.rig.socket, [struct.pack("784b", *values)])[0]
        self.assertEqual(answer["id"], "a")
        self.assertEqual(answer["outputs"][0]["datatype"], "INT8")
        self.assertEqual(answer["outputs"][0]["data"], list(struct.unpack("10b", raw)))

    def test_strangers_do_not_choose_where_answers_go(self):
        self.bridge()
        device = self.device("stranger")
        device.subscribe("#")
        for topic in ("elsewhere/x", "edged/gw1/digits/set/enable", "edged/pool/digits/infer", "homeassistant/device/x/config"):
            device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic=topic)
            device.publish("edged/gw1/digits/infer", json.dumps({"id": 1, "reply_to": topic, "data": [0] * DIGIT_BYTES}))
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/end")
        device.wait("edged/reply/end")
        for topic in ("elsewhere/x", "edged/gw1/digits/set/enable", "edged/pool/digits/infer", "homeassistant/device/x/config"):
            self.assertEqual(device.of(topic), [])

    def test_what_comes_twice_is_answered_once_and_what_is_retained_never(self):
        bridge = self.bridge("stats-interval = 100ms")
        device = self.device("twice")
        device.subscribe("edged/reply/t")
        device.subscribe("edged/gw1/stats")
        for number in (1, 1, 2, 1):
            device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/t", CorrelationData=bytes([number]))
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/t", CorrelationData=b"\3")
        device.wait("edged/reply/t", 3)
        device.wait_json("edged/gw1/stats", lambda s: s["duplicates"] == 2)
        self.assertCountEqual([m.properties.CorrelationData for m in device.of("edged/reply/t")], [b"\1", b"\2", b"\3"])
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), retain=True, ResponseTopic="edged/reply/t", CorrelationData=b"\4")
        device.wait("edged/reply/t", 4)  # it was published while we were there
        bridge.end()
        again = self.bridge("stats-interval = 100ms", extra="protocol = 3.1.1")  # which has no word against retained messages
        device.wait_json("edged/gw1/stats", lambda s: s["retained_ignored"] >= 1)
        self.assertEqual(len(device.of("edged/reply/t")), 4)
        device.publish("edged/gw1/digits/infer", b"", retain=True)
        again.end()

    def test_requests_of_the_past_are_dropped_and_counted(self):
        edged = self.edged
        self.bridge("stats-interval = 100ms\nmax-pause = 0ms")
        device = self.device("late")
        device.subscribe("edged/reply/late")
        device.subscribe("edged/gw1/stats")
        os.kill(edged.child.pid, signal.SIGSTOP)
        try:
            for number in range(5):
                device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/late",
                               UserProperty=[("deadline_ms", "300")], CorrelationData=bytes([number]))
            for number in range(10):
                device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/late",
                               MessageExpiryInterval=1, CorrelationData=bytes([100 + number]))
            device.wait_json("edged/gw1/stats", lambda s: s["expired"] >= 11)
        finally:
            os.kill(edged.child.pid, signal.SIGCONT)
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/late", CorrelationData=b"end")
        wait_for(lambda: any(m.properties.CorrelationData == b"end" for m in device.of("edged/reply/late")), "the last")

    def test_edged_may_be_restarted_under_load(self):
        self.bridge("deadline = 60s")
        device = self.device("steady")
        device.subscribe("edged/reply/steady")
        inputs = tensors(200, 9)
        for number, one in enumerate(inputs):
            if number == 100:
                self.edged.end(signal.SIGKILL)
                type(self).edged = self.rig.start_edged()
            device.publish("edged/gw1/digits/infer", one, ResponseTopic="edged/reply/steady", CorrelationData=struct.pack("<I", number))
            time.sleep(0.001)
        device.wait("edged/reply/steady", 200)
        self.assertEqual(len({m.properties.CorrelationData for m in device.of("edged/reply/steady")}), 200)


class Life(WithBroker):
    def test_birth_state_stop_and_will(self):
        device = self.device("watcher")
        device.subscribe("edged/gw1/#")
        bridge = self.bridge()
        device.wait("edged/gw1/status")
        wait_for(lambda: device.of("edged/gw1/status")[-1].payload == b"online", "online")
        state = device.wait_json("edged/gw1/digits/state", lambda s: s["state"] == "ready" and "input_bytes" in s)
        self.assertEqual(state["input_bytes"], DIGIT_BYTES)
        self.assertEqual(len(state["sha256"]), 64)
        device.wait("edged/gw1/info")
        bridge.end()
        wait_for(lambda: device.of("edged/gw1/status")[-1].payload == b"stopped", "stopped")
        bridge = self.bridge()
        wait_for(lambda: device.of("edged/gw1/status")[-1].payload == b"online", "online")
        bridge.end(signal.SIGKILL)
        wait_for(lambda: device.of("edged/gw1/status")[-1].payload == b"offline", "the will")
        late = self.device("late")
        late.subscribe("edged/gw1/#")
        retained = late.wait("edged/gw1/status")
        self.assertTrue(retained[-1].retain)
        self.assertEqual(late.of("edged/gw1/digits/result"), [])

    def test_a_result_lasts_as_long_as_its_request_said(self):
        device = self.device("feeder")
        device.subscribe("edged/gw1/digits/result")
        self.bridge()
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), MessageExpiryInterval=90)
        first, = device.wait("edged/gw1/digits/result")
        self.assertIn(first.properties.MessageExpiryInterval, range(1, 91))
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES))
        self.assertFalse(hasattr(device.wait("edged/gw1/digits/result", 2)[1].properties, "MessageExpiryInterval"))

    def test_orders_are_carried_out_echoed_and_kept(self):
        folder = self.rig.path("kept")
        os.makedirs(folder, exist_ok=True)
        bridge = self.bridge(f"state = {folder}")
        device = self.device("admin")
        device.subscribe("edged/gw1/#")
        device.subscribe("edged/reply/admin")
        device.wait("edged/gw1/vibration/get/threshold")
        device.publish("edged/gw1/vibration/set/threshold", "1000000")
        wait_for(lambda: device.of("edged/gw1/vibration/get/threshold")[-1].payload == b"1000000", "its echo")
        device.publish("edged/gw1/vibration/infer", self.rig.sample("vibration-fault.csv"), ContentType="text/csv")
        self.assertEqual(json.loads(device.wait("edged/gw1/vibration/result")[-1].payload)["anomalous"], 0)
        device.publish("edged/gw1/digits/set/enable", "OFF")
        wait_for(lambda: device.of("edged/gw1/digits/get/enable")[-1].payload == b"OFF", "its echo")
        device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/admin")
        self.assertEqual(json.loads(device.wait("edged/reply/admin")[-1].payload)["error"], "DENIED")
        echoes = len(device.of("edged/gw1/digits/get/threshold"))
        refused = [("digits", "pin", "ON", "DENIED"), ("digits", "nothing", "1", "DENIED"), ("nothing", "enable", "ON", "NOT_FOUND"),
                   ("vibration", "threshold", "high", "INVALID"), ("digits", "enable", "x" * 100, "INVALID"), ("digits", "enable", "on\0", "INVALID")]
        numbers = ("0x1p-2", "0.5\0abc", "1.01", "-0.1", "nan", "inf", "1e999", "+1", " 1", "1 ", ".5", "5.", "1e", "0,5")
        for model, key, payload, error in refused + [("digits", "threshold", one, "INVALID") for one in numbers]:
            before = len(device.of(f"edged/gw1/{model}/error"))
            device.publish(f"edged/gw1/{model}/set/{key}", payload)
            said = json.loads(device.wait(f"edged/gw1/{model}/error", before + 1)[-1].payload)
            self.assertEqual((said["error"], said["source"], said["model"]), (error, "set", model), payload)
        self.assertEqual(len(device.of("edged/gw1/digits/get/threshold")), echoes)
        device.publish("edged/gw1/digits/set/threshold", "1.2345678912e-1")
        self.assertEqual(device.wait("edged/gw1/digits/get/threshold", echoes + 1)[-1].payload, b"0.12345678912")
        bridge.end()
        count = len(device.of("edged/gw1/digits/get/enable"))
        self.bridge(f"state = {folder}")
        device.wait("edged/gw1/digits/get/enable", count + 1)
        self.assertEqual(device.of("edged/gw1/digits/get/enable")[-1].payload, b"OFF")
        self.assertEqual(device.wait("edged/gw1/digits/get/threshold", echoes + 2)[-1].payload, b"0.12345678912")
        device.publish("edged/gw1/digits/set/enable", "ON")
        wait_for(lambda: device.of("edged/gw1/digits/get/enable")[-1].payload == b"ON", "its echo")

    def test_a_pin_is_set_where_that_is_allowed(self):
        self.bridge("commands = pin")
        device = self.device("pinner")
        device.subscribe("edged/gw1/digits/get/pin")
        device.wait("edged/gw1/digits/get/pin")
        for word in ("ON", "OFF"):
            device.publish("edged/gw1/digits/set/pin", word)
            wait_for(lambda w=word: device.of("edged/gw1/digits/get/pin")[-1].payload == w.encode(), "its echo")

    def test_topics_of_others_are_inputs(self):
        routes = {"route sensor": "topic = zigbee2mqtt/+\nmodel = vibration\nformat = json\nfields = a.values",
                  "route camera": "topic = cameras/#\nmodel = digits\nformat = image"}
        self.bridge("result-topic = {prefix}/{gw}/{model}/from/{source}", others=routes)
        device = self.device("others")
        device.subscribe("edged/gw1/#")
        device.publish("zigbee2mqtt/pump4", json.dumps({"linkquality": 90, "a": {"values": [[0.1, 0.2, 1.0]] * 128}}), 0)
        self.assertIn("anomaly_score", json.loads(device.wait("edged/gw1/vibration/from/sensor")[0].payload))
        device.publish("cameras/door/snapshot", self.rig.sample("digit-7.png"), 0)
        self.assertEqual(json.loads(device.wait("edged/gw1/digits/from/camera")[0].payload)["label"], "7")
        device.publish("zigbee2mqtt/pump4", json.dumps({"a": {"values": "none"}}), 0)
        self.assertEqual(json.loads(device.wait("edged/gw1/vibration/error")[0].payload)["error"], "INVALID")

    def test_two_brokers_are_served_by_one(self):
        port = free_port()
        broker = self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", "second")
        self.addCleanup(broker.end)
        bridge = self.bridge(others={"broker b": f"address = mqtt://127.0.0.1:{port}"})
        bridge.wait_log("broker b: connected")
        for which in (self.port, port):
            device = self.device(f"of-{which}", port=which)
            self.wait_online(device)
            device.subscribe("edged/reply/x")
            device.publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), ResponseTopic="edged/reply/x")
            device.wait("edged/reply/x")

    @staticmethod
    def wait_online(device, word=b"online"):
        """What it says once it listens there."""
        topic = "edged/gw1/status"
        if topic not in device.filters:
            device.subscribe(topic)
        wait_for(lambda: device.of(topic) and device.of(topic)[-1].payload == word, f"it {word}")

    def reload(self, bridge, text, brokers, count):
        self.rig.write_bridge(text, brokers)
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("configuration", count)

    def test_brokers_come_go_and_change_at_a_reload_and_the_others_see_nothing(self):
        brokers, devices = {"broker a": self.broker_key}, {}
        for name in "bc":
            port = free_port()
            self.addCleanup(self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", name).end)
            brokers[f"broker {name}"] = f"address = mqtt://127.0.0.1:{port}"
            devices[name] = self.device(f"of-{name}", port=port)
        devices["a"] = self.device("of-a")
        for name, device in devices.items():
            device.subscribe("edged/reply/" + name)
        bridge = self.rig.start_bridge("deadline = 60s", {name: brokers[name] for name in ("broker a", "broker b")})
        self.addCleanup(bridge.end)
        self.wait_online(devices["b"])
        self.wait_online(devices["a"])

        def ask(name, count):
            before = len(devices[name].of("edged/reply/" + name))
            for _ in range(count):
                devices[name].publish("edged/gw1/digits/infer", bytes(DIGIT_BYTES), 1, ResponseTopic="edged/reply/" + name,
                                      CorrelationData=os.urandom(8))
            return before + count
        devices["a"].wait("edged/reply/a", ask("a", 1))
        # What was asked before the file changed is answered, and the broker is told last.
        os.kill(self.edged.child.pid, signal.SIGSTOP)
        try:
            ask("b", 20)
            devices["b"].subscribe("edged/gw1/capability")
            devices["b"].wait_json("edged/gw1/capability", lambda c: c["queue_length"] + c["in_flight"] == 20)
            self.reload(bridge, "deadline = 60s", {name: brokers[name] for name in ("broker a", "broker c")}, 1)
            self.wait_online(devices["c"])
        finally:
            os.kill(self.edged.child.pid, signal.SIGCONT)
        bridge.wait_log("broker b: left")
        self.assertEqual(len(devices["b"].wait("edged/reply/b", 20)), 20)
        self.wait_online(devices["b"], b"stopped")
        ask("c", 1)
        devices["c"].wait("edged/reply/c", 1)
        # A changed one ends and begins; one with a mistake changes nothing.
        other = dict(brokers, **{"broker c": brokers["broker c"] + "\nclient-id = other"})
        self.reload(bridge, "", {name: other[name] for name in ("broker a", "broker c")}, 2)
        bridge.wait_log("broker c: connected", 2)
        self.wait_online(devices["c"])
        wait_for(lambda: [m.payload for m in devices["c"].of("edged/gw1/status")].count(b"online") == 2, "it anew")
        ask("c", 1)
        devices["c"].wait("edged/reply/c", 2)
        for bad in ({"broker a": "address = nowhere"}, {"broker a": self.broker_key, "broker d": brokers["broker b"] + "\nspool = 1M"}):
            self.reload(bridge, "", bad, bridge.text().count("configuration") + 1)
            self.assertIn("all stays as it was", bridge.text().rsplit("configuration", 1)[1])
        devices["a"].wait("edged/reply/a", ask("a", 20))
        self.assertEqual((bridge.text().count("broker a: "), bridge.text().count("broker b: connected")), (1, 1))

    def test_a_spool_whose_folder_is_missing_is_told_with_key_and_folder(self):
        bridge = self.rig.start_bridge("state = /nonexistent/here", {"broker a": self.broker_key + "\nspool = 1M"}, wait=False, name="without")
        self.assertNotEqual(bridge.child.wait(60), 0)
        self.assertIn("[broker a]: spool needs the folder of [bridge] state, /nonexistent/here: No such file or directory", bridge.text())

    def test_a_broker_that_never_answers_may_be_taken_out(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            bridge = self.bridge(others={"broker b": f"address = mqtt://127.0.0.1:{silent.getsockname()[1]}"})
            silent.accept()[0].close()
            self.reload(bridge, "", {"broker a": self.broker_key}, 1)
            bridge.wait_log("broker b: left")
        self.reload(bridge, "", {}, 2)  # which means the one at localhost
        bridge.wait_log("broker a: left")
        self.reload(bridge, "", {"broker a": self.broker_key}, 3)
        bridge.wait_log("broker a: connected", 2)

    def test_the_health_topic_of_thin_edge(self):
        device = self.device("te")
        device.subscribe("te/#")
        bridge = self.bridge("health = yes")
        device.wait_json("te/device/main/service/edged/status/health", lambda m: m["status"] == "up" and m["pid"] == bridge.child.pid)
        bridge.end()
        device.wait_json("te/device/main/service/edged/status/health", lambda m: m["status"] == "down")


class Discovery(WithBroker):
    """Every rule of Home Assistant's MQTT discovery that docs/mqtt.md lists, on what the broker has kept."""

    def check_rules(self, config):
        self.assertIn("dev", config)
        self.assertTrue(config["dev"]["ids"])
        self.assertEqual(set(config["o"]), {"name", "sw"})
        self.assertEqual(config["qos"], 1)
        seen = set()
        for name, component in config["cmps"].items():
            self.assertRegex(name, r"^[a-zA-Z0-9_-]+$")
            self.assertIn(component["p"], {"sensor", "binary_sensor", "number", "switch"})
            self.assertRegex(component["uniq_id"], r"^[a-zA-Z0-9_-]+$")
            self.assertNotIn(component["uniq_id"], seen)
            seen.add(component["uniq_id"])
            self.assertTrue(component["stat_t"].startswith("edged/gw1/"))
            if component["p"] in ("sensor", "binary_sensor"):
                self.assertIn("value_json.", component["val_tpl"])  # never a whole JSON as the state
            else:
                self.assertRegex(component["cmd_t"], r"/set/[a-z]+$")
            self.assertNotIn("content_type", component)
        for availability in config["avty"]:
            self.assertEqual(availability["t"], "edged/gw1/status")
            self.assertIn("online", availability["val_tpl"])

    def test_the_device_is_announced_kept_up_to_date_and_removed(self):
        topic = "homeassistant/device/edged_gw1/config"
        device = self.device("home")
        device.subscribe("homeassistant/#")
        self.rig.put_model("digits", "odd.name")
        self.bridge(extra="discovery = yes")
        config = device.wait_json(topic, lambda c: any("odd_name" in name for name in c["cmps"]) and len(c["cmps"]) > 10)
        self.check_rules(config)
        for wanted in ("digits_label", "digits_score", "keyword_label", "vibration_anomalous", "vibration_anomaly", "vibration_ms"):
            self.assertIn(wanted, config["cmps"])
        os.unlink(self.rig.path("models", "odd.name.tflite"))
        bare = device.wait_json(topic, lambda c: any(set(one) == {"p"} for one in c["cmps"].values()))
        gone = [name for name, one in bare["cmps"].items() if set(one) == {"p"}]
        self.assertTrue(all("odd_name" in name for name in gone) and gone)
        wait_for(lambda: not any("odd_name" in n for n in json.loads(device.of(topic)[-1].payload)["cmps"]), "its end")
        self.check_rules(json.loads(device.of(topic)[-1].payload))
        late = self.device("late-home")
        late.subscribe("homeassistant/#")
        self.assertTrue(late.wait(topic)[0].retain)
        count = len(device.of(topic))
        device.publish("homeassistant/status", "online")
        device.wait(topic, count + 1)
        self.assertEqual([t for t in device.messages if t.startswith("homeassistant/")], [topic, "homeassistant/status"])

    def test_a_device_without_models_goes(self):
        topic = "homeassistant/device/edged_gw1/config"
        device = self.device("home2")
        self.bridge(extra="discovery = yes")
        device.subscribe("homeassistant/#")
        device.wait(topic)
        for name in ("digits", "keyword", "vibration"):
            os.unlink(self.rig.path("models", name + ".tflite"))
        wait_for(lambda: device.of(topic)[-1].payload == b"", "an empty configuration")
        for name in ("digits", "keyword", "vibration"):
            self.rig.put_model(name)
        wait_for(lambda: device.of(topic)[-1].payload != b"", "them again")


if __name__ == "__main__":
    run_tests()
