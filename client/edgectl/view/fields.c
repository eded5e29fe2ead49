/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"

/* Adds the title where one is wanted. Returns true if the caller adds a cell for the value. */
static bool begin_field(struct fields *fields, const char *title, bool right_aligned)
{
	struct grid *grid = fields->grid;
	if (grid && title && fields->heading) {
		grid_add_column(grid, title, right_aligned);
	} else if (grid && title && fields->vertical) {
		grid_add(grid, "%s", title);
	}
	return grid && title && !fields->heading;
}

void fields_text(struct fields *fields, const char *title, const char *key, const char *text)
{
	if (begin_field(fields, title, false)) {
		grid_add_escaped(fields->grid, text);
	}
	if (key && fields->json) {
		json_builder_put_text(fields->json, key, text);
	}
}

void fields_integer(struct fields *fields, const char *title, const char *key, int64_t value)
{
	if (begin_field(fields, title, true)) {
		grid_add(fields->grid, "%lld", (long long)value);
	}
	if (key && fields->json) {
		json_builder_put_integer(fields->json, key, value);
	}
}

void fields_real(
	struct fields *fields, const char *title, const char *key, int decimals, double value)
{
	if (begin_field(fields, title, true)) {
		grid_add(fields->grid, "%.*f", decimals, value);
	}
	if (key && fields->json) {
		json_builder_put_real(fields->json, key, value);
	}
}

void fields_time_ns(struct fields *fields, const char *title, uint64_t ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	size_t i = 0;
	while (i < 2 && (double)ns >= 999.5 * units[i].ns) {
		i++;
	}
	const double value = (double)ns / units[i].ns;
	const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	if (ns == 0) {
		fields_cell(fields, title, true, "-");
	} else {
		fields_cell(fields, title, true, "%.*f %s", decimals, value, units[i].name);
	}
}

void fields_time_us(struct fields *fields, const char *title, const char *key, uint64_t us)
{
	fields_time_ns(fields, title, us * NSEC_PER_USEC);
	fields_integer(fields, NULL, key, (int64_t)us);
}

void fields_cell(
	struct fields *fields, const char *title, bool right_aligned, const char *format, ...)
{
	va_list args;
	if (begin_field(fields, title, right_aligned)) {
		va_start(args, format);
		grid_vadd(fields->grid, format, args);
		va_end(args);
	}
}

int fields_print_table(
	const struct fields_list *list, FILE *out, const struct cli_settings *settings)
{
	owned_grid struct grid grid = {0};
	owned_mem void *none = calloc(1, list->size);
	struct fields fields = {.grid = &grid, .heading = true};
	if (!none) {
		return -ENOMEM;
	}
	list->fn(&fields, none, list->context);
	fields.heading = false;
	for (size_t i = 0; i < list->n; i++) {
		list->fn(&fields, (const char *)list->records + i * list->size, list->context);
	}
	return grid_print(&grid, out, true, settings);
}

static void put_record(struct json_document *document, const struct fields_list *list, size_t index)
{
	struct fields fields = {.json = document};
	list->fn(&fields, (const char *)list->records + index * list->size, list->context);
}

static void put_objects(struct json_document *document, const struct fields_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		json_builder_begin_object(document, NULL);
		put_record(document, list, i);
		json_builder_end(document);
	}
}

void fields_put_list(
	struct json_document *document, const char *key, const struct fields_list *list)
{
	json_builder_begin_list(document, key);
	put_objects(document, list);
	json_builder_end(document);
}

int fields_print(const struct fields_list *list, const struct cli_settings *settings)
{
	int r = 0;
	if (settings->format == CLI_FORMAT_TABLE) {
		return fields_print_table(list, stdout, settings);
	}
	if (settings->format == CLI_FORMAT_JSON) {
		owned_json struct json_document *all = json_builder_document_new(true);
		put_objects(all, list);
		return json_builder_print(all, stdout, true);
	}
	for (size_t i = 0; i < list->n && r == 0; i++) {
		owned_json struct json_document *one = json_builder_document_new(false);
		put_record(one, list, i);
		r = json_builder_print(one, stdout, false);
	}
	return r;
}
