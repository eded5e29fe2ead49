#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What brokers keep of edged-mqtt: exactly what there is, whatever happened while there was no room, no broker, or no edged-mqtt."""
import json
import os
import signal

from mqtt_pipes_rig import EACH_DIGIT, WithPipelines
from mqtt_rig import need_mosquitto, run_tests, wait_for

need_mosquitto()
CONFIG = "homeassistant/device/edged_gw1/config"
TOPIC = "edged/gw1/pipeline"
SHORT = "outbox-messages = 16\nin-flight = 1"


class Retained(WithPipelines):
    def start(self, port, text="", extra="", **others):
        bridge = self.rig.start_bridge(f"pipelines = {self.folder}\nstats-interval = 0ms\n{text}", {
            "broker own": f"address = mqtt://127.0.0.1:{port}\n{extra}", **others})
        self.addCleanup(bridge.end)
        return bridge

    def remove_all(self, bridge, count=1):
        """Of pipelines, and waits until that was seen."""
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_log("configuration read again: 0 pipelines", count)

    def pipelines_kept(self, port):
        return [t for t in self.retained(port, "edged/gw1/#") if t.startswith(TOPIC)]

    def test_what_went_while_the_line_was_full_or_the_broker_away_is_emptied_all_the_same(self):
        port, device = self.own_broker(f"\npersistence true\npersistence_location {self.rig.folder}/\nautosave_interval 1\nautosave_on_changes true")
        names = [f"goes{i}" for i in range(10)]
        fill = lambda: [self.put(name, EACH_DIGIT) for name in names]  # noqa: E731
        wanted = {f"{TOPIC}/{name}/{rest}" for name in names for rest in ("state", "get/enable")}
        fill()
        bridge = self.start(port, extra=SHORT)
        device.subscribe(f"{TOPIC}/+/last/+")
        for turn in range(2):
            wait_for(lambda: wanted <= set(self.pipelines_kept(port)), "all of them")
            device.publish(f"{TOPIC}/goes0/last/old{turn}", b"x", retain=True).wait_for_publish(60)  # as if of an earlier life
            if turn == 0:
                self.own.child.send_signal(signal.SIGSTOP)
                self.remove_all(bridge)
                self.own.child.send_signal(signal.SIGCONT)
            else:
                self.own.end()
                self.remove_all(bridge, 2)
                self.own = self.rig.start_broker(self.own_text, "own-again")
            wait_for(lambda: not self.pipelines_kept(port), "their end")
            self.assertEqual([t for t in ("status", "info", "capability", "digits/state") if f"edged/gw1/{t}" not in self.retained(port, "edged/gw1/#")], [])
            fill()
            bridge.child.send_signal(signal.SIGHUP)

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


if __name__ == "__main__":
    run_tests()
