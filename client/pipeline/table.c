/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct parser {
	const char *at, *end;
	size_t line, capacity;
	struct table table;
};

static bool is_separator(char c)
{
	return c == ',' || c == ';' || c == '\t' || c == ' ' || c == '\r';
}

static int append(struct parser *p, double value, struct error *err)
{
	struct table *t = &p->table;
	if (t->n == TABLE_MAX_VALUES) {
		return error_set(err, -EFBIG, "more than %u numbers", TABLE_MAX_VALUES);
	}
	if (t->n == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 1024;
		double *values = realloc(t->values, capacity * sizeof(values[0]));
		if (!values) {
			return error_no_memory(err);
		}
		t->values = values;
		p->capacity = capacity;
	}
	t->values[t->n++] = value;
	return 0;
}

/* A number that is followed by a separator or the line's end. */
static bool read_number(const struct parser *p, double *ret_value, const char **ret_end)
{
	char *end = NULL;
	if (*p->at == '\n') { /* strtod would go on to the next line */
		return false;
	}
	*ret_value = strtod(p->at, &end);
	*ret_end = end;
	return end != p->at && (end >= p->end || *end == '\n' || is_separator(*end));
}

static void skip_line(struct parser *p)
{
	const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
	p->at = newline ? newline : p->end;
}

static void skip_separators(struct parser *p)
{
	while (p->at < p->end && is_separator(*p->at)) {
		p->at++;
	}
}

/* From the start of a line to its end. */
static int parse_line(struct parser *p, struct error *err)
{
	size_t before = p->table.n;
	skip_separators(p);
	if (p->at < p->end && *p->at == '#') {
		skip_line(p);
	}
	while (p->at < p->end && *p->at != '\n') {
		double value = 0;
		const char *end = NULL;
		if (!read_number(p, &value, &end)) {
			if (p->line == 1 && p->table.n == 0) {
				skip_line(p);
				return 0;
			}
			return error_set(err, -EBADMSG, "line %zu, number %zu: not a number",
				p->line, p->table.n - before + 1);
		}
		int r = append(p, value, err);
		if (r < 0) {
			return r;
		}
		p->at = end;
		skip_separators(p);
	}
	p->table.rows += p->table.n > before;
	return 0;
}

int table_parse(const char *text, size_t size, struct table *ret_table, struct error *err)
{
	struct parser p = {.at = text, .end = text + size};
	while (p.at < p.end) {
		p.line++;
		int r = parse_line(&p, err);
		if (r < 0) {
			table_free(&p.table);
			return r;
		}
		p.at += p.at < p.end; /* the line end */
	}
	*ret_table = p.table;
	return 0;
}

void table_free(struct table *table)
{
	free(table->values);
	*table = (struct table){0};
}
