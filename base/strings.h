/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings - string tensors in LiteRT's layout
 *
 *   uint32 count
 *   uint32 offset[count + 1]   from the start of the table; string i is offset[i] .. offset[i + 1]
 *   bytes                      of all strings, without gaps
 *
 * Little endian, any alignment. A table is valid if the first offset is the end of the head,
 * offsets never decrease, and the last one is the table's size. A tensor without elements still has
 * a head of 8 bytes. Strings are arbitrary bytes without a terminating 0. Source: TFLite
 * string_util.h.
 */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include "base/bytes.h"
#include "base/error.h"

/* Other implementations read offsets as signed numbers. */
#define STRINGS_MAX_BYTES INT32_MAX

/* A verified table, borrowed. */
struct strings {
	const uint8_t *data;
	uint32_t count;
};

/* Returns the bytes of the head of a table with @count strings. */
static inline uint64_t strings_head_bytes(uint64_t count)
{
	return 4 * (count + 2);
}

/* Verifies that the @bytes at @data are a valid table of @elements strings, after which
 * strings_get() is safe. @data may be NULL if @bytes is 0. -EBADMSG with the reason. */
int must_check strings_open(struct strings *ret, const void *data, uint64_t bytes,
	uint64_t elements, struct error *err);

/* The same in parts, for tables that are large: verifies the head, then @n offsets from number @first on. The
 * table is valid once the offsets 0 to elements have been verified, in order. */
int must_check strings_open_head(struct strings *ret, const void *data, uint64_t bytes,
	uint64_t elements, struct error *err);
int must_check strings_check_offsets(const struct strings *strings, uint64_t bytes, uint32_t first,
	uint32_t n, struct error *err);

static inline uint32_t strings_offset(const struct strings *s, uint32_t i)
{
	return bytes_get_u32(s->data + 4 + 4 * (size_t)i);
}

/* Returns the bytes of strings @first to @end - 1 without the head; @first <= @end <= count. */
static inline uint32_t strings_span(const struct strings *s, uint32_t first, uint32_t end)
{
	return strings_offset(s, end) - strings_offset(s, first);
}

/* Returns string @i, which must be below count. */
static inline const void *strings_get(const struct strings *s, uint32_t i, uint32_t *ret_length)
{
	*ret_length = strings_span(s, i, i + 1);
	return s->data + strings_offset(s, i);
}

/* Writes a table to memory of sufficient size: head and strings, at most STRINGS_MAX_BYTES. */
struct strings_writer {
	uint8_t *data;
	uint32_t count; /* strings in the whole table */
	uint32_t written; /* strings written so far */
	uint32_t end; /* bytes written so far */
	uint64_t limit; /* bytes of the whole table */
	bool failed; /* a string did not fit; nothing after it was written */
};

/* Starts a table of @count strings in @data, which has at least strings_head_bytes(@count). */
struct strings_writer strings_writer_of(void *data, uint32_t count);

/* Starts a table that is limited to @bytes, because a client can change the source between
 * measuring and writing. */
struct strings_writer strings_writer_within(void *data, uint32_t count, uint64_t bytes);

/* Returns true if the table of strings_writer_within() has all strings and no gap. Only then may
 * others read it: remaining bytes are uninitialised. */
static inline bool strings_whole(const struct strings_writer *w)
{
	return !w->failed && w->written == w->count && w->end == w->limit;
}

/* Appends a string. Exactly @count calls are needed in total. */
void strings_put(struct strings_writer *w, const void *text, uint32_t length);

/* Appends a string of @length bytes, which the caller writes to the result. NULL (and failed) if it
 * does not fit. */
void *strings_reserve(struct strings_writer *w, uint32_t length);

#endif
