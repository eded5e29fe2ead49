/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flexbuffer.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/* Type numbers of the format. A type byte has the width in its low two bits. */
enum flexbuffer_type {
	TYPE_NULL = 0,
	TYPE_INT = 1,
	TYPE_UINT = 2,
	TYPE_FLOAT = 3,
	TYPE_KEY = 4,
	TYPE_STRING = 5,
	TYPE_INDIRECT_INT = 6,
	TYPE_INDIRECT_FLOAT = 8,
	TYPE_MAP = 9,
	TYPE_VECTOR = 10,
	TYPE_VECTOR_INT = 11,
	TYPE_VECTOR_KEY = 14,
	TYPE_VECTOR_STRING = 15,
	TYPE_VECTOR_INT2 = 16,
	TYPE_VECTOR_FLOAT4 = 24,
	TYPE_BLOB = 25,
	TYPE_BOOL = 26,
	TYPE_VECTOR_BOOL = 36,
};

static int broken(struct error *err, const char *what)
{
	return error_set(err, -EBADMSG, "FlexBuffer: %s", what);
}

/* @width is 1, 2, 4 or 8. */
static bool read_uint(const struct flexbuffer *v, size_t at, unsigned int width, uint64_t *ret)
{
	if (at > v->size || width > v->size - at) {
		return false;
	}
	const uint8_t *p = v->data + at;
	*ret = width == 1    ? *p
		: width == 2 ? bytes_get_u16(p)
		: width == 4 ? bytes_get_u32(p)
			     : bytes_get_u64(p);
	return true;
}

/* Sign-extends the low @width bytes. */
static int64_t extend(uint64_t bits, unsigned int width)
{
	unsigned int unused = 64 - 8 * width;
	return (int64_t)(bits << unused) >> unused;
}

/* Decodes half, single or double precision; false for one byte. */
static bool decode_float(uint64_t bits, unsigned int width, double *ret)
{
	if (width == 8) {
		memcpy(ret, &bits, sizeof(*ret));
		return true;
	}
	if (width == 4) {
		float f;
		uint32_t low = (uint32_t)bits;
		memcpy(&f, &low, sizeof(f));
		*ret = (double)f;
		return true;
	}
	return false;
}

/* Follows the offset at @at, which points backwards. */
static bool follow(const struct flexbuffer *v, size_t at, unsigned int width, size_t *ret_at)
{
	uint64_t offset = 0;
	if (!read_uint(v, at, width, &offset) || offset == 0 || offset > at) {
		return false;
	}
	*ret_at = at - (size_t)offset;
	return true;
}

int flexbuffer_open(const void *data, size_t size, struct flexbuffer *ret, struct error *err)
{
	const uint8_t *bytes = data;
	if (size < 3) {
		return broken(err, "shorter than 3 bytes");
	}
	unsigned int width = bytes[size - 1], packed = bytes[size - 2];
	if ((width != 1 && width != 2 && width != 4 && width != 8) || width > size - 2) {
		return broken(err, "root of an impossible width");
	}
	*ret = (struct flexbuffer){
		.data = bytes,
		.size = size,
		.at = size - 2 - width,
		.type = (uint8_t)(packed >> 2),
		.parent_width = (uint8_t)width,
		.width = (uint8_t)(1u << (packed & 3)),
	};
	return 0;
}

enum flexbuffer_kind flexbuffer_kind_of(const struct flexbuffer *value)
{
	static const uint8_t kinds[] = {
		[TYPE_INT] = FLEXBUFFER_INT,
		[TYPE_UINT] = FLEXBUFFER_UINT,
		[TYPE_FLOAT] = FLEXBUFFER_FLOAT,
		[TYPE_KEY] = FLEXBUFFER_STRING,
		[TYPE_STRING] = FLEXBUFFER_STRING,
		[TYPE_INDIRECT_INT] = FLEXBUFFER_INT,
		[TYPE_INDIRECT_INT + 1] = FLEXBUFFER_UINT,
		[TYPE_INDIRECT_FLOAT] = FLEXBUFFER_FLOAT,
		[TYPE_MAP] = FLEXBUFFER_MAP,
	};
	if (value->type < sizeof(kinds)) {
		return kinds[value->type];
	}
	if (value->type <= TYPE_VECTOR_FLOAT4 || value->type == TYPE_VECTOR_BOOL) {
		return FLEXBUFFER_VECTOR;
	}
	return value->type == TYPE_BLOB    ? FLEXBUFFER_BLOB
		: value->type == TYPE_BOOL ? FLEXBUFFER_BOOL
					   : FLEXBUFFER_NULL;
}

