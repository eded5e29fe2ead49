/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_options - what an operator's node carries besides its operands
 *
 * Decoded from the file's options table by engine/model/options.c; defaults are the schema's.
 * Enumerations have been checked to be in range; numbers are as in the file: what they may be is
 * the operator table's business (engine/plan/opinfo.h). An operator without options of its own has
 * all of the union zero.
 */
#ifndef ENGINE_OP_OPTIONS_H
#define ENGINE_OP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slicing.h"
#include "engine/operators.h"

/* Numbers of BuiltinOptions in schema.fbs; those of BuiltinOptions2 have 256 added. */
#define OPTIONS_2_BASE 256
enum options_table {
	OPTIONS_NONE = 0,
#define OPTIONS(name, number, fields) OPTIONS_##name = (number),
#define OPTIONS_2(name, number, fields) OPTIONS_##name = OPTIONS_2_BASE + (number),
#include "engine/options_list.h"
/* Custom operators that have options: the operator's own number. */
#define OPERATOR(name, number, options)
#define CUSTOM_OPERATOR(name, text) OPTIONS_##name = OP_##name,
#include "engine/operators_list.h"
};

/* Text of the file: not 0-terminated, any bytes. Escape before printing. */
struct text {
	const char *data;
	uint32_t length;
};

/* A list of the options, where the file has it: elements of 8 bytes (int64) or 4 (float32), little
 * endian, at any alignment. */
struct options_list {
	const uint8_t *data;
	uint32_t count;
};

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

