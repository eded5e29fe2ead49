/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/jobs.h"

#include <errno.h>
#include <string.h>

/* ---- what the loop knows of a model */

static struct digest serving_of(void *context, const struct registry_model *record)
{
	static const struct digest none;
	const struct models_entry *model = models_find(context, record->manifest.name);
	return model && !record->lost ? model->serving : none;
}

static void model_fill(struct models *models, struct job *job)
{
	static const struct digest none;
	const struct models_entry *model = models_find(models, job->model.manifest.name);
	job->serving = serving_of(models, &job->model);
	job->trial_passed = model && model->trial_passed ? model->serving : none;
	job->in_memory = model && model->loaded;
	job->bytes = model ? model->bytes : 0;
}

/* ---- the next job */

/* Hands the executed command to loader_finished(). */
static void command_end(struct loader *loader, struct store_command *command)
{
	if (command->number > 0) {
		store_command_append(&loader->done, command);
		return;
	}
	if (command->error.code < 0) {
		log_warning(loader->log, "model %s: %s", command->model, command->error.text);
	}
	store_command_free(command);
}

static bool may_execute(const struct models *models, const struct store_command *command)
{
	return command && (models->scans_done > 0 || models->scan.step >= SCAN_KNOWN) &&
		(command->verb != STORE_COMMAND_INSTALL || !models->scan.on);
}

/* Makes a job of @command. Returns false if it has ended already. */
static bool command_start(
	struct models *models, struct loader *loader, struct store_command *command)
{
	struct job *job = &loader->job;
	const bool installs = command->verb == STORE_COMMAND_INSTALL;
	struct registry_model *record = NULL;
	int code = 0;
	if (installs && !command->named) {
		job->kind = JOB_NAME;
		job->command = command;
		return true;
	}
	if (installs) {
		code = registry_find_or_add(&models->registry, command->model,
			loader->config.max_models, &record, &command->error);
	} else {
		record = registry_find(&models->registry, command->model);
	}
	if (code < 0) {
		command_end(loader, command);
		return false;
	}
	job->kind = JOB_STORE_COMMAND;
	job->command = command;
	if (record) {
		job->has_model = true;
		job->model = *record;
	}
	return true;
}

static bool command_next(struct models *models, struct loader *loader)
{
	while (may_execute(models, loader->commands)) {
		struct store_command *command = loader->commands;
		loader->commands = command->next;
		command->next = NULL;
		if (command_start(models, loader, command)) {
			return true;
		}
	}
	return false;
}

static struct scan_view view_of(struct models *models, const struct loader *loader)
{
	return (struct scan_view){.scan = &models->scan,
		.registry = &models->registry,
		.config = &loader->config,
		.log = models->log,
		.serving = serving_of,
		.context = models};
}

static bool step_next(struct models *models, struct loader *loader)
{
	const struct scan_view view = view_of(models, loader);
	if (!models->scan.on && models->scans_done == loader->scans_wanted) {
		return false;
	}
	if (!models->scan.on) {
		scan_begin(&view, loader->scans_wanted);
	}
	if (scan_next(&view, &loader->job)) {
		return true;
	}
	models->scans_done = models->scan.number;
	return false;
}

/* Fills in the next job. Returns false if there is nothing to do. */
static bool job_next(struct models *models, struct loader *loader)
{
	struct job *job = &loader->job;
	memset(job, 0, sizeof(*job)); /* a temporary would be too large for the stack */
	job->registry = &models->registry;
	if (!models->opened) {
		models->opened = true;
		job->kind = JOB_OPEN;
		return true;
	}
	/* At a scan's end commands and another scan may have waited for it. */
	return command_next(models, loader) || step_next(models, loader) ||
		command_next(models, loader) || step_next(models, loader);
}

/* ---- results */

static void open_take(struct models *models, const struct job *job)
{
	int code = job->code;
	for (size_t i = 0; i < job->n_manifests && code == 0; i++) {
		struct registry_model *record =
			registry_add(&models->registry, job->manifests[i].name);
		if (record) {
			record->manifest = job->manifests[i];
		} else {
			code = -ENOMEM;
		}
	}
	/* The scan of the models folder finds the models again. */
	if (code < 0) {
		log_warning(models->log, "the store: %s", strerror(-code));
	}
}

static void repaired_take(struct models *models, const struct job_repaired *repaired)
{
	for (size_t i = 0; i < models->registry.n; i++) {
		struct registry_model *record = models->registry.models[i];
		if (repaired[i].changed) {
			record->manifest = repaired[i].manifest;
			models_update_facts(models, record);
		}
		if (repaired[i].active_missing) {
			registry_invalidate_model(record);
			record->lost = true;
		}
	}
}

static void command_take(struct models *models, struct loader *loader, struct job *job)
{
	struct store_command *command = take(job->command);
	if (job->kind == JOB_NAME && command->error.code == 0) {
		command->named = true;
		command->next = loader->commands;
		loader->commands = command;
		return;
	}
	if (command->verb == STORE_COMMAND_FORGET_BAD && command->error.code == 0) {
		registry_retry_digest(&models->registry, &command->digest);
	}
	command_end(loader, command);
}

static bool result_take(struct models *models, struct loader *loader)
{
	struct job *job = &loader->job;
	const struct scan_view view = view_of(models, loader);
	struct registry_model *record =
		job->has_model ? registry_find(&models->registry, job->model.manifest.name) : NULL;
	bool changed = false;
	if (record) {
		*record = job->model;
		changed = models_apply(models, job, record);
	}
	if (job->keys_changed) {
		registry_retry(&models->registry);
	}
	if (job->repaired) {
		repaired_take(models, job->repaired);
	}
	if (job->command) {
		command_take(models, loader, job);
	} else if (job->kind == JOB_OPEN) {
		open_take(models, job);
	} else {
		scan_take(&view, job);
	}
	return changed;
}

bool jobs_update(struct models *models, struct loader *loader)
{
	bool changed = false;
	const enum loader_state state = loader_state(loader);
	if (state == LOADER_RUNNING) {
		return false;
	}
	if (state == LOADER_ASKS) {
		changed = models_handle_question(
			models, loader->job.model.manifest.name, loader->question);
		loader_resume(loader);
		return changed;
	}
	if (state == LOADER_DONE) {
		changed = result_take(models, loader);
		loader_take(loader);
	}
	if (job_next(models, loader)) {
		model_fill(models, &loader->job);
		loader_run(loader);
	}
	models_drop_restored_counters(models);
	return changed;
}
