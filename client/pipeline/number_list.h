/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_list - numbers in JSON, without a tree of them
 *
 * [1, 2, 3], rows as [[1, 2], [3, 4]] to any of NUMBER_LIST_MAX_DEPTH, or an object whose member
 * "values" is such a list. Other members are skipped. A list has numbers or lists, and those with numbers in a
 * list of lists are the rows; a byte order mark of UTF-8 is skipped.
 */
#ifndef CLIENT_PIPELINE_NUMBER_LIST_H
#define CLIENT_PIPELINE_NUMBER_LIST_H

#include "client/pipeline/table.h"

#define NUMBER_LIST_MAX_DEPTH 8

/* @text holds @size bytes and one zero byte after them. @columns: numbers of each row, also of a list without
 * lists, which may be several rows; 0: any. -EBADMSG with the byte or the row, -EFBIG, -ENOMEM. */
int must_check number_list_parse(
	const char *text, size_t size, size_t columns, struct table *ret_table, struct error *err);

#endif
