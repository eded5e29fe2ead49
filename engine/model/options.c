/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/options.h"

#include <errno.h>
#include <stddef.h>

#include "base/dtype.h"
#include "engine/model/schema.h"
#include "engine/operators.h"

/* Which options table belongs to which operator; none for those that are not listed. */
static const uint16_t options_of[OP_COUNT] = {
	[OP_ADD] = OPTIONS_ADD,
	[OP_AVERAGE_POOL_2D] = OPTIONS_POOL_2D,
	[OP_CONCATENATION] = OPTIONS_CONCATENATION,
	[OP_CONV_2D] = OPTIONS_CONV_2D,
	[OP_DEPTHWISE_CONV_2D] = OPTIONS_DEPTHWISE_CONV_2D,
	[OP_DEPTH_TO_SPACE] = OPTIONS_DEPTH_TO_SPACE,
	[OP_DEQUANTIZE] = OPTIONS_DEQUANTIZE,
	[OP_FULLY_CONNECTED] = OPTIONS_FULLY_CONNECTED,
	[OP_L2_NORMALIZATION] = OPTIONS_L2_NORM,
	[OP_L2_POOL_2D] = OPTIONS_POOL_2D,
	[OP_LOCAL_RESPONSE_NORMALIZATION] = OPTIONS_LOCAL_RESPONSE_NORMALIZATION,
	[OP_LSH_PROJECTION] = OPTIONS_LSH_PROJECTION,
	[OP_LSTM] = OPTIONS_LSTM,
	[OP_MAX_POOL_2D] = OPTIONS_POOL_2D,
	[OP_MUL] = OPTIONS_MUL,
	[OP_RESHAPE] = OPTIONS_RESHAPE,
	[OP_RESIZE_BILINEAR] = OPTIONS_RESIZE_BILINEAR,
	[OP_RNN] = OPTIONS_RNN,
	[OP_SOFTMAX] = OPTIONS_SOFTMAX,
	[OP_SPACE_TO_DEPTH] = OPTIONS_SPACE_TO_DEPTH,
	[OP_SVDF] = OPTIONS_SVDF,
	[OP_CONCAT_EMBEDDINGS] = OPTIONS_CONCAT_EMBEDDINGS,
	[OP_SKIP_GRAM] = OPTIONS_SKIP_GRAM,
	[OP_CALL] = OPTIONS_CALL,
	[OP_EMBEDDING_LOOKUP_SPARSE] = OPTIONS_EMBEDDING_LOOKUP_SPARSE,
	[OP_PAD] = OPTIONS_PAD,
	[OP_UNIDIRECTIONAL_SEQUENCE_RNN] = OPTIONS_SEQUENCE_RNN,
	[OP_GATHER] = OPTIONS_GATHER,
	[OP_BATCH_TO_SPACE_ND] = OPTIONS_BATCH_TO_SPACE_ND,
	[OP_SPACE_TO_BATCH_ND] = OPTIONS_SPACE_TO_BATCH_ND,
	[OP_TRANSPOSE] = OPTIONS_TRANSPOSE,
	[OP_MEAN] = OPTIONS_REDUCER,
	[OP_SUB] = OPTIONS_SUB,
	[OP_DIV] = OPTIONS_DIV,
	[OP_SQUEEZE] = OPTIONS_SQUEEZE,
	[OP_UNIDIRECTIONAL_SEQUENCE_LSTM] = OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM,
	[OP_STRIDED_SLICE] = OPTIONS_STRIDED_SLICE,
	[OP_BIDIRECTIONAL_SEQUENCE_RNN] = OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN,
	[OP_EXP] = OPTIONS_EXP,
	[OP_TOPK_V2] = OPTIONS_TOPK_V2,
	[OP_SPLIT] = OPTIONS_SPLIT,
	[OP_LOG_SOFTMAX] = OPTIONS_LOG_SOFTMAX,
	[OP_BIDIRECTIONAL_SEQUENCE_LSTM] = OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM,
	[OP_CAST] = OPTIONS_CAST,
	[OP_MAXIMUM] = OPTIONS_MAXIMUM_MINIMUM,
	[OP_ARG_MAX] = OPTIONS_ARG_MAX,
	[OP_MINIMUM] = OPTIONS_MAXIMUM_MINIMUM,
	[OP_LESS] = OPTIONS_LESS,
	[OP_NEG] = OPTIONS_NEG,
	[OP_PADV2] = OPTIONS_PADV2,
	[OP_GREATER] = OPTIONS_GREATER,
	[OP_GREATER_EQUAL] = OPTIONS_GREATER_EQUAL,
	[OP_LESS_EQUAL] = OPTIONS_LESS_EQUAL,
	[OP_SELECT] = OPTIONS_SELECT,
	[OP_SLICE] = OPTIONS_SLICE,
	[OP_TRANSPOSE_CONV] = OPTIONS_TRANSPOSE_CONV,
	[OP_SPARSE_TO_DENSE] = OPTIONS_SPARSE_TO_DENSE,
	[OP_TILE] = OPTIONS_TILE,
	[OP_EXPAND_DIMS] = OPTIONS_EXPAND_DIMS,
	[OP_EQUAL] = OPTIONS_EQUAL,
	[OP_NOT_EQUAL] = OPTIONS_NOT_EQUAL,
	[OP_SUM] = OPTIONS_REDUCER,
	[OP_SHAPE] = OPTIONS_SHAPE,
	[OP_POW] = OPTIONS_POW,
	[OP_ARG_MIN] = OPTIONS_ARG_MIN,
	[OP_FAKE_QUANT] = OPTIONS_FAKE_QUANT,
	[OP_REDUCE_PROD] = OPTIONS_REDUCER,
	[OP_REDUCE_MAX] = OPTIONS_REDUCER,
	[OP_PACK] = OPTIONS_PACK,
	[OP_LOGICAL_OR] = OPTIONS_LOGICAL_OR,
	[OP_ONE_HOT] = OPTIONS_ONE_HOT,
	[OP_LOGICAL_AND] = OPTIONS_LOGICAL_AND,
	[OP_LOGICAL_NOT] = OPTIONS_LOGICAL_NOT,
	[OP_UNPACK] = OPTIONS_UNPACK,
	[OP_REDUCE_MIN] = OPTIONS_REDUCER,
	[OP_FLOOR_DIV] = OPTIONS_FLOOR_DIV,
	[OP_REDUCE_ANY] = OPTIONS_REDUCER,
	[OP_SQUARE] = OPTIONS_SQUARE,
	[OP_ZEROS_LIKE] = OPTIONS_ZEROS_LIKE,
	[OP_FILL] = OPTIONS_FILL,
	[OP_FLOOR_MOD] = OPTIONS_FLOOR_MOD,
	[OP_RANGE] = OPTIONS_RANGE,
	[OP_RESIZE_NEAREST_NEIGHBOR] = OPTIONS_RESIZE_NEAREST_NEIGHBOR,
	[OP_LEAKY_RELU] = OPTIONS_LEAKY_RELU,
	[OP_SQUARED_DIFFERENCE] = OPTIONS_SQUARED_DIFFERENCE,
	[OP_MIRROR_PAD] = OPTIONS_MIRROR_PAD,
	[OP_ABS] = OPTIONS_ABS,
	[OP_SPLIT_V] = OPTIONS_SPLIT_V,
	[OP_UNIQUE] = OPTIONS_UNIQUE,
	[OP_REVERSE_V2] = OPTIONS_REVERSE_V2,
	[OP_ADD_N] = OPTIONS_ADD_N,
	[OP_GATHER_ND] = OPTIONS_GATHER_ND,
	[OP_COS] = OPTIONS_COS,
	[OP_WHERE] = OPTIONS_WHERE,
	[OP_RANK] = OPTIONS_RANK,
	[OP_REVERSE_SEQUENCE] = OPTIONS_REVERSE_SEQUENCE,
	[OP_MATRIX_DIAG] = OPTIONS_MATRIX_DIAG,
	[OP_QUANTIZE] = OPTIONS_QUANTIZE,
	[OP_MATRIX_SET_DIAG] = OPTIONS_MATRIX_SET_DIAG,
	[OP_HARD_SWISH] = OPTIONS_HARD_SWISH,
	[OP_IF] = OPTIONS_IF,
	[OP_WHILE] = OPTIONS_WHILE,
	[OP_NON_MAX_SUPPRESSION_V4] = OPTIONS_NON_MAX_SUPPRESSION_V4,
	[OP_NON_MAX_SUPPRESSION_V5] = OPTIONS_NON_MAX_SUPPRESSION_V5,
	[OP_SCATTER_ND] = OPTIONS_SCATTER_ND,
	[OP_SELECT_V2] = OPTIONS_SELECT_V2,
	[OP_DENSIFY] = OPTIONS_DENSIFY,
	[OP_SEGMENT_SUM] = OPTIONS_SEGMENT_SUM,
	[OP_BATCH_MATMUL] = OPTIONS_BATCH_MATMUL,
	[OP_CUMSUM] = OPTIONS_CUMSUM,
	[OP_CALL_ONCE] = OPTIONS_CALL_ONCE,
	[OP_BROADCAST_TO] = OPTIONS_BROADCAST_TO,
	[OP_RFFT2D] = OPTIONS_RFFT2D,
	[OP_CONV_3D] = OPTIONS_CONV_3D,
	[OP_HASHTABLE] = OPTIONS_HASHTABLE,
	[OP_HASHTABLE_FIND] = OPTIONS_HASHTABLE_FIND,
	[OP_HASHTABLE_IMPORT] = OPTIONS_HASHTABLE_IMPORT,
	[OP_HASHTABLE_SIZE] = OPTIONS_HASHTABLE_SIZE,
	[OP_REDUCE_ALL] = OPTIONS_REDUCER,
	[OP_CONV_3D_TRANSPOSE] = OPTIONS_CONV_3D,
	[OP_VAR_HANDLE] = OPTIONS_VAR_HANDLE,
	[OP_READ_VARIABLE] = OPTIONS_READ_VARIABLE,
	[OP_ASSIGN_VARIABLE] = OPTIONS_ASSIGN_VARIABLE,
	[OP_RANDOM_STANDARD_NORMAL] = OPTIONS_RANDOM,
	[OP_BUCKETIZE] = OPTIONS_BUCKETIZE,
	[OP_RANDOM_UNIFORM] = OPTIONS_RANDOM,
	[OP_MULTINOMIAL] = OPTIONS_RANDOM,
	[OP_GELU] = OPTIONS_GELU,
	[OP_DYNAMIC_UPDATE_SLICE] = OPTIONS_DYNAMIC_UPDATE_SLICE,
	[OP_UNSORTED_SEGMENT_PROD] = OPTIONS_UNSORTED_SEGMENT_PROD,
	[OP_UNSORTED_SEGMENT_MAX] = OPTIONS_UNSORTED_SEGMENT_MAX,
	[OP_UNSORTED_SEGMENT_SUM] = OPTIONS_UNSORTED_SEGMENT_SUM,
	[OP_ATAN2] = OPTIONS_ATAN2,
	[OP_UNSORTED_SEGMENT_MIN] = OPTIONS_UNSORTED_SEGMENT_MIN,
	[OP_SIGN] = OPTIONS_SIGN,
	[OP_BITCAST] = OPTIONS_BITCAST,
	[OP_BITWISE_XOR] = OPTIONS_BITWISE_XOR,
	[OP_RIGHT_SHIFT] = OPTIONS_RIGHT_SHIFT,
	[OP_STABLEHLO_CONCATENATE] = OPTIONS_STABLEHLO_CONCATENATE,
	[OP_STABLEHLO_BROADCAST_IN_DIM] = OPTIONS_STABLEHLO_BROADCAST_IN_DIM,
	[OP_STABLEHLO_CONVOLUTION] = OPTIONS_STABLEHLO_CONVOLUTION,
	[OP_STABLEHLO_SLICE] = OPTIONS_STABLEHLO_SLICE,
	[OP_STABLEHLO_CUSTOM_CALL] = OPTIONS_STABLEHLO_CUSTOM_CALL,
	[OP_STABLEHLO_REDUCE] = OPTIONS_STABLEHLO_REDUCE,
	[OP_STABLEHLO_SCATTER] = OPTIONS_STABLEHLO_SCATTER,
	[OP_STABLEHLO_COMPARE] = OPTIONS_STABLEHLO_COMPARE,
	[OP_STABLEHLO_DYNAMIC_SLICE] = OPTIONS_STABLEHLO_DYNAMIC_SLICE,
	[OP_STABLEHLO_PAD] = OPTIONS_STABLEHLO_PAD,
	[OP_STABLEHLO_IOTA] = OPTIONS_STABLEHLO_IOTA,
	[OP_STABLEHLO_DOT_GENERAL] = OPTIONS_STABLEHLO_DOT_GENERAL,
	[OP_STABLEHLO_REDUCE_WINDOW] = OPTIONS_STABLEHLO_REDUCE_WINDOW,
	[OP_STABLEHLO_SORT] = OPTIONS_STABLEHLO_SORT,
	[OP_STABLEHLO_WHILE] = OPTIONS_STABLEHLO_WHILE,
	[OP_STABLEHLO_GATHER] = OPTIONS_STABLEHLO_GATHER,
	[OP_STABLEHLO_TRANSPOSE] = OPTIONS_STABLEHLO_TRANSPOSE,
	[OP_DILATE] = OPTIONS_DILATE,
	[OP_STABLEHLO_RNG_BIT_GENERATOR] = OPTIONS_STABLEHLO_RNG_BIT_GENERATOR,
	[OP_REDUCE_WINDOW] = OPTIONS_REDUCE_WINDOW,
	[OP_STABLEHLO_COMPOSITE] = OPTIONS_STABLEHLO_COMPOSITE,
	[OP_STABLEHLO_SHIFT_LEFT] = OPTIONS_STABLEHLO_SHIFT_LEFT,
};

