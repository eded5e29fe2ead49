# SPDX-License-Identifier: Apache-2.0
"""Writes TFLite metadata into a model: what its tensors mean, how to normalise, names of classes.

Facts are those of metadata_schema.fbs 1.3.0 (identifier M001): numbers of fields in the order in
which the schema declares them. The flatbuffer goes into a buffer of the model that the metadata
entry "TFLITE_METADATA" names; label files are appended to the model as stored ZIP entries.
"""
import io
import zipfile

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

# Members of the unions ContentProperties and ProcessUnitOptions
FEATURE, IMAGE, AUDIO = 1, 2, 4
NORMALIZATION, SCORE_THRESHOLDING = 1, 3
GRAYSCALE = 2  # ColorSpaceType
TENSOR_AXIS_LABELS = 2  # AssociatedFileType


class AlignedBuilder(flatbuffers.Builder):
    """Starts vectors of bytes at multiples of 16, as schema.fbs asks of the data of a buffer."""

    def StartVector(self, size, count, alignment):
        return super().StartVector(size, count, 16 if size == 1 else alignment)


def write_table(b, fields):
    """A table from {field number: (kind, value)}; kind is a Prepend...Slot of the builder."""
    b.StartObject(max(fields) + 1 if fields else 0)
    for number, (kind, value) in sorted(fields.items()):
        getattr(b, f"Prepend{kind}Slot")(number, value, 0)
    return b.EndObject()


def offsets(**fields):
    """{"f3": offset} to {3: ("UOffsetTRelative", offset)}, leaving out those that are None."""
    return {int(name[1:]): ("UOffsetTRelative", value)
            for name, value in fields.items() if value is not None}


def write_vector(b, tables):
    b.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        b.PrependUOffsetTRelative(table)
    return b.EndVector()


def write_floats(b, values):
    b.StartVector(4, len(values), 4)
    for value in reversed(values):
        b.PrependFloat32(value)
    return b.EndVector()


def write_union(b, type_field, kind, table):
    return write_table(b, {type_field: ("Uint8", kind), **offsets(**{f"f{type_field + 1}": table})})


def write_process_units(b, tensor):
    """[ProcessUnit], or None where the tensor has no normalisation and no threshold."""
    units = []
    if "mean" in tensor:
        mean, std = write_floats(b, tensor["mean"]), write_floats(b, tensor["std"])
        options = write_table(b, offsets(f0=mean, f1=std))
        units.append(write_union(b, 0, NORMALIZATION, options))
    if "threshold" in tensor:
        options = write_table(b, {0: ("Float32", tensor["threshold"])})
        units.append(write_union(b, 0, SCORE_THRESHOLDING, options))
    return write_vector(b, units) if units else None


def write_content(b, tensor):
    if tensor.get("image"):
        kind, properties = IMAGE, write_table(b, {0: ("Int8", GRAYSCALE)})
    elif "rate" in tensor:
        kind, properties = AUDIO, write_table(b, {0: ("Uint32", tensor["rate"]), 1: ("Uint32", 1)})
    else:
        kind, properties = FEATURE, write_table(b, {})
    return write_union(b, 0, kind, properties)


def write_label_file(b, tensor):
    """[AssociatedFile] of the tensor's labels, or None."""
    if "labels" not in tensor:
        return None
    name = b.CreateString("labels.txt")
    description = b.CreateString("one name per line, in the order of the last axis")
    file = write_table(b, {**offsets(f0=name, f1=description), 2: ("Int8", TENSOR_AXIS_LABELS)})
    return write_vector(b, [file])


def write_tensor(b, tensor):
    return write_table(b, offsets(
        f0=b.CreateString(tensor["name"]), f1=b.CreateString(tensor["description"]),
        f3=write_content(b, tensor), f4=write_process_units(b, tensor),
        f6=write_label_file(b, tensor)))


def encode(model):
    """The ModelMetadata flatbuffer of {"name", "description", "version", "input", "output"}."""
    b = flatbuffers.Builder(1024)
    inputs = write_vector(b, [write_tensor(b, model["input"])])
    outputs = write_vector(b, [write_tensor(b, model["output"])])
    subgraph = write_table(b, offsets(f2=inputs, f3=outputs))
    root = write_table(b, offsets(
        f0=b.CreateString(model["name"]), f1=b.CreateString(model["description"]),
        f2=b.CreateString(model["version"]), f3=write_vector(b, [subgraph]),
        f4=b.CreateString("the edged project"), f5=b.CreateString("Apache-2.0"),
        f7=b.CreateString("1.3.0" if "rate" in model["input"] else "1.0.0")))
    b.Finish(root, b"M001")
    return bytes(b.Output())


def put_entry(model, name, data):
    """Sets a metadata entry of the model (object API) to a new or to its present buffer."""
    model.metadata = model.metadata or []
    entry = next((m for m in model.metadata if m.name in (name, name.encode())), None)
    if entry is None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(schema.BufferT())
        model.metadata.append(entry)
    model.buffers[entry.buffer].data = np.frombuffer(data, np.uint8)


def append_files(flatbuffer, files):
    """The model with files behind it, as ZIP entries without compression and without a date."""
    out = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def attach(flatbuffer, description):
    """A model as the converter gave it becomes a model that says what it is."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer))
    put_entry(model, "TFLITE_METADATA", encode(description))
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = description["input"]["name"]
    graph.tensors[graph.outputs[0]].name = description["output"]["name"]
    b = AlignedBuilder(1024)
    b.Finish(model.Pack(b), b"TFL3")
    labels = description["output"].get("labels")
    files = {"labels.txt": "\n".join(labels) + "\n"} if labels else {}
    return append_files(bytes(b.Output()), files)
