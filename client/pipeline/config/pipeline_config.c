/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/config/pipeline_config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/text/ini.h"

/* State of the parser. */
struct reading {
	struct pipeline_config *config;
	const char *name;
	char section[PIPELINE_CONFIG_NAME_SIZE];
	unsigned int line; /* current line */
	bool foreign; /* inside a section that begins with X- */
};

static int name_check(const char *name, const char *what, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strlen(name);
	if (length == 0 || length >= PIPELINE_CONFIG_NAME_SIZE || strspn(name, allowed) != length) {
		return error_set(err, -EINVAL,
			"the name of a %s has 1 to %d letters, digits, '.', '_' or '-'", what,
			PIPELINE_CONFIG_NAME_SIZE - 1);
	}
	return 0;
}

/* Sets every key of @base, a stage or (@common) a config, to its default. */
static void defaults_set(void *base, bool common)
{
	assert(pipeline_config_n_keys <= PIPELINE_CONFIG_MAX_KEYS);
	for (size_t i = 0; i < pipeline_config_n_keys; i++) {
		const struct pipeline_config_key *key = &pipeline_config_keys[i];
		int code = pipeline_config_key_is_common(key) == common
			? pipeline_config_set(base, key, "", NULL)
			: 0;
		assert(code == 0);
		(void)code;
	}
}

/* True if any key of @stage was given. */
static bool is_begun(const struct pipeline_config_stage *stage)
{
	for (size_t i = 0; i < PIPELINE_CONFIG_MAX_KEYS; i++) {
		if (stage->lines[i]) {
			return true;
		}
	}
	return false;
}

static int stage_begin(struct reading *reading, const char *name, struct error *err)
{
	struct pipeline_config *config = reading->config;
	int code = name_check(name, "stage", err);
	for (size_t i = 0; i < config->n_stages && code == 0; i++) {
		if (strcmp(config->stages[i].name, name) == 0) {
			code = error_set(err, -EINVAL, "stage %s began in line %u already", name,
				config->stages[i].line);
		}
	}
	if (code < 0) {
		return code;
	}
	struct pipeline_config_stage *last = &config->stages[config->n_stages - 1];
	if (config->n_stages > 1 || last->name[0] || is_begun(last)) {
		if (config->n_stages == PIPELINE_CONFIG_MAX_STAGES) {
			return error_set(
				err, -EINVAL, "more than %d stages", PIPELINE_CONFIG_MAX_STAGES);
		}
		last = &config->stages[config->n_stages++];
		defaults_set(last, false);
	}
	memcpy(last->name, name, strlen(name) + 1);
	last->line = reading->line;
	return 0;
}

static bool section_is_known(const char *name)
{
	for (size_t i = 0; i < pipeline_config_n_keys; i++) {
		if (strcmp(pipeline_config_keys[i].section, name) == 0 &&
			strcmp(name, "stage") != 0) {
			return true;
		}
	}
	return false;
}

static int section_read(void *context, const char *name, struct error *err)
{
	struct reading *reading = context;
	char shown[64];
	reading->foreign = strncmp(name, "X-", 2) == 0;
	if (reading->foreign) {
		return 0;
	}
	if (strncmp(name, "stage ", 6) == 0) {
		strcpy(reading->section, "stage");
		return stage_begin(reading, name + 6 + strspn(name + 6, " "), err);
	}
	if (!section_is_known(name)) {
		return error_set(err, -EINVAL, "there is no section [%s]",
			error_escape(shown, sizeof(shown), name, strlen(name)));
	}
	snprintf(reading->section, sizeof(reading->section), "%s", name);
	if (strcmp(name, "decision") == 0) {
		reading->config->stages[reading->config->n_stages - 1].decision.given = true;
	}
	return 0;
}

