/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - what an operator's node carries besides its operands
 *
 * Decoded from the file's options table by engine/model/options.c; defaults are the schema's.
 * Enumerations have been checked to be in range; numbers are as in the file: what they may be is
 * the operator table's business (engine/plan/opinfo.h). An operator without options of its own has
 * all of the union zero.
 */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum padding {
	PADDING_SAME = 0,
	PADDING_VALID = 1
};

enum activation {
	ACTIVATION_NONE = 0,
	ACTIVATION_RELU = 1,
	ACTIVATION_RELU_N1_TO_1 = 2,
	ACTIVATION_RELU6 = 3,
	ACTIVATION_TANH = 4,
	ACTIVATION_SIGN_BIT = 5,
};

struct options_conv { /* CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV */
	int32_t stride_h, stride_w, dilation_h, dilation_w;
	int32_t depth_multiplier; /* DEPTHWISE_CONV_2D; the reference ignores it */
	uint8_t padding, activation;
	uint8_t quantized_bias_type; /* enum dtype; 0 where the file does not say */
};

struct options_pool {
	int32_t stride_h, stride_w, filter_h, filter_w;
	uint8_t padding, activation;
};

struct options_fully_connected {
	uint8_t activation;
	uint8_t weights_format; /* 0 default, 1 shuffled 4x16 int8 */
	bool keep_num_dims;
	bool asymmetric_quantize_inputs;
	uint8_t quantized_bias_type;
};

struct options_arithmetic { /* ADD, SUB, MUL, DIV */
	uint8_t activation;
	bool pot_scale_int16; /* ADD, SUB; true where the file does not say */
};

struct options_axis { /* CONCATENATION, PACK, UNPACK, GATHER, SPLIT, SPLIT_V, ... */
	int32_t axis;
	int32_t count; /* SPLIT num_splits, SPLIT_V num_splits, PACK values_count, UNPACK num,
			  GATHER batch_dims */
	uint8_t activation;
};

struct options_reduce {
	bool keep_dims;
};

struct options_resize {
	bool align_corners, half_pixel_centers;
};

struct options_reshape {
	uint32_t n; /* dimensions of new_shape; 0 also when the file has none */
	int32_t new_shape[8];
	bool has_new_shape;
};

struct options_squeeze {
	uint32_t n;
	int32_t dims[8];
};

struct options_strided_slice {
	int32_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
	bool offset; /* the end is counted from the begin */
};

struct options_softmax {
	float beta;
};

struct options_arg {
	int32_t output_type; /* enum dtype */
};

struct options_svdf {
	int32_t rank;
	uint8_t activation;
	bool asymmetric_quantize_inputs;
};

struct options_recurrent { /* LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM, RNN and kin */
	uint8_t activation;
	float cell_clip, proj_clip;
	bool time_major;
	bool asymmetric_quantize_inputs;
	bool diagonal_recurrent_tensors;
	uint8_t lstm_kernel; /* LSTM: 0 full, 1 basic */
	bool merge_outputs;
};

struct options_cast {
	int32_t in_type, out_type; /* enum dtype */
};

struct options_call { /* IF, WHILE, CALL_ONCE, CALL: subgraph indices, in range */
	int32_t first, second;
};

struct op_options {
	uint16_t table; /* number of BuiltinOptions in the schema; 0 none; 256 + number for
			   BuiltinOptions2 */
	union {
		struct options_conv conv;
		struct options_pool pool;
		struct options_fully_connected fully_connected;
		struct options_arithmetic arithmetic;
		struct options_axis axis;
		struct options_reduce reduce;
		struct options_resize resize;
		struct options_reshape reshape;
		struct options_squeeze squeeze;
		struct options_strided_slice strided_slice;
		struct options_softmax softmax;
		struct options_arg arg;
		struct options_svdf svdf;
		struct options_recurrent recurrent;
		struct options_cast cast;
		struct options_call call;
	};
};

#endif
