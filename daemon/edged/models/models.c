/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/models.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "daemon/edged/store/few_shot_store.h"
#include "daemon/system/notice.h"

#define LEAST_RUNS 5 /* runs before the usual run time is known */

void models_init(struct models *models, const struct log *log)
{
	*models = (struct models){.log = log};
}

/* ---- counters from before a restart */

void models_keep_counters(struct models *models, const char *name, const struct counters *counters)
{
	struct models_restored *restored = calloc(1, sizeof(*restored));
	struct counters *own = malloc(sizeof(*own));
	if (!restored || !own) {
		free(restored);
		free(own);
		return;
	}
	*own = *counters;
	snprintf(restored->name, sizeof(restored->name), "%s", name);
	restored->counters = own;
	restored->next = models->restored;
	models->restored = restored;
}

/* Removes and returns the saved counters of @name; NULL: none. */
static struct counters *take_counters(struct models *models, const char *name)
{
	struct models_restored **at = &models->restored;
	while (*at && strcmp((*at)->name, name) != 0) {
		at = &(*at)->next;
	}
	struct models_restored *restored = *at;
	if (!restored) {
		return NULL;
	}
	struct counters *counters = restored->counters;
	*at = restored->next;
	free(restored);
	return counters;
}

static void drop_restored(struct models *models)
{
	while (models->restored) {
		free(take_counters(models, models->restored->name));
	}
}

void models_drop_restored_counters(struct models *models)
{
	if (models->scans_done > 0) {
		drop_restored(models);
	}
}

/* ---- the table */

void models_deinit(struct models *models)
{
	drop_restored(models);
	for (size_t i = 0; i < models->n; i++) {
		loaded_model_unref(models->entries[i].loaded);
		loaded_model_unref(models->entries[i].previous);
		free(models->entries[i].counters);
	}
	free(models->entries);
	scan_deinit(&models->scan);
	registry_deinit(&models->registry);
	*models = (struct models){0};
}

/* Returns the index of @name, or the index to insert it at. */
static size_t find_position(
	const struct models *models, const char *name, size_t length, bool *ret_there)
{
	size_t low = 0, high = models->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = models->entries[middle].name;
		size_t other_length = strlen(other);
		int order = memcmp(other, name, other_length < length ? other_length : length);
		order = order == 0 ? (other_length > length) - (other_length < length) : order;
		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		*(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
	}
	*ret_there = false;
	return low;
}

struct models_entry *models_find(struct models *models, const char *name)
{
	bool there = false;
	size_t at = find_position(models, name, strlen(name), &there);
	return there ? &models->entries[at] : NULL;
}

/* Finds or inserts model @name; NULL without memory. */
static struct models_entry *add(struct models *models, const char *name)
{
	bool there = false;
	size_t at = find_position(models, name, strlen(name), &there);
	if (there) {
		return &models->entries[at];
	}
	struct models_entry *entry = array_insert(&models->entries, at, &models->n, sizeof(*entry));
	if (!entry) {
		return NULL;
	}
	memcpy(entry->name, name, strlen(name) + 1);
	entry->counters = take_counters(models, name);
	return entry;
}

static void drop(struct models *models, const char *name)
{
	bool there = false;
	size_t at = find_position(models, name, strlen(name), &there);
	if (there) {
		loaded_model_unref(models->entries[at].loaded);
		loaded_model_unref(models->entries[at].previous);
		free(models->entries[at].counters);
		array_remove(&models->entries, at, &models->n, sizeof(models->entries[0]));
	}
}

static void about_set(struct models_entry *model, const struct registry_model *record)
{
	static const struct digest none;
	const struct manifest *manifest = &record->manifest;
	const struct manifest_version *serves = manifest_find(manifest, &model->serving);
	const struct manifest_version *good = manifest_find(manifest, &manifest->last_good);
	model->facts = (struct models_facts){
		.digest = model->serving,
		.since = serves ? serves->since : 0,
		.by = serves ? serves->by : 0,
		.last_good = good ? good->version : 0,
		.good = good ? good->model : none,
		.trial = manifest->trial && digest_equal(&model->serving, &manifest->active),
		.pinned = manifest->pinned,
		.taught = serves ? few_shot_store_stamp(&serves->examples) : 0,
	};
}

void models_update_facts(struct models *models, const struct registry_model *record)
{
	struct models_entry *model = models_find(models, record->manifest.name);
	if (model) {
		about_set(model, record);
	}
}

/* ---- results of jobs */

/* Starts the trial if the new version is on trial. */
static void probation_start(struct models_entry *model)
{
	uint64_t usual = model->runs >= LEAST_RUNS ? model->run_ns / model->runs : 0;
	model->probation = (struct probation){0};
	if (model->facts.trial) {
		probation_begin(&model->probation, usual, clock_now_ns());
	}
}

