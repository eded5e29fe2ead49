/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/models_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/text/value.h"

#define SUFFIX ".tflite"
#define BUNDLE_SUFFIX ".tar"
#define BATCH 4096 /* names above @max that are held before the highest are dropped */

static bool name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		(!first && (c == '.' || c == '_' || c == '-'));
}

bool models_folder_name_valid(const char *name, size_t length)
{
	if (length == 0 || length >= LOADED_MODEL_NAME_SIZE) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (!name_byte(name[i], i == 0)) {
			return false;
		}
	}
	return true;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);
	return length > end && strcmp(name + length - end, suffix) == 0;
}

/* Returns false if the entry's name is not that of a model. */
static bool entry_parse(const char *name, struct models_folder_model *ret_model)
{
	size_t length = strlen(name);
	struct models_folder_model model = {
		.file = ends_in(name, SUFFIX), .bundle = ends_in(name, BUNDLE_SUFFIX)};
	model.folder = !model.file && !model.bundle;
	length -= model.file ? strlen(SUFFIX) : model.bundle ? strlen(BUNDLE_SUFFIX) : 0;
	if (!models_folder_name_valid(name, length)) {
		return false;
	}
	memcpy(model.name, name, length);
	*ret_model = model;
	return true;
}

/* Accepts links too: opening the link checks its target. */
static bool is_folder(int folder, const char *name, unsigned char type)
{
	struct stat st;
	if (type != DT_UNKNOWN) {
		return type == DT_DIR || type == DT_LNK;
	}
	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
}

/* Returns true for companion files of NAME.tflite. */
static bool is_beside(const char *name)
{
	return ends_in(name, ".labels.txt") || ends_in(name, ".golden") || ends_in(name, ".conf") ||
		ends_in(name, ".minisig");
}

struct found {
	int folder;
	struct models_folder_model *models;
	size_t n;
	struct models_folder_left_out left_out;
	size_t max; /* maximum of names; the lowest are kept */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct models_folder_model *)a)->name,
		((const struct models_folder_model *)b)->name);
}

/* Sorts, and merges a file and a folder with one name. */
static void found_merge(struct found *found)
{
	size_t n = 0;
	if (found->n > 0) {
		qsort(found->models, found->n, sizeof(found->models[0]), by_name);
	}
	for (size_t i = 0; i < found->n; i++) {
		struct models_folder_model *last = n > 0 ? &found->models[n - 1] : NULL;
		if (last && strcmp(last->name, found->models[i].name) == 0) {
			last->file |= found->models[i].file;
			last->bundle |= found->models[i].bundle;
			last->folder |= found->models[i].folder;
		} else {
			found->models[n++] = found->models[i];
		}
	}
	found->n = n;
}

static void found_cut(struct found *found)
{
	found_merge(found);
	if (found->n > found->max) {
		found->left_out.n += found->n - found->max;
		found->n = found->max;
	}
}

static int found_add(struct found *found, const struct models_folder_model *model)
{
	if (found->n == found->max + BATCH) {
		found_cut(found);
	}
	struct models_folder_model *added = array_add(&found->models, &found->n, sizeof(*added));
	if (added) {
		*added = *model;
	}
	return added ? 0 : -ENOMEM;
}

static void leave_out(struct models_folder_left_out *left_out, const char *name)
{
	left_out->n++;
	if (left_out->name[0] == 0 || strcmp(name, left_out->name) < 0) {
		snprintf(left_out->name, sizeof(left_out->name), "%s", name);
	}
}

static int entry_read(void *context, const char *name, unsigned char type)
{
	struct found *found = context;
	struct models_folder_model model;
	if (name[0] == '.' || is_beside(name)) {
		return 0;
	}
	if (!entry_parse(name, &model) || (model.folder && !is_folder(found->folder, name, type))) {
		leave_out(&found->left_out, name);
		return 0;
	}
	return found_add(found, &model);
}

int models_folder_list(int folder, size_t max, struct models_folder_model **ret_models,
	size_t *ret_n, struct models_folder_left_out *ret_left_out)
{
	struct found found = {.folder = folder, .max = max};
	int code = file_each_entry(folder, entry_read, &found);
	if (code < 0) {
		free(found.models);
		return code;
	}
	found_cut(&found);
	*ret_models = found.models;
	*ret_left_out = found.left_out;
	*ret_n = found.n;
	return 0;
}

bool models_folder_find(int folder, const char *name, struct models_folder_model *ret_model)
{
	struct stat st;
	char file[LOADED_MODEL_NAME_SIZE + sizeof(SUFFIX)];
	struct models_folder_model model = {0};
	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	model.file = fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	snprintf(file, sizeof(file), "%s" BUNDLE_SUFFIX, name);
	model.bundle = fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	model.folder = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode));
	snprintf(model.name, sizeof(model.name), "%s", name);
	*ret_model = model;
	return model.file || model.bundle || model.folder;
}

/* Decimal without leading zeros, 1 to INT64_MAX: 0 is NAME.tflite, and files without a number need
 * higher numbers. */
static bool version_parse(const char *name, uint64_t *ret_version)
{
	return name[0] >= '1' && name[0] <= '9' &&
		value_parse_count(name, VALUE_PLAIN, ret_version) && *ret_version <= INT64_MAX;
}

struct numbers {
	int folder;
	uint64_t *versions;
	size_t n;
};

static int highest_first(const void *a, const void *b)
{
	const uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
	return (first < second) - (first > second);
}

static int number_read(void *context, const char *name, unsigned char type)
{
	struct numbers *numbers = context;
	uint64_t version = 0;
	if (!version_parse(name, &version) || !is_folder(numbers->folder, name, type)) {
		return 0;
	}
	uint64_t *added = array_add(&numbers->versions, &numbers->n, sizeof(*added));
	if (added) {
		*added = version;
	}
	return added ? 0 : -ENOMEM;
}

int models_folder_versions(int folder, uint64_t **ret_versions, size_t *ret_n)
{
	struct numbers numbers = {.folder = folder};
	int code = file_each_entry(folder, number_read, &numbers);
	if (code < 0) {
		free(numbers.versions);
		return code;
	}
	if (numbers.n > 0) {
		qsort(numbers.versions, numbers.n, sizeof(numbers.versions[0]), highest_first);
	}
	*ret_versions = numbers.versions;
	*ret_n = numbers.n;
	return 0;
}
