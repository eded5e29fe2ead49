/* SPDX-License-Identifier: Apache-2.0 */
/* The keys signatures and signatures-of: one policy for all models, and others for some. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text/value.h"
#include "daemon/edged/config/config.h"

#define BLANKS " \t,"

/* Finds the policy that @length bytes of @text name. */
static bool policy_find(const char *text, size_t length, uint64_t *ret_policy)
{
	char word[16];
	snprintf(word, sizeof(word), "%.*s", (int)length, text);
	const int found = length < sizeof(word) ? value_find_word(CONFIG_POLICY_WORDS, word) : -1;
	*ret_policy = found < 0 ? CONFIG_POLICY_OFF : (uint64_t)found;
	return found >= 0;
}

/* The next NAME=POLICY of a list; *ret_name is the name's length, 0 when the entry is malformed.
 * NULL at the end. */
static const char *entry_next(const char **at, size_t *ret_name, uint64_t *ret_policy)
{
	const char *entry = *at + strspn(*at, BLANKS);
	size_t length = strcspn(entry, BLANKS);
	const char *sign = memchr(entry, '=', length);
	*at = entry + length;
	if (length == 0) {
		return NULL;
	}
	*ret_name = sign ? (size_t)(sign - entry) : 0;
	if (!sign || !policy_find(sign + 1, length - *ret_name - 1, ret_policy)) {
		*ret_name = 0;
	}
	return entry;
}

/* True when @entry and all that follows it is "none". */
static bool is_none(const char *entry)
{
	return strcmp(entry, "none") == 0;
}

int config_policy_check(const char *list, struct error *err)
{
	const char *entry = NULL;
	size_t name = 0;
	uint64_t policy = 0;
	while ((entry = entry_next(&list, &name, &policy))) {
		if (name == 0 && !is_none(entry)) {
			char escaped[80];
			return error_set(err, -EINVAL,
				"signatures-of: \"%s\" is not MODEL=require, MODEL=warn or MODEL=off",
				error_escape(
					escaped, sizeof(escaped), entry, strcspn(entry, BLANKS)));
		}
	}
	return 0;
}

enum config_policy config_policy_of(const struct config *config, const char *model)
{
	const char *list = config->signatures_of, *entry = NULL;
	size_t name = 0;
	uint64_t policy = 0, found = config->signatures;
	while ((entry = entry_next(&list, &name, &policy))) {
		if (name > 0 && name == strlen(model) && memcmp(entry, model, name) == 0) {
			found = policy;
		}
	}
	return (enum config_policy)found;
}

bool config_policy_any(const struct config *config)
{
	const char *list = config->signatures_of;
	size_t name = 0;
	uint64_t policy = 0;
	bool any = config->signatures != CONFIG_POLICY_OFF;
	while (!any && entry_next(&list, &name, &policy)) {
		any = name > 0 && policy != CONFIG_POLICY_OFF;
	}
	return any;
}