void models_drop_previous(struct models_entry *model)
{
	loaded_model_unref(model->previous);
	model->previous = NULL;
}

/* Keeps the version that serves as @before, if it is good or comparison needs it, and drops an old
 * one. */
static void before_keep(const struct models *models, struct models_entry *model)
{
	struct loaded_model *loaded = take(model->loaded);
	const bool good = loaded && digest_equal(&loaded->digest, &model->facts.good);
	if (!model->facts.trial) {
		models_drop_previous(model);
	} else if (!model->previous && (good || models->keeps_previous)) {
		model->previous = take(loaded);
		model->previous_bytes = model->bytes;
	}
	loaded_model_unref(loaded);
}

static void model_ready(struct models *models, struct models_entry *model, struct job *job)
{
	const struct edge_model_info *info = edge_model_info(job->loaded->model);
	const struct loaded_model_use use = model->loaded ? model->loaded->use : model->use;
	char replaced[LOADED_MODEL_VERSION_SIZE] = "";
	if (model->loaded) {
		memcpy(replaced, model->loaded->version, sizeof(replaced));
	}
	before_keep(models, model);
	model->loaded = take(job->loaded);
	model->loaded->generation = ++models->generation;
	models->swapped = true;
	model->loaded->use =
		use.last_ns ? use : (struct loaded_model_use){.last_ns = clock_now_ns()};
	model->broken = model->unloaded = model->load_requested = model->load_queued = false;
	model->bytes = loaded_model_bytes(model->loaded);
	model->trial_passed = false;
	probation_start(model);
	const struct notice_about about = {.model = model->name,
		.version = model->loaded->version,
		.digest = &model->loaded->digest};
	notice(models->log, replaced[0] ? NOTICE_MODEL_REPLACED : NOTICE_MODEL_READY, &about,
		"model %s version %s: ready, %llu bytes, arena %llu bytes%s%s", model->name,
		model->loaded->version, (unsigned long long)info->file_bytes,
		(unsigned long long)info->arena_bytes, replaced[0] ? ", in place of version " : "",
		replaced);
}

void models_unload(struct models_entry *model, const char *why)
{
	if (model->loaded) {
		model->use = model->loaded->use;
		snprintf(model->why, sizeof(model->why), "%s", why);
		model->unloaded = true;
		model->probation = (struct probation){0};
		models_drop_previous(model);
		loaded_model_unref(take(model->loaded));
	}
}

static void model_lost(struct models_entry *model)
{
	models_drop_previous(model);
	loaded_model_unref(take(model->loaded));
	model->probation = (struct probation){0};
	model->unloaded = model->load_requested = model->load_queued = false;
	model->serving = (struct digest){0};
}

static void reason_set(struct models *models, struct models_entry *model, const char *reason)
{
	if (strcmp(model->reason, reason) != 0 && reason[0] != 0) {
		const struct notice_about about = {.model = model->name};
		notice(models->log, NOTICE_MODEL_REFUSED, &about, "model %s: refused: %s",
			model->name, reason);
	}
	snprintf(model->reason, sizeof(model->reason), "%s", reason);
}

static void model_apply(struct models *models, struct models_entry *model, struct job *job,
	struct registry_model *record)
{
	model->loading = model->loading && job->outcome == JOB_MANIFEST_CHANGED;
	if (job->outcome == JOB_UNLOADABLE) {
		model_lost(model);
	}
	if (job->outcome == JOB_READY) {
		model->serving = job->loaded->digest;
		record->lost = false;
	}
	about_set(model, record);
	if (job->outcome == JOB_MANIFEST_CHANGED) {
		return;
	}
	reason_set(models, model, job->reason);
	if (job->outcome == JOB_READY) {
		model_ready(models, model, job);
	}
	if (model->loaded) {
		memcpy(model->version, model->loaded->version, sizeof(model->version));
	} else if (!model->unloaded) {
		snprintf(model->version, sizeof(model->version), "%" PRIu64, job->version);
	}
}

static void model_removed(struct models *models, const char *name)
{
	const struct notice_about about = {.model = name};
	notice(models->log, NOTICE_MODEL_REMOVED, &about, "model %s: removed", name);
	drop(models, name);
}

bool models_apply(struct models *models, struct job *job, struct registry_model *record)
{
	const char *name = record->manifest.name;
	if (job->outcome == JOB_NOTHING) {
		return false;
	}
	if (job->outcome == JOB_REMOVED) {
		model_removed(models, name);
		return true;
	}
	struct models_entry *model = add(models, name);
	if (!model) {
		log_error(models->log, "model %s: out of memory, the next scan retries", name);
		registry_invalidate_model(record);
		return false;
	}
	model_apply(models, model, job, record);
	return job->outcome == JOB_READY || job->outcome == JOB_UNLOADABLE;
}

