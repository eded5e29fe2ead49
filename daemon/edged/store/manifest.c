/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text/ini.h"
#include "base/text/value.h"
#include "daemon/system/atomic_write.h"

#define CHECKSUM "sealed = "

const struct manifest_version *manifest_find(
	const struct manifest *manifest, const struct digest *model)
{
	for (size_t i = 0; i < manifest->n; i++) {
		if (digest_equal(&manifest->versions[i].model, model)) {
			return &manifest->versions[i];
		}
	}
	return NULL;
}

static bool has_role(const struct manifest *manifest, const struct digest *model)
{
	return digest_equal(model, &manifest->active) ||
		digest_equal(model, &manifest->last_good) ||
		digest_equal(model, &manifest->previous);
}

static void forget(struct manifest *manifest, size_t at)
{
	manifest->n--;
	memmove(manifest->versions + at, manifest->versions + at + 1,
		(manifest->n - at) * sizeof(manifest->versions[0]));
}

/* At most three versions have a role, so there is always one to forget. */
static void make_room(struct manifest *manifest)
{
	size_t at = 0;
	while (has_role(manifest, &manifest->versions[at].model)) {
		at++;
	}
	forget(manifest, at);
}

const struct manifest_version *manifest_add(
	struct manifest *manifest, const struct manifest_version *version)
{
	struct manifest_version added = *version;
	const struct manifest_version *known = manifest_find(manifest, &version->model);
	if (known) {
		if (added.version == 0) {
			added.version = known->version;
		}
		if (digest_is_zero(&added.examples)) {
			added.examples = known->examples;
		}
		forget(manifest, (size_t)(known - manifest->versions));
	} else if (manifest->n == MANIFEST_MAX_VERSIONS) {
		make_room(manifest);
	}
	if (added.version == 0) {
		added.version = manifest->newest + 1;
	}
	if (added.version > manifest->newest) {
		manifest->newest = added.version;
	}
	manifest->versions[manifest->n] = added;
	return &manifest->versions[manifest->n++];
}

void manifest_trim(struct manifest *manifest)
{
	for (size_t i = manifest->n; i > 0; i--) {
		if (!has_role(manifest, &manifest->versions[i - 1].model)) {
			forget(manifest, i - 1);
		}
	}
}

void manifest_lose(struct manifest *manifest, size_t at)
{
	const struct digest lost = manifest->versions[at].model;
	forget(manifest, at);
	if (digest_equal(&manifest->previous, &lost)) {
		manifest->previous = (struct digest){0};
	}
	if (digest_equal(&manifest->last_good, &lost)) {
		manifest->last_good = manifest->previous;
		manifest->previous = (struct digest){0};
	}
	if (digest_equal(&manifest->active, &lost)) {
		manifest->active = manifest->last_good;
		manifest->trial = false;
	}
}

bool manifest_wants(const struct manifest *manifest, const struct digest *digest)
{
	for (size_t i = 0; i < manifest->n; i++) {
		if (digest_equal(digest, &manifest->versions[i].model) ||
			digest_equal(digest, &manifest->versions[i].labels) ||
			digest_equal(digest, &manifest->versions[i].golden) ||
			digest_equal(digest, &manifest->versions[i].conf) ||
			digest_equal(digest, &manifest->versions[i].minisig) ||
			digest_equal(digest, &manifest->versions[i].examples)) {
			return true;
		}
	}
	return false;
}

void manifest_pass_trial(struct manifest *manifest)
{
	if (!digest_equal(&manifest->last_good, &manifest->active)) {
		manifest->previous = manifest->last_good;
		manifest->last_good = manifest->active;
	}
	manifest->trial = false;
	manifest_trim(manifest);
}

void manifest_prepare_replacement(struct manifest *manifest, const struct digest *trial_passed)
{
	if (digest_is_zero(&manifest->last_good) && !digest_is_zero(&manifest->active) &&
		digest_equal(&manifest->active, trial_passed)) {
		manifest->last_good = manifest->active;
	}
}

const struct manifest_version *manifest_fallback(const struct manifest *manifest)
{
	bool active_is_last_good = digest_equal(&manifest->active, &manifest->last_good);
	return manifest_find(
		manifest, active_is_last_good ? &manifest->previous : &manifest->last_good);
}

