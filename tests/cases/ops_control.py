# SPDX-License-Identifier: Apache-2.0
"""Cases of subgraphs that call each other, of variables and tables, and of shapes that only a run
knows."""
import numpy as np

from cases import write
from cases.model import TYPES, Model, encode_graphs, schema, tensor_maps


class Program(Model):
    """A main subgraph, with parts that it calls: numbers 1 and on, which share its buffers."""

    def __init__(self):
        super().__init__()
        self.parts, self.keys = [], {}

    def part(self):
        model = Model()
        model.codes, model.buffers = self.codes, self.buffers
        self.parts.append(model)
        return model

    def signature(self, key, model):
        """@model, whose ends are set, has that name."""
        self.keys[key] = model

    def encode(self, inputs, outputs):
        self.ends(inputs, outputs)
        models = [self, *self.parts]
        signatures = []
        for key, model in self.keys.items():
            one = schema.SignatureDefT()
            one.signatureKey, one.subgraphIndex = key, models.index(model)
            one.inputs = tensor_maps(model, model.graph.inputs)
            one.outputs = tensor_maps(model, model.graph.outputs)
            signatures.append(one)
        return encode_graphs([m.graph for m in models], self.codes, self.buffers, signatures)

    def add_if(self, operands, results, then, otherwise):
        self.op("IF", operands, results, options="IfOptions", thenSubgraphIndex=then,
                elseSubgraphIndex=otherwise)


def ints(*values):
    return np.array(values, np.int32)


def floats(*values):
    return np.array(values, np.float32)


def add_loop(model, operands, results, cond, body):
    model.op("WHILE", operands, results, options="WhileOptions", condSubgraphIndex=cond,
             bodySubgraphIndex=body)


def add(model, a, b, dtype, shape=(1,)):
    out = model.tensor("sum", dtype, shape)
    model.op("ADD", [a, b], [out], options="AddOptions")
    return out


def below(model, limit, kinds):
    """The first of @kinds (type, shape) is below @limit."""
    inputs = [model.tensor(f"c{i}", *kind) for i, kind in enumerate(kinds)]
    less = model.tensor("less", "bool", (1,))
    model.op("LESS", [inputs[0], model.constant("limit", ints(limit))], [less],
             options="LessOptions")
    model.ends(inputs, [less])


def tile(model, x, times, dtype, name="tiled"):
    out = model.tensor(name, dtype, (1,))
    model.op("TILE", [x, times], [out], options="TileOptions")
    return out


def branches(path, rng):
    model = Program()
    shape = (2, 3)
    condition, x = model.tensor("condition", "bool", (1,)), model.tensor("x", "float32", shape)
    y = model.tensor("y", "float32", shape)
    model.add_if([condition, x], [y], 1, 2)
    for name, op in (("then", "ADD"), ("else", "MUL")):
        part = model.part()
        own, out = part.tensor("x", "float32", shape), part.tensor(name, "float32", shape)
        part.op(op, [own, part.constant("k", floats(0.5, -2, 4))], [out],
                options=op.capitalize() + "Options")
        part.ends([own], [out])
    steps = [[np.array([c]), rng.normal(0, 2, shape).astype(np.float32)] for c in (True, False)]
    write.write_case(path, model, [condition, x], [y], steps)


def branch_shapes(path, rng):
    """One branch gives a longer tensor, the other its operand."""
    model = Program()
    condition, x = model.tensor("condition", "bool", (1,)), model.tensor("x", "int32", (3,))
    y = model.tensor("y", "int32", (3,))
    model.add_if([condition, x], [y], 1, 2)
    then, otherwise = model.part(), model.part()
    own = then.tensor("x", "int32", (3,))
    then.ends([own], [tile(then, own, then.constant("times", ints(2)), "int32")])
    own = otherwise.tensor("x", "int32", (3,))
    otherwise.ends([own], [own])
    steps = [[np.array([c]), rng.integers(-9, 9, n).astype(np.int32)]
             for c, n in ((True, 3), (False, 3), (False, 5), (True, 5))]
    write.write_case(path, model, [condition, x], [y], steps)


