# SPDX-License-Identifier: Apache-2.0
"""Memory that a Client shares with edged: what Client.memory() returns."""
from __future__ import annotations

import fcntl
import mmap
import os
import sys
from typing import Any, Callable, NamedTuple, Optional

from edged_tensor import Invalid, Overloaded, Shape, Status, number

__all__ = ["Memory", "Place"]

_ALIGN = 64
_MAX_RANK = 8
INPUTS, OUTPUTS = 1, 2  # what may lie there


class Place(NamedTuple):
    """A part of a Memory, for an input or an output. `shape`: that of an input; without it the one that its model has planned."""
    memory: "Memory"
    offset: int
    bytes: int
    shape: Optional[Shape] = None

    @property
    def view(self) -> memoryview:
        """The bytes themselves: whoever asks writes them before and reads them after, at no other time."""
        return self.memory.view[self.offset:self.offset + self.bytes]


def check_place(place: Any, client: Any) -> Place:
    """@place, which is to be a part of a memory of @client that is still there: regions have numbers for each client."""
    if not isinstance(place, Place) or not isinstance(place.memory, Memory):
        raise Invalid(f"a place is a part of a memory(), not {place!r}", Status.INVALID)
    if place.memory.client is not client:
        raise Invalid("a place is in the memory of another client", Status.INVALID)
    if not place.memory.region:
        raise Invalid("a place is in a memory that was closed", Status.INVALID)
    return place.memory.at(*place[1:])


def _bytes_there_are() -> int:
    """What the machine can spare; without /proc all that it has."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")


def _allocate(size: int) -> int:
    """A sealed file in memory, all of whose bytes are there."""
    most = _bytes_there_are()
    if size > most:  # allocating it would end other programs first
        raise Overloaded(f"memory of {size} bytes: the machine has {most} to spare", Status.OVERLOADED)
    fd = os.memfd_create("edged-client", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.posix_fallocate(fd, 0, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except OSError:
        os.close(fd)
        raise
    return fd


class Memory:
    """Bytes that edged reads and writes in place. Ends with close(), its `with` block, or the client; what still looks at its view keeps it."""

    def __init__(self, size: int, client: Any, add: Callable[[int, int], int], remove: Callable[[int], Any]) -> None:
        """@add tells edged of a descriptor of so many bytes and returns the number that the region has for @client, @remove ends that."""
        if not hasattr(size, "__index__") or size.__index__() <= 0:
            raise Invalid(f"memory of {size!r} bytes", Status.INVALID)
        size = size.__index__()
        try:
            fd = _allocate(size)
            try:
                self._view: Optional[memoryview] = memoryview(mmap.mmap(fd, size))
                self.region = add(fd, size)
            finally:
                os.close(fd)
        except OSError as problem:
            raise Overloaded(f"memory of {size} bytes: {problem.strerror}", Status.OVERLOADED) from None
        self.client, self._remove = client, remove

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def view(self) -> memoryview:
        """All of it. Who has it, or a part, keeps the memory when it is closed; there is no other one then."""
        if self._view is None:
            raise Invalid("the memory is closed", Status.INVALID)
        return self._view

    def at(self, offset: int, size: int, shape: Optional[Shape] = None) -> Place:
        """`size` bytes from `offset` on, which is a multiple of 64."""
        offset, size = (number(value, sys.maxsize, "a place's offset or size") for value in (offset, size))
        if offset % _ALIGN or offset + size > len(self.view):
            raise Invalid(f"{size} bytes at {offset} are not a place in {len(self.view)}", Status.INVALID)
        if shape is not None:
            if not isinstance(shape, (tuple, list)) or len(shape) > _MAX_RANK:
                raise Invalid(f"{shape!r} is no shape", Status.INVALID)
            shape = tuple(number(dimension, 0x7FFFFFFF, "a dimension") for dimension in shape)
        return Place(self, offset, size, shape)

    def close(self) -> None:
        """edged forgets it, once it has answered what names it, and it goes when nothing looks at its view: until then edged counts it. A second time does nothing."""
        region, self.region = self.region, 0
        self._view = None
        if region:
            self._remove(region)
