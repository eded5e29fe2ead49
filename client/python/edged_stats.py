# SPDX-License-Identifier: Apache-2.0
"""How edged answered: what Client.stats() returns."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Dict, List, Tuple

from edged_tensor import ProtocolError, Reader

__all__ = ["Histogram", "ModelStats", "Stats", "UserStats"]

_UNIT_NS, _BUCKETS = 64, 432
CLASSES = ("normal", "batch", "realtime", "control")


def _low_ns(bucket: int) -> int:
    """Where a bucket begins (docs/protocol.md)."""
    return _UNIT_NS * (bucket if bucket < 16 else (16 + bucket % 16) << (bucket // 16 - 1))


@dataclass(frozen=True)
class Histogram:
    """How long something took, in nanoseconds. `buckets`: how many by number of bucket; `count` is exact, the buckets may be a part of it."""
    count: int
    sum_ns: int
    most_ns: int
    buckets: Dict[int, int]

    def mean_ns(self) -> float:
        return self.sum_ns / self.count if self.count else 0.0

    def percentile_ns(self, part: float) -> int:
        """The time that `part`, 0 to 1, of all are not above, to 3.2 %; 0 when there is nothing."""
        total = sum(self.buckets.values())
        rank = max(math.ceil(part * total), 1)
        for bucket, n in self.buckets.items():
            rank -= n
            if rank <= 0:
                return min((_low_ns(bucket) + _low_ns(bucket + 1)) // 2, self.most_ns)
        return 0


@dataclass(frozen=True)
class UserStats:
    """A user who has a connection, or something that waits."""
    uid: int
    connections: int
    waiting: int
    held_bytes: int
    answered: int
    run_us: int


@dataclass(frozen=True)
class ModelStats:
    """`answers`: requests by status code. The histograms are of those answered OK: until a worker had the request, while it ran, and from
    its header to its answer."""
    name: str
    version: str
    state: str
    bytes: int
    answers: Tuple[int, ...]
    queue: Histogram
    compute: Histogram
    total: Histogram


@dataclass(frozen=True)
class Stats:
    """`waiting`: requests in the queue, by class. `backends`: a line each."""
    waiting: Dict[str, int]
    backends: List[str]
    users: List[UserStats]
    models: List[ModelStats]


def _read_histogram(r: Reader) -> Histogram:
    count, sum_ns, most_ns, n = r.take("QQQH")
    pairs = [r.take("HI") for _ in range(n)]
    indices = [index for index, _ in pairs]
    if indices != sorted(set(indices)) or (indices and indices[-1] >= _BUCKETS):
        raise ProtocolError("a histogram's buckets do not rise")
    return Histogram(count, sum_ns, most_ns, dict(pairs))


def _read_user(r: Reader) -> UserStats:
    uid, connections, waiting, _, held, answered, run_us = r.take("IIIIQQQ")
    return UserStats(uid, connections, waiting, held, answered, run_us)


def _read_model(r: Reader) -> ModelStats:
    name, version, state = r.text(), r.text(), r.text()
    size, n = r.take("QI")
    return ModelStats(name, version, state, size, r.take(f"{n}Q"), _read_histogram(r), _read_histogram(r), _read_histogram(r))


def read_stats(r: Reader) -> Stats:
    waiting = dict(zip(CLASSES, r.take("IIII")))
    backends = r.text().splitlines()
    n_users, n_models = r.take("II")
    return Stats(waiting, backends, [_read_user(r) for _ in range(n_users)], [_read_model(r) for _ in range(n_models)])
