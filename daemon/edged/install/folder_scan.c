/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/folder_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text/utf8.h"
#include "daemon/edged/install/install.h"
#include "daemon/edged/install/watch.h"

/* State of one model's scan. */
struct model_scan {
	struct job *job;
	struct registry_model *model; /* of the job */
	/* attempts of the last scan; those of this scan follow in a list of their own */
	size_t n_before;
	struct registry_tried before[REGISTRY_MAX_TRIED];
	enum job_outcome outcome; /* JOB_REFUSED until a version serves */
	uint64_t version; /* version tried last */
	struct loaded_model *loaded;
	char reason[REGISTRY_REASON_SIZE]; /* why the highest version does not serve */
};

static const struct registry_tried *tried_find(
	const struct model_scan *scan, const struct candidate_source *source)
{
	struct candidate_identity now;
	candidate_identify(source, &now);
	for (size_t i = 0; i < scan->n_before; i++) {
		const struct registry_tried *tried = &scan->before[i];
		if (tried->settled && tried->number == source->number &&
			tried->bundle == source->bundle && candidate_same(&tried->identity, &now)) {
			return tried;
		}
	}
	return NULL;
}

static void refused(struct model_scan *scan, const struct registry_tried *tried)
{
	if (scan->reason[0] != 0) {
		return;
	}
	if (tried->number == 0) {
		snprintf(scan->reason, sizeof(scan->reason), "%s", tried->reason);
	} else {
		snprintf(scan->reason, sizeof(scan->reason), "version %" PRIu64 ": %s",
			tried->number, tried->reason);
		utf8_end(scan->reason);
	}
}

/* Returns true if the last scan refused it for this reason: no new line in the history. */
static bool is_known(const struct model_scan *scan, const struct registry_tried *tried)
{
	for (size_t i = 0; i < scan->n_before; i++) {
		if (scan->before[i].number == tried->number &&
			scan->before[i].bundle == tried->bundle) {
			return strcmp(scan->before[i].reason, tried->reason) == 0 &&
				candidate_same(&scan->before[i].identity, &tried->identity);
		}
	}
	return false;
}

static void version_install(struct model_scan *scan, const struct candidate_source *source,
	struct registry_tried *tried)
{
	struct error err = {0};
	static const struct digest none;
	struct job *job = scan->job;
	job->ask(job->ask_context, JOB_LOADING);
	int code = install_candidate(job, source, &none, tried, &scan->loaded, &err);
	tried->settled = candidate_settled(code > 0 ? 0 : code, &tried->identity);
	if (code < 0) {
		/* Frees the blob before the next version needs disk space. */
		job_sweep(job);
		snprintf(tried->reason, sizeof(tried->reason), "%.*s",
			(int)sizeof(tried->reason) - 1, err.text);
		refused(scan, tried);
		if (code != -ECANCELED && !is_known(scan, tried)) {
			store_history_add(job->load->store, scan->model->manifest.name,
				"refused: %s", err.text);
		}
		return;
	}
	scan->outcome = code > 0 ? JOB_KEPT : JOB_READY;
}

/* Returns true if the version that serves is this file or replaced it. */
static bool stands(const struct job *job, const struct digest *digest)
{
	return digest_equal(digest, &job->serving) ||
		(!digest_is_zero(&job->serving) &&
			digest_equal(digest, &job->model.manifest.replaced_file));
}

/* Tries one version, unless a higher one serves already. */
static void version_try(struct model_scan *scan, const struct candidate_source *source)
{
	struct registry_model *model = scan->model;
	if (scan->outcome != JOB_REFUSED) {
		return;
	}
	const struct registry_tried *before = tried_find(scan, source);
	struct registry_tried *tried = &model->tried[model->n++];
	scan->version = source->number;
	if (before && before->reason[0] != 0) {
		*tried = *before;
		refused(scan, tried);
	} else if (before && stands(scan->job, &before->digest)) {
		*tried = *before;
		scan->outcome = JOB_KEPT;
	} else {
		*tried =
			(struct registry_tried){.number = source->number, .bundle = source->bundle};
		version_install(scan, source, tried);
	}
}

/* Records an unreadable folder. A folder that vanished, or a dangling link, is ignored. */
static void folder_refused(struct model_scan *scan, uint64_t number, int code)
{
	if (code == -ENOENT || code == -ENOTDIR || code == -ELOOP) {
		return;
	}
	struct registry_tried *tried = &scan->model->tried[scan->model->n++];
	*tried = (struct registry_tried){.number = number};
	scan->version = number;
	snprintf(tried->reason, sizeof(tried->reason), "%s", candidate_why(code));
	refused(scan, tried);
}

