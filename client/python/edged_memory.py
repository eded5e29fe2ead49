# SPDX-License-Identifier: Apache-2.0
"""Memory that a Client shares with edged: what Client.memory() returns."""
from __future__ import annotations

import fcntl
import mmap
import os
from typing import Any, Callable, NamedTuple, Optional

from edged_tensor import Invalid, Overloaded, Shape, Status

__all__ = ["Memory", "Place"]

_ALIGN = 64
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
    except OSError as problem:
        os.close(fd)
        raise Overloaded(f"memory of {size} bytes: {problem.strerror}", Status.OVERLOADED) from None
    return fd


class Memory:
    """Bytes that edged reads and writes in place. Ends with close(), its `with` block, or the client; what still looks at its view keeps it."""

    def __init__(self, size: int, add: Callable[[int, int], int], remove: Callable[[int], Any]) -> None:
        """@add tells edged of a descriptor of so many bytes and returns the region's number, @remove ends that."""
        if size <= 0:
            raise Invalid("memory of no bytes", Status.INVALID)
        fd = _allocate(size)
        try:
            self.view = memoryview(mmap.mmap(fd, size))
            self.region = add(fd, size)
        finally:
            os.close(fd)
        self._remove = remove

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def at(self, offset: int, size: int, shape: Optional[Shape] = None) -> Place:
        """`size` bytes from `offset` on, which is a multiple of 64."""
        if offset % _ALIGN or offset < 0 or size < 0 or offset + size > len(self.view):
            raise Invalid(f"{size} bytes at {offset} are not a place in {len(self.view)}", Status.INVALID)
        return Place(self, offset, size, shape)

    def close(self) -> None:
        """edged forgets it, once it has answered what names it. A second time does nothing."""
        region, self.region = self.region, 0
        if region:
            self._remove(region)
