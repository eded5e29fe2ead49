/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/edged/install/folder_scan.h"
#include "daemon/edged/install/install.h"
#include "daemon/edged/install/transfer.h"
#include "daemon/edged/store/blobs.h"
#include "daemon/edged/store/few_shot_store.h"
#include "daemon/edged/store/fsck.h"
#include "daemon/system/notice.h"

#define MIN_DIGITS 8 /* least length of an abbreviated digest */
#define STORE_REPLY_LENGTH_BYTES 4 /* the length field before the text of a reply to STORE */

/* Saves the manifest first: memory changes only after the disk. */
static int save_manifest(struct job *job, const struct manifest *next, struct error *err)
{
	int code = store_save(job->load->store, next, err);
	if (code == 0) {
		job->model.manifest = *next;
	}
	return code;
}

/* ---- rollback */

static void set_active(struct manifest *manifest, const struct digest *fallback)
{
	if (digest_equal(&manifest->active, &manifest->last_good)) {
		manifest->previous = (struct digest){0};
	}
	manifest->active = manifest->last_good = *fallback;
	manifest->trial = false;
	manifest_trim(manifest);
}

/* Lists the active version as bad before the manifest changes, so that a crash in between cannot
 * bring it back. If the disk fails, the version is bad in memory. */
static int mark_bad(
	struct job *job, const struct manifest *next, const char *reason, struct error *err)
{
	struct store *store = job->load->store;
	const struct digest bad = job->model.manifest.active;
	int code = store_add_bad(store, &bad, next->name, reason, err);
	int saved = store_save(store, next, err);
	job->model.manifest = *next;
	return code < 0 ? code : saved;
}

/* Returns true if the loop, which still had @fallback in memory, serves it again already. */
static bool already_rolled_back(const struct job *job, const struct manifest_version *fallback)
{
	return job->command->verb == STORE_COMMAND_TRIAL_FAILED && fallback &&
		digest_equal(&job->serving, &fallback->model);
}

static int rollback(struct job *job, const char *reason, struct error *err)
{
	owned(loaded_model_unref) struct loaded_model *loaded = NULL;
	const struct load_context *load = job->load;
	struct manifest next = job->model.manifest;
	const struct manifest_version *fallback = manifest_fallback(&job->model.manifest);
	if (!fallback) {
		return error_set(err, -ENOENT, "there is no version to go back to");
	}
	const uint64_t version = fallback->version;
	const struct digest digest = fallback->model;
	set_active(&next, &digest);
	int code = already_rolled_back(job, fallback)
		? 0
		: load_version(load, next.name, fallback, &loaded, err);
	if (code < 0) {
		return code;
	}
	code = mark_bad(job, &next, reason, err);
	if (code < 0) {
		error_prefix(err,
			"version %" PRIu64 " serves, but only until edged is started again",
			version);
	}
	store_history_add(
		load->store, next.name, "rolled back to version %" PRIu64 ": %s", version, reason);
	const enum job_outcome outcome = loaded ? JOB_READY : JOB_KEPT;
	job_finish(job, outcome, 0, take(loaded), reason);
	return code;
}

static int rollback_asked(struct job *job, struct error *err)
{
	char reason[64];
	snprintf(reason, sizeof(reason), "rolled back by uid %u", job->command->uid);
	return rollback(job, reason, err);
}

/* ---- trials; the loop's verdict can come when the version does not serve any more */

static bool is_on_trial(struct job *job)
{
	const struct manifest *manifest = &job->model.manifest;
	return manifest->trial && digest_equal(&manifest->active, &job->command->digest);
}

static int on_trial_passed(struct job *job, struct error *err)
{
	struct manifest next = job->model.manifest;
	if (!is_on_trial(job)) {
		return 0;
	}
	manifest_pass_trial(&next);
	int code = save_manifest(job, &next, err);
	if (code == 0) {
		crash_markers_clear(&job->load->store->markers, &next.active);
		store_history_add(job->load->store, next.name,
			"version %" PRIu64 " passed its trial",
			manifest_find(&next, &next.active)->version);
		job->outcome = JOB_MANIFEST_CHANGED;
	}
	return code;
}

