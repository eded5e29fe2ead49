/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/install.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/background_yield.h"
#include "base/clock.h"
#include "daemon/check/selftest.h"
#include "daemon/edged/install/signature.h"
#include "daemon/edged/store/blobs.h"

#define WARM_UP_NS UINT64_C(1000000000) /* limit for the warm-up run */

/* ---- from the models folder */

#define WRONG_PREFIX "its answers are not those of golden "
#define WRONG_DIGITS 16 /* digits of the self-test's digest */

/* Writes the reason for the list of bad files. It names the self-test: with another one the file is
 * tried again. */
static char *wrong_print(const struct candidate *candidate, char *out, size_t size)
{
	char text[DIGEST_TEXT_SIZE] = "";
	struct digest golden;
	int code = digest_of_file(candidate->golden, candidate->golden_bytes, &golden);
	snprintf(out, size, WRONG_PREFIX "%.*s", WRONG_DIGITS,
		code == 0 ? digest_to_hex(&golden, text) : "");
	return out;
}

static int check_bad(
	const struct store *store, const struct candidate *candidate, struct error *err)
{
	char wrong[80];
	const char *reason = store_find_bad(store, &candidate->version.model);
	if (!reason) {
		return 0;
	}
	const bool was_wrong = strncmp(reason, WRONG_PREFIX, strlen(WRONG_PREFIX)) == 0;
	if (was_wrong && candidate->golden >= 0 &&
		strcmp(reason, wrong_print(candidate, wrong, sizeof(wrong))) != 0) {
		return 0;
	}
	return error_set(err, -EBADMSG, "bad: %s", reason);
}

/* A version in the manifest is not listed as bad, because the self-test may be wrong. */
static void note_wrong(const struct load_context *context, const struct registry_model *model,
	const struct candidate *candidate, int code)
{
	char reason[80];
	struct error err = {0};
	const struct digest *digest = &candidate->version.model;
	if (manifest_find(&model->manifest, digest)) {
		return;
	}
	store_remove_bad(context->store, digest);
	if (code == SELFTEST_NAN) {
		snprintf(reason, sizeof(reason), "it gives NaN, whatever it is asked");
	} else {
		wrong_print(candidate, reason, sizeof(reason));
	}
	if (store_add_bad(context->store, digest, model->manifest.name, reason, &err) < 0) {
		log_warning(context->store->log, "%s", err.text);
	}
}

/* Without a policy that needs signatures, a changed signature is no change. */
static bool same_minisig(const struct load_context *context, const struct candidate *candidate,
	const struct manifest *manifest, const struct manifest_version *known)
{
	const struct digest digest = candidate->minisig
		? digest_of(candidate->minisig, candidate->minisig_bytes)
		: (struct digest){0};
	return config_policy_of(context->config, manifest->name) == CONFIG_POLICY_OFF ||
		digest_equal(&known->minisig, &digest);
}

/* Returns true if the loop serves this file with its number and companion files. A new signature
 * for an unchanged file counts as a change, because its number must be recorded. */
static bool serves_already(const struct job *job, const struct candidate *candidate)
{
	const struct manifest *manifest = &job->model.manifest;
	const struct manifest_version *version = &candidate->version;
	const struct manifest_version *known = manifest_find(manifest, &version->model);
	return known && digest_equal(&job->serving, &version->model) &&
		digest_equal(&manifest->active, &version->model) &&
		digest_equal(&known->labels, &version->labels) &&
		digest_equal(&known->golden, &version->golden) &&
		digest_equal(&known->conf, &version->conf) &&
		(digest_is_zero(&version->examples) ||
			digest_equal(&known->examples, &version->examples)) &&
		same_minisig(job->load, candidate, manifest, known) &&
		(version->version == 0 || version->version == known->version);
}

/* Returns true if an installed version has replaced this file of the models folder. */
static bool is_replaced_file(const struct registry_model *model,
	const struct candidate_source *source, const struct candidate *candidate)
{
	return !source->given && !digest_is_zero(&model->manifest.active) &&
		digest_equal(&model->manifest.replaced_file, &candidate->version.model);
}

static struct trust_file trust_file_of(
	const struct registry_model *model, const struct candidate *candidate)
{
	return (struct trust_file){
		.text = candidate->minisig,
		.size = candidate->minisig_bytes,
		.blob = candidate->blob,
		.bytes = (off_t)candidate->version.bytes,
		.digest = &candidate->version.model,
		.parts = {[MINISIGN_LABELS] = &candidate->version.labels,
			[MINISIGN_GOLDEN] = &candidate->version.golden,
			[MINISIGN_CONF] = &candidate->version.conf},
		.number = candidate->version.version,
		.manifest = &model->manifest,
		.now = (uint64_t)time(NULL),
	};
}

