# SPDX-License-Identifier: Apache-2.0
"""Writes .tflite files tensor by tensor, so that every scale and option is what the case wants."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

TYPES = {"float32": schema.TensorType.FLOAT32, "float16": schema.TensorType.FLOAT16,
         "float64": schema.TensorType.FLOAT64, "complex64": schema.TensorType.COMPLEX64,
         "int8": schema.TensorType.INT8, "uint8": schema.TensorType.UINT8,
         "int16": schema.TensorType.INT16, "uint16": schema.TensorType.UINT16,
         "int32": schema.TensorType.INT32, "uint32": schema.TensorType.UINT32,
         "uint64": schema.TensorType.UINT64,
         "int64": schema.TensorType.INT64, "int4": schema.TensorType.INT4,
         "bool": schema.TensorType.BOOL, "string": schema.TensorType.STRING,
         "resource": schema.TensorType.RESOURCE}
ACTIVATIONS = {"none": 0, "relu": 1, "relu_n1": 2, "relu6": 3}
SAME, VALID = 0, 1


class AlignedBuilder(flatbuffers.Builder):
    """Starts vectors of bytes at multiples of 16, as schema.fbs asks of the data of a buffer."""

    def StartVector(self, size, count, alignment):
        return super().StartVector(size, count, 16 if size == 1 else alignment)


def quantization(scale, zero, axis):
    q = schema.QuantizationParametersT()
    q.scale = np.atleast_1d(np.asarray(scale, np.float32))
    q.zeroPoint = np.broadcast_to(np.asarray(zero, np.int64), q.scale.shape).copy()
    q.quantizedDimension = axis
    return q


def blockwise(scales, zeros, block):
    """Quantisation by blocks; @scales, @zeros: tensors, 0 for no zero points."""
    q = schema.QuantizationParametersT()
    q.detailsType = schema.QuantizationDetails.BlockwiseQuantization
    q.details = schema.BlockwiseQuantizationT()
    q.details.scales, q.details.zeroPoints, q.details.blockSize = scales, zeros, block
    return q


def pack_int4(data):
    """Two codes to a byte, the first in the low half."""
    codes = np.append(data.reshape(-1), [0] * (data.size % 2)).astype(np.uint8) & 15
    return (codes[0::2] | codes[1::2] << 4).astype(np.uint8)


def sparse_level(size=None, segments=None, indices=None, width=np.int32):
    """A dense level of @size, or a compressed one, whose lists have numbers of @width."""
    level = schema.DimensionMetadataT()
    if segments is None:
        level.format, level.denseSize = schema.DimensionType.DENSE, size
        return level
    level.format = schema.DimensionType.SPARSE_CSR
    kind = {np.int32: "Int32Vector", np.uint16: "Uint16Vector", np.uint8: "Uint8Vector"}[width]
    for name, values in (("arraySegments", segments), ("arrayIndices", indices)):
        vector = getattr(schema, kind + "T")()
        vector.values = np.array(values, width)
        setattr(level, name, vector)
        setattr(level, name + "Type", getattr(schema.SparseIndexVector, kind))
    return level


def sparse(data, order, block_map=(), blocks=(), compressed=(), width=np.int32):
    """The stored elements of @data, and its sparsity: @order of dimensions and blocks, @blocks:
    sizes in the order of the block map, @compressed: levels whose empty parts are left out."""
    sizes, split = list(data.shape), data
    for k, (dim, block) in enumerate(zip(block_map, blocks)):
        sizes[dim] //= block
        sizes.append(block)
    rank = data.ndim
    shape, axes = [], []
    for dim in range(rank):
        own = [rank + k for k, d in enumerate(block_map) if d == dim]
        shape += [sizes[dim]] + [sizes[k] for k in own]
        axes += [dim] + own
    split = data.reshape(shape).transpose([axes.index(d) for d in order])
    parameters = schema.SparsityParametersT()
    parameters.traversalOrder = np.array(order, np.int32)
    parameters.blockMap = np.array(block_map, np.int32)
    parameters.dimMetadata = []
    parents = split[np.newaxis]
    for level in range(len(order)):
        size = parents.shape[1]
        if level not in compressed:
            parameters.dimMetadata.append(sparse_level(size))
            parents = parents.reshape(-1, *parents.shape[2:])
            continue
        kept = parents.reshape(parents.shape[0], size, -1).any(axis=2)
        segments = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        parameters.dimMetadata.append(
            sparse_level(segments=segments, indices=np.nonzero(kept)[1], width=width))
        parents = parents[kept]
    return np.ascontiguousarray(parents.reshape(-1)), parameters


def options_of(kind, fields):
    options = getattr(schema, kind + "T")()
    for name, value in fields.items():
        if not hasattr(options, name):
            raise AttributeError(f"{kind}.{name}")
        setattr(options, name, value)
    return options


class Model:
    """One subgraph in the making. Tensors are known by their index."""

    def __init__(self):
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.buffers = [schema.BufferT()]
        self.codes = []

    def tensor(self, name, dtype, shape, scale=None, zero=0, axis=0, variable=False):
        t = schema.TensorT()
        t.name, t.type, t.shape = name, TYPES[dtype], np.array(shape, np.int32)
        t.isVariable, t.buffer, t.hasRank = variable, 0, True
        if scale is not None:
            t.quantization = quantization(scale, zero, axis)
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def sparse_constant(self, name, data, levels, **quantized):
        """@levels: arguments of sparse() behind the data."""
        stored, parameters = sparse(data, **levels)
        index = self.constant(name, stored, **quantized)
        self.graph.tensors[index].shape = np.array(data.shape, np.int32)
        self.graph.tensors[index].sparsity = parameters
        return index

    def int4_constant(self, name, data, **quantized):
        index = self.constant(name, pack_int4(data), **quantized)
        self.graph.tensors[index].type = TYPES["int4"]
        self.graph.tensors[index].shape = np.array(data.shape, np.int32)
        return index

    def constant(self, name, data, **quantized):
        index = self.tensor(name, str(data.dtype), data.shape, **quantized)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        self.graph.tensors[index].buffer = len(self.buffers)
        self.buffers.append(buffer)
        return index

    def op(self, name, inputs, outputs, version=1, intermediates=(), options=None, **fields):
        """Adds an operator; @options names its table of options, @fields are its fields."""
        code = schema.OperatorCodeT()
        number = getattr(schema.BuiltinOperator, name)
        code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
        code.version = version
        op = schema.OperatorT()
        op.opcodeIndex = len(self.codes)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if intermediates:
            op.intermediates = np.array(intermediates, np.int32)
        if options and hasattr(schema.BuiltinOptions2, options):
            op.builtinOptions2Type = getattr(schema.BuiltinOptions2, options)
            op.builtinOptions2 = options_of(options, fields)
        elif options:
            op.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            op.builtinOptions = options_of(options, fields)
        self.codes.append(code)
        self.graph.operators.append(op)

    def custom(self, name, inputs, outputs, options):
        """Adds a custom operator; @options become a FlexBuffers map, or are the bytes themselves."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode, code.version = name, 1
        op = schema.OperatorT()
        op.opcodeIndex = len(self.codes)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        op.customOptions = np.frombuffer(
            options if isinstance(options, bytes) else bytes(flexbuffers.Dumps(options)), np.uint8)
        self.codes.append(code)
        self.graph.operators.append(op)

    def ends(self, inputs, outputs):
        self.graph.inputs = np.array(inputs, np.int32)
        self.graph.outputs = np.array(outputs, np.int32)

    def encode(self, inputs, outputs):
        self.ends(inputs, outputs)
        return encode_graphs([self.graph], self.codes, self.buffers)

    def set_shapes(self, interpreter):
        """Takes the shapes that LiteRT finds for the tensors that operators write."""
        for op in self.graph.operators:
            for index in op.outputs:
                found = interpreter._get_tensor_details(int(index), 0)["shape"]
                self.graph.tensors[index].shape = np.array(found, np.int32)


