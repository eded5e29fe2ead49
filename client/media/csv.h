/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv - reads rows of numbers from a text
 *
 * Numbers are written as in C ("1", "-2.5e3", "nan", "inf") and separated by one comma, semicolon
 * or tab each, with optional blanks. A line without these separators may use blanks alone. A line
 * has one kind of separator and no empty fields. A first line that does not begin with a number is
 * a header. The header, empty lines, lines that begin with # and a UTF-8 byte order mark are
 * skipped.
 */
#ifndef CLIENT_MEDIA_CSV_H
#define CLIENT_MEDIA_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

#define CSV_MAX_VALUES (1u << 25)

struct number_table {
	double *values; /* owned */
	size_t n, rows;
};

/* Parses @size bytes, followed by one zero byte, as source_open() returns them. @columns:
 * numbers in each row; 0: any, lines may differ. -EBADMSG: not a number or not a row of
 * @columns; the message has the line if there are several. -EFBIG: more than CSV_MAX_VALUES. */
int must_check csv_parse(const char *text, size_t size, size_t columns,
	struct number_table *ret_table, struct error *err);

/* True if the zero-terminated line is a header: not empty, no comment, and does not begin with
 * a number. */
bool csv_is_header(const char *line);

/* Returns the bytes of a UTF-8 byte order mark at the start of @text: 3 or 0. */
static inline size_t csv_bom_size(const char *text, size_t size)
{
	return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Appends a number. -EFBIG, -ENOMEM. */
int must_check csv_add(struct number_table *table, double value, struct error *err);

void csv_free(struct number_table *table); /* @table may be zeroed */

#define owned_table __attribute__((cleanup(csv_free)))

#endif