/* The version that failed was replaced before its verdict came: it is listed as bad, unless it is a
 * version for a rollback. A late pass is ignored. */
static int on_trial_failed_late(struct job *job, struct error *err)
{
	const struct store_command *command = job->command;
	const struct manifest *manifest = &job->model.manifest;
	struct store *store = job->load->store;
	if (digest_equal(&command->digest, &manifest->active) ||
		digest_equal(&command->digest, &manifest->last_good) ||
		digest_equal(&command->digest, &manifest->previous)) {
		return 0;
	}
	store_history_add(store, command->model, "the previous version failed its trial: %s",
		command->argument);
	return store_add_bad(store, &command->digest, command->model, command->argument, err);
}

static int on_trial_failed(struct job *job, struct error *err)
{
	const struct store_command *command = job->command;
	if (!is_on_trial(job)) {
		return on_trial_failed_late(job, err);
	}
	/* A pin after the verdict applies to the version that serves now. */
	const struct manifest *manifest = &job->model.manifest;
	int code = manifest->pinned && !already_rolled_back(job, manifest_fallback(manifest))
		? error_set(err, -EPERM, "the version is pinned and keeps serving")
		: rollback(job, command->argument, err);
	if (code < 0) {
		error_prefix(err, "%s", command->argument);
		store_history_add(job->load->store, command->model, "%s", err->text);
	}
	return code;
}

/* ---- disk errors */

/* Moves the blob to quarantine if its bytes do not match its digest. */
static void quarantine_if_corrupt(
	struct store *store, const char *name, const struct digest *digest)
{
	owned_fd int blob = -1;
	char text[DIGEST_TEXT_SIZE];
	digest_to_hex(digest, text);
	pack_files_drop(&store->packs, digest);
	int code = blobs_open(store->blobs_ro, digest, &blob);
	if (code < 0 && code != -ENOMEM) {
		blobs_quarantine(store->blobs, digest);
		store_history_add(store, name, "blob %s is corrupt; moved to quarantine", text);
		const struct notice_about about = {.model = name, .digest = digest};
		notice(store->log, NOTICE_QUARANTINED, &about,
			"blob %s is corrupt; moved to quarantine", text);
	}
}

/* Serves the active version or, if that cannot be loaded, the version for a rollback. */
static int restore(struct job *job, enum job_outcome otherwise)
{
	struct loaded_model *loaded = NULL;
	char reason[REGISTRY_REASON_SIZE];
	int code = install_restore(job, &loaded, reason, sizeof(reason));
	job_finish(job, code == 0 ? JOB_READY : otherwise, 0, loaded, reason);
	return code;
}

static int load_any_intact(struct job *job)
{
	int code = restore(job, JOB_UNLOADABLE);
	if (code < 0) {
		registry_invalidate_model(&job->model); /* the next scan may find an intact file */
	}
	return code;
}

static int on_read_error(struct job *job, struct error *err)
{
	(void)err;
	const struct store_command *command = job->command;
	if (!digest_equal(&job->serving, &command->digest)) {
		return 0; /* another version serves already */
	}
	quarantine_if_corrupt(job->load->store, command->model, &command->digest);
	job->serving = (struct digest){0};
	registry_invalidate_model(&job->model);
	job->model.restored = true;
	int code = load_any_intact(job);
	(void)code; /* job->outcome has it */
	return 0;
}

/* ---- load */

static int load(struct job *job, struct error *err)
{
	return job->in_memory || load_any_intact(job) == 0
		? 0
		: error_set(err, -EIO, "model %s: it cannot be loaded", job->command->model);
}

/* ---- pins */

