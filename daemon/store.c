/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/notice.h"

#define LEAST_RUNS 5 /* before what is usual is known */

void store_init(struct store *store, const struct log *log)
{
	*store = (struct store){.log = log};
}

/* ---- what was counted before a restart */

void store_keep_tally(struct store *store, const char *name, const struct tally *tally)
{
	struct store_kept *kept = calloc(1, sizeof(*kept));
	struct tally *own = malloc(sizeof(*own));
	if (!kept || !own) {
		free(kept);
		free(own);
		return;
	}
	*own = *tally;
	snprintf(kept->name, sizeof(kept->name), "%s", name);
	kept->tally = own;
	kept->next = store->kept;
	store->kept = kept;
}

/* NULL: nobody had asked it. */
static struct tally *take_tally(struct store *store, const char *name)
{
	struct store_kept **at = &store->kept;
	while (*at && strcmp((*at)->name, name) != 0) {
		at = &(*at)->next;
	}
	struct store_kept *kept = *at;
	if (!kept) {
		return NULL;
	}
	struct tally *tally = kept->tally;
	*at = kept->next;
	free(kept);
	return tally;
}

/* Models that are not there any more. */
static void drop_kept(struct store *store)
{
	while (store->kept) {
		free(take_tally(store, store->kept->name));
	}
}

/* ---- the list */

void store_deinit(struct store *store)
{
	drop_kept(store);
	for (size_t i = 0; i < store->n; i++) {
		served_unref(store->models[i].served);
		served_unref(store->models[i].before);
		free(store->models[i].tally);
	}
	free(store->models);
	*store = (struct store){0};
}