/* Takes the version number from the signature. trust_verify() has checked that it equals the
 * folder's number, if there is one. */
static int trusted(const struct load_context *context, const struct registry_model *model,
	struct candidate *candidate, struct error *err)
{
	const struct trust_file question = trust_file_of(model, candidate);
	struct manifest_version *version = &candidate->version;
	int code = trust_verify(
		context->trust, &question, &version->signed_version, &version->signed_by, err);
	if (code < 0) {
		version->signed_by = 0;
		return code;
	}
	version->version = version->signed_version;
	return 0;
}

static int keep_minisig(
	const struct load_context *context, struct candidate *candidate, struct error *err)
{
	int code = candidate->minisig
		? blobs_put(context->store->blobs, candidate->minisig, candidate->minisig_bytes,
			  &candidate->version.minisig)
		: 0;
	return code == 0 ? 0 : error_set(err, code, "the signature: %s", strerror(-code));
}

/* Verifies the signature as the policy requires. No code parses the file's content before. */
static int check_trust(const struct load_context *context, const struct registry_model *model,
	struct candidate *candidate, struct error *err)
{
	struct error why = {0};
	const char *name = model->manifest.name;
	enum config_policy policy = config_policy_of(context->config, name);
	int code = policy == CONFIG_POLICY_OFF ? 0 : trusted(context, model, candidate, &why);
	if (code < 0 && policy != CONFIG_POLICY_WARN) {
		return error_set(err, code, "%s", why.text);
	}
	if (code < 0) {
		log_warning(
			context->store->log, "model %s: accepted all the same: %s", name, why.text);
		store_history_add(context->store, name, "accepted all the same: %s", why.text);
	}
	return keep_minisig(context, candidate, err);
}

/* Runs the self-test. */
static int check_answers(const struct load_context *context, const struct candidate *candidate,
	const struct loaded_model *loaded, struct error *err)
{
	owned_mem char *golden = NULL;
	const off_t size = candidate->golden_bytes;
	const struct run_control control = {
		.deadline_ns = clock_now_ns() + context->config->self_test_ms * UINT64_C(1000000),
		.cancelled = context->cancelled,
		.between = background_yield_between};
	const uint64_t cpu_ns = clock_thread_cpu_ns();
	uint32_t n = 0;
	if (candidate->golden < 0) {
		return 0;
	}
	int code = import_read(candidate->golden, 0, size, &golden);
	if (code < 0) {
		return error_set(err, code, "the self-test: %s", strerror(-code));
	}
	struct crash_marker *marker =
		crash_markers_take(&context->store->markers, &candidate->version.model);
	crash_marker_begin(marker);
	code = selftest_run(loaded->model, golden, (size_t)size, &control, &n, err);
	crash_marker_end(marker);
	crash_markers_give_back(&context->store->markers, marker);
	return code == -ETIMEDOUT ? check_judge_timeout(clock_thread_cpu_ns() - cpu_ns,
					    context->config->self_test_ms, err)
				  : code;
}

/* Runs once, unless the model can read or write checkpoint files. */
static void warm_up(const struct load_context *context, const struct candidate *candidate,
	struct loaded_model *loaded)
{
	if (edge_model_info(loaded->model)->uses_checkpoints) {
		return;
	}
	const struct run_control control = {.deadline_ns = clock_now_ns() + WARM_UP_NS,
		.cancelled = context->cancelled,
		.between = background_yield_between};
	struct crash_marker *marker =
		crash_markers_take(&context->store->markers, &candidate->version.model);
	crash_marker_begin(marker);
	loaded_model_warm(loaded, &control);
	crash_marker_end(marker);
	crash_markers_give_back(&context->store->markers, marker);
}

static int check_signature(const struct registry_model *model, const struct candidate *candidate,
	const struct digest *signature, struct error *err)
{
	const struct manifest *manifest = &model->manifest;
	const struct manifest_version *before = manifest_find(manifest, &manifest->active);
	if (!before || candidate->allow_signature_change ||
		digest_equal(&before->signature, signature)) {
		return 0;
	}
	return error_set(err, -EBADMSG,
		"its inputs or outputs are not those of version %" PRIu64
		" (allow-signature-change would take it)",
		before->version);
}

/* Builds the manifest for the time after @candidate serves. */
static struct manifest manifest_next(const struct job *job, const struct candidate *candidate)
{
	struct manifest next = job->model.manifest;
	const struct manifest_version *version = &candidate->version;
	manifest_add(&next, version);
	if (!digest_equal(&next.active, &version->model)) {
		manifest_prepare_replacement(&next, &job->trial_passed);
		next.trial = !digest_equal(&next.last_good, &version->model);
	}
	next.active = version->model;
	next.replaced_file = candidate->replaced_file;
	if (version->signed_version > next.signed_newest) {
		next.signed_newest = version->signed_version;
		next.signed_file = version->model;
	}
	manifest_trim(&next);
	return next;
}

