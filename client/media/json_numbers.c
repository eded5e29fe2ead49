/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/json_numbers.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

struct scanner {
	const char *text, *at, *end;
	size_t columns;
	struct number_table table;
};

static int refused(const struct scanner *s, const char *wanted, struct error *err)
{
	return error_set(
		err, -EBADMSG, "JSON: %s wanted at byte %zu", wanted, (size_t)(s->at - s->text));
}

static char peek(struct scanner *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at)) {
		s->at++;
	}
	return s->at < s->end ? *s->at : 0;
}

static bool accept(struct scanner *s, char c)
{
	bool there = c && peek(s) == c;
	s->at += there;
	return there;
}

/* Reads a JSON number: no hexadecimal, no "inf", no leading plus. */
static int number_read(struct scanner *s, struct error *err)
{
	char *after = NULL;
	char c = peek(s);
	bool first = c == '-' || (c >= '0' && c <= '9');
	size_t length = first ? strspn(s->at, "0123456789+-.eE") : 0;
	double value = first ? strtod(s->at, &after) : 0;
	if (!first || after != s->at + length || after > s->end || !isfinite(value)) {
		return refused(s, "a number", err);
	}
	s->at = after;
	return csv_add(&s->table, value, err);
}

/* Reads a list of numbers after its '[', up to its ']'. @depth: 1 for the outermost list. */
static int row_read(struct scanner *s, unsigned int depth, struct error *err)
{
	const size_t before = s->table.n;
	while (peek(s) != ']') {
		int r = number_read(s, err);
		if (r < 0) {
			return r;
		}
		if (!accept(s, ',')) {
			break;
		}
		if (peek(s) == ']') {
			return refused(s, "a number", err);
		}
	}
	if (!accept(s, ']')) {
		return refused(s, "',' or ']'", err);
	}
	const size_t n = s->table.n - before;
	s->table.rows++;
	if (depth > 1 && s->columns && n != s->columns) {
		return error_set(err, -EBADMSG, "row %zu: %zu numbers, expected %zu", s->table.rows,
			n, s->columns);
	}
	return 0;
}

/* Reads a list, from its '[', of numbers or of lists. */
static int list_read(struct scanner *s, struct error *err)
{
	unsigned int depth = 0;
	do {
		if (!accept(s, '[')) {
			return refused(s, "'['", err);
		}
		if (++depth > JSON_NUMBERS_MAX_DEPTH) {
			return refused(s, "fewer lists in lists", err);
		}
		if (peek(s) == '[') {
			continue;
		}
		int r = row_read(s, depth, err);
		if (r < 0) {
			return r;
		}
		depth--;
		while (depth > 0 && accept(s, ']')) {
			depth--;
		}
		if (depth > 0 && !accept(s, ',')) {
			return refused(s, "',' or ']'", err);
		}
	} while (depth > 0);
	return 0;
}

static int string_skip(struct scanner *s, struct error *err)
{
	if (!accept(s, '"')) {
		return refused(s, "'\"'", err);
	}
	while (s->at < s->end && *s->at != '"') {
		s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
	}
	if (s->at >= s->end) {
		return refused(s, "the end of a text", err);
	}
	s->at++;
	return 0;
}

/* Skips a value up to the comma or brace that ends the member. */
static int value_skip(struct scanner *s, struct error *err)
{
	unsigned int depth = 0;
	for (;;) {
		char c = peek(s);
		if (c == 0 || (depth == 0 && (c == ',' || c == '}'))) {
			return c ? 0 : refused(s, "'}'", err);
		}
		if (c == '"') {
			int r = string_skip(s, err);
			if (r < 0) {
				return r;
			}
			continue;
		}
		depth += c == '[' || c == '{';
		if (c == ']' || c == '}') {
			if (depth-- == 0) {
				return refused(s, "a value", err);
			}
		}
		s->at++;
	}
}

static int object_read(struct scanner *s, struct error *err)
{
	bool found = false;
	do {
		static const char wanted[] = "\"values\"";
		peek(s);
		bool ours = !found && (size_t)(s->end - s->at) >= sizeof(wanted) &&
			memcmp(s->at, wanted, sizeof(wanted) - 1) == 0;
		int r = string_skip(s, err);
		if (r == 0 && !accept(s, ':')) {
			r = refused(s, "':'", err);
		}
		if (r == 0 && ours && peek(s) != '[') {
			r = refused(s, "'['", err);
		}
		r = r < 0 ? r : ours ? list_read(s, err) : value_skip(s, err);
		if (r < 0) {
			return r;
		}
		found |= ours;
	} while (accept(s, ','));
	if (!accept(s, '}')) {
		return refused(s, "'}'", err);
	}
	return found ? 0 : error_set(err, -EBADMSG, "JSON: there is no \"values\"");
}

int json_numbers_parse(const char *text, size_t size, size_t columns,
	struct number_table *ret_table, struct error *err)
{
	const size_t mark = csv_bom_size(text, size);
	struct scanner s = {
		.text = text, .at = text + mark, .end = text + size, .columns = columns};
	owned_table struct number_table table = {0};
	int r = 0;
	if (accept(&s, '{')) {
		r = object_read(&s, err);
	} else if (peek(&s) == '[') {
		r = list_read(&s, err);
	} else {
		r = refused(&s, "'[' or '{'", err);
	}
	table = s.table;
	if (r == 0 && peek(&s)) {
		r = refused(&s, "the end", err);
	}
	if (r == 0 && columns && table.n % columns) {
		r = error_set(
			err, -EBADMSG, "JSON: %zu numbers are no rows of %zu", table.n, columns);
	}
	if (r < 0) {
		return r;
	}
	*ret_table = table;
	table = (struct number_table){0};
	return 0;
}
