#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What edged-mqtt tells Home Assistant of pipelines, what a life leaves behind at the broker, and what the next one makes of it."""
import json
import os
import shutil
import signal
import subprocess
import time

from mqtt_pipelines_rig import DIGIT, EACH_DIGIT, WithPipelines
from mqtt_rig import EDGED, Device, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
CONFIG = "homeassistant/device/edged_gw1/config"
TOPIC = "edged/gw1/pipeline"
EDGECTL = os.path.join(os.path.dirname(EDGED), "..", "client", "edgectl")


class Home(WithPipelines):
    def home(self, name="home", port=None):
        """Somebody who sees what is announced, from now on and before."""
        device = Device(port or self.port, name)
        self.addCleanup(device.close)
        device.subscribe("homeassistant/#")
        return device

    @staticmethod
    def components(message):
        return json.loads(message.payload)["cmps"] if message.payload else {}

    def topics(self, message):
        return {one[key] for one in self.components(message).values() for key in ("stat_t", "img_t") if key in one}

    def wait_config(self, home, condition, what):
        return wait_for(lambda: next((m for m in home.of(CONFIG) if condition(m)), None), what)

    def picture(self, device, pipeline, source):
        device.publish(f"{TOPIC}/{pipeline}/in/{source}", self.rig.sample("digit-7.png"))
        device.wait(f"{TOPIC}/{pipeline}/result/{source}")

    def kept(self, what="edged/gw1/#"):
        """What the broker has of these topics now."""
        type(self).lives += 1
        device = self.device(f"kept{self.lives}")
        device.subscribe(what)
        end = f"edged/end/{self.lives}"
        device.subscribe(end)
        device.publish(end, b"x")
        device.wait(end)  # what was retained came before
        return {t: ms[0].payload for t, ms in device.messages.items() if ms[0].retain}

    def test_many_new_sources_are_told_together(self):
        _, device = self.bridge("queue-length = 4096", extra="discovery = yes", a=EACH_DIGIT)
        home = self.home()
        self.wait_config(home, lambda m: "Pipeline-a_enable" in self.components(m), "the pipeline")
        began, before = time.monotonic(), len(home.of(CONFIG))
        for number in range(80):  # 16 of them are forgotten again
            self.picture(device, "a", f"cam{number}")
        wait_for(lambda: f"{TOPIC}/a/result/cam79" in self.topics(home.of(CONFIG)[-1]), "the last one")
        wait_for(lambda: {"p"} not in map(set, self.components(home.of(CONFIG)[-1]).values()), "an end")
        told, seconds = len(home.of(CONFIG)) - before, time.monotonic() - began
        self.assertLessEqual(told, 2 + seconds / 3)
        self.assertEqual(len([t for t in self.topics(home.of(CONFIG)[-1]) if "/result/cam" in t]), 64)

    def test_each_broker_hears_of_its_own_sources(self):
        port = free_port()
        self.addCleanup(self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true", f"second-{self.number}").end)
        _, a = self.bridge(extra="discovery = yes", others={"broker b": f"address = mqtt://127.0.0.1:{port}\ndiscovery = yes"}, own=EACH_DIGIT)
        b = Device(port, "other")
        self.addCleanup(b.close)
        b.subscribe("edged/gw1/#")
        homes = [self.home("home-a"), self.home("home-b", port)]
        for device, source in ((a, "here"), (a, "both"), (b, "there"), (b, "both")):
            self.picture(device, "own", source)
        for home, its in zip(homes, ("here", "there")):
            both = {f"{TOPIC}/own/result/{its}", f"{TOPIC}/own/result/both"}
            self.wait_config(home, lambda m, both=both: both <= self.topics(m), "its own sources")
            self.assertEqual({t for m in home.of(CONFIG) for t in self.topics(m) if f"{TOPIC}/own/result/" in t}, both)

    def test_numbers_without_names_are_shown_as_results_have_them(self):
        numbers = "[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = numbers\nnames = zero,one\n"
        _, device = self.bridge(extra="discovery = yes", n=numbers.replace("names = zero,one\n", ""), some=numbers)
        home = self.home()
        for name in ("n", "some"):
            self.picture(device, name, "x")
        wanted = {"n": [f"value_{i}" for i in range(10)], "some": ["zero", "one", *(f"value_{i}" for i in range(2, 10))]}
        for name, members in wanted.items():
            message = self.wait_config(home, lambda m, name=name: f"{TOPIC}/{name}/result/x" in self.topics(m), "its numbers")
            shown = [one["val_tpl"] for one in self.components(message).values() if one.get("stat_t") == f"{TOPIC}/{name}/result/x"]
            self.assertEqual(shown, [f"{{{{ value_json['{member}'] | default(0) }}}}" for member in members])
            result = json.loads(device.of(f"{TOPIC}/{name}/result/x")[0].payload)
            self.assertEqual([one for one in result if one in members], members)

    def test_what_went_between_two_lives_goes_and_what_stays_stays(self):
        self.rig.put_model("digits", "goes")
        self.edged.child.send_signal(signal.SIGHUP)
        state = self.remembered("a", [])
        bridge, device = self.bridge(f"state = {state}\ncommands = threshold enable pin", "discovery = yes", stays=EACH_DIGIT, leaves=EACH_DIGIT + "snapshot = yes\n", decides=DIGIT)
        device.wait_json("edged/gw1/goes/state", lambda s: "input_bytes" in s)
        home = self.home()
        for name in ("stays", "leaves", "decides"):
            self.picture(device, name, "cam")
        device.wait(f"{TOPIC}/leaves/snapshot/cam")
        wanted = {f"{TOPIC}/{name}/result/cam" for name in ("stays", "leaves")} | {f"{TOPIC}/decides/last/cam", "edged/gw1/goes/result"}
        self.wait_config(home, lambda m: wanted <= self.topics(m), "all of them")
        bridge.end()
        left = [t for t in self.kept() if "/leaves/" in t or "/goes/" in t]
        self.assertIn(f"{TOPIC}/leaves/snapshot/cam", left)
        self.assertIn("edged/gw1/goes/get/pin", left)
        before = self.components(home.of(CONFIG)[-1])
        count = len(home.of(CONFIG))
        os.unlink(os.path.join(self.folder, "leaves.conf"))
        os.unlink(self.rig.path("models", "goes.tflite"))
        self.edged.child.send_signal(signal.SIGHUP)
        wait_for(lambda: "goes" not in subprocess.run([EDGECTL, "list", "--socket", self.rig.socket], capture_output=True, text=True, check=True).stdout, "its end")
        self.bridge(f"state = {state}\ncommands = threshold enable", "discovery = yes")
        topics = lambda message: {t for t in self.topics(message) if "/goes/" in t or "/leaves/" in t}  # noqa: E731
        wait_for(lambda: len(home.of(CONFIG)) > count and not topics(home.of(CONFIG)[-1])
                 and {"p"} not in map(set, self.components(home.of(CONFIG)[-1]).values()), "what there is now")
        messages = [self.components(m) for m in home.of(CONFIG)[count:]]
        # What went was said with its platform alone, what stays never: Home Assistant would forget what was set for it.
        alone = {name for cmps in messages for name, one in cmps.items() if set(one) == {"p"}}
        self.assertTrue(alone)
        self.assertEqual(alone, set(before) - set(messages[-1]))
        self.assertEqual({name: before[name]["p"] for name in alone}, {name: one["p"] for m in messages for name, one in m.items() if name in alone})
        for cmps in messages:
            self.assertIn(f"{TOPIC}/stays/result/cam", {one.get("stat_t") for one in cmps.values()})
            self.assertIn(f"{TOPIC}/decides/last/cam", {one.get("stat_t") for one in cmps.values()})
        wait_for(lambda: not [t for t in self.kept() if "/leaves/" in t or "/goes/" in t or t.endswith("/get/pin")], "an empty broker")
        self.assertIn("edged/gw1/digits/state", self.kept())
        self.assertIn(f"{TOPIC}/stays/get/enable", self.kept())

    def test_thousands_of_topics_that_were_left_take_no_place_of_what_is_told_now(self):
        port, device = self.own_broker()
        state = self.remembered("own", [f"edged/gw1/left{i}/state" for i in range(2000)])
        for i in range(2000):
            left = device.publish(f"edged/gw1/left{i}/state", b"x" * 20, retain=True)
        left.wait_for_publish(60)
        device.subscribe("edged/gw1/stats")
        device.subscribe("edged/gw1/+/state")
        device.wait("edged/gw1/left1999/state")
        self.put("stays", EACH_DIGIT)
        bridge = self.rig.start_bridge(f"state = {state}\npipelines = {self.folder}\nstats-interval = 200ms", {"broker own": f"address = mqtt://127.0.0.1:{port}\ndiscovery = yes"})
        self.addCleanup(bridge.end)
        wait_for(lambda: any(len(device.of(f"edged/gw1/left{i}/state")) > 1 for i in range(2000)), "the first one to be emptied")
        self.addCleanup(self.remove_model, "late")
        self.add_model("late")  # just now
        device.wait_json("edged/gw1/late/state", lambda s: "input_bytes" in s)
        wait_for(lambda: not [t for t in self.retained(port, "edged/gw1/+/state") if "/left" in t], "their end", 120)
        topics = ["edged/gw1/digits/state", "edged/gw1/late/state", f"{TOPIC}/stays/state", CONFIG]
        kept = self.retained(port, "#")
        self.assertEqual([t for t in topics if not kept.get(t)], [])
        count = len(device.of("edged/gw1/stats"))
        self.assertEqual(json.loads(device.wait("edged/gw1/stats", count + 1)[-1].payload)["messages_dropped"], 0)
        device.subscribe("homeassistant/#")
        self.wait_config(device, lambda m: "edged/gw1/late/result" in self.topics(m), "Home Assistant's word")

    def test_all_is_told_though_the_line_is_short(self):
        port, device = self.own_broker()
        names = [f"many{i}" for i in range(8)]
        for name in names:
            self.addCleanup(self.remove_model, name)
            self.add_model(name)
            self.put(name, EACH_DIGIT.replace("name = digits", f"name = {name}"))
        subprocess.run([EDGECTL, "reload", "--socket", self.rig.socket], check=True, capture_output=True)
        bridge = self.rig.start_bridge(f"pipelines = {self.folder}\ncommands = threshold enable pin", {
            "broker own": f"address = mqtt://127.0.0.1:{port}\ndiscovery = yes\noutbox-messages = 16\nin-flight = 1"})
        self.addCleanup(bridge.end)
        wanted = {"edged/gw1/status", "edged/gw1/info", CONFIG} | {f"edged/gw1/{name}/{rest}" for name in names for rest in ("state", "get/enable", "get/pin")} | {
            f"{TOPIC}/{name}/{rest}" for name in names for rest in ("state", "get/enable")}
        wait_for(lambda: wanted <= set(self.retained(port, "#")), "all of it")
        ready = lambda kept: all(json.loads(kept[f"{base}/{name}/state"])["state"] == "ready" for base in ("edged/gw1", TOPIC) for name in names)  # noqa: E731
        wait_for(lambda: ready(self.retained(port, "#")), "the latest of it")
        device.subscribe("homeassistant/#")
        self.wait_config(device, lambda m: "edged/gw1/many7/result" in self.topics(m), "Home Assistant's word")

    def test_a_pipeline_without_its_model_waits_and_what_it_told_is_on_no_more(self):
        self.rig.put_model("digits", "lost")
        self.edged.child.send_signal(signal.SIGHUP)
        lost = DIGIT.replace("name = digits", "name = lost")
        _, device = self.bridge(extra="discovery = yes", lost=lost, digit=DIGIT)
        home, state = self.home(), f"{TOPIC}/lost/state"
        for name in ("lost", "digit"):
            self.picture(device, name, "cam")
            device.wait_json(f"{TOPIC}/{name}/last/cam", lambda r: r["active"] == 1)
        active = next(one for m in [self.wait_config(home, lambda m: f"{TOPIC}/lost/last/cam" in self.topics(m), "the source")]
                      for one in self.components(m).values() if one.get("stat_t") == f"{TOPIC}/lost/last/cam")
        self.assertEqual([one["t"] for one in active["avty"]], ["edged/gw1/status", state])
        self.assertIn("'waiting'", active["avty"][1]["val_tpl"])
        self.assertEqual(active["avty_mode"], "all")
        for begun in (2, 3):  # what is there is told as new, once the model is there again
            count = len(device.of(state))
            os.unlink(self.rig.path("models", "lost.tflite"))
            self.edged.child.send_signal(signal.SIGHUP)
            wait_for(lambda: json.loads(device.of(state)[-1].payload)["state"] == "waiting", "its word")
            self.assertEqual(json.loads(device.of(state)[-1].payload)["reason"], "there is no model lost")
            wait_for(lambda: json.loads(device.of(f"{TOPIC}/lost/last/cam")[-1].payload) == {"active": 0}, "its end")
            self.rig.put_model("digits", "lost")
            self.edged.child.send_signal(signal.SIGHUP)
            wait_for(lambda: json.loads(device.of(state)[-1].payload)["state"] == "ready", "its word")
            self.assertNotIn("reason", json.loads(device.of(state)[-1].payload))
            self.assertGreater(len(device.of(state)), count + 1)
            self.picture(device, "lost", "cam")
            self.assertEqual([json.loads(m.payload)["event"] for m in device.wait(f"{TOPIC}/lost/result/cam", begun)], ["begin"] * begun)
        self.assertEqual(len(device.of(f"{TOPIC}/digit/last/cam")), 1)  # the other one's stays as it was
        os.unlink(self.rig.path("models", "lost.tflite"))
        self.edged.child.send_signal(signal.SIGHUP)

    def test_pipelines_wait_while_edged_is_away_and_go_on_when_it_is_back(self):
        _, device = self.bridge(extra="discovery = yes", digit=DIGIT)
        topic, home = f"{TOPIC}/digit", self.home()
        state = lambda: json.loads(device.of(f"{topic}/state")[-1].payload)  # noqa: E731
        self.picture(device, "digit", "cam")
        active = next(one for m in [self.wait_config(home, lambda m: f"{topic}/last/cam" in self.topics(m), "the source")]
                      for one in self.components(m).values() if one.get("stat_t") == f"{topic}/last/cam")
        self.assertIn((f"{topic}/state", True), [(one["t"], "'waiting'" in one["val_tpl"]) for one in active["avty"]])
        # A restart is no reason to say anything.
        for longer, begun in ((False, 1), (True, 2)):
            device.wait_json(f"{topic}/last/cam", lambda r: r["active"] == 1)
            count = len(device.of("edged/gw1/info"))
            self.edged.end()
            wait_for(lambda count=count: any(json.loads(m.payload)["edged"] == "" for m in device.of("edged/gw1/info")[count:]), "its end")
            if longer:
                wait_for(lambda: state()["state"] == "waiting", "its word")
                self.assertEqual(state()["reason"], "edged is away")
                wait_for(lambda: json.loads(device.of(f"{topic}/last/cam")[-1].payload) == {"active": 0}, "its end")
                wait_for(lambda: json.loads(device.of("edged/gw1/digits/state")[-1].payload)["state"] == "away", "the model's word")
                device.wait_json("edged/gw1/capability", lambda c: (c["models"], c["models_ready"], c["pipelines"]) == ("", 0, ""))
            type(self).edged = self.rig.start_edged("edged-again")
            wait_for(lambda count=count: json.loads(device.of("edged/gw1/info")[-1].payload)["edged"] != "", "its beginning")
            wait_for(lambda: json.loads(device.of("edged/gw1/digits/state")[-1].payload)["state"] == "ready", "the model's word")
            wait_for(lambda: state()["state"] == "ready", "its word")
            self.assertNotIn("reason", state())
            device.publish(f"{topic}/in/cam", self.rig.sample("digit-7.png"))
            count = len(device.of("edged/gw1/stats"))
            device.wait("edged/gw1/stats", count + 2)
            self.assertEqual([json.loads(m.payload)["event"] for m in device.wait(f"{topic}/result/cam", begun)], ["begin"] * begun)
            self.assertEqual(json.loads(device.of(f"{topic}/last/cam")[-1].payload)["active"], 1)

    def test_another_edged_is_asked_anew_what_its_models_are_like(self):
        _, device = self.bridge(digit=EACH_DIGIT)
        self.picture(device, "digit", "cam")

        def renew(model):
            self.edged.end()
            self.rig.put_model(model, "digits")
            shutil.rmtree(self.rig.path("state"))
            os.mkdir(self.rig.path("state"))
            type(self).edged = self.rig.start_edged("another-edged")
        self.addCleanup(renew, "digits")
        like = lambda: json.loads(device.of("edged/gw1/digits/state")[-1].payload)["input_bytes"]  # noqa: E731
        self.assertEqual(like(), 784)
        renew("vibration")
        wait_for(lambda: like() == 384, "what it is like")

    def test_a_pipeline_whose_examples_are_lost_waits(self):
        seven = self.rig.path("seven.png")
        with open(seven, "wb") as file:
            file.write(self.rig.sample("digit-7.png"))
        faces = EACH_DIGIT.replace("kind = classes", "kind = embedding")
        bridge, device = self.bridge(faces=faces, never=faces.replace("name = digits", "name = none"), wait=None)
        device.wait_json(f"{TOPIC}/never/state", lambda s: (s["state"], s.get("reason")) == ("waiting", "there is no model none"))
        device.wait_json(f"{TOPIC}/faces/state", lambda s: s["state"] == "ready")

        def teach():
            subprocess.run([EDGECTL, "teach", "--socket", self.rig.socket, "--pipelines", self.folder, "faces", "seven", seven], check=True, capture_output=True)
        bridge.child.send_signal(signal.SIGSTOP)  # until they are lost: it may not read them before
        teach()
        blobs = self.rig.path("state", "blobs")
        for name in os.listdir(blobs):
            path = os.path.join(blobs, name)
            with open(path, "rb") as file:
                taught = file.read(6) == b"seven\t"
            if taught:
                os.chmod(path, 0o644)
                os.truncate(path, 20)
        bridge.child.send_signal(signal.SIGCONT)
        bridge.child.send_signal(signal.SIGHUP)
        waits = device.wait_json(f"{TOPIC}/faces/state", lambda s: s["state"] == "waiting")
        self.assertIn("the examples of model digits: ", waits["reason"])
        subprocess.run([EDGECTL, "fsck", "--socket", self.rig.socket, "--repair"], check=False, capture_output=True)
        wait_for(lambda: json.loads(device.of(f"{TOPIC}/faces/state")[-1].payload)["state"] == "ready", "its word")

    def test_no_discovery_takes_back_what_was_told(self):
        bridge, _ = self.bridge(extra="discovery = yes", a=EACH_DIGIT)
        home = self.home()
        home.wait(CONFIG)
        conf = self.rig.path("edged-mqtt.conf")
        with open(conf, encoding="utf-8") as file:
            text = file.read()
        for word, wanted in (("no", False), ("yes", True)):
            self.rig.write("edged-mqtt.conf", text.replace("discovery = yes", f"discovery = {word}"))
            bridge.child.send_signal(signal.SIGHUP)
            wait_for(lambda wanted=wanted: bool(home.of(CONFIG)[-1].payload) == wanted, "the other word")


if __name__ == "__main__":
    run_tests()