/* Where @name is, or would be. */
static size_t place(const struct store *store, const char *name, size_t length, bool *ret_there)
{
	size_t low = 0, high = store->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = store->models[middle].name;
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

struct store_model *store_find(struct store *store, const char *name)
{
	bool there = false;
	size_t at = place(store, name, strlen(name), &there);
	return there ? &store->models[at] : NULL;
}

/* The model of that name, new if need be; NULL without memory. */
static struct store_model *add(struct store *store, const char *name)
{
	bool there = false;
	size_t at = place(store, name, strlen(name), &there);
	if (there) {
		return &store->models[at];
	}
	if (store->n == store->capacity) {
		size_t capacity = store->capacity ? 2 * store->capacity : 8;
		struct store_model *models =
			realloc(store->models, capacity * sizeof(store->models[0]));
		if (!models) {
			return NULL;
		}
		store->models = models;
		store->capacity = capacity;
	}
	memmove(store->models + at + 1, store->models + at,
		(store->n - at) * sizeof(store->models[0]));
	store->n++;
	store->models[at] = (struct store_model){0};
	memcpy(store->models[at].name, name, strlen(name) + 1);
	store->models[at].tally = take_tally(store, name);
	return &store->models[at];
}

static void drop(struct store *store, const char *name)
{
	bool there = false;
	size_t at = place(store, name, strlen(name), &there);
	if (there) {
		served_unref(store->models[at].served);
		served_unref(store->models[at].before);
		free(store->models[at].tally);
		store->n--;
		memmove(store->models + at, store->models + at + 1,
			(store->n - at) * sizeof(store->models[0]));
	}
}

/* A version that is good, or has nothing to prove, begins to say what is usual. */
static void probation_start(struct store_model *model)
{
	uint64_t usual = model->runs >= LEAST_RUNS ? model->run_ns / model->runs : 0;
	model->probation = (struct probation){0};
	if (model->about.trial) {
		probation_begin(&model->probation, usual, clock_now_ns());
	}
}

void store_drop_before(struct store_model *model)
{
	served_unref(model->before);
	model->before = NULL;
}

/* What served is what the next one goes back to, or is compared with, unless that had not proved itself. */
static void before_keep(
	const struct store *store, struct store_model *model, const struct catalogue_about *about)
{
	struct served *served = take(model->served);
	const bool good = served && digest_same(&served->digest, &model->about.good);
	if (!model->about.trial) {
		store_drop_before(model);
	} else if (!model->before && (good || store->keeps_before)) {
		model->before = take(served);
		model->about_before = *about;
		model->bytes_before = model->bytes;
	}
	served_unref(served);
}

/* @about: of what served. */
static void model_ready(struct store *store, struct store_model *model,
	const struct catalogue_about *about, struct catalogue_event *event)
{
	const struct edge_model_info *info = edge_model_info(event->served->model);
	const struct served_use use = model->served ? model->served->use : model->use;
	char replaced[SERVED_VERSION_SIZE] = "";
	if (model->served) {
		memcpy(replaced, model->served->version, sizeof(replaced));
	}
	before_keep(store, model, about);
	model->served = take(event->served);
	model->served->generation = ++store->generation;
	store->swapped = true;
	model->served->use = use.last_ns ? use : (struct served_use){.last_ns = clock_now_ns()};
	model->broken = model->unloaded = model->wanted = model->load_asked = false;
	model->bytes = served_bytes(model->served);
	model->ready = event->ready;
	model->well = false;
	probation_start(model);
	const struct notice_about told = {
		.model = model->name, .version = event->version, .digest = &model->served->digest};
	notice(store->log, replaced[0] ? NOTICE_MODEL_REPLACED : NOTICE_MODEL_READY, &told,
		"model %s version %s: ready, %llu bytes, arena %llu bytes%s%s", model->name,
		event->version, (unsigned long long)info->file_bytes,
		(unsigned long long)info->arena_bytes, replaced[0] ? ", in place of version " : "",
		replaced);
}

void store_unload(struct store_model *model, const char *why)
{
	if (model->served) {
		model->use = model->served->use;
		snprintf(model->why, sizeof(model->why), "%s", why);
		model->unloaded = true;
		model->probation = (struct probation){0};
		store_drop_before(model);
		served_unref(take(model->served));
	}
}

static void model_apply(
	struct store *store, struct store_model *model, struct catalogue_event *event)
{
	if (event->kind == CATALOGUE_ABOUT) {
		model->about = event->about;
		return;
	}
	if (event->kind == CATALOGUE_ALONE) {
		if (!store->keeps_before) {
			store_drop_before(model);
		}
		return;
	}
	if (event->kind == CATALOGUE_UNLOADED) {
		store_unload(model, event->reason);
		return;
	}
	model->loading = event->kind == CATALOGUE_LOADING;
	if (event->kind == CATALOGUE_LOADING) {
		return;
	}
	const struct catalogue_about before = model->about;
	model->about = event->about;
	if (event->kind == CATALOGUE_LOST) {
		store_drop_before(model);
		served_unref(take(model->served));
		model->probation = (struct probation){0};
		model->unloaded = model->wanted = model->load_asked = false;
	}
	if (strcmp(model->reason, event->reason) != 0 && event->reason[0] != 0) {
		const struct notice_about about = {.model = model->name};
		notice(store->log, NOTICE_MODEL_REFUSED, &about, "model %s: refused: %s",
			model->name, event->reason);
	}
	memcpy(model->reason, event->reason, sizeof(model->reason));
	if (event->kind == CATALOGUE_READY) {
		model_ready(store, model, &before, event);
	}
	const char *version = model->served ? model->served->version
		: model->unloaded           ? model->version
					    : event->version;
	memmove(model->version, version, strlen(version) + 1);
}

/* False without memory to list it. */
static bool event_apply(struct store *store, struct catalogue_event *event)
{
	if (event->kind == CATALOGUE_REMOVED) {
		const struct notice_about about = {.model = event->name};
		notice(store->log, NOTICE_MODEL_REMOVED, &about, "model %s: removed", event->name);
		drop(store, event->name);
		return true;
	}
	struct store_model *model = add(store, event->name);
	if (!model) {
		log_error(store->log, "model %s: no memory to list it", event->name);
		return false;
	}
	model_apply(store, model, event);
	return true;
}

bool store_update(struct store *store, struct loader *loader)
{
	bool changed = false;
	struct catalogue_event *event = NULL;
	while ((event = loader_collect(loader, &store->scans_done))) {
		if (!event_apply(store, event)) {
			loader_doubt(loader);
		}
		changed = changed || event->kind == CATALOGUE_READY ||
			event->kind == CATALOGUE_REMOVED || event->kind == CATALOGUE_LOST ||
			event->kind == CATALOGUE_UNLOADED;
		served_unref(event->served);
		free(event);
	}
	if (store->scans_done > 0) {
		drop_kept(store);
	}
	return changed;
}

/* ---- trials */

static struct probation_limits limits_of(const struct config *config)
{
	return (struct probation_limits){.runs = config->probation_requests,
		.time_ns = config->probation_time_ms * UINT64_C(1000000),
		.slower = config->probation_slower,
		.differ = config->probation_differ};
}

/*
 * What was good serves again from this moment, if it is still there and nobody uses it, who would be
 * told another generation than he began with. The loader sees to the rest.
 */
static bool back_at_once(struct store *store, struct store_model *model)
{
	struct served *before = model->before;
	if (!before || model->about.pinned || !served_idle(before) ||
		edge_model_broken(before->model) ||
		!digest_same(&before->digest, &model->about.good)) {
		return false;
	}
	before->generation = ++store->generation;
	store->swapped = true;
	before->use = model->served->use;
	served_unref(model->served);
	model->served = take(model->before);
	/* It may not have proved itself when it made place: manifest_pass_on(). */
	atomic_store(&model->served->on_trial, false);
	model->about_before.good = model->about.good;
	model->about_before.last_good = model->about.last_good;
	model->about_before.trial = false;
	model->about = model->about_before;
	model->bytes = model->bytes_before;
	probation_reason(&model->probation, model->reason, sizeof(model->reason));
	model->probation = (struct probation){0};
	memcpy(model->version, model->served->version, sizeof(model->version));
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &model->served->digest};
	notice(store->log, NOTICE_MODEL_REPLACED, &about, "model %s version %s: ready again",
		model->name, model->version);
	return true;
}

