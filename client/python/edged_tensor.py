# SPDX-License-Identifier: Apache-2.0
"""What edged.py is built of: status codes and errors, element types, a model's description, values to bytes and back."""
from __future__ import annotations

import array
import enum
import functools
import heapq
import math
import struct
from dataclasses import dataclass, field
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Type, Union

MAX_RANK, MAX_DIMENSION = 8, 1 << 24

Shape = Tuple[int, ...]


class Status(enum.IntEnum):
    """What edged says of a request; the numbers never change."""
    OK = 0
    INVALID = 1
    NOT_FOUND = 2
    DENIED = 3
    TOO_LARGE = 4
    OVERLOADED = 5
    DEADLINE = 6
    CANCELLED = 7
    SUPERSEDED = 8
    UNSUPPORTED = 9
    MODEL_REFUSED = 10
    BACKEND = 11
    INTERNAL = 12
    DRAINING = 13


class EdgedError(Exception):
    """Anything that went wrong. `status`: a Status, a number that this version does not know, or None. `text`: why. `retry_after`:
    seconds after which an overloaded edged may be asked again; 0.0 where it does not say."""

    def __init__(self, text: str, status: Optional[int] = None) -> None:
        super().__init__(text)
        self.text, self.status, self.retry_after = text, status, 0.0

    def __str__(self) -> str:
        name = self.status.name.lower() if isinstance(self.status, Status) else self.status
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in self.text)
        return text if name is None else f"{name}: {text}"


class Disconnected(EdgedError):
    """edged is not there, or has closed the connection."""


class ProtocolError(EdgedError):
    """The peer does not speak edged's protocol."""


class Invalid(EdgedError):
    """The request does not fit the model."""


class NotFound(EdgedError):
    """No such model, version, signature, tensor or session."""


class Denied(EdgedError):
    """The caller may not do this."""


class TooLarge(EdgedError):
    """Above a limit of edged or of this client."""


class Overloaded(EdgedError):
    """No room now: try again later."""


class Deadline(EdgedError):
    """The time was over before the answer was there."""


class Unsupported(EdgedError):
    """This edged does not have it."""


class ModelRefused(EdgedError):
    """The model's file was refused when it was loaded."""


class Failed(EdgedError):
    """The run failed, or edged did."""


_ERRORS = {
    Status.INVALID: Invalid, Status.NOT_FOUND: NotFound, Status.DENIED: Denied, Status.TOO_LARGE: TooLarge,
    Status.OVERLOADED: Overloaded, Status.DEADLINE: Deadline, Status.UNSUPPORTED: Unsupported,
    Status.MODEL_REFUSED: ModelRefused, Status.BACKEND: Failed, Status.INTERNAL: Failed,
}


def error(status: int, text: str) -> EdgedError:
    if status not in Status.__members__.values():
        return EdgedError(text, status)
    kind: Type[EdgedError] = _ERRORS.get(Status(status), EdgedError)
    return kind(text, Status(status))


class ElementType(enum.IntEnum):
    """Types of elements: the numbers of TensorFlow Lite's TensorType."""
    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    STRING = 5
    BOOL = 6
    INT16 = 7
    COMPLEX64 = 8
    INT8 = 9
    FLOAT64 = 10
    COMPLEX128 = 11
    UINT64 = 12
    UINT32 = 15
    UINT16 = 16
    INT4 = 17
    BFLOAT16 = 18


