/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/scan.h"

/* Files that were tried, and what came of it. */
struct tried {
	uint64_t version;
	struct load_identity identity;
	bool ready;
	bool settled; /* the same files would give the same again */
	char reason[200];
};

struct catalogue_model {
	char name[SERVED_NAME_SIZE];
	size_t n;
	struct tried tried[SCAN_MAX_VERSIONS + 1];
};

/* A scan that goes on. */
struct scanning {
	struct catalogue *catalogue;
	const struct load_context *load;
	const struct catalogue_sink *sink;
};

static struct catalogue_event *event_new(
	enum catalogue_event_kind kind, const char *name, uint64_t version)
{
	struct catalogue_event *event = calloc(1, sizeof(*event));
	if (event) {
		event->kind = kind;
		memcpy(event->name, name, strlen(name) + 1);
		snprintf(event->version, sizeof(event->version), "%" PRIu64, version);
	}
	return event;
}

/* ---- one model */

static const struct catalogue_model *model_find(const struct catalogue *catalogue, const char *name)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		if (strcmp(catalogue->models[i].name, name) == 0) {
			return &catalogue->models[i];
		}
	}
	return NULL;
}

static const struct tried *tried_find(
	const struct catalogue_model *before, uint64_t version, const struct load_place *place)
{
	struct load_identity now;
	load_identify(place, &now);
	for (size_t i = 0; before && i < before->n; i++) {
		const struct tried *tried = &before->tried[i];
		if (tried->settled && tried->version == version &&
			import_same(&tried->identity.file, &now.file) &&
			import_same(&tried->identity.labels, &now.labels)) {
			return tried;
		}
	}
	return NULL;
}

