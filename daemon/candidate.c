/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/candidate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ini.h"
#include "daemon/blobs.h"

#define MAX_LABELS ((off_t)1 << 20)
#define MAX_GOLDEN ((off_t)64 << 20)
#define MAX_CONF ((off_t)64 << 10)

/* ---- where */

struct candidate_place candidate_flat(int folder, const char *name)
{
	struct candidate_place place = {.folder = folder};
	snprintf(place.model, sizeof(place.model), "%s.tflite", name);
	snprintf(place.labels, sizeof(place.labels), "%s.labels.txt", name);
	snprintf(place.golden, sizeof(place.golden), "%s.golden", name);
	snprintf(place.conf, sizeof(place.conf), "%s.conf", name);
	return place;
}

struct candidate_place candidate_nested(int folder, uint64_t number)
{
	return (struct candidate_place){.folder = folder,
		.number = number,
		.model = "model.tflite",
		.labels = "labels.txt",
		.golden = "golden",
		.conf = "model.conf"};
}

/* ---- which bytes */

static void identify(int folder, const char *name, struct import_identity *ret_identity)
{
	owned_fd int fd = -1;
	*ret_identity = (struct import_identity){0};
	int code = import_open_file(folder, name, &fd, ret_identity);
	(void)code; /* zero: not there, or nothing that can be used */
}

void candidate_identify(const struct candidate_place *place, struct candidate_identity *ret)
{
	identify(place->folder, place->model, &ret->model);
	identify(place->folder, place->labels, &ret->labels);
	identify(place->folder, place->golden, &ret->golden);
	identify(place->folder, place->conf, &ret->conf);
}

bool candidate_same(const struct candidate_identity *a, const struct candidate_identity *b)
{
	return import_same(&a->model, &b->model) && import_same(&a->labels, &b->labels) &&
		import_same(&a->golden, &b->golden) && import_same(&a->conf, &b->conf);
}

/* Verdicts about the file stay; what the system did not have may be there next time. */
static bool is_verdict(int code)
{
	static const int verdicts[] = {0, -EBADMSG, -EOPNOTSUPP, -EFBIG, -EINVAL, -ERANGE, -ELOOP,
		-EXDEV, -ENOENT, -ETIMEDOUT};
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (code == verdicts[i]) {
			return true;
		}
	}
	return false;
}

bool candidate_settled(int code, const struct candidate_identity *identity)
{
	return is_verdict(code) && import_settled(&identity->model) &&
		import_settled(&identity->labels) && import_settled(&identity->golden) &&
		import_settled(&identity->conf);
}

/* ---- what stands beside the model */

static const char *why(int code)
{
	return code == -EINVAL   ? "not a regular file"
		: code == -EXDEV ? "a link that leads out of the folder"
				 : strerror(-code);
}

/* *ret_fd stays -1 when there is none. */
static int beside_open(int folder, const char *name, off_t max, int *ret_fd,
	struct import_identity *ret_identity, struct error *err)
{
	owned_fd int fd = -1;
	int code = import_open_file(folder, name, &fd, ret_identity);
	if (code == -ENOENT) {
		return 0;
	}
	if (code == 0 && ret_identity->size > max) {
		code = -EFBIG;
	}
	if (code < 0) {
		return error_set(err, code, "%s: %s", name, why(code));
	}
	*ret_fd = take_fd(fd);
	return 0;
}

static int labels_take(struct candidate *candidate, const struct load_context *context,
	const struct candidate_place *place, struct error *err)
{
	owned_fd int fd = -1;
	struct import_identity *identity = &candidate->identity.labels;
	int code = beside_open(place->folder, place->labels, MAX_LABELS, &fd, identity, err);
	if (code < 0 || fd < 0) {
		return code;
	}
	code = load_bytes(fd, identity->size, &candidate->labels);
	if (code == 0) {
		candidate->labels_length = (uint32_t)identity->size;
		code = blobs_put(context->depot->blobs, candidate->labels, candidate->labels_length,
			&candidate->version.labels);
	}
	return code == 0 ? 0 : error_set(err, code, "the labels: %s", strerror(-code));
}

static int conf_section(void *context, const char *name, struct error *err)
{
	(void)context;
	return strcmp(name, "model") == 0 ? 0
					  : error_set(err, -EINVAL, "the only section is [model]");
}

