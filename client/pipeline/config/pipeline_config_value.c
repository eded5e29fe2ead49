/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and formats the values of pipeline_config.h. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text/value.h"
#include "client/pipeline/config/pipeline_config.h"

static int complain(const struct pipeline_config_key *key, const char *value, const char *wanted,
	struct error *err)
{
	char shown[80];
	return error_set(err, -EINVAL, "%s: \"%s\" is not %s", key->key,
		error_escape(shown, sizeof(shown), value, strlen(value)), wanted);
}

static int count_set(uint64_t *count, const struct pipeline_config_key *key, const char *value,
	struct error *err)
{
	const bool time = key->kind == PIPELINE_CONFIG_TIME;
	uint64_t number = 0;
	if (!value_parse_count(value, time ? VALUE_MS : VALUE_PLAIN, &number)) {
		return complain(
			key, value, time ? "a time with its unit (ms, s, min)" : "a number", err);
	}
	if ((double)number < key->min || (double)number > key->max) {
		return error_set(err, -EINVAL, "%s: %s is not between %.0f and %.0f%s", key->key,
			value, key->min, key->max, time ? " ms" : "");
	}
	*count = number;
	return 0;
}

static int choice_set(uint64_t *choice, const struct pipeline_config_key *key, const char *words,
	const char *value, struct error *err)
{
	char wanted[160];
	const int index = value_find_word(words, value);
	if (index < 0) {
		snprintf(wanted, sizeof(wanted), key->words ? "one of: %s" : "yes or no", words);
		return complain(key, value, wanted, err);
	}
	*choice = (uint64_t)index;
	return 0;
}

static int real_set(double *ret_real, const struct pipeline_config_key *key, const char *value,
	struct error *err)
{
	double real = NAN;
	if (value[0] && !value_parse_real(value, &real)) {
		return complain(key, value, "a number", err);
	}
	if (real < key->min || real > key->max) {
		return error_set(err, -EINVAL, "%s: %g is not between %g and %g", key->key, real,
			key->min, key->max);
	}
	*ret_real = real;
	return 0;
}

static int reals_set(struct pipeline_config_reals *ret_reals, const struct pipeline_config_key *key,
	const char *value, struct error *err)
{
	struct pipeline_config_reals reals = {0};
	char wanted[64];
	if (!value_parse_reals(value, (uint32_t)key->max, reals.v, &reals.n)) {
		snprintf(
			wanted, sizeof(wanted), "up to %.0f numbers with commas between", key->max);
		return complain(key, value, wanted, err);
	}
	*ret_reals = reals;
	return 0;
}

static int text_set(
	char *place, const struct pipeline_config_key *key, const char *value, struct error *err)
{
	size_t length = strlen(value);
	if ((double)length > key->max) {
		return error_set(err, -EINVAL, "%s is longer than %.0f bytes", key->key, key->max);
	}
	memcpy(place, value, length + 1);
	return 0;
}

int pipeline_config_set(
	void *base, const struct pipeline_config_key *key, const char *value, struct error *err)
{
	void *place = (char *)base + key->offset;
	value = value[0] ? value : key->value;
	switch (key->kind) {
	case PIPELINE_CONFIG_TEXT:
		return text_set(place, key, value, err);
	case PIPELINE_CONFIG_COUNT:
	case PIPELINE_CONFIG_TIME:
		return count_set(place, key, value, err);
	case PIPELINE_CONFIG_BOOL:
		return choice_set(place, key, "no yes", value, err);
	case PIPELINE_CONFIG_CHOICE:
		return choice_set(place, key, key->words, value, err);
	case PIPELINE_CONFIG_REAL:
		return real_set(place, key, value, err);
	case PIPELINE_CONFIG_REALS:
		return reals_set(place, key, value, err);
	case PIPELINE_CONFIG_ZONES:
		return zones_parse(value, place, err);
	}
	return error_set(err, -EINVAL, "%s", key->key);
}

static void reals_get(const struct pipeline_config_reals *reals, char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < reals->n; i++) {
		int n = snprintf(out + used, size - used, "%s%.9g", i ? "," : "", reals->v[i]);
		used += n > 0 && (size_t)n < size - used ? (size_t)n : 0;
	}
}

char *pipeline_config_get(
	const void *base, const struct pipeline_config_key *key, char *out, size_t size)
{
	const void *place = (const char *)base + key->offset;
	const uint64_t *count = place;
	const double *real = place;
	out[0] = 0;
	switch (key->kind) {
	case PIPELINE_CONFIG_TEXT:
		snprintf(out, size, "%s", (const char *)place);
		break;
	case PIPELINE_CONFIG_COUNT:
	case PIPELINE_CONFIG_TIME:
		snprintf(out, size, "%llu%s", (unsigned long long)*count,
			key->kind == PIPELINE_CONFIG_TIME ? "ms" : "");
		break;
	case PIPELINE_CONFIG_BOOL:
		snprintf(out, size, "%s", *count ? "yes" : "no");
		break;
	case PIPELINE_CONFIG_CHOICE:
		value_print_word(key->words, *count, out, size);
		break;
	case PIPELINE_CONFIG_REAL:
		snprintf(out, isnan(*real) ? 0 : size, "%.9g", *real);
		break;
	case PIPELINE_CONFIG_REALS:
		reals_get(place, out, size);
		break;
	case PIPELINE_CONFIG_ZONES:
		zones_format(place, out, size);
		break;
	}
	return out;
}

const char *pipeline_config_list_next(const char *list, char ret_word[PIPELINE_CONFIG_TEXT_SIZE])
{
	size_t n = 0, shown = 0;
	for (list += strspn(list, " \t"); *list && *list != ','; list++) {
		bool escaped = *list == '\\' && (list[1] == ',' || list[1] == '\\');
		list += escaped;
		if (n + 1 < PIPELINE_CONFIG_TEXT_SIZE) {
			ret_word[n++] = *list;
		}
		shown = escaped || !strchr(" \t", *list) ? n : shown;
	}
	ret_word[shown] = 0;
	return list + (*list == ',');
}

bool pipeline_config_list_has(const char *list, const char *word)
{
	char one[PIPELINE_CONFIG_TEXT_SIZE];
	while (*list) {
		list = pipeline_config_list_next(list, one);
		if (one[0] && strcmp(one, word) == 0) {
			return true;
		}
	}
	return false;
}