static int record(struct job *job, const struct manifest *next, bool sealed, struct error *err)
{
	struct store *store = job->load->store;
	const struct manifest_version *version = manifest_find(next, &next->active);
	char text[DIGEST_TEXT_SIZE], who[40] = "";
	int code = store_save(store, next, err);
	if (code < 0) {
		return code;
	}
	job->model.manifest = *next;
	if (version->signed_by != 0) {
		snprintf(who, sizeof(who), ", signed by %016" PRIX64, version->signed_by);
	}
	store_history_add(store, next->name,
		"version %" PRIu64 " installed, sha256 %s, by uid %" PRIu64 "%s%s%s",
		version->version, digest_to_hex(&version->model, text), version->by, who,
		next->trial ? ", on trial" : "", sealed ? ", fs-verity" : "");
	return 0;
}

/* Puts the version on trial. Call before it is shared. */
static void try_out(const struct load_context *context, const struct manifest *manifest,
	struct loaded_model *loaded)
{
	if (manifest->trial && digest_equal(&loaded->digest, &manifest->active)) {
		atomic_store(&loaded->on_trial, true);
		loaded->markers = &context->store->markers;
		loaded->marker = crash_markers_take(loaded->markers, &loaded->digest);
		if (!loaded->marker && loaded->markers->slots) {
			log_notice(context->store->log,
				"model %s: %d files are on trial already: crashes of this one "
				"are not counted",
				loaded->name, CRASH_MARKERS_SLOTS);
		}
	}
}

/* ---- memory */

/*
 * Checks that @need bytes fit the budget, and whether they fit only after the version that serves
 * is unloaded. Memory of other unpinned models counts as free, because idle models can be unloaded.
 */
static int find_room(const struct job *job, uint64_t need, bool *ret_alone, struct error *err)
{
	const struct load_context *context = job->load;
	const uint64_t limit = context->budget ? atomic_load(&context->budget->limit) : UINT64_MAX;
	const uint64_t pinned = context->budget ? atomic_load(&context->budget->pinned) : 0;
	const uint64_t room = limit > pinned ? limit - pinned : 0;
	const uint64_t beside = job->in_memory ? job->bytes : 0;
	if (need > room) {
		return error_set(err, -ENOSPC,
			"it takes %" PRIu64 " bytes of memory, the budget has room for %" PRIu64,
			need, room);
	}
	*ret_alone = need + beside > room;
	if (*ret_alone && context->config->update_policy == CONFIG_UPDATE_KEEP_SERVING) {
		return error_set(err, -ENOSPC,
			"it takes %" PRIu64 " bytes of memory, beside what serves the budget has "
			"room for %" PRIu64 " (update-policy = keep-serving)",
			need, room > beside ? room - beside : 0);
	}
	return 0;
}

static int make_room(struct job *job, uint64_t need, struct error *err)
{
	struct store *store = job->load->store;
	const char *name = job->model.manifest.name;
	bool alone = false;
	int code = find_room(job, need, &alone, err);
	if (code < 0 || !alone) {
		return code;
	}
	log_notice(store->log,
		"model %s: the version that serves is unloaded: the new one does not fit beside "
		"it (update-policy = replace)",
		name);
	store_history_add(store, name,
		"unloaded: the new version does not fit beside it (update-policy = replace)");
	job->ask(job->ask_context, JOB_UNLOAD);
	job->in_memory = false;
	return 0;
}

static int check(struct job *job, const struct candidate *candidate, struct error *err)
{
	const struct load_context *context = job->load;
	uint64_t bytes = candidate->version.bytes;
	bool alone = false;
	/* An unverified file makes no model unload. */
	int code = find_room(job, bytes, &alone, err);
	if (code == 0 && context->check) {
		const struct check how = load_check(context);
		const struct check_files files = {.blob = candidate->blob,
			.golden = candidate->golden,
			.blob_digest = &candidate->version.model,
			.golden_digest = &candidate->version.golden};
		code = check_files_once(&how, &files, &bytes, err);
	}
	return code < 0 ? code : make_room(job, bytes, err);
}