struct options_pool { /* also L2_POOL_2D */
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

struct options_axis { /* CONCATENATION, PACK, UNPACK, GATHER, SPLIT, SPLIT_V, ONE_HOT */
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

/* What they say of @count entries; begins, ends and strides are the caller's. */
static inline struct slicing op_options_slicing(
	const struct options_strided_slice *o, uint32_t count)
{
	return (struct slicing){
		.count = count,
		.begin_mask = (uint32_t)o->begin_mask,
		.end_mask = (uint32_t)o->end_mask,
		.ellipsis_mask = (uint32_t)o->ellipsis_mask,
		.new_axis_mask = (uint32_t)o->new_axis_mask,
		.shrink_axis_mask = (uint32_t)o->shrink_axis_mask,
		.offset = o->offset,
	};
}

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

struct options_batch_matmul {
	bool adj_x, adj_y;
	bool asymmetric_quantize_inputs;
};

struct options_lrn { /* LOCAL_RESPONSE_NORMALIZATION */
	int32_t radius;
	float bias, alpha, beta;
};

struct options_lsh {
	uint8_t type; /* 0 unknown, 1 sparse, 2 dense */
};

struct options_skip_gram {
	int32_t ngram_size, max_skip_size;
	bool include_all_ngrams;
};

struct options_block { /* SPACE_TO_DEPTH, DEPTH_TO_SPACE */
	int32_t size;
};

struct options_embedding_sparse {
	uint8_t combiner; /* 0 sum, 1 mean, 2 sqrtn */
};

struct options_fake_quant {
	float min, max;
	int32_t num_bits;
	bool narrow_range;
};

struct options_leaky_relu {
	float alpha;
};

struct options_mirror_pad {
	uint8_t mode; /* 0 reflect, 1 symmetric */
};

struct options_out_type { /* SHAPE, UNIQUE */
	int32_t type; /* enum dtype */
};

struct options_reverse_sequence {
	int32_t seq_dim, batch_dim;
};

struct options_cumsum {
	bool exclusive, reverse;
};

struct options_conv_3d { /* CONV_3D, CONV_3D_TRANSPOSE */
	int32_t stride_d, stride_h, stride_w, dilation_d, dilation_h, dilation_w;
	uint8_t padding, activation;
};

struct options_hashtable {
	int32_t table_id;
	int32_t key_type, value_type; /* enum dtype */
};

struct options_var_handle {
	struct text container, shared_name;
};

struct options_random { /* RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL, MULTINOMIAL */
	int64_t seed, seed2;
};

struct options_bucketize {
	struct options_list boundaries; /* float32 */
};

struct options_gelu {
	bool approximate;
};

struct options_reduce_window {
	int32_t function; /* 1 add, 2 mul, 3 minimum, 4 maximum, 5 all, 6 any */
};

struct options_rng {
	uint8_t algorithm; /* 0 default, 1 Philox, 2 ThreeFry */
};

struct options_hlo_pad { /* STABLEHLO_PAD; lists of int64 */
	struct options_list low, high, interior;
};

struct options_hlo_gather { /* lists of int64 */
	struct options_list offset_dims, collapsed_slice_dims, start_index_map, slice_sizes;
	int64_t index_vector_dim;
};

struct options_hlo_scatter { /* lists of int64 */
	struct options_list update_window_dims, inserted_window_dims, scatter_dims;
	int64_t index_vector_dim;
	int32_t body; /* subgraph, in range */
};

struct options_hlo_reduce_window { /* lists of int64 */
	struct options_list window, strides, base_dilations, window_dilations, padding;
	int32_t body; /* subgraph, in range */
};

struct options_composite {
	struct text name;
	int32_t subgraph; /* in range */
};

/* Options of custom operators: engine/model/options_custom_fields.h says what they are called. */

struct options_detection { /* TFLite_Detection_PostProcess */
	int32_t max_detections;
	int32_t max_classes_per_detection; /* fast */
	int32_t detections_per_class; /* regular */
	int32_t num_classes; /* without the background */
	bool use_regular_nms;
	float score_threshold, iou_threshold;
	float y_scale, x_scale, h_scale, w_scale;
};

struct options_mfcc { /* limits in Hz */
	int32_t upper_frequency_limit, lower_frequency_limit;
	int32_t filterbank_channel_count, dct_coefficient_count;
};

struct options_numeric_verify {
	float tolerance; /* in steps of the quantised input */
	bool log_if_failed; /* what is beyond it ends the run, from a tolerance of 0.1 on */
};

struct options_spectrogram {
	int32_t window_size, stride;
	bool magnitude_squared;
};

struct options_posenet {
	int32_t max_detections, stride;
	float score_threshold, nms_radius; /* in pixels */
};

struct options_signal_window {
	int32_t shift;
};

struct options_signal_fft { /* SignalRfft, SignalIrfft */
	int32_t type; /* enum dtype */
	int32_t length;
};

struct options_signal_energy {
	int32_t start_index, end_index;
};

struct options_signal_filter_bank {
	int32_t num_channels;
};

struct options_signal_subtraction {
	int32_t smoothing, one_minus_smoothing; /* of even channels */
	int32_t alternate_smoothing, alternate_one_minus_smoothing; /* of odd ones */
	int32_t min_signal_remaining, num_channels, smoothing_bits, subtraction_bits;
	bool clamping;
};

struct options_signal_log {
	int32_t input_correction_bits, output_scale;
};

struct options_signal_pcan {
	int32_t snr_shift;
};

struct options_signal_framer {
	int32_t frame_size, frame_step;
	bool prefill;
};

struct options_signal_stacker {
	int32_t num_channels, left_context, right_context, step;
};

struct options_signal_delay {
	int32_t length;
};

struct options_signal_overlap_add {
	int32_t type; /* enum dtype */
	int32_t frame_step;
};

struct op_options {
	uint16_t table; /* number of BuiltinOptions in the schema; 0 none; 256 + number for
			   BuiltinOptions2; a custom operator's own number */
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
		struct options_batch_matmul batch_matmul;
		struct options_lrn lrn;
		struct options_lsh lsh;
		struct options_skip_gram skip_gram;
		struct options_block block;
		struct options_embedding_sparse embedding_sparse;
		struct options_fake_quant fake_quant;
		struct options_leaky_relu leaky_relu;
		struct options_mirror_pad mirror_pad;
		struct options_out_type out_type;
		struct options_reverse_sequence reverse_sequence;
		struct options_cumsum cumsum;
		struct options_conv_3d conv_3d;
		struct options_hashtable hashtable;
		struct options_var_handle var_handle;
		struct options_random random;
		struct options_bucketize bucketize;
		struct options_gelu gelu;
		struct options_reduce_window reduce_window;
		struct options_rng rng;
		struct options_hlo_pad hlo_pad;
		struct options_hlo_gather hlo_gather;
		struct options_hlo_scatter hlo_scatter;
		struct options_hlo_reduce_window hlo_reduce_window;
		struct options_composite composite;
		struct options_detection detection;
		struct options_mfcc mfcc;
		struct options_numeric_verify numeric_verify;
		struct options_spectrogram spectrogram;
		struct options_posenet posenet;
		struct options_signal_window signal_window;
		struct options_signal_fft signal_fft;
		struct options_signal_energy signal_energy;
		struct options_signal_filter_bank signal_filter_bank;
		struct options_signal_subtraction signal_subtraction;
		struct options_signal_log signal_log;
		struct options_signal_pcan signal_pcan;
		struct options_signal_framer signal_framer;
		struct options_signal_stacker signal_stacker;
		struct options_signal_delay signal_delay;
		struct options_signal_overlap_add signal_overlap_add;
	};
};

static inline int64_t options_list_get(const struct options_list *list, uint32_t i)
{
	int64_t v = 0;
	__builtin_memcpy(&v, list->data + 8 * (size_t)i, 8);
	return v;
}

static inline float options_list_get_f32(const struct options_list *list, uint32_t i)
{
	float v = 0;
	__builtin_memcpy(&v, list->data + 4 * (size_t)i, 4);
	return v;
}

#endif
