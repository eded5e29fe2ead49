/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/inbox.h"
#include "daemon/install.h"
#include "daemon/taught.h"
#include "daemon/watch.h"

/* ---- the list */

/* Where @name is, or would be. */
static size_t place_of(const struct catalogue *catalogue, const char *name, bool *ret_there)
{
	size_t low = 0, high = catalogue->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(catalogue->models[middle]->manifest.name, name);
		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		*(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
	}
	*ret_there = false;
	return low;
}

struct catalogue_model *catalogue_find(const struct catalogue *catalogue, const char *name)
{
	bool there = false;
	size_t at = place_of(catalogue, name, &there);
	return there ? catalogue->models[at] : NULL;
}

static int grow(struct catalogue *catalogue)
{
	size_t capacity = catalogue->capacity ? 2 * catalogue->capacity : 8;
	struct catalogue_model **models =
		realloc(catalogue->models, capacity * sizeof(catalogue->models[0]));
	if (!models) {
		return -ENOMEM;
	}
	catalogue->models = models;
	catalogue->capacity = capacity;
	return 0;
}

/* A new one of that name, which is not there yet; NULL without memory. */
static struct catalogue_model *add(struct catalogue *catalogue, const char *name)
{
	bool there = false;
	size_t at = place_of(catalogue, name, &there);
	if (catalogue->n == catalogue->capacity && grow(catalogue) < 0) {
		return NULL;
	}
	struct catalogue_model *model = calloc(1, sizeof(*model));
	if (!model) {
		return NULL;
	}
	memcpy(model->manifest.name, name, strlen(name) + 1);
	memmove(catalogue->models + at + 1, catalogue->models + at,
		(catalogue->n - at) * sizeof(catalogue->models[0]));
	catalogue->models[at] = model;
	catalogue->n++;
	return model;
}

static void drop_at(struct catalogue *catalogue, size_t at)
{
	free(catalogue->models[at]);
	catalogue->n--;
	memmove(catalogue->models + at, catalogue->models + at + 1,
		(catalogue->n - at) * sizeof(catalogue->models[0]));
}

/* Removed models are remembered while edged runs, but not without end. */
static void make_room(struct catalogue *catalogue, const struct load_context *load)
{
	for (size_t i = 0; i < catalogue->n && catalogue->n > 2 * load->config->max_models; i++) {
		const struct manifest *manifest = &catalogue->models[i]->manifest;
		if (digest_none(&manifest->active) && manifest->signed_newest == 0 &&
			digest_none(&catalogue->models[i]->serving)) {
			depot_drop(load->depot, manifest->name);
			drop_at(catalogue, i--);
		}
	}
}

static bool is_wanted(void *context, const struct digest *digest)
{
	const struct catalogue *catalogue = context;
	for (size_t i = 0; i < catalogue->n; i++) {
		if (manifest_wants(&catalogue->models[i]->manifest, digest)) {
			return true;
		}
	}
	return false;
}

void catalogue_sweep(struct catalogue *catalogue, struct depot *depot)
{
	depot_sweep(depot, is_wanted, catalogue);
}

/* ---- the store's memory */

static int adopt(struct catalogue *catalogue, const struct load_context *load,
	const struct manifest *manifest)
{
	if (digest_none(&manifest->active) && manifest->signed_newest == 0) {
		depot_drop(load->depot, manifest->name); /* removed in an earlier run */
		return 0;
	}
	struct catalogue_model *model = add(catalogue, manifest->name);
	if (!model) {
		return -ENOMEM;
	}
	model->manifest = *manifest;
	if (digest_none(&manifest->active)) { /* only what it must not go back behind is kept */
		model->manifest.last_good = model->manifest.previous = (struct digest){0};
		manifest_trim(&model->manifest);
	}
	return 0;
}

int catalogue_open(struct catalogue *catalogue, const struct load_context *load)
{
	owned_mem struct manifest *manifests = NULL;
	size_t n = 0;
	int code = depot_manifests(load->depot, &manifests, &n);
	for (size_t i = 0; i < n && code == 0; i++) {
		code = adopt(catalogue, load, &manifests[i]);
	}
	if (code == 0) {
		catalogue_sweep(catalogue, load->depot);
	}
	return code;
}

/* ---- events */

static struct catalogue_event *event_new(enum catalogue_event_kind kind,
	const struct catalogue_model *model, uint64_t version, const char *reason)
{
	const struct manifest *manifest = &model->manifest;
	static const struct digest none;
	struct catalogue_event *event = calloc(1, sizeof(*event));
	if (!event) {
		return NULL;
	}
	event->kind = kind;
	memcpy(event->name, manifest->name, sizeof(event->name));
	snprintf(event->version, sizeof(event->version), "%" PRIu64, version);
	snprintf(event->reason, sizeof(event->reason), "%s", reason);
	const struct manifest_version *serves = manifest_find(manifest, &model->serving);
	const struct manifest_version *good = manifest_find(manifest, &manifest->last_good);
	event->about = (struct catalogue_about){
		.digest = model->serving,
		.since = serves ? serves->since : 0,
		.by = serves ? serves->by : 0,
		.last_good = good ? good->version : 0,
		.good = good ? good->model : none,
		.trial = manifest->trial && digest_same(&model->serving, &manifest->active),
		.pinned = manifest->pinned,
		.taught = serves ? taught_stamp(&serves->examples) : 0,
	};
	return event;
}

