#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pipelines over a real mosquitto: pictures, streams of sound and lines of numbers become decisions."""
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import wave

from mqtt_pipelines_rig import DIGIT, EACH_DIGIT, WithPipelines, white_png
from mqtt_rig import BOUND, EDGED_MQTT, LONG, ROOT, Device, free_port, is_sanitized, need_mosquitto, run_tests, wait_for

need_mosquitto()
MUTANTS = 5000 if LONG else 300
KILLS = 50 if LONG else 5
SHARED = os.path.join(ROOT, "..", "shared")

WORD = """[source]
kind = sound
rate = 16000
[model]
name = keyword
[pre]
window = 16000
hop = 4000
[post]
kind = classes
[decision]
labels = yes, no
average = 2
threshold = 0.8
low = 0.4
hold-off = 1s
publish = begin
"""
SHAKE = """[source]
kind = numbers
columns = 3
[model]
name = vibration
[post]
kind = reconstruction
"""


def noise_ppm(width, height):
    """A picture that no PNG makes smaller."""
    return f"P6 {width} {height} 255\n".encode() + random.Random(1).randbytes(3 * width * height)


class Pipelines(WithPipelines):
    def test_a_picture_becomes_a_decision_that_is_told_when_it_changes(self):
        state = self.remembered("a", [])
        bridge, device = self.bridge(f"state = {state}", digit=DIGIT)
        topic = "edged/gw1/pipeline/digit"
        for _ in range(3):
            device.publish(f"{topic}/in/cam1", self.rig.sample("digit-7.png"), ContentType="image/png")
        result = json.loads(device.wait(f"{topic}/result/cam1")[0].payload)
        self.check_flat(result)
        for key, value in {"pipeline": "digit", "model": "digits", "source": "cam1", "event": "begin", "event_label": "7", "label": "7",
                           "active": 1}.items():
            self.assertEqual(result[key], value)
        self.assertGreater(result["score"], 0.9)
        self.assertTrue(device.wait(f"{topic}/snapshot/cam1")[0].payload.startswith(b"\x89PNG"))
        for _ in range(2):
            device.publish(f"{topic}/in/cam1", white_png())
        device.wait_json(f"{topic}/result/cam1", lambda r: r["event"] == "end" and r["event_label"] == "7")
        events = [(json.loads(m.payload)["event"], json.loads(m.payload)["event_label"]) for m in device.of(f"{topic}/result/cam1")]
        self.assertEqual(events.count(("begin", "7")), 1)
        self.assertFalse(any(m.retain for m in device.of(f"{topic}/result/cam1")))
        late = self.device("late")
        late.subscribe(f"{topic}/#")
        self.assertEqual(json.loads(late.wait(f"{topic}/last/cam1")[0].payload)["source"], "cam1")
        self.assertTrue(late.wait(f"{topic}/snapshot/cam1")[0].retain)
        self.assertEqual(late.of(f"{topic}/result/cam1"), [])
        stats = device.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs"] == 5)
        self.assertEqual((stats["pipelines"], stats["pipeline_inputs_refused"], stats["pipeline_restarts"]), (1, 0, 0))
        # What was kept is taken back by the next life, which knows nothing of it.
        bridge.end(signal.SIGKILL)
        self.bridge(f"state = {state}", digit=DIGIT)
        wait_for(lambda: late.of(f"{topic}/last/cam1")[-1].payload == b"", "the last word to be taken back")

    def test_words_in_streams_of_several_microphones_are_heard_once_each(self):
        _, device = self.bridge(word=WORD)
        with wave.open(os.path.join(ROOT, "packaging", "models", "samples", "yes.wav")) as file:
            yes = file.readframes(file.getnframes())
        rng = random.Random(1)
        quiet = b"".join(struct.pack("<h", rng.randint(-3, 3)) for _ in range(16000))
        streams = {"kitchen": quiet + yes + quiet + quiet + yes + quiet, "hall": quiet * 4 + yes + quiet}
        for at in range(0, 2 * 16000 * 6, 3200):
            for name, stream in streams.items():
                if at < len(stream):
                    device.publish(f"edged/gw1/pipeline/word/in/{name}", stream[at:at + 3200], ContentType="audio/l16")
        for name, times in (("kitchen", [2, 5]), ("hall", [5])):
            results = device.wait(f"edged/gw1/pipeline/word/result/{name}", len(times))
            found = [(r["event_label"], r["to_s"]) for r in (json.loads(m.payload) for m in results)]
            self.assertEqual([label for label, _ in found], ["yes"] * len(times), found)
            for (_, at), wanted in zip(found, times):
                self.assertLess(abs(at - wanted), 1.01, found)
        device.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs"] == 120 and s["queue_length"] == 0)

    def test_single_readings_of_sensors_are_collected_into_windows(self):
        routes = {"route pumps": "topic = zigbee2mqtt/+/vibration\npipeline = shake\nformat = json\nfields = accel.x accel.y accel.z"}
        _, device = self.bridge(others=routes, shake=SHAKE)
        normal = self.rig.sample("vibration-normal.csv").decode().split()
        fault = self.rig.sample("vibration-fault.csv").decode().split()
        numbers = [[[float(v) for v in line.split(",")] for line in lines if re.match(r"^[-0-9.]", line)] for lines in (normal, fault)]
        for row in range(128):
            for pump, which in (("pump 4", 0), ("pump5", 1)):
                x, y, z = numbers[which][row]
                device.publish(f"zigbee2mqtt/{pump}/vibration", json.dumps({"battery": 97, "accel": {"x": x, "y": y, "z": z}}))
        for source, anomaly in (("pump_4_" + hashlib.sha256(b"pump 4").hexdigest()[:16], 0), ("pump5", 1)):
            result = json.loads(device.wait(f"edged/gw1/pipeline/shake/result/{source}")[0].payload)
            self.check_flat(result)
            self.assertEqual(result["anomaly"], anomaly, result)
            self.assertEqual(result["to_row"], 128)
        device.publish("zigbee2mqtt/pump5/vibration", json.dumps({"battery": 97}))
        error = device.wait_json("edged/gw1/pipeline/shake/error/pump5", lambda e: e["error"] == "INVALID")
        self.assertIn("accel.x", error["message"])

    def test_malformed_pictures_disturb_nothing_else(self):
        _, device = self.bridge("queue-length = 4096\nduplicate-window = 0ms", digit=EACH_DIGIT, shake=SHAKE)
        rng = random.Random(7)
        told = lambda: len(device.of("edged/gw1/pipeline/digit/error/evil")) + len(device.of("edged/gw1/pipeline/digit/result/evil"))  # noqa: E731
        good = self.rig.sample("digit-7.png")
        rows = [line for line in self.rig.sample("vibration-normal.csv").decode().split() if re.match(r"^[-0-9.]", line)]
        for number in range(MUTANTS):
            bad = bytearray(good)
            for _ in range(rng.randint(1, 8)):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
            device.publish("edged/gw1/pipeline/digit/in/evil", bytes(bad[:rng.randint(1, len(bad))]), ContentType=rng.choice(["image/png", "image/jpeg", ""]))
            if number % 50 == 0:
                device.publish("edged/gw1/pipeline/digit/in/good", good)
            if number < 128:
                device.publish("edged/gw1/pipeline/shake/in/pump", rows[number % len(rows)])
            if number % 100 == 99:  # neither the broker's line nor ours is to overflow
                wait_for(lambda n=number: told() > n - 100, "words on most of them")
        for message in device.wait("edged/gw1/pipeline/digit/result/good", MUTANTS // 50):
            self.assertEqual(json.loads(message.payload)["label"], "7")
        device.wait("edged/gw1/pipeline/shake/result/pump")
        wait_for(lambda: told() == MUTANTS, "a word on each of them")

    def test_a_process_that_is_killed_comes_back_and_every_picture_has_its_answer(self):
        bridge, device = self.bridge("queue-length = 4096", digit=EACH_DIGIT)
        good, published = self.rig.sample("digit-7.png"), 0
        topic = "edged/gw1/pipeline/digit"
        told = lambda: len(device.of(f"{topic}/error/cam")) + len(device.of(f"{topic}/result/cam"))  # noqa: E731
        for turn in range(KILLS):
            pid = wait_for(lambda: self.child(bridge), "the process of the pipelines")
            for _ in range(20):
                device.publish(f"{topic}/in/cam", good)
                published += 1
            wait_for(lambda turn=turn: len(device.of(f"{topic}/result/cam")) > turn * 20, "the first answer")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: told() == published, f"{published} answers, {told()}")
            wait_for(lambda pid=pid: self.child(bridge) not in (None, pid), "another process")
        device.wait_json("edged/gw1/stats", lambda s: s["pipeline_restarts"] == KILLS)
        for message in device.of(f"{topic}/result/cam"):
            self.assertEqual(json.loads(message.payload)["label"], "7")
        self.assertGreater(len(device.of(f"{topic}/result/cam")), published // 2)

    def test_requests_and_pipelines_share_one_process_and_none_waits_for_all_of_the_others(self):
        bridge, device = self.bridge("queue-length = 4096", digit=EACH_DIGIT)
        device.subscribe("edged/reply/d")
        picture, each = self.rig.sample("digit-7.png"), 100
        results = lambda: device.of("edged/gw1/pipeline/digit/result/cam")  # noqa: E731
        responses = lambda: device.of("edged/reply/d")  # noqa: E731
        for _ in range(each):
            device.publish("edged/gw1/pipeline/digit/in/cam", picture)
            device.publish("edged/gw1/digits/infer", picture, ContentType="image/png", ResponseTopic="edged/reply/d")
        wait_for(lambda: len(results()) >= each // 2 and len(responses()) >= each // 2, "half of both")
        self.assertEqual(self.children(bridge), [self.child(bridge)])
        wait_for(lambda: len(results()) == each and len(responses()) == each, "all of both")
        for message in results() + responses():
            self.assertEqual(str(json.loads(message.payload)["index"]), "7")
        os.kill(self.child(bridge), signal.SIGKILL)  # what one was, the next one is for both
        device.publish("edged/gw1/pipeline/digit/in/cam", picture)
        device.publish("edged/gw1/digits/infer", picture, ContentType="image/png", ResponseTopic="edged/reply/d")
        wait_for(lambda: len(results()) == each + 1 and len(responses()) == each + 1, "one more of both")
        self.assertEqual(len(self.children(bridge)), 1)

    def test_a_process_that_hangs_is_replaced_and_says_so(self):
        bridge, device = self.bridge("decode-timeout = 2s", digit=EACH_DIGIT)
        # It has done all that came before, so that the input is what it hangs in.
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/digit/result/cam")
        published = len(device.of("edged/gw1/stats"))
        wait_for(lambda: len(device.of("edged/gw1/stats")) > published + 1, "the end of the command")
        os.kill(wait_for(lambda: self.child(bridge), "the process of the pipelines"), signal.SIGSTOP)
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait_json("edged/gw1/pipeline/digit/error/cam", lambda e: "took too long" in e["message"])
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/digit/result/cam", 2)

    def test_only_the_latest_counts_where_the_file_says_so(self):
        _, device = self.bridge(digit=EACH_DIGIT.replace("kind = picture", "kind = picture\nlatest-only = yes"))
        os.kill(self.edged.child.pid, signal.SIGSTOP)
        try:
            for _ in range(50):
                device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
            device.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs_sampled"] >= 40)
        finally:
            os.kill(self.edged.child.pid, signal.SIGCONT)
        stats = device.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs"] + s["pipeline_inputs_sampled"] == 50 and s["queue_length"] == 0)
        device.wait("edged/gw1/pipeline/digit/result/cam", stats["pipeline_inputs"])

    def test_what_is_set_is_echoed_kept_and_obeyed(self):
        state = self.rig.path("kept")
        os.makedirs(state, exist_ok=True)
        bridge, device = self.bridge(f"state = {state}", digit=DIGIT)
        topic, good = "edged/gw1/pipeline/digit", self.rig.sample("digit-7.png")
        wait_for(lambda: device.of(f"{topic}/get/threshold")[-1].payload == b"0.6", "the file's own")
        device.publish(f"{topic}/set/threshold", "1")
        wait_for(lambda: device.of(f"{topic}/get/threshold")[-1].payload == b"1", "its echo")
        kept = os.path.join(state, "set-pipelines.conf")
        written = wait_for(lambda: os.path.exists(kept) and os.stat(kept).st_ino, "what was set")
        device.publish(f"{topic}/set/threshold", "1")
        for bad in ("nonsense", "inf", "1e300", "nan"):
            device.publish(f"{topic}/set/threshold", bad)
        device.publish(f"{topic}/in/cam", good)
        device.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs"] == 1 and s["refused"] == 4)
        self.assertEqual([json.loads(m.payload)["error"] for m in device.wait(f"{topic}/error/set", 4)], ["INVALID"] * 4)
        self.assertEqual(os.stat(kept).st_ino, written, "the disk is written to only when something has changed")
        self.assertEqual(device.of(f"{topic}/result/cam"), [])
        device.publish(f"{topic}/set/enable", "OFF")
        wait_for(lambda: device.of(f"{topic}/get/enable")[-1].payload == b"OFF", "its echo")
        device.wait_json(f"{topic}/state", lambda s: s["state"] == "off")
        device.publish(f"{topic}/in/cam", good)
        device.wait_json(f"{topic}/error/cam", lambda e: e["error"] == "DENIED")
        bridge.end()
        bridge, device = self.bridge(f"state = {state}", wait="off", digit=DIGIT)
        wait_for(lambda: device.of(f"{topic}/get/threshold")[-1].payload == b"1", "what was set before")
        device.publish(f"{topic}/set/enable", "ON")
        device.publish(f"{topic}/set/threshold", "")
        wait_for(lambda: device.of(f"{topic}/get/threshold")[-1].payload == b"0.6", "the file's own")
        device.publish(f"{topic}/in/cam", good)
        device.wait(f"{topic}/result/cam")

    def test_a_threshold_can_be_given_back_to_the_model(self):
        _, device = self.bridge(digit=EACH_DIGIT)
        topic = "edged/gw1/pipeline/digit"
        for value in (b"0.5", b"0.12345678912", b""):
            device.publish(f"{topic}/set/threshold", value)
            wait_for(lambda value=value: device.of(f"{topic}/get/threshold") and device.of(f"{topic}/get/threshold")[-1].payload == value, f"{value}")
        device.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
        self.assertEqual(json.loads(device.wait(f"{topic}/result/cam")[0].payload)["label"], "7")

    def test_the_process_has_nothing_open_that_is_not_its_own(self):
        bridge, device = self.bridge(digit=EACH_DIGIT)
        os.kill(wait_for(lambda: self.child(bridge), "the process of the pipelines"), signal.SIGKILL)  # the next one begins with the broker connected
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/digit/result/cam")
        device.publish("edged/gw1/digits/infer", self.rig.sample("digit-7.png"), ContentType="image/png")
        device.wait("edged/gw1/digits/result")
        pid = wait_for(lambda: self.child(bridge), "the worker process")
        self.assertEqual(set(os.listdir(f"/proc/{pid}/fd")), {"0", "1", "2"})

    def test_a_pipeline_that_cannot_be_opened_any_more_does_not_move_the_others(self):
        labels = self.rig.write("labels-of-a.txt", "\n".join("abcdefghij") + "\n")
        bridge, device = self.bridge(a=EACH_DIGIT + f"labels = {labels}\n", b=EACH_DIGIT, c=SHAKE)
        os.unlink(labels)
        bridge.child.send_signal(signal.SIGHUP)
        device.wait_json("edged/gw1/pipeline/a/state", lambda s: s["state"] == "refused" and "labels" in s["reason"])
        device.publish("edged/gw1/pipeline/b/in/cam", self.rig.sample("digit-7.png"))
        result = json.loads(device.wait("edged/gw1/pipeline/b/result/cam")[0].payload)
        self.assertEqual((result["pipeline"], result["label"]), ("b", "7"))

    def test_more_pipelines_than_there_is_room_for_are_named_and_the_others_work(self):
        for number in range(65):
            self.put(f"p{number:02}", EACH_DIGIT)
        bridge, device = self.bridge()
        bridge.wait_log("p64.conf: more than 64 pipelines")
        device.publish("edged/gw1/pipeline/p63/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/p63/result/cam")

    def test_a_source_that_makes_room_for_others_leaves_nothing_behind(self):
        _, device = self.bridge("queue-length = 4096", digit=DIGIT)
        topic = "edged/gw1/pipeline/digit"
        for number in range(65):
            device.publish(f"{topic}/in/cam{number}", self.rig.sample("digit-7.png"))
            device.wait(f"{topic}/last/cam{number}")
        for leaf in ("last", "snapshot"):
            wait_for(lambda leaf=leaf: device.of(f"{topic}/{leaf}/cam0")[-1].payload == b"", f"an empty {leaf}")
            self.assertNotIn(b"", [m.payload for m in device.of(f"{topic}/{leaf}/cam1")])

    def test_what_an_earlier_life_has_left_is_emptied(self):
        device = self.device("earlier")
        topic = "edged/gw1/pipeline/digit"
        for leaf in ("last", "snapshot"):
            device.publish(f"{topic}/{leaf}/gone", b"old", retain=True).wait_for_publish(BOUND)
        state = self.remembered("a", [f"{topic}/{leaf}/gone" for leaf in ("last", "snapshot")])
        _, device = self.bridge(f"state = {state}", digit=DIGIT)
        for leaf in ("last", "snapshot"):
            wait_for(lambda leaf=leaf: device.of(f"{topic}/{leaf}/gone")[-1].payload == b"", f"an empty {leaf}")

    def test_a_snapshot_that_the_outbox_cannot_hold_is_left_out_and_said(self):
        _, device = self.bridge(extra="outbox-bytes = 64K", digit=EACH_DIGIT + "snapshot = yes\n")
        topic = "edged/gw1/pipeline/digit"
        device.publish(f"{topic}/in/cam", noise_ppm(200, 200))
        device.wait(f"{topic}/result/cam")
        device.wait_json(f"{topic}/error/cam", lambda e: "more than outbox-bytes" in e["error"])
        self.assertEqual(device.of(f"{topic}/snapshot/cam"), [])

    def test_more_memory_than_the_service_may_have_is_as_much_as_it_may_and_said(self):
        if is_sanitized(EDGED_MQTT):
            self.skipTest("a sanitizer takes more than any limit")
        self.put("digit", EACH_DIGIT)
        conf = self.rig.write("limited.conf", f"[bridge]\ngateway = gw2\nsocket = {self.rig.socket}\npipelines = {self.folder}\nmax-memory = 200M\n"
                              f"decode-memory = 512M\n[broker a]\naddress = mqtt://127.0.0.1:{self.port}\n")
        bridge = self.rig.start("limited", ["sh", "-c", f"ulimit -S -d {64 << 10}; ulimit -H -d {256 << 10}; exec \"$0\" --config \"$1\"", EDGED_MQTT, conf])
        self.addCleanup(bridge.end)
        device = self.device("limited")
        device.subscribe("edged/gw2/#")
        device.wait_json("edged/gw2/pipeline/digit/state", lambda s: s["state"] == "ready")
        self.assertIn("decode-memory: limited to 256 MB", bridge.text())
        self.assertNotIn("max-memory: only", bridge.text())
        with open(f"/proc/{self.child(bridge)}/limits", encoding="ascii") as limits:
            data = next(line.split() for line in limits if line.startswith("Max data size"))
        self.assertEqual(data[3:5], [str(256 << 20)] * 2)

    def test_home_assistant_is_told_of_pipelines_and_their_sources(self):
        numbers = "[source]\nkind = tensor\n[model]\nname = digits\n[post]\nkind = numbers\nnames = zero, one\nunit = %\n"
        _, device = self.bridge(extra="discovery = yes", digit=DIGIT, word=WORD, num=numbers)
        topic, config = "edged/gw1/pipeline/digit", "homeassistant/device/edged_gw1/config"
        device.subscribe("homeassistant/#")
        device.publish("homeassistant/status", "online")
        cmps = device.wait_json(config, lambda c: "Pipeline-digit_enable" in c["cmps"])["cmps"]
        door, number = (f"Source-{name.replace('/', '-')}_{hashlib.sha256(name.encode()).hexdigest()[:16]}" for name in ("digit/front_door", "num/x"))
        self.assertNotIn(f"{door}_active", cmps)
        device.publish(f"{topic}/in/front_door", self.rig.sample("digit-7.png"))
        device.publish("edged/gw1/pipeline/num/in/x", bytes(784))
        cmps = device.wait_json(config, lambda c: {f"{door}_active", f"{number}_one"} <= set(c["cmps"]) and {"p"} not in map(set, c["cmps"].values()))["cmps"]
        active = cmps[f"{door}_active"]
        self.assertEqual((active["p"], active["stat_t"]), ("binary_sensor", f"{topic}/last/front_door"))
        self.assertIn("value_json.active", active["val_tpl"])
        self.assertEqual(cmps[f"{door}_snapshot"]["img_t"], f"{topic}/snapshot/front_door")
        self.assertEqual(cmps[f"{door}_snapshot"]["cont_type"], "image/png")
        self.assertEqual(cmps[f"{number}_one"]["unit_of_meas"], "%")
        self.assertIn("value_json['one']", cmps[f"{number}_one"]["val_tpl"])
        self.assertEqual(cmps["Pipeline-digit_threshold"]["cmd_t"], f"{topic}/set/threshold")
        ids = [one["uniq_id"] for one in cmps.values()]
        self.assertEqual(len(set(ids)), len(ids))
        for name, one in cmps.items():
            self.assertRegex(name, r"^[a-zA-Z0-9_-]+$")
            self.assertRegex(one["uniq_id"], r"^[a-zA-Z0-9_-]+$")
        # What the entities would show is what is there.
        self.assertEqual(json.loads(device.wait(active["stat_t"])[-1].payload)["active"], 1)
        self.assertGreaterEqual(json.loads(device.wait("edged/gw1/pipeline/num/result/x")[-1].payload)["one"], 0)

    def bridge_to_two(self, text="", extra="", **pipelines):
        """The bridge, and a device at each of two brokers."""
        port = free_port()
        self.addCleanup(self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", f"second-{self.number}").end)
        other = Device(port, "other")
        self.addCleanup(other.close)
        other.subscribe("edged/gw1/#")
        bridge, device = self.bridge(text, extra, others={"broker b": f"address = mqtt://127.0.0.1:{port}"}, **pipelines)
        for name in pipelines:
            self.wait_live(other, f"edged/gw1/pipeline/{name}/state", lambda s: s["state"] == "ready")
        return bridge, device, other

    def test_sources_of_one_name_at_two_brokers_are_two(self):
        _, a, b = self.bridge_to_two("queue-length = 4096", digit=DIGIT, shake=SHAKE)
        topic = "edged/gw1/pipeline/digit"
        # Pictures go to nobody else, also when somebody else speaks last.
        for _ in range(3):
            a.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
            b.publish(f"{topic}/in/cam", b"no picture")
        b.wait(f"{topic}/error/cam", 3)
        for leaf in ("result", "last", "snapshot"):
            a.wait(f"{topic}/{leaf}/cam")
        self.assertEqual(a.of(f"{topic}/error/cam"), [])
        # A decision is its broker's own: what has begun at one begins at the other.
        for _ in range(3):
            b.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
        begun = b.wait_json(f"{topic}/result/cam", lambda r: r["event"] == "begin")
        self.assertEqual(begun["event_label"], "7")
        self.assertEqual([json.loads(m.payload)["event"] for m in a.of(f"{topic}/result/cam")], ["begin"])
        # So are the windows of a stream.
        rows = {}
        for name in ("normal", "fault"):
            rows[name] = [line for line in self.rig.sample(f"vibration-{name}.csv").decode().split() if re.match(r"^[-0-9.]", line)]
        shake = "edged/gw1/pipeline/shake"
        for device, name, first, last in ((a, "normal", 0, 100), (b, "fault", 0, 100), (a, "normal", 100, 128), (b, "fault", 100, 128)):
            device.publish(f"{shake}/in/pump", "\n".join(rows[name][first:last]))
            a.wait_json("edged/gw1/stats", lambda s, at=(first, name): s["pipeline_inputs"] == 6 + {(0, "normal"): 1, (0, "fault"): 2, (100, "normal"): 3}.get(at, 4))
        for device, anomaly in ((a, 0), (b, 1)):
            results = [json.loads(m.payload) for m in device.wait(f"{shake}/result/pump")]
            self.assertEqual([(r["anomaly"], r["to_row"]) for r in results], [(anomaly, 128)])
        # One that makes room for others leaves the other broker's alone: 64 are remembered, of all brokers together.
        b.wait(f"{topic}/last/cam")
        for number in range(63):
            a.publish(f"{topic}/in/cam{number}", self.rig.sample("digit-7.png"))
            a.wait(f"{topic}/last/cam{number}")
        for leaf in ("last", "snapshot"):
            wait_for(lambda leaf=leaf: a.of(f"{topic}/{leaf}/cam")[-1].payload == b"", f"an empty {leaf}")
            self.assertNotIn(b"", [m.payload for m in b.of(f"{topic}/{leaf}/cam")])
        self.assertEqual([t for t in b.messages if re.search("/(result|last|snapshot)/cam[0-9]", t)], [])

    def test_the_latest_of_one_broker_takes_no_place_of_another_ones(self):
        _, a, b = self.bridge_to_two("in-flight = 1", digit=EACH_DIGIT.replace("kind = picture", "kind = picture\nlatest-only = yes"))
        topic = "edged/gw1/pipeline/digit"
        self.edged.child.send_signal(signal.SIGSTOP)
        self.addCleanup(self.edged.child.send_signal, signal.SIGCONT)
        a.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
        a.wait_json("edged/gw1/stats", lambda s: s["pipeline_questions"] == 1)
        for number, device in enumerate((a, b)):  # they wait; the first is edged's
            device.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
            a.wait_json("edged/gw1/stats", lambda s, n=number: s["queue_length"] == n + 1)
        b.publish(f"{topic}/in/cam", white_png())
        a.wait_json("edged/gw1/stats", lambda s: s["pipeline_inputs_sampled"] == 1)
        self.edged.child.send_signal(signal.SIGCONT)
        self.assertEqual([json.loads(m.payload)["label"] for m in a.wait(f"{topic}/result/cam", 2)], ["7", "7"])
        self.assertNotEqual(json.loads(b.wait(f"{topic}/result/cam")[0].payload)["label"], "7")
        a.wait_json("edged/gw1/stats", lambda s: s["queue_length"] == 0 and s["pipeline_results"] == 3)

    def test_each_broker_is_told_whether_its_pool_has_this_gateway(self):
        _, a, b = self.bridge_to_two(extra="pool = yes", digit=EACH_DIGIT)
        a.wait_json("edged/gw1/capability", lambda c: c["pool"] == 1 and c["pipelines"] == "digit")
        b.wait_json("edged/gw1/capability", lambda c: c["pipelines"] == "digit")
        self.assertEqual({json.loads(m.payload)["pool"] for m in b.of("edged/gw1/capability")}, {0})

    def test_home_assistant_has_no_two_components_of_one_id(self):
        topic, config = "edged/gw1/pipeline", "homeassistant/device/edged_gw1/config"
        self.rig.put_model("digits", "digit-cam")
        self.rig.put_model("digits", "pipeline-digit")
        self.edged.child.send_signal(signal.SIGHUP)
        def take_back():
            for name in ("digit-cam", "pipeline-digit"):
                os.unlink(self.rig.path("models", name + ".tflite"))
            self.edged.child.send_signal(signal.SIGHUP)
        self.addCleanup(take_back)
        _, a, b = self.bridge_to_two(extra="discovery = yes", **{"a": EACH_DIGIT, "a-b": EACH_DIGIT, "digit": EACH_DIGIT})
        a.subscribe("homeassistant/#")
        inputs = [(a, "a", "b-c"), (a, "a-b", "c"), (a, "digit", "cam"), (a, "digit", "x" * 60 + "1"), (a, "digit", "x" * 60 + "2"),
                  (a, "digit", "both"), (b, "digit", "both")]
        for device, pipeline, source in inputs:
            device.publish(f"{topic}/{pipeline}/in/{source}", self.rig.sample("digit-7.png"))
            device.wait(f"{topic}/{pipeline}/result/{source}")
        wanted = {f"{topic}/{pipeline}/result/{source}" for _, pipeline, source in inputs}
        wanted |= {f"edged/gw1/{name}/result" for name in ("digit-cam", "pipeline-digit")}

        def components(message):
            pairs = json.loads(message.payload, object_pairs_hook=lambda pairs: pairs)
            return [(name, dict(one)) for name, one in dict(pairs)["cmps"]]
        wait_for(lambda: a.of(config) and wanted <= {one.get("stat_t") for _, one in components(a.of(config)[-1])}, "all of them")
        found = components(a.of(config)[-1])
        for ids in ([name for name, _ in found], [one["uniq_id"] for _, one in found]):
            self.assertEqual(len(set(ids)), len(ids), sorted(ids))
            for one in ids:
                self.assertRegex(one, r"^[a-zA-Z0-9_-]+$")
        self.assertIn("digit-cam_label", [name for name, _ in found])
        for name, one in found:
            self.assertTrue(one["uniq_id"].endswith(name))
        self.assertEqual(len([one for _, one in found if one.get("stat_t") == f"{topic}/digit/result/both"]), 3)  # label, score, count

    def test_what_comes_before_edged_has_told_its_models_waits(self):
        """As what a broker has kept for it does at its start."""
        topic = "edged/gw1/pipeline/digit"
        for turn in range(10):
            self.edged.child.send_signal(signal.SIGSTOP)
            try:
                bridge, device = self.start_early()
                self.wait_live(device, f"{topic}/state", lambda s: s["state"] != "ready")
                device.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
                device.wait(f"{topic}/in/cam")
            finally:
                self.edged.child.send_signal(signal.SIGCONT)
            wait_for(lambda d=device: d.of(f"{topic}/result/cam") or d.of(f"{topic}/error/cam"), "a word")
            # Else this machine took so long that edged counted as away.
            if not any(json.loads(m.payload)["state"] == "waiting" for m in device.of(f"{topic}/state") if not m.retain and m.payload):
                break
            bridge.end()
        self.assertLess(turn, 9, "each time edged counted as away")
        self.assertEqual([m.payload for m in device.of(f"{topic}/error/cam")], [])
        self.assertEqual(json.loads(device.of(f"{topic}/result/cam")[0].payload)["label"], "7")

    def start_early(self):
        """A bridge that has its broker, and edged not yet."""
        self.put("digit", EACH_DIGIT)
        type(self).lives += 1
        device = self.device(f"early{self.lives}")
        device.subscribe("edged/gw1/#")
        bridge = self.rig.start_bridge(f"pipelines = {self.folder}", {"broker a": f"address = mqtt://127.0.0.1:{self.port}"}, wait=False)
        self.addCleanup(bridge.end)
        return bridge, device

    def test_files_are_read_again_and_no_connection_is_lost(self):
        bridge, device = self.bridge(digit=EACH_DIGIT, bad="[model]\nname = digits\n", wait=None)
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/digit/result/cam")
        self.put("word", WORD)
        self.put("digit", EACH_DIGIT + "[post\nnonsense")
        os.unlink(os.path.join(self.folder, "bad.conf"))
        bridge.child.send_signal(signal.SIGHUP)
        device.wait_json("edged/gw1/pipeline/word/state", lambda s: s["state"] == "ready")
        self.assertRegex(bridge.text(), r"digit\.conf:\d+: ")
        wait_for(lambda: device.of("edged/gw1/pipeline/bad/state")[-1].payload == b"", "an empty state")
        # The broken file is served as it was.
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/digit/result/cam", 2)
        self.assertEqual(bridge.text().count("connected, MQTT"), 1)

    def test_files_with_mistakes_are_named_with_their_line_and_the_others_work(self):
        self.put("wrong", "[source]\nkind = smell\n")
        fifo = os.path.join(self.folder, "fifo.conf")
        os.mkfifo(fifo)
        self.addCleanup(os.unlink, fifo)
        writer = os.open(fifo, os.O_RDWR)  # who writes nothing, and nobody waits for that
        self.addCleanup(os.close, writer)
        self.put("labels", f"[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = classes\nlabels = {fifo}\n")
        bridge, device = self.bridge(digit=EACH_DIGIT)
        self.assertIn("wrong.conf:2: ", bridge.text())
        self.assertIn("fifo.conf: not a regular file", bridge.text())
        self.assertIn("labels: not a regular file", bridge.text())
        device.publish("edged/gw1/pipeline/digit/in/cam", self.rig.sample("digit-7.png"))
        device.wait("edged/gw1/pipeline/digit/result/cam")
        device.publish("edged/gw1/pipeline/wrong/in/cam", b"x", ResponseTopic="edged/reply/none")
        check = subprocess.run([EDGED_MQTT, "--check-config", "--config", self.rig.path("edged-mqtt.conf")], capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 1)
        self.assertIn("wrong.conf:2: ", check.stderr)

    def recipes(self):
        with open(os.path.join(ROOT, "docs", "mqtt.md"), encoding="utf-8") as page:
            text = page.read().split("## Recipes")[1].split("\n## ")[0]
        return {kind: re.findall(rf"```{kind}\n(.*?)```", text, re.S) for kind in ("ini", "json", "toml")}

    def test_the_recipes_of_the_manual_do_what_they_say(self):
        recipes = self.recipes()
        routes = dict(re.match(r"\[(route \w+)\]\n(.*)", one, re.S).groups() for one in recipes["ini"])
        with open(os.path.join(ROOT, "conf", "pipelines.d", "vibration.conf"), encoding="utf-8") as file:
            vibration = file.read()
        _, device = self.bridge("health = yes", others=routes, door=EACH_DIGIT, vibration=vibration)
        # A camera as Frigate has them.
        device.publish("frigate/garden/person/snapshot", self.rig.sample("digit-7.png"), 0)
        device.wait("edged/gw1/pipeline/door/result/garden")
        # A sensor of Zigbee2MQTT that begins to shake.
        rows = [line.split(",") for line in self.rig.sample("vibration-fault.csv").decode().split() if re.match(r"^[-0-9.]", line)]
        for x, y, z in rows * 3:
            device.publish("zigbee2mqtt/pump4", json.dumps({"linkquality": 80, "x_axis": float(x), "y_axis": float(y), "z_axis": float(z)}), 0)
        result = device.wait_json("edged/gw1/pipeline/vibration/result/pump4", lambda r: r["event"] == "begin")
        self.assertEqual((result["event_label"], result["anomaly"]), ("anomaly", 1))
        # Node-RED's flow, done by hand.
        nodes = {node["id"]: node for node in json.loads(recipes["json"][0])}
        rules = {rule["p"]: rule["to"] for rule in nodes["e3"]["rules"]}
        self.assertEqual(rules["responseTopic"], nodes["e5"]["topic"])
        device.subscribe(nodes["e5"]["topic"])
        device.publish(nodes["e1"]["topic"], self.rig.sample(os.path.basename(nodes["e1"]["payload"])),
                       ResponseTopic=rules["responseTopic"], ContentType=rules["contentType"])
        self.assertEqual(json.loads(device.wait(nodes["e5"]["topic"])[0].payload)["label"], "7")
        # Telegraf's lines of topics have as many levels as the topics, and its time is there.
        toml = recipes["toml"][0]
        for line, measurement, tags in re.findall(r'topic = "([^"]+)"\s+measurement = "([^"]+)"\s+tags = "([^"]+)"', toml):
            self.assertEqual({one.count("/") for one in (measurement, tags)}, {line.count("/")})
        self.assertIn('json_time_key = "ts_ms"', toml)
        self.assertGreater(result["ts_ms"], 1600000000000)

    def test_a_model_with_state_has_a_session_for_each_microphone(self):
        micro = os.path.join(SHARED, "models", "micro")
        if not os.path.isdir(micro):
            self.skipTest("../shared is not here")
        for name in ("audio_preprocessor_int8", "micro_speech_quantized"):
            shutil.copy(os.path.join(micro, name + ".tflite"), self.rig.path("models", name + ".tflite"))
        self.edged.child.send_signal(signal.SIGHUP)
        with open(os.path.join(ROOT, "docs", "pipelines.md"), encoding="utf-8") as page:
            recipe = next(block for block in re.findall(r"```\n(.*?)```", page.read(), re.S) if "micro_speech_quantized" in block)
        labels = self.rig.write("labels.txt", "silence\nunknown\nyes\nno\n")
        _, device = self.bridge(speech=recipe.replace("kind = classes", f"kind = classes\nlabels = {labels}"))
        device.wait_json("edged/gw1/micro_speech_quantized/state", lambda s: "input_bytes" in s)
        device.wait_json("edged/gw1/audio_preprocessor_int8/state", lambda s: "input_bytes" in s)
        with wave.open(os.path.join(ROOT, "packaging", "models", "samples", "yes.wav")) as file:
            yes = file.readframes(file.getnframes())
        for at in range(0, 3 * 32000, 3200):
            for name in ("a", "b"):
                stream = bytes(32000) + yes + bytes(32000)
                device.publish(f"edged/gw1/pipeline/speech/in/{name}", stream[at:at + 3200], ContentType="audio/l16")
        for name in ("a", "b"):
            self.assertEqual(json.loads(device.wait(f"edged/gw1/pipeline/speech/result/{name}")[0].payload)["event_label"], "yes")


if __name__ == "__main__":
    run_tests()
