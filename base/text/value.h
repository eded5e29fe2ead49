/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value - values of configuration keys and options as text
 *
 * Configuration files of the daemons, files of pipelines and command lines have one syntax of
 * numbers, words and lists. Limits and messages belong to the callers.
 */
#ifndef BASE_TEXT_VALUE_H
#define BASE_TEXT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_unit {
	VALUE_PLAIN, /* decimal */
	VALUE_OCTAL,
	VALUE_BYTES, /* decimal with K, M or G (powers of 1024), or nothing */
	VALUE_MS, /* decimal with ms, s or min; in milliseconds */
	VALUE_US, /* decimal with us, ms, s or min; in microseconds */
};

/* Parses digits and a suffix of @unit. False for anything else and on overflow. */
bool value_parse_count(const char *text, enum value_unit unit, uint64_t *ret_count);

/* Prints @count in the largest unit that divides it. Truncated to @size bytes. */
void value_print_count(uint64_t count, enum value_unit unit, char *out, size_t size);

/* Parses one finite number. */
bool value_parse_real(const char *text, double *ret_real);

/* Parses up to @max finite numbers, separated by commas; "" has none. False for anything else. */
bool value_parse_reals(const char *text, uint32_t max, double *ret_reals, uint32_t *ret_n);

/* Returns the index of @text in @words, which are separated by one blank; -1: it is none. */
int value_find_word(const char *words, const char *text);

/* Prints the word at @index, which is below the number of @words. Truncated to @size bytes. */
void value_print_word(const char *words, uint64_t index, char *out, size_t size);

#endif
