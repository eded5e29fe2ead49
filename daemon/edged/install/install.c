/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/install.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/breath.h"
#include "base/clock.h"
#include "daemon/blobs.h"
#include "daemon/check.h"
#include "daemon/selftest.h"
#include "daemon/signature.h"

#define WARM_UP_NS UINT64_C(1000000000) /* what a run has touched by then will do */

/* ---- from the folder */

#define WRONG_PREFIX "its answers are not those of golden "
#define WRONG_DIGITS 16 /* of that file's digest */

/* What is written of a file that answers otherwise than it should: with another golden it is tried again. */
static char *wrong_print(const struct candidate *candidate, char *out, size_t size)
{
	char text[DIGEST_TEXT_SIZE] = "";
	struct digest golden;
	int code = digest_of_file(candidate->golden, candidate->golden_bytes, &golden);
	snprintf(out, size, WRONG_PREFIX "%.*s", WRONG_DIGITS,
		code == 0 ? digest_print(&golden, text) : "");
	return out;
}

static int check_bad(
	const struct depot *depot, const struct candidate *candidate, struct error *err)
{
	char wrong[80];
	const char *reason = depot_find_bad(depot, &candidate->version.model);
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

/* One that has proved itself is not bad: what stands beside it may be wrong. */
static void note_wrong(const struct load_context *context, const struct catalogue_model *model,
	const struct candidate *candidate, int code)
{
	char reason[80];
	struct error err = {0};
	const struct digest *digest = &candidate->version.model;
	if (manifest_find(&model->manifest, digest)) {
		return;
	}
	depot_unlist_bad(context->depot, digest);
	if (code == SELFTEST_NAN) {
		snprintf(reason, sizeof(reason), "it gives NaN, whatever it is asked");
	} else {
		wrong_print(candidate, reason, sizeof(reason));
	}
	if (depot_add_bad(context->depot, digest, model->manifest.name, reason, &err) < 0) {
		log_warning(context->depot->log, "%s", err.text);
	}
}

/* What nobody asks for is no difference. */
static bool same_minisig(const struct load_context *context, const struct candidate *candidate,
	const struct manifest *manifest, const struct manifest_version *known)
{
	const struct digest digest = candidate->minisig
		? digest_of(candidate->minisig, candidate->minisig_bytes)
		: (struct digest){0};
	return config_policy_of(context->config, manifest->name) == CONFIG_POLICY_OFF ||
		digest_same(&known->minisig, &digest);
}

/* True when the loop has just that: the same bytes and number, and the same beside it. The same file
 * signed anew is something else: its number is to be remembered. */
static bool serves_already(const struct load_context *context, const struct catalogue_model *model,
	const struct candidate *candidate)
{
	const struct manifest_version *version = &candidate->version;
	const struct manifest_version *known = manifest_find(&model->manifest, &version->model);
	return known && digest_same(&model->serving, &version->model) &&
		digest_same(&model->manifest.active, &version->model) &&
		digest_same(&known->labels, &version->labels) &&
		digest_same(&known->golden, &version->golden) &&
		digest_same(&known->conf, &version->conf) &&
		(digest_none(&version->examples) ||
			digest_same(&known->examples, &version->examples)) &&
		same_minisig(context, candidate, &model->manifest, known) &&
		(version->version == 0 || version->version == known->version);
}

/* What serves stays although the folder has another file: somebody installed it over that. */
static bool is_passed(const struct catalogue_model *model, const struct candidate_place *place,
	const struct candidate *candidate)
{
	return !place->given && !digest_none(&model->manifest.active) &&
		digest_same(&model->manifest.passed, &candidate->version.model);
}

static struct trust_question question_of(
	const struct catalogue_model *model, const struct candidate *candidate)
{
	return (struct trust_question){
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

/* A signed version without a folder's number has the one that was signed. */
static int trusted(const struct load_context *context, const struct catalogue_model *model,
	struct candidate *candidate, struct error *err)
{
	static const struct trust nobody;
	const struct trust_question question = question_of(model, candidate);
	struct manifest_version *version = &candidate->version;
	int code = trust_verify(context->trust ? context->trust : &nobody, &question,
		&version->signed_version, &version->signed_by, err);
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
		? blobs_put(context->depot->blobs, candidate->minisig, candidate->minisig_bytes,
			  &candidate->version.minisig)
		: 0;
	return code == 0 ? 0 : error_set(err, code, "the signature: %s", strerror(-code));
}

/* Whose it is, by the policy. Before this nothing has looked at what the file says. */
static int check_trust(const struct load_context *context, const struct catalogue_model *model,
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
			context->depot->log, "model %s: accepted all the same: %s", name, why.text);
		depot_note(context->depot, name, "accepted all the same: %s", why.text);
	}
	return keep_minisig(context, candidate, err);
}

/* What stands beside the model, asked and answered. */
static int check_answers(const struct load_context *context, const struct candidate *candidate,
	const struct served *served, struct error *err)
{
	owned_mem char *golden = NULL;
	const off_t size = candidate->golden_bytes;
	const struct run_control control = {
		.deadline_ns = clock_now_ns() + context->config->self_test_ms * UINT64_C(1000000),
		.cancelled = context->cancelled,
		.between = breath_between};
	const uint64_t cpu_ns = clock_thread_cpu_ns();
	uint32_t n = 0;
	if (candidate->golden < 0) {
		return 0;
	}
	int code = load_bytes(candidate->golden, size, &golden);
	if (code < 0) {
		return error_set(err, code, "the self-test: %s", strerror(-code));
	}
	struct mark *mark = marks_take(&context->depot->marks, &candidate->version.model);
	mark_begin(mark);
	code = selftest_run(served->model, golden, (size_t)size, &control, &n, err);
	mark_end(mark);
	marks_give_back(&context->depot->marks, mark);
	return code == -ETIMEDOUT
		? check_overdue(clock_thread_cpu_ns() - cpu_ns, context->config->self_test_ms, err)
		: code;
}

/* Not where a run may save files, or read those of runs before. */
static void warm_up(const struct load_context *context, const struct candidate *candidate,
	struct served *served)
{
	if (edge_model_info(served->model)->uses_checkpoints) {
		return;
	}
	const struct run_control control = {.deadline_ns = clock_now_ns() + WARM_UP_NS,
		.cancelled = context->cancelled,
		.between = breath_between};
	struct mark *mark = marks_take(&context->depot->marks, &candidate->version.model);
	mark_begin(mark);
	served_warm(served, &control);
	mark_end(mark);
	marks_give_back(&context->depot->marks, mark);
}

static int check_signature(const struct catalogue_model *model, const struct candidate *candidate,
	const struct digest *signature, struct error *err)
{
	const struct manifest *manifest = &model->manifest;
	const struct manifest_version *before = manifest_find(manifest, &manifest->active);
	if (!before || candidate->allow_signature_change ||
		digest_same(&before->signature, signature)) {
		return 0;
	}
	return error_set(err, -EBADMSG,
		"its inputs or outputs are not those of version %" PRIu64
		" (allow-signature-change would take it)",
		before->version);
}

/* The manifest as it is once @candidate serves. */
static struct manifest manifest_next(
	const struct catalogue_model *model, const struct candidate *candidate)
{
	struct manifest next = model->manifest;
	const struct manifest_version *version = &candidate->version;
	manifest_add(&next, version);
	if (!digest_same(&next.active, &version->model)) {
		manifest_pass_on(&next, &model->well);
		next.trial = !digest_same(&next.last_good, &version->model);
	}
	next.active = version->model;
	next.passed = candidate->passed;
	if (version->signed_version > next.signed_newest) {
		next.signed_newest = version->signed_version;
		next.signed_file = version->model;
	}
	manifest_trim(&next);
	return next;
}

static int record(const struct load_context *context, struct catalogue_model *model,
	const struct manifest *next, bool sealed, struct error *err)
{
	const struct manifest_version *version = manifest_find(next, &next->active);
	char text[DIGEST_TEXT_SIZE], who[40] = "";
	int code = depot_save(context->depot, next, err);
	if (code < 0) {
		return code;
	}
	model->manifest = *next;
	model->serving = next->active;
	if (version->signed_by != 0) {
		snprintf(who, sizeof(who), ", signed by %016" PRIX64, version->signed_by);
	}
	depot_note(context->depot, next->name,
		"version %" PRIu64 " installed, sha256 %s, by uid %" PRIu64 "%s%s%s",
		version->version, digest_print(&version->model, text), version->by, who,
		next->trial ? ", on trial" : "", sealed ? ", fs-verity" : "");
	return 0;
}

/* Before anybody has it. */
static void try_out(
	const struct load_context *context, const struct manifest *manifest, struct served *served)
{
	if (manifest->trial && digest_same(&served->digest, &manifest->active)) {
		atomic_store(&served->on_trial, true);
		served->marks = &context->depot->marks;
		served->mark = marks_take(served->marks, &served->digest);
		if (!served->mark && served->marks->slots) {
			log_notice(context->depot->log,
				"model %s: %d files are on trial already: should it end edged, that is "
				"not held against it",
				served->name, MARKS_SLOTS);
		}
	}
}

/* ---- memory */

/*
 * Whether @need bytes have their place, and whether they have it only without the version that serves.
 * What others hold that are not pinned is no matter: idle ones go when it is needed.
 */
static int find_room(const struct load_context *context, const struct catalogue_model *model,
	uint64_t need, bool *ret_alone, struct error *err)
{
	const uint64_t limit = context->budget ? atomic_load(&context->budget->limit) : UINT64_MAX;
	const uint64_t pinned = context->budget ? atomic_load(&context->budget->pinned) : 0;
	const uint64_t room = limit > pinned ? limit - pinned : 0;
	const uint64_t beside = model->loaded ? model->bytes : 0;
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

static int make_room(const struct load_context *context, struct catalogue_model *model,
	uint64_t need, struct error *err)
{
	struct depot *depot = context->depot;
	const struct manifest *manifest = &model->manifest;
	bool alone = false;
	int code = find_room(context, model, need, &alone, err);
	if (code < 0 || !alone) {
		return code;
	}
	log_notice(depot->log,
		"model %s: what serves is unloaded: the new version does not fit beside it "
		"(update-policy = replace)",
		manifest->name);
	depot_note(depot, manifest->name,
		"unloaded: the new version does not fit beside it (update-policy = replace)");
	context->unload(context->unload_context, manifest->name);
	model->loaded = false;
	return 0;
}

static int check(const struct load_context *context, struct catalogue_model *model,
	const struct candidate *candidate, struct error *err)
{
	uint64_t bytes = candidate->version.bytes;
	bool alone = false;
	/* Nothing makes place for a file that nobody has looked at yet. */
	int code = find_room(context, model, bytes, &alone, err);
	if (code == 0 && context->check) {
		const struct check_files files = {.blob = candidate->blob,
			.golden = candidate->golden,
			.blob_digest = &candidate->version.model,
			.golden_digest = &candidate->version.golden};
		code = check_files_once(context, &files, &bytes, err);
	}
	return code < 0 ? code : make_room(context, model, bytes, err);
}

static int admit(const struct load_context *context, struct catalogue_model *model,
	struct candidate *candidate, struct served **ret_served, struct error *err)
{
	owned(served_unref) struct served *served = NULL;
	struct digest *signature = &candidate->version.signature;
	struct manifest next = manifest_next(model, candidate);
	int code = check(context, model, candidate, err);
	if (code < 0) {
		return code;
	}
	if (model->manifest.trial) {
		context->alone(context->unload_context, next.name);
	}
	code = load_model(context, next.name, manifest_find(&next, &next.active), candidate->blob,
		take(candidate->labels), candidate->labels_length, &served, err);
	if (code < 0) {
		return code;
	}
	code = make_room(context, model, served_bytes(served), err);
	if (code < 0) {
		return code;
	}
	code = signature_of(served->model, signature);
	if (code < 0) {
		return error_set(err, code, "the signature: %s", strerror(-code));
	}
	served->signature = *signature;
	code = check_signature(model, candidate, signature, err);
	if (code == 0) {
		code = check_answers(context, candidate, served, err);
	}
	if (code == 0) {
		warm_up(context, candidate, served);
	}
	if (edge_model_broken(served->model)) {
		code = error_set(err, -EIO, "the disk did not give a part of the store's copy");
	}
	if (code == 0) {
		next = manifest_next(model, candidate);
		code = record(context, model, &next, blobs_sealed(candidate->blob), err);
	}
	if (code == 0) {
		try_out(context, &next, served);
		*ret_served = take(served);
	}
	return code;
}

int install_candidate(const struct load_context *context, struct catalogue_model *model,
	const struct candidate_place *place, const struct digest *passed,
	struct catalogue_tried *tried, struct served **ret_served, struct error *err)
{
	struct candidate candidate;
	int code = candidate_take(&candidate, context, place, &model->manifest, err);
	tried->identity = candidate.identity;
	tried->digest = candidate.version.model;
	if (code == 0) {
		code = check_bad(context->depot, &candidate, err);
	}
	candidate.passed = *passed;
	if (code == 0) {
		code = serves_already(context, model, &candidate) ||
				is_passed(model, place, &candidate)
			? 1
			: check_trust(context, model, &candidate, err);
	}
	if (code == 0) {
		code = admit(context, model, &candidate, ret_served, err);
	}
	if (code == SELFTEST_WRONG || code == SELFTEST_NAN) {
		note_wrong(context, model, &candidate, code);
	} else if (code == 0) {
		depot_unlist_bad(context->depot, &candidate.version.model);
	}
	candidate_deinit(&candidate);
	return code;
}

/* ---- from the store */

/* It has proved itself, and edged has died over it since: whatever that was, it is tried where it cannot
 * do so again. */
static int check_suspect(
	const struct load_context *context, const struct digest *digest, struct error *err)
{
	owned_fd int blob = -1;
	uint64_t bytes = 0;
	if (!context->check || !depot_is_suspect(context->depot, digest)) {
		return 0;
	}
	int code = blobs_open(context->depot->stored, digest, &blob);
	if (code < 0) {
		return error_set(err, code, "the store's copy: %s", strerror(-code));
	}
	return check_run(context, context->check, blob, -1, &bytes, err);
}

static int restore_one(const struct load_context *context, struct catalogue_model *model,
	const struct digest *digest, struct served **ret_served, struct error *err)
{
	const struct manifest_version *version = manifest_find(&model->manifest, digest);
	if (!version) {
		return error_set(err, -ENOENT, "the store does not have it");
	}
	const char *bad = depot_find_bad(context->depot, digest);
	if (bad) {
		return error_set(err, -EBADMSG, "bad: %s", bad);
	}
	int code = check_suspect(context, digest, err);
	if (code == 0) {
		code = load_version(context, model->manifest.name, version, ret_served, err);
	}
	if (code == 0) {
		if (depot_is_suspect(context->depot, digest)) {
			marks_clear(&context->depot->marks, digest);
		}
		try_out(context, &model->manifest, *ret_served);
		model->serving = *digest;
	}
	return code;
}

int install_restore(const struct load_context *context, struct catalogue_model *model,
	struct served **ret_served, char *ret_reason, size_t reason_size)
{
	const struct manifest *manifest = &model->manifest;
	const struct digest wanted[] = {manifest->active, manifest->last_good, manifest->previous};
	int code = -ENOENT;
	ret_reason[0] = 0;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && code < 0; i++) {
		struct error err = {0};
		if (digest_none(&wanted[i])) {
			continue;
		}
		code = restore_one(context, model, &wanted[i], ret_served, &err);
		if (code < 0 && ret_reason[0] == 0) {
			snprintf(ret_reason, reason_size, "%s", err.text);
			depot_note(context->depot, manifest->name, "not restored: %s", err.text);
		}
	}
	return code;
}
