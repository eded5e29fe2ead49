# SPDX-License-Identifier: Apache-2.0
"""Cases of functions of two operands, comparisons, selections, and what stretches shapes."""
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cases.model import TYPES, Model
from cases.write import write_case, write_refused

for _name in ("float16", "float64", "int16", "uint16", "uint32", "complex64"):
    TYPES.setdefault(_name, getattr(schema.TensorType, _name.upper()))

BROADCAST = ((2, 1, 4), (3, 1))
RANK6 = ((2, 1, 2, 1, 1, 2), (1, 2, 1, 3, 2))
COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
SPECIAL = [0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 0.1, -0.7, 3, 65504, -6e-8]


def draw(rng, dtype, shape, kind):
    """Step 0: random; step 1: the ends of the type and small numbers, which meet more often."""
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(dtype)
    if np.dtype(dtype).kind in "fc":
        return (rng.normal(0, 5, shape) if kind == 0 else rng.choice(SPECIAL, shape)).astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if kind == 0:
        return rng.integers(low, high, shape, dtype, endpoint=True)
    return rng.choice(np.array([low, high, 0, 1, 2, 3], dtype), shape)


def pairs(rng, dtype, shapes, fix):
    steps = [[draw(rng, dtype, shape, kind) for shape in shapes] for kind in range(2)]
    return [fix(*step) for step in steps]


def as_they_are(*operands):
    return operands


def no_zero(a, b):
    return a, np.where(b == 0, b.dtype.type(3), b)


def no_zero_nor_overflow(a, b):
    a, b = no_zero(a, b)
    return a, np.where(b == b.dtype.type(-1), b.dtype.type(5), b)


def small_powers(a, b):
    return a % 12 - 6, np.abs(b % 7)


def counts_to_31(a, b):
    return a, b & 31


def positive_base(a, b):
    return np.abs(a), b


def function(op, dtype, shapes=BROADCAST, out=None, scales=None, zeros=(0, 0, 0), fix=as_they_are,
             compare="exact", options=None, **fields):
    """@scales and @zeros of both operands and the result where they matter."""
    def make(path, rng):
        model = Model()
        quant = [{"scale": s, "zero": z} for s, z in zip(scales, zeros)] if scales else [{}] * 3
        inputs = [model.tensor(f"in{i}", dtype, shape, **quant[i])
                  for i, shape in enumerate(shapes)]
        result = model.tensor("out", out or dtype, shapes[0], **({} if out else quant[2]))
        model.op(op, inputs, [result], options=options, **fields)
        write_case(path, model, inputs, [result], pairs(rng, dtype, shapes, fix), compare)
    return make


def select(op, dtype, shapes):
    def make(path, rng):
        model = Model()
        types = ["bool", dtype, dtype]
        inputs = [model.tensor(f"in{i}", t, s) for i, (t, s) in enumerate(zip(types, shapes))]
        result = model.tensor("out", dtype, shapes[1])
        model.op(op, inputs, [result])
        step = [draw(rng, t, s, 0) for t, s in zip(types, shapes)]
        write_case(path, model, inputs, [result], [step])
    return make


def many(op, dtype, n):
    def make(path, rng):
        model = Model()
        inputs = [model.tensor(f"in{i}", dtype, (2, 5)) for i in range(n)]
        result = model.tensor("out", dtype, (2, 5))
        model.op(op, inputs, [result])
        step = [draw(rng, dtype, (2, 5), 0) for _ in range(n)]
        write_case(path, model, inputs, [result], [step], "close")
    return make


def broadcast_to(dtype, shape, target, constant):
    """The target is in the file, or comes with the run, where the result's shape is not known."""
    def make(path, rng):
        model = Model()
        x = model.tensor("in0", dtype, shape)
        wanted = np.array(target, np.int32)
        given = [] if constant else [model.tensor("in1", "int32", wanted.shape)]
        fixed = [model.constant("target", wanted)] if constant else []
        result = model.tensor("out", dtype, target)
        model.op("BROADCAST_TO", [x] + given + fixed, [result], 2)
        step = [draw(rng, dtype, shape, 0)] + ([] if constant else [wanted])
        write_case(path, model, [x] + given, [result], [step])
    return make


