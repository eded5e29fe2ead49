#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Statistics and shared memory of the Python client, against the real edged.

test_shared.py EDGED ROOT
"""
import resource
import struct
import sys
import unittest

import edged
import edged_stats
import edged_tensor
import test_edged

PICTURE = bytes(range(256)) * 4


def picture_of(model):
    return PICTURE[:model.inputs[0].bytes]


class Memory(test_edged.WithDaemon):
    def setUp(self):
        self.client = edged.Client(self.socket, shared=True)
        self.addCleanup(self.client.close)
        self.digits = self.client.describe("digits")
        self.expected = bytes(self.client.infer("digits", [picture_of(self.digits)]).outputs[0].data)

    def test_inputs_and_outputs_lie_where_the_client_wants_them(self):
        with self.client.memory(8192) as memory:
            there, back = memory.at(0, self.digits.inputs[0].bytes), memory.at(4096, 64)
            there.view[:] = picture_of(self.digits)
            answer = self.client.infer("digits", [there], places={0: back})
            self.assertEqual(bytes(answer.outputs[0].data), self.expected)
            self.assertEqual(bytes(back.view[:len(self.expected)]), self.expected)
            self.assertEqual(len(answer.outputs[0].top(3)), 3)
            self.assertEqual(bytes(self.client.infer("digits", [there]).outputs[0].data), self.expected)
            self.assertEqual(bytes(self.client.infer("digits", [picture_of(self.digits)], places={0: back}).outputs[0].data), self.expected)

    def test_a_session_takes_places_too(self):
        with self.client.memory(8192) as memory, self.client.session("digits") as session:
            there = memory.at(1024, self.digits.inputs[0].bytes)
            there.view[:] = picture_of(self.digits)
            self.assertEqual(bytes(session.infer([there]).outputs[0].data), self.expected)

    def test_what_does_not_fit_is_told(self):
        memory = self.client.memory(4096)
        for offset, size in ((1, 64), (-64, 64), (4032, 128), (0, -1)):
            with self.assertRaises(edged.Invalid):
                memory.at(offset, size)
        with self.assertRaises(edged.Invalid):
            self.client.infer("digits", [memory.at(0, 64)])
        with self.assertRaises(edged.TooLarge):
            self.client.infer("digits", [picture_of(self.digits)], places={0: memory.at(0, 1)})
        memory.close()
        memory.close()
        with self.assertRaises(edged.EdgedError):
            self.client.infer("digits", [memory.at(0, self.digits.inputs[0].bytes)])
        self.assertTrue(self.client.connected)
        with self.assertRaises(edged.Invalid):
            self.client.memory(0)

    def test_what_was_closed_is_counted_no_more_though_it_has_a_name(self):
        """Two of them are more than a user may have."""
        for _ in range(4):
            with self.client.memory(70 << 20) as memory:
                self.assertEqual(len(memory.view), 70 << 20)
        for look in (lambda: memory.view, lambda: memory.at(0, 64)):
            with self.assertRaisesRegex(edged.Invalid, "closed"):
                look()
        small = self.client.memory(4096)
        whole, place = small.view, small.at(0, 64)
        small.close()
        whole[:64] = bytes(64)
        with self.assertRaisesRegex(edged.Invalid, "closed"):
            self.assertIsNone(place.view)

    def test_more_than_the_machine_has_is_not_tried(self):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, before)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))  # a mistake here takes no memory
        for size in (1 << 50, 1 << 70):
            with self.assertRaisesRegex(edged.Overloaded, "to spare"):
                self.client.memory(size)
        with self.assertRaisesRegex(edged.Overloaded, "File too large"):
            self.client.memory(2 << 20)
        self.client.memory(4096).close()

    def refused(self, text, client, *arguments, **more):
        with self.assertRaisesRegex(edged.Invalid, text):
            client.infer(*arguments, **more)
        self.assertTrue(client.connected)

    def test_a_place_is_of_its_own_client_alone(self):
        other, alone = edged.Client(self.socket, shared=True), edged.Client(self.socket)
        self.addCleanup(other.close)
        self.addCleanup(alone.close)
        picture = picture_of(self.digits)
        with self.client.memory(8192) as memory, other.memory(8192) as theirs:
            self.assertEqual(memory.region, theirs.region)
            there = memory.at(0, len(picture))
            there.view[:] = picture
            before = bytes(theirs.view)
            for client in (other, alone):
                self.refused("another client", client, "digits", [there])
                self.refused("another client", client, "digits", [picture], places={0: memory.at(4096, 64)})
            self.assertEqual(bytes(theirs.view), before)
            self.assertEqual(bytes(self.client.infer("digits", [there]).outputs[0].data), self.expected)
            with self.client.session("digits") as session, self.assertRaisesRegex(edged.Invalid, "another client"):
                session.infer([theirs.at(0, len(picture))])
        self.refused("closed", self.client, "digits", [there])
        self.refused("closed", self.client, "digits", [picture], places={0: there})

    def test_what_is_no_place_is_told(self):
        picture, memory = picture_of(self.digits), self.client.memory(4096)
        for places in ({0: None}, {0: 5}, {0: edged.Place(None, 0, 64)}, [memory.at(0, 64)], {0.5: memory.at(0, 64)}):
            with self.assertRaises((edged.Invalid, edged.NotFound), msg=repr(places)):
                self.client.infer("digits", [picture], places=places)
        for place in ("a", 64), (64.0, 64), (0, "a"), (0, 64, "x"), (0, 64, (1.5,)), (0, 64, (-1,)), (0, 64, (0, 1 << 40)), (0, 64, (1,) * 300):
            with self.assertRaises(edged.Invalid, msg=repr(place)):
                memory.at(*place)
            self.refused("", self.client, "digits", [edged.Place(memory, *place)])
        for size in (-1, 1.5, "x", None):
            with self.assertRaises(edged.Invalid, msg=repr(size)):
                self.client.memory(size)
        self.assertTrue(self.client.connected)

    def limited(self, which, limit):
        before = resource.getrlimit(which)
        resource.setrlimit(which, (limit, before[1]))
        try:
            with self.assertRaises(edged.Overloaded) as caught:
                self.client.memory(64 << 20)
        finally:
            resource.setrlimit(which, before)
        return str(caught.exception)

    def test_a_program_without_descriptors_or_addresses_is_told(self):
        self.assertIn("Too many open files", self.limited(resource.RLIMIT_NOFILE, 0))
        with open("/proc/self/statm", encoding="ascii") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        self.assertIn("Cannot allocate memory", self.limited(resource.RLIMIT_AS, taken + (32 << 20)))
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            with self.assertRaisesRegex(edged.Disconnected, "Too many open files"):
                edged.Client(self.socket)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        self.client.memory(4096).close()

    def test_a_client_that_did_not_ask_for_it_has_none(self):
        with edged.Client(self.socket) as client, self.assertRaises(edged.Unsupported):
            client.memory(4096)


class Stats(test_edged.WithDaemon):
    def test_answers_are_counted_by_model_and_user(self):
        with edged.Client(self.socket) as client:
            for _ in range(20):
                client.infer("digits", [picture_of(client.describe("digits"))])
            stats = client.stats()
        self.assertEqual(set(stats.waiting), {"normal", "batch", "realtime", "control"})
        self.assertTrue(any(line.startswith("cpu") for line in stats.backends), stats.backends)
        model = next(model for model in stats.models if model.name == "digits")
        self.assertEqual((model.state, model.answers[edged.Status.OK]), ("ready", 20))
        self.assertEqual((model.total.count, sum(model.total.buckets.values())), (20, 20))
        self.assertLessEqual(model.compute.percentile_ns(0.5), model.total.percentile_ns(0.99))
        self.assertLessEqual(model.total.percentile_ns(1.0), model.total.most_ns)
        self.assertGreater(model.total.mean_ns(), 0)
        self.assertEqual(sum(user.answered for user in stats.users), 20)

    def test_percentiles_are_those_of_the_buckets(self):
        found = edged.Histogram(100, 0, 10**9, {3: 50, 16: 49, 431: 1})
        self.assertEqual(found.percentile_ns(0.5), 3 * 64 + 32)
        self.assertEqual(found.percentile_ns(0.99), 16 * 64 + 32)
        self.assertEqual(found.percentile_ns(1.0), 10**9)
        self.assertEqual(edged.Histogram(0, 0, 0, {}).percentile_ns(0.5), 0)

    def test_buckets_out_of_order_are_refused(self):
        for indices in ((4, 3), (4, 4), (432,)):
            body = struct.pack("<QQQH", 2, 2, 2, len(indices)) + b"".join(struct.pack("<HI", i, 1) for i in indices)
            with self.assertRaises(edged.ProtocolError):
                edged_stats._read_histogram(edged_tensor.Reader(memoryview(body)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
