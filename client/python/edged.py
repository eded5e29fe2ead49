# SPDX-License-Identifier: Apache-2.0
"""Client of edged, the inference daemon. Needs nothing but Python; numpy arrays go in and come out where numpy is installed.

    import edged

    with edged.Client() as client:                      # $EDGED_SOCKET, else /run/edged/edged.sock
        answer = client.infer("digits", [picture])      # by position, or {"image": picture} by name
        print(answer.outputs[0].top(3), answer[0])      # best labels; the values

Values. An input is a list (nested or flat), a number, a numpy array, an array.array, or bytes, which are sent as they are. Element
types are never converted silently: an array of float32 for an int8 input is an error, and Tensor.quantize() is the conversion.
Dimensions of 1 may be left out, and a flat list may stand for any shape of as many elements.

Errors. All are EdgedError, but that install() has the OSError of a file that cannot be read. `status` is what edged answered (Status), or what it would have answered where this module saw it first;
it is None when there is no answer: Disconnected, ProtocolError. After those two, and after Deadline where edged did not say so itself
(`connected` is False then), the connection is closed and every call raises Disconnected: open another Client.

Time and memory. Every exchange with edged ends within `timeout` seconds; edged is told of it and drops the work. A call's own timeout counts
instead of the client's; None: the client's. Both are from 0 to 2000000 seconds, else Invalid. An exchange that edged
should have ended waits GRACE seconds more for its word. infer() and session() are one exchange, and one more where the model has to be
described first, or again because it was replaced. A reply of more than `max_reply` bytes is refused before memory is taken for it.

Threads. A Client may be shared: a lock lets one call through at a time. Threads that should be answered at once have a Client each.
After fork() only one of the two processes may go on using it.

Models. stored(), rollback(), pin(), unpin(), forget_bad(), history(), install(), export() and remove() are edged's store of models; all but the
first and history() are for root and edged's own user. install() and export() open a connection of their own. One that does not end within its
timeout raises Deadline, and edged goes on with it all the same: history() says how it ended.

Shared memory. Client(shared=True).memory() is read and written by edged in place: a Place of it can be an input, or stand in `places` for an
output. What lies there is to be left alone until the answer has come. A Place is of that client alone: in the memory of another one, or in
one that was closed, it is Invalid. Overloaded where the program has no descriptor or address space for a memory.

Written from docs/protocol.md, versions 1.0 to 1.3.
"""
from __future__ import annotations

import os
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar, Union

from edged_infer import ALIGN, Inputs, Places, infer_head, pick, read_answer, read_infer
from edged_memory import INPUTS, OUTPUTS, Memory, Place, check_place
from edged_stats import Histogram, ModelStats, Stats, UserStats, read_stats
from edged_store import Source, StoredModel, Verb, encode_verb, new_file, open_source, read_file, read_stored
from edged_tensor import (
    Answer, Deadline, Denied, Disconnected, EdgedError, ElementType, Failed, Invalid, Model, ModelRefused, ModelState, NotFound, Output,
    Overloaded, ProtocolError, Reader, Score, Shape, Signature, Status, Tensor, TooLarge, Unsupported, error, number, put_text, read_model)

__all__ = [
    "Answer", "Client", "DaemonStatus", "Deadline", "Denied", "Disconnected", "EdgedError", "ElementType", "Failed", "Histogram", "Invalid",
    "Memory", "Model", "ModelRefused", "ModelState", "ModelStats", "NotFound", "Output", "Overloaded", "Peer", "Place", "ProtocolError",
    "Reload", "Score", "Session", "Shape", "Signature", "Stats", "Status", "StoredModel", "Tensor", "TooLarge", "Unsupported", "UserStats",
]
__version__ = "0.1.0"
DEFAULT_SOCKET = "/run/edged/edged.sock"
GRACE = 1.0

