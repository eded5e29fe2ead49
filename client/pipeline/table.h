/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - numbers in a text file, row after row
 *
 * Numbers as in C ("1", "-2.5e3", "nan", "inf"), one after the other with one comma, semicolon or tab
 * between them, blanks beside it or not; a line that has none of the three may have blanks alone. A line has
 * one kind of them, and a number in each place. A first line that starts with no number is a heading and
 * skipped; so are empty lines and lines that start with #, and a byte order mark of UTF-8.
 */
#ifndef CLIENT_PIPELINE_TABLE_H
#define CLIENT_PIPELINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

#define TABLE_MAX_VALUES (1u << 25)

struct table {
	double *values; /* owned */
	size_t n, rows;
};

/* @text holds @size bytes and one zero byte after them, as source_open() leaves them. @columns: numbers of
 * each row; 0: of one, and another may have more. -EBADMSG with the line, of a text of several, for what is
 * not a number, or no such row; -EFBIG. */
int must_check table_parse(
	const char *text, size_t size, size_t columns, struct table *ret_table, struct error *err);

/* Does the line start with no number, where it is not empty and no remark? Zero-terminated. */
bool table_is_heading(const char *line);

/* Bytes of the mark that some editors put before a text. */
static inline size_t table_mark(const char *text, size_t size)
{
	return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

void table_free(struct table *table); /* zeroed is fine */

#define owned_table __attribute__((cleanup(table_free)))

#endif