/* Returns the length of vector types of fixed length: 2, 3 or 4; 0 for others. */
static unsigned int fixed_length(unsigned int type)
{
	return type >= TYPE_VECTOR_INT2 && type <= TYPE_VECTOR_FLOAT4
		? 2 + (type - TYPE_VECTOR_INT2) / 3
		: 0;
}

/* Checks the elements, and for untyped vectors the type bytes after them. */
static bool elements_fit(const struct flexbuffer *v, size_t at, uint64_t n)
{
	unsigned int types = v->type == TYPE_VECTOR || v->type == TYPE_MAP ? 1 : 0;
	return at <= v->size && n <= UINT32_MAX && n <= (v->size - at) / (v->width + types);
}

/* Returns the offset of the first element, and the number of elements. */
static int find_elements(
	const struct flexbuffer *v, size_t *ret_at, uint32_t *ret_count, struct error *err)
{
	enum flexbuffer_kind kind = flexbuffer_kind_of(v);
	size_t at = 0;
	uint64_t n = fixed_length(v->type);
	if (kind != FLEXBUFFER_VECTOR && kind != FLEXBUFFER_MAP) {
		return broken(err, "no vector or map");
	}
	if (!follow(v, v->at, v->parent_width, &at) ||
		(n == 0 && (at < v->width || !read_uint(v, at - v->width, v->width, &n))) ||
		!elements_fit(v, at, n)) {
		return broken(err, "a vector reaches beyond the bytes");
	}
	*ret_at = at;
	*ret_count = (uint32_t)n;
	return 0;
}

int flexbuffer_count(const struct flexbuffer *vector, uint32_t *ret_count, struct error *err)
{
	size_t at;
	return find_elements(vector, &at, ret_count, err);
}

/* Returns the element type of a typed vector. */
static unsigned int element_type(unsigned int type)
{
	if (type == TYPE_VECTOR_BOOL) {
		return TYPE_BOOL;
	}
	if (type == TYPE_VECTOR_STRING) {
		return TYPE_STRING;
	}
	if (type >= TYPE_VECTOR_INT2) {
		return (type - TYPE_VECTOR_INT2) % 3 + TYPE_INT;
	}
	return type - TYPE_VECTOR_INT + TYPE_INT;
}

int flexbuffer_element(
	const struct flexbuffer *vector, uint32_t i, struct flexbuffer *ret, struct error *err)
{
	size_t at = 0;
	uint32_t n = 0;
	int r = find_elements(vector, &at, &n, err);
	if (r < 0) {
		return r;
	}
	if (i >= n) {
		return error_set(err, -EBADMSG, "FlexBuffer: element %u of %u", i, n);
	}
	struct flexbuffer found = *vector;
	found.at = at + (size_t)i * vector->width;
	found.parent_width = vector->width;
	if (vector->type == TYPE_VECTOR || vector->type == TYPE_MAP) {
		unsigned int packed = vector->data[at + (size_t)n * vector->width + i];
		found.type = (uint8_t)(packed >> 2);
		found.width = (uint8_t)(1u << (packed & 3));
	} else {
		found.type = (uint8_t)element_type(vector->type);
		found.width = 1;
	}
	*ret = found;
	return 0;
}