# The letter of the struct module, and numpy's name, of each type that they have.
_LETTERS = {
    ElementType.FLOAT32: "f", ElementType.FLOAT16: "e", ElementType.INT32: "i", ElementType.UINT8: "B",
    ElementType.INT64: "q", ElementType.BOOL: "?", ElementType.INT16: "h", ElementType.INT8: "b",
    ElementType.FLOAT64: "d", ElementType.UINT64: "Q", ElementType.UINT32: "I", ElementType.UINT16: "H",
}
_COMPLEX = {ElementType.COMPLEX64: "f", ElementType.COMPLEX128: "d"}
_BITS = {
    **{t: 8 * struct.calcsize("<" + letter) for t, letter in _LETTERS.items()},
    **{t: 16 * struct.calcsize("<" + letter) for t, letter in _COMPLEX.items()},
    ElementType.INT4: 4, ElementType.BFLOAT16: 16,
}
_NUMPY = {
    **{t: "<" + letter for t, letter in _LETTERS.items()},
    ElementType.INT64: "<i8", ElementType.UINT64: "<u8", ElementType.COMPLEX64: "<c8", ElementType.COMPLEX128: "<c16",
}
# What a buffer calls its elements: kind and bytes.
_KINDS = {**dict.fromkeys("bhilqn", "i"), **dict.fromkeys("BHILQN", "u"), **dict.fromkeys("efd", "f"), "?": "?", "Zf": "Z", "Zd": "Z"}
_OF_BUFFER = {
    ("i", 1): ElementType.INT8, ("i", 2): ElementType.INT16, ("i", 4): ElementType.INT32, ("i", 8): ElementType.INT64,
    ("u", 1): ElementType.UINT8, ("u", 2): ElementType.UINT16, ("u", 4): ElementType.UINT32, ("u", 8): ElementType.UINT64,
    ("f", 2): ElementType.FLOAT16, ("f", 4): ElementType.FLOAT32, ("f", 8): ElementType.FLOAT64,
    ("?", 1): ElementType.BOOL, ("Z", 8): ElementType.COMPLEX64, ("Z", 16): ElementType.COMPLEX128,
}


@functools.lru_cache(maxsize=None)
def _numpy() -> Any:
    try:
        import numpy  # type: ignore[import-not-found,unused-ignore] # only where values are asked for: it takes longer to import than most models take to run
        return numpy
    except ImportError:
        return None


def _text_of_shape(shape: Shape) -> str:
    return "x".join("?" if d < 0 else str(d) for d in shape) or "one element"


class Reader:
    """Takes fields from a body; what is not there is the peer's fault."""

    def __init__(self, body: memoryview) -> None:
        self.body, self.at = body, 0

    def bytes(self, n: int) -> memoryview:
        if n > len(self.body) - self.at:
            raise ProtocolError("a reply ends too early")
        self.at += n
        return self.body[self.at - n:self.at]

    def take(self, layout: str) -> Tuple[Any, ...]:
        return struct.unpack("<" + layout, self.bytes(struct.calcsize("<" + layout)))

    def text(self, layout: str = "H") -> str:
        return bytes(self.bytes(self.take(layout)[0])).decode("utf-8", "backslashreplace")

    def lines(self) -> List[str]:
        text = self.text("I")
        return text[:-1 if text[-1] == "\n" else None].split("\n") if text else []

    def type(self) -> ElementType:
        number = self.take("B")[0]
        if number not in ElementType.__members__.values():
            raise ProtocolError(f"a tensor has type {number}")
        return ElementType(number)

    def shape(self, free: bool) -> Shape:
        rank = self.take("B")[0]
        if rank > MAX_RANK:
            raise ProtocolError(f"a tensor has rank {rank}")
        shape = self.take(f"{rank}i")
        if any(not (0 <= d <= MAX_DIMENSION or (d == -1 and free)) for d in shape):
            raise ProtocolError("a tensor has an impossible shape")
        return shape

    def end(self) -> None:
        if self.at != len(self.body):
            raise ProtocolError("a reply has bytes left over")


def number(value: Any, most: int, what: str) -> int:
    """@value, which is to be a whole number from 0 to @most."""
    if hasattr(value, "__index__") and 0 <= value.__index__() <= most:
        return int(value.__index__())
    raise Invalid(f"{what} is a whole number from 0 to {most}, not {value!r}", Status.INVALID)


def put_text(text: Union[str, bytes]) -> bytes:
    try:
        raw = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as problem:
        raise Invalid(f"{ascii(text)} is no text: {problem.reason}", Status.INVALID) from None
    if not isinstance(raw, bytes):
        raise Invalid(f"{text!r} is no text", Status.INVALID)
    if len(raw) > 0xFFFF:
        raise Invalid("a name is longer than 65535 bytes", Status.INVALID)
    return struct.pack("<H", len(raw)) + raw


def put_shape(shape: Shape) -> bytes:
    return struct.pack(f"<B{len(shape)}i", len(shape), *shape)


# ---- models, as edged describes them


class ModelState(NamedTuple):
    """A line of list(). `state`: loading, ready, refused. `reason`: why the newest file was refused, or empty."""
    name: str
    version: str
    state: str
    reason: str
    generation: int


