/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are words of edged.conf alone. */
#include <stdio.h>
#include <string.h>

#include "daemon/edged/config/config.h"
#include "daemon/system/governor.h"

static bool update_parse(const char *text, uint64_t *ret_value)
{
	const bool replace = strcmp(text, "replace") == 0;
	*ret_value = replace ? CONFIG_UPDATE_REPLACE : CONFIG_UPDATE_KEEP_SERVING;
	return replace || strcmp(text, "keep-serving") == 0;
}

static bool governor_parse(const char *text, uint64_t *ret_value)
{
	uint64_t policy = 0;
	while (governor_policy_name(policy) && strcmp(text, governor_policy_name(policy)) != 0) {
		policy++;
	}
	*ret_value = policy;
	return policy < GOVERNOR_POLICIES;
}

static bool is_word(enum config_kind kind)
{
	return kind == CONFIG_UPDATE || kind == CONFIG_POLICY || kind == CONFIG_GOVERNOR;
}

static int word_set(
	struct config *config, const struct config_key *key, const char *text, struct error *err)
{
	uint64_t number = 0;
	const bool update = key->kind == CONFIG_UPDATE, policy = key->kind == CONFIG_POLICY;
	const bool known = update ? update_parse(text, &number)
		: policy          ? config_policy_parse(text, strlen(text), &number)
				  : governor_parse(text, &number);
	const char *wanted = update ? "keep-serving or replace"
		: policy            ? "require, warn or off"
				    : "performance, balanced or cool";
	return known ? config_value_store(config, key, text, number, err)
		     : config_value_refuse(key, text, wanted, err);
}

int config_set(
	struct config *config, const struct config_key *key, const char *value, struct error *err)
{
	return is_word(key->kind)
		? word_set(config, key, value[0] ? value : key->default_value, err)
		: config_value_set(config, key, value, err);
}

void config_text(const struct config *config, const struct config_key *key, char *out, size_t size)
{
	uint64_t value = 0;
	if (!is_word(key->kind)) {
		config_value_print(config, key, out, size);
		return;
	}
	memcpy(&value, (const char *)config + key->offset, sizeof(value));
	const char *word = key->kind == CONFIG_POLICY ? config_policy_name(value)
		: key->kind == CONFIG_GOVERNOR        ? governor_policy_name(value)
		: value == CONFIG_UPDATE_REPLACE      ? "replace"
						      : "keep-serving";
	snprintf(out, size, "%s", word);
}