static void verdict_failed(struct store *store, struct store_model *model, struct order *order)
{
	order->verb = ORDER_FAILED;
	probation_reason(&model->probation, order->argument, sizeof(order->argument));
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &order->digest};
	notice(store->log, NOTICE_MODEL_FAILED, &about, "model %s version %s: %s", model->name,
		model->version, order->argument);
	order->back = back_at_once(store, model);
	order->bytes = model->bytes;
	order->ready = model->ready;
	store_drop_before(model);
}

static void verdict_proved(struct store_model *model, struct order *order)
{
	order->verb = ORDER_PROVED;
	atomic_store(&model->served->on_trial, false);
	model->runs = model->probation.faults[PROBATION_FINE];
	model->run_ns = model->probation.run_ns;
	store_drop_before(model);
}

/* Tells the loader, who changes what is on the disk, and what serves. */
static void verdict_tell(struct store *store, struct loader *loader, const struct config *config,
	struct store_model *model, enum probation_verdict verdict)
{
	struct order *order = verdict == PROBATION_GOES_ON ? NULL : order_new();
	if (!order) {
		/* Without memory the trial goes on. */
		model->probation.on = model->probation.on || verdict != PROBATION_GOES_ON;
		return;
	}
	order->digest = model->served->digest;
	memcpy(order->model, model->name, sizeof(order->model));
	if (verdict == PROBATION_PROVED) {
		verdict_proved(model, order);
	} else {
		verdict_failed(store, model, order);
	}
	loader_order(loader, config, order);
}

/* Of a first version: the next one may come before it has proved itself. Without memory the next run tells. */
static void well_tell(struct loader *loader, const struct config *config, struct store_model *model)
{
	const bool well = probation_is_well(&model->probation);
	if (well == model->well || !digest_none(&model->about.good)) {
		return;
	}
	struct order *order = order_new();
	if (order) {
		model->well = well;
		order->verb = well ? ORDER_WELL : ORDER_ILL;
		order->digest = model->served->digest;
		memcpy(order->model, model->name, sizeof(order->model));
		loader_order(loader, config, order);
	}
}

/* The model that serves with @served; NULL if it does not any more. */
static struct store_model *model_of(struct store *store, const struct served *served)
{
	struct store_model *model = store_find(store, served->name);
	return model && model->served == served ? model : NULL;
}

void store_note_run(struct store *store, struct loader *loader, const struct config *config,
	const struct served *served, enum probation_fault fault, uint64_t run_ns)
{
	struct store_model *model = model_of(store, served);
	if (!model) {
		return;
	}
	if (!model->probation.on) {
		model->runs += fault == PROBATION_FINE && run_ns > 0;
		model->run_ns += fault == PROBATION_FINE ? run_ns : 0;
		return;
	}
	const struct probation_limits limits = limits_of(config);
	const enum probation_verdict verdict =
		probation_count(&model->probation, &limits, fault, run_ns);
	if (verdict == PROBATION_GOES_ON) {
		well_tell(loader, config, model);
	}
	verdict_tell(store, loader, config, model, verdict);
}

struct served *store_before(struct store *store, const struct served *served)
{
	struct store_model *model = model_of(store, served);
	return model && model->probation.on ? model->before : NULL;
}