static int key_set(struct reading *reading, const struct pipeline_config_key *key,
	unsigned int line, const char *value, struct error *err)
{
	const size_t row = (size_t)(key - pipeline_config_keys);
	struct pipeline_config_stage *stage =
		&reading->config->stages[reading->config->n_stages - 1];
	bool common = pipeline_config_key_is_common(key);
	unsigned int *seen = common ? &reading->config->lines[row] : &stage->lines[row];
	if (*seen) {
		return error_set(err, -EINVAL, "%s was given in line %u already", key->key, *seen);
	}
	*seen = line;
	return pipeline_config_set(
		common ? (void *)reading->config : (void *)stage, key, value, err);
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct reading *reading = context;
	char shown[64];
	if (reading->foreign || strncmp(key, "X-", 2) == 0) {
		return 0;
	}
	const struct pipeline_config_key *row = pipeline_config_key_find(reading->section, key);
	if (row) {
		return key_set(reading, row, line, value, err);
	}
	error_escape(shown, sizeof(shown), key, strlen(key));
	return reading->section[0]
		? error_set(err, -EINVAL, "there is no key %s in [%s]", shown, reading->section)
		: error_set(err, -EINVAL, "%s stands before the first [section]", shown);
}

/* "/etc/edged/pipelines.d/door.conf" gives "door". */
static int name_read(struct pipeline_config *config, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	if (length > 5 && strcmp(base + length - 5, ".conf") == 0) {
		length -= 5;
	}
	if (length < sizeof(config->name)) {
		memcpy(config->name, base, length);
	}
	return name_check(config->name, "pipeline", err);
}

int pipeline_config_read(
	FILE *file, const char *name, struct pipeline_config **ret_config, struct error *err)
{
	owned_mem struct pipeline_config *config = calloc(1, sizeof(*config));
	if (!config) {
		return error_no_memory(err);
	}
	defaults_set(config, true);
	defaults_set(&config->stages[0], false);
	config->n_stages = 1;
	int code = name_read(config, name, err);
	if (code < 0) {
		error_prefix(err, "%s", name);
		return code;
	}
	struct reading reading = {.config = config, .name = name};
	const struct ini_reader reader = {
		.section = section_read, .key = key_read, .context = &reading};
	code = ini_read_lines(file, name, &reader, &reading.line, err);
	unsigned int line = 0;
	if (code == 0) {
		code = pipeline_config_check(config, &line, err);
		if (code < 0) {
			error_prefix(err, "%s:%u", name, line);
		}
	}
	if (code < 0) {
		return code;
	}
	*ret_config = take(config);
	return 0;
}

/* True if the file has the key: the first stage has no [stage] keys. */
static bool is_printed(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, const struct pipeline_config_key *key)
{
	const bool first = stage == &config->stages[0];
	return pipeline_config_key_is_common(key) == !stage &&
		!(first && strcmp(key->section, "stage") == 0) &&
		!(stage && !stage->decision.given && strcmp(key->section, "decision") == 0) &&
		pipeline_config_key_counts(config, stage, key);
}

/* Prints the keys of @stage, NULL: of all stages. */
static void keys_print(
	const struct pipeline_config *config, const struct pipeline_config_stage *stage, FILE *out)
{
	char text[ZONES_TEXT_SIZE], shown[ZONES_TEXT_SIZE];
	const char *section = "stage"; /* its heading has the stage's name */
	for (size_t i = 0; i < pipeline_config_n_keys; i++) {
		const struct pipeline_config_key *key = &pipeline_config_keys[i];
		if (!is_printed(config, stage, key)) {
			continue;
		}
		if (strcmp(key->section, section) != 0) {
			section = key->section;
			fprintf(out, "\n[%s]\n", section);
		}
		pipeline_config_get(stage ? (const void *)stage : config, key, text, sizeof(text));
		fprintf(out, "%s = %s\n", key->key,
			error_clean(shown, sizeof(shown), text, strlen(text)));
	}
}

void pipeline_config_print(const struct pipeline_config *config, FILE *out)
{
	fprintf(out, "# %s\n", config->name);
	keys_print(config, NULL, out);
	for (size_t i = 0; i < config->n_stages; i++) {
		const struct pipeline_config_stage *stage = &config->stages[i];
		if (i > 0 || strcmp(stage->name, config->name) != 0) {
			fprintf(out, "\n[stage %s]\n", stage->name);
		}
		keys_print(config, stage, out);
	}
}