def broadcast_args(dtype, a, b):
    def make(path, _):
        model = Model()
        step = [np.array(a, dtype), np.array(b, dtype)]
        inputs = [model.tensor(f"in{i}", dtype, x.shape) for i, x in enumerate(step)]
        result = model.tensor("out", dtype, (max(len(a), len(b)),))
        model.op("BROADCAST_ARGS", inputs, [result])
        write_case(path, model, inputs, [result], [step])
    return make


def refused(op, operands, out, options=None, version=1):
    """Operands as arrays, all given with the run."""
    def make(path, _):
        model = Model()
        inputs = [model.tensor(f"in{i}", str(x.dtype), x.shape) for i, x in enumerate(operands)]
        result = model.tensor("out", out, (1,))
        model.op(op, inputs, [result], version, options=options)
        write_refused(path, model.encode(inputs, [result]), operands)
    return make


def numbers(dtype, *values):
    return np.array(values, dtype)


def compare_cases():
    """Each relation on one type of its own, and all of them on scaled codes."""
    types = ("bool", "float16", "float32", "int32", "int64", "int16")
    cases = {f"{op}_{t}": function(op, t, out="bool") for op, t in zip(COMPARISONS, types)}
    cases.update({f"{op}_s8": function(op, "int8", ((3, 7), (7,)), out="bool",
                                       scales=(0.05, 0.07), zeros=(-4, 10))
                  for op in COMPARISONS})
    cases["LESS_u8_scale_above_1"] = function("LESS", "uint8", out="bool", scales=(1.01, 0.9),
                                              zeros=(90, 130))
    cases["EQUAL_s16_scales"] = function("EQUAL", "int16", out="bool", scales=(2e-4, 4e-4))
    return cases


