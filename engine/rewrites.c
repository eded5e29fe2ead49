/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "engine/edge.h"

static const struct {
	const char *name;
	uint32_t mask;
} rewrites[] = {
	{"none", 0},
	{"all", REWRITES_ALL},
	{"strips", REWRITE_ROW_FUSION},
	{"pads", REWRITE_PADS},
	{"views", REWRITE_VIEWS},
	{"shapes", REWRITE_SHAPES},
	{"in-place", REWRITE_IN_PLACE},
	{"eager", REWRITE_EAGER},
};

static bool find(const char *word, size_t length, uint32_t *mask)
{
	for (size_t i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
		if (strlen(rewrites[i].name) == length &&
			memcmp(rewrites[i].name, word, length) == 0) {
			*mask |= rewrites[i].mask;
			return true;
		}
	}
	return false;
}

int edge_rewrites(const char *text, uint32_t *ret_mask, struct error *err)
{
	uint32_t mask = 0;
	for (const char *word = text; *word;) {
		size_t length = strcspn(word, ",");
		if (!find(word, length, &mask)) {
			return error_set(err, -EINVAL, "no rewrite is called \"%.*s\"",
				(int)(length < 32 ? length : 32), word);
		}
		word += length + (word[length] == ',');
	}
	*ret_mask = mask;
	return 0;
}