/* ---- print */

enum kind {
	KIND_DIGEST,
	KIND_NUMBER,
	KIND_BOOL
};

struct row {
	const char *key;
	enum kind kind;
	size_t offset;
};

#define MODEL(member) offsetof(struct manifest, member)
#define VERSION(member) offsetof(struct manifest_version, member)

static const struct row model_rows[] = {
	{"active", KIND_DIGEST, MODEL(active)},
	{"last-good", KIND_DIGEST, MODEL(last_good)},
	{"previous", KIND_DIGEST, MODEL(previous)},
	{"trial", KIND_BOOL, MODEL(trial)},
	{"pinned", KIND_BOOL, MODEL(pinned)},
	{"newest", KIND_NUMBER, MODEL(newest)},
	{"signed-newest", KIND_NUMBER, MODEL(signed_newest)},
	{"signed-file", KIND_DIGEST, MODEL(signed_file)},
	{"passed", KIND_DIGEST, MODEL(replaced_file)}, /* the key has its older name */
	{NULL, KIND_NUMBER, 0},
};

static const struct row version_rows[] = {
	{"sha256", KIND_DIGEST, VERSION(model)},
	{"labels", KIND_DIGEST, VERSION(labels)},
	{"golden", KIND_DIGEST, VERSION(golden)},
	{"conf", KIND_DIGEST, VERSION(conf)},
	{"minisig", KIND_DIGEST, VERSION(minisig)},
	{"examples", KIND_DIGEST, VERSION(examples)},
	{"signature", KIND_DIGEST, VERSION(signature)},
	{"version", KIND_NUMBER, VERSION(version)},
	{"bytes", KIND_NUMBER, VERSION(bytes)},
	{"since", KIND_NUMBER, VERSION(since)},
	{"by", KIND_NUMBER, VERSION(by)},
	{"signed-by", KIND_NUMBER, VERSION(signed_by)},
	{"signed-version", KIND_NUMBER, VERSION(signed_version)},
	{"installed", KIND_BOOL, VERSION(installed)},
	{NULL, KIND_NUMBER, 0},
};

static void row_print(FILE *out, const struct row *row, const void *object)
{
	const char *at = (const char *)object + row->offset;
	char text[DIGEST_TEXT_SIZE];
	switch (row->kind) {
	case KIND_DIGEST:
		fprintf(out, "%s = %s\n", row->key, digest_to_hex((const struct digest *)at, text));
		break;
	case KIND_NUMBER: {
		uint64_t number = 0;
		memcpy(&number, at, sizeof(number));
		fprintf(out, "%s = %" PRIu64 "\n", row->key, number);
		break;
	}
	case KIND_BOOL:
		fprintf(out, "%s = %s\n", row->key, *(const bool *)at ? "yes" : "no");
		break;
	}
}

static void rows_print(FILE *out, const struct row *rows, const void *object)
{
	for (; rows->key; rows++) {
		row_print(out, rows, object);
	}
}

static void body_print(FILE *out, const struct manifest *manifest)
{
	fputs("# Written by edged; see edged-models(7).\n[model]\n", out);
	rows_print(out, model_rows, manifest);
	for (size_t i = 0; i < manifest->n; i++) {
		fputs("\n[version]\n", out);
		rows_print(out, version_rows, &manifest->versions[i]);
	}
	fputs("\n[end]\n", out);
}

int manifest_print(const struct manifest *manifest, char **ret_text, size_t *ret_size)
{
	owned_mem char *text = calloc(1, MANIFEST_MAX_BYTES);
	FILE *out = text ? fmemopen(text, MANIFEST_MAX_BYTES, "w") : NULL;
	char checksum[DIGEST_TEXT_SIZE];
	if (!out) {
		return -ENOMEM;
	}
	body_print(out, manifest);
	fflush(out);
	struct digest digest = digest_of(text, strlen(text));
	fprintf(out, CHECKSUM "%s\n", digest_to_hex(&digest, checksum));
	fclose(out);
	*ret_size = strlen(text);
	*ret_text = take(text);
	return 0;
}

