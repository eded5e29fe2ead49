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
	OPTIONS_CONV_2D = 1,
	OPTIONS_DEPTHWISE_CONV_2D = 2,
	OPTIONS_CONCAT_EMBEDDINGS = 3,
	OPTIONS_LSH_PROJECTION = 4,
	OPTIONS_POOL_2D = 5,
	OPTIONS_SVDF = 6,
	OPTIONS_RNN = 7,
	OPTIONS_FULLY_CONNECTED = 8,
	OPTIONS_SOFTMAX = 9,
	OPTIONS_CONCATENATION = 10,
	OPTIONS_ADD = 11,
	OPTIONS_L2_NORM = 12,
	OPTIONS_LOCAL_RESPONSE_NORMALIZATION = 13,
	OPTIONS_LSTM = 14,
	OPTIONS_RESIZE_BILINEAR = 15,
	OPTIONS_CALL = 16,
	OPTIONS_RESHAPE = 17,
	OPTIONS_SKIP_GRAM = 18,
	OPTIONS_SPACE_TO_DEPTH = 19,
	OPTIONS_EMBEDDING_LOOKUP_SPARSE = 20,
	OPTIONS_MUL = 21,
	OPTIONS_PAD = 22,
	OPTIONS_GATHER = 23,
	OPTIONS_BATCH_TO_SPACE_ND = 24,
	OPTIONS_SPACE_TO_BATCH_ND = 25,
	OPTIONS_TRANSPOSE = 26,
	OPTIONS_REDUCER = 27,
	OPTIONS_SUB = 28,
	OPTIONS_DIV = 29,
	OPTIONS_SQUEEZE = 30,
	OPTIONS_SEQUENCE_RNN = 31,
	OPTIONS_STRIDED_SLICE = 32,
	OPTIONS_EXP = 33,
	OPTIONS_TOPK_V2 = 34,
	OPTIONS_SPLIT = 35,
	OPTIONS_LOG_SOFTMAX = 36,
	OPTIONS_CAST = 37,
	OPTIONS_DEQUANTIZE = 38,
	OPTIONS_MAXIMUM_MINIMUM = 39,
	OPTIONS_ARG_MAX = 40,
	OPTIONS_LESS = 41,
	OPTIONS_NEG = 42,
	OPTIONS_PADV2 = 43,
	OPTIONS_GREATER = 44,
	OPTIONS_GREATER_EQUAL = 45,
	OPTIONS_LESS_EQUAL = 46,
	OPTIONS_SELECT = 47,
	OPTIONS_SLICE = 48,
	OPTIONS_TRANSPOSE_CONV = 49,
	OPTIONS_SPARSE_TO_DENSE = 50,
	OPTIONS_TILE = 51,
	OPTIONS_EXPAND_DIMS = 52,
	OPTIONS_EQUAL = 53,
	OPTIONS_NOT_EQUAL = 54,
	OPTIONS_SHAPE = 55,
	OPTIONS_POW = 56,
	OPTIONS_ARG_MIN = 57,
	OPTIONS_FAKE_QUANT = 58,
	OPTIONS_PACK = 59,
	OPTIONS_LOGICAL_OR = 60,
	OPTIONS_ONE_HOT = 61,
	OPTIONS_LOGICAL_AND = 62,
	OPTIONS_LOGICAL_NOT = 63,
	OPTIONS_UNPACK = 64,
	OPTIONS_FLOOR_DIV = 65,
	OPTIONS_SQUARE = 66,
	OPTIONS_ZEROS_LIKE = 67,
	OPTIONS_FILL = 68,
	OPTIONS_BIDIRECTIONAL_SEQUENCE_LSTM = 69,
	OPTIONS_BIDIRECTIONAL_SEQUENCE_RNN = 70,
	OPTIONS_UNIDIRECTIONAL_SEQUENCE_LSTM = 71,
	OPTIONS_FLOOR_MOD = 72,
	OPTIONS_RANGE = 73,
	OPTIONS_RESIZE_NEAREST_NEIGHBOR = 74,
	OPTIONS_LEAKY_RELU = 75,
	OPTIONS_SQUARED_DIFFERENCE = 76,
	OPTIONS_MIRROR_PAD = 77,
	OPTIONS_ABS = 78,
	OPTIONS_SPLIT_V = 79,
	OPTIONS_UNIQUE = 80,
	OPTIONS_REVERSE_V2 = 81,
	OPTIONS_ADD_N = 82,
	OPTIONS_GATHER_ND = 83,
	OPTIONS_COS = 84,
	OPTIONS_WHERE = 85,
	OPTIONS_RANK = 86,
	OPTIONS_REVERSE_SEQUENCE = 87,
	OPTIONS_MATRIX_DIAG = 88,
	OPTIONS_QUANTIZE = 89,
	OPTIONS_MATRIX_SET_DIAG = 90,
	OPTIONS_HARD_SWISH = 91,
	OPTIONS_IF = 92,
	OPTIONS_WHILE = 93,
	OPTIONS_DEPTH_TO_SPACE = 94,
	OPTIONS_NON_MAX_SUPPRESSION_V4 = 95,
	OPTIONS_NON_MAX_SUPPRESSION_V5 = 96,
	OPTIONS_SCATTER_ND = 97,
	OPTIONS_SELECT_V2 = 98,
	OPTIONS_DENSIFY = 99,
	OPTIONS_SEGMENT_SUM = 100,
	OPTIONS_BATCH_MATMUL = 101,
	OPTIONS_CUMSUM = 102,
	OPTIONS_CALL_ONCE = 103,
	OPTIONS_BROADCAST_TO = 104,
	OPTIONS_RFFT2D = 105,
	OPTIONS_CONV_3D = 106,
	OPTIONS_HASHTABLE = 107,
	OPTIONS_HASHTABLE_FIND = 108,
	OPTIONS_HASHTABLE_IMPORT = 109,
	OPTIONS_HASHTABLE_SIZE = 110,
	OPTIONS_VAR_HANDLE = 111,
	OPTIONS_READ_VARIABLE = 112,
	OPTIONS_ASSIGN_VARIABLE = 113,
	OPTIONS_RANDOM = 114,
	OPTIONS_BUCKETIZE = 115,
	OPTIONS_GELU = 116,
	OPTIONS_DYNAMIC_UPDATE_SLICE = 117,
	OPTIONS_UNSORTED_SEGMENT_PROD = 118,
	OPTIONS_UNSORTED_SEGMENT_MAX = 119,
	OPTIONS_UNSORTED_SEGMENT_MIN = 120,
	OPTIONS_UNSORTED_SEGMENT_SUM = 121,
	OPTIONS_ATAN2 = 122,
	OPTIONS_SIGN = 123,
	OPTIONS_BITCAST = 124,
	OPTIONS_BITWISE_XOR = 125,
	OPTIONS_RIGHT_SHIFT = 126,
	OPTIONS_STABLEHLO_CONCATENATE = 256 + 1,
	OPTIONS_STABLEHLO_BROADCAST_IN_DIM = 256 + 2,
	OPTIONS_STABLEHLO_SLICE = 256 + 3,
	OPTIONS_STABLEHLO_CONVOLUTION = 256 + 4,
	OPTIONS_STABLEHLO_CUSTOM_CALL = 256 + 5,
	OPTIONS_STABLEHLO_REDUCE = 256 + 6,
	OPTIONS_STABLEHLO_SCATTER = 256 + 7,
	OPTIONS_STABLEHLO_COMPARE = 256 + 8,
	OPTIONS_STABLEHLO_DYNAMIC_SLICE = 256 + 9,
	OPTIONS_STABLEHLO_PAD = 256 + 10,
	OPTIONS_STABLEHLO_IOTA = 256 + 11,
	OPTIONS_STABLEHLO_DOT_GENERAL = 256 + 12,
	OPTIONS_STABLEHLO_REDUCE_WINDOW = 256 + 13,
	OPTIONS_STABLEHLO_SORT = 256 + 14,
	OPTIONS_STABLEHLO_WHILE = 256 + 15,
	OPTIONS_STABLEHLO_GATHER = 256 + 16,
	OPTIONS_STABLEHLO_TRANSPOSE = 256 + 17,
	OPTIONS_DILATE = 256 + 18,
	OPTIONS_STABLEHLO_RNG_BIT_GENERATOR = 256 + 19,
	OPTIONS_REDUCE_WINDOW = 256 + 20,
	OPTIONS_STABLEHLO_COMPOSITE = 256 + 21,
	OPTIONS_STABLEHLO_SHIFT_LEFT = 256 + 22,
	OPTIONS_STABLEHLO_CASE = 256 + 23,
	/* Custom operators that have options: the operator's own number. */
	OPTIONS_TFLITE_DETECTION_POSTPROCESS = OP_TFLITE_DETECTION_POSTPROCESS,
	OPTIONS_MFCC = OP_MFCC,
	OPTIONS_NUMERIC_VERIFY = OP_NUMERIC_VERIFY,
	OPTIONS_AUDIO_SPECTROGRAM = OP_AUDIO_SPECTROGRAM,
	OPTIONS_CONVOLUTION_2D_TRANSPOSE_BIAS = OP_CONVOLUTION_2D_TRANSPOSE_BIAS,
	OPTIONS_MAX_POOLING_WITH_ARGMAX_2D = OP_MAX_POOLING_WITH_ARGMAX_2D,
	OPTIONS_MAX_UNPOOLING_2D = OP_MAX_UNPOOLING_2D,
	OPTIONS_POSENET_DECODER = OP_POSENET_DECODER,
	OPTIONS_SIGNAL_WINDOW = OP_SIGNAL_WINDOW,
	OPTIONS_SIGNAL_RFFT = OP_SIGNAL_RFFT,
	OPTIONS_SIGNAL_IRFFT = OP_SIGNAL_IRFFT,
	OPTIONS_SIGNAL_ENERGY = OP_SIGNAL_ENERGY,
	OPTIONS_SIGNAL_FILTER_BANK = OP_SIGNAL_FILTER_BANK,
	OPTIONS_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION =
		OP_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION,
	OPTIONS_SIGNAL_FILTER_BANK_LOG = OP_SIGNAL_FILTER_BANK_LOG,
	OPTIONS_SIGNAL_PCAN = OP_SIGNAL_PCAN,
	OPTIONS_SIGNAL_FRAMER = OP_SIGNAL_FRAMER,
	OPTIONS_SIGNAL_STACKER = OP_SIGNAL_STACKER,
	OPTIONS_SIGNAL_DELAY = OP_SIGNAL_DELAY,
	OPTIONS_SIGNAL_OVERLAP_ADD = OP_SIGNAL_OVERLAP_ADD,
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
