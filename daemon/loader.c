/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "daemon/import.h"
#include "daemon/scan.h"

#define MAX_LABELS ((off_t)1 << 20)

/* A file that was tried, and what came of it. */
struct tried {
	uint64_t version;
	struct import_identity file, labels;
	bool ready;
	bool final; /* refused for what is in the file, whatever the time and the limits */
	char reason[200];
};

struct loader_known {
	char name[SERVED_NAME_SIZE];
	size_t n;
	struct tried tried[SCAN_MAX_VERSIONS + 1];
};

/* ---- to the loop */

static void post(struct loader *loader, struct loader_event *event)
{
	pthread_mutex_lock(&loader->mutex);
	*(loader->last ? &loader->last->next : &loader->first) = event;
	loader->last = event;
	pthread_mutex_unlock(&loader->mutex);
	loader->wake(loader->context);
}

static void event_set_version(struct loader_event *event, uint64_t version)
{
	snprintf(event->version, sizeof(event->version), "%" PRIu64, version);
}

static struct loader_event *event_new(
	enum loader_event_kind kind, const char *name, uint64_t version)
{
	struct loader_event *event = calloc(1, sizeof(*event));
	if (event) {
		event->kind = kind;
		memcpy(event->name, name, strlen(name) + 1);
		event_set_version(event, version);
	}
	return event;
}

/* ---- one file */

/* Where a version's files are. */
struct place {
	int folder; /* borrowed */
	char model[SERVED_NAME_SIZE + 8];
	char labels[SERVED_NAME_SIZE + 12];
};

static int labels_read(int fd, off_t size, char **ret_labels, uint32_t *ret_length)
{
	if (size > MAX_LABELS) {
		return -EFBIG;
	}
	owned_mem char *labels = malloc((size_t)size + 1);
	if (!labels) {
		return -ENOMEM;
	}
	ssize_t n = pread(fd, labels, (size_t)size, 0);
	if (n < 0) {
		return -errno;
	}
	*ret_length = (uint32_t)n;
	*ret_labels = take(labels);
	return 0;
}

/* The labels, if there are any. */
static int labels_load(const struct place *place, struct import_identity *ret_identity,
	char **ret_labels, uint32_t *ret_length, struct error *err)
{
	owned_fd int fd = -1;
	int code = import_open_file(place->folder, place->labels, &fd, ret_identity);
	if (code == -ENOENT) {
		return 0;
	}
	if (code == 0) {
		code = labels_read(fd, ret_identity->size, ret_labels, ret_length);
	}
	return code == 0 ? 0 : error_set(err, code, "the labels: %s", strerror(-code));
}

static struct edge_options options_of(const struct loader *loader, const struct config *config)
{
	return (struct edge_options){
		.backends = backends_builtin(),
		.cpu_features = loader->cpu_features,
		.limits =
			{
				.file_bytes = config->max_file_bytes,
				.arena_bytes = config->max_arena_bytes,
				.macs = config->max_macs,
				.prepared_bytes = config->max_prepared_bytes,
				.nodes = (uint32_t)config->max_nodes,
				.plans = (uint32_t)config->max_plans,
			},
	};
}

static int file_load(struct loader *loader, const struct config *config, const struct place *place,
	struct tried *tried, struct served **ret_served, struct error *err)
{
	owned_fd int fd = -1, copy = -1;
	owned_mem char *labels = NULL;
	uint32_t labels_length = 0;
	struct edge_model *model = NULL;
	const struct edge_options options = options_of(loader, config);
	int code = import_open_file(place->folder, place->model, &fd, &tried->file);
	if (code < 0) {
		return error_set(
			err, code, "%s", code == -EINVAL ? "not a regular file" : strerror(-code));
	}
	code = labels_load(place, &tried->labels, &labels, &labels_length, err);
	if (code == 0) {
		code = import_copy(
			fd, &tried->file, loader->state_folder, config->max_file_bytes, &copy, err);
	}
	if (code == 0) {
		code = edge_model_open_fd(copy, &options, &model, err);
	}
	return code < 0 ? code : served_new(model, take(labels), labels_length, ret_served, err);
}