/* The keys of a map are a typed vector. Its offset and width precede the map's length. */
static int find_keys(const struct flexbuffer *map, struct flexbuffer *ret, struct error *err)
{
	size_t at = 0;
	uint64_t width = 0;
	if (map->type != TYPE_MAP) {
		return broken(err, "no map");
	}
	if (!follow(map, map->at, map->parent_width, &at) || at < 3u * map->width ||
		!read_uint(map, at - 2u * map->width, map->width, &width) ||
		(width != 1 && width != 2 && width != 4 && width != 8)) {
		return broken(err, "a map without keys");
	}
	*ret = *map;
	ret->at = at - 3u * map->width;
	ret->parent_width = map->width;
	ret->type = TYPE_VECTOR_KEY;
	ret->width = (uint8_t)width;
	return 0;
}

/* Compares including the terminating 0. */
static bool key_is(const struct flexbuffer *v, const char *key, size_t length, bool *ret_equal)
{
	size_t at = 0;
	if (!follow(v, v->at, v->parent_width, &at)) {
		return false;
	}
	*ret_equal = length < v->size - at && memcmp(v->data + at, key, length + 1) == 0;
	return true;
}

int flexbuffer_find(
	const struct flexbuffer *map, const char *key, struct flexbuffer *ret, struct error *err)
{
	struct flexbuffer keys;
	uint32_t n = 0, n_keys = 0;
	size_t length = strlen(key);
	int r = find_keys(map, &keys, err);
	r = r < 0 ? r : flexbuffer_count(map, &n, err);
	r = r < 0 ? r : flexbuffer_count(&keys, &n_keys, err);
	if (r < 0) {
		return r;
	}
	if (n != n_keys) {
		return broken(err, "a map with more keys than values, or fewer");
	}
	for (uint32_t i = 0; i < n; i++) {
		struct flexbuffer name;
		bool equal = false;
		r = flexbuffer_element(&keys, i, &name, err);
		if (r < 0) {
			return r;
		}
		if (!key_is(&name, key, length, &equal)) {
			return broken(err, "a key outside of the bytes");
		}
		if (equal) {
			return flexbuffer_element(map, i, ret, err);
		}
	}
	return error_set(err, -ENOENT, "FlexBuffer: no '%s'", key);
}

/* Returns the bits of a number and its width, from the slot or behind an offset. */
static bool read_number(const struct flexbuffer *v, uint64_t *ret_bits, unsigned int *ret_width)
{
	size_t at = v->at;
	*ret_width = v->parent_width;
	if (v->type >= TYPE_INDIRECT_INT && v->type <= TYPE_INDIRECT_FLOAT) {
		*ret_width = v->width;
		if (!follow(v, v->at, v->parent_width, &at)) {
			return false;
		}
	}
	return read_uint(v, at, *ret_width, ret_bits);
}

/* Sets *ret_float for a float, else *ret_int. */
static int get_number(const struct flexbuffer *value, bool *ret_is_float, int64_t *ret_int,
	double *ret_float, struct error *err)
{
	enum flexbuffer_kind kind = flexbuffer_kind_of(value);
	uint64_t bits = 0;
	unsigned int width = 0;
	*ret_is_float = kind == FLEXBUFFER_FLOAT;
	*ret_int = 0;
	if (value->type == TYPE_NULL) {
		return 0;
	}
	if (kind > FLEXBUFFER_BOOL || kind == FLEXBUFFER_NULL) {
		return broken(err, "no number");
	}
	if (!read_number(value, &bits, &width)) {
		return broken(err, "a number outside of the bytes");
	}
	if (kind == FLEXBUFFER_FLOAT) {
		return decode_float(bits, width, ret_float)
			? 0
			: broken(err, "a float of fewer than 4 bytes");
	}
	if (kind == FLEXBUFFER_UINT && bits > INT64_MAX) {
		return error_set(err, -ERANGE, "FlexBuffer: an integer above 2^63 - 1");
	}
	*ret_int = kind == FLEXBUFFER_INT ? extend(bits, width)
		: kind == FLEXBUFFER_BOOL ? bits != 0
					  : (int64_t)bits;
	return 0;
}