CLOSE_F16 = "close:1e-3:2e-3"
ANY_NAN = "close:0:0"  # the sign of a NaN that arithmetic makes is the processor's
CASES = {
    "ADD_f16": function("ADD", "float16", options="AddOptions", compare=ANY_NAN),
    "MUL_f16_relu6": function("MUL", "float16", options="MulOptions", compare=ANY_NAN,
                              fusedActivationFunction=3),
    "MUL_c64": function("MUL", "complex64", options="MulOptions", compare=ANY_NAN),
    "DIV_f32": function("DIV", "float32", options="DivOptions", compare=ANY_NAN),
    "DIV_s32_relu": function("DIV", "int32", fix=no_zero_nor_overflow, options="DivOptions",
                             fusedActivationFunction=1),
    "DIV_s8": function("DIV", "int8", scales=(0.1, 0.02, 0.05), zeros=(-100, -128, 3),
                       fix=lambda a, b: (a | 64, b | 96), options="DivOptions"),
    "FLOOR_DIV_f32": function("FLOOR_DIV", "float32", fix=no_zero, compare=ANY_NAN),
    "FLOOR_DIV_s16": function("FLOOR_DIV", "int16", fix=no_zero),
    "FLOOR_MOD_f32": function("FLOOR_MOD", "float32", compare=ANY_NAN),
    "FLOOR_MOD_s64": function("FLOOR_MOD", "int64", fix=no_zero_nor_overflow),
    "POW_f32": function("POW", "float32", fix=positive_base, compare="close"),
    "POW_f32_cubes": function("POW", "float32", ((2, 5), ()), compare=ANY_NAN,
                              fix=lambda a, b: (a, np.full_like(b, 3))),
    "POW_s32": function("POW", "int32", fix=small_powers),
    "MAXIMUM_f32": function("MAXIMUM", "float32", RANK6),
    "MAXIMUM_f16": function("MAXIMUM", "float16"),
    "MINIMUM_u8": function("MINIMUM", "uint8"),
    "SQUARED_DIFFERENCE_f32": function("SQUARED_DIFFERENCE", "float32", compare=ANY_NAN),
    "SQUARED_DIFFERENCE_s8": function("SQUARED_DIFFERENCE", "int8", scales=(0.05, 0.03, 0.2),
                                      zeros=(3, -7, -120)),
    "ATAN2_f64": function("ATAN2", "float64", ((3, 4), (3, 4)), compare="close:4e-7:4e-6"),
    "ATAN2_f16": function("ATAN2", "float16", ((3, 4), (3, 4)), compare=CLOSE_F16),
    "LOGICAL_AND_b": function("LOGICAL_AND", "bool"),
    "LOGICAL_OR_b": function("LOGICAL_OR", "bool"),
    "BITWISE_XOR_u16": function("BITWISE_XOR", "uint16"),
    "RIGHT_SHIFT_s8": function("RIGHT_SHIFT", "int8"),
    "RIGHT_SHIFT_u32": function("RIGHT_SHIFT", "uint32"),
    "STABLEHLO_ADD_s16": function("STABLEHLO_ADD", "int16", ((2, 9), (2, 9))),
    "STABLEHLO_MULTIPLY_b": function("STABLEHLO_MULTIPLY", "bool", ((9,), (9,))),
    "STABLEHLO_MAXIMUM_f32": function("STABLEHLO_MAXIMUM", "float32", ((20,), (20,))),
    "STABLEHLO_MINIMUM_f64": function("STABLEHLO_MINIMUM", "float64", ((20,), (20,))),
    "STABLEHLO_AND_u16": function("STABLEHLO_AND", "uint16", ((2, 9), (2, 9))),
    "STABLEHLO_SHIFT_LEFT_s8": function("STABLEHLO_SHIFT_LEFT", "int8", ((2, 9), (2, 9)),
                                        fix=counts_to_31, options="StablehloShiftLeftOptions"),
    "STABLEHLO_SHIFT_LEFT_s32": function("STABLEHLO_SHIFT_LEFT", "int32", ((2, 9), (2, 9)),
                                         fix=counts_to_31, options="StablehloShiftLeftOptions"),
    "SELECT_f32_rows": select("SELECT", "float32", ((3,), (3, 2, 2), (3, 2, 2))),
    "SELECT_u8_scalar": select("SELECT", "uint8", ((), (3, 2), (3, 2))),
    "SELECT_V2_s16": select("SELECT_V2", "int16", ((2, 1), (3,), (4, 1, 1))),
    "SELECT_V2_c64": select("SELECT_V2", "complex64", ((2, 3), (), (3,))),
    "ADD_N_f32": many("ADD_N", "float32", 3),
    "ADD_N_s32": many("ADD_N", "int32", 4),
    "BROADCAST_TO_s8": broadcast_to("int8", (2, 1, 3), (2, 2, 4, 3), True),
    "BROADCAST_TO_f64_run_time": broadcast_to("float64", (3, 1), (2, 3, 2), False),
    "BROADCAST_ARGS_s32": broadcast_args("int32", (2, 1, 4), (3, 1)),
    "BROADCAST_ARGS_s64": broadcast_args("int64", (1,), (2, 0, 7)),
    **compare_cases(),
    "BAD_DIV_zero": refused("DIV", [numbers("int32", 1, 2), numbers("int32", 3, 0)], "int32",
                            "DivOptions"),
    "BAD_FLOOR_DIV_zero": refused("FLOOR_DIV", [numbers("float32", 1), numbers("float32", -0.0)],
                                  "float32"),
    "BAD_FLOOR_MOD_zero": refused("FLOOR_MOD", [numbers("int64", 1), numbers("int64", 0)], "int64"),
    "BAD_STABLEHLO_SHIFT_LEFT_u8": refused("STABLEHLO_SHIFT_LEFT",
                                           [numbers("uint8", 1, 2), numbers("uint8", 3, 0)],
                                           "uint8", "StablehloShiftLeftOptions"),
    "BAD_POW_negative": refused("POW", [numbers("int32", 2), numbers("int32", -1)], "int32"),
    "BAD_EQUAL_types": refused("EQUAL", [numbers("int32", 2), numbers("int64", 2)], "bool"),
    "BAD_SELECT_condition": refused("SELECT", [numbers("bool", 1), numbers("int8", 1, 2),
                                               numbers("int8", 1, 2)], "int8"),
    "BAD_BROADCAST_TO_shape": refused("BROADCAST_TO", [numbers("int8", 1, 2),
                                                       numbers("int32", 2, 3)], "int8", version=2),
    "BAD_STABLEHLO_ADD_shapes": refused("STABLEHLO_ADD", [numbers("int8", 1, 2),
                                                          numbers("int8", 1)], "int8"),
}
