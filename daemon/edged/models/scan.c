/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/scan.h"

#include <stdlib.h>
#include <string.h>

static void folder_close(struct job_folder *folder)
{
	own_close_fd(&folder->fd);
	free(folder->models);
	*folder = (struct job_folder){.fd = -1, .unwatched = folder->unwatched};
}

void scan_begin(const struct scan_view *view, uint64_t number)
{
	struct scan *scan = view->scan;
	const struct scan before = *scan;
	*scan = (struct scan){.on = true,
		.number = number,
		.device = before.device,
		.folder = {.fd = -1, .unwatched = before.folder.unwatched},
		.logged = before.logged};
	for (size_t i = 0; i < view->registry->n; i++) {
		view->registry->models[i]->seen = false;
	}
}

void scan_deinit(struct scan *scan)
{
	if (scan->on) {
		folder_close(&scan->folder);
	}
}

/* ---- steps; each returns false when it is over */

static bool model_job(struct job *job, enum job_kind kind, const struct registry_model *model)
{
	job->kind = kind;
	job->has_model = true;
	job->model = *model;
	return true;
}

static bool is_serving(const struct scan_view *view, const struct registry_model *model)
{
	const struct digest serving = view->serving(view->context, model);
	return !digest_is_zero(&serving);
}

static struct registry_model *record_next(const struct scan_view *view)
{
	struct scan *scan = view->scan;
	return scan->at < view->registry->n ? view->registry->models[scan->at++] : NULL;
}

static bool next_restore(const struct scan_view *view, struct job *job)
{
	for (struct registry_model *model; (model = record_next(view));) {
		if (!model->restored && !digest_is_zero(&model->manifest.active) &&
			!is_serving(view, model)) {
			model->restored = true;
			return model_job(job, JOB_RESTORE, model);
		}
	}
	return false;
}

static bool next_list(const struct scan_view *view, struct job *job)
{
	job->kind = JOB_LIST;
	return view->scan->at++ == 0;
}

static bool next_known(const struct scan_view *view, struct job *job)
{
	for (struct registry_model *model; (model = record_next(view));) {
		if (registry_is_known(model)) {
			return model_job(job, JOB_SCAN_MODEL, model);
		}
	}
	return false;
}

/* New models by name, up to max-models. */
static bool next_new(const struct scan_view *view, struct job *job)
{
	struct scan *scan = view->scan;
	struct job_folder *folder = &scan->folder;
	while (scan->at < folder->n) {
		const struct models_folder_model *found = &folder->models[scan->at++];
		if (registry_is_known(registry_find(view->registry, found->name))) {
			continue;
		}
		if (scan->n_there >= view->config->max_models) {
			folder->left_out.n++;
			continue;
		}
		struct registry_model *model = registry_add(view->registry, found->name);
		if (!model) {
			log_warning(view->log, "the models folder: out of memory");
			scan->whole = false;
			return false;
		}
		job->found = *found;
		return model_job(job, JOB_SCAN_MODEL, model);
	}
	return false;
}

/* Returns true if the version that serves came from the models folder, so its removal there
 * counts. */
static bool is_folders(const struct registry_model *model)
{
	const struct manifest_version *active =
		manifest_find(&model->manifest, &model->manifest.active);
	return !active || !active->installed;
}

/* A different device means a mount or unmount, which does not remove models. */
static bool next_gone(const struct scan_view *view, struct job *job)
{
	const struct scan *scan = view->scan;
	for (struct registry_model *model; scan->whole && (model = record_next(view));) {
		if (!model->seen && model->folder_scan && !model->manifest.pinned) {
			job->removes = scan->device == scan->folder.device && is_folders(model);
			return model_job(job, JOB_GONE, model);
		}
	}
	return false;
}

/* Removed models above the limit. */
static bool next_forget(const struct scan_view *view, struct job *job)
{
	const struct registry *registry = view->registry;
	for (size_t i = 0; i < registry->n && registry->n > 2 * view->config->max_models; i++) {
		const struct registry_model *model = registry->models[i];
		if (digest_is_zero(&model->manifest.active) && model->manifest.signed_newest == 0 &&
			!is_serving(view, model)) {
			return model_job(job, JOB_FORGET, model);
		}
	}
	return false;
}

static bool next_sweep(const struct scan_view *view, struct job *job)
{
	job->kind = JOB_SWEEP;
	return view->scan->at++ == 0;
}

/* Logs ignored entries once, until they change. */
static void log_left_out(const struct scan_view *view)
{
	struct models_folder_left_out *logged = &view->scan->logged;
	const struct models_folder_left_out *now = &view->scan->folder.left_out;
	char name[sizeof(now->name)];
	const char *escaped = error_escape(name, sizeof(name), now->name, strlen(now->name));
	const bool same = now->n == logged->n && strcmp(now->name, logged->name) == 0;
	*logged = *now;
	if (now->n > 0 && !same) {
		log_warning(view->log,
			"%zu entries of the models folder are no models, or above max-models%s%s",
			now->n, escaped[0] ? ": " : "", escaped);
	}
}

static void scan_end(const struct scan_view *view)
{
	struct scan *scan = view->scan;
	if (scan->whole) {
		scan->device = scan->folder.device;
	}
	log_left_out(view);
	folder_close(&scan->folder);
	scan->on = false;
}

bool scan_next(const struct scan_view *view, struct job *job)
{
	static bool (*const nexts[SCAN_STEPS])(const struct scan_view *view, struct job *job) = {
		[SCAN_RESTORE] = next_restore,
		[SCAN_LIST] = next_list,
		[SCAN_KNOWN] = next_known,
		[SCAN_NEW] = next_new,
		[SCAN_GONE] = next_gone,
		[SCAN_FORGET] = next_forget,
		[SCAN_SWEEP] = next_sweep,
	};
	struct scan *scan = view->scan;
	job->folder = &scan->folder;
	while (scan->step < SCAN_STEPS) {
		if (nexts[scan->step](view, job)) {
			return true;
		}
		scan->step++;
		scan->at = 0;
	}
	scan_end(view);
	return false;
}

/* ---- results */

/* Listed models that are known count as left out until they are looked at. */
static void take_list(const struct scan_view *view, const struct job *job)
{
	struct scan *scan = view->scan;
	struct job_folder *folder = &scan->folder;
	scan->whole = job->code == 0;
	if (job->code < 0) {
		log_warning(view->log, "the models folder %s: %s", view->config->models,
			strerror(-job->code));
		scan->step = SCAN_FORGET;
		scan->at = 0;
	}
	for (size_t i = 0; i < folder->n; i++) {
		folder->left_out.n +=
			registry_is_known(registry_find(view->registry, folder->models[i].name));
	}
}

void scan_take(const struct scan_view *view, const struct job *job)
{
	struct scan *scan = view->scan;
	struct job_folder *folder = &scan->folder;
	if (job->kind == JOB_LIST) {
		take_list(view, job);
	} else if (job->kind == JOB_FORGET) {
		registry_drop(view->registry, job->model.manifest.name);
	} else if (job->kind == JOB_SCAN_MODEL && scan->step == SCAN_NEW) {
		scan->n_there += job->model.folder_scan;
	} else if (job->kind == JOB_SCAN_MODEL && job->found.name[0]) {
		scan->n_there++;
		folder->left_out.n -= folder->left_out.n > 0;
	}
}