/* Tries a version folder. A folder without a model is watched if @waits, for a file to come. */
static void folder_try(struct model_scan *scan, int folder, uint64_t number, bool waits)
{
	char name[LOADED_MODEL_VERSION_SIZE];
	owned_fd int inside = -1;
	snprintf(name, sizeof(name), "%" PRIu64, number);
	int code = import_open(folder, name, O_DIRECTORY, &inside);
	if (code == 0 && waits) {
		watch_folder(scan->job->load->watch, inside);
	}
	if (code == 0 && faccessat(inside, "model.tflite", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		code = -errno;
	}
	if (code < 0) {
		folder_refused(scan, number, code);
		return;
	}
	if (!waits) {
		watch_folder(scan->job->load->watch, inside);
	}
	struct candidate_source source = candidate_nested(inside, number);
	version_try(scan, &source);
}

static void folders_try(struct model_scan *scan, int models)
{
	owned_fd int folder = -1;
	owned_mem uint64_t *versions = NULL;
	size_t n = 0;
	int code = import_open(models, scan->model->manifest.name, O_DIRECTORY, &folder);
	if (code == 0) {
		watch_folder(scan->job->load->watch, folder);
		code = models_folder_versions(folder, &versions, &n);
	}
	if (code < 0) {
		folder_refused(scan, 0, code);
		return;
	}
	/* Empty folders do not count, but only a limited number is watched, because a user's
	 * inotify watches are limited. */
	for (size_t i = 0;
		i < n && scan->outcome == JOB_REFUSED && scan->model->n < SCAN_MAX_VERSIONS; i++) {
		folder_try(scan, folder, versions[i], i < SCAN_MAX_VERSIONS);
	}
}

static void model_scan_init(struct model_scan *scan, struct job *job)
{
	struct registry_model *model = &job->model;
	*scan = (struct model_scan){
		.job = job, .model = model, .outcome = JOB_REFUSED, .n_before = model->n};
	memcpy(scan->before, model->tried, model->n * sizeof(model->tried[0]));
	model->n = 0;
}

void folder_scan_model(struct job *job)
{
	struct model_scan scan;
	struct models_folder_model *found = &job->found;
	struct registry_model *model = &job->model;
	const int folder = job->folder->fd;
	if (!found->name[0] && !models_folder_find(folder, model->manifest.name, found)) {
		found->name[0] = 0;
		return;
	}
	if (model->manifest.pinned && !digest_is_zero(&job->serving)) {
		model->folder_scan = model->seen = true; /* no scan changes a pinned model */
		return;
	}
	model_scan_init(&scan, job);
	if (found->folder) {
		folders_try(&scan, folder);
	}
	if (found->bundle) {
		struct candidate_source source = candidate_bundle(folder, model->manifest.name);
		version_try(&scan, &source);
	}
	if (found->file) {
		struct candidate_source source = candidate_flat(folder, model->manifest.name);
		version_try(&scan, &source);
	}
	/* A folder without a model file is no model, unless it was one before. */
	if (model->n > 0) {
		model->folder_scan = model->seen = true;
		job_finish(job, scan.outcome, scan.version, take(scan.loaded), scan.reason);
	}
}

/* ---- the folder */

static void folder_watch(const struct load_context *load, struct job_folder *folder)
{
	bool before = folder->unwatched;
	folder->unwatched = !watch_folder(load->watch, folder->fd);
	if (folder->unwatched && !before) {
		log_warning(load->store->log,
			"the models folder cannot be watched: the system's limit is reached");
	}
}

void folder_scan_list(struct job *job)
{
	const struct load_context *load = job->load;
	struct job_folder *folder = job->folder;
	struct stat st;
	job->keys_changed = trust_load(load->trust, load->config, load->store->log);
	watch_way(load->watch, load->config->models);
	if (load->network) {
		atomic_store(load->network, watch_is_network(load->config->models));
	}
	folder->fd = open(load->config->models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0 || fstat(folder->fd, &st) < 0) {
		job->code = -errno;
		return;
	}
	folder->device = st.st_dev;
	folder->inode = st.st_ino;
	folder_watch(load, folder);
	job->code = models_folder_list(folder->fd, load->config->max_models, &folder->models,
		&folder->n, &folder->left_out);
}

/* Returns true if the path still names the folder that was listed. A folder replaced during the
 * scan may have been empty, which does not remove models. */
static bool is_still_there(const struct job *job)
{
	struct stat now;
	return stat(job->load->config->models, &now) == 0 && now.st_dev == job->folder->device &&
		now.st_ino == job->folder->inode;
}

void folder_scan_gone(struct job *job)
{
	struct error err = {0};
	if (!is_still_there(job)) {
		return;
	}
	job->model.folder_scan = false;
	if (job->removes && job_remove(job, true, &err) < 0) {
		log_warning(
			job->load->store->log, "model %s: %s", job->model.manifest.name, err.text);
	}
}
