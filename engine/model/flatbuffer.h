/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flatbuffer - the primitives of a FlatBuffer: tables, vectors and strings, bounded
 *
 * Knows bytes and no schema. A place is an offset from the start of the buffer; 0, which is where
 * the root offset stands, means "not there". The flat_check functions judge bytes that nobody has
 * looked at; the flat_get functions follow what they have approved and check nothing.
 * Source: the FlatBuffers binary format ("internals" of its manual) and its verifier's rules.
 */
#ifndef ENGINE_MODEL_FLATBUFFER_H
#define ENGINE_MODEL_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define FLAT_MAX_BYTES 0x7fffffffu /* offsets are signed in places: 2 GiB - 1 */

struct flat {
	const uint8_t *data;
	uint32_t size; /* at most FLAT_MAX_BYTES */
};

struct flat_vector {
	const uint8_t *data; /* first element; NULL when the vector is not there */
	uint32_t count;
};

/*
 * Each of these returns NULL when all is well, else what is wrong, as words for the end of an error
 * text. @at is any number; nothing outside the buffer is read.
 */

/* @n bytes at @at, which is a multiple of @alignment. */
const char *flat_check_bytes(const struct flat *f, uint64_t at, uint64_t n, uint32_t alignment);

/* The 4-byte offset at @at; its target is in the buffer. */
const char *flat_check_offset(const struct flat *f, uint32_t at, uint32_t *ret_target);

/* The table at @table: that is its vtable's place and size. Its fields are checked one by one. */
const char *flat_check_table(const struct flat *f, uint32_t table);

/* The vector at @at: a 4-byte count and that many elements of @width bytes. Elements of 8 bytes may
 * stand at any multiple of 4, as for the FlatBuffers verifier: read them by bytes_get_u64(). */
const char *flat_check_vector(const struct flat *f, uint32_t at, uint32_t width);

/* The string at @at: a vector of bytes and a zero behind it. */
const char *flat_check_string(const struct flat *f, uint32_t at);

/* Place of field @slot of a checked table, 0 when it is left out. @table may be 0: no field is
 * there. */
static inline uint32_t flat_field(const struct flat *f, uint32_t table, uint32_t slot)
{
	if (table == 0) {
		return 0;
	}
	uint32_t vtable = table - bytes_get_u32(f->data + table);
	uint32_t entry = 4 + 2 * slot;
	if (entry >= bytes_get_u16(f->data + vtable)) {
		return 0;
	}
	uint16_t offset = bytes_get_u16(f->data + vtable + entry);
	return offset ? table + offset : 0;
}

/* A number that is left out is @fallback, the schema's default. */
static inline uint8_t flat_get_u8(
	const struct flat *f, uint32_t table, uint32_t slot, uint8_t fallback)
{
	uint32_t at = flat_field(f, table, slot);
	return at ? f->data[at] : fallback;
}

static inline uint32_t flat_get_u32(
	const struct flat *f, uint32_t table, uint32_t slot, uint32_t fallback)
{
	uint32_t at = flat_field(f, table, slot);
	return at ? bytes_get_u32(f->data + at) : fallback;
}

static inline int32_t flat_get_i32(
	const struct flat *f, uint32_t table, uint32_t slot, int32_t fallback)
{
	return (int32_t)flat_get_u32(f, table, slot, (uint32_t)fallback);
}

static inline uint64_t flat_get_u64(
	const struct flat *f, uint32_t table, uint32_t slot, uint64_t fallback)
{
	uint32_t at = flat_field(f, table, slot);
	return at ? bytes_get_u64(f->data + at) : fallback;
}

float flat_get_f32(const struct flat *f, uint32_t table, uint32_t slot, float fallback);

/* A table, or 0. */
static inline uint32_t flat_get_table(const struct flat *f, uint32_t table, uint32_t slot)
{
	uint32_t at = flat_field(f, table, slot);
	return at ? at + bytes_get_u32(f->data + at) : 0;
}

/* A vector, or a string without its final zero. */
struct flat_vector flat_get_vector(const struct flat *f, uint32_t table, uint32_t slot);

static inline int32_t flat_vector_i32(const struct flat_vector *v, uint32_t i)
{
	return (int32_t)bytes_get_u32(v->data + 4 * (size_t)i);
}

/* Element @i of a vector of tables. */
static inline uint32_t flat_vector_table(
	const struct flat *f, const struct flat_vector *v, uint32_t i)
{
	const uint8_t *at = v->data + 4 * (size_t)i;
	return (uint32_t)(at - f->data) + bytes_get_u32(at);
}

#endif
