/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/candidate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/few_shot.h"
#include "base/text/ini.h"
#include "daemon/check/selftest.h"
#include "daemon/edged/store/blobs.h"
#include "daemon/edged/store/few_shot_store.h"

#define MAX_TRIES 3

/* ---- sources */

struct candidate_source candidate_flat(int folder, const char *name)
{
	static const char *const ends[BUNDLE_PARTS] = {
		[BUNDLE_MODEL] = ".tflite",
		[BUNDLE_LABELS] = ".labels.txt",
		[BUNDLE_GOLDEN] = ".golden",
		[BUNDLE_CONF] = ".conf",
		[BUNDLE_MINISIG] = ".tflite.minisig",
	};
	struct candidate_source source = {.folder = folder};
	for (int i = 0; i < BUNDLE_PARTS; i++) {
		if (ends[i]) {
			snprintf(source.names[i], sizeof(source.names[i]), "%s%s", name, ends[i]);
		}
	}
	return source;
}

struct candidate_source candidate_nested(int folder, uint64_t number)
{
	struct candidate_source source = {.folder = folder, .number = number};
	for (int i = 0; i <= BUNDLE_MINISIG; i++) {
		snprintf(source.names[i], sizeof(source.names[i]), "%s",
			bundle_part_name((enum bundle_part)i));
	}
	return source;
}

struct candidate_source candidate_bundle(int folder, const char *name)
{
	struct candidate_source source = {.folder = folder, .bundle = true};
	snprintf(source.names[BUNDLE_MODEL], sizeof(source.names[0]), "%s.tar", name);
	return source;
}

struct candidate_source candidate_given(int file, uint64_t by)
{
	return (struct candidate_source){
		.folder = -1, .bundle = bundle_is(file), .given = true, .file = file, .by = by};
}

/* ---- identity */

static void identify(int folder, const char *name, struct import_identity *ret_identity)
{
	owned_fd int fd = -1;
	*ret_identity = (struct import_identity){0};
	int code = name[0] ? import_open_file(folder, name, &fd, ret_identity) : -ENOENT;
	(void)code; /* zero: missing or unusable */
}

void candidate_identify(const struct candidate_source *source, struct candidate_identity *ret)
{
	for (int i = 0; i < BUNDLE_PARTS; i++) {
		identify(source->folder, source->names[i], &ret->parts[i]);
	}
}

bool candidate_same(const struct candidate_identity *a, const struct candidate_identity *b)
{
	bool same = true;
	for (int i = 0; i < BUNDLE_PARTS; i++) {
		same = same && import_same(&a->parts[i], &b->parts[i]);
	}
	return same;
}

/* A verdict about the file is final; a lack of resources is not. */
static bool is_verdict(int code)
{
	static const int verdicts[] = {0, -EBADMSG, -EOPNOTSUPP, -EFBIG, -EINVAL, -ERANGE, -ELOOP,
		-EXDEV, -ENOENT, -ETIMEDOUT, SELFTEST_WRONG, SELFTEST_NAN};
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (code == verdicts[i]) {
			return true;
		}
	}
	return false;
}

bool candidate_settled(int code, const struct candidate_identity *identity)
{
	bool settled = is_verdict(code);
	for (int i = 0; i < BUNDLE_PARTS; i++) {
		settled = settled && import_settled(&identity->parts[i]);
	}
	return settled;
}

/* ---- parts: files of their own, or ranges of a bundle */

static const off_t max_bytes[BUNDLE_PARTS] = {
	[BUNDLE_MODEL] = INT64_MAX, /* limited by max-file-bytes */
	[BUNDLE_LABELS] = (off_t)1 << 20,
	[BUNDLE_GOLDEN] = (off_t)64 << 20,
	[BUNDLE_CONF] = (off_t)64 << 10,
	[BUNDLE_MINISIG] = MINISIGN_MAX_BYTES,
	[BUNDLE_EXAMPLES] = (off_t)FEW_SHOT_STORE_MAX_BYTES,
};