static int admit(struct job *job, struct candidate *candidate, struct loaded_model **ret_loaded,
	struct error *err)
{
	const struct load_context *context = job->load;
	const struct registry_model *model = &job->model;
	owned(loaded_model_unref) struct loaded_model *loaded = NULL;
	struct digest *signature = &candidate->version.signature;
	struct manifest next = manifest_next(job, candidate);
	int code = check(job, candidate, err);
	if (code < 0) {
		return code;
	}
	if (model->manifest.trial) {
		job->ask(job->ask_context, JOB_ALONE);
	}
	code = load_model(context, next.name, manifest_find(&next, &next.active), candidate->blob,
		take(candidate->labels), candidate->labels_length, &loaded, err);
	if (code < 0) {
		return code;
	}
	code = make_room(job, loaded_model_bytes(loaded), err);
	if (code < 0) {
		return code;
	}
	code = signature_of(loaded->model, signature);
	if (code < 0) {
		return error_set(err, code, "the signature: %s", strerror(-code));
	}
	loaded->signature = *signature;
	code = check_signature(model, candidate, signature, err);
	if (code == 0) {
		code = check_answers(context, candidate, loaded, err);
	}
	if (code == 0) {
		warm_up(context, candidate, loaded);
	}
	if (edge_model_broken(loaded->model)) {
		code = error_set(err, -EIO, "the disk did not give a part of the store's copy");
	}
	if (code == 0) {
		next = manifest_next(job, candidate);
		code = record(job, &next, blobs_sealed(candidate->blob), err);
	}
	if (code == 0) {
		try_out(context, &next, loaded);
		*ret_loaded = take(loaded);
	}
	return code;
}

int install_candidate(struct job *job, const struct candidate_source *source,
	const struct digest *replaced_file, struct registry_tried *tried,
	struct loaded_model **ret_loaded, struct error *err)
{
	const struct load_context *context = job->load;
	const struct registry_model *model = &job->model;
	struct candidate candidate;
	int code = candidate_take(&candidate, context, source, &model->manifest, err);
	tried->identity = candidate.identity;
	tried->digest = candidate.version.model;
	if (code == 0) {
		code = check_bad(context->store, &candidate, err);
	}
	candidate.replaced_file = *replaced_file;
	if (code == 0) {
		code = serves_already(job, &candidate) ||
				is_replaced_file(model, source, &candidate)
			? 1
			: check_trust(context, model, &candidate, err);
	}
	if (code == 0) {
		code = admit(job, &candidate, ret_loaded, err);
	}
	if (code == SELFTEST_WRONG || code == SELFTEST_NAN) {
		note_wrong(context, model, &candidate, code);
	} else if (code == 0) {
		store_remove_bad(context->store, &candidate.version.model);
	}
	candidate_deinit(&candidate);
	return code;
}

/* ---- from the store */

/* Runs a good version that was involved in crashes in a child process first. */
static int check_suspect(
	const struct load_context *context, const struct digest *digest, struct error *err)
{
	owned_fd int blob = -1;
	uint64_t bytes = 0;
	if (!context->check || !store_is_suspect(context->store, digest)) {
		return 0;
	}
	int code = blobs_open(context->store->blobs_ro, digest, &blob);
	if (code < 0) {
		return error_set(err, code, "the store's copy: %s", strerror(-code));
	}
	const struct check how = load_check(context);
	return check_run(&how, blob, -1, &bytes, err);
}

static int restore_one(const struct job *job, const struct digest *digest,
	struct loaded_model **ret_loaded, struct error *err)
{
	const struct load_context *context = job->load;
	const struct manifest *manifest = &job->model.manifest;
	const struct manifest_version *version = manifest_find(manifest, digest);
	if (!version) {
		return error_set(err, -ENOENT, "the store does not have it");
	}
	const char *bad = store_find_bad(context->store, digest);
	if (bad) {
		return error_set(err, -EBADMSG, "bad: %s", bad);
	}
	int code = check_suspect(context, digest, err);
	if (code == 0) {
		code = load_version(context, manifest->name, version, ret_loaded, err);
	}
	if (code == 0) {
		if (store_is_suspect(context->store, digest)) {
			crash_markers_clear(&context->store->markers, digest);
		}
		try_out(context, manifest, *ret_loaded);
	}
	return code;
}

int install_restore(const struct job *job, struct loaded_model **ret_loaded, char *ret_reason,
	size_t reason_size)
{
	const struct manifest *manifest = &job->model.manifest;
	const struct digest wanted[] = {manifest->active, manifest->last_good, manifest->previous};
	int code = -ENOENT;
	ret_reason[0] = 0;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && code < 0; i++) {
		struct error err = {0};
		if (digest_is_zero(&wanted[i])) {
			continue;
		}
		code = restore_one(job, &wanted[i], ret_loaded, &err);
		if (code < 0 && ret_reason[0] == 0) {
			snprintf(ret_reason, reason_size, "%s", err.text);
			store_history_add(
				job->load->store, manifest->name, "not restored: %s", err.text);
		}
	}
	return code;
}