static int conf_key(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct candidate *candidate = context;
	(void)line;
	if (strcmp(key, "allow-signature-change") != 0) {
		char shown[64];
		return error_set(err, -EINVAL, "there is no key %s",
			error_escape(shown, sizeof(shown), key, strlen(key)));
	}
	return ini_truth(value, &candidate->allow_signature_change) == 0
		? 0
		: error_set(err, -EINVAL, "%s is yes or no", key);
}

static int conf_read(
	struct candidate *candidate, const char *name, char *text, size_t size, struct error *err)
{
	const struct ini_reader reader = {
		.section = conf_section, .key = conf_key, .context = candidate};
	FILE *file = size > 0 ? fmemopen(text, size, "r") : NULL;
	if (!file) {
		return size > 0 ? error_no_memory(err) : 0;
	}
	int code = ini_read(file, name, &reader, err);
	fclose(file);
	return code;
}

static int conf_take(
	struct candidate *candidate, const struct candidate_place *place, struct error *err)
{
	owned_fd int fd = -1;
	owned_mem char *text = NULL;
	struct import_identity *identity = &candidate->identity.conf;
	int code = beside_open(place->folder, place->conf, MAX_CONF, &fd, identity, err);
	if (code < 0 || fd < 0) {
		return code;
	}
	code = load_bytes(fd, identity->size, &text);
	return code < 0 ? error_set(err, code, "%s: %s", place->conf, strerror(-code))
			: conf_read(candidate, place->conf, text, (size_t)identity->size, err);
}

/* ---- the model */

static bool may_be_known(const struct manifest *known, off_t size)
{
	for (size_t i = 0; i < known->n; i++) {
		if (known->versions[i].bytes == (uint64_t)size) {
			return true;
		}
	}
	return false;
}

/* The blob of a file that was imported before, if it is that. Whatever goes wrong: it is imported. */
static bool blob_known(struct candidate *candidate, const struct depot *depot, int fd,
	const struct manifest *known)
{
	struct digest digest;
	off_t size = candidate->identity.model.size;
	if (depot->blobs < 0 || !may_be_known(known, size) ||
		digest_of_file(fd, size, &digest) < 0 || !manifest_find(known, &digest) ||
		blobs_open(depot->blobs, &digest, &candidate->blob) < 0) {
		return false;
	}
	candidate->version.model = digest;
	return true;
}

static int model_take(struct candidate *candidate, const struct load_context *context,
	const struct candidate_place *place, const struct manifest *known, struct error *err)
{
	owned_fd int fd = -1;
	struct import_identity *identity = &candidate->identity.model;
	const struct depot *depot = context->depot;
	int code = import_open_file(place->folder, place->model, &fd, identity);
	if (code < 0) {
		return error_set(err, code, "%s", why(code));
	}
	candidate->version.version = place->number;
	candidate->version.bytes = (uint64_t)identity->size;
	candidate->version.by = identity->owner;
	candidate->version.since = (uint64_t)time(NULL);
	if (blob_known(candidate, depot, fd, known)) {
		return 0;
	}
	return blobs_import(depot->blobs, fd, identity, context->config->max_file_bytes,
		&candidate->version.model, &candidate->blob, err);
}

int candidate_take(struct candidate *candidate, const struct load_context *context,
	const struct candidate_place *place, const struct manifest *known, struct error *err)
{
	*candidate = (struct candidate){.blob = -1,
		.golden = -1,
		.allow_signature_change = context->config->allow_signature_change};
	int code = model_take(candidate, context, place, known, err);
	if (code == 0) {
		code = labels_take(candidate, context, place, err);
	}
	if (code == 0) {
		code = conf_take(candidate, place, err);
	}
	if (code == 0) {
		code = beside_open(place->folder, place->golden, MAX_GOLDEN, &candidate->golden,
			&candidate->identity.golden, err);
	}
	return code;
}

void candidate_deinit(struct candidate *candidate)
{
	own_close_fd(&candidate->blob);
	own_close_fd(&candidate->golden);
	free(candidate->labels);
	*candidate = (struct candidate){.blob = -1, .golden = -1};
}