def fibonacci_parts(model):
    """i, a, b: i + 1, b, a + b as long as i is below 10."""
    kinds = [("int32", (1,))] * 3
    below(model.part(), 10, kinds)
    body = model.part()
    i, a, b = (body.tensor(name, *kind) for name, kind in zip("iab", kinds))
    body.ends([i, a, b], [add(body, i, body.constant("one", ints(1)), "int32"), b,
                          add(body, a, b, "int32")])


def fibonacci(path, rng):
    model = Program()
    inputs = [model.tensor(name, "int32", (1,)) for name in "iab"]
    outputs = [model.tensor(name + "_out", "int32", (1,)) for name in "iab"]
    add_loop(model, inputs, outputs, 1, 2)
    fibonacci_parts(model)
    starts = [(0, 0, 1), (10, 5, 6), (int(rng.integers(3, 8)), 2, 7)]
    write.write_case(path, model, inputs, outputs, [[ints(v) for v in s] for s in starts])


def loop_in_branch(path, rng):
    del rng
    model = Program()
    condition = model.tensor("condition", "bool", (1,))
    inputs = [model.tensor(name, "int32", (1,)) for name in "iab"]
    y = model.tensor("y", "int32", (1,))
    model.add_if([condition, *inputs], [y], 3, 4)
    fibonacci_parts(model)
    then, otherwise = model.part(), model.part()
    own = [then.tensor(name, "int32", (1,)) for name in "iab"]
    results = [then.tensor(name + "_out", "int32", (1,)) for name in "iab"]
    add_loop(then, own, results, 1, 2)
    then.ends(own, [results[2]])
    own = [otherwise.tensor(name, "int32", (1,)) for name in "iab"]
    otherwise.ends(own, [add(otherwise, own[1], own[2], "int32")])
    steps = [[np.array([c]), ints(i), ints(3), ints(4)]
             for c, i in ((True, 0), (False, 0), (True, 7), (True, 11))]
    write.write_case(path, model, [condition, *inputs], [y], steps)


def growing_loop(path, rng):
    """A tensor that is twice as long after each round."""
    model = Program()
    kinds = [("int32", (1,)), ("float32", (2,))]
    inputs = [model.tensor(name, *kind) for name, kind in zip("ix", kinds)]
    outputs = [model.tensor(name + "_out", *kind) for name, kind in zip("ix", kinds)]
    add_loop(model, inputs, outputs, 1, 2)
    below(model.part(), 10, kinds)
    body = model.part()
    i, x = (body.tensor(name, *kind) for name, kind in zip("ix", kinds))
    body.ends([i, x], [add(body, i, body.constant("one", ints(1)), "int32"),
                       tile(body, x, body.constant("times", ints(2)), "float32")])
    steps = [[ints(i), rng.normal(0, 1, 2).astype(np.float32)] for i in (7, 10, 9)]
    write.write_case(path, model, inputs, outputs, steps)


def variable(model, name):
    handle = model.tensor("handle", "resource", ())
    model.op("VAR_HANDLE", [], [handle], options="VarHandleOptions", container="", sharedName=name)
    return handle


