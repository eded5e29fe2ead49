/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/recipe.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/ini.h"

/* What is being read. */
struct reading {
	struct recipe *recipe;
	const char *name;
	char section[RECIPE_NAME_SIZE];
	unsigned int line; /* that is being read */
	bool foreign; /* the section is somebody else's */
};

static int name_check(const char *name, const char *what, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strlen(name);
	if (length == 0 || length >= RECIPE_NAME_SIZE || strspn(name, allowed) != length) {
		return error_set(err, -EINVAL,
			"the name of a %s has 1 to %d letters, digits, '.', '_' or '-'", what,
			RECIPE_NAME_SIZE - 1);
	}
	return 0;
}

static void stage_init(struct recipe_stage *stage)
{
	size_t n = 0;
	const struct recipe_key *keys = recipe_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (!recipe_key_is_common(&keys[i])) {
			int code = recipe_set(stage, &keys[i], "", NULL);
			assert(code == 0);
			(void)code;
		}
	}
}

static void common_init(struct recipe *recipe)
{
	size_t n = 0;
	const struct recipe_key *keys = recipe_keys(&n);
	assert(n <= RECIPE_MAX_KEYS);
	for (size_t i = 0; i < n; i++) {
		if (recipe_key_is_common(&keys[i])) {
			int code = recipe_set(recipe, &keys[i], "", NULL);
			assert(code == 0);
			(void)code;
		}
	}
	stage_init(&recipe->stages[0]);
	recipe->n_stages = 1;
}

/* Has any key of @stage been given yet? */
static bool is_begun(const struct recipe_stage *stage)
{
	for (size_t i = 0; i < RECIPE_MAX_KEYS; i++) {
		if (stage->lines[i]) {
			return true;
		}
	}
	return false;
}

static int stage_begin(struct reading *reading, const char *name, struct error *err)
{
	struct recipe *recipe = reading->recipe;
	int code = name_check(name, "stage", err);
	for (size_t i = 0; i < recipe->n_stages && code == 0; i++) {
		if (strcmp(recipe->stages[i].name, name) == 0) {
			code = error_set(err, -EINVAL, "stage %s began in line %u already", name,
				recipe->stages[i].line);
		}
	}
	if (code < 0) {
		return code;
	}
	struct recipe_stage *last = &recipe->stages[recipe->n_stages - 1];
	if (recipe->n_stages > 1 || last->name[0] || is_begun(last)) {
		if (recipe->n_stages == RECIPE_MAX_STAGES) {
			return error_set(err, -EINVAL, "more than %d stages", RECIPE_MAX_STAGES);
		}
		last = &recipe->stages[recipe->n_stages++];
		stage_init(last);
	}
	memcpy(last->name, name, strlen(name) + 1);
	last->line = reading->line;
	return 0;
}

static bool section_is_known(const char *name)
{
	size_t n = 0;
	const struct recipe_key *keys = recipe_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, name) == 0 && strcmp(name, "stage") != 0) {
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
		reading->recipe->stages[reading->recipe->n_stages - 1].decision.given = true;
	}
	return 0;
}

static int key_set(struct reading *reading, size_t row, unsigned int line, const char *value,
	struct error *err)
{
	size_t n = 0;
	const struct recipe_key *key = &recipe_keys(&n)[row];
	struct recipe_stage *stage = &reading->recipe->stages[reading->recipe->n_stages - 1];
	bool common = recipe_key_is_common(key);
	unsigned int *seen = common ? &reading->recipe->lines[row] : &stage->lines[row];
	if (*seen) {
		return error_set(err, -EINVAL, "%s was given in line %u already", key->key, *seen);
	}
	*seen = line;
	return recipe_set(common ? (void *)reading->recipe : (void *)stage, key, value, err);
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct reading *reading = context;
	char shown[64];
	size_t n = 0;
	const struct recipe_key *keys = recipe_keys(&n);
	if (reading->foreign || strncmp(key, "X-", 2) == 0) {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, reading->section) == 0 &&
			strcmp(keys[i].key, key) == 0) {
			return key_set(reading, i, line, value, err);
		}
	}
	error_escape(shown, sizeof(shown), key, strlen(key));
	return reading->section[0]
		? error_set(err, -EINVAL, "there is no key %s in [%s]", shown, reading->section)
		: error_set(err, -EINVAL, "%s stands before the first [section]", shown);
}

/* "/etc/edged/pipelines.d/door.conf" is "door". */
static int name_read(struct recipe *recipe, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	if (length > 5 && strcmp(base + length - 5, ".conf") == 0) {
		length -= 5;
	}
	if (length < sizeof(recipe->name)) {
		memcpy(recipe->name, base, length);
	}
	return name_check(recipe->name, "pipeline", err);
}

int recipe_read(FILE *file, const char *name, struct recipe **ret_recipe, struct error *err)
{
	owned_mem struct recipe *recipe = calloc(1, sizeof(*recipe));
	if (!recipe) {
		return error_no_memory(err);
	}
	common_init(recipe);
	int code = name_read(recipe, name, err);
	if (code < 0) {
		error_prefix(err, "%s", name);
		return code;
	}
	struct reading reading = {.recipe = recipe, .name = name};
	const struct ini_reader reader = {
		.section = section_read, .key = key_read, .context = &reading};
	code = ini_read_lines(file, name, &reader, &reading.line, err);
	unsigned int line = 0;
	if (code == 0) {
		code = recipe_check(recipe, &line, err);
		if (code < 0) {
			error_prefix(err, "%s:%u", name, line);
		}
	}
	if (code < 0) {
		return code;
	}
	*ret_recipe = take(recipe);
	return 0;
}

static void section_print(const struct recipe *recipe, const struct recipe_stage *stage,
	const char *section, FILE *out)
{
	char text[ZONES_TEXT_SIZE], shown[ZONES_TEXT_SIZE];
	size_t n = 0;
	const struct recipe_key *keys = recipe_keys(&n);
	bool begun = strcmp(section, "stage") == 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, section) != 0 ||
			!recipe_key_counts(recipe, stage, &keys[i])) {
			continue;
		}
		if (!begun) {
			fprintf(out, "\n[%s]\n", section);
			begun = true;
		}
		const void *base = recipe_key_is_common(&keys[i]) ? (const void *)recipe : stage;
		recipe_get(base, &keys[i], text, sizeof(text));
		fprintf(out, "%s = %s\n", keys[i].key,
			error_clean(shown, sizeof(shown), text, strlen(text)));
	}
}

void recipe_print(const struct recipe *recipe, FILE *out)
{
	fprintf(out, "# %s\n", recipe->name);
	section_print(recipe, NULL, "pipeline", out);
	section_print(recipe, NULL, "source", out);
	for (size_t i = 0; i < recipe->n_stages; i++) {
		const struct recipe_stage *stage = &recipe->stages[i];
		if (i > 0 || strcmp(stage->name, recipe->name) != 0) {
			fprintf(out, "\n[stage %s]\n", stage->name);
		}
		if (i > 0) {
			section_print(recipe, stage, "stage", out);
		}
		section_print(recipe, stage, "model", out);
		section_print(recipe, stage, "pre", out);
		section_print(recipe, stage, "post", out);
		if (stage->decision.given) {
			section_print(recipe, stage, "decision", out);
		}
	}
}
