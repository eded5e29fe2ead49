/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/options.h"

#include <errno.h>
#include <stddef.h>

#include "base/dtype.h"
#include "engine/model/schema.h"
#include "engine/model/view.h"
#include "engine/operators.h"

/* Which options table belongs to which operator. */
static const uint16_t options_of[OP_COUNT] = {
#define OPERATOR(name, number, options) [number] = OPTIONS_##options,
#define CUSTOM_OPERATOR(name, text)
#include "engine/operators_list.h"
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
	{OPTIONS_##table, SLOT(table##_OPTIONS, field), kind, offsetof(struct op_options, member), \
		fallback},
#include "engine/model/options_fields.h"
#undef FIELD
};

/* Number of the options table of @operator, *ret_table its place; 0 when it has none. */
static uint16_t find_table(const struct flat *f, uint32_t operator, uint32_t * ret_table)
{
	uint8_t first = flat_get_u8(f, operator, SLOT(OPERATOR, builtin_options_type), 0);
	uint8_t second = flat_get_u8(f, operator, SLOT(OPERATOR, builtin_options_2_type), 0);
	*ret_table = flat_get_table(f, operator,
		first ? SLOT(OPERATOR, builtin_options) : SLOT(OPERATOR, builtin_options_2));
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
	uint8_t first = flat_get_u8(f, operator, SLOT(OPERATOR, builtin_options_type), 0);
	uint8_t second = flat_get_u8(f, operator, SLOT(OPERATOR, builtin_options_2_type), 0);
	uint16_t wanted = options_of[op];
	uint32_t table = 0;
	if ((first && first != wanted) || (second && OPTIONS_2_BASE + second != wanted)) {
		return error_set(err, -EBADMSG, "options of another operator (table %u, not %u)",
			first ? first : OPTIONS_2_BASE + second, wanted);
	}
	switch (find_table(f, operator, & table)) {
	case OPTIONS_RESHAPE:
		return check_list(f, table, SLOT(RESHAPE_OPTIONS, new_shape), "new_shape", err);
	case OPTIONS_SQUEEZE:
		return check_list(
			f, table, SLOT(SQUEEZE_OPTIONS, squeeze_dims), "squeeze_dims", err);
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
		struct flat_vector shape =
			flat_get_vector(f, table, SLOT(RESHAPE_OPTIONS, new_shape));
		ret_options->reshape.has_new_shape = shape.data != NULL;
		decode_list(&shape, &ret_options->reshape.n, ret_options->reshape.new_shape);
	} else if (ret_options->table == OPTIONS_SQUEEZE) {
		struct flat_vector dims =
			flat_get_vector(f, table, SLOT(SQUEEZE_OPTIONS, squeeze_dims));
		decode_list(&dims, &ret_options->squeeze.n, ret_options->squeeze.dims);
	}
	for (size_t i = 0; i < sizeof(option_fields) / sizeof(option_fields[0]); i++) {
		if (ret_options->table && option_fields[i].options == ret_options->table) {
			decode_field(f, table, &option_fields[i], ret_options);
		}
	}
}