struct taking {
	struct candidate *candidate;
	const struct load_context *context;
	const struct candidate_source *source;
	const struct manifest *known;
	int file; /* bundle or open file; -1: each part is a file of its own */
	struct bundle bundle; /* ranges of the parts in @file */
};

struct part {
	int fd; /* -1: no such part */
	off_t at, size;
	const struct import_identity *identity; /* identity of the file with the part */
};

static void part_close(struct part *part)
{
	own_close_fd(&part->fd);
}
#define owned_part __attribute__((cleanup(part_close)))

const char *candidate_why(int code)
{
	return code == -EINVAL   ? "not a regular file"
		: code == -EXDEV ? "an absolute link, or one that leads out of the folder"
				 : strerror(-code);
}

/* Returns the user's name for the part. */
static const char *part_name(const struct taking *taking, enum bundle_part part)
{
	return taking->file < 0 ? taking->source->names[part] : bundle_part_name(part);
}

static int of_file(const struct taking *taking, enum bundle_part which, struct part *ret_part)
{
	const off_t at = taking->bundle.parts[which].at;
	const bool plain = which == BUNDLE_MODEL && !taking->source->bundle;
	if (at == 0 && !plain) {
		return 0;
	}
	ret_part->fd = fcntl(taking->file, F_DUPFD_CLOEXEC, 0);
	ret_part->at = at;
	ret_part->size = plain ? ret_part->identity->size : taking->bundle.parts[which].size;
	return ret_part->fd < 0 ? -errno : 0;
}

static int of_folder(const struct taking *taking, enum bundle_part which, struct part *ret_part)
{
	struct import_identity *identity = &taking->candidate->identity.parts[which];
	int code = import_open_file(
		taking->source->folder, taking->source->names[which], &ret_part->fd, identity);
	ret_part->identity = identity;
	ret_part->size = identity->size;
	return code == -ENOENT && which != BUNDLE_MODEL ? 0 : code;
}

/* Opens a part; ret_part->fd stays -1 if it is missing. */
static int part_open(const struct taking *taking, enum bundle_part which, struct part *ret_part,
	struct error *err)
{
	*ret_part = (struct part){
		.fd = -1, .identity = &taking->candidate->identity.parts[BUNDLE_MODEL]};
	int code = taking->file < 0 ? of_folder(taking, which, ret_part)
				    : of_file(taking, which, ret_part);
	if (code == 0 && ret_part->fd >= 0 && ret_part->size > max_bytes[which]) {
		code = -EFBIG;
	}
	if (code == 0) {
		return 0;
	}
	return which == BUNDLE_MODEL
		? error_set(err, code, "%s", candidate_why(code))
		: error_set(err, code, "%s: %s", part_name(taking, which), candidate_why(code));
}

/* Reads a small part; NULL if it is missing. */
static int part_read(const struct taking *taking, enum bundle_part which, char **ret_bytes,
	size_t *ret_size, struct error *err)
{
	owned_part struct part part = {.fd = -1};
	int code = part_open(taking, which, &part, err);
	if (code < 0 || part.fd < 0) {
		return code;
	}
	code = import_read(part.fd, part.at, part.size, ret_bytes);
	if (code < 0) {
		return error_set(err, code, "%s: %s", part_name(taking, which), strerror(-code));
	}
	*ret_size = (size_t)part.size;
	return 0;
}

/* ---- companion files */

static int labels_take(const struct taking *taking, struct error *err)
{
	struct candidate *candidate = taking->candidate;
	size_t size = 0;
	int code = part_read(taking, BUNDLE_LABELS, &candidate->labels, &size, err);
	if (code < 0 || !candidate->labels) {
		return code;
	}
	candidate->labels_length = (uint32_t)size;
	code = blobs_put(
		taking->context->store->blobs, candidate->labels, size, &candidate->version.labels);
	return code == 0 ? 0 : error_set(err, code, "the labels: %s", strerror(-code));
}

