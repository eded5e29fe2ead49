/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/edged/install/install.h"
#include "daemon/edged/store/blobs.h"
#include "daemon/system/notice.h"

static int reply_with_version(struct store_command *command, const struct manifest *manifest)
{
	const struct manifest_version *active = manifest_find(manifest, &manifest->active);
	int length = asprintf(&command->text, "%s version %" PRIu64 ": ready\n", manifest->name,
		active ? active->version : 0);
	command->text =
		length < 0 ? NULL : command->text; /* without memory the answer has no lines */
	return 0;
}

static bool is_pinned(const struct registry_model *model)
{
	return model->manifest.pinned && !digest_is_zero(&model->manifest.active);
}

/* ---- install */

static int check_regular(int fd, struct import_identity *ret_identity, struct error *err)
{
	int code = import_identify(fd, ret_identity);
	return code == 0 ? 0
			 : error_set(err, code, "%s",
				   code == -EINVAL ? "the descriptor is not that of a regular file"
						   : strerror(-code));
}

int transfer_name(struct store_command *command, struct error *err)
{
	struct import_identity identity;
	struct bundle bundle;
	char *name = command->model;
	int code = check_regular(command->fd, &identity, err);
	if (code == 0 && name[0] == 0 && bundle_is(command->fd)) {
		code = bundle_read(command->fd, identity.size, &bundle, err);
		code = code < 0 ? code : bundle_name(command->fd, &bundle, name, err);
	}
	if (code == 0 && name[0] == 0) {
		code = error_set(err, -EINVAL, "the file does not say which model it is");
	}
	if (code == 0 && !models_folder_name_valid(name, strlen(name))) {
		code = error_set(err, -EINVAL, "that cannot be a model's name");
	}
	return code;
}

/* Returns the model's file in the models folder, which the install replaces. */
static struct digest replaced_file_of(const struct registry_model *model)
{
	static const struct digest none;
	const struct manifest *manifest = &model->manifest;
	return !model->folder_scan                          ? none
		: !digest_is_zero(&manifest->replaced_file) ? manifest->replaced_file
							    : manifest->active;
}

/* Logs each refusal, because only privileged users get here. */
static int refuse(struct job *job, int code, const struct error *err)
{
	struct store *store = job->load->store;
	const char *name = job->model.manifest.name;
	const struct notice_about about = {.model = name};
	job_sweep(job);
	store_history_add(store, name, "refused: %s", err->text);
	notice(store->log, NOTICE_MODEL_REFUSED, &about, "model %s: refused: %s", name, err->text);
	return code;
}

int transfer_install(struct job *job, struct error *err)
{
	owned(loaded_model_unref) struct loaded_model *loaded = NULL;
	struct store_command *command = job->command;
	struct registry_tried tried = {0};
	if (is_pinned(&job->model)) {
		return error_set(err, -EPERM, "model %s is pinned", command->model);
	}
	const struct candidate_source source = candidate_given(command->fd, command->uid);
	const struct digest replaced_file = replaced_file_of(&job->model);
	int code = install_candidate(job, &source, &replaced_file, &tried, &loaded, err);
	if (code < 0) {
		return refuse(job, code, err);
	}
	if (loaded) {
		job_finish(job, JOB_READY, 0, take(loaded), "");
		job_sweep(job);
	}
	return reply_with_version(command, &job->model.manifest);
}

/* ---- export */

static int part_write(
	int to, enum bundle_part part, const struct store *store, const struct digest *digest)
{
	struct import_identity identity;
	owned_fd int blob = -1;
	if (digest_is_zero(digest)) {
		return 0;
	}
	int code = blobs_open(store->blobs_ro, digest, &blob);
	if (code == 0) {
		code = import_identify(blob, &identity);
	}
	return code < 0 ? code : bundle_write_file(to, part, blob, identity.size);
}

static int version_write(
	int to, const char *name, const struct store *store, const struct manifest_version *version)
{
	const struct {
		enum bundle_part part;
		const struct digest *digest;
	} parts[] = {{BUNDLE_MINISIG, &version->minisig}, {BUNDLE_MODEL, &version->model},
		{BUNDLE_LABELS, &version->labels}, {BUNDLE_GOLDEN, &version->golden},
		{BUNDLE_CONF, &version->conf}, {BUNDLE_EXAMPLES, &version->examples}};
	int code = bundle_write_name(to, name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == 0; i++) {
		code = part_write(to, parts[i].part, store, parts[i].digest);
	}
	return code < 0 ? code : bundle_write_end(to);
}

int transfer_export(struct job *job, struct error *err)
{
	struct import_identity identity;
	struct store_command *command = job->command;
	const struct store *store = job->load->store;
	const struct manifest *manifest = &job->model.manifest;
	int code = check_regular(command->fd, &identity, err);
	if (code == 0 && (!job->has_model || digest_is_zero(&manifest->active))) {
		code = error_set(err, -ENOENT, "model %s: there is no such model", command->model);
	}
	if (code < 0) {
		return code;
	}
	if (store->blobs < 0) {
		return error_set(
			err, -EOPNOTSUPP, "without a state folder nothing is kept to export");
	}
	code = version_write(
		command->fd, manifest->name, store, manifest_find(manifest, &manifest->active));
	return code < 0 ? error_set(err, code, "writing the bundle: %s", strerror(-code))
			: reply_with_version(command, manifest);
}

/* ---- remove */

int transfer_remove(struct job *job, struct error *err)
{
	const struct store_command *command = job->command;
	if (is_pinned(&job->model)) {
		return error_set(err, -EPERM, "model %s is pinned", command->model);
	}
	if (job->model.folder_scan) {
		return error_set(err, -EPERM,
			"model %s has a file in the models folder: it goes when that goes",
			command->model);
	}
	store_history_add(
		job->load->store, command->model, "to be removed, by uid %u", command->uid);
	int code = job_remove(job, false, err);
	job_sweep(job);
	return code;
}