/* What the two files are now; all zero where there is none. */
static void identify(const struct place *place, struct tried *ret_now)
{
	owned_fd int fd = -1, labels = -1;
	*ret_now = (struct tried){0};
	if (import_open_file(place->folder, place->model, &fd, &ret_now->file) < 0 ||
		import_open_file(place->folder, place->labels, &labels, &ret_now->labels) < 0) {
		return;
	}
}

/* ---- one model */

static struct loader_known *known_find(const struct loader *loader, const char *name)
{
	for (size_t i = 0; i < loader->n_known; i++) {
		if (strcmp(loader->known[i].name, name) == 0) {
			return &loader->known[i];
		}
	}
	return NULL;
}

static const struct tried *tried_find(
	const struct loader_known *before, uint64_t version, const struct place *place)
{
	struct tried now;
	identify(place, &now);
	for (size_t i = 0; before && i < before->n; i++) {
		const struct tried *tried = &before->tried[i];
		if (tried->version == version && (tried->ready || tried->final) &&
			import_same(&tried->file, &now.file) &&
			import_same(&tried->labels, &now.labels)) {
			return tried;
		}
	}
	return NULL;
}

/* What becomes of a model in this scan. */
struct outcome {
	const struct config *config;
	const struct loader_known *before; /* NULL: new */
	struct loader_known *now;
	struct loader_event
		*event; /* what will be posted: there is memory for it before all else */
	enum loader_event_kind kind; /* LOADER_REFUSED until something serves */
	uint64_t version; /* that serves, or was tried last */
	struct served *served;
	char reason[240]; /* why the highest version that was tried does not serve */
};

static void version_refused(struct outcome *outcome, struct tried *tried, const char *text)
{
	if (tried->reason != text) {
		snprintf(tried->reason, sizeof(tried->reason), "%s", text);
	}
	if (outcome->reason[0] != 0) {
		return;
	}
	if (tried->version == 0) {
		snprintf(outcome->reason, sizeof(outcome->reason), "%s", text);
	} else {
		snprintf(outcome->reason, sizeof(outcome->reason), "version %" PRIu64 ": %s",
			tried->version, text);
	}
}

static void version_load(struct loader *loader, struct outcome *outcome, const struct place *place,
	struct tried *tried)
{
	struct error err = {0};
	struct loader_event *loading =
		event_new(LOADER_LOADING, outcome->now->name, tried->version);
	if (loading) {
		post(loader, loading);
	}
	int code = file_load(loader, outcome->config, place, tried, &outcome->served, &err);
	if (code < 0) {
		tried->final = code == -EBADMSG || code == -EOPNOTSUPP;
		version_refused(outcome, tried, err.text);
		return;
	}
	tried->ready = true;
	outcome->kind = LOADER_READY;
}

/* Tries one version; nothing to do once a higher one serves. */
static void version_try(
	struct loader *loader, struct outcome *outcome, const struct place *place, uint64_t version)
{
	if (outcome->kind != LOADER_REFUSED) {
		return;
	}
	const struct tried *before = tried_find(outcome->before, version, place);
	struct tried *tried = &outcome->now->tried[outcome->now->n++];
	outcome->version = version;
	if (!before) {
		*tried = (struct tried){.version = version};
		version_load(loader, outcome, place, tried);
		return;
	}
	*tried = *before;
	if (before->ready) {
		outcome->kind = LOADER_KEPT;
	} else {
		version_refused(outcome, tried, tried->reason);
	}
}

/* A folder that cannot be looked into. One that has just gone, or is a link, is no folder. */
static void folder_refused(struct outcome *outcome, uint64_t version, int code)
{
	if (code == -ENOENT || code == -ENOTDIR || code == -ELOOP) {
		return;
	}
	struct tried *tried = &outcome->now->tried[outcome->now->n++];
	*tried = (struct tried){.version = version};
	outcome->version = version;
	version_refused(outcome, tried, strerror(-code));
}