static int golden_take(const struct taking *taking, struct error *err)
{
	owned_part struct part part = {.fd = -1};
	struct candidate *candidate = taking->candidate;
	int code = part_open(taking, BUNDLE_GOLDEN, &part, err);
	if (code < 0 || part.fd < 0) {
		return code;
	}
	/* cp creates an empty file first. An empty self-test would pass every model. */
	if (part.size == 0) {
		return error_set(err, -EBADMSG, "the self-test: %s: it has no question",
			part_name(taking, BUNDLE_GOLDEN));
	}
	candidate->golden_bytes = part.size;
	code = blobs_import(taking->context->store->blobs, part.fd, part.identity, part.at,
		part.size, (uint64_t)max_bytes[BUNDLE_GOLDEN], &candidate->version.golden,
		&candidate->golden, err);
	if (code < 0) {
		error_prefix(err, "the self-test");
	}
	return code;
}

/* Reads the signature if the policy needs one. If signatures are optional, an unusable one counts
 * as missing. */
static int minisig_take(const struct taking *taking, struct error *err)
{
	struct candidate *candidate = taking->candidate;
	enum config_policy policy = config_policy_of(taking->context->config, taking->known->name);
	int code = policy == CONFIG_POLICY_OFF
		? 0
		: part_read(taking, BUNDLE_MINISIG, &candidate->minisig, &candidate->minisig_bytes,
			  err);
	return policy == CONFIG_POLICY_WARN ? 0 : code;
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
		char escaped[64];
		return error_set(err, -EINVAL, "there is no key %s",
			error_escape(escaped, sizeof(escaped), key, strlen(key)));
	}
	return ini_parse_bool(value, &candidate->allow_signature_change) == 0
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

static int conf_take(const struct taking *taking, struct error *err)
{
	owned_mem char *text = NULL;
	size_t size = 0;
	struct candidate *candidate = taking->candidate;
	int code = part_read(taking, BUNDLE_CONF, &text, &size, err);
	if (code < 0 || !text) {
		return code;
	}
	code = conf_read(candidate, part_name(taking, BUNDLE_CONF), text, size, err);
	if (code < 0) {
		return code;
	}
	code = blobs_put(taking->context->store->blobs, text, size, &candidate->version.conf);
	return code == 0 ? 0 : error_set(err, code, "the settings: %s", strerror(-code));
}

/* Examples have no signature, so only store command INSTALL accepts them, not the models folder. */
static int examples_take(const struct taking *taking, struct error *err)
{
	owned_mem char *text = NULL, *kept = NULL;
	size_t size = 0, kept_size = 0, n = 0;
	struct candidate *candidate = taking->candidate;
	int code =
		taking->source->given ? part_read(taking, BUNDLE_EXAMPLES, &text, &size, err) : 0;
	if (code < 0 || !text || size == 0) {
		return code;
	}
	code = few_shot_store_check(text, size, &n, err);
	if (code < 0) {
		error_prefix(err, "%s", bundle_part_name(BUNDLE_EXAMPLES));
	}
	if (code < 0 || n == 0) {
		return code;
	}
	/* Ends the last line, so that more lines can be appended. */
	if (few_shot_join(text, size, "", 0, &kept, &kept_size) < 0) {
		return error_no_memory(err);
	}
	if (kept_size > FEW_SHOT_STORE_MAX_BYTES) {
		return error_set(err, -EFBIG, "%s: more than %zu bytes",
			bundle_part_name(BUNDLE_EXAMPLES), FEW_SHOT_STORE_MAX_BYTES);
	}
	code = blobs_put(
		taking->context->store->blobs, kept, kept_size, &candidate->version.examples);
	return code == 0 ? 0 : error_set(err, code, "the examples: %s", strerror(-code));
}

/* ---- model */

static bool may_be_known(const struct manifest *known, off_t size)
{
	for (size_t i = 0; i < known->n; i++) {
		if (known->versions[i].bytes == (uint64_t)size) {
			return true;
		}
	}
	return false;
}

/* Returns the existing blob of an unchanged file. After any error the file is imported again. */
static bool blob_known(const struct taking *taking, const struct part *part)
{
	struct digest digest;
	struct candidate *candidate = taking->candidate;
	const int blobs = taking->context->store->blobs_ro;
	if (blobs < 0 || part->at != 0 || !may_be_known(taking->known, part->size) ||
		digest_of_file(part->fd, part->size, &digest) < 0 ||
		!manifest_find(taking->known, &digest) ||
		blobs_open(blobs, &digest, &candidate->blob) < 0) {
		return false;
	}
	candidate->version.model = digest;
	return true;
}