static int pin(struct job *job, struct error *err)
{
	struct manifest next = job->model.manifest;
	const bool pinned = job->command->verb == STORE_COMMAND_PIN;
	next.pinned = pinned;
	int code = save_manifest(job, &next, err);
	if (code == 0) {
		store_history_add(job->load->store, next.name, "%s by uid %u",
			pinned ? "pinned" : "unpinned", job->command->uid);
		job->outcome = JOB_MANIFEST_CHANGED;
	}
	return code;
}

/* ---- few-shot examples */

/* Returns the size that fits an answer. */
static size_t max_examples_bytes(struct job *job)
{
	const uint64_t body = job->load->config->max_body - STORE_REPLY_LENGTH_BYTES;
	return body < FEW_SHOT_STORE_MAX_BYTES ? (size_t)body : FEW_SHOT_STORE_MAX_BYTES;
}

/* Only for commands that need a VERSION. */
static struct manifest_version *active_of(struct manifest *manifest)
{
	size_t at = 0;
	while (!digest_equal(&manifest->versions[at].model, &manifest->active)) {
		at++;
	}
	return &manifest->versions[at];
}

/* Examples are embeddings of one version: those of another version cannot be compared. */
static int check_serves(const struct store_command *command, const struct manifest_version *version,
	struct error *err)
{
	char serves[32];
	snprintf(serves, sizeof(serves), "%" PRIu64, version->version);
	return !command->argument[0] || strcmp(command->argument, serves) == 0
		? 0
		: error_set(err, -ENOENT,
			  "the examples are of version %s, version %s serves: teach again",
			  command->argument, serves);
}

static int edit_examples(struct job *job, struct error *err)
{
	struct store_command *command = job->command;
	struct store *store = job->load->store;
	struct manifest next = job->model.manifest;
	struct manifest_version *version = active_of(&next);
	const bool adding = command->verb == STORE_COMMAND_TEACH;
	size_t n = 0;
	int code = adding ? check_serves(command, version, err) : 0;
	if (code < 0) {
		return code;
	}
	code = adding
		? few_shot_store_add(store, command->fd, max_examples_bytes(job), version, &n, err)
		: few_shot_store_remove(store, command->argument, version, &n, err);
	code = code < 0 ? code : save_manifest(job, &next, err);
	if (code == 0) {
		store_history_add(store, next.name,
			"version %" PRIu64 " %s examples by uid %u: %zu now", version->version,
			adding ? "was taught" : "lost", command->uid, n);
		job->outcome = JOB_MANIFEST_CHANGED;
		int length = asprintf(&command->text, "%s version %" PRIu64 ": %zu examples\n",
			next.name, version->version, n);
		/* without memory the answer has no lines */
		command->text = length < 0 ? NULL : command->text;
	}
	job_sweep(job);
	return code;
}

static int examples_read(struct job *job, struct error *err)
{
	struct manifest *manifest = &job->model.manifest;
	size_t size = 0;
	return few_shot_store_read(job->load->store, active_of(manifest), max_examples_bytes(job),
		&job->command->text, &size, err);
}

/* ---- bad files */

static const struct store_bad *bad_find(
	const struct store *store, const char *prefix, size_t *ret_found)
{
	const struct store_bad *found = NULL;
	char text[DIGEST_TEXT_SIZE];
	*ret_found = 0;
	for (size_t i = 0; i < store->n_bad; i++) {
		digest_to_hex(&store->bad[i].digest, text);
		if (strncmp(text, prefix, strlen(prefix)) == 0) {
			found = &store->bad[i];
			++*ret_found;
		}
	}
	return found;
}

static int forget_bad(struct job *job, struct error *err)
{
	struct store *store = job->load->store;
	const char *prefix = job->command->argument;
	size_t n = 0;
	if (strlen(prefix) < MIN_DIGITS) {
		return error_set(err, -EINVAL, "at least %d digits of the digest", MIN_DIGITS);
	}
	const struct store_bad *bad = bad_find(store, prefix, &n);
	if (n != 1) {
		return n == 0 ? error_set(err, -ENOENT, "no file of that digest is bad")
			      : error_set(err, -EINVAL, "the digest is ambiguous");
	}
	job->command->digest = bad->digest;
	store_remove_bad(store, &job->command->digest);
	return 0;
}

