/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/options.h"

#include <errno.h>
#include <stddef.h>

#include "base/dtype.h"
#include "engine/model/schema.h"
#include "engine/model/view.h"
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
	WIDE, /* int64_t to int64_t */
	LIST, /* a vector of numbers to struct options_list */
	TEXT, /* a string to struct text */
};

struct option_field {
	uint16_t options;
	uint8_t slot;
	uint8_t kind; /* enum option_kind */
	uint16_t offset; /* in struct op_options */
	int32_t fallback; /* the schema's default; 0 for floats */
};

static const struct option_field option_fields[] = {
#define FIELD(table, field, kind, member, fallback)                                                \
	{OPTIONS_##table, table##_OPTIONS_##field, kind, offsetof(struct op_options, member),      \
		fallback},
#include "engine/model/options_fields.h"
#undef FIELD
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

uint64_t options_length(const struct flat *f, uint32_t operator)
{
	uint32_t table = 0;
	uint16_t number = find_table(f, operator, & table);
	uint64_t length = 0;
	for (size_t i = 0; i < sizeof(option_fields) / sizeof(option_fields[0]); i++) {
		const struct option_field *field = &option_fields[i];
		if (number && field->options == number && field->kind == LIST) {
			length += flat_get_vector(f, table, field->slot).count;
		} else if (number && field->options == number && field->kind == TEXT) {
			length += view_text(f, table, field->slot).length;
		}
	}
	return length;
}

/* What is longer than four bytes: lists and texts stay in the file. */
static void decode_long(
	const struct flat *f, uint32_t table, const struct option_field *field, void *to)
{
	struct flat_vector vector = {0};
	int64_t wide = 0;
	switch (field->kind) {
	case WIDE:
		wide = (int64_t)flat_get_u64(f, table, field->slot, 0);
		memcpy(to, &wide, sizeof(wide));
		break;
	case LIST:
		vector = flat_get_vector(f, table, field->slot);
		*(struct options_list *)to = (struct options_list){vector.data, vector.count};
		break;
	default:
		*(struct text *)to = view_text(f, table, field->slot);
	}
}

static void decode_field(const struct flat *f, uint32_t table, const struct option_field *field,
	struct op_options *options)
{
	void *to = (char *)options + field->offset;
	if (field->kind >= WIDE) {
		decode_long(f, table, field, to);
		return;
	}
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