struct served *store_sample(
	struct store *store, const struct config *config, const struct served *served)
{
	struct store_model *model = store->keeps_before ? model_of(store, served) : NULL;
	if (!model || !model->probation.on || !model->before) {
		return NULL;
	}
	model->sampled += (unsigned int)config->probation_shadow;
	if (model->sampled < 100) {
		return NULL;
	}
	model->sampled -= 100;
	return model->before;
}

void store_note_compared(struct store *store, struct loader *loader, const struct config *config,
	const struct served *served, bool differs)
{
	struct store_model *model = model_of(store, served);
	if (model && model->probation.on) {
		const struct probation_limits limits = limits_of(config);
		verdict_tell(store, loader, config, model,
			probation_compare(&model->probation, &limits, differs));
	}
}

void store_note_broken(struct store *store, struct loader *loader, const struct config *config,
	const struct served *served)
{
	struct store_model *model = model_of(store, served);
	if (!model || model->broken) {
		return;
	}
	struct order *order = order_new();
	if (!order) {
		return; /* the next request says it again */
	}
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &served->digest};
	notice(store->log, NOTICE_MODEL_BROKEN, &about,
		"model %s version %s: the disk did not give a part of it", model->name,
		model->version);
	model->broken = true;
	order->verb = ORDER_BROKEN;
	order->digest = served->digest;
	memcpy(order->model, model->name, sizeof(order->model));
	loader_order(loader, config, order);
	loader_scan(loader, config); /* the folder may have it */
}

uint64_t store_look_at_trials(
	struct store *store, struct loader *loader, const struct config *config)
{
	const struct probation_limits limits = limits_of(config);
	const uint64_t now = clock_now_ns();
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < store->n; i++) {
		struct store_model *model = &store->models[i];
		const bool used = model->served && !served_idle(model->served);
		verdict_tell(store, loader, config, model,
			probation_look(&model->probation, &limits, used, now));
		const uint64_t left = probation_left(&model->probation, &limits, now);
		next = left < next ? left : next;
	}
	return next;
}

const char *store_model_state(const struct store_model *model)
{
	return model->served      ? "ready"
		: model->loading  ? "loading"
		: model->unloaded ? "unloaded"
				  : "refused";
}

struct store_count store_count(const struct store *store)
{
	struct store_count count = {0};
	for (size_t i = 0; i < store->n; i++) {
		const struct store_model *model = &store->models[i];
		count.ready += model->served != NULL;
		count.loading += !model->served && model->loading;
		count.unloaded += !model->served && !model->loading && model->unloaded;
		count.refused += !model->served && !model->loading && !model->unloaded;
	}
	return count;
}

static int missing(const struct store *store, const char *shown, struct error *err)
{
	return store->scans_done == 0
		? error_set(err, -EAGAIN, "model %s: the models are still being loaded", shown)
		: error_set(err, -ENOENT, "model %s: there is none of that name", shown);
}

int store_get(const struct store *store, struct wire_text name, struct wire_text version,
	struct served **ret_served, struct error *err)
{
	char shown[100], shown_version[40];
	bool there = false;
	size_t at = name.length > 0 && name.length < SERVED_NAME_SIZE
		? place(store, name.data, name.length, &there)
		: 0;
	if (!there) {
		error_escape(shown, sizeof(shown), name.data, name.length);
		return missing(store, shown, err);
	}
	struct store_model *model = &store->models[at];
	if (model->unloaded) {
		return 1;
	}
	if (!model->served) {
		error_escape(shown, sizeof(shown), name.data, name.length);
		return model->loading
			? error_set(err, -EAGAIN, "model %s: it is still being loaded", shown)
			: error_set(err, -EBADMSG, "model %s: refused: %s", shown, model->reason);
	}
	if (version.length > 0 && !wire_text_is(version, "0") &&
		!wire_text_is(version, model->version)) {
		error_escape(shown, sizeof(shown), name.data, name.length);
		error_escape(shown_version, sizeof(shown_version), version.data, version.length);
		return error_set(err, -ENOENT, "model %s: version %s serves, not %s", shown,
			model->version, shown_version);
	}
	*ret_served = served_ref(model->served);
	return 0;
}

void store_want(struct store *store, const char *name)
{
	struct store_model *model = store_find(store, name);
	if (model && model->unloaded) {
		model->wanted = true;
	}
}