/* ---- fsck */

static bool is_missing(const struct store *store, const struct digest *digest)
{
	char name[DIGEST_TEXT_SIZE];
	return !digest_is_zero(digest) &&
		faccessat(store->blobs_ro, digest_to_hex(digest, name), F_OK, AT_SYMLINK_NOFOLLOW) <
		0;
}

/* Forgets examples whose blob is lost, so that TEACH can start again. */
static void examples_forget_lost(struct store *store, struct job_repaired *repaired)
{
	for (size_t i = 0; i < repaired->manifest.n; i++) {
		struct manifest_version *version = &repaired->manifest.versions[i];
		if (is_missing(store, &version->examples) && errno == ENOENT) {
			version->examples = (struct digest){0};
			repaired->changed = true;
			store_history_add(store, repaired->manifest.name,
				"version %" PRIu64 " has lost its examples", version->version);
		}
	}
}

/* Writes manifests from memory over broken ones on disk, and looks for versions whose file is
 * lost. */
static int repair_manifests(struct job *job, struct error *err)
{
	struct store *store = job->load->store;
	const struct registry *registry = job->registry;
	int code = 0;
	job->repaired = calloc(registry->n + 1, sizeof(job->repaired[0]));
	if (!job->repaired) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < registry->n; i++) {
		struct job_repaired *repaired = &job->repaired[i];
		repaired->manifest = registry->models[i]->manifest;
		repaired->active_missing = is_missing(store, &repaired->manifest.active);
		examples_forget_lost(store, repaired);
		code = code < 0 ? code : store_save(store, &repaired->manifest, err);
	}
	return code;
}

static int fsck(struct job *job, struct error *err)
{
	struct store_command *command = job->command;
	const struct store *store = job->load->store;
	const bool repair = strcmp(command->argument, "repair") == 0;
	size_t size = 0, wrong = 0;
	owned_fd int state = store->blobs_ro < 0
		? -1
		: openat(store->blobs_ro, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0 || (repair && store->blobs < 0)) {
		return error_set(err, -EOPNOTSUPP, "there is no store that can be %s",
			repair ? "written" : "read");
	}
	FILE *out = open_memstream(&command->text, &size);
	if (!out) {
		return error_no_memory(err);
	}
	int code = fsck_run(state, repair ? FSCK_REPAIR_FILES : FSCK_CHECK, out, &wrong, err);
	if (fclose(out) != 0 && code == 0) {
		code = error_no_memory(err);
	}
	if (code == 0 && repair && wrong > 0) {
		code = repair_manifests(job, err);
	}
	return code;
}

/* ---- all commands */

static int install(struct job *job, struct error *err)
{
	const struct load_context *load = job->load;
	job->keys_changed = trust_load(load->trust, load->config, load->store->log);
	return transfer_install(job, err);
}

static int history(struct job *job, struct error *err)
{
	return store_history_read(job->load->store, job->command->model,
		STORE_COMMAND_HISTORY_BYTES, &job->command->text, err);
}

enum requirement {
	NEEDS_NOTHING, /* or the command checks it itself */
	NEEDS_RECORD, /* a record of that name, perhaps of a removed model */
	NEEDS_VERSION, /* a version to pin, teach or remove; not if all were refused */
};

