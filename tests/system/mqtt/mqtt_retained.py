#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What brokers keep of edged-mqtt: exactly what there is, whatever happened while there was no room, no broker, or no edged-mqtt."""
import json
import os
import random
import signal
import struct
import sys
import time

from mqtt_pipelines_rig import DIGIT, EACH_DIGIT, WithPipelines
from mqtt_rig import BOUND, LONG, Device, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
CONFIG = "homeassistant/device/edged_gw1/config"
TOPIC = "edged/gw1/pipeline"
KILLS = 50 if LONG else 6
SHORT = "outbox-messages = 16\nin-flight = 1"


class OwnBroker(WithPipelines):
    def start(self, port, text="", extra="", env=None, wait=True, name="edged-mqtt", stats="0ms", **others):
        bridge = self.rig.start_bridge(f"pipelines = {self.folder}\nstats-interval = {stats}\n{text}", {
            "broker own": f"address = mqtt://127.0.0.1:{port}\n{extra}", **others}, env=env, wait=wait, name=name)
        self.addCleanup(bridge.end)
        return bridge


class Retained(OwnBroker):
    def remove_all(self, bridge, count=1):
        """Of pipelines, and waits until that was seen."""
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("configuration read again: 0 pipelines", count)

    def pipelines_kept(self, port):
        return [t for t in self.retained(port, "edged/gw1/#") if t.startswith(TOPIC)]

    def test_what_went_while_the_line_was_full_or_the_broker_away_is_emptied_all_the_same(self):
        port, _ = self.own_broker(f"\npersistence true\npersistence_location {self.rig.folder}/\nautosave_interval 1\nautosave_on_changes true")
        names = [f"goes{i}" for i in range(10)]
        fill = lambda: [self.put(name, EACH_DIGIT) for name in names]  # noqa: E731
        wanted = {f"{TOPIC}/{name}/{rest}" for name in names for rest in ("state", "get/enable")}
        fill()
        bridge = self.start(port, extra=SHORT)
        for turn in range(2):
            wait_for(lambda: wanted <= set(self.pipelines_kept(port)), "all of them")
            if turn == 0:
                self.own.child.send_signal(signal.SIGSTOP)
                self.remove_all(bridge)
                self.own.child.send_signal(signal.SIGCONT)
            else:
                self.own.end()
                self.remove_all(bridge, 2)
                self.own = self.rig.start_broker(self.own_text, "own-again")
            wait_for(lambda: not self.pipelines_kept(port), "their end")
            own = {f"edged/gw1/{t}" for t in ("status", "info", "capability", "digits/state")}
            wait_for(lambda own=own: own <= set(self.retained(port, "edged/gw1/#")), "what the gateway says of itself")
            fill()
            bridge.child.send_signal(signal.SIGHUP)

    def test_last_words_that_found_no_room_are_told_later(self):
        port, device = self.own_broker()
        names = [f"d{i}" for i in range(24)]  # more than the line has places
        for name in names:
            self.put(name, DIGIT)
        bridge = self.start(port, extra=SHORT)
        device.subscribe(f"{TOPIC}/+/last/+")
        for name in names:
            wait_for(lambda name=name: f"{TOPIC}/{name}/state" in self.retained(port, f"{TOPIC}/+/state"), "the pipeline")
            device.publish(f"{TOPIC}/{name}/in/cam", self.rig.sample("digit-7.png"))
            device.wait_json(f"{TOPIC}/{name}/last/cam", lambda r: r["active"] == 1)
        pid = self.child(bridge)
        self.own.child.send_signal(signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)  # so that nothing is on any more
        wait_for(lambda: self.child(bridge) not in (None, pid), "another process")
        self.own.child.send_signal(signal.SIGCONT)
        ends = {f"{TOPIC}/{name}/last/cam": b'{"active":0}' for name in names}
        wait_for(lambda: self.retained(port, f"{TOPIC}/+/last/+") == ends, "their ends")

    def test_what_cannot_be_set_any_more_is_emptied_and_told_when_it_can_again(self):
        port, _ = self.own_broker()
        self.put("decides", EACH_DIGIT + "[decision]\nthreshold = 0.6\n")
        bridge = self.start(port, "commands = threshold enable")
        every = {"edged/gw1/digits/get/enable", f"{TOPIC}/decides/get/enable", f"{TOPIC}/decides/get/threshold"}
        gets = lambda: {t for t in self.retained(port, "edged/gw1/#") if "/get/" in t and ("digits" in t or "decides" in t)}  # noqa: E731
        wait_for(lambda: every == gets(), "all of them")
        with open(self.rig.path("edged-mqtt.conf"), encoding="utf-8") as file:
            text = file.read()
        for commands, wanted in (("enable", {t for t in every if t.endswith("enable")}), ("threshold enable", every)):
            self.rig.write("edged-mqtt.conf", text.replace("commands = threshold enable", f"commands = {commands}"))
            bridge.child.send_signal(signal.SIGHUP)
            wait_for(lambda wanted=wanted: wanted == gets(), f"those of {commands}")

    def test_what_a_life_of_another_name_has_left_is_emptied(self):
        port, _ = self.own_broker()
        state = self.remembered("own", [])
        old = self.rig.start_bridge(f"state = {state}\nhealth = yes\npipelines = none", {
            "broker own": f"address = mqtt://127.0.0.1:{port}\ndiscovery = yes"}, gateway="old")
        self.addCleanup(old.end)
        left = {"edged/old/digits/state", "edged/old/status", "homeassistant/device/edged_old/config", "te/device/main/service/edged/status/health"}
        wait_for(lambda: left <= set(self.retained(port, "#")), "all of it")
        old.end(signal.SIGKILL)
        self.start(port, f"state = {state}")
        wait_for(lambda: not [t for t in self.retained(port, "#") if "gw1" not in t], "their end")
        self.assertIn("edged/gw1/digits/state", self.retained(port, "#"))

    def test_what_home_assistant_is_to_take_back_arrives_though_the_line_is_full(self):
        port, device = self.own_broker()
        names = [f"fills{i}" for i in range(16)]
        self.put("stays", EACH_DIGIT)
        self.add_model("goes")
        bridge = self.start(port, "commands = threshold enable pin", "discovery = yes\n" + SHORT, **{
            "broker other": f"address = mqtt://127.0.0.1:{self.port}\ndiscovery = yes"})
        homes = {"own": device, "other": self.device("home")}
        cmps = lambda home: [json.loads(m.payload)["cmps"] if m.payload else {} for m in home.of(CONFIG)]  # noqa: E731
        alone = lambda home: {name for message in cmps(home) for name, one in message.items() if set(one) == {"p"}}  # noqa: E731
        for home in homes.values():
            home.subscribe("homeassistant/#")
            wait_for(lambda home=home: cmps(home) and {"goes_label", "Pipeline-stays_enable"} <= set(cmps(home)[-1]), "all of it")
        self.own.child.send_signal(signal.SIGSTOP)
        self.remove_model("goes")
        wait_for(lambda: "goes_label" in alone(homes["other"]), "its end")  # at the same moment it was told at the other one
        for name in names:
            self.put(name, EACH_DIGIT)
        bridge.child.send_signal(signal.SIGHUP)
        wait_for(lambda: f"Pipeline-{names[-1]}_enable" in cmps(homes["other"])[-1], "what there is now")
        self.own.child.send_signal(signal.SIGCONT)
        wait_for(lambda: f"Pipeline-{names[-1]}_enable" in cmps(device)[-1] and "goes_label" not in cmps(device)[-1], "what there is now")
        self.assertEqual(alone(device), alone(homes["other"]))
        # The device itself goes though there is no room at that moment.
        with open(self.rig.path("edged-mqtt.conf"), encoding="utf-8") as file:
            text = file.read()
        self.own.child.send_signal(signal.SIGSTOP)
        self.remove_all(bridge)  # for whose topics there is no room
        self.rig.write("edged-mqtt.conf", text.replace("discovery = yes\noutbox", "discovery = no\noutbox"))
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("configuration read again", 3)
        self.own.child.send_signal(signal.SIGCONT)
        wait_for(lambda: device.of(CONFIG)[-1].payload == b"", "its end")
        self.assertTrue(homes["other"].of(CONFIG)[-1].payload)

    def test_thousands_of_last_words_are_emptied_and_no_answer_gives_way_to_that(self):
        port, device = self.own_broker()
        asked = 200
        leaves = [f"{TOPIC}/stays/{leaf}/s{i}" for i in range(1500) for leaf in (("last", "snapshot") if i % 50 == 0 else ("last",))]
        state = self.remembered("own", leaves)
        device.subscribe("edged/reply/asks")
        device.subscribe("edged/gw1/stats")
        for topic in leaves:
            left = device.publish(topic, b"x", retain=True)
        left.wait_for_publish(60)
        self.put("stays", EACH_DIGIT)
        self.start(port, f"state = {state}\nqueue-length = 300\nmax-pause = 0ms\ndeadline = 10min", "in-flight = 4", stats="100ms")
        wait_for(lambda: not self.retained(port, leaves[0]), "the first ones to be emptied")
        for i in range(asked):
            device.publish("edged/gw1/digits/infer", bytes(784), ResponseTopic="edged/reply/asks", CorrelationData=b"%d" % i)
        wait_for(lambda: not self.retained(port, f"{TOPIC}/+/last/+"), "their end", 150)
        wait_for(lambda: not self.retained(port, f"{TOPIC}/+/snapshot/+"), "that of snapshots")
        answers = device.wait("edged/reply/asks", asked)
        self.assertEqual({int(m.properties.CorrelationData) for m in answers}, set(range(asked)))
        count = len(device.of("edged/gw1/stats"))
        self.assertEqual(json.loads(device.wait("edged/gw1/stats", count + 1)[-1].payload)["messages_dropped"], 0)