enum option_kind {
	BYTE, /* one byte to one byte */
	BOOL, /* one byte to a bool */
	WIDEN, /* one byte to int32_t */
	WORD, /* int32_t to int32_t */
	FLOAT,
};

struct option_field {
	uint16_t options;
	uint8_t slot;
	uint8_t kind; /* enum option_kind */
	uint16_t offset; /* in struct op_options */
	int32_t fallback; /* the schema's default; 0 for floats */
};

/* Where each field of a decoded table goes. Lists are decoded by hand, below. */
static const struct option_field option_fields[] = {
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_PADDING, BYTE, offsetof(struct op_options, conv.padding),
		0},
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_STRIDE_W, WORD,
		offsetof(struct op_options, conv.stride_w), 0},
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_STRIDE_H, WORD,
		offsetof(struct op_options, conv.stride_h), 0},
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, conv.activation), 0},
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_DILATION_W_FACTOR, WORD,
		offsetof(struct op_options, conv.dilation_w), 1},
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_DILATION_H_FACTOR, WORD,
		offsetof(struct op_options, conv.dilation_h), 1},
	{OPTIONS_CONV_2D, CONV_2D_OPTIONS_QUANTIZED_BIAS_TYPE, BYTE,
		offsetof(struct op_options, conv.quantized_bias_type), 0},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_PADDING, BYTE,
		offsetof(struct op_options, conv.padding), 0},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_STRIDE_W, WORD,
		offsetof(struct op_options, conv.stride_w), 0},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_STRIDE_H, WORD,
		offsetof(struct op_options, conv.stride_h), 0},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, conv.activation), 0},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_DEPTH_MULTIPLIER, WORD,
		offsetof(struct op_options, conv.depth_multiplier), 0},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_DILATION_W_FACTOR, WORD,
		offsetof(struct op_options, conv.dilation_w), 1},
	{OPTIONS_DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D_OPTIONS_DILATION_H_FACTOR, WORD,
		offsetof(struct op_options, conv.dilation_h), 1},
	{OPTIONS_TRANSPOSE_CONV, TRANSPOSE_CONV_OPTIONS_PADDING, BYTE,
		offsetof(struct op_options, conv.padding), 0},
	{OPTIONS_TRANSPOSE_CONV, TRANSPOSE_CONV_OPTIONS_STRIDE_W, WORD,
		offsetof(struct op_options, conv.stride_w), 0},
	{OPTIONS_TRANSPOSE_CONV, TRANSPOSE_CONV_OPTIONS_STRIDE_H, WORD,
		offsetof(struct op_options, conv.stride_h), 0},
	{OPTIONS_TRANSPOSE_CONV, TRANSPOSE_CONV_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, conv.activation), 0},
	{OPTIONS_TRANSPOSE_CONV, TRANSPOSE_CONV_OPTIONS_QUANTIZED_BIAS_TYPE, BYTE,
		offsetof(struct op_options, conv.quantized_bias_type), 0},
	{OPTIONS_POOL_2D, POOL_2D_OPTIONS_PADDING, BYTE, offsetof(struct op_options, pool.padding),
		0},
	{OPTIONS_POOL_2D, POOL_2D_OPTIONS_STRIDE_W, WORD,
		offsetof(struct op_options, pool.stride_w), 0},
	{OPTIONS_POOL_2D, POOL_2D_OPTIONS_STRIDE_H, WORD,
		offsetof(struct op_options, pool.stride_h), 0},
	{OPTIONS_POOL_2D, POOL_2D_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, pool.activation), 0},
	{OPTIONS_POOL_2D, POOL_2D_OPTIONS_FILTER_WIDTH, WORD,
		offsetof(struct op_options, pool.filter_w), 0},
	{OPTIONS_POOL_2D, POOL_2D_OPTIONS_FILTER_HEIGHT, WORD,
		offsetof(struct op_options, pool.filter_h), 0},
	{OPTIONS_FULLY_CONNECTED, FULLY_CONNECTED_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, fully_connected.activation), 0},
	{OPTIONS_FULLY_CONNECTED, FULLY_CONNECTED_OPTIONS_WEIGHTS_FORMAT, BYTE,
		offsetof(struct op_options, fully_connected.weights_format), 0},
	{OPTIONS_FULLY_CONNECTED, FULLY_CONNECTED_OPTIONS_KEEP_NUM_DIMS, BOOL,
		offsetof(struct op_options, fully_connected.keep_num_dims), 0},
	{OPTIONS_FULLY_CONNECTED, FULLY_CONNECTED_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, fully_connected.asymmetric_quantize_inputs), 0},
	{OPTIONS_FULLY_CONNECTED, FULLY_CONNECTED_OPTIONS_QUANTIZED_BIAS_TYPE, BYTE,
		offsetof(struct op_options, fully_connected.quantized_bias_type), 0},
	{OPTIONS_ADD, ADD_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, arithmetic.activation), 0},
	{OPTIONS_ADD, ADD_OPTIONS_POT_SCALE_INT16, BOOL,
		offsetof(struct op_options, arithmetic.pot_scale_int16), 1},
	{OPTIONS_SUB, SUB_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, arithmetic.activation), 0},
	{OPTIONS_SUB, SUB_OPTIONS_POT_SCALE_INT16, BOOL,
		offsetof(struct op_options, arithmetic.pot_scale_int16), 1},
	{OPTIONS_MUL, MUL_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, arithmetic.activation), 0},
	{OPTIONS_DIV, DIV_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, arithmetic.activation), 0},
	{OPTIONS_CONCATENATION, CONCATENATION_OPTIONS_AXIS, WORD,
		offsetof(struct op_options, axis.axis), 0},
	{OPTIONS_CONCATENATION, CONCATENATION_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, axis.activation), 0},
	{OPTIONS_PACK, PACK_OPTIONS_VALUES_COUNT, WORD, offsetof(struct op_options, axis.count), 0},
	{OPTIONS_PACK, PACK_OPTIONS_AXIS, WORD, offsetof(struct op_options, axis.axis), 0},
	{OPTIONS_UNPACK, UNPACK_OPTIONS_NUM, WORD, offsetof(struct op_options, axis.count), 0},
	{OPTIONS_UNPACK, UNPACK_OPTIONS_AXIS, WORD, offsetof(struct op_options, axis.axis), 0},
	{OPTIONS_GATHER, GATHER_OPTIONS_AXIS, WORD, offsetof(struct op_options, axis.axis), 0},
	{OPTIONS_GATHER, GATHER_OPTIONS_BATCH_DIMS, WORD, offsetof(struct op_options, axis.count),
		0},
	{OPTIONS_SPLIT, SPLIT_OPTIONS_NUM_SPLITS, WORD, offsetof(struct op_options, axis.count), 0},
	{OPTIONS_SPLIT_V, SPLIT_V_OPTIONS_NUM_SPLITS, WORD, offsetof(struct op_options, axis.count),
		0},
	{OPTIONS_REDUCER, REDUCER_OPTIONS_KEEP_DIMS, BOOL,
		offsetof(struct op_options, reduce.keep_dims), 0},
	{OPTIONS_RESIZE_BILINEAR, RESIZE_BILINEAR_OPTIONS_ALIGN_CORNERS, BOOL,
		offsetof(struct op_options, resize.align_corners), 0},
	{OPTIONS_RESIZE_BILINEAR, RESIZE_BILINEAR_OPTIONS_HALF_PIXEL_CENTERS, BOOL,
		offsetof(struct op_options, resize.half_pixel_centers), 0},
	{OPTIONS_RESIZE_NEAREST_NEIGHBOR, RESIZE_NEAREST_NEIGHBOR_OPTIONS_ALIGN_CORNERS, BOOL,
		offsetof(struct op_options, resize.align_corners), 0},
	{OPTIONS_RESIZE_NEAREST_NEIGHBOR, RESIZE_NEAREST_NEIGHBOR_OPTIONS_HALF_PIXEL_CENTERS, BOOL,
		offsetof(struct op_options, resize.half_pixel_centers), 0},
	{OPTIONS_STRIDED_SLICE, STRIDED_SLICE_OPTIONS_BEGIN_MASK, WORD,
		offsetof(struct op_options, strided_slice.begin_mask), 0},
	{OPTIONS_STRIDED_SLICE, STRIDED_SLICE_OPTIONS_END_MASK, WORD,
		offsetof(struct op_options, strided_slice.end_mask), 0},
	{OPTIONS_STRIDED_SLICE, STRIDED_SLICE_OPTIONS_ELLIPSIS_MASK, WORD,
		offsetof(struct op_options, strided_slice.ellipsis_mask), 0},
	{OPTIONS_STRIDED_SLICE, STRIDED_SLICE_OPTIONS_NEW_AXIS_MASK, WORD,
		offsetof(struct op_options, strided_slice.new_axis_mask), 0},
	{OPTIONS_STRIDED_SLICE, STRIDED_SLICE_OPTIONS_SHRINK_AXIS_MASK, WORD,
		offsetof(struct op_options, strided_slice.shrink_axis_mask), 0},
	{OPTIONS_STRIDED_SLICE, STRIDED_SLICE_OPTIONS_OFFSET, BOOL,
		offsetof(struct op_options, strided_slice.offset), 0},
	{OPTIONS_SOFTMAX, SOFTMAX_OPTIONS_BETA, FLOAT, offsetof(struct op_options, softmax.beta),
		0},
	{OPTIONS_ARG_MAX, ARG_MAX_OPTIONS_OUTPUT_TYPE, WIDEN,
		offsetof(struct op_options, arg.output_type), 0},
	{OPTIONS_ARG_MIN, ARG_MIN_OPTIONS_OUTPUT_TYPE, WIDEN,
		offsetof(struct op_options, arg.output_type), 0},
	{OPTIONS_SVDF, SVDF_OPTIONS_RANK, WORD, offsetof(struct op_options, svdf.rank), 0},
	{OPTIONS_SVDF, SVDF_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, svdf.activation), 0},
	{OPTIONS_SVDF, SVDF_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, svdf.asymmetric_quantize_inputs), 0},
	{OPTIONS_LSTM, LSTM_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, recurrent.activation), 0},
	{OPTIONS_LSTM, LSTM_OPTIONS_CELL_CLIP, FLOAT,
		offsetof(struct op_options, recurrent.cell_clip), 0},
	{OPTIONS_LSTM, LSTM_OPTIONS_PROJ_CLIP, FLOAT,
		offsetof(struct op_options, recurrent.proj_clip), 0},
	{OPTIONS_LSTM, LSTM_OPTIONS_KERNEL_TYPE, BYTE,
		offsetof(struct op_options, recurrent.lstm_kernel), 0},
	{OPTIONS_LSTM, LSTM_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, recurrent.asymmetric_quantize_inputs), 0},
	{OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM,
		UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, recurrent.activation), 0},
	{OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_CELL_CLIP,
		FLOAT, offsetof(struct op_options, recurrent.cell_clip), 0},
	{OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_PROJ_CLIP,
		FLOAT, offsetof(struct op_options, recurrent.proj_clip), 0},
	{OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_TIME_MAJOR,
		BOOL, offsetof(struct op_options, recurrent.time_major), 0},
	{OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM,
		UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, recurrent.asymmetric_quantize_inputs), 0},
	{OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM,
		UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_DIAGONAL_RECURRENT_TENSORS, BOOL,
		offsetof(struct op_options, recurrent.diagonal_recurrent_tensors), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM,
		BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, recurrent.activation), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_CELL_CLIP, FLOAT,
		offsetof(struct op_options, recurrent.cell_clip), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_PROJ_CLIP, FLOAT,
		offsetof(struct op_options, recurrent.proj_clip), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_MERGE_OUTPUTS,
		BOOL, offsetof(struct op_options, recurrent.merge_outputs), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_TIME_MAJOR, BOOL,
		offsetof(struct op_options, recurrent.time_major), 1},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM,
		BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, recurrent.asymmetric_quantize_inputs), 0},
	{OPTIONS_RNN, RNN_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, recurrent.activation), 0},
	{OPTIONS_RNN, RNN_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, recurrent.asymmetric_quantize_inputs), 0},
	{OPTIONS_SEQUENCE_RNN, SEQUENCE_RNN_OPTIONS_TIME_MAJOR, BOOL,
		offsetof(struct op_options, recurrent.time_major), 0},
	{OPTIONS_SEQUENCE_RNN, SEQUENCE_RNN_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, recurrent.activation), 0},
	{OPTIONS_SEQUENCE_RNN, SEQUENCE_RNN_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, recurrent.asymmetric_quantize_inputs), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS_TIME_MAJOR, BOOL,
		offsetof(struct op_options, recurrent.time_major), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN,
		BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS_FUSED_ACTIVATION_FUNCTION, BYTE,
		offsetof(struct op_options, recurrent.activation), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN, BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS_MERGE_OUTPUTS, BOOL,
		offsetof(struct op_options, recurrent.merge_outputs), 0},
	{OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN,
		BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS_ASYMMETRIC_QUANTIZE_INPUTS, BOOL,
		offsetof(struct op_options, recurrent.asymmetric_quantize_inputs), 0},
	{OPTIONS_CAST, CAST_OPTIONS_IN_DATA_TYPE, WIDEN, offsetof(struct op_options, cast.in_type),
		0},
	{OPTIONS_CAST, CAST_OPTIONS_OUT_DATA_TYPE, WIDEN,
		offsetof(struct op_options, cast.out_type), 0},
	{OPTIONS_CALL, CALL_OPTIONS_SUBGRAPH, WORD, offsetof(struct op_options, call.first), 0},
	{OPTIONS_CALL_ONCE, CALL_ONCE_OPTIONS_INIT_SUBGRAPH_INDEX, WORD,
		offsetof(struct op_options, call.first), 0},
	{OPTIONS_IF, IF_OPTIONS_THEN_SUBGRAPH_INDEX, WORD, offsetof(struct op_options, call.first),
		0},
	{OPTIONS_IF, IF_OPTIONS_ELSE_SUBGRAPH_INDEX, WORD, offsetof(struct op_options, call.second),
		0},
	{OPTIONS_WHILE, WHILE_OPTIONS_COND_SUBGRAPH_INDEX, WORD,
		offsetof(struct op_options, call.first), 0},
	{OPTIONS_WHILE, WHILE_OPTIONS_BODY_SUBGRAPH_INDEX, WORD,
		offsetof(struct op_options, call.second), 0},
};

