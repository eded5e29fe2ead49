/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define MAX_UNITS 5

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* Rows end with a zeroed element. */
static const struct unit units[][MAX_UNITS] = {
	[VALUE_PLAIN] = {{"", 1}},
	[VALUE_OCTAL] = {{"", 1}},
	[VALUE_BYTES] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}},
	[VALUE_MS] = {{"ms", 1}, {"s", 1000}, {"min", 60000}},
	[VALUE_US] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}},
};

bool value_parse_count(const char *text, enum value_unit unit, uint64_t *ret_count)
{
	const uint64_t base = unit == VALUE_OCTAL ? 8 : 10;
	uint64_t count = 0;
	const char *at = text;
	for (; *at >= '0' && *at < (char)('0' + base); at++) {
		if (bytes_mul_overflows(count, base, &count) ||
			bytes_add_overflows(count, (uint64_t)(*at - '0'), &count)) {
			return false;
		}
	}
	for (const struct unit *u = units[unit]; at > text && u->suffix; u++) {
		if (strcmp(at, u->suffix) == 0) {
			return !bytes_mul_overflows(count, u->factor, ret_count);
		}
	}
	return false;
}

void value_print_count(uint64_t count, enum value_unit unit, char *out, size_t size)
{
	const struct unit *best = units[unit];
	for (const struct unit *u = best; u->suffix && count > 0; u++) {
		best = count % u->factor == 0 && u->factor > best->factor ? u : best;
	}
	snprintf(out, size, unit == VALUE_OCTAL ? "%04llo%s" : "%llu%s",
		(unsigned long long)(count / best->factor), best->suffix);
}

bool value_parse_real(const char *text, double *ret_real)
{
	uint32_t n = 0;
	double real = 0;
	if (!value_parse_reals(text, 1, &real, &n) || n == 0) {
		return false;
	}
	*ret_real = real;
	return true;
}

bool value_parse_reals(const char *text, uint32_t max, double *ret_reals, uint32_t *ret_n)
{
	uint32_t n = 0;
	for (const char *at = text; *at;) {
		char *end = NULL;
		const double real = strtod(at, &end);
		if (end == at || !isfinite(real) || n == max) {
			return false;
		}
		ret_reals[n++] = real;
		end += strspn(end, " \t");
		if (*end && (*end != ',' || !end[1])) {
			return false;
		}
		at = end + (*end == ',');
	}
	*ret_n = n;
	return true;
}

int value_find_word(const char *words, const char *text)
{
	const size_t length = strlen(text);
	int index = 0;
	for (const char *word = words; *word; index++) {
		const size_t n = strcspn(word, " ");
		if (n == length && memcmp(word, text, n) == 0) {
			return index;
		}
		word += n + (word[n] == ' ');
	}
	return -1;
}

void value_print_word(const char *words, uint64_t index, char *out, size_t size)
{
	for (; index > 0; index--) {
		words += strcspn(words, " ") + 1;
	}
	snprintf(out, size, "%.*s", (int)strcspn(words, " "), words);
}