_MAGIC = b"EDG1"
_HEADER = struct.Struct("<4sHHQIIII")
_MAJOR, _MINOR = 1, 3
_FLAG_REGIONS, _FLAG_KEY, _CLASS_SHIFT = 1, 2, 2
_PRIORITIES = ("normal", "batch", "realtime", "control")
_REPLY = 0x8000
_HELLO, _LIST, _DESCRIBE, _INFER, _STATUS, _RELOAD = 1, 2, 3, 4, 5, 7
_SESSION_OPEN, _SESSION_RESET, _SESSION_CLOSE, _STORE_LIST, _STORE = 8, 9, 10, 11, 12
_REGION_ADD, _REGION_REMOVE, _STATS = 13, 14, 17
_HEEDS_DEADLINE = (_INFER, _SESSION_OPEN, _SESSION_RESET)
_CAPABILITY_DESCRIPTORS, _CAPABILITY_SESSIONS, _CAPABILITY_STORE = 1 << 0, 1 << 2, 1 << 3
_HELLO_BYTES = 1 << 16
_LONGEST = 2e6  # seconds: sockets wait no longer than 2^31 ms

T = TypeVar("T")


class Peer(NamedTuple):
    """What edged said in its greeting. `max_sessions` is 0 where it has none. `capabilities`: bits of docs/protocol.md."""
    name: str
    version: str
    minor: int
    max_body: int
    max_in_flight: int
    max_tensors: int
    max_sessions: int
    capabilities: int = 0


@dataclass(frozen=True)
class DaemonStatus:
    """What edged counts. `answers`: INFER requests answered, by status code. The last three are 0 with an edged before protocol 1.3:
    models that are unloaded, and bytes that those loaded take and may."""
    uptime_us: int
    models_ready: int
    models_loading: int
    models_refused: int
    clients: int
    workers: int
    waiting: int
    running: int
    resident_bytes: int
    charged_bytes: int
    queue_us: int
    run_us: int
    answers: Dict[int, int]
    models_unloaded: int = 0
    model_bytes: int = 0  # that loaded models take together, and
    budget_bytes: int = 0  # that they may


class Reload(NamedTuple):
    models_ready: int
    models_refused: int


class _Connection:
    """One request and its reply at a time over a connected socket, within a time."""

    def __init__(self, sock: socket.socket, max_reply: int) -> None:
        self.socket: Optional[socket.socket] = sock
        self.max_reply, self.max_body, self.id = max_reply, _HELLO_BYTES, 0
        self.fd = -1  # goes with the first byte of what is sent next

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def call(self, type_: int, body: Union[bytes, bytearray], end: Optional[float], timeout: Optional[float], session: int,
             flags: int = 0) -> memoryview:
        """The body of an OK reply. Whatever else happens between the first byte out and the last one in closes the connection."""
        if self.socket is None:
            raise Disconnected("the connection is closed")
        if len(body) > self.max_body:
            raise TooLarge(f"the request has {len(body)} bytes, edged takes {self.max_body}", Status.TOO_LARGE)
        try:
            status, retry_us, reply = self._exchange(self.socket, type_, body, end, timeout, session, flags)
            text = None if status == Status.OK else _read_all(memoryview(reply), Reader.text)
        except socket.timeout:
            self.close()
            raise Deadline("edged did not answer in time", Status.DEADLINE) from None
        except OSError as problem:
            self.close()
            raise Disconnected(f"the connection is lost: {problem.strerror or problem}") from None
        except BaseException:
            self.close()
            raise
        if text is not None:
            problem = error(status, text)
            problem.retry_after = retry_us / 1e6
            raise problem
        return memoryview(reply)

    def _exchange(self, sock: socket.socket, type_: int, body: Union[bytes, bytearray], end: Optional[float], timeout: Optional[float],
                  session: int, flags: int) -> Tuple[int, int, bytearray]:
        deadline_us = 0
        if type_ in _HEEDS_DEADLINE and timeout is not None:
            deadline_us = int(min(max(timeout * 1e6, 1), 0xFFFFFFFF))
        self.id += 1
        try:
            self._send(sock, _HEADER.pack(_MAGIC, type_, flags, self.id, len(body), 0, deadline_us, session) + body, end)
        except (BrokenPipeError, ConnectionResetError):
            pass  # why may stand in a reply that edged sent before it closed
        return self._receive(sock, type_, flags, end)

    def _send(self, sock: socket.socket, frame: bytes, end: Optional[float]) -> None:
        rest = memoryview(frame)
        while rest:
            _limit(sock, end)
            if self.fd >= 0:
                rest = rest[socket.send_fds(sock, [rest], [self.fd]):]
                self.fd = -1
            else:
                rest = rest[sock.send(rest):]

    def _receive(self, sock: socket.socket, type_: int, sent: int, end: Optional[float]) -> Tuple[int, int, bytearray]:
        header = _HEADER.unpack(self._read(sock, _HEADER.size, end))
        magic, found, flags, id_, size, status, retry_us, session = header
        if magic != _MAGIC or flags != (sent & _FLAG_REGIONS if status == Status.OK else 0) or (retry_us and status != Status.OVERLOADED) or session or not found & _REPLY:
            raise ProtocolError("what answers is not edged")
        if size > min(self.max_body, self.max_reply):
            raise TooLarge(f"a reply has {size} bytes, {min(self.max_body, self.max_reply)} is the limit", Status.TOO_LARGE)
        body = self._read(sock, size, end)
        if (found, id_) != (type_ | _REPLY, self.id):
            if status == Status.OK:
                raise ProtocolError("a reply to a request that was not sent")
            raise error(status, Reader(memoryview(body)).text())  # edged closes the connection, and says why
        return status, retry_us, body

    def _read(self, sock: socket.socket, size: int, end: Optional[float]) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            _limit(sock, end)
            n = sock.recv_into(rest)
            if n == 0:
                raise Disconnected("edged closed the connection")
            rest = rest[n:]
        return data


