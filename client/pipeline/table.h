/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - numbers in a text file, row after row
 *
 * Numbers as in C ("1", "-2.5e3", "nan", "inf"), separated by commas, semicolons, tabs or blanks. A
 * first line that starts with no number is a heading and skipped; so are empty lines and lines that
 * start with #. Rows need not be equally long.
 */
#ifndef CLIENT_PIPELINE_TABLE_H
#define CLIENT_PIPELINE_TABLE_H

#include <stddef.h>

#include "base/error.h"

#define TABLE_MAX_VALUES (1u << 25)

struct table {
	double *values; /* owned */
	size_t n, rows;
};

/* @text holds @size bytes and one zero byte after them, as source_open() leaves them. -EBADMSG with
 * the line for what is not a number, -EFBIG. */
int must_check table_parse(
	const char *text, size_t size, struct table *ret_table, struct error *err);
void table_free(struct table *table); /* zeroed is fine */

#define owned_table __attribute__((cleanup(table_free)))

#endif
