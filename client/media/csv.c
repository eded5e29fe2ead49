/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"

struct parser {
	const char *at, *end;
	size_t line;
	struct number_table table;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\r';
}

static bool is_separator(char c)
{
	return c == ',' || c == ';' || c == '\t';
}

int csv_add(struct number_table *t, double value, struct error *err)
{
	if (t->n == CSV_MAX_VALUES) {
		return error_set(err, -EFBIG, "more than %u numbers", CSV_MAX_VALUES);
	}
	double *added = array_add(&t->values, &t->n, sizeof(*added));
	if (!added) {
		return error_no_memory(err);
	}
	*added = value;
	return 0;
}

/* Reads a number that is followed by a separator, a blank or the line's end. */
static bool read_number(const struct parser *p, double *ret_value, const char **ret_end)
{
	char *end = NULL;
	if (*p->at == '\n') { /* strtod would skip the line end */
		return false;
	}
	*ret_value = strtod(p->at, &end);
	*ret_end = end;
	return end != p->at &&
		(end >= p->end || *end == '\n' || is_separator(*end) || is_blank(*end));
}

static void skip_line(struct parser *p)
{
	const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
	p->at = newline ? newline : p->end;
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end && is_blank(*p->at)) {
		p->at++;
	}
}

static bool is_line_end(const struct parser *p)
{
	return p->at == p->end || *p->at == '\n';
}

/* Skips the separator before number @n of a row. *separator: the row's separator, 0 before the
 * second number. */
static int skip_separator(struct parser *p, size_t n, char *separator, struct error *err)
{
	const char here = is_separator(*p->at) ? *p->at++ : ' ';
	if (*separator && *separator != here) {
		return error_set(err, -EBADMSG, "number %zu: mixed separators", n);
	}
	*separator = here;
	skip_blanks(p);
	return 0;
}

/* Parses from the first number of a row to the line's end. */
static int parse_row(struct parser *p, size_t *ret_n, struct error *err)
{
	char separator = 0;
	size_t n = 0;
	int r = 0;
	do {
		double value = 0;
		const char *end = NULL;
		r = n ? skip_separator(p, n + 1, &separator, err) : 0;
		n++;
		if (r == 0 && (is_line_end(p) || is_separator(*p->at))) {
			r = error_set(err, -EBADMSG, "number %zu: there is none", n);
		} else if (r == 0 && !read_number(p, &value, &end)) {
			r = error_set(err, -EBADMSG, "number %zu: not a number", n);
		}
		r = r < 0 ? r : csv_add(&p->table, value, err);
		if (r == 0) {
			p->at = end;
			skip_blanks(p);
		}
	} while (r == 0 && !is_line_end(p));
	*ret_n = n;
	return r;
}

/* Expects the start of a line. Leading separators are skipped: the first columns may have no
 * name. */
static bool is_header(struct parser p)
{
	double value = 0;
	const char *end = NULL;
	while (!is_line_end(&p) && (is_blank(*p.at) || is_separator(*p.at))) {
		p.at++;
	}
	return !is_line_end(&p) && *p.at != '#' && !read_number(&p, &value, &end);
}

/* Parses one line from its start to its end. */
static int parse_line(struct parser *p, size_t columns, struct error *err)
{
	size_t n = 0;
	skip_blanks(p);
	if (is_line_end(p) || *p->at == '#' || (p->line == 1 && is_header(*p))) {
		skip_line(p);
		return 0;
	}
	int r = parse_row(p, &n, err);
	if (r == 0 && columns && n != columns) {
		return error_set(err, -EBADMSG, "%zu fields, expected %zu", n, columns);
	}
	p->table.rows++;
	return r;
}

bool csv_is_header(const char *line)
{
	return is_header((struct parser){.at = line, .end = line + strlen(line)});
}

int csv_parse(const char *text, size_t size, size_t columns, struct number_table *ret_table,
	struct error *err)
{
	struct parser p = {.at = text + csv_bom_size(text, size), .end = text + size};
	while (p.at < p.end) {
		p.line++;
		int r = parse_line(&p, columns, err);
		if (r < 0 && memchr(text, '\n', size ? size - 1 : 0)) {
			error_prefix(err, "line %zu", p.line);
		}
		if (r < 0) {
			csv_free(&p.table);
			return r;
		}
		p.at += p.at < p.end; /* the line end */
	}
	*ret_table = p.table;
	return 0;
}

void csv_free(struct number_table *table)
{
	free(table->values);
	*table = (struct number_table){0};
}
