/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flexbuffer - bounded reading of FlexBuffers, the form that options of custom operators have
 *
 *   struct flexbuffer options;
 *   int64_t stride = 1;
 *   int r = flexbuffer_open(data, size, &options, err);
 *   r = r < 0 ? r : flexbuffer_read_int(&options, "stride", 1, 8, &stride, err);
 *
 * A value is a place in the bytes, its type and its widths; nothing is copied or allocated, and the
 * bytes must live as long as values into them. Nothing is believed: every offset, size and width is
 * held against the bytes when it is followed, so a reader can be handed any bytes at any alignment.
 * No function follows more than one level, so depth is what the caller asks for.
 *
 * A broken rule of the format is -EBADMSG.
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
	FLEXBUFFER_STRING, /* keys as well */
	FLEXBUFFER_BLOB,
	FLEXBUFFER_MAP,
	FLEXBUFFER_VECTOR, /* typed, untyped, of fixed length: all the same to the caller */
};

struct flexbuffer {
	const uint8_t *data;
	size_t size;
	size_t at; /* of what is in the parent: the number itself, or the offset to it */
	uint8_t type; /* the format's number */
	uint8_t parent_width; /* bytes of what is at @at */
	uint8_t width; /* bytes of the elements behind the offset */
};

/* The root value. */
int must_check flexbuffer_open(
	const void *data, size_t size, struct flexbuffer *ret, struct error *err);

enum flexbuffer_kind flexbuffer_kind_of(const struct flexbuffer *value);

/* The value of @key; -ENOENT when the map has none. */
int must_check flexbuffer_find(
	const struct flexbuffer *map, const char *key, struct flexbuffer *ret, struct error *err);

/* Elements of a vector or values of a map; each is inside the bytes. */
int must_check flexbuffer_count(
	const struct flexbuffer *vector, uint32_t *ret_count, struct error *err);
/* Element @i < count. */
int must_check flexbuffer_element(
	const struct flexbuffer *vector, uint32_t i, struct flexbuffer *ret, struct error *err);

/*
 * Numbers are converted as the format's own readers do: an integer may be asked for as float and the
 * other way (truncated); bool is 0 or 1; null is 0. -ERANGE for what does not fit (NaN as an
 * integer), -EBADMSG for what is no number.
 */
int must_check flexbuffer_get_int(const struct flexbuffer *value, int64_t *ret, struct error *err);
int must_check flexbuffer_get_float(const struct flexbuffer *value, double *ret, struct error *err);
int must_check flexbuffer_get_bool(const struct flexbuffer *value, bool *ret, struct error *err);
/* Bytes of a string, key or blob, in place; no 0 at the end is promised. */
int must_check flexbuffer_get_text(const struct flexbuffer *value, const char **ret_text,
	size_t *ret_length, struct error *err);

/*
 * Options: the value of @key in @map goes to @io, which keeps what it has where there is no such
 * key. -EBADMSG, with the key's name, for what is not within @min..@max (NaN is not) or no number.
 */
int must_check flexbuffer_read_int(const struct flexbuffer *map, const char *key, int64_t min,
	int64_t max, int64_t *io, struct error *err);
int must_check flexbuffer_read_float(const struct flexbuffer *map, const char *key, double min,
	double max, double *io, struct error *err);
int must_check flexbuffer_read_bool(
	const struct flexbuffer *map, const char *key, bool *io, struct error *err);

#endif