/* Without memory for the event the next scan tries again. */
void catalogue_doubt_model(struct catalogue_model *model)
{
	model->serving = (struct digest){0};
	model->restored = false;
	for (size_t i = 0; i < model->n; i++) {
		model->tried[i].settled = false;
	}
}

bool catalogue_post(const struct catalogue_sink *sink, struct catalogue_model *model,
	enum catalogue_event_kind kind, uint64_t version, struct served *served, const char *reason)
{
	struct catalogue_event *event = event_new(kind, model, version, reason);
	if (!event) {
		served_unref(served);
		catalogue_doubt_model(model);
		return false;
	}
	if (served) {
		model->loaded = true;
		model->well = (struct digest){0};
		model->bytes = served_bytes(served);
		memcpy(event->version, served->version, sizeof(event->version));
		event->ready = ++model->ready;
	}
	event->served = served;
	sink->post(sink->context, event);
	return true;
}

/* ---- a scan */

struct scanning {
	struct catalogue *catalogue;
	const struct load_context *load;
	const struct catalogue_sink *sink;
};

/* What the store has of models that do not serve. */
static void restore_all(const struct scanning *scanning)
{
	char reason[CATALOGUE_REASON_SIZE];
	struct catalogue *catalogue = scanning->catalogue;
	for (size_t i = 0; i < catalogue->n; i++) {
		struct catalogue_model *model = catalogue->models[i];
		struct served *served = NULL;
		if (model->restored || digest_none(&model->manifest.active) ||
			!digest_none(&model->serving)) {
			continue;
		}
		model->restored = true;
		int code = install_restore(scanning->load, model, &served, reason, sizeof(reason));
		catalogue_post(scanning->sink, model,
			code == 0 ? CATALOGUE_READY : CATALOGUE_REFUSED, 0, served, reason);
	}
}

static bool is_known(const struct catalogue_model *model)
{
	return model && (model->inbox || !digest_none(&model->manifest.active));
}

static int look_at(const struct scanning *scanning, int folder, const struct scan_model *found,
	struct catalogue_model *model)
{
	if (scanning->sink->stopping(scanning->sink->context)) {
		return -ECANCELED;
	}
	inbox_look(scanning->catalogue, scanning->load, scanning->sink, folder, found, model);
	return 0;
}

/* Those that are there already stay, however many names come before theirs. */
static int known_scan(const struct scanning *scanning, int folder, size_t *ret_n, size_t *left_out)
{
	struct catalogue *catalogue = scanning->catalogue;
	int code = 0;
	for (size_t i = 0; i < catalogue->n && code == 0; i++) {
		struct scan_model found;
		struct catalogue_model *model = catalogue->models[i];
		if (is_known(model) && scan_find(folder, model->manifest.name, &found)) {
			code = look_at(scanning, folder, &found, model);
			++*ret_n;
		}
	}
	*left_out -= *ret_n < *left_out ? *ret_n : *left_out;
	return code;
}

/* The new ones among the lowest names, as long as there is room. */
static int inbox_scan(const struct scanning *scanning, int folder, const struct scan_model *models,
	size_t n, size_t *left_out)
{
	struct catalogue *catalogue = scanning->catalogue;
	size_t n_there = 0, n_listed = 0;
	for (size_t i = 0; i < n; i++) {
		n_listed += is_known(catalogue_find(catalogue, models[i].name));
	}
	*left_out += n_listed; /* known_scan() takes away all that it looks at */
	int code = known_scan(scanning, folder, &n_there, left_out);
	for (size_t i = 0; i < n && code == 0; i++) {
		struct catalogue_model *model = catalogue_find(catalogue, models[i].name);
		if (is_known(model)) {
			continue;
		}
		if (n_there >= scanning->load->config->max_models) {
			++*left_out;
			continue;
		}
		model = model ? model : add(catalogue, models[i].name);
		code = model ? look_at(scanning, folder, &models[i], model) : -ENOMEM;
		n_there += code == 0 && model->inbox;
	}
	return code;
}

/* Its last good version stays in the store while edged runs. */
static int forget_versions(
	const struct load_context *load, struct catalogue_model *model, struct error *err)
{
	struct manifest *manifest = &model->manifest;
	manifest->active = manifest->previous = manifest->passed = (struct digest){0};
	manifest->trial = false;
	manifest_trim(manifest);
	model->loaded = false;
	model->serving = (struct digest){0};
	model->n = 0;
	depot_note(load->depot, manifest->name, "removed");
	return depot_save(load->depot, manifest, err);
}

