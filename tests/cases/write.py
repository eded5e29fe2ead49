# SPDX-License-Identifier: Apache-2.0
"""Runs a model under LiteRT's reference kernels and writes what it answers as a golden case.

The format of case.txt is that of ../shared/golden/README.md, which tests/golden reads.
"""
import hashlib
import os

import numpy as np
from ai_edge_litert import interpreter as litert


def open_model(flatbuffer):
    """By the reference kernels; operators that only the other resolver has (CEIL) by that one."""
    kinds = litert.OpResolverType
    for kind in (kinds.BUILTIN_REF, kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        try:
            return litert.Interpreter(model_content=flatbuffer, num_threads=1,
                                      experimental_op_resolver_type=kind)
        except ValueError as error:
            if "Didn't find op" not in str(error):
                raise
    raise ValueError("an operator that no resolver has")


def show_shape(array):
    return "x".join(str(d) for d in array.shape) if array.ndim else "-"


def is_strings(array):
    return array.dtype.kind in "OSU"


def encode_strings(array):
    """A length and the bytes, for each string."""
    return b"".join(len(s).to_bytes(4, "little") + s for s in array.reshape(-1).tolist())


class Folder:
    """A case in the making: its lines, and its raw files (equal ones are written once)."""

    def __init__(self, path, model, note):
        os.makedirs(path, exist_ok=True)
        self.path, self.files = path, {}
        self.lines = [f"model {model}", f"sha256 {file_hash(os.path.join(path, model))}"]
        if note:
            self.lines.append("note " + note)

    def raw(self, name, array):
        data = encode_strings(array) if is_strings(array) else np.ascontiguousarray(array).tobytes()
        if not data.strip(b"\0"):
            return "@zero"
        if data not in self.files:
            self.files[data] = name
            with open(os.path.join(self.path, name), "wb") as file:
                file.write(data)
        return self.files[data]

    def add(self, kind, step, index, array, name, compare=None):
        file = self.raw(f"{kind}{step}_{index}.bin", array)
        rule = [compare] if compare else []
        dtype = "string" if is_strings(array) else str(array.dtype)
        self.lines.append(" ".join([kind, str(step), str(index), dtype,
                                    show_shape(array), *rule, file, name]))

    def close(self):
        with open(os.path.join(self.path, "case.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(self.lines) + "\n")


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def compare_rule(array, compare):
    """@compare, or for "close" a tolerance that fits the numbers."""
    if compare != "close" or array.dtype != np.float32:
        return "exact" if compare == "close" else compare
    finite = np.abs(array[np.isfinite(array)])
    largest = finite.max() if finite.size else 0
    return f"close:{max(1e-7, 2e-6 * float(largest)):.1e}:1e-05"


def run_steps(folder, interpreter, steps, compare):
    """Each step gives all inputs in order; an input of another shape is resized first."""
    for step, inputs in enumerate(steps):
        details = interpreter.get_input_details()
        for index, (detail, data) in enumerate(zip(details, inputs)):
            if tuple(detail["shape"]) != data.shape:
                interpreter.resize_tensor_input(detail["index"], data.shape)
            folder.add("in", step, index, data, detail["name"])
        interpreter.allocate_tensors()
        for detail, data in zip(details, inputs):
            interpreter.set_tensor(detail["index"], data)
        interpreter.invoke()
        for index, detail in enumerate(interpreter.get_output_details()):
            out = np.array(interpreter.get_tensor(detail["index"]))
            folder.add("out", step, index, out, detail["name"], compare_rule(out, compare))


def write_own_case(path, model, inputs, outputs, steps, compare, note):
    """A case whose answers LiteRT does not know. @model has its shapes; @steps: per run the arrays
    of the inputs, and those of the outputs."""
    write_model(path, model, inputs, outputs, known_shapes=True)
    folder = Folder(path, "model.tflite", note)
    for step, (ins, outs) in enumerate(steps):
        for index, data in enumerate(ins):
            folder.add("in", step, index, data, model.graph.tensors[inputs[index]].name)
        for index, data in enumerate(outs):
            folder.add("out", step, index, data, model.graph.tensors[outputs[index]].name,
                       compare_rule(data, compare))
    folder.close()


def write_model(path, model, inputs, outputs, known_shapes=False):
    """model.tflite of a Model; the shapes within are those that LiteRT finds."""
    os.makedirs(path, exist_ok=True)
    if not known_shapes:
        interpreter = open_model(model.encode(inputs, outputs))
        interpreter.allocate_tensors()
        model.set_shapes(interpreter)
    with open(os.path.join(path, "model.tflite"), "wb") as file:
        file.write(model.encode(inputs, outputs))


def read_model(path, model="model.tflite"):
    with open(os.path.join(path, model), "rb") as file:
        return file.read()


def write_case(path, model, inputs, outputs, steps, compare="exact", note=None):
    """@model: a Model; @steps: per run the arrays of its inputs."""
    write_model(path, model, inputs, outputs)
    write_file_case(path, "model.tflite", steps, compare, note)


def write_file_case(path, file, steps, compare="exact", note=None):
    """A case of a model file that is there already, @file relative to the folder."""
    os.makedirs(path, exist_ok=True)
    folder = Folder(path, file, note)
    run_steps(folder, open_model(read_model(path, file)), steps, compare)
    folder.close()


def write_signature_case(path, file, key, steps, compare="exact"):
    """@steps: per run {name of an input: array}. Positions are those of the sorted names."""
    os.makedirs(path, exist_ok=True)
    folder = Folder(path, file, None)
    folder.lines.insert(2, "signature " + key)
    runner = open_model(read_model(path, file)).get_signature_runner(key)
    for step, inputs in enumerate(steps):
        for index, name in enumerate(sorted(inputs)):
            folder.add("in", step, index, inputs[name], name)
        answers = runner(**inputs)
        for index, name in enumerate(sorted(answers)):
            out = np.array(answers[name])
            folder.add("out", step, index, out, name, compare_rule(out, compare))
    folder.close()


def refusal(flatbuffer, inputs):
    """What LiteRT says when it refuses to load, to prepare or to run; None when it does not."""
    try:
        interpreter = open_model(flatbuffer)
        interpreter.allocate_tensors()
        for detail, data in zip(interpreter.get_input_details(), inputs):
            interpreter.set_tensor(detail["index"], data)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        return " ".join(str(error).split("/")[-1].split())
    return None


def write_refused(path, flatbuffer, inputs, note=None):
    """A case that must fail. @flatbuffer: bytes, whatever they are."""
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "model.tflite"), "wb") as file:
        file.write(flatbuffer)
    reason = refusal(flatbuffer, inputs)
    if not reason:
        raise SystemExit(f"{path}: LiteRT runs it")
    folder = Folder(path, "model.tflite", note)
    for index, data in enumerate(inputs):
        folder.add("in", 0, index, data, f"in{index}")
    folder.lines.append("fails 0 " + reason)
    folder.close()
