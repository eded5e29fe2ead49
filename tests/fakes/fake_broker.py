# SPDX-License-Identifier: Apache-2.0
"""A broker with a list of ways to misbehave, one for each connection.

Each behaviour is a function of the connection; it returns when it has done its worst, and the connection is closed, unless it keeps it open
itself. behaviours() lists them by name. MQTT 5 where the packet says so; control packets are written by hand, because no library writes wrong
ones.
"""
import os
import random
import socket
import struct
import threading
import time

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 10, 12, 14


def varint(n):
    out = b""
    while True:
        n, digit = divmod(n, 128)
        out += bytes([digit | (0x80 if n else 0)])
        if not n:
            return out


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">H", len(data)) + data


class Connection:
    def __init__(self, sock, stop):
        self.sock, self.stop, self.five = sock, stop, True
        self.sock.settimeout(0.05)
        self.topics = []
        self.deadly = ""  # a topic, or "*" for all: who publishes there is thrown out, as by a broker that takes it for malformed
        self.subscriptions = {}  # options by filter; -1: taken back

    def read(self, n):
        data = b""
        while len(data) < n and not self.stop.is_set():
            try:
                more = self.sock.recv(n - len(data))
            except socket.timeout:
                continue
            if not more:
                raise ConnectionError("closed")
            data += more
        if len(data) < n:
            raise ConnectionError("stopped")
        return data

    def packet(self):
        head = self.read(1)[0]
        size = shift = 0
        while True:
            digit = self.read(1)[0]
            size |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return head >> 4, head & 15, self.read(size)

    def send(self, data):
        self.sock.settimeout(1)  # of one call
        try:
            self.sock.sendall(data)
        finally:
            self.sock.settimeout(0.05)

    def expect_connect(self):
        kind, _, body = self.packet()
        if kind != CONNECT:
            raise ConnectionError("no CONNECT")
        self.five = body[6] == 5

    def connack(self, code=0, properties=b""):
        self.send(packet(CONNACK, 0, bytes([0, code]) + (varint(len(properties)) + properties if self.five else b"")))

    def greet(self):
        self.expect_connect()
        self.connack()

    def publication(self, topic, payload, qos=0, mid=1, properties=b"", retain=0):
        body = text(topic) + (struct.pack(">H", mid) if qos else b"") + (varint(len(properties)) + properties if self.five else b"")
        return packet(PUBLISH, qos << 1 | retain, body + payload)

    def publish(self, *args, **more):
        self.send(self.publication(*args, **more))

    def serve(self, seconds, suback=0, puback=True):
        """As a broker should, for a while; puts what is published into topics."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stop.is_set():
            kind, flags, body = self.packet()
            if kind in (SUBSCRIBE, UNSUBSCRIBE):
                at = 2 + self.five  # there are no properties
                name = body[at + 2:at + 2 + struct.unpack(">H", body[at:at + 2])[0]].decode()
                self.subscriptions[name] = body[-1] if kind == SUBSCRIBE else -1
            if kind == SUBSCRIBE:
                self.send(packet(SUBACK, 0, body[:2] + (b"\0" if self.five else b"") + bytes([suback])))
            elif kind == UNSUBSCRIBE:
                self.send(packet(11, 0, body[:2] + (b"\0\0" if self.five else b"")))
            elif kind == PINGREQ:
                self.send(packet(13, 0, b""))
            elif kind == PUBLISH:
                n = struct.unpack(">H", body[:2])[0]
                self.topics.append(body[2:2 + n].decode())
                if self.deadly in ("*", self.topics[-1]):
                    return
                if flags & 6 and puback:
                    self.send(packet(PUBACK, 0, body[2 + n:4 + n]))
            elif kind == DISCONNECT:
                return

    def hold(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stop.is_set():
            time.sleep(0.02)


INFER = "edged/gw1/digits/infer"
SHORT = 0.3
TENSOR = bytes(784)


def utf8(c, topic):
    c.greet()
    c.publish(topic, b"x")
    c.serve(SHORT)


def property_list(c, properties):
    c.greet()
    c.publish(INFER, TENSOR, properties=properties)
    c.serve(SHORT)


def flood(c, make, n, puback=True):
    c.greet()
    for i in range(n):
        c.send(make(i))
    c.serve(SHORT, puback=puback)


def properties(data):
    return varint(len(data)) + data


def large(c, size):
    """A PUBLISH that says to have @size bytes, as many of which come as are taken."""
    c.greet()
    c.send(bytes([PUBLISH << 4]) + varint(size) + text(INFER) + b"\0")
    chunk = bytes(1 << 16)
    for _ in range(size // len(chunk)):
        c.send(chunk)
    c.serve(SHORT)


def behaviours():
    rng = random.Random(1)
    noise = bytes(rng.getrandbits(8) for _ in range(4096))
    greeted = lambda data: lambda c: (c.greet(), c.send(data), c.serve(SHORT))  # noqa: E731
    return {
        "accepts and says nothing": lambda c: c.hold(2),
        "reads and never answers": lambda c: (c.expect_connect(), c.hold(2)),
        "closes at once": lambda c: None,
        "closes after CONNECT": lambda c: c.expect_connect(),
        "resets": lambda c: c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
        "noise for a CONNACK": lambda c: c.send(noise),
        "half a CONNACK": lambda c: (c.expect_connect(), c.send(b"\x20\x03\0"), c.hold(2)),
        "CONNACK without a body": lambda c: (c.expect_connect(), c.send(b"\x20\0"), c.hold(SHORT)),
        "CONNACK with a reason": lambda c: (c.expect_connect(), c.connack(135)),
        "CONNACK with a reason that is none": lambda c: (c.expect_connect(), c.connack(255)),
        "CONNACK twice": lambda c: (c.greet(), c.connack(), c.serve(SHORT)),
        "CONNACK with wrong properties": lambda c: (c.expect_connect(), c.connack(0, noise[:100]), c.hold(SHORT)),
        "CONNACK that takes packets of 1 byte": lambda c: (c.expect_connect(), c.connack(0, b"\x27\0\0\0\1"), c.serve(SHORT)),
        "CONNACK that takes 1 message at a time": lambda c: (c.expect_connect(), c.connack(0, b"\x21\0\1"), c.serve(SHORT, puback=False)),
        "256 MB": lambda c: large(c, 256 << 20),
        "64 MB": lambda c: large(c, 64 << 20),
        "3 MB": lambda c: large(c, 3 << 20),
        "a length without end": greeted(b"\x30\xff\xff\xff\xff\xff\xff"),
        "a length that is not there": greeted(b"\x30\xff\xff\xff\x7f"),
        "topic of wrong UTF-8": lambda c: utf8(c, b"edged/gw1/\xff\xfe/infer"),
        "topic with a zero byte": lambda c: utf8(c, b"edged/gw1/d\0gits/infer"),
        "topic of surrogates": lambda c: utf8(c, b"edged/gw1/\xed\xa0\x80/infer"),
        "topic with wildcards": lambda c: utf8(c, b"edged/gw1/+/infer"),
        "topic of 65535 bytes": lambda c: utf8(c, b"edged/gw1/" + b"a" * 65525),
        "topic without bytes": lambda c: utf8(c, b""),
        "topic longer than the packet": greeted(b"\x30\x05\xff\xffabc"),
        "reserved packet types": greeted(b"\x00\0\xf0\0"),
        "PUBLISH of QoS 3": greeted(packet(PUBLISH, 6, text(INFER) + b"\0\1\0x")),
        "PUBLISH of QoS 2 without an end": lambda c: flood(c, lambda i: packet(PUBLISH, 4, text(INFER) + struct.pack(">H", i + 1) + b"\0x"), 1000),
        "PUBREL nobody waits for": lambda c: flood(c, lambda i: packet(6, 2, struct.pack(">H", i + 1)), 2000),
        "PUBACK nobody waits for": lambda c: flood(c, lambda i: packet(PUBACK, 0, struct.pack(">H", i + 1)), 2000),
        "SUBACK refuses": lambda c: (c.greet(), c.serve(SHORT, suback=0x87)),
        "SUBACK without codes": lambda c: (c.greet(), c.send(packet(SUBACK, 0, b"\0\1\0")), c.serve(SHORT)),
        "never acknowledges": lambda c: (c.greet(), c.serve(SHORT, puback=False)),
        "never reads": lambda c: (c.greet(), c.hold(2)),
        "half a PUBLISH": lambda c: (c.greet(), c.send(b"\x30\x50" + text(INFER)), c.hold(2)),
        "a byte at a time": lambda c: (c.greet(), [c.send(bytes([b])) for b in packet(PUBLISH, 0, text(INFER) + b"\0" + TENSOR)], c.serve(SHORT)),
        "response topics to everywhere": lambda c: [property_list(c, b"\x08" + text(t)) for t in ("$SYS/x",)],
        "properties of noise": lambda c: property_list(c, noise[:200]),
        "user properties by the thousand": lambda c: property_list(c, (b"\x26" + text("priority") + text("high")) * 3000),
        "correlation data of 65535 bytes": lambda c: property_list(c, b"\x08" + text("edged/reply/x") + b"\x09" + text(b"c" * 65535)),
        "10,000 requests at once": lambda c: flood(c, lambda i: packet(PUBLISH, 0, text(INFER) + b"\0" + TENSOR), 10000),
        "10,000 requests of QoS 1 at once, whose answers it does not acknowledge": lambda c: flood(c, lambda i: packet(
            PUBLISH, 2, text(INFER) + struct.pack(">H", i + 1) + properties(b"\x08" + text("edged/reply/x") + b"\x09" + text(b"%d" % i)) + TENSOR),
            10000, False),
        "megabytes of QoS 1 at once": lambda c: flood(c, lambda i: packet(PUBLISH, 2, text(INFER) + struct.pack(">H", i + 1) + b"\0" + bytes(1 << 20)), 20),
        "a session that is none": lambda c: (c.expect_connect(), c.send(packet(CONNACK, 0, b"\1\0\0")), c.serve(SHORT)),
        "retained requests": lambda c: flood(c, lambda i: packet(PUBLISH, 1, text(INFER) + b"\0" + TENSOR), 100),
        "pictures that are none": lambda c: flood(c, lambda i: packet(
            PUBLISH, 0, text(INFER) + b"\0\xff\xd8\xff" + bytes([i % 256]) * (i % 3000)), 200),
        "JSON of brackets": lambda c: flood(c, lambda i: packet(PUBLISH, 0, text(INFER) + b"\0" + b"[" * (1 << 19)), 4),
        "orders by the thousand": lambda c: flood(c, lambda i: packet(PUBLISH, 0, text("edged/gw1/digits/set/threshold") + b"\0" + b"%d" % i), 2000),
        "DISCONNECT with a reason": lambda c: (c.greet(), c.send(packet(DISCONNECT, 0, b"\x8b")), c.hold(SHORT)),
        "AUTH nobody asked for": lambda c: (c.greet(), c.send(packet(15, 0, b"\x18\0")), c.serve(SHORT)),
    }


OLD = {  # brokers of 3.1.1, and what they say to MQTT 5
    "old, and says so": packet(CONNACK, 0, b"\0\1"),
    "old, and says so as MQTT 5 does": packet(CONNACK, 0, b"\0\x84\0"),
    "old, and closes": b"",
}


class FakeBroker:
    """Listens on loopback. The behaviour is that of @turns, one after the other, then that of @name when a connection comes."""

    def __init__(self, name="good", port=0, turns=()):
        self.name, self.turns = name, list(turns)
        self.stop = threading.Event()
        self.connections = 0
        self.done = 0  # bad ones that are over
        self.last, self.deadly = None, ""
        self.served = []  # good connections, in order
        self.listener = socket.create_server(("127.0.0.1", port), backlog=16)
        self.listener.settimeout(0.05)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while not self.stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except socket.timeout:
                continue
            self.connections += 1
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock):
        name = self.turns.pop(0) if self.turns else self.name
        connection = Connection(sock, self.stop)
        try:
            if name == "good" or name in OLD:
                connection.expect_connect()
                if connection.five and name in OLD:
                    connection.send(OLD[name])
                    return
                self.last, connection.deadly = connection, self.deadly
                self.served.append(connection)
                connection.connack()
                connection.serve(3600)
            else:
                behaviours()[name](connection)
        except (OSError, ConnectionError, IndexError, struct.error):
            pass
        finally:
            sock.close()
            self.done += name != "good"

    def close(self):
        self.stop.set()
        self.thread.join()
        self.listener.close()


if __name__ == "__main__":
    print("\n".join(behaviours()), len(behaviours()), os.linesep)