/* ---- parse */

struct parser {
	struct manifest *manifest;
	const struct row *rows; /* keys of the current section */
	char *object;
};

static int row_parse(const struct row *row, char *object, const char *value)
{
	char *at = object + row->offset;
	switch (row->kind) {
	case KIND_DIGEST:
		return digest_parse(value, (struct digest *)at) ? 0 : -EINVAL;
	case KIND_NUMBER:
		return value_parse_count(value, VALUE_PLAIN, (uint64_t *)(void *)at) ? 0 : -EINVAL;
	case KIND_BOOL:
		break;
	}
	return ini_parse_bool(value, (bool *)at);
}

static int on_section(void *context, const char *name, struct error *err)
{
	static const struct row none[] = {{NULL, KIND_NUMBER, 0}};
	struct parser *parser = context;
	struct manifest *manifest = parser->manifest;
	if (strcmp(name, "model") == 0) {
		parser->rows = model_rows;
		parser->object = (char *)manifest;
		return 0;
	}
	if (strcmp(name, "version") == 0 && manifest->n < MANIFEST_MAX_VERSIONS) {
		parser->rows = version_rows;
		parser->object = (char *)&manifest->versions[manifest->n++];
		return 0;
	}
	parser->rows = none;
	return strcmp(name, "end") == 0 ? 0 : error_set(err, -EINVAL, "an unknown section");
}

static int on_key(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	const struct parser *parser = context;
	(void)line;
	const struct row *row = parser->rows;
	while (row && row->key && strcmp(row->key, key) != 0) {
		row++;
	}
	if (!row || !row->key || row_parse(row, parser->object, value) < 0) {
		return error_set(err, -EINVAL, "an unknown key or value");
	}
	return 0;
}

/* Checks the last line, the checksum. *ret_size: length of the text before it. -EINVAL if it is
 * missing or wrong. */
static int check_checksum(const char *text, size_t size, size_t *ret_size)
{
	char checksum[DIGEST_TEXT_SIZE];
	/* without NUL, with newline */
	const size_t length = strlen(CHECKSUM) + DIGEST_TEXT_SIZE - 1 + 1;
	if (size < length || memcmp(text + size - length, CHECKSUM, strlen(CHECKSUM)) != 0) {
		return -EINVAL;
	}
	struct digest digest = digest_of(text, size - length);
	digest_to_hex(&digest, checksum);
	if (memcmp(text + size - DIGEST_TEXT_SIZE, checksum, DIGEST_TEXT_SIZE - 1) != 0) {
		return -EINVAL;
	}
	*ret_size = size - length;
	return 0;
}

int manifest_parse(const char *name, const char *text, size_t size, struct manifest *ret_manifest,
	struct error *err)
{
	struct manifest manifest = {0};
	struct parser parser = {.manifest = &manifest};
	const struct ini_reader reader = {.section = on_section, .key = on_key, .context = &parser};
	if (check_checksum(text, size, &size) < 0) {
		return error_set(err, -EINVAL, "%s: truncated or changed", name);
	}
	memcpy(manifest.name, name, strlen(name) + 1);
	FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
	if (!file) {
		return error_no_memory(err);
	}
	int code = ini_read(file, name, &reader, err);
	fclose(file);
	if (code == 0) {
		*ret_manifest = manifest;
	}
	return code;
}

/* ---- files */

int manifest_read(int folder, const char *name, struct manifest *ret_manifest, struct error *err)
{
	owned_mem char *text = malloc(MANIFEST_MAX_BYTES);
	if (!text) {
		return error_no_memory(err);
	}
	const ssize_t n = file_read_in(folder, name, text, MANIFEST_MAX_BYTES);
	return n < 0 ? error_set(err, (int)n, "%s", strerror((int)-n))
		     : manifest_parse(name, text, (size_t)n, ret_manifest, err);
}

int manifest_write(int folder, const struct manifest *manifest)
{
	owned_mem char *text = NULL;
	size_t size = 0;
	const int code = manifest_print(manifest, &text, &size);
	return code < 0 ? code : atomic_write_bytes(folder, manifest->name, 0600, text, size);
}
