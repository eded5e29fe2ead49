#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each allocation of edged-mqtt's process of pipelines fails once: what it was at is told as an error or done again, and what comes next is done.

EDGED_MQTT is the program with tests/fakes/fault.c in it.
"""
import ctypes
import json
import os
import shutil
import signal
import unittest

from mqtt_rig import EDGED, EDGED_MQTT, ROOT, Device, Rig, free_port, need_mosquitto, run_tests, wait_for

need_mosquitto()
LIBC = ctypes.CDLL(None, use_errno=True)
PICTURE = ("[source]\nkind = picture\n[model]\nname = digits\n[post]\nkind = classes\nsnapshot = yes\n"
           "[decision]\nthreshold = 0.6\npublish = all\n")
NUMBERS = "[source]\nkind = numbers\ncolumns = 3\n[model]\nname = vibration\n[post]\nkind = reconstruction\n"
SOUND = "[source]\nkind = sound\n[model]\nname = keyword\n[pre]\nwindow = 16000\nhop = 16000\n[post]\nkind = classes\n"
MOST_CALLS = 400  # more than a start, or one input, makes


class Memory(unittest.TestCase):
    def setUp(self):
        self.rig = Rig(EDGED, EDGED_MQTT, ROOT)
        self.addCleanup(self.rig.close)
        # Beside the program stands which call fails from a process' start on.
        self.rig.edged_mqtt = shutil.copy(EDGED_MQTT, self.rig.path("edged-mqtt"))
        # The process of the pipelines may write to no file, but to a pipe.
        self.rig.before_bridge = ["bash", "-c", 'exec "$0" "$@" 2> >(exec cat)']
        port, folder = free_port(), self.rig.path("pipelines")
        os.mkdir(folder)
        for name, text in (("digit", PICTURE), ("word", SOUND), ("shake", NUMBERS)):
            self.rig.write(os.path.join("pipelines", name + ".conf"), text)
        self.rig.start_edged()
        self.rig.start_broker(f"listener {port} 127.0.0.1\nallow_anonymous true")
        self.bridge = self.rig.start_bridge(f"pipelines = {folder}", {"broker a": f"address = mqtt://127.0.0.1:{port}"})
        self.addCleanup(self.bridge.end)
        self.device = Device(port, "memory")
        self.addCleanup(self.device.close)
        self.device.subscribe("edged/gw1/pipeline/#")
        self.number = 0

    def child(self):
        with open(f"/proc/{self.bridge.child.pid}/task/{self.bridge.child.pid}/children", encoding="ascii") as file:
            pids = map(int, file.read().split())
        return next((pid for pid in pids if b"--worker" in self.words(pid)), None)

    @staticmethod
    def words(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                return line.read().split(b"\0")
        except OSError:
            return []  # it has just ended

    def arm(self, nth):
        """The @nth call of the child from now on fails; true when the one before has."""
        before = self.bridge.text().count("fault: ")
        pid = wait_for(self.child, "the process of the pipelines")
        LIBC.sigqueue(pid, signal.SIGUSR2, ctypes.c_void_p(nth))
        wait_for(lambda: self.bridge.text().count("fault: ") > before or self.child() != pid, "its word")
        return pid, self.bridge.text()[-20:].endswith("fault: fired\n")

    def push(self, name, data, kind):
        """A new source each time: what it says is this input's. Its result or error."""
        self.number += 1
        source = f"s{self.number}"
        self.device.publish(f"edged/gw1/pipeline/{name}/in/{source}", data, ContentType=kind)
        topics = [f"edged/gw1/pipeline/{name}/{leaf}/{source}" for leaf in ("result", "error")]
        wait_for(lambda: any(self.device.of(topic) for topic in topics), f"a word about input {self.number} of {name}")
        messages = self.device.of(topics[0])
        return json.loads(messages[-1].payload) if messages else None

    def each_call_fails(self, name, data, kind, check):
        check(self.push(name, data, kind))
        refused = ends = 0
        for nth in range(1, MOST_CALLS):
            pid, _ = self.arm(nth)
            result = self.push(name, data, kind)
            alive = self.child() == pid
            ends += not alive
            refused += result is None
            if result:
                check(result)
            if alive and not self.arm(0)[1]:
                break
            check(self.push(name, data, kind))
        self.assertLess(nth, MOST_CALLS - 1)
        self.assertGreater(nth, 10)
        print(f"{name}: {nth - 1} calls failed, {refused} inputs refused, {ends} processes replaced")

    def test_each_allocation_of_a_picture_may_fail(self):
        self.each_call_fails("digit", self.rig.sample("digit-7.png"), "image/png", lambda result: self.assertEqual(result["label"], "7"))

    def test_each_allocation_of_a_sound_may_fail(self):
        self.each_call_fails("word", self.rig.sample("yes.wav"), "audio/wav", lambda result: self.assertEqual(result["label"], "yes"))

    def test_each_allocation_of_numbers_may_fail(self):
        self.each_call_fails("shake", self.rig.sample("vibration-fault.csv"), "text/csv", lambda result: self.assertEqual(result["anomaly"], 1))

    def test_each_allocation_of_a_start_may_fail(self):
        sample = self.rig.sample("digit-7.png")
        for nth in range(1, MOST_CALLS):
            pid = wait_for(self.child, "the process of the pipelines")
            self.rig.write("edged-mqtt.fault", str(nth))
            ends = self.bridge.text().count("it begins anew")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda pid=pid: self.child() not in (None, pid), "another one")
            self.push("shake", self.rig.sample("vibration-fault.csv"), "text/csv")  # of which it may be a call already
            if self.bridge.text().count("it begins anew") == ends + 1 and not self.arm(0)[1]:
                break
            for name, data, kind in (("digit", sample, "image/png"), ("word", self.rig.sample("yes.wav"), "audio/wav")):
                self.assertIsNotNone(self.push(name, data, kind), (nth, name))
        self.assertGreater(nth, 20)
        print(f"{nth - 1} calls of a start failed")


if __name__ == "__main__":
    run_tests()
