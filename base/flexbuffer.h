/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flexbuffer - bounded reader of FlexBuffers, the format of custom operators' options
 *
 *   struct flexbuffer options;
 *   int64_t stride = 1;
 *   int r = flexbuffer_open(data, size, &options, err);
 *   r = r < 0 ? r : flexbuffer_read_int(&options, "stride", 1, 8, &stride, err);
 *
 * A value refers to the bytes, which must outlive it; nothing is copied or allocated. Input is
 * untrusted: each offset, size and width is checked when it is followed, at any alignment. No
 * function follows more than one level, so the caller bounds the depth. -EBADMSG for invalid input.
 * Source: "FlexBuffers" in FlatBuffers' documentation (internals).
 */
#ifndef BASE_FLEXBUFFER_H
#define BASE_FLEXBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum flexbuffer_kind {
	FLEXBUFFER_NULL,
	FLEXBUFFER_INT,
	FLEXBUFFER_UINT,
	FLEXBUFFER_FLOAT,
	FLEXBUFFER_BOOL,
	FLEXBUFFER_STRING, /* strings and keys */
	FLEXBUFFER_BLOB,
	FLEXBUFFER_MAP,
	FLEXBUFFER_VECTOR, /* typed, untyped and of fixed length */
};

struct flexbuffer {
	const uint8_t *data;
	size_t size;
	/* offset of this value's slot in the parent, which has the number or an offset to the
	 * data */
	size_t at;
	uint8_t type; /* type number of the format */
	uint8_t parent_width; /* bytes of the slot at @at */
	uint8_t width; /* bytes of one element behind the offset */
};

/* Opens the root value. */
int must_check flexbuffer_open(
	const void *data, size_t size, struct flexbuffer *ret, struct error *err);

enum flexbuffer_kind flexbuffer_kind_of(const struct flexbuffer *value);

/* Finds the value of @key; -ENOENT if the map has none. */
int must_check flexbuffer_find(
	const struct flexbuffer *map, const char *key, struct flexbuffer *ret, struct error *err);

/* Counts the elements of a vector or map. All lie within the bytes. */
int must_check flexbuffer_count(
	const struct flexbuffer *vector, uint32_t *ret_count, struct error *err);
/* Returns element @i, which is below the count. */
int must_check flexbuffer_element(
	const struct flexbuffer *vector, uint32_t i, struct flexbuffer *ret, struct error *err);

/*
 * Conversions follow the format's own readers: int to float, float to int (truncated), bool to 0 or
 * 1, null to 0. -ERANGE if the value does not fit (NaN as an integer), -EBADMSG if it is no number.
 */
int must_check flexbuffer_get_int(const struct flexbuffer *value, int64_t *ret, struct error *err);
int must_check flexbuffer_get_float(const struct flexbuffer *value, double *ret, struct error *err);
int must_check flexbuffer_get_bool(const struct flexbuffer *value, bool *ret, struct error *err);
/* Returns the bytes of a string, key or blob in place, maybe without a 0 after them. */
int must_check flexbuffer_get_text(const struct flexbuffer *value, const char **ret_text,
	size_t *ret_length, struct error *err);

/* Read an option: *io gets the value of @key in @map, and stays unchanged without that key.
 * -EBADMSG with the key's name if the value is no number or outside @min..@max (NaN is outside). */
int must_check flexbuffer_read_int(const struct flexbuffer *map, const char *key, int64_t min,
	int64_t max, int64_t *io, struct error *err);
int must_check flexbuffer_read_float(const struct flexbuffer *map, const char *key, double min,
	double max, double *io, struct error *err);
int must_check flexbuffer_read_bool(
	const struct flexbuffer *map, const char *key, bool *io, struct error *err);

#endif
