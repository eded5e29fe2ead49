/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates the conditions of struct pipeline_config_key (needs). */
#include <assert.h>
#include <string.h>

#include "client/pipeline/config/pipeline_config.h"

#define NAME_SIZE 40
#define WORDS_SIZE 160

/* One condition: name=word,word or name, optionally negated by "!". */
struct need {
	bool negated;
	char section[NAME_SIZE], name[NAME_SIZE]; /* "": the key's own section */
	char words[WORDS_SIZE]; /* "": true if the key is set */
};

static void part_copy(char *out, size_t size, const char *from, size_t length)
{
	snprintf(out, size, "%.*s", (int)length, from);
}

/* Parses the condition at @at, which is not the end. Returns the text after it. */
static const char *need_read(const char *at, struct need *ret_need)
{
	const size_t length = strcspn(at, " "), words = strcspn(at, "= ");
	*ret_need = (struct need){.negated = at[0] == '!'};
	const size_t first = ret_need->negated;
	const size_t dot = first + strcspn(at + first, ".= ");
	const bool dotted = dot < words;
	const size_t name = dotted ? dot + 1 : first;
	part_copy(ret_need->section, NAME_SIZE, at + first, dotted ? dot - first : 0);
	part_copy(ret_need->name, NAME_SIZE, at + name, words - name);
	part_copy(ret_need->words, WORDS_SIZE, at + words + 1,
		words < length ? length - words - 1 : 0);
	return at + length + (at[length] == ' ');
}

/* ---- evaluation */

uint64_t pipeline_config_takes(
	const struct pipeline_config *config, const struct pipeline_config_stage *stage)
{
	while (stage != &config->stages[0]) {
		if (stage->input == PIPELINE_CONFIG_INPUT_OUTPUTS) {
			return PIPELINE_CONFIG_SOURCE_NUMBERS;
		}
		stage = &config->stages[stage->parent];
	}
	return config->source.kind;
}

static bool has_windows(
	const struct pipeline_config *config, const struct pipeline_config_stage *stage)
{
	uint64_t kind = config->source.kind;
	return stage == &config->stages[0]
		? kind == PIPELINE_CONFIG_SOURCE_SOUND || kind == PIPELINE_CONFIG_SOURCE_NUMBERS
		: stage->input == PIPELINE_CONFIG_INPUT_OUTPUTS;
}

/* Returns "" if the value is not set, 0 or no. */
static void value_get(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, const char *section, const char *name,
	char out[PIPELINE_CONFIG_TEXT_SIZE])
{
	const struct pipeline_config_key *key = pipeline_config_key_find(section, name);
	assert(key);
	const void *base = pipeline_config_key_is_common(key) ? (const void *)config : stage;
	pipeline_config_get(base, key, out, PIPELINE_CONFIG_TEXT_SIZE);
	const bool counted =
		key->kind == PIPELINE_CONFIG_COUNT || key->kind == PIPELINE_CONFIG_BOOL;
	if (counted && (strcmp(out, "0") == 0 || strcmp(out, "no") == 0)) {
		out[0] = 0;
	}
}

static void need_value(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, const char *section, const struct need *need,
	char out[PIPELINE_CONFIG_TEXT_SIZE])
{
	static const char *const kinds[] = {"auto", "picture", "sound", "numbers", "tensor"};
	if (strcmp(need->name, "takes") == 0) {
		strcpy(out, kinds[pipeline_config_takes(config, stage)]);
	} else if (strcmp(need->name, "windows") == 0) {
		strcpy(out, has_windows(config, stage) ? "yes" : "");
	} else if (strcmp(need->name, "decision") == 0) {
		strcpy(out, stage->decision.given ? "yes" : "");
	} else if (strcmp(need->section, "before") == 0) {
		value_get(config, &config->stages[stage->parent], "post", need->name, out);
	} else {
		value_get(
			config, stage, need->section[0] ? need->section : section, need->name, out);
	}
}

static bool need_holds(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, const char *section, const struct need *need)
{
	char value[PIPELINE_CONFIG_TEXT_SIZE], word[NAME_SIZE];
	need_value(config, stage, section, need, value);
	bool holds = !need->words[0] && value[0];
	for (const char *at = need->words; *at; at += *at == ',') {
		part_copy(word, sizeof(word), at, strcspn(at, ","));
		holds |= pipeline_config_list_has(value, word);
		at += strlen(word);
	}
	return holds != need->negated;
}

bool pipeline_config_key_counts(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, const struct pipeline_config_key *key)
{
	bool holds = true;
	struct need need;
	for (const char *at = key->needs ? key->needs : ""; *at;) {
		if (at[0] == '|' && holds) {
			return true;
		}
		if (at[0] == '|') {
			holds = true;
			at += 2;
		}
		at = need_read(at, &need);
		holds &= need_holds(config, stage, key->section, &need);
	}
	return holds;
}

/* ---- formatting */

static void add(char *out, const char *text, size_t length)
{
	size_t used = strlen(out);
	part_copy(out + used, PIPELINE_CONFIG_NEEDS_SIZE - used, text, length);
}

static void add_text(char *out, const char *text)
{
	add(out, text, strlen(text));
}

static void name_add(char *out, const struct need *need)
{
	const bool before = strcmp(need->section, "before") == 0;
	const bool own = !need->section[0];
	if (strcmp(need->name, "takes") == 0) {
		add_text(out, "what comes in");
	} else if (strcmp(need->name, "decision") == 0) {
		add_text(out, "[decision]");
	} else {
		add_text(out, own ? "" : "[");
		add_text(out, before ? "post" : need->section);
		add_text(out, own ? "" : "] ");
		add_text(out, need->name);
		add_text(out, before ? " of the stage before" : "");
	}
}

static void need_add(char *out, const struct need *need)
{
	if (strcmp(need->name, "windows") == 0) {
		add_text(out,
			need->negated ? "there are no windows"
				      : "there are windows (kind is sound or numbers in the first "
					"stage, or input is outputs)");
		return;
	}
	name_add(out, need);
	add_text(out, strcmp(need->name, "spectral") == 0 ? " has" : " is");
	add_text(out, need->negated ? " not " : " ");
	add_text(out, need->words[0] ? "" : "given");
	for (const char *at = need->words; *at;) {
		const size_t length = strcspn(at, ",");
		const bool last = !at[length] || !strchr(at + length + 1, ',');
		add(out, at, length);
		add_text(out, !at[length] ? "" : last ? " or " : ", ");
		at += length + (at[length] == ',');
	}
}

char *pipeline_config_key_needs(
	const struct pipeline_config_key *key, char out[PIPELINE_CONFIG_NEEDS_SIZE])
{
	struct need need;
	out[0] = 0;
	add_text(out, key->needs ? "only where " : "");
	for (const char *at = key->needs ? key->needs : ""; *at;) {
		const bool other = at[0] == '|';
		at = need_read(other ? at + 2 : at, &need);
		need_add(out, &need);
		add_text(out, *at == '|' ? ", or " : *at ? " and " : "");
	}
	return out;
}