def counter_parts(path):
    """Signatures that share a variable: "add" adds to it, "get" reads it."""
    model = Program()
    init, get = model.part(), model.part()
    x = model.tensor("x", "float32", (3,))
    model.op("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    handle, before = variable(model, "sum"), model.tensor("before", "float32", (3,))
    model.op("READ_VARIABLE", [handle], [before], options="ReadVariableOptions")
    after = add(model, before, x, "float32", (3,))
    model.op("ASSIGN_VARIABLE", [handle, after], [], options="AssignVariableOptions")
    init.op("ASSIGN_VARIABLE", [variable(init, "sum"), init.constant("start", floats(1, 2, 3))], [],
            options="AssignVariableOptions")
    init.ends([], [])
    get.op("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    got = get.tensor("got", "float32", (3,))
    get.op("READ_VARIABLE", [variable(get, "sum")], [got], options="ReadVariableOptions")
    get.ends([], [got])
    model.ends([x], [before, after])
    model.signature("add", model)
    model.signature("get", get)
    write.write_model(path, model, [x], [before, after], known_shapes=True)


def counter(path, rng):
    counter_parts(path)
    steps = [{"x": rng.integers(-9, 9, 3).astype(np.float32)} for _ in range(3)]
    write.write_signature_case(path, "model.tflite", "add", steps)


def counter_get(path, rng):
    del rng
    counter_parts(path)
    write.write_signature_case(path, "model.tflite", "get", [{}])


def one_string(model, name="path"):
    return model.tensor(name, "string", ())


def training(path, rng):
    """The four signatures of TensorFlow Lite's guide to on-device training, around a variable that
    "train" adds to. Its operators that save and restore are TensorFlow's, which LiteRT runs in its
    largest build only: the answers are ours."""
    model = Program()
    infer, save, restore, init = (model.part() for _ in range(4))
    init.op("ASSIGN_VARIABLE", [variable(init, "sum"), init.constant("start", floats(1, 2, 3))], [],
            options="AssignVariableOptions")
    init.ends([], [])
    for part in (model, infer, save):
        part.op("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=4)
    reads = []
    for part in (model, infer, save):
        handle = variable(part, "sum")
        reads.append((handle, part.tensor("read", "float32", (3,))))
        part.op("READ_VARIABLE", [handle], [reads[-1][1]], options="ReadVariableOptions")
    x = model.tensor("x", "float32", (3,))
    after = add(model, reads[0][1], x, "float32", (3,))
    model.op("ASSIGN_VARIABLE", [reads[0][0], after], [], options="AssignVariableOptions")
    model.ends([x], [after])
    infer.ends([], [reads[1][1]])
    file = one_string(save)
    save.custom("FlexSave", [file, strings_constant(save, "names", ["sum"]), reads[2][1]], [], {})
    save.ends([file], [file])
    file, stored = one_string(restore), restore.tensor("stored", "float32", (3,))
    restore.custom("FlexRestore", [file, strings_constant(restore, "name", ["sum"])], [stored], {})
    restore.op("ASSIGN_VARIABLE", [variable(restore, "sum"), stored], [],
               options="AssignVariableOptions")
    restore.ends([file], [stored])
    for key, part in zip(("train", "infer", "save", "restore"), (model, infer, save, restore)):
        model.signature(key, part)
    steps = [([rng.integers(-9, 9, 3).astype(np.float32)], []) for _ in range(3)]
    held = floats(1, 2, 3)
    for ins, outs in steps:
        held = held + ins[0]
        outs.append(held)
    write.write_own_case(path, model, [x], [after], steps, "exact", None)


def strings_constant(model, name, texts):
    """LiteRT's table: count, where each begins and the last one ends, the bytes."""
    data = [t.encode() for t in texts]
    at = 4 * (len(data) + 2)
    table = [len(data)]
    for one in data:
        table.append(at)
        at += len(one)
    raw = np.array([*table, at], np.int32).tobytes() + b"".join(data)
    index = model.constant(name, np.frombuffer(raw, np.uint8))
    model.graph.tensors[index].type = TYPES["string"]
    model.graph.tensors[index].shape = ints(len(data))
    return index


def add_table(model, number, key, value):
    handle = model.tensor("table", "resource", (1,))
    model.op("HASHTABLE", [], [handle], options="HashtableOptions", tableId=number,
             keyDtype=TYPES[key], valueDtype=TYPES[value])
    return handle


def numbers_to_words(path, rng):
    del rng
    model = Program()
    x = model.tensor("x", "int64", (2, 2))
    model.op("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    handle = add_table(model, 5, "int64", "string")
    words, size = model.tensor("words", "string", (2, 2)), model.tensor("size", "int64", (1,))
    model.op("HASHTABLE_FIND", [handle, x, strings_constant(model, "default", ["none"])], [words])
    model.op("HASHTABLE_SIZE", [handle], [size])
    init = model.part()
    keys = init.constant("keys", np.array([3, -1, 1 << 40], np.int64))
    values = strings_constant(init, "values", ["three", "", "a tera"])
    init.op("HASHTABLE_IMPORT", [add_table(init, 5, "int64", "string"), keys, values], [])
    init.ends([], [])
    steps = [[np.array(v, np.int64).reshape(2, 2)]
             for v in ([3, 1 << 40, 4, -1], [0, 0, 3, 3])]
    write.write_case(path, model, [x], [words, size], steps)


def words_to_numbers(path, rng):
    del rng
    model = Program()
    x = model.tensor("x", "string", (3,))
    model.op("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    handle = add_table(model, 1, "string", "int64")
    y = model.tensor("y", "int64", (3,))
    model.op("HASHTABLE_FIND", [handle, x, model.constant("default", np.array([-7], np.int64))],
             [y])
    init = model.part()
    values = init.constant("values", np.array([10, 20, 30, 40], np.int64))
    keys = strings_constant(init, "keys", ["ten", "twenty", "ten", ""])
    init.op("HASHTABLE_IMPORT", [add_table(init, 1, "string", "int64"), keys, values], [])
    init.ends([], [])
    steps = [[np.array(v, object)] for v in ([b"ten", b"twenty", b"x"], [b"", b"Ten", b"ten"])]
    write.write_case(path, model, [x], [y], steps)


def composite(path, rng):
    model = Program()
    x = model.tensor("x", "float32", (2, 4))
    y = model.tensor("y", "float32", (2, 4))
    model.op("STABLEHLO_COMPOSITE", [x], [y], options="StableHLOCompositeOptions",
             decompositionSubgraphIndex=1, compositeAttributes=np.zeros(0, np.uint8))
    model.graph.operators[0].builtinOptions2.name = "own.twice"
    part = model.part()
    own = part.tensor("x", "float32", (2, 4))
    part.ends([own], [add(part, own, own, "float32", (2, 4))])
    steps = [[rng.normal(0, 2, (2, 4)).astype(np.float32)] for _ in range(2)]
    write.write_case(path, model, [x], [y], steps)


def range_chain(path, rng):
    """RANGE up to a computed end, in rows of two, then tiled as an input says."""
    del rng
    model = Model()
    n, times = model.tensor("n", "int32", ()), model.tensor("times", "int32", (2,))
    end = model.tensor("end", "int32", ())
    model.op("MUL", [n, model.constant("two", np.array(2, np.int32))], [end], options="MulOptions")
    counted = model.tensor("counted", "int32", (1,))
    model.op("RANGE", [model.constant("zero", np.array(0, np.int32)), end,
                       model.constant("one", np.array(1, np.int32))], [counted],
             options="RangeOptions")
    rows = model.tensor("rows", "int32", (1, 1))
    model.op("RESHAPE", [counted, model.constant("shape", ints(-1, 2))], [rows],
             options="ReshapeOptions", newShape=ints(-1, 2))
    tiled = model.tensor("tiled", "int32", (1, 1))
    model.op("TILE", [rows, times], [tiled], options="TileOptions")
    doubled = add(model, tiled, tiled, "int32", (1, 1))
    steps = [[np.array(n, np.int32), ints(*t)]
             for n, t in ((3, (1, 2)), (1, (2, 1)), (0, (1, 1)), (4, (0, 3)), (2, (2, 2)))]
    write.write_case(path, model, [n, times], [rows, doubled], steps)


def where_chain(path, rng):
    """The elements that a condition picks, of inputs that are resized."""
    model = Model()
    x = model.tensor("x", "float32", (4,))
    picked, where = model.tensor("picked", "bool", (4,)), model.tensor("where", "int64", (1, 1))
    model.op("GREATER", [x, model.constant("zero", floats(0))], [picked], options="GreaterOptions")
    model.op("WHERE", [picked], [where], options="WhereOptions")
    found = model.tensor("found", "float32", (1,))
    model.op("GATHER_ND", [x, where], [found], options="GatherNdOptions")
    shape = model.tensor("count", "int32", (1,))
    model.op("SHAPE", [found], [shape], options="ShapeOptions", outType=TYPES["int32"])
    total = model.tensor("total", "float32", ())
    model.op("SUM", [found, model.constant("axis", ints(0))], [total], options="ReducerOptions")
    sizes = (4, 4, 7, 1, 4)
    steps = [[rng.integers(-4, 5, n).astype(np.float32)] for n in sizes]
    write.write_case(path, model, [x], [where, found, shape, total], steps)


CASES = {
    "IF_f32": branches,
    "IF_shapes": branch_shapes,
    "IF_loop": loop_in_branch,
    "WHILE_s32": fibonacci,
    "WHILE_shapes": growing_loop,
    "CALL_ONCE_add": counter,
    "CALL_ONCE_get": counter_get,
    "CALL_ONCE_train": training,
    "HASHTABLE_s64_to_str": numbers_to_words,
    "HASHTABLE_str_to_s64": words_to_numbers,
    "STABLEHLO_COMPOSITE_f32": composite,
    "RANGE_chain": range_chain,
    "WHERE_chain": where_chain,
}
