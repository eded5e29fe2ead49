/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/config_value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ini.h"
#include "base/log.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit byte_units[] = {
	{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
static const struct unit short_units[] = {
	{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}, {NULL, 0}};
static const struct unit time_units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {NULL, 0}};

/* Parses digits of @base and one of the suffixes. False for anything else and on overflow. */
static bool number_parse(
	const char *text, unsigned int base, const struct unit *units, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *at = text;
	for (; *at >= '0' && *at < (char)('0' + base); at++) {
		if (bytes_mul_overflows(value, base, &value) ||
			bytes_add_overflows(value, (uint64_t)(*at - '0'), &value)) {
			return false;
		}
	}
	if (at == text) {
		return false;
	}
	for (; units->suffix; units++) {
		if (strcmp(at, units->suffix) == 0) {
			return !bytes_mul_overflows(value, units->factor, ret_value);
		}
	}
	return false;
}

static bool level_parse(const char *text, uint64_t *ret_value)
{
	int level = log_level_find(text);
	*ret_value = level < 0 ? 0 : (uint64_t)level;
	return level >= 0;
}

static bool truth_parse(const char *text, uint64_t *ret_value)
{
	bool truth = false;
	int code = ini_truth(text, &truth);
	*ret_value = truth;
	return code == 0;
}

static bool value_parse(enum config_kind kind, const char *text, uint64_t *ret_value)
{
	switch (kind) {
	case CONFIG_BYTES:
		return number_parse(text, 10, byte_units, ret_value);
	case CONFIG_TIME:
		return number_parse(text, 10, time_units, ret_value);
	case CONFIG_TIME_US:
		return number_parse(text, 10, short_units, ret_value);
	case CONFIG_MODE:
		return number_parse(text, 8, no_units, ret_value);
	case CONFIG_LEVEL:
		return level_parse(text, ret_value);
	case CONFIG_BOOL:
		return truth_parse(text, ret_value);
	case CONFIG_COUNT:
		break;
	case CONFIG_TEXT:
	case CONFIG_UPDATE:
	case CONFIG_POLICY:
	case CONFIG_GOVERNOR:
		assert(false); /* config_value_set() and config_set() handle these */
		break;
	}
	return number_parse(text, 10, no_units, ret_value);
}

static const char *kind_name(enum config_kind kind)
{
	static const char *const names[] = {
		[CONFIG_TEXT] = "a text",
		[CONFIG_COUNT] = "a number",
		[CONFIG_BYTES] = "a number of bytes (K, M and G are powers of 1024)",
		[CONFIG_TIME] = "a time with its unit (ms, s, min)",
		[CONFIG_TIME_US] = "a time with its unit (us, ms, s, min)",
		[CONFIG_MODE] = "an octal number",
		[CONFIG_BOOL] = "yes or no",
		[CONFIG_LEVEL] = "error, warning, notice, info or debug",
	};
	return names[kind];
}

static void *member(const void *settings, const struct config_key *key)
{
	return (char *)(uintptr_t)settings + key->offset;
}

static int text_set(
	void *settings, const struct config_key *key, const char *value, struct error *err)
{
	size_t length = strlen(value);
	if (length > key->max) {
		return error_set(err, -EINVAL, "%s is longer than %llu bytes", key->key,
			(unsigned long long)key->max);
	}
	memcpy(member(settings, key), value, length + 1);
	return 0;
}

int config_value_refuse(
	const struct config_key *key, const char *text, const char *wanted, struct error *err)
{
	char escaped[64];
	return error_set(err, -EINVAL, "%s: \"%s\" is not %s", key->key,
		error_escape(escaped, sizeof(escaped), text, strlen(text)), wanted);
}

int config_value_store(void *settings, const struct config_key *key, const char *text,
	uint64_t number, struct error *err)
{
	char escaped[64];
	if (number < key->min || number > key->max) {
		return error_set(err, -EINVAL, "%s: %s is not between %llu and %llu%s", key->key,
			error_escape(escaped, sizeof(escaped), text, strlen(text)),
			(unsigned long long)key->min, (unsigned long long)key->max,
			key->kind == CONFIG_TIME              ? " ms"
				: key->kind == CONFIG_TIME_US ? " us"
							      : "");
	}
	memcpy(member(settings, key), &number, sizeof(number));
	return 0;
}

int config_value_set(
	void *settings, const struct config_key *key, const char *text, struct error *err)
{
	uint64_t number = 0;
	const char *value = text[0] ? text : key->default_value;
	if (key->kind == CONFIG_TEXT) {
		return text_set(settings, key, value, err);
	}
	if (!value_parse(key->kind, value, &number)) {
		return config_value_refuse(key, value, kind_name(key->kind), err);
	}
	return config_value_store(settings, key, value, number, err);
}

/* ---- values to text */

/* Prints @value in the largest unit that divides it. */
static void number_print(uint64_t value, const struct unit *units, char *out, size_t size)
{
	const struct unit *best = units;
	for (const struct unit *u = units; u->suffix; u++) {
		best = value % u->factor == 0 && u->factor > best->factor ? u : best;
	}
	best = value == 0 ? units : best;
	snprintf(out, size, "%llu%s", (unsigned long long)(value / best->factor), best->suffix);
}

void config_value_print(const void *settings, const struct config_key *key, char *out, size_t size)
{
	uint64_t value = 0;
	if (key->kind == CONFIG_TEXT) {
		snprintf(out, size, "%s", (const char *)member(settings, key));
		return;
	}
	memcpy(&value, member(settings, key), sizeof(value));
	if (key->kind == CONFIG_LEVEL) {
		snprintf(out, size, "%s", log_level_name((int)value));
	} else if (key->kind == CONFIG_BOOL) {
		snprintf(out, size, "%s", value ? "yes" : "no");
	} else if (key->kind == CONFIG_MODE) {
		snprintf(out, size, "%04llo", (unsigned long long)value);
	} else {
		number_print(value,
			key->kind == CONFIG_BYTES             ? byte_units
				: key->kind == CONFIG_TIME    ? time_units
				: key->kind == CONFIG_TIME_US ? short_units
							      : no_units,
			out, size);
	}
}

bool config_value_same(const void *a, const void *b, const struct config_key *key)
{
	return key->kind == CONFIG_TEXT
		? strcmp(member(a, key), member(b, key)) == 0
		: memcmp(member(a, key), member(b, key), sizeof(uint64_t)) == 0;
}

void config_value_copy(void *to, const void *from, const struct config_key *key)
{
	size_t size = key->kind == CONFIG_TEXT ? key->max + 1 : sizeof(uint64_t);
	memcpy(member(to, key), member(from, key), size);
}
