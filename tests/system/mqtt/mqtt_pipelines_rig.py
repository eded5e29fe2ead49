# SPDX-License-Identifier: Apache-2.0
"""Pipelines over a real mosquitto: what their tests share."""
import json
import os
import signal
import struct
import unittest
import zlib

from mqtt_rig import EDGED, EDGED_MQTT, ROOT, Device, Rig, free_port, wait_for

DIGIT = """[pipeline]
description = which digit it is
[source]
kind = picture
[model]
name = digits
[post]
kind = classes
snapshot = yes
top-k = 2
[decision]
threshold = 0.6
"""
EACH_DIGIT = "[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = classes\n"


def white_png(width=28, height=28):
    """A picture with nothing in it."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"\0" * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class WithPipelines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(EDGED, EDGED_MQTT, ROOT)
        cls.addClassCleanup(cls.rig.close)
        cls.port = free_port()
        cls.edged = cls.rig.start_edged()
        cls.broker = cls.rig.start_broker(f"listener {cls.port} 127.0.0.1\nallow_anonymous true")
        cls.number = cls.lives = 0

    def setUp(self):
        type(self).number += 1
        self.folder = self.rig.path(f"pipelines-{self.number}")
        os.mkdir(self.folder)

    def put(self, name, text):
        with open(os.path.join(self.folder, name + ".conf.new"), "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(file.name, os.path.join(self.folder, name + ".conf"))

    def bridge(self, text="", extra="", others=None, wait="ready", **pipelines):
        for name, recipe in pipelines.items():
            self.put(name, recipe)
        # What the broker has kept of the life before says nothing of this one: only what comes by itself counts.
        type(self).lives += 1
        device = self.device(f"main{self.lives}")
        device.subscribe("edged/gw1/#")
        bridge = self.rig.start_bridge(f"pipelines = {self.folder}\nstats-interval = 200ms\n{text}", {
            "broker a": f"address = mqtt://127.0.0.1:{self.port}\n{extra}", **(others or {})})
        self.addCleanup(bridge.end)
        for name in pipelines if wait else ():
            self.wait_live(device, f"edged/gw1/pipeline/{name}/state", lambda s: s["state"] == wait)
        for model in ("digits", "keyword", "vibration"):
            self.wait_live(device, f"edged/gw1/{model}/state", lambda s: "input_bytes" in s)
        return bridge, device

    @staticmethod
    def wait_live(device, topic, condition):
        wait_for(lambda: any(condition(json.loads(m.payload)) for m in device.of(topic) if m.payload and not m.retain), f"{topic} as it is to be")

    def device(self, name):
        device = Device(self.port, name)
        self.addCleanup(device.close)
        return device

    def own_broker(self, more=""):
        """Another broker, which keeps for a slow client whatever it is to have, and who sees what comes there."""
        port = free_port()
        self.own_text = f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0{more}"
        self.own = self.rig.start_broker(self.own_text, f"own-{self.number}")
        self.addCleanup(lambda: self.own.end())
        device = Device(port, "watches")
        self.addCleanup(device.close)
        return port, device

    def retained(self, port, what):
        """What that broker has of these topics now."""
        type(self).lives += 1
        device = Device(port, f"retained{self.lives}")
        device.subscribe(what)
        device.subscribe("edged/end")
        device.publish("edged/end", b"x")
        device.wait("edged/end")
        device.close()
        return {t: ms[0].payload for t, ms in device.messages.items() if ms[0].retain}

    def remembered(self, broker, topics):
        """A state folder in which an earlier life has remembered these retained topics."""
        type(self).lives += 1
        state = self.rig.path(f"remembers{self.lives}")
        os.mkdir(state)
        with open(os.path.join(state, "retained"), "w", encoding="utf-8") as file:
            file.writelines(f"+{broker} topic {topic}\n" for topic in topics)
        return state

    def add_model(self, name):
        self.rig.put_model("digits", name)
        self.edged.child.send_signal(signal.SIGHUP)

    def remove_model(self, name):
        os.unlink(self.rig.path("models", name + ".tflite"))
        self.edged.child.send_signal(signal.SIGHUP)

    @staticmethod
    def child(bridge):
        """The process in which the pipelines work and requests are decoded."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as stat, open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
                    parent, words = int(stat.read().rsplit(")", 1)[1].split()[1]), line.read().split("\0")
            except OSError:
                continue  # it has ended
            if parent == bridge.child.pid and "--worker" in words:
                return int(pid)
        return None

    @staticmethod
    def children(bridge):
        with open(f"/proc/{bridge.child.pid}/task/{bridge.child.pid}/children", encoding="ascii") as file:
            return list(map(int, file.read().split()))

    def check_flat(self, result):
        for key, value in result.items():
            self.assertNotIsInstance(value, (dict, list, bool), key)
        for key in ("ts_ms", "infer_ms", "seq"):
            self.assertIsInstance(result[key], (int, float))
        self.assertRegex(result["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(result["gw"], "gw1")