static int model_take(const struct taking *taking, struct error *err)
{
	owned_part struct part part = {.fd = -1};
	struct candidate *candidate = taking->candidate;
	const struct candidate_source *source = taking->source;
	const struct load_context *context = taking->context;
	int code = part_open(taking, BUNDLE_MODEL, &part, err);
	if (code < 0) {
		return code;
	}
	candidate->version.version = source->number;
	candidate->version.bytes = (uint64_t)part.size;
	candidate->version.by = source->given ? source->by : part.identity->owner;
	candidate->version.since = (uint64_t)time(NULL);
	candidate->version.installed = source->given;
	if (blob_known(taking, &part)) {
		return 0;
	}
	return blobs_import(context->store->blobs, part.fd, part.identity, part.at, part.size,
		context->config->max_file_bytes, &candidate->version.model, &candidate->blob, err);
}

/* ---- the file with the parts */

static int file_open(struct taking *taking, struct error *err)
{
	const struct candidate_source *source = taking->source;
	struct import_identity *identity = &taking->candidate->identity.parts[BUNDLE_MODEL];
	if (!source->given && !source->bundle) {
		return 0;
	}
	int code = 0;
	if (source->given) {
		taking->file = fcntl(source->file, F_DUPFD_CLOEXEC, 0);
		code = taking->file < 0 ? -errno : import_identify(taking->file, identity);
	} else {
		code = import_open_file(
			source->folder, source->names[BUNDLE_MODEL], &taking->file, identity);
	}
	if (code < 0) {
		return error_set(err, code, "%s", candidate_why(code));
	}
	return source->bundle ? bundle_read(taking->file, identity->size, &taking->bundle, err) : 0;
}

/* All parts must come from one state of the files. */
static int check_unchanged(const struct taking *taking, struct error *err)
{
	struct import_identity now;
	const struct import_identity *before = &taking->candidate->identity.parts[BUNDLE_MODEL];
	int code = taking->file < 0 ? 0 : import_identify(taking->file, &now);
	if (code == 0 && taking->file >= 0 && !import_same(before, &now)) {
		code = -EBUSY;
	}
	return code == 0 ? 0 : error_set(err, code, "the file was changed while it was read");
}

static int parts_take(struct taking *taking, struct error *err)
{
	int (*const takes[])(const struct taking *taking, struct error *err) = {model_take,
		labels_take, conf_take, golden_take, minisig_take, examples_take, check_unchanged};
	int code = file_open(taking, err);
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]) && code == 0; i++) {
		code = takes[i](taking, err);
	}
	return code;
}

static int take_once(struct candidate *candidate, const struct load_context *context,
	const struct candidate_source *source, const struct manifest *known, struct error *err)
{
	struct taking taking = {.candidate = candidate,
		.context = context,
		.source = source,
		.known = known,
		.file = -1};
	*candidate = (struct candidate){.blob = -1,
		.golden = -1,
		.allow_signature_change = context->config->allow_signature_change};
	int code = parts_take(&taking, err);
	own_close_fd(&taking.file);
	return code;
}

/* Retries, because a file replaced during the import usually exists again, and the next scan may be
 * two seconds away. */
int candidate_take(struct candidate *candidate, const struct load_context *context,
	const struct candidate_source *source, const struct manifest *known, struct error *err)
{
	int code = take_once(candidate, context, source, known, err);
	for (int tries = 1; code == -EBUSY && tries < MAX_TRIES; tries++) {
		candidate_deinit(candidate);
		code = take_once(candidate, context, source, known, err);
	}
	return code;
}

void candidate_deinit(struct candidate *candidate)
{
	own_close_fd(&candidate->blob);
	own_close_fd(&candidate->golden);
	free(candidate->labels);
	free(candidate->minisig);
	*candidate = (struct candidate){.blob = -1, .golden = -1};
}