bool models_handle_question(struct models *models, const char *name, enum job_question question)
{
	struct models_entry *model =
		question == JOB_LOADING ? add(models, name) : models_find(models, name);
	if (!model) {
		return false; /* without memory it is not shown as loading */
	}
	switch (question) {
	case JOB_LOADING:
		model->loading = true;
		break;
	case JOB_ALONE:
		if (!models->keeps_previous) {
			models_drop_previous(model);
		}
		break;
	case JOB_UNLOAD:
		models_unload(model, "for a new version");
		return true;
	}
	return false;
}

/* ---- trials */

static struct probation_limits limits_of(const struct config *config)
{
	return (struct probation_limits){.runs = config->probation_requests,
		.time_ns = config->probation_time_ms * UINT64_C(1000000),
		.slower = config->probation_slower,
		.differ = config->probation_differ};
}

/* Rolls back without the loader if the good version is in memory. A user of that version would see
 * its generation change, so it must be idle. The loader updates the store afterwards. */
static void roll_back_in_memory(struct models *models, struct models_entry *model)
{
	struct loaded_model *before = model->previous;
	if (!before || model->facts.pinned || !loaded_model_idle(before) ||
		edge_model_broken(before->model) ||
		!digest_equal(&before->digest, &model->facts.good)) {
		return;
	}
	before->generation = ++models->generation;
	models->swapped = true;
	before->use = model->loaded->use;
	loaded_model_unref(model->loaded);
	model->loaded = take(model->previous);
	/* manifest_prepare_replacement() can make a version good that never passed its trial. */
	atomic_store(&model->loaded->on_trial, false);
	model->serving = model->loaded->digest;
	models_update_facts(models, registry_find(&models->registry, model->name));
	model->bytes = model->previous_bytes;
	probation_reason(&model->probation, model->reason, sizeof(model->reason));
	model->probation = (struct probation){0};
	memcpy(model->version, model->loaded->version, sizeof(model->version));
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &model->loaded->digest};
	notice(models->log, NOTICE_MODEL_REPLACED, &about, "model %s version %s: ready again",
		model->name, model->version);
}

static void verdict_failed(
	struct models *models, struct models_entry *model, struct store_command *command)
{
	command->verb = STORE_COMMAND_TRIAL_FAILED;
	probation_reason(&model->probation, command->argument, sizeof(command->argument));
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &command->digest};
	notice(models->log, NOTICE_MODEL_FAILED, &about, "model %s version %s: %s", model->name,
		model->version, command->argument);
	model->trial_passed = false;
	roll_back_in_memory(models, model); /* else the loader loads the version before */
	models_drop_previous(model);
}

static void verdict_proved(struct models_entry *model, struct store_command *command)
{
	command->verb = STORE_COMMAND_TRIAL_PASSED;
	model->trial_passed = true;
	atomic_store(&model->loaded->on_trial, false);
	model->runs = model->probation.outcomes[PROBATION_FINE];
	model->run_ns = model->probation.run_ns;
	models_drop_previous(model);
}

/* Orders the loader to record the verdict in the store. */
static void queue_verdict(struct models *models, struct loader *loader, const struct config *config,
	struct models_entry *model, enum probation_verdict verdict)
{
	struct store_command *command = verdict == PROBATION_GOES_ON ? NULL : store_command_new();
	if (!command) {
		/* Without memory the trial goes on. */
		model->probation.on = model->probation.on || verdict != PROBATION_GOES_ON;
		return;
	}
	command->digest = model->loaded->digest;
	memcpy(command->model, model->name, sizeof(command->model));
	if (verdict == PROBATION_PASSED) {
		verdict_proved(model, command);
	} else {
		verdict_failed(models, model, command);
	}
	loader_queue_command(loader, config, command);
}

/* Returns the model that @loaded serves; NULL after a replacement. */
static struct models_entry *model_of(struct models *models, const struct loaded_model *loaded)
{
	struct models_entry *model = models_find(models, loaded->name);
	return model && model->loaded == loaded ? model : NULL;
}

void models_note_run(struct models *models, struct loader *loader, const struct config *config,
	const struct loaded_model *loaded, enum probation_outcome outcome, uint64_t run_ns)
{
	struct models_entry *model = model_of(models, loaded);
	if (!model) {
		return;
	}
	if (!model->probation.on) {
		model->runs += outcome == PROBATION_FINE && run_ns > 0;
		model->run_ns += outcome == PROBATION_FINE ? run_ns : 0;
		return;
	}
	const struct probation_limits limits = limits_of(config);
	const enum probation_verdict verdict =
		probation_count(&model->probation, &limits, outcome, run_ns);
	model->trial_passed = probation_trial_passed(&model->probation);
	queue_verdict(models, loader, config, model, verdict);
}