class Spooled:
    """What lies in the spool of one broker, as a process that was killed has left it."""

    def __init__(self, folder):
        self.folder = folder

    def results(self):
        """Those that were not delivered, as far as the disk knows, in order."""
        try:
            names = sorted(n for n in os.listdir(self.folder) if n.endswith(".spool"))
        except FileNotFoundError:
            return []
        done, found = 0, []
        if os.path.exists(os.path.join(self.folder, "done")):
            with open(os.path.join(self.folder, "done"), "rb") as file:
                done = struct.unpack("<Q", file.read(8))[0]
        for name in names:
            with open(os.path.join(self.folder, name), "rb") as file:
                data = file.read()
            while len(data) >= 18:
                size, _, number, of_topic = struct.unpack("<IIQH", data[:18])
                if len(data) < 18 + size:
                    break  # cut short
                if number >= done:
                    found.append(data[18 + of_topic:18 + size])
                data = data[18 + size:]
        return found


class Chaos(OwnBroker):
    """Everything ends at random moments, and what there is changes meanwhile."""
    KEYS = "spool = 4M\ndiscovery = yes\n" + SHORT

    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("EDGED_SEED", "0")) or random.randrange(1, 1 << 31)
        print("EDGED_SEED", seed, file=sys.stderr)
        self.rng = random.Random(seed)
        self.state, self.run_folder = self.rig.path("chaos"), self.rig.path("chaos-run")
        os.mkdir(self.state)
        os.mkdir(self.run_folder)
        self.spool = Spooled(os.path.join(self.state, "spool-own"))
        self.left, self.hangs, self.up = [], False, True

    def live(self, port):
        return self.start(port, f"state = {self.state}\ndeadline = 60s\nqueue-length = 1000", self.KEYS,
                          env={"RUNTIME_DIRECTORY": self.run_folder}, wait=False)

    def kill(self, bridge):
        bridge.end(signal.SIGKILL)
        self.left.append(self.spool.results())

    def broker_ends(self):
        self.broker_goes_on()
        if self.up:
            self.own.end()
        self.up = False

    def broker_begins(self):
        self.broker_goes_on()
        if not self.up:
            self.own = self.rig.start_broker(self.own_text, "own-again")
        self.up = True

    def broker_hangs(self):
        if self.up and not self.hangs:
            self.own.child.send_signal(signal.SIGSTOP)
            self.hangs = True

    def broker_goes_on(self):
        if self.hangs:
            self.own.child.send_signal(signal.SIGCONT)
            self.hangs = False

    def ask(self, device, n=20):
        for _ in range(n):
            device.publish("edged/gw1/digits/infer", bytes(784))

    @staticmethod
    def wait_capability(device, condition):
        """Told from now on."""
        count = len(device.of("edged/gw1/capability"))
        wait_for(lambda: [m for m in device.of("edged/gw1/capability")[count:] if not m.retain and condition(json.loads(m.payload))], "a capability")

    def ask_and_end(self, device, waits=False):
        """So that the answers find no broker."""
        self.broker_begins()
        device.up.wait(BOUND)
        if waits:
            self.wait_capability(device, lambda c: c["models_ready"] >= 3)
        self.edged.child.send_signal(signal.SIGSTOP)
        self.ask(device, 30)
        if waits:
            self.wait_capability(device, lambda c: c["queue_length"] >= 20)
        else:
            time.sleep(0.2)
        self.broker_ends()
        self.edged.child.send_signal(signal.SIGCONT)

    def change_pipelines(self, bridge):
        for number in range(6):
            path = os.path.join(self.folder, f"p{number}.conf")
            if self.rng.random() < 0.5:
                self.put(f"p{number}", self.rng.choice((EACH_DIGIT, DIGIT)))
            elif os.path.exists(path):
                os.unlink(path)
        # Not before it has begun: a SIGHUP would end it.
        if self.rng.random() < 0.7 and "answers" in bridge.text():
            bridge.child.send_signal(signal.SIGHUP)

    def change_models(self):
        for number in range(3):
            if self.rng.random() < 0.5:
                self.add_model(f"m{number}")
            elif os.path.exists(self.rig.path("models", f"m{number}.tflite")):
                self.remove_model(f"m{number}")

    def compared(self, port):
        """All that is retained but what changes by itself; of Home Assistant's the components."""
        kept = self.retained(port, "#")
        kept.pop("edged/gw1/capability", None)
        if kept.get(CONFIG):
            # Sources of earlier lives stay there, their last words do not.
            kept[CONFIG] = sorted(name for name in json.loads(kept[CONFIG])["cmps"] if "-cam" not in name)
        for topic in list(kept):
            if topic.endswith("/state"):
                kept[topic] = json.loads(kept[topic])
                kept[topic].pop("generation", None)
        return kept

    def test_brokers_keep_what_there_is_and_spooled_results_arrive_in_order_though_it_is_killed(self):
        port, _ = self.own_broker(f"\npersistence true\npersistence_location {self.rig.folder}/")
        reader = Device(port, "reader", 3, keep=True)
        self.addCleanup(reader.close)
        for topic in ("edged/gw1/digits/result", f"{TOPIC}/+/result/+"):
            reader.subscribe(topic)
        feeder = Device(port, "feeder")
        self.addCleanup(feeder.close)
        feeder.subscribe("edged/gw1/capability")
        self.put("stays", DIGIT)
        bridge = self.live(port)
        for turn in range(KILLS):
            for _ in range(self.rng.randrange(1, 6)):
                self.rng.choice((lambda: self.ask(feeder), lambda: self.ask_and_end(feeder), lambda b=bridge: self.change_pipelines(b), self.change_models,
                                 self.broker_begins, self.broker_begins, self.broker_ends, self.broker_hangs, self.broker_goes_on,
                                 lambda: feeder.publish(f"{TOPIC}/stays/in/cam{turn}", self.rig.sample("digit-7.png"))))()
                time.sleep(self.rng.uniform(0, 0.4))
            if turn % 10 == 2:
                self.ask_and_end(feeder, True)
                wait_for(self.spool.results, "the spool")
            self.kill(bridge)
            bridge = self.live(port)
        # Nothing is left to come from a camera when it is killed for the last time.
        self.broker_begins()
        feeder.up.wait(BOUND)
        self.wait_capability(feeder, lambda c: c["models_ready"] >= 3 and c["queue_length"] + c["in_flight"] == 0)
        self.kill(bridge)
        # What there is now, at a broker that has seen nothing of all that.
        fresh_port = free_port()
        self.addCleanup(self.rig.start_broker(f"listener {fresh_port} 127.0.0.1\nallow_anonymous true", "fresh-broker").end)
        fresh = Device(fresh_port, "fresh")
        self.addCleanup(fresh.close)
        for device in (feeder, fresh):
            device.subscribe(f"{TOPIC}/stays/state")
        self.live(port)
        self.start(fresh_port, extra="discovery = yes", name="fresh")
        for device in (feeder, fresh):
            self.wait_live(device, f"{TOPIC}/stays/state", lambda s: s["state"] == "ready")
            device.publish(f"{TOPIC}/stays/in/last", self.rig.sample("digit-7.png"))
        difference = {}

        def same():
            one, other = self.compared(port), self.compared(fresh_port)
            for kept in (one, other):
                for leaf in ("last", "snapshot"):  # whose results differ in time
                    kept[f"{TOPIC}/stays/{leaf}/last"] = f"{TOPIC}/stays/{leaf}/last" in kept
            difference.update(only=sorted(set(one) - set(other)), not_there=sorted(set(other) - set(one)),
                              differ=[(t, one[t], other[t]) for t in one if t in other and one[t] != other[t]])
            return one == other and all(one[f"{TOPIC}/stays/{leaf}/last"] for leaf in ("last", "snapshot"))
        try:
            wait_for(same, "the brokers to keep the same")
        except AssertionError as e:
            raise AssertionError(difference) from e
        wait_for(lambda: not self.spool.results() and not [n for n in os.listdir(self.spool.folder) if n.endswith(".spool")], "an empty spool")
        wanted = {result for results in self.left for result in results}
        there = lambda: [m.payload for m in list(reader.inbox.queue)]  # noqa: E731
        wait_for(lambda: wanted <= set(there()), "all that was spooled")
        came = there()
        first = {payload: at for at, payload in reversed(list(enumerate(came)))}
        for results in self.left:
            places = [first[result] for result in results]
            self.assertEqual(places, sorted(places))
        print({"kills": KILLS, "results": len(set(came)), "twice": len(came) - len(set(came)), "spooled_at_kills": len(wanted)}, file=sys.stderr)


if __name__ == "__main__":
    run_tests()