static const struct {
	enum store_command_verb verb;
	enum requirement requirement;
	int (*run)(struct job *job, struct error *err);
} commands[] = {
	{STORE_COMMAND_FORGET_BAD, NEEDS_NOTHING, forget_bad},
	{STORE_COMMAND_FSCK, NEEDS_NOTHING, fsck},
	{STORE_COMMAND_INSTALL, NEEDS_RECORD, install},
	{STORE_COMMAND_EXPORT, NEEDS_NOTHING, transfer_export},
	{STORE_COMMAND_REMOVE, NEEDS_VERSION, transfer_remove},
	{STORE_COMMAND_ROLLBACK, NEEDS_RECORD, rollback_asked},
	{STORE_COMMAND_PIN, NEEDS_VERSION, pin},
	{STORE_COMMAND_UNPIN, NEEDS_RECORD, pin},
	{STORE_COMMAND_HISTORY, NEEDS_RECORD, history},
	{STORE_COMMAND_LOAD, NEEDS_RECORD, load},
	{STORE_COMMAND_TEACH, NEEDS_VERSION, edit_examples},
	{STORE_COMMAND_UNTEACH, NEEDS_VERSION, edit_examples},
	{STORE_COMMAND_EXAMPLES, NEEDS_VERSION, examples_read},
	{STORE_COMMAND_TRIAL_PASSED, NEEDS_RECORD, on_trial_passed},
	{STORE_COMMAND_TRIAL_FAILED, NEEDS_RECORD, on_trial_failed},
	{STORE_COMMAND_READ_ERROR, NEEDS_RECORD, on_read_error},
};

static bool meets_requirement(const struct job *job, enum requirement requirement)
{
	const struct manifest *manifest = &job->model.manifest;
	return requirement == NEEDS_NOTHING ||
		(job->has_model &&
			(requirement == NEEDS_RECORD ||
				manifest_find(manifest, &manifest->active)));
}

static int store_command_run(struct job *job, struct error *err)
{
	const size_t n = sizeof(commands) / sizeof(commands[0]);
	const struct store_command *command = job->command;
	size_t i = 0;
	while (i < n && commands[i].verb != command->verb) {
		i++;
	}
	if (!meets_requirement(job, i < n ? commands[i].requirement : NEEDS_RECORD)) {
		return error_set(err, -ENOENT, "model %s: there is no such model", command->model);
	}
	return i < n ? commands[i].run(job, err)
		     : error_set(err, -EOPNOTSUPP, "the store does not know verb %d",
			       (int)command->verb);
}

/* ---- other jobs */

/* Reads all manifests. Deletes those of removed models, unless they hold a highest signed version,
 * which an older signed file must not replace. */
static void load_manifests(struct job *job)
{
	struct store *store = job->load->store;
	size_t n = 0;
	job->code = store_manifests(store, &job->manifests, &job->n_manifests);
	for (size_t i = 0; job->code == 0 && i < job->n_manifests; i++) {
		struct manifest *manifest = &job->manifests[i];
		const bool removed = digest_is_zero(&manifest->active);
		if (removed && manifest->signed_newest == 0) {
			store_drop(store, manifest->name);
			continue;
		}
		if (removed) {
			manifest->last_good = manifest->previous = (struct digest){0};
			manifest_trim(manifest);
		}
		job->manifests[n++] = *manifest;
	}
	job->n_manifests = n;
	if (job->code == 0) {
		job_sweep(job);
	}
}

void execute_job(struct job *job)
{
	struct error err = {0};
	int code = 0;
	switch (job->kind) {
	case JOB_OPEN:
		load_manifests(job);
		break;
	case JOB_RESTORE:
		code = restore(job, JOB_REFUSED);
		break;
	case JOB_LIST:
		folder_scan_list(job);
		break;
	case JOB_SCAN_MODEL:
		folder_scan_model(job);
		break;
	case JOB_GONE:
		folder_scan_gone(job);
		break;
	case JOB_FORGET:
		store_drop(job->load->store, job->model.manifest.name);
		break;
	case JOB_SWEEP:
		job_sweep(job);
		break;
	case JOB_NAME:
		code = transfer_name(job->command, &err);
		break;
	case JOB_STORE_COMMAND:
		code = store_command_run(job, &err);
		break;
	}
	if (job->command && code < 0) {
		job->command->error = err;
	}
}
