/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings - a tensor of strings as LiteRT lays it out in memory and in model files
 *
 *   uint32 count
 *   uint32 offset[count + 1]   from the start of the table; string i is offset[i] .. offset[i + 1]
 *   bytes                      of all strings, one behind the other
 *
 * Little endian, any alignment. A table is whole when the first offset is where the head ends, no
 * offset is below the one before it, and the last one is the table's size; a tensor of no elements
 * still has its head of 8 bytes. Strings are any bytes and not 0-terminated. Source: TFLite
 * string_util.h.
 */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include "base/bytes.h"
#include "base/error.h"

/* Offsets are signed where others read them. */
#define STRINGS_MAX_BYTES INT32_MAX

/* A whole table, borrowed. */
struct strings {
	const uint8_t *data;
	uint32_t count;
};

/* Bytes of the table's head: what @count empty strings take. */
static inline uint64_t strings_head_bytes(uint64_t count)
{
	return 4 * (count + 2);
}

/*
 * Proves that the @bytes at @data (which may be NULL when there are none) are a whole table of
 * @elements strings, and opens it: from then on strings_get() is safe. -EBADMSG with what is wrong.
 */
int must_check strings_open(struct strings *ret, const void *data, uint64_t bytes,
	uint64_t elements, struct error *err);

static inline uint32_t strings_offset(const struct strings *s, uint32_t i)
{
	return bytes_get_u32(s->data + 4 + 4 * (size_t)i);
}

/* Bytes of the strings @first to @end - 1 without the head; @first <= @end <= count. */
static inline uint32_t strings_span(const struct strings *s, uint32_t first, uint32_t end)
{
	return strings_offset(s, end) - strings_offset(s, first);
}

/* String @i, which must be below count. */
static inline const void *strings_get(const struct strings *s, uint32_t i, uint32_t *ret_length)
{
	*ret_length = strings_span(s, i, i + 1);
	return s->data + strings_offset(s, i);
}

/* Writes a table into memory that has been measured before: the head's bytes and those of all
 * strings, STRINGS_MAX_BYTES at most. */
struct strings_writer {
	uint8_t *data;
	uint32_t count; /* strings of the whole table */
	uint32_t written; /* strings so far */
	uint32_t end; /* bytes so far */
	uint64_t limit; /* bytes of the whole table */
	bool failed; /* a string found no room; nothing was written from there on */
};

/* Starts a table of @count strings in @data, of strings_head_bytes(@count) at least. */
struct strings_writer strings_writer_of(void *data, uint32_t count);

/* The same where what was measured may be another thing when it is written, because a client writes
 * the memory that says which strings: nothing goes beyond @bytes. */
struct strings_writer strings_writer_within(void *data, uint32_t count, uint64_t bytes);

/* True when all strings of the table are there: only then may anybody read it. */
static inline bool strings_whole(const struct strings_writer *w)
{
	return !w->failed && w->written == w->count;
}

/* The next string: @count of them must be put in all. */
void strings_put(struct strings_writer *w, const void *text, uint32_t length);

/* The same for a string of @length bytes that the caller writes to where this points; NULL when there
 * is no room for it, which fails the writer. */
void *strings_reserve(struct strings_writer *w, uint32_t length);

#endif
