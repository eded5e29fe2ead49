/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/config_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text/value.h"

/* Texts of a kind's values. */
static const struct {
	enum value_unit unit; /* of a number */
	const char *words; /* names of the numbers from 0 on; NULL: it is a number */
	const char *wanted; /* for "... is not ..." */
} kinds[] = {
	[CONFIG_TEXT] = {.wanted = "a text"},
	[CONFIG_COUNT] = {VALUE_PLAIN, NULL, "a number"},
	[CONFIG_BYTES] = {VALUE_BYTES, NULL, "a number of bytes (K, M and G are powers of 1024)"},
	[CONFIG_TIME] = {VALUE_MS, NULL, "a time with its unit (ms, s, min)"},
	[CONFIG_TIME_US] = {VALUE_US, NULL, "a time with its unit (us, ms, s, min)"},
	[CONFIG_MODE] = {VALUE_OCTAL, NULL, "an octal number"},
	[CONFIG_LEVEL] = {.wanted = "error, warning, notice, info or debug"},
	[CONFIG_BOOL] = {.words = "no yes", .wanted = "yes or no"},
	[CONFIG_UPDATE] = {.words = "keep-serving replace", .wanted = "keep-serving or replace"},
	[CONFIG_POLICY] = {.words = CONFIG_POLICY_WORDS, .wanted = "require, warn or off"},
	[CONFIG_GOVERNOR] = {.words = "performance balanced cool",
		.wanted = "performance, balanced or cool"},
};

static bool value_parse(enum config_kind kind, const char *text, uint64_t *ret_value)
{
	const char *words = kinds[kind].words;
	if (kind != CONFIG_LEVEL && !words) {
		return value_parse_count(text, kinds[kind].unit, ret_value);
	}
	const int word = words ? value_find_word(words, text) : log_level_find(text);
	*ret_value = word < 0 ? 0 : (uint64_t)word;
	return word >= 0;
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

static int number_set(void *settings, const struct config_key *key, const char *text,
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
	char escaped[64];
	const char *value = text[0] ? text : key->default_value;
	if (key->kind == CONFIG_TEXT) {
		return text_set(settings, key, value, err);
	}
	if (!value_parse(key->kind, value, &number)) {
		return error_set(err, -EINVAL, "%s: \"%s\" is not %s", key->key,
			error_escape(escaped, sizeof(escaped), value, strlen(value)),
			kinds[key->kind].wanted);
	}
	return number_set(settings, key, value, number, err);
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
	} else if (kinds[key->kind].words) {
		value_print_word(kinds[key->kind].words, value, out, size);
	} else {
		value_print_count(value, kinds[key->kind].unit, out, size);
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
