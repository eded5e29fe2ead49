/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes - little-endian numbers at any alignment, bounded readers, growing buffers, checked sums
 *
 * A reader never passes its end: the first read beyond marks it failed, and every later read gives
 * 0, so one check at the end is enough. A writer fails in this way without memory or at its limit.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"

static inline uint16_t bytes_get_u16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t bytes_get_u32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t bytes_get_u64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* Returns true if @n bytes are all 0, with the speed of memcmp(). */
static inline bool bytes_are_zero(const void *data, size_t n)
{
	const uint8_t *p = data;
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

struct bytes_reader {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

static inline struct bytes_reader bytes_reader_of(const void *data, size_t size)
{
	return (struct bytes_reader){.data = data, .size = size};
}

/* Returns @n bytes in place; NULL (and failed) if fewer are left. Zero bytes at the end give a
 * valid pointer. */
const void *bytes_read(struct bytes_reader *r, size_t n);
uint8_t bytes_read_u8(struct bytes_reader *r);
uint16_t bytes_read_u16(struct bytes_reader *r);
uint32_t bytes_read_u32(struct bytes_reader *r);
uint64_t bytes_read_u64(struct bytes_reader *r);
float bytes_read_f32(struct bytes_reader *r);
/* Skips to the next multiple of @alignment, a power of two, from the start of the data. */
void bytes_read_align(struct bytes_reader *r, size_t alignment);

struct bytes_writer {
	uint8_t *data; /* allocated by the writer; NULL once taken */
	size_t size;
	size_t capacity;
	size_t limit; /* maximum of @size; 0: none */
	bool failed;
	bool too_long; /* failed because a value exceeds its length field */
};

void bytes_writer_deinit(struct bytes_writer *w);
/* Appends @n zeroed bytes, which the caller fills before the next call. NULL (and failed) without
 * memory or above @limit. */
void *bytes_reserve(struct bytes_writer *w, size_t n);
void bytes_write(struct bytes_writer *w, const void *data, size_t n);
void bytes_write_u8(struct bytes_writer *w, uint8_t v);
void bytes_write_u16(struct bytes_writer *w, uint16_t v);
void bytes_write_u32(struct bytes_writer *w, uint32_t v);
void bytes_write_u64(struct bytes_writer *w, uint64_t v);
void bytes_write_f32(struct bytes_writer *w, float v);
void bytes_write_align(struct bytes_writer *w, size_t alignment);

/* Return true if the sum or product overflows; otherwise *ret gets it. */
#define bytes_add_overflows(a, b, ret) __builtin_add_overflow(a, b, ret)
#define bytes_mul_overflows(a, b, ret) __builtin_mul_overflow(a, b, ret)

static inline uint64_t bytes_align_up(uint64_t n, uint64_t alignment)
{
	return (n + alignment - 1) & ~(alignment - 1);
}

#endif
