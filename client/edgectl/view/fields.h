/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields - prints records as a table or as JSON, from one list of their fields
 *
 * A fields_fn names each field of a record once, in order: the title of its column and the key of
 * its JSON member. A field without title is only in JSON, one without key only in the table. For
 * the heading it is called with a zeroed record, whose values are not shown.
 */
#ifndef CLIENT_EDGECTL_VIEW_FIELDS_H
#define CLIENT_EDGECTL_VIEW_FIELDS_H

#include "client/edgectl/view/grid.h"
#include "client/pipeline/json_builder.h"

/* Where a record's fields go. @grid and @heading: its titles, as the first row. @grid and
 * @vertical: one row (title, value) per field. @grid alone: one row. @json: members of the open
 * object. */
struct fields {
	struct grid *grid; /* NULL: JSON */
	bool vertical; /* @grid has two columns, title and value */
	struct json_document *json; /* NULL, which json_builder ignores: a table */
	bool heading;
};

typedef void fields_fn(struct fields *fields, const void *record, const void *context);

struct fields_list {
	fields_fn *fn;
	const void *context; /* for @fn */
	const void *records; /* array */
	size_t size, n; /* bytes of a record, number of records */
};
#define FIELDS_LIST(fn, context, array, n)                                                         \
	(&(const struct fields_list){fn, context, array, sizeof((array)[0]), n})

/* Each adds one field. Numbers are right-aligned in the table. */
void fields_text(struct fields *fields, const char *title, const char *key, const char *text);
void fields_integer(struct fields *fields, const char *title, const char *key, int64_t value);
/* @decimals: in the table. */
void fields_real(
	struct fields *fields, const char *title, const char *key, int decimals, double value);
/* Adds a time that only the table has, with three significant digits: "850 us", "1.25 ms", "3.1 s";
 * "-" for 0. */
void fields_time_ns(struct fields *fields, const char *title, uint64_t ns);
/* Adds a time as fields_time_ns() does, and an integer in microseconds to JSON. */
void fields_time_us(struct fields *fields, const char *title, const char *key, uint64_t us);
/* Adds a field that only the table has. The caller has escaped control characters. */
void fields_cell(struct fields *fields, const char *title, bool right_aligned, const char *format,
	...) printf_like(4, 5);

/* Prints a table with a heading. -ENOMEM. */
int must_check fields_print_table(
	const struct fields_list *list, FILE *out, const struct cli_settings *settings);
/* Adds a list of objects as member @key. */
void fields_put_list(
	struct json_document *document, const char *key, const struct fields_list *list);
/* Prints the list to standard output in the format of @settings: with -o jsonl each record as an
 * object of its own. -ENOMEM or -EIO. */
int must_check fields_print(const struct fields_list *list, const struct cli_settings *settings);

#endif