def _read_all(body: memoryview, read: Callable[[Reader], T]) -> T:
    r = Reader(body)
    found = read(r)
    r.end()
    return found


def _listed(values: Any, what: str) -> List[Any]:
    try:
        return list(values)
    except TypeError:
        raise Invalid(f"{what} are a list, not {values!r}", Status.INVALID) from None


def _check_timeout(timeout: Optional[float]) -> Optional[float]:
    try:
        if timeout is None or 0 <= timeout <= _LONGEST:
            return timeout
    except TypeError:
        pass
    raise Invalid(f"a timeout is None, or from 0 to {_LONGEST:.0f} seconds, not {timeout!r}", Status.INVALID)


def _limit(sock: socket.socket, end: Optional[float]) -> None:
    """Lets the next call on @sock last until @end."""
    rest = None if end is None else end - time.monotonic()
    if rest is not None and rest <= 0:
        raise socket.timeout()
    sock.settimeout(rest)


def _connect(path: Optional[str], timeout: Optional[float]) -> socket.socket:
    path = path or os.environ.get("EDGED_SOCKET") or DEFAULT_SOCKET
    sock = None
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        sock.connect(path)
    except OSError as problem:
        if sock is not None:
            sock.close()
        if isinstance(problem, PermissionError):
            raise Denied(f"{path}: {problem.strerror}", Status.DENIED) from None
        raise Disconnected(f"{path}: {problem.strerror or problem}") from None
    return sock


def _read_greeting(r: Reader) -> Peer:
    major, minor, capabilities, max_body, max_in_flight, max_tensors = r.take("HHQIII")
    name, version = r.text(), r.text()
    if major != _MAJOR:
        raise ProtocolError(f"edged speaks version {major}.{minor} of the protocol")
    has_sessions = minor >= 1 and capabilities & _CAPABILITY_SESSIONS
    max_sessions = r.take("I")[0] if has_sessions else 0
    r.at = len(r.body)  # what follows belongs to later versions
    return Peer(name, version, minor, max_body, max_in_flight, max_tensors, max_sessions, capabilities)


def _read_list(r: Reader) -> List[ModelState]:
    return [ModelState(r.text(), r.text(), r.text(), r.text(), r.take("Q")[0]) for _ in range(r.take("I")[0])]


def _read_status(r: Reader) -> DaemonStatus:
    (uptime_us, ready, loading, refused, clients, workers, waiting, running, resident, charged, queue_us, run_us,
     n) = r.take("QIIIIIIIQQQQI")
    answers = dict(enumerate(r.take(f"{n}Q")))
    unloaded, memory, budget = r.take("IQQ") if r.at < len(r.body) else (0, 0, 0)
    r.at = len(r.body)  # what follows belongs to later versions
    return DaemonStatus(uptime_us, ready, loading, refused, clients, workers, waiting, running, resident, charged, queue_us, run_us,
                        answers, unloaded, memory, budget)