/* Number of the options table of @operator, *ret_table its place; 0 when it has none. */
static uint16_t find_table(const struct flat *f, uint32_t operator, uint32_t * ret_table)
{
	uint8_t first = flat_get_u8(f, operator, OPERATOR_BUILTIN_OPTIONS_TYPE, 0);
	uint8_t second = flat_get_u8(f, operator, OPERATOR_BUILTIN_OPTIONS_2_TYPE, 0);
	*ret_table = flat_get_table(
		f, operator, first ? OPERATOR_BUILTIN_OPTIONS : OPERATOR_BUILTIN_OPTIONS_2);
	if (*ret_table == 0 || (!first && !second)) {
		*ret_table = 0;
		return 0;
	}
	return first ? first : (uint16_t)(OPTIONS_2_BASE + second);
}

static int check_list(
	const struct flat *f, uint32_t table, uint32_t slot, const char *name, struct error *err)
{
	struct flat_vector list = flat_get_vector(f, table, slot);
	if (list.count > SHAPE_MAX_RANK) {
		return error_set(err, -EBADMSG, "%s has %u dimensions, at most %d", name,
			list.count, SHAPE_MAX_RANK);
	}
	return 0;
}

int options_verify(const struct flat *f, uint32_t operator, unsigned int op, struct error *err)
{
	uint8_t first = flat_get_u8(f, operator, OPERATOR_BUILTIN_OPTIONS_TYPE, 0);
	uint8_t second = flat_get_u8(f, operator, OPERATOR_BUILTIN_OPTIONS_2_TYPE, 0);
	uint16_t wanted = options_of[op];
	uint32_t table = 0;
	if ((first && first != wanted) || (second && OPTIONS_2_BASE + second != wanted)) {
		return error_set(err, -EBADMSG, "options of another operator (table %u, not %u)",
			first ? first : OPTIONS_2_BASE + second, wanted);
	}
	switch (find_table(f, operator, & table)) {
	case OPTIONS_RESHAPE:
		return check_list(f, table, RESHAPE_OPTIONS_NEW_SHAPE, "new_shape", err);
	case OPTIONS_SQUEEZE:
		return check_list(f, table, SQUEEZE_OPTIONS_SQUEEZE_DIMS, "squeeze_dims", err);
	default:
		return 0;
	}
}