struct loaded_model *models_previous(struct models *models, const struct loaded_model *loaded)
{
	struct models_entry *model = model_of(models, loaded);
	return model && model->probation.on ? model->previous : NULL;
}

struct loaded_model *models_sample(
	struct models *models, const struct config *config, const struct loaded_model *loaded)
{
	struct models_entry *model = models->keeps_previous ? model_of(models, loaded) : NULL;
	if (!model || !model->probation.on || !model->previous) {
		return NULL;
	}
	model->sample_percent += (unsigned int)config->probation_shadow;
	if (model->sample_percent < 100) {
		return NULL;
	}
	model->sample_percent -= 100;
	return model->previous;
}

void models_note_compared(struct models *models, struct loader *loader, const struct config *config,
	const struct loaded_model *loaded, bool differs)
{
	struct models_entry *model = model_of(models, loaded);
	if (model && model->probation.on) {
		const struct probation_limits limits = limits_of(config);
		queue_verdict(models, loader, config, model,
			probation_compare(&model->probation, &limits, differs));
	}
}

void models_note_broken(struct models *models, struct loader *loader, const struct config *config,
	const struct loaded_model *loaded)
{
	struct models_entry *model = model_of(models, loaded);
	if (!model || model->broken) {
		return;
	}
	struct store_command *command = store_command_new();
	if (!command) {
		return; /* the next failed read retries */
	}
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &loaded->digest};
	notice(models->log, NOTICE_MODEL_BROKEN, &about,
		"model %s version %s: the disk did not give a part of it", model->name,
		model->version);
	model->broken = true;
	command->verb = STORE_COMMAND_READ_ERROR;
	command->digest = loaded->digest;
	memcpy(command->model, model->name, sizeof(command->model));
	loader_queue_command(loader, config, command);
	loader_scan(loader, config); /* the models folder may have an intact file */
}

uint64_t models_check_trials(
	struct models *models, struct loader *loader, const struct config *config)
{
	const struct probation_limits limits = limits_of(config);
	const uint64_t now = clock_now_ns();
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < models->n; i++) {
		struct models_entry *model = &models->entries[i];
		const bool used = model->loaded && !loaded_model_idle(model->loaded);
		queue_verdict(models, loader, config, model,
			probation_check_time(&model->probation, &limits, used, now));
		const uint64_t left = probation_left(&model->probation, &limits, now);
		next = left < next ? left : next;
	}
	return next;
}

const char *models_model_state(const struct models_entry *model)
{
	return model->loaded      ? "ready"
		: model->loading  ? "loading"
		: model->unloaded ? "unloaded"
				  : "refused";
}

struct models_count models_count(const struct models *models)
{
	struct models_count count = {0};
	for (size_t i = 0; i < models->n; i++) {
		const struct models_entry *model = &models->entries[i];
		count.ready += model->loaded != NULL;
		count.loading += !model->loaded && model->loading;
		count.unloaded += !model->loaded && !model->loading && model->unloaded;
		count.refused += !model->loaded && !model->loading && !model->unloaded;
	}
	return count;
}

static int missing(const struct models *models, const char *escaped, struct error *err)
{
	return models->scans_done == 0
		? error_set(err, -EAGAIN, "model %s: the models are still being loaded", escaped)
		: error_set(err, -ENOENT, "model %s: there is no such model", escaped);
}

int models_get(const struct models *models, struct wire_text name, struct wire_text version,
	struct loaded_model **ret_loaded, struct error *err)
{
	char escaped[100], escaped_version[40];
	bool there = false;
	size_t at = name.length > 0 && name.length < LOADED_MODEL_NAME_SIZE
		? find_position(models, name.data, name.length, &there)
		: 0;
	if (!there) {
		error_escape(escaped, sizeof(escaped), name.data, name.length);
		return missing(models, escaped, err);
	}
	struct models_entry *model = &models->entries[at];
	if (model->unloaded) {
		return 1;
	}
	if (!model->loaded) {
		error_escape(escaped, sizeof(escaped), name.data, name.length);
		return model->loading
			? error_set(err, -EAGAIN, "model %s: it is still being loaded", escaped)
			: error_set(err, -EBADMSG, "model %s: refused: %s", escaped, model->reason);
	}
	if (version.length > 0 && !wire_text_is(version, "0") &&
		!wire_text_is(version, model->version)) {
		error_escape(escaped, sizeof(escaped), name.data, name.length);
		error_escape(
			escaped_version, sizeof(escaped_version), version.data, version.length);
		return error_set(err, -ENOENT, "model %s: version %s serves, not %s", escaped,
			model->version, escaped_version);
	}
	*ret_loaded = loaded_model_ref(model->loaded);
	return 0;
}

void models_request_load(struct models *models, const char *name)
{
	struct models_entry *model = models_find(models, name);
	if (model && model->unloaded) {
		model->load_requested = true;
	}
}