class Client:
    """A connection to edged. `path`: its socket. `timeout`: seconds that a call may take unless it says otherwise; None: as long as it takes.
    `max_reply`: bytes of a reply that are taken. `shared`: for memory(); edged has room for only so many."""

    def __init__(self, path: Optional[str] = None, *, timeout: Optional[float] = 30.0, max_reply: int = 64 << 20,
                 name: str = "python", shared: bool = False, _capabilities: int = _CAPABILITY_SESSIONS | _CAPABILITY_STORE) -> None:
        self.timeout, self._path, self._name = _check_timeout(timeout), path, name
        self._lock = threading.Lock()
        self._models: Dict[Tuple[str, str], Model] = {}
        wanted = _capabilities | (_CAPABILITY_DESCRIPTORS if shared else 0)
        try:
            self.peer = self._greet(max_reply, wanted)
        except Disconnected:  # by an edged that stops: behind a manager's socket the next one answers
            self.peer = self._greet(max_reply, wanted)
        self._connection.max_body = self.peer.max_body

    def _greet(self, max_reply: int, capabilities: int) -> Peer:
        self._connection = _Connection(_connect(self._path, self.timeout), max_reply)
        try:
            hello = struct.pack("<HHQ", _MAJOR, _MINOR, capabilities) + put_text(put_text(self._name)[2:257])
            return self._call(_HELLO, hello, _read_greeting)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and its sessions. Not while another thread is in a call."""
        self._connection.close()

    @property
    def connected(self) -> bool:
        """Whether calls can be made."""
        return self._connection.socket is not None

    def _call(self, type_: int, body: Union[bytes, bytearray], read: Callable[[Reader], T], timeout: Optional[float] = None, session: int = 0,
              flags: int = 0, fd: int = -1) -> T:
        timeout = _check_timeout(self.timeout if timeout is None else timeout)
        end = None if timeout is None else time.monotonic() + timeout + (GRACE if type_ in _HEEDS_DEADLINE else 0)
        if not self._lock.acquire(timeout=-1 if timeout is None else timeout):
            raise Deadline("another thread's call took all the time", Status.DEADLINE)
        try:
            self._connection.fd = fd
            reply = self._connection.call(type_, body, end, timeout, session, flags)
            try:
                return _read_all(reply, read)
            except ProtocolError:
                self.close()
                raise
        finally:
            self._lock.release()

    def list(self) -> List[ModelState]:
        """The models, by name."""
        return self._call(_LIST, b"", _read_list)

    def describe(self, model: str, version: str = "") -> Model:
        """A model that serves. `version`: empty for the one that serves, else it must be that one."""
        found = self._call(_DESCRIBE, put_text(model) + put_text(version), read_model)
        self._models[model, version] = found
        return found

    def status(self) -> DaemonStatus:
        """What edged counts."""
        return self._call(_STATUS, b"", _read_status)

    def stats(self) -> Stats:
        """How requests were answered, by model and by user: others than the own one for who may manage."""
        self._need(3, 0)
        return self._call(_STATS, b"", read_stats)

    def memory(self, size: int) -> Memory:
        """Bytes that are shared with edged, for inputs and outputs of infer(); the client was made with `shared`. See Memory. They are
        taken from the machine at once: Overloaded for more than it can spare, and above edged's max-bytes-per-user."""
        self._need(2, _CAPABILITY_DESCRIPTORS)
        return Memory(size, self, self._share, lambda region: self.connected and self._call(_REGION_REMOVE, struct.pack("<I", region), lambda r: None))

    def _share(self, fd: int, size: int) -> int:
        return self._call(_REGION_ADD, struct.pack("<QI", size, INPUTS | OUTPUTS), lambda r: r.take("I")[0], fd=fd)

    def reload(self, timeout: Optional[float] = None) -> Reload:
        """edged looks at its models folder again; returns when that is done. For root and edged's own user."""
        return self._call(_RELOAD, b"", lambda r: Reload(*r.take("II")), timeout)

    def _need(self, minor: int, capabilities: int) -> None:
        if self.peer.minor < minor or self.peer.capabilities & capabilities != capabilities:
            raise Unsupported("this edged does not have it, or not for this connection", Status.UNSUPPORTED)

    def _store(self, verb: Verb, model: str, argument: str = "", timeout: Optional[float] = None, fd: int = -1) -> str:
        self._need(3 if verb >= Verb.INSTALL else 2, _CAPABILITY_STORE)
        return self._call(_STORE, encode_verb(verb, model, argument), lambda r: r.text("I"), timeout, fd=fd)

    def _store_file(self, verb: Verb, model: str, fd: int, timeout: Optional[float]) -> str:
        """On a connection of its own: edged has room for only so many that may send descriptors."""
        wanted = _CAPABILITY_STORE | _CAPABILITY_DESCRIPTORS
        timeout = self.timeout if timeout is None else timeout
        with Client(self._path, timeout=timeout, name=self._name, _capabilities=wanted) as client:
            client._need(3, wanted)
            return client._store(verb, model, fd=fd)

    def stored(self) -> List[StoredModel]:
        """The models, by name, with what the store knows of them."""
        self._need(2, _CAPABILITY_STORE)
        return self._call(_STORE_LIST, b"", read_stored)

    def rollback(self, model: str, timeout: Optional[float] = None) -> None:
        """The last good version serves, or the one before if that serves; what served is bad from now on."""
        self._store(Verb.ROLLBACK, model, timeout=timeout)

    def pin(self, model: str) -> None:
        """Nothing but a rollback takes the place of what serves."""
        self._store(Verb.PIN, model)

    def unpin(self, model: str, timeout: Optional[float] = None) -> None:
        """Ends pin(), and looks at the models folder."""
        self._store(Verb.UNPIN, model, timeout=timeout)

    def forget_bad(self, digest: str, timeout: Optional[float] = None) -> None:
        """The file whose SHA-256 begins with `digest`, 8 digits at least, may be tried again."""
        self._store(Verb.FORGET_BAD, "", digest, timeout)

    def history(self, model: str) -> List[str]:
        """What happened to a model, a line each, oldest first."""
        return self._store(Verb.HISTORY, model).splitlines()

    def install(self, source: Source, model: str = "", timeout: Optional[float] = None) -> str:
        """Gives edged a model or a bundle: a path, bytes, or an open binary file, which is read to its end. A NAME.tflite goes with what
        stands beside it, and is called NAME unless `model` says otherwise; a bundle may say its name itself. Returns
        "NAME version N: ready" when that is on the disk and serves; ModelRefused when it is refused."""
        fd, name = open_source(source)
        try:
            return self._store_file(Verb.INSTALL, model or name, fd, timeout).rstrip("\n")
        finally:
            os.close(fd)

    def export(self, model: str, timeout: Optional[float] = None) -> bytes:
        """What serves, as a bundle."""
        fd = new_file()
        try:
            self._store_file(Verb.EXPORT, model, fd, timeout)
            return read_file(fd)
        finally:
            os.close(fd)

    def load(self, model: str, timeout: Optional[float] = None) -> None:
        """The model is in memory when this returns."""
        self._store(Verb.LOAD, model, timeout=timeout)

    def unload(self, model: str) -> None:
        """It is not, until somebody asks for it."""
        self._store(Verb.UNLOAD, model)

    def fsck(self, repair: bool = False, timeout: Optional[float] = None) -> List[str]:
        """What is wrong with the store on the disk, a line each."""
        return self._store(Verb.FSCK, "", "repair" if repair else "", timeout).splitlines()

    def remove(self, model: str) -> None:
        """Takes away what was installed. A model that the models folder has goes with its file: Denied."""
        self._store(Verb.REMOVE, model)

    def infer(self, model: str, inputs: Inputs = (), *, version: str = "", signature: str = "",
              outputs: Optional[Sequence[Union[int, str]]] = None, resize: bool = False, timeout: Optional[float] = None,
              priority: str = "normal", latest_key: int = 0, places: Optional[Places] = None) -> Answer:
        """Asks a model. `inputs`: all of the signature's, by position or by name. `outputs`: those that are wanted, all without it.
        `resize`: sends shapes that the model does not declare, and lets edged find out whether it can run so. `priority`: normal, batch,
        realtime or control. `latest_key`: takes the place of a request of this user, model and key that waits, which fails with
        Status.SUPERSEDED. An input may be a Place of a memory(); `places`: where outputs are to be written, by position or by name."""
        urgency, places = (priority, latest_key), places or {}
        for name in (model, version):
            put_text(name)  # what is no name is no key either
        known = self._models.get((model, version))
        try:
            return self._infer(known or self.describe(model, version), (model, version, signature), inputs, outputs, resize, timeout, places, urgency=urgency)
        except (Invalid, NotFound):
            # What is known of the model may be of one that has been replaced.
            if known is None or not self.connected or self.describe(model, version).generation == known.generation:
                raise
        return self._infer(self._models[model, version], (model, version, signature), inputs, outputs, resize, timeout, places, urgency=urgency)

    def _infer(self, model: Model, named: Tuple[str, str, str], inputs: Inputs, outputs: Optional[Sequence[Union[int, str]]],
               resize: bool, timeout: Optional[float], places: Places, session: int = 0, urgency: Tuple[str, int] = ("normal", 0)) -> Answer:
        if urgency[0] not in _PRIORITIES:
            raise Invalid(f"there is no priority {urgency[0]}", Status.INVALID)
        known, key = self.peer.minor >= 3, number(urgency[1], 2**64 - 1, "latest_key")
        key = key if known else 0
        flags = (_PRIORITIES.index(urgency[0]) << _CLASS_SHIFT if known else 0) | (_FLAG_KEY if key else 0)
        signature = model.signature(named[2])
        names: Sequence[Union[int, str]] = range(len(signature.outputs)) if outputs is None else _listed(outputs, "outputs")
        wanted = [pick(signature.outputs, which, "output") for which in names]
        if not isinstance(places, Mapping):
            raise Invalid("places are by position or by name", Status.INVALID)
        pairs = list(inputs.items() if isinstance(inputs, Mapping) else enumerate(_listed(inputs, "inputs")))
        given: Mapping[Any, Any] = {which: check_place(value, self) if isinstance(value, Place) else value for which, value in pairs}
        shared = places or any(isinstance(value, Place) for value in given.values())
        there = {pick(signature.outputs, which, "output"): check_place(place, self) for which, place in places.items()} if shared else None
        body, data = infer_head(named, key, signature, given, wanted, outputs is None, resize, there)
        for one in data:
            body += bytes(-len(body) % ALIGN)
            body += one
        raw = self._call(_INFER, body, lambda r: read_infer(r, there), timeout, session, flags | (_FLAG_REGIONS if shared else 0))
        if raw.generation != model.generation:  # replaced since it was described
            model = self.describe(named[0], named[1])
            signature = model.signature(named[2])
        return read_answer(raw, model, signature)

    def session(self, model: str, version: str = "", *, timeout: Optional[float] = None) -> "Session":
        """Opens a session: the model's variables and tables stay from one infer() to the next."""
        if not self.peer.max_sessions:
            raise Unsupported("this edged has no sessions", Status.UNSUPPORTED)
        while True:
            number, _, generation = self._call(
                _SESSION_OPEN, put_text(model) + put_text(version), lambda r: (r.take("I")[0], r.text(), r.take("Q")[0]), timeout)
            session = Session(self, number, self.describe(model, version))
            if session.model.generation == generation:
                return session
            session.close()  # the model was replaced in between


class Session:
    """State of a model, kept for this client. Ends with close(), its `with` block, or the client."""

    def __init__(self, client: Client, number: int, model: Model) -> None:
        self._client, self._number, self.model = client, number, model

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def infer(self, inputs: Inputs = (), *, signature: str = "", outputs: Optional[Sequence[Union[int, str]]] = None,
              resize: bool = False, timeout: Optional[float] = None, places: Optional[Places] = None) -> Answer:
        """As Client.infer(). A run that fails leaves the state as it was."""
        return self._client._infer(self.model, ("", "", signature), inputs, outputs, resize, timeout, places or {}, self._number)

    def reset(self, timeout: Optional[float] = None) -> None:
        """Gives the state back its start."""
        self._client._call(_SESSION_RESET, struct.pack("<I", self._number), lambda r: None, timeout)

    def close(self) -> None:
        """Forgets the state. A second time does nothing."""
        if self._number and self._client.connected:
            self._client._call(_SESSION_CLOSE, struct.pack("<I", self._number), lambda r: None)
        self._number = 0