static void versions_try(struct loader *loader, struct outcome *outcome, int models)
{
	owned_fd int folder = -1;
	uint64_t versions[SCAN_MAX_VERSIONS];
	size_t n = 0;
	int code = import_open(models, outcome->now->name, O_DIRECTORY, &folder);
	if (code == 0) {
		code = scan_versions(folder, versions, &n);
	}
	if (code < 0) {
		folder_refused(outcome, 0, code);
		return;
	}
	for (size_t i = 0; i < n && outcome->kind == LOADER_REFUSED; i++) {
		char name[SERVED_VERSION_SIZE];
		owned_fd int inside = -1;
		snprintf(name, sizeof(name), "%" PRIu64, versions[i]);
		code = import_open(folder, name, O_DIRECTORY, &inside);
		if (code < 0) {
			folder_refused(outcome, versions[i], code);
		} else if (faccessat(inside, "model.tflite", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			const struct place place = {inside, "model.tflite", "labels.txt"};
			version_try(loader, outcome, &place, versions[i]);
		}
	}
}

static void outcome_post(struct loader *loader, struct outcome *outcome)
{
	struct loader_event *event = outcome->event;
	event->kind = outcome->kind;
	event_set_version(event, outcome->version);
	if (outcome->served) {
		struct served *served = outcome->served;
		served->generation = ++loader->generation;
		memcpy(served->name, event->name, sizeof(served->name));
		memcpy(served->version, event->version, sizeof(served->version));
	}
	event->served = outcome->served;
	memcpy(event->reason, outcome->reason, sizeof(event->reason));
	post(loader, event);
}

static void model_scan(struct loader *loader, const struct config *config, int models,
	const struct scan_model *model, struct loader_known *now)
{
	memcpy(now->name, model->name, sizeof(now->name));
	struct outcome outcome = {.config = config,
		.before = known_find(loader, model->name),
		.now = now,
		.event = event_new(LOADER_REFUSED, model->name, 0),
		.kind = LOADER_REFUSED};
	if (!outcome.event) {
		log_error(loader->log, "model %s: no memory to look at it", model->name);
		*now = outcome.before ? *outcome.before : *now;
		return;
	}
	if (model->folder) {
		versions_try(loader, &outcome, models);
	}
	if (model->file) {
		struct place place = {.folder = models};
		snprintf(place.model, sizeof(place.model), "%s.tflite", model->name);
		snprintf(place.labels, sizeof(place.labels), "%s.labels.txt", model->name);
		version_try(loader, &outcome, &place, 0);
	}
	/* A folder without any model file is not a model, unless it was one. */
	if (now->n > 0) {
		outcome_post(loader, &outcome);
	} else {
		free(outcome.event);
	}
}

/* ---- all models */

static bool stopping(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	bool stop = loader->stopping;
	pthread_mutex_unlock(&loader->mutex);
	return stop;
}

/* Models that were there and are not any more. Those that could not be told stay behind the @n that
 * are known now; returns how many there are then. */
static size_t removed_post(struct loader *loader, struct loader_known *now, size_t n)
{
	size_t all = n;
	for (size_t i = 0; i < loader->n_known; i++) {
		const struct loader_known *before = &loader->known[i];
		bool still = false;
		for (size_t j = 0; j < n && !still; j++) {
			still = now[j].n > 0 && strcmp(now[j].name, before->name) == 0;
		}
		if (still || before->n == 0) {
			continue;
		}
		struct loader_event *event = event_new(LOADER_REMOVED, before->name, 0);
		if (event) {
			post(loader, event);
		} else {
			log_error(loader->log, "model %s: no memory to remove it", before->name);
			now[all++] = *before;
		}
	}
	return all;
}

static void models_scan(struct loader *loader, const struct config *config, int folder,
	const struct scan_model *models, size_t n)
{
	struct loader_known *now = calloc(n + loader->n_known + 1, sizeof(*now));
	if (!now) {
		log_error(loader->log, "no memory to look at the models");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (stopping(loader)) {
			free(now);
			return;
		}
		model_scan(loader, config, folder, &models[i], &now[i]);
	}
	n = removed_post(loader, now, n);
	free(loader->known);
	loader->known = now;
	loader->n_known = n;
}

static void folder_scan(struct loader *loader, const struct config *config)
{
	owned_fd int folder = open(config->models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_mem struct scan_model *models = NULL;
	size_t n = 0, left_out = 0;
	int code = folder < 0 ? -errno
			      : scan_models(folder, config->max_models, &models, &n, &left_out);
	if (code < 0) {
		log_warning(
			loader->log, "the models folder %s: %s", config->models, strerror(-code));
		return;
	}
	if (left_out > 0) {
		log_warning(loader->log,
			"%zu entries of the models folder are no models, or above max-models",
			left_out);
	}
	models_scan(loader, config, folder, models, n);
}

/* ---- the thread */

/* What was tried is tried again. */
static void known_doubt(struct loader *loader)
{
	for (size_t i = 0; i < loader->n_known; i++) {
		struct loader_known *known = &loader->known[i];
		for (size_t j = 0; j < known->n; j++) {
			known->tried[j].ready = known->tried[j].final = false;
		}
	}
}

static void *loader_main(void *argument)
{
	struct loader *loader = argument;
	pthread_mutex_lock(&loader->mutex);
	while (!loader->stopping) {
		if (loader->scans_done == loader->scans_wanted) {
			pthread_cond_wait(&loader->work, &loader->mutex);
			continue;
		}
		uint64_t scan = loader->scans_wanted;
		struct config config = loader->config;
		bool doubt = loader->doubt;
		loader->doubt = false;
		pthread_mutex_unlock(&loader->mutex);
		if (doubt) {
			known_doubt(loader);
		}
		folder_scan(loader, &config);
		pthread_mutex_lock(&loader->mutex);
		loader->scans_done = scan;
		loader->wake(loader->context);
	}
	pthread_mutex_unlock(&loader->mutex);
	return NULL;
}

static void state_open(struct loader *loader, const char *path)
{
	struct error err = {0};
	loader->state_folder = -1;
	if (import_open_state(path, &loader->state_folder, &err) < 0) {
		log_notice(loader->log, "%s: models are kept in memory", err.text);
	}
}

/* Signals are the loop's. */
static int thread_start(struct loader *loader)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&loader->thread, NULL, loader_main, loader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -code;
}

int loader_start(struct loader *loader, const struct config *config, const struct log *log,
	void (*wake)(void *context), void *context, struct error *err)
{
	*loader = (struct loader){.log = log, .wake = wake, .context = context, .config = *config};
	uint64_t mask = 0;
	int code = backends_cpu_mask(config->cpu_features, &mask, err);
	if (code < 0) {
		error_prefix(err, "cpu-features");
		return code;
	}
	loader->cpu_features = mask & backends_cpu_features();
	state_open(loader, config->state);
	pthread_mutex_init(&loader->mutex, NULL);
	pthread_cond_init(&loader->work, NULL);
	code = thread_start(loader);
	if (code < 0) {
		own_close_fd(&loader->state_folder);
		return error_set(err, code, "the loader's thread: %s", strerror(-code));
	}
	loader->running = true;
	return 0;
}

void loader_stop(struct loader *loader)
{
	if (!loader->running) {
		return;
	}
	pthread_mutex_lock(&loader->mutex);
	loader->stopping = true;
	pthread_cond_signal(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
	pthread_join(loader->thread, NULL);
	uint64_t scans = 0;
	for (struct loader_event *event; (event = loader_collect(loader, &scans));) {
		served_unref(event->served);
		free(event);
	}
	own_close_fd(&loader->state_folder);
	pthread_cond_destroy(&loader->work);
	pthread_mutex_destroy(&loader->mutex);
	free(loader->known);
	loader->running = false;
}

uint64_t loader_scan(struct loader *loader, const struct config *config)
{
	pthread_mutex_lock(&loader->mutex);
	loader->config = *config;
	uint64_t scan = ++loader->scans_wanted;
	pthread_cond_signal(&loader->work);
	pthread_mutex_unlock(&loader->mutex);
	return scan;
}

void loader_doubt(struct loader *loader)
{
	pthread_mutex_lock(&loader->mutex);
	loader->doubt = true;
	pthread_mutex_unlock(&loader->mutex);
}

struct loader_event *loader_collect(struct loader *loader, uint64_t *ret_scans_done)
{
	pthread_mutex_lock(&loader->mutex);
	struct loader_event *event = loader->first;
	if (event) {
		loader->first = event->next;
		loader->last = loader->first ? loader->last : NULL;
		event->next = NULL;
	}
	*ret_scans_done = loader->scans_done;
	pthread_mutex_unlock(&loader->mutex);
	return event;
}