static void decode_field(const struct flat *f, uint32_t table, const struct option_field *field,
	struct op_options *options)
{
	void *to = (char *)options + field->offset;
	uint8_t byte = flat_get_u8(f, table, field->slot, (uint8_t)field->fallback);
	bool flag = byte != 0;
	int32_t word = byte;
	if (field->kind == WORD || field->kind == FLOAT) {
		word = flat_get_i32(f, table, field->slot, field->fallback);
	}
	switch (field->kind) {
	case BYTE:
		memcpy(to, &byte, sizeof(byte));
		break;
	case BOOL:
		memcpy(to, &flag, sizeof(flag));
		break;
	default: /* a float's bits are moved as they are */
		memcpy(to, &word, sizeof(word));
	}
}

static void decode_list(const struct flat_vector *list, uint32_t *ret_n, int32_t ret_dims[8])
{
	*ret_n = list->count;
	for (uint32_t i = 0; i < list->count; i++) {
		ret_dims[i] = flat_vector_i32(list, i);
	}
}

void options_decode(const struct flat *f, uint32_t operator, struct op_options * ret_options)
{
	uint32_t table = 0;
	*ret_options = (struct op_options){.table = find_table(f, operator, & table)};
	if (ret_options->table == OPTIONS_RESHAPE) {
		struct flat_vector shape = flat_get_vector(f, table, RESHAPE_OPTIONS_NEW_SHAPE);
		ret_options->reshape.has_new_shape = shape.data != NULL;
		decode_list(&shape, &ret_options->reshape.n, ret_options->reshape.new_shape);
	} else if (ret_options->table == OPTIONS_SQUEEZE) {
		struct flat_vector dims = flat_get_vector(f, table, SQUEEZE_OPTIONS_SQUEEZE_DIMS);
		decode_list(&dims, &ret_options->squeeze.n, ret_options->squeeze.dims);
	}
	for (size_t i = 0; i < sizeof(option_fields) / sizeof(option_fields[0]); i++) {
		if (ret_options->table && option_fields[i].options == ret_options->table) {
			decode_field(f, table, &option_fields[i], ret_options);
		}
	}
}
