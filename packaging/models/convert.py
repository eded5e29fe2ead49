# SPDX-License-Identifier: Apache-2.0
"""From a network to an int8 .tflite file, and running such a file."""
import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.python.framework import convert_to_constants

OPERATORS = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D",
             "MEAN", "RESHAPE", "SOFTMAX", "ADD", "MUL", "SUB", "PAD", "QUANTIZE", "DEQUANTIZE",
             "LOGISTIC", "RELU"}


def with_softmax(net):
    return keras.Model(net.input, keras.layers.Softmax()(net.output))


def to_int8(net, samples):
    """Full-integer model, batch 1; ranges from the samples, float32 [n, ...]."""
    spec = tf.TensorSpec((1, *net.input.shape[1:]), tf.float32)
    function = tf.function(lambda x: net(x, training=False)).get_concrete_function(spec)
    frozen = convert_to_constants.convert_variables_to_constants_v2(function)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    # Dense layers per tensor, as every runtime since the first int8 ones computes them.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def operators(flatbuffer):
    """Names of the operators in a model, in the order of its list of codes."""
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    model = schema.Model.GetRootAs(flatbuffer)
    return [names[model.OperatorCodes(i).BuiltinCode()] for i in range(model.OperatorCodesLength())]


def check(flatbuffer):
    """Fails on an operator beyond the agreed ones, and on a file above 100 KB."""
    strange = set(operators(flatbuffer)) - OPERATORS
    if strange or len(flatbuffer) > 100_000:
        raise SystemExit(f"{len(flatbuffer)} bytes, unwanted operators: {sorted(strange)}")


class Runner:
    """A .tflite file under TF Lite's reference kernels; takes and gives real values."""

    def __init__(self, flatbuffer):
        self.interpreter = tf.lite.Interpreter(
            model_content=flatbuffer, num_threads=1,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF)
        self.interpreter.allocate_tensors()
        self.input, = self.interpreter.get_input_details()
        self.output, = self.interpreter.get_output_details()

    def quantise(self, real):
        """As a client does it: divide, round half away from zero, keep to int8."""
        scale, zero = self.input["quantization"]
        q = real.astype(np.float64) / scale
        q = np.sign(q) * np.floor(np.abs(q) + 0.5) + zero
        return np.clip(q, -128, 127).astype(np.int8)

    def run_raw(self, codes):
        self.interpreter.set_tensor(self.input["index"], codes[None])
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output["index"])[0]

    def real_input(self, codes):
        scale, zero = self.input["quantization"]
        return (codes.astype(np.float32) - zero) * np.float32(scale)

    def run(self, real):
        """The answers to [n, ...] as real values."""
        scale, zero = self.output["quantization"]
        codes = np.array([self.run_raw(self.quantise(one)) for one in real])
        return (codes.astype(np.float32) - zero) * np.float32(scale)