def encode_graphs(graphs, codes, buffers, signatures=None):
    model = schema.ModelT()
    model.version, model.description = 3, "a test of edged"
    model.operatorCodes, model.subgraphs, model.buffers = codes, graphs, buffers
    model.signatureDefs = signatures
    b = AlignedBuilder(1024)
    b.Finish(model.Pack(b), b"TFL3")
    return bytes(b.Output())


def encode_signatures(models):
    """One file of several models whose ends are set, {key: Model}: a signature for each, with the
    names of its tensors."""
    codes, buffers, signatures = [], [], []
    for number, (key, model) in enumerate(models.items()):
        for op in model.graph.operators:
            op.opcodeIndex += len(codes)
        for tensor in model.graph.tensors:
            tensor.buffer += len(buffers)
        codes += model.codes
        buffers += model.buffers
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, number
        signature.inputs = tensor_maps(model, model.graph.inputs)
        signature.outputs = tensor_maps(model, model.graph.outputs)
        signatures.append(signature)
    return encode_graphs([m.graph for m in models.values()], codes, buffers, signatures)


def tensor_maps(model, indices):
    maps = []
    for index in indices:
        one = schema.TensorMapT()
        one.name, one.tensorIndex = model.graph.tensors[index].name, index
        maps.append(one)
    return maps