@dataclass(frozen=True)
class Tensor:
    """An input or output of a model. `shape` is as planned, `declared` has -1 where the model leaves a dimension free; with
    `run_time_shape` only a run can tell. real = scale * (q - zero_point); scale is 0 when that does not hold."""
    name: str
    type: ElementType
    shape: Shape
    declared: Shape
    run_time_shape: bool
    content: Optional[str]
    colour_space: Optional[str]
    scale: float
    zero_point: int
    bytes: int
    score_threshold: Optional[float]
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    labels: Sequence[str] = field(repr=False)

    def quantize(self, values: Any) -> Any:
        """Real numbers as this 8- or 16-bit tensor has them, to the nearest and within its range: a numpy array for a numpy
        array, else a flat list."""
        ranges = {ElementType.INT8: (-128, 127), ElementType.UINT8: (0, 255), ElementType.INT16: (-32768, 32767)}
        if not self.scale > 0 or self.type not in ranges:
            raise Invalid(f"{self.name} is not quantised", Status.INVALID)
        low, high = ranges[self.type]
        if hasattr(values, "dtype"):
            np = _numpy()
            real = values.astype("f8") / self.scale
            if not np.isfinite(real).all():
                raise Invalid("only finite numbers can be quantised", Status.INVALID)
            return np.clip(np.copysign(np.floor(abs(real) + 0.5), real) + self.zero_point, low, high).astype(_NUMPY[self.type])
        flat: List[Any] = []
        _flatten(values, flat, self.name)
        return [_quantized(v / self.scale, self.zero_point, low, high) for v in flat]


def _quantized(value: float, zero_point: int, low: int, high: int) -> int:
    if not math.isfinite(value):
        raise Invalid("only finite numbers can be quantised", Status.INVALID)
    return min(max(int(math.copysign(math.floor(abs(value) + 0.5), value)) + zero_point, low), high)


class Signature(NamedTuple):
    """What can be asked of a model."""
    key: str
    inputs: Tuple[Tensor, ...]
    outputs: Tuple[Tensor, ...]


@dataclass(frozen=True)
class Model:
    """A model that serves. The first signature is the default and has an empty key."""
    name: str
    version: str
    generation: int
    title: str
    description: str
    author_version: str
    file_bytes: int
    arena_bytes: int
    prepared_bytes: int
    macs: int
    nodes: int
    subgraphs: int
    has_float: bool
    has_state: bool
    labels: Sequence[str] = field(repr=False)
    signatures: Tuple[Signature, ...]

    @property
    def inputs(self) -> Tuple[Tensor, ...]:
        return self.signatures[0].inputs

    @property
    def outputs(self) -> Tuple[Tensor, ...]:
        return self.signatures[0].outputs

    def signature(self, key: str) -> Signature:
        for found in self.signatures:
            if found.key == key:
                return found
        raise NotFound(f"{self.name} has no signature {key}", Status.NOT_FOUND)


def _read_tensor(r: Reader) -> Tensor:
    name, type_ = r.text(), r.type()
    flags, content, colours = r.take("BBB")
    shape, declared = r.shape(bool(flags & 1)), r.shape(True)
    scale, zero_point, size, threshold = r.take("fiQf")
    mean = r.take(f"{r.take('I')[0]}f")
    std = r.take(f"{r.take('I')[0]}f")
    contents, spaces = ("feature", "image", "audio", "bounding box"), ("unknown", "RGB", "grayscale")
    return Tensor(
        name, type_, shape, declared, bool(flags & 1), contents[content] if flags & 2 and content < len(contents) else None,
        spaces[colours] if flags & 2 and colours < len(spaces) else None, scale, zero_point, size,
        None if math.isnan(threshold) else threshold, mean, std, r.lines())


def read_model(r: Reader) -> Model:
    name, version, generation = r.text(), r.text(), r.take("Q")[0]
    title, description, author_version = r.text(), r.text(), r.text()
    file_bytes, arena_bytes, prepared_bytes, macs, nodes, subgraphs, flags = r.take("QQQQIII")
    labels = r.lines()
    signatures = []
    for _ in range(r.take("I")[0]):
        key = r.text()
        n_inputs, n_outputs = r.take("II")
        inputs = tuple(_read_tensor(r) for _ in range(n_inputs))
        signatures.append(Signature(key, inputs, tuple(_read_tensor(r) for _ in range(n_outputs))))
    if not signatures:
        raise ProtocolError("a model has no signature")
    return Model(name, version, generation, title, description, author_version, file_bytes, arena_bytes, prepared_bytes, macs, nodes,
                 subgraphs, bool(flags & 1), bool(flags & 2), labels, tuple(signatures))