int flexbuffer_get_int(const struct flexbuffer *value, int64_t *ret, struct error *err)
{
	bool is_float = false;
	int64_t whole = 0;
	double real = 0;
	int r = get_number(value, &is_float, &whole, &real, err);
	if (r < 0) {
		return r;
	}
	if (is_float && !(real > -0x1p63 && real < 0x1p63)) {
		return error_set(err, -ERANGE, "FlexBuffer: a float that is no integer");
	}
	*ret = is_float ? (int64_t)real : whole;
	return 0;
}

int flexbuffer_get_float(const struct flexbuffer *value, double *ret, struct error *err)
{
	bool is_float = false;
	int64_t whole = 0;
	double real = 0;
	int r = get_number(value, &is_float, &whole, &real, err);
	if (r < 0) {
		return r;
	}
	*ret = is_float ? real : (double)whole;
	return 0;
}

int flexbuffer_get_bool(const struct flexbuffer *value, bool *ret, struct error *err)
{
	double real = 0;
	int r = flexbuffer_get_float(value, &real, err);
	if (r == 0) {
		*ret = real != 0;
	}
	return r;
}

int flexbuffer_get_text(const struct flexbuffer *value, const char **ret_text, size_t *ret_length,
	struct error *err)
{
	enum flexbuffer_kind kind = flexbuffer_kind_of(value);
	size_t at = 0;
	uint64_t length = 0;
	if (kind != FLEXBUFFER_STRING && kind != FLEXBUFFER_BLOB) {
		return broken(err, "no text");
	}
	if (!follow(value, value->at, value->parent_width, &at)) {
		return broken(err, "a text outside of the bytes");
	}
	if (value->type == TYPE_KEY) {
		const void *end = memchr(value->data + at, 0, value->size - at);
		length = end ? (uint64_t)((const uint8_t *)end - (value->data + at))
			     : value->size - at;
	} else if (at < value->width ||
		!read_uint(value, at - value->width, value->width, &length) ||
		length > value->size - at) {
		return broken(err, "a text that reaches beyond the bytes");
	}
	*ret_text = (const char *)value->data + at;
	*ret_length = (size_t)length;
	return 0;
}

/* Returns 1 if the key exists, 0 if not. */
static int find_option(
	const struct flexbuffer *map, const char *key, struct flexbuffer *ret, struct error *err)
{
	struct error inner = {0};
	int r = flexbuffer_find(map, key, ret, &inner);
	if (r == -ENOENT) {
		return 0;
	}
	return r < 0 ? error_set(err, r, "option %s: %s", key, inner.text) : 1;
}

int flexbuffer_read_int(const struct flexbuffer *map, const char *key, int64_t min, int64_t max,
	int64_t *io, struct error *err)
{
	struct flexbuffer value;
	int64_t number = 0;
	int r = find_option(map, key, &value, err);
	if (r <= 0) {
		return r;
	}
	if (flexbuffer_get_int(&value, &number, NULL) < 0) {
		return error_set(err, -EBADMSG, "option %s is no integer", key);
	}
	if (number < min || number > max) {
		return error_set(err, -EBADMSG, "option %s is %lld, must be %lld..%lld", key,
			(long long)number, (long long)min, (long long)max);
	}
	*io = number;
	return 0;
}

int flexbuffer_read_float(const struct flexbuffer *map, const char *key, double min, double max,
	double *io, struct error *err)
{
	struct flexbuffer value;
	double number = 0;
	int r = find_option(map, key, &value, err);
	if (r <= 0) {
		return r;
	}
	if (flexbuffer_get_float(&value, &number, NULL) < 0) {
		return error_set(err, -EBADMSG, "option %s is no number", key);
	}
	if (!(number >= min && number <= max)) {
		return error_set(
			err, -EBADMSG, "option %s is %g, must be %g..%g", key, number, min, max);
	}
	*io = number;
	return 0;
}

int flexbuffer_read_bool(const struct flexbuffer *map, const char *key, bool *io, struct error *err)
{
	struct flexbuffer value;
	int r = find_option(map, key, &value, err);
	if (r <= 0) {
		return r;
	}
	return flexbuffer_get_bool(&value, io, NULL) < 0
		? error_set(err, -EBADMSG, "option %s is no boolean", key)
		: 0;
}
