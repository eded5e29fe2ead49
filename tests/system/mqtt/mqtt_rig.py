# SPDX-License-Identifier: Apache-2.0
"""What the tests of edged-mqtt stand on: edged, a broker and edged-mqtt in a folder of their own, on loopback, and clients of paho.

Each is called as TEST.py EDGED EDGED_MQTT ROOT [--long] [TEST...]; exit status 77 (skipped) where paho or mosquitto is not installed. Waiting is
always for a condition, with a generous bound.
"""
import json
import os
import queue
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import paho.mqtt.client as paho
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
except ImportError:
    if os.path.exists("/usr/bin/python3") and not os.environ.get("EDGED_SYSTEM_PYTHON"):
        # The Python that Debian's modules are for may not be the first one.
        os.execve("/usr/bin/python3", ["/usr/bin/python3", *sys.argv], {**os.environ, "EDGED_SYSTEM_PYTHON": "1"})
    print("SKIPPED: python3-paho-mqtt is not installed, so edged-mqtt was not tested")
    sys.exit(77)

BOUND = 120
LONG = "--long" in sys.argv
EDGED, EDGED_MQTT, ROOT, *TESTS = [a for a in sys.argv[1:] if not a.startswith("--")]
DIGIT_BYTES = 28 * 28
sys.path.insert(0, os.path.join(ROOT, "client", "python"))
import edged as edged_client  # noqa: E402


def varint(n):
    out = b""
    while True:
        n, digit = divmod(n, 128)
        out += bytes([digit | (0x80 if n else 0)])
        if not n:
            return out


def mqtt_text(text):
    return struct.pack(">H", len(text)) + text.encode()


def need_mosquitto():
    if not os.path.exists(find_mosquitto()):
        print("SKIPPED: mosquitto is not installed, so edged-mqtt was not tested")
        sys.exit(77)


def run_tests():
    unittest.main(argv=[sys.argv[0], *TESTS], verbosity=2)


def wait_for(condition, what, bound=BOUND):
    end = time.monotonic() + bound
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {bound} s for {what}")


def is_sanitized(program):
    """A run time of its own takes more memory than any limit."""
    with open(program, "rb") as file:
        data = file.read()
    return b"__asan_init" in data or b"__tsan_init" in data


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Process:
    """A program whose standard error goes to a file that is read for lines."""

    def __init__(self, name, folder, arguments, env=None):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "ab") as log:
            self.offset = log.tell()
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={**os.environ, **(env or {})})

    def text(self):
        with open(self.log, "rb") as log:
            log.seek(self.offset)
            return log.read().decode("utf-8", "replace")

    def wait_log(self, text, count=1, bound=BOUND):
        def there():
            if self.child.poll() is not None and self.text().count(text) < count:
                raise AssertionError(f"{self.name} ended with {self.child.returncode}: {self.text()[-2000:]}")
            return self.text().count(text) >= count
        wait_for(there, f"{self.name} to say {text!r}", bound)

    def memory_kb(self, field="VmData"):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))

    def end(self, number=signal.SIGTERM, bound=BOUND):
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(bound)


class Rig:
    """Folder, edged and programs that end with it. @programs: paths of edged, edged-mqtt, mosquitto."""

    def __init__(self, edged, edged_mqtt, root, models=("digits", "keyword", "vibration")):
        self.edged, self.edged_mqtt, self.root = edged, edged_mqtt, root
        self.folder = tempfile.mkdtemp(prefix="edged-mqtt-")
        self.processes, self.before_bridge, self.open_ports = [], [], set()
        self.socket = self.path("edged.sock")
        for name in ("models", "state"):
            os.mkdir(self.path(name))
        for name in models:
            self.put_model(name)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def put_model(self, name, as_name=None):
        to = self.path("models", (as_name or name) + ".tflite")
        shutil.copy(os.path.join(self.root, "packaging", "models", name + ".tflite"), to + ".new")
        os.rename(to + ".new", to)

    def sample(self, name):
        with open(os.path.join(self.root, "packaging", "models", "samples", name), "rb") as file:
            return file.read()

    def start(self, name, arguments, env=None):
        process = Process(name, self.folder, arguments, env)
        self.processes.append(process)
        return process

    def start_edged(self, name="edged"):
        edged = self.start(name, [self.edged, "--config", self.write("edged.conf", ""),
                                  "--socket", self.socket, "--models", self.path("models"), "--state", self.path("state")])
        edged.wait_log("models ready")
        return edged

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start_broker(self, text, name="mosquitto"):
        """@text: lines of mosquitto.conf; the broker stays who it is started as."""
        conf = self.write(name + ".conf", f"user root\nset_tcp_nodelay true\n{text}\n")
        broker = self.start(name, [find_mosquitto(), "-c", conf])
        broker.wait_log("running")
        if "allow_anonymous true" in text and "cafile" not in text and "password_file" not in text:
            self.open_ports.update(re.findall(r"listener (\d+) 127\.0\.0\.1", text))
        return broker

    def write_bridge(self, text, brokers, name="edged-mqtt", gateway="gw1"):
        """@text: keys of [bridge]; @brokers: {section: keys}. The file's path."""
        if is_sanitized(self.edged_mqtt):
            lines = [line for line in text.split("\n") if "memory" not in line]
            text = "\n".join([*lines, "max-memory = 0", "decode-memory = 1G"])
        conf = f"[bridge]\ngateway = {gateway}\nsocket = {self.socket}\npoll = 100ms\nresponse-prefix = edged/reply/ reply/\n{text}\n"
        for section, keys in brokers.items():
            for key, value in {"reconnect-min": "50ms", "reconnect-max": "500ms"}.items() if section.startswith("broker ") else ():
                keys += "" if key in keys else f"\n{key} = {value}"
            conf += f"[{section}]\n{keys}\n"
        return self.write(name + ".conf", conf)

    def start_bridge(self, text, brokers, name="edged-mqtt", env=None, wait=True, gateway="gw1"):
        """As write_bridge(), and starts it."""
        bridge = self.start(name, [*self.before_bridge, self.edged_mqtt, "--config", self.write_bridge(text, brokers, name, gateway)], env)
        if wait:
            bridge.wait_log("connected, MQTT")
            bridge.wait_log("answers")
            for port in re.findall(r"address = mqtt://127\.0\.0\.1:(\d+)", "\n".join(brokers.values())):
                if port in self.open_ports and "prefix =" not in text:
                    self.wait_online(int(port), gateway)
        return bridge

    @staticmethod
    def wait_online(port, gateway):
        """That is said behind the subscriptions: what is published from now on reaches it."""
        device = Device(port, f"{gateway}-looks")
        try:
            device.subscribe(f"edged/{gateway}/status")
            wait_for(lambda: [m for m in device.of(f"edged/{gateway}/status") if m.payload == b"online"], "its word")
        finally:
            device.close()

    def close(self):
        for process in reversed(self.processes):
            if process.child.poll() is None:
                process.child.kill()
            process.child.wait()
        told = [p.text()[-3000:] for p in self.processes if "Sanitizer" in p.text() or "runtime error" in p.text()]
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not told, told