/* Its files were there when the folder was looked at last, and are not now. */
static int model_remove(const struct scanning *scanning, struct catalogue_model *model)
{
	struct catalogue_event *event = event_new(CATALOGUE_REMOVED, model, 0, "");
	if (!event) {
		return -ENOMEM;
	}
	model->inbox = false;
	struct error err = {0};
	if (forget_versions(scanning->load, model, &err) < 0) {
		log_warning(scanning->load->depot->log, "model %s: %s", event->name, err.text);
	}
	scanning->sink->post(scanning->sink->context, event);
	return 0;
}

/* An order that is not on the disk is none. */
int catalogue_remove(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, struct catalogue_model *model, struct error *err)
{
	const struct manifest before = model->manifest;
	const struct digest serving = model->serving;
	(void)catalogue;
	struct catalogue_event *event = event_new(CATALOGUE_REMOVED, model, 0, "");
	if (!event) {
		return error_no_memory(err);
	}
	int code = forget_versions(load, model, err);
	if (code < 0) {
		model->manifest = before;
		model->serving = serving;
		free(event);
		return code;
	}
	sink->post(sink->context, event);
	return 0;
}

int catalogue_need(struct catalogue *catalogue, const struct load_context *load, const char *name,
	struct catalogue_model **ret_model, struct error *err)
{
	size_t n_known = 0;
	struct catalogue_model *model = catalogue_find(catalogue, name);
	for (size_t i = 0; i < catalogue->n; i++) {
		n_known += is_known(catalogue->models[i]);
	}
	if (!is_known(model) && n_known >= load->config->max_models) {
		return error_set(err, -ENOSPC, "there are max-models models already");
	}
	model = model ? model : add(catalogue, name);
	if (!model) {
		return error_no_memory(err);
	}
	*ret_model = model;
	return 0;
}

/* What serves came from the folder, and goes with its file. */
static bool is_folders(const struct catalogue_model *model)
{
	const struct manifest_version *active =
		manifest_find(&model->manifest, &model->manifest.active);
	return !active || !active->installed;
}

/* Another file system than before came or went as a whole: nobody removed its models one by one. */
static int removed_drop(const struct scanning *scanning, bool same_device)
{
	struct catalogue *catalogue = scanning->catalogue;
	int code = 0;
	for (size_t i = 0; i < catalogue->n && code == 0; i++) {
		struct catalogue_model *model = catalogue->models[i];
		if (model->seen || !model->inbox || model->manifest.pinned) {
			continue;
		}
		if (same_device && is_folders(model)) {
			code = model_remove(scanning, model);
		} else {
			model->inbox = false;
		}
	}
	return code;
}

static void watch_look(struct catalogue *catalogue, const struct load_context *load, int folder)
{
	bool before = catalogue->unwatched;
	catalogue->unwatched = !watch_folder(load->watch, folder);
	if (catalogue->unwatched && !before) {
		log_warning(load->depot->log,
			"the models folder cannot be watched: the system's limit is reached");
	}
}

/* True when the folder of that name is @st's. */
static bool is_still_there(const char *path, const struct stat *st)
{
	struct stat now;
	return stat(path, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

static int folder_scan(
	const struct scanning *scanning, int folder, struct scan_left_out *ret_left_out)
{
	owned_mem struct scan_model *models = NULL;
	struct catalogue *catalogue = scanning->catalogue;
	struct stat st;
	size_t n = 0;
	if (fstat(folder, &st) < 0) {
		return -errno;
	}
	watch_look(catalogue, scanning->load, folder);
	bool same_device = catalogue->device == st.st_dev;
	int code =
		scan_models(folder, scanning->load->config->max_models, &models, &n, ret_left_out);
	if (code == 0) {
		code = inbox_scan(scanning, folder, models, n, &ret_left_out->n);
	}
	/* One that was replaced meanwhile may have been emptied: nobody removed its models. */
	if (code == 0 && is_still_there(scanning->load->config->models, &st)) {
		code = removed_drop(scanning, same_device);
	}
	if (code == 0) {
		catalogue->device = st.st_dev;
	}
	return code;
}

int catalogue_scan(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, struct scan_left_out *ret_left_out)
{
	const struct scanning scanning = {.catalogue = catalogue, .load = load, .sink = sink};
	for (size_t i = 0; i < catalogue->n; i++) {
		catalogue->models[i]->seen = false;
	}
	restore_all(&scanning);
	watch_way(load->watch, load->config->models);
	if (load->network) {
		atomic_store(load->network, watch_is_network(load->config->models));
	}
	owned_fd int folder = open(load->config->models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = folder < 0 ? -errno : folder_scan(&scanning, folder, ret_left_out);
	make_room(catalogue, load);
	catalogue_sweep(catalogue, load->depot);
	return code;
}

void catalogue_retry(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		struct catalogue_model *model = catalogue->models[i];
		for (size_t j = 0; j < model->n; j++) {
			model->tried[j].settled &= model->tried[j].reason[0] == 0;
		}
	}
}

void catalogue_doubt(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		catalogue_doubt_model(catalogue->models[i]);
	}
}

void catalogue_deinit(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		free(catalogue->models[i]);
	}
	free(catalogue->models);
	*catalogue = (struct catalogue){0};
}