# ---- values: what a program has <-> the bytes of a tensor


def _flatten(value: Any, flat: List[Any], name: str, depth: int = 0) -> Shape:
    """Appends the elements of nested lists to @flat; their shape."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        flat.append(value)
        return ()
    if depth == MAX_RANK:  # one that has itself as an element would have no end
        raise Invalid(f"{name}: lists within lists, more than {MAX_RANK} deep", Status.INVALID)
    shapes = {_flatten(v, flat, name, depth + 1) for v in value} or {()}
    if len(shapes) > 1:
        raise Invalid(f"{name}: its lists are not all of one length", Status.INVALID)
    return (len(value), *shapes.pop())


def _pack(type_: ElementType, flat: List[Any]) -> bytes:
    if type_ == ElementType.STRING:
        return _pack_strings(flat)
    if type_ == ElementType.BOOL and not all(v in (0, 1) for v in flat):
        raise ValueError("only True and False are booleans")
    if type_ in _LETTERS:
        return struct.pack(f"<{len(flat)}{_LETTERS[type_]}", *flat)
    if type_ in _COMPLEX:
        parts = [part for v in flat for part in (complex(v).real, complex(v).imag)]
        return struct.pack(f"<{len(parts)}{_COMPLEX[type_]}", *parts)
    if type_ == ElementType.BFLOAT16:
        return b"".join(struct.pack("<H", _bfloat16(v)) for v in flat)
    if not all(isinstance(v, int) and -8 <= v <= 7 for v in flat):
        raise ValueError("int4 goes from -8 to 7")
    low, high = flat[::2], flat[1::2] + [0] * (len(flat) % 2)
    return bytes((a & 15) | (b & 15) << 4 for a, b in zip(low, high))


def _bfloat16(value: float) -> int:
    """The upper half of a single, to the nearest, ties to even."""
    bits: int = struct.unpack("<I", struct.pack("<f", value))[0]
    return bits >> 16 | 0x40 if math.isnan(value) else (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def _pack_strings(flat: Iterable[Union[str, bytes]]) -> bytes:
    raw = [v.encode() if isinstance(v, str) else bytes(memoryview(v)) for v in flat]
    offsets = [4 * (len(raw) + 2)]
    for v in raw:
        offsets.append(offsets[-1] + len(v))
    return struct.pack(f"<{len(raw) + 2}i", len(raw), *offsets) + b"".join(raw)


def _unpack(type_: ElementType, data: memoryview, count: int) -> List[Any]:
    if type_ == ElementType.STRING:
        offsets = struct.unpack_from(f"<{count + 1}i", data, 4)
        return [bytes(data[a:b]) for a, b in zip(offsets, offsets[1:])]
    if type_ in _LETTERS:
        return list(struct.unpack(f"<{count}{_LETTERS[type_]}", data))
    if type_ in _COMPLEX:
        parts = struct.unpack(f"<{2 * count}{_COMPLEX[type_]}", data)
        return [complex(*pair) for pair in zip(parts[::2], parts[1::2])]
    if type_ == ElementType.BFLOAT16:
        return [struct.unpack("<f", struct.pack("<I", v << 16))[0] for v in struct.unpack(f"<{count}H", data)]
    nibbles = [n for byte in data for n in (byte & 15, byte >> 4)]
    return [n - 16 if n > 7 else n for n in nibbles[:count]]


def check_strings(data: memoryview, shape: Shape) -> None:
    count, r = math.prod(shape), Reader(data)
    offsets = r.take("i")
    offsets += r.take(f"{count + 1}i") if offsets[0] == count else ()
    wanted = 4 * (count + 2)
    rise = all(a <= b for a, b in zip(offsets[1:], offsets[2:]))
    if len(offsets) != count + 2 or offsets[1] != wanted or offsets[-1] != len(data) or not rise:
        raise ProtocolError("a table of strings is not whole")


def bytes_of(type_: ElementType, shape: Shape) -> int:
    return (math.prod(shape) * _BITS[type_] + 7) // 8


def _fit(shape: Shape, tensor: Tensor, resize: bool) -> Shape:
    """The shape under which values of @shape are sent."""
    planned = tensor.shape
    if [d for d in shape if d != 1] == [d for d in planned if d != 1] or shape == (math.prod(planned),):
        return planned
    if resize or (len(shape) == len(tensor.declared) and all(d in (-1, s) for d, s in zip(tensor.declared, shape))):
        return shape
    raise Invalid(f"input {tensor.name} has shape {_text_of_shape(shape)}, the model takes {_text_of_shape(tensor.declared)}",
                  Status.INVALID)


def encode(value: Any, tensor: Tensor, resize: bool) -> Tuple[Shape, bytes]:
    """Shape and bytes of an input."""
    name = f"input {tensor.name}"
    if isinstance(value, (bytes, bytearray)) and tensor.type != ElementType.STRING:
        if len(value) != bytes_of(tensor.type, tensor.shape):
            raise Invalid(f"{name} has {len(value)} bytes, the model takes {bytes_of(tensor.type, tensor.shape)}", Status.INVALID)
        return tensor.shape, bytes(value)
    typed = tensor.type in _OF_BUFFER.values() and (hasattr(value, "dtype") or isinstance(value, (array.array, memoryview)))
    if typed:
        view = memoryview(value)
        found = _OF_BUFFER.get((_KINDS.get((view.format or "B").lstrip("@=<"), ""), view.itemsize))
        if found != tensor.type:
            said = found.name.lower() if found is not None else f"elements of format {view.format}"
            raise Invalid(f"{name} has {said}, the model takes {tensor.type.name.lower()}", Status.INVALID)
        return _fit(view.shape or (), tensor, resize), view.tobytes()
    flat: List[Any] = []
    shape = _flatten(value, flat, name)
    try:
        return _fit(shape, tensor, resize), _pack(tensor.type, flat)
    except (struct.error, ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"{name} takes {tensor.type.name.lower()}: {error}", Status.INVALID) from None


@dataclass(frozen=True)
class Score:
    """One of the best. `label` is empty where the model has none for this index."""
    label: str
    score: float
    index: int


@dataclass(frozen=True)
class Output:
    """An output of one answer. `data` are its bytes, little endian and row major."""
    name: str
    type: ElementType
    shape: Shape
    data: memoryview = field(repr=False)
    tensor: Tensor = field(repr=False)
    labels: Sequence[str] = field(repr=False)

    def flat(self) -> List[Any]:
        """The elements in their order. Strings are bytes."""
        return _unpack(self.type, self.data, math.prod(self.shape))

    def tolist(self) -> Any:
        """The elements as nested lists; a single one without lists."""
        values: List[Any] = self.flat()
        if 0 in self.shape:
            return [] if self.shape[0] == 0 else _nest_empty(self.shape)
        for d in reversed(self.shape):
            values = [values[i:i + d] for i in range(0, len(values), d)]
        return values[0]

    def numpy(self) -> Any:
        """A numpy array: over the bytes themselves where numpy has the type, else of objects or of the nearest type."""
        np = _numpy()
        if np is None:
            raise EdgedError("numpy is not installed")
        if self.type in _NUMPY:
            return np.frombuffer(self.data, _NUMPY[self.type]).reshape(self.shape)
        kinds = {ElementType.STRING: object, ElementType.INT4: "i1", ElementType.BFLOAT16: "<f4"}
        return np.array(self.flat(), kinds[self.type]).reshape(self.shape)

    @property
    def values(self) -> Any:
        """numpy() where numpy is installed, else tolist()."""
        return self.tolist() if _numpy() is None else self.numpy()

    def real(self) -> List[Any]:
        """The elements in their order, as real numbers where the output is quantised."""
        scale, zero_point = self.tensor.scale, self.tensor.zero_point
        return [scale * (q - zero_point) for q in self.flat()] if scale > 0 else self.flat()

    def top(self, k: int = 5) -> List[Score]:
        """The @k largest, best first; of equal ones the first."""
        best = heapq.nlargest(k, enumerate(self.real()), key=lambda pair: pair[1])
        return [Score(self.labels[i] if i < len(self.labels) else "", score, i) for i, score in best]


def _nest_empty(shape: Shape) -> Any:
    return [_nest_empty(shape[1:]) for _ in range(shape[0])] if shape else []


@dataclass(frozen=True)
class Answer:
    """Outputs, in the order wanted. answer[0] and answer["name"] are the values of one of them."""
    version: str
    generation: int
    queue_us: int
    run_us: int
    outputs: Tuple[Output, ...]

    def __getitem__(self, which: Union[int, str]) -> Any:
        if isinstance(which, int):
            return self.outputs[which].values
        for output in self.outputs:
            if output.name == which:
                return output.values
        raise KeyError(which)