def find_mosquitto():
    return shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Device:
    """A client of the broker: everything that comes lies in @messages by topic, in order, and in @inbox."""

    def __init__(self, port, name, version=5, tls=None, host="127.0.0.1", keep=False):
        protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
        self.version = version
        self.client = paho.Client(client_id=name, protocol=protocol, **({} if version == 5 else {"clean_session": not keep}))
        self.messages, self.inbox, self.lock = {}, queue.Queue(), threading.Lock()
        self.client.on_message = self._on_message
        self.subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.max_inflight_messages_set(1000)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.up = threading.Event()
        self.filters = []
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *_: self.up.clear()
        if tls:
            self.client.tls_set(**tls)
        wait_for(lambda: self._try_connect(host, port), "the broker")
        self.client.loop_start()
        assert self.up.wait(BOUND)

    def _try_connect(self, host, port):
        try:
            self.client.connect(host, port, keepalive=60)
            return True
        except OSError:
            return False

    def _on_connect(self, *_):
        for one in self.filters:
            self.client.subscribe(one, 1)
        self.up.set()

    def _on_message(self, _client, _data, message):
        with self.lock:
            self.messages.setdefault(message.topic, []).append(message)
        self.inbox.put(message)

    def subscribe(self, topic):
        self.subscribed.clear()
        self.filters.append(topic)
        self.client.subscribe(topic, 1)
        assert self.subscribed.wait(BOUND)

    def of(self, topic):
        with self.lock:
            return list(self.messages.get(topic, []))

    def wait(self, topic, count=1, bound=BOUND):
        return wait_for(lambda: len(self.of(topic)) >= count and self.of(topic), f"{count} messages of {topic}", bound)

    def wait_json(self, topic, condition, bound=BOUND):
        def there():
            return next((m for m in map(lambda m: json.loads(m.payload), self.of(topic)) if condition(m)), None)
        return wait_for(there, f"a message of {topic}", bound)

    def publish(self, topic, payload, qos=1, retain=False, **given):
        properties = None
        if self.version == 5:
            properties = Properties(PacketTypes.PUBLISH)
            for key, value in given.items():
                setattr(properties, key, value)
        return self.client.publish(topic, payload, qos, retain, properties)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class WithBroker(unittest.TestCase):
    """One edged, one broker on TCP, for all tests of the class."""

    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(EDGED, EDGED_MQTT, ROOT)
        cls.addClassCleanup(cls.rig.close)
        cls.port = free_port()
        cls.edged = cls.rig.start_edged()
        cls.broker_text = f"listener {cls.port} 127.0.0.1\nallow_anonymous true"
        cls.broker = cls.rig.start_broker(cls.broker_text)
        cls.broker_key = f"address = mqtt://127.0.0.1:{cls.port}"

    def bridge(self, text="", extra="", env=None, others=None, **given):
        bridge = self.rig.start_bridge(text, {"broker a": self.broker_key + "\n" + extra, **(others or {})}, env=env, **given)
        self.addCleanup(bridge.end)
        return bridge

    def device(self, name, version=5, port=None, **given):
        device = Device(port or self.port, name, version, **given)
        self.addCleanup(device.close)
        return device
