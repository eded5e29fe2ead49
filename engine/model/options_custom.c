/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/options_custom.h"

#include <errno.h>
#include <float.h>
#include <string.h>

#include "base/bytes.h"
#include "base/flexbuffer.h"
#include "engine/operators.h"

enum field_kind {
	INT, /* int32_t */
	FLOAT,
	BOOL,
};

struct custom_field {
	uint16_t op;
	uint8_t kind; /* enum field_kind */
	uint16_t offset; /* in struct op_options */
	const char *key;
};

static const struct custom_field fields[] = {
#define FIELD(op, kind, member, key) {OP_##op, kind, offsetof(struct op_options, member), key},
#include "engine/model/options_custom_fields.h"
#undef FIELD
};

static int read_field(const struct flexbuffer *map, const struct custom_field *field,
	struct op_options *options, struct error *err)
{
	void *to = (char *)options + field->offset;
	int32_t word = 0;
	float real = 0;
	bool flag = false;
	int64_t whole = 0;
	double wide = 0;
	int r = 0;
	switch (field->kind) {
	case INT:
		memcpy(&word, to, sizeof(word));
		whole = word;
		r = flexbuffer_read_int(map, field->key, INT32_MIN, INT32_MAX, &whole, err);
		word = (int32_t)whole;
		memcpy(to, &word, sizeof(word));
		return r;
	case FLOAT:
		r = flexbuffer_read_float(map, field->key, -FLT_MAX, FLT_MAX, &wide, err);
		real = (float)wide;
		memcpy(to, &real, sizeof(real));
		return r;
	default:
		r = flexbuffer_read_bool(map, field->key, &flag, err);
		memcpy(to, &flag, sizeof(flag));
		return r;
	}
}

static bool has_fields(unsigned int op)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].op == op) {
			return true;
		}
	}
	return false;
}

static int decode_map(
	unsigned int op, const struct flexbuffer *map, struct op_options *ret, struct error *err)
{
	int r = flexbuffer_kind_of(map) == FLEXBUFFER_MAP
		? 0
		: error_set(err, -EBADMSG, "options are no FlexBuffers map");
	for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].op == op) {
			r = read_field(map, &fields[i], ret, err);
		}
	}
	return r;
}

/* Word @i of a C structure; 0 beyond its end. */
static int32_t word_at(const uint8_t *data, size_t size, size_t i)
{
	return size / 4 > i ? (int32_t)bytes_get_u32(data + 4 * i) : 0;
}

/* TfLitePadding: 1 same, 2 valid. */
static int decode_padding(int32_t word, uint8_t *ret_padding, struct error *err)
{
	if (word != 1 && word != 2) {
		return error_set(err, -EBADMSG, "options: padding %d", (int)word);
	}
	*ret_padding = word == 1 ? PADDING_SAME : PADDING_VALID;
	return 0;
}

/* struct TfLitePoolParams: padding, strides and filter (width first), activation. */
static int decode_pool(
	const uint8_t *data, size_t size, struct options_pool *ret, struct error *err)
{
	int32_t activation = word_at(data, size, 5);
	ret->stride_w = word_at(data, size, 1);
	ret->stride_h = word_at(data, size, 2);
	ret->filter_w = word_at(data, size, 3);
	ret->filter_h = word_at(data, size, 4);
	if (activation < 0 || activation > UINT8_MAX) {
		return error_set(err, -EBADMSG, "options: activation %d", (int)activation);
	}
	ret->activation = (uint8_t)activation;
	return decode_padding(word_at(data, size, 0), &ret->padding, err);
}

/* struct TfLiteTransposeConvParams: padding, strides (width first). */
static int decode_transpose(
	const uint8_t *data, size_t size, struct options_conv *ret, struct error *err)
{
	ret->stride_w = word_at(data, size, 1);
	ret->stride_h = word_at(data, size, 2);
	ret->dilation_h = ret->dilation_w = 1;
	return decode_padding(word_at(data, size, 0), &ret->padding, err);
}

