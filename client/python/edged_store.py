# SPDX-License-Identifier: Apache-2.0
"""What edged.py needs for the store of models: its messages, and files that are handed over as descriptors."""
from __future__ import annotations

import enum
import io
import os
import stat
import struct
import tarfile
from typing import IO, List, NamedTuple, Tuple, Union

from edged_tensor import Reader, put_text

Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes]]

_CHUNK = 1 << 16
_TRIAL, _PINNED = 1, 2
_MODEL = ".tflite"
_BESIDE = [(".tflite.minisig", "model.tflite.minisig"), (_MODEL, "model.tflite"), (".labels.txt", "labels.txt"), (".golden", "golden"),
           (".conf", "model.conf")]


class Verb(enum.IntEnum):
    """Of a STORE message; docs/protocol.md."""
    ROLLBACK = 1
    PIN = 2
    UNPIN = 3
    FORGET_BAD = 4
    HISTORY = 5
    INSTALL = 6
    EXPORT = 7
    LOAD = 8
    UNLOAD = 9
    FSCK = 10
    REMOVE = 11


class StoredModel(NamedTuple):
    """A line of stored(): what list() says, and the file that serves: its SHA-256 (empty: none does), when the store got it (seconds since
    1970), the user who owned or installed it, the version that proved itself last (0: none), whether it is on trial or pinned."""
    name: str
    version: str
    state: str
    reason: str
    generation: int
    sha256: str
    since: int
    by: int
    last_good: int
    on_trial: bool
    pinned: bool


def read_stored(r: Reader) -> List[StoredModel]:
    found = []
    for _ in range(r.take("I")[0]):
        name, version, state, reason, generation, sha256 = r.text(), r.text(), r.text(), r.text(), r.take("Q")[0], r.text()
        since, by, last_good, flags = r.take("QQQI")
        found.append(StoredModel(name, version, state, reason, generation, sha256, since, by, last_good, bool(flags & _TRIAL),
                                 bool(flags & _PINNED)))
    return found


def encode_verb(verb: Verb, model: str, argument: str = "") -> bytes:
    return struct.pack("<I", verb) + put_text(model) + put_text(argument)


def new_file() -> int:
    """A descriptor of an empty file in memory."""
    return os.memfd_create("edged", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def read_file(fd: int) -> bytes:
    """All of it, from its beginning."""
    with open(fd, "rb", closefd=False) as file:
        file.seek(0)
        return file.read()


def _write(fd: int, data: Union[bytes, bytearray, memoryview]) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest):]


def _copy(source: IO[bytes]) -> int:
    """A file in memory with what is left of @source."""
    fd = new_file()
    try:
        while True:
            chunk = source.read(_CHUNK)
            if not chunk:
                return fd
            _write(fd, chunk)
    except BaseException:
        os.close(fd)
        raise


def _bundle(stem: str) -> IO[bytes]:
    """NAME.tflite and what stands beside it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for end, name in _BESIDE:
            try:
                with open(stem + end, "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                continue
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    out.seek(0)
    return out


def _has_company(stem: str) -> bool:
    return any(os.path.exists(stem + end) for end, _ in _BESIDE if end != _MODEL)


def open_source(source: Source) -> Tuple[int, str]:
    """A descriptor of a file with what is to be installed, and the name that the model has by its path; empty: none."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _copy(io.BytesIO(source)), ""
    if not isinstance(source, (str, os.PathLike)):
        return _copy(source), ""
    path = os.fspath(source)
    stem = path[:-len(_MODEL)] if path.endswith(_MODEL) else ""
    name = os.path.basename(stem)
    if name and _has_company(stem):
        return _copy(_bundle(stem)), name
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd, name
    with open(fd, "rb") as file:  # a pipe, say: edged takes only what has an end
        return _copy(file), name
