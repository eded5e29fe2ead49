/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_numbers - reads numbers from JSON without building a document tree
 *
 * Accepts [1, 2, 3], rows such as [[1, 2], [3, 4]], nested up to JSON_NUMBERS_MAX_DEPTH, or an
 * object whose member "values" is such a list; other members are skipped. A list holds only
 * numbers or only lists. In a list of lists each innermost list is a row. A UTF-8 byte order mark
 * is skipped.
 */
#ifndef CLIENT_MEDIA_JSON_NUMBERS_H
#define CLIENT_MEDIA_JSON_NUMBERS_H

#include "client/media/csv.h"

#define JSON_NUMBERS_MAX_DEPTH 8

/* Parses @size bytes, followed by one zero byte. @columns: numbers in each row; a flat list may
 * hold several rows; 0: any. -EBADMSG: the message has the byte or the row. -EFBIG, -ENOMEM. */
int must_check json_numbers_parse(const char *text, size_t size, size_t columns,
	struct number_table *ret_table, struct error *err);

#endif
