# SPDX-License-Identifier: Apache-2.0
"""The bodies of INFER and of its reply (docs/protocol.md)."""
from __future__ import annotations

import struct
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from edged_memory import Place
from edged_tensor import (
    Answer, ElementType, Invalid, Model, NotFound, Output, ProtocolError, Reader, Shape, Signature, Status, Tensor, bytes_of,
    check_strings, encode, put_shape, put_text)

ALIGN = 64
_ALL_OUTPUTS = 0xFFFF

Inputs = Union[Mapping[str, Any], Sequence[Any]]
Places = Mapping[Union[int, str], Place]


def pick(tensors: Tuple[Tensor, ...], which: Union[int, str], what: str) -> int:
    if isinstance(which, str):
        for i, tensor in enumerate(tensors):
            if tensor.name == which:
                return i
    elif hasattr(which, "__index__") and 0 <= which.__index__() < len(tensors):
        return which.__index__()
    raise NotFound(f"the model has no {what} {which}", Status.NOT_FOUND)


def _lies(value: Place, tensor: Tensor) -> Tuple[Shape, int]:
    """Shape and bytes of an input that is in memory."""
    shape = tensor.shape if value.shape is None else value.shape
    if value.bytes != bytes_of(tensor.type, shape):
        raise Invalid(f"input {tensor.name} has {value.bytes} bytes, its shape {bytes_of(tensor.type, shape)}", Status.INVALID)
    return shape, value.bytes


def _put_places(places: Mapping[int, Place]) -> bytes:
    put = (struct.pack("<HIQQ", i, place.memory.region, place.offset, place.bytes) for i, place in places.items())
    return struct.pack("<H", len(places)) + b"".join(put)


def infer_head(named: Tuple[str, str, str], key: int, signature: Signature, inputs: Inputs, wanted: Sequence[int], all_: bool,
               resize: bool, places: Optional[Mapping[int, Place]]) -> Tuple[bytearray, List[bytes]]:
    """The body of an INFER up to its data, and the data. @places: None when nothing of it lies in memory."""
    pairs = inputs.items() if isinstance(inputs, Mapping) else enumerate(inputs)
    given = {pick(signature.inputs, which, "input"): value for which, value in pairs}
    missing = [t.name or str(i) for i, t in enumerate(signature.inputs) if i not in given]
    if missing:
        raise Invalid(f"missing: {', '.join(missing)}", Status.INVALID)
    body = bytearray(b"".join(put_text(text) for text in named))
    body += struct.pack("<Q", key) if key else b""
    body += struct.pack("<HH", len(given), _ALL_OUTPUTS if all_ else len(wanted))
    body += b"" if all_ else struct.pack(f"<{len(wanted)}H", *wanted)
    body += b"" if places is None else _put_places(places)
    data = []
    for i, value in given.items():
        there = isinstance(value, Place)
        shape, raw = (_lies(value, signature.inputs[i])[0], b"") if there else encode(value, signature.inputs[i], resize)
        size = value.bytes if there else len(raw)
        data += [] if there else [raw]
        body += struct.pack("<HHB", i, 0, signature.inputs[i].type) + put_shape(shape) + struct.pack("<I", size)
        if places is not None:
            body += struct.pack("<IQ", value.memory.region if there else 0, value.offset if there else 0)
    return body, data


class _Head(NamedTuple):
    position: int
    name: str
    type: ElementType
    shape: Shape
    size: int
    region: int
    offset: int


class Raw(NamedTuple):
    """An INFER reply before it is known what its outputs are called elsewhere."""
    version: str
    generation: int
    queue_us: int
    run_us: int
    heads: List[_Head]
    data: List[memoryview]


def _data_of(r: Reader, head: _Head, places: Optional[Mapping[int, Place]]) -> memoryview:
    if not head.region:
        r.bytes(-r.at % ALIGN)
        return r.bytes(head.size)
    place = (places or {}).get(head.position)
    if place is None or (place.memory.region, place.offset) != (head.region, head.offset) or head.size > place.bytes:
        raise ProtocolError("an output is not where it was wanted")
    return place.view[:head.size]


def read_infer(r: Reader, places: Optional[Mapping[int, Place]]) -> Raw:
    version, (generation, queue_us, run_us, n) = r.text(), r.take("QQQH")
    heads = [_Head(r.take("H")[0], r.text(), r.type(), r.shape(False), r.take("I")[0], *(r.take("IQ") if places is not None else (0, 0)))
             for _ in range(n)]
    data = []
    for head in heads:
        data.append(_data_of(r, head, places))
        if head.type == ElementType.STRING:
            check_strings(data[-1], head.shape)
        elif head.size != bytes_of(head.type, head.shape):
            raise ProtocolError("an output's bytes do not fit its shape")
    return Raw(version, generation, queue_us, run_us, heads, data)


def read_answer(raw: Raw, model: Model, signature: Signature) -> Answer:
    outputs = []
    for head, data in zip(raw.heads, raw.data):
        tensor = signature.outputs[pick(signature.outputs, head.position, "output")]
        outputs.append(Output(head.name, head.type, head.shape, data, tensor, tensor.labels or model.labels))
    return Answer(raw.version, raw.generation, raw.queue_us, raw.run_us, tuple(outputs))