/* What becomes of a model in this scan. */
struct outcome {
	const struct catalogue_model *before; /* NULL: new */
	struct catalogue_model *now;
	enum catalogue_event_kind kind; /* CATALOGUE_REFUSED until something serves */
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

static void version_load(struct scanning *scanning, struct outcome *outcome,
	const struct load_place *place, struct tried *tried)
{
	struct error err = {0};
	struct catalogue_event *loading =
		event_new(CATALOGUE_LOADING, outcome->now->name, tried->version);
	if (loading) {
		scanning->sink->post(scanning->sink->context, loading);
	}
	int code = load_model(scanning->load, place, &tried->identity, &outcome->served, &err);
	tried->settled = load_settled(code, &tried->identity);
	if (code < 0) {
		version_refused(outcome, tried, err.text);
		return;
	}
	tried->ready = true;
	outcome->kind = CATALOGUE_READY;
}

/* Tries one version; nothing to do once a higher one serves. */
static void version_try(struct scanning *scanning, struct outcome *outcome,
	const struct load_place *place, uint64_t version)
{
	if (outcome->kind != CATALOGUE_REFUSED) {
		return;
	}
	const struct tried *before = tried_find(outcome->before, version, place);
	struct tried *tried = &outcome->now->tried[outcome->now->n++];
	outcome->version = version;
	if (!before) {
		*tried = (struct tried){.version = version};
		version_load(scanning, outcome, place, tried);
		return;
	}
	*tried = *before;
	if (before->ready) {
		outcome->kind = CATALOGUE_KEPT;
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

static void versions_try(struct scanning *scanning, struct outcome *outcome, int models)
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
	for (size_t i = 0; i < n && outcome->kind == CATALOGUE_REFUSED; i++) {
		char name[SERVED_VERSION_SIZE];
		owned_fd int inside = -1;
		snprintf(name, sizeof(name), "%" PRIu64, versions[i]);
		code = import_open(folder, name, O_DIRECTORY, &inside);
		if (code < 0) {
			folder_refused(outcome, versions[i], code);
		} else if (faccessat(inside, "model.tflite", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			struct load_place place = {
				.folder = inside, .model = "model.tflite", .labels = "labels.txt"};
			memcpy(place.name, outcome->now->name, sizeof(place.name));
			version_try(scanning, outcome, &place, versions[i]);
		}
	}
}

/* Posts what became of it. Without memory for the event the next scan tries again. */
static void outcome_post(struct scanning *scanning, struct outcome *outcome)
{
	struct catalogue_event *event =
		event_new(outcome->kind, outcome->now->name, outcome->version);
	if (!event) {
		served_unref(outcome->served);
		for (size_t i = 0; i < outcome->now->n; i++) {
			outcome->now->tried[i].settled = false;
		}
		return;
	}
	if (outcome->served) {
		struct served *served = outcome->served;
		served->generation = ++scanning->catalogue->generation;
		memcpy(served->name, event->name, sizeof(served->name));
		memcpy(served->version, event->version, sizeof(served->version));
	}
	event->served = outcome->served;
	memcpy(event->reason, outcome->reason, sizeof(event->reason));
	scanning->sink->post(scanning->sink->context, event);
}

static void model_scan(struct scanning *scanning, int models, const struct scan_model *model,
	struct catalogue_model *now)
{
	memcpy(now->name, model->name, sizeof(now->name));
	struct outcome outcome = {.before = model_find(scanning->catalogue, model->name),
		.now = now,
		.kind = CATALOGUE_REFUSED};
	if (model->folder) {
		versions_try(scanning, &outcome, models);
	}
	if (model->file) {
		struct load_place place = {.folder = models};
		memcpy(place.name, model->name, sizeof(place.name));
		snprintf(place.model, sizeof(place.model), "%s.tflite", model->name);
		snprintf(place.labels, sizeof(place.labels), "%s.labels.txt", model->name);
		version_try(scanning, &outcome, &place, 0);
	}
	/* A folder without any model file is not a model, unless it was one. */
	if (now->n > 0) {
		outcome_post(scanning, &outcome);
	}
}

/* ---- all models */

static bool is_there(const struct catalogue_model *models, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (models[i].n > 0 && strcmp(models[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Models that were there and are not any more. */
static int removed_post(
	const struct scanning *scanning, const struct catalogue_model *now, size_t n)
{
	for (size_t i = 0; i < scanning->catalogue->n; i++) {
		const struct catalogue_model *before = &scanning->catalogue->models[i];
		if (before->n == 0 || is_there(now, n, before->name)) {
			continue;
		}
		struct catalogue_event *event = event_new(CATALOGUE_REMOVED, before->name, 0);
		if (!event) {
			return -ENOMEM;
		}
		scanning->sink->post(scanning->sink->context, event);
	}
	return 0;
}

static int models_scan(
	struct scanning *scanning, int folder, const struct scan_model *models, size_t n)
{
	const struct catalogue_sink *sink = scanning->sink;
	owned_mem struct catalogue_model *now = calloc(n ? n : 1, sizeof(*now));
	if (!now) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (sink->stopping(sink->context)) {
			return -ECANCELED;
		}
		model_scan(scanning, folder, &models[i], &now[i]);
	}
	int code = removed_post(scanning, now, n);
	if (code < 0) {
		return code; /* the next scan compares with the same again */
	}
	free(scanning->catalogue->models);
	scanning->catalogue->models = take(now);
	scanning->catalogue->n = n;
	return 0;
}

int catalogue_scan(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, size_t *ret_left_out)
{
	struct scanning scanning = {.catalogue = catalogue, .load = load, .sink = sink};
	owned_fd int folder = open(load->config->models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owned_mem struct scan_model *models = NULL;
	size_t n = 0;
	if (folder < 0) {
		return -errno;
	}
	int code = scan_models(folder, load->config->max_models, &models, &n, ret_left_out);
	return code < 0 ? code : models_scan(&scanning, folder, models, n);
}

void catalogue_doubt(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		struct catalogue_model *model = &catalogue->models[i];
		for (size_t j = 0; j < model->n; j++) {
			model->tried[j].settled = false;
		}
	}
}

void catalogue_deinit(struct catalogue *catalogue)
{
	free(catalogue->models);
	*catalogue = (struct catalogue){0};
}