/* [1, height, width, 1] of the map's @key. */
static int read_window(const struct flexbuffer *map, const char *key, int32_t *ret_h,
	int32_t *ret_w, struct error *err)
{
	struct flexbuffer list, element;
	uint32_t count = 0;
	int64_t dims[4] = {0};
	int r = flexbuffer_find(map, key, &list, err);
	r = r < 0 ? r : flexbuffer_count(&list, &count, err);
	for (uint32_t i = 0; r == 0 && i < 4 && i < count; i++) {
		r = flexbuffer_element(&list, i, &element, err);
		r = r < 0 ? r : flexbuffer_get_int(&element, &dims[i], err);
	}
	if (r < 0 || count != 4 || dims[0] != 1 || dims[3] != 1 || dims[1] < 1 ||
		dims[1] > INT32_MAX || dims[2] < 1 || dims[2] > INT32_MAX) {
		return error_set(err, -EBADMSG, "option %s is no [1, height, width, 1]", key);
	}
	*ret_h = (int32_t)dims[1];
	*ret_w = (int32_t)dims[2];
	return 0;
}

/* MaxPoolWithArgmax of TFLite's perception operators: the same in a map. */
static int decode_pool_map(
	const struct flexbuffer *map, struct options_pool *ret, struct error *err)
{
	struct flexbuffer padding;
	const char *text = "";
	size_t length = 0;
	bool with_batch = false;
	int r = read_window(map, "ksize", &ret->filter_h, &ret->filter_w, err);
	r = r < 0 ? r : read_window(map, "strides", &ret->stride_h, &ret->stride_w, err);
	r = r < 0 ? r : flexbuffer_read_bool(map, "include_batch_in_index", &with_batch, err);
	r = r < 0 ? r : flexbuffer_find(map, "padding", &padding, err);
	r = r < 0 ? r : flexbuffer_get_text(&padding, &text, &length, err);
	if (r < 0) {
		return -EBADMSG;
	}
	if (with_batch) {
		return error_set(err, -EOPNOTSUPP, "include_batch_in_index is not there yet");
	}
	bool same = length == 4 && memcmp(text, "SAME", 4) == 0;
	if (!same && !(length == 5 && memcmp(text, "VALID", 5) == 0)) {
		return error_set(err, -EBADMSG, "option padding is neither SAME nor VALID");
	}
	ret->padding = same ? PADDING_SAME : PADDING_VALID;
	return 0;
}

/* A structure ends with padding that is 0; the last byte of a map is its width, which is not. */
static int decode_either(
	const uint8_t *data, size_t size, struct options_pool *ret, struct error *err)
{
	struct flexbuffer map;
	return flexbuffer_open(data, size, &map, NULL) == 0 &&
			flexbuffer_kind_of(&map) == FLEXBUFFER_MAP
		? decode_pool_map(&map, ret, err)
		: decode_pool(data, size, ret, err);
}

static int decode(
	unsigned int op, const void *data, size_t size, struct op_options *ret, struct error *err)
{
	struct flexbuffer map;
	int r = 0;
	switch (op) {
	case OP_CONVOLUTION_2D_TRANSPOSE_BIAS:
		return decode_transpose(data, size, &ret->conv, err);
	case OP_MAX_UNPOOLING_2D:
		return decode_pool(data, size, &ret->pool, err);
	case OP_MAX_POOLING_WITH_ARGMAX_2D:
		return decode_either(data, size, &ret->pool, err);
	case OP_TFLITE_DETECTION_POSTPROCESS:
		ret->detection.detections_per_class = 100; /* where the map does not say */
		break;
	default:
		break;
	}
	r = flexbuffer_open(data, size, &map, err);
	return r < 0 ? r : decode_map(op, &map, ret, err);
}

int options_custom_decode(unsigned int op, const void *data, size_t size,
	struct op_options *ret_options, struct error *err)
{
	struct op_options options = {.table = OPTIONS_NONE};
	bool raw = op == OP_CONVOLUTION_2D_TRANSPOSE_BIAS || op == OP_MAX_UNPOOLING_2D ||
		op == OP_MAX_POOLING_WITH_ARGMAX_2D;
	if (size > 0 && (raw || has_fields(op))) {
		options.table = (uint16_t)op;
		int r = decode(op, data, size, &options, err);
		if (r < 0) {
			return r;
		}
	}
	*ret_options = options;
	return 0;
}
