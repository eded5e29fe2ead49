/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/models/eviction.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/system/notice.h"

#define HALF_LIFE_NS (600 * NSEC_PER_SEC) /* a request's weight halves in this time */
#define SOON_NS (30 * NSEC_PER_SEC) /* a second shortage within this time unloads a model */

/* ---- recent use */

/* The score decayed by 2^-(age / HALF_LIFE_NS), linear between half-lives. */
static double use_now(const struct loaded_model_use *use, uint64_t now_ns)
{
	const uint64_t age = now_ns > use->last_ns ? now_ns - use->last_ns : 0;
	const uint64_t halves = age / HALF_LIFE_NS;
	const double rest = (double)(age % HALF_LIFE_NS) / (double)HALF_LIFE_NS;
	return halves > 60 ? 0 : use->score / (double)(UINT64_C(1) << halves) * (1 - rest / 2);
}

void eviction_note_use(struct loaded_model *loaded, uint64_t now_ns)
{
	loaded->use.score = use_now(&loaded->use, now_ns) + 1;
	loaded->use.last_ns = now_ns;
}

/* Expected cost of the model's absence: load time in ns multiplied by recent requests. */
static double regret_of(const struct loaded_model *loaded, uint64_t now_ns)
{
	return (double)loaded->load_ns * use_now(&loaded->use, now_ns);
}

/* ---- unloading */

static bool may_unload(const struct models_entry *model)
{
	return model->loaded && !model->facts.pinned && model->loaded->stored &&
		loaded_model_idle(model->loaded);
}

static void unload(const struct eviction *eviction, struct models_entry *model, const char *why)
{
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &model->loaded->digest};
	notice(eviction->models->log, NOTICE_MODEL_UNLOADED, &about,
		"model %s version %s: unloaded %s, %zu bytes", model->name, model->version, why,
		model->loaded->bytes);
	models_unload(model, why);
	if (eviction->changed) {
		eviction->changed(eviction->context);
	}
}

/* Returns the idle model with the lowest regret; among equals the least recently used. */
static struct models_entry *victim_find(const struct eviction *eviction)
{
	const uint64_t now_ns = clock_now_ns();
	struct models_entry *found = NULL;
	double least = 0;
	for (size_t i = 0; i < eviction->models->n; i++) {
		struct models_entry *model = &eviction->models->entries[i];
		if (!may_unload(model)) {
			continue;
		}
		double regret = regret_of(model->loaded, now_ns);
		if (!found || regret < least ||
			(regret == least &&
				model->loaded->use.last_ns < found->loaded->use.last_ns)) {
			found = model;
			least = regret;
		}
	}
	return found;
}

/* Frees the sessions of idle models. Returns false if that freed nothing. */
static bool caches_drop(const struct eviction *eviction)
{
	const size_t before = atomic_load(&eviction->budget->held);
	for (size_t i = 0; i < eviction->models->n; i++) {
		struct models_entry *model = &eviction->models->entries[i];
		if (model->loaded && loaded_model_idle(model->loaded)) {
			loaded_model_trim(model->loaded);
		}
	}
	return atomic_load(&eviction->budget->held) < before;
}

/* Drops the versions before trials. Returns false if there were none. */
static bool previous_versions_drop(const struct eviction *eviction)
{
	bool dropped = false;
	for (size_t i = 0; !eviction->models->keeps_previous && i < eviction->models->n; i++) {
		dropped = dropped || eviction->models->entries[i].previous;
		models_drop_previous(&eviction->models->entries[i]);
	}
	return dropped;
}

static bool make_room(const struct eviction *eviction, uint64_t bytes)
{
	if (budget_excess(eviction->budget, bytes) > 0) {
		previous_versions_drop(eviction);
	}
	if (budget_excess(eviction->budget, bytes) > 0) {
		caches_drop(eviction);
	}
	while (budget_excess(eviction->budget, bytes) > 0) {
		struct models_entry *model = victim_find(eviction);
		if (!model) {
			return false;
		}
		unload(eviction, model, "for the memory budget");
	}
	return true;
}

static void pinned_count(const struct eviction *eviction)
{
	size_t pinned = 0;
	for (size_t i = 0; i < eviction->models->n; i++) {
		const struct models_entry *model = &eviction->models->entries[i];
		pinned += model->loaded && model->facts.pinned ? model->loaded->bytes : 0;
	}
	atomic_store(&eviction->budget->pinned, pinned);
}

void eviction_enforce(struct eviction *eviction)
{
	pinned_count(eviction);
	bool enough = make_room(eviction, 0);
	(void)enough; /* models in use are checked again when they become idle */
}

/* ---- loading again */

static bool queue_load(const struct eviction *eviction, struct models_entry *model)
{
	struct store_command *command = store_command_new();
	if (!command) {
		return false;
	}
	command->verb = STORE_COMMAND_LOAD;
	memcpy(command->model, model->name, sizeof(command->model));
	loader_queue_command(eviction->loader, eviction->config, command);
	return true;
}

void eviction_load_requested(struct eviction *eviction)
{
	for (size_t i = 0; i < eviction->models->n; i++) {
		struct models_entry *model = &eviction->models->entries[i];
		if (model->unloaded && model->load_requested && !model->load_queued) {
			model->load_queued =
				make_room(eviction, model->bytes) && queue_load(eviction, model);
		}
	}
}

/* ---- memory shortage */

bool eviction_relieve(struct eviction *eviction, uint64_t now_ns)
{
	const bool again = eviction->relieved_ns && now_ns - eviction->relieved_ns < SOON_NS;
	eviction->relieved_ns = now_ns;
	const bool dropped = previous_versions_drop(eviction);
	if (caches_drop(eviction) || dropped || !again) {
		notice(eviction->models->log, NOTICE_MEMORY_SHORT, NULL,
			"memory is short: idle sessions are dropped");
		return true;
	}
	struct models_entry *model = victim_find(eviction);
	if (model) {
		unload(eviction, model, "because memory is short");
	}
	return model != NULL;
}

/* ---- commands of an administrator */

static int unload_now(struct eviction *eviction, const char *name, struct error *err)
{
	struct models_entry *model = models_find(eviction->models, name);
	if (!model || (!model->loaded && !model->unloaded)) {
		return error_set(err, -ENOENT, "model %s: nothing of that name serves", name);
	}
	if (model->unloaded) {
		return 1;
	}
	if (model->facts.pinned) {
		return error_set(err, -EPERM, "model %s is pinned", name);
	}
	if (!model->loaded->stored) {
		return error_set(err, -EOPNOTSUPP, "model %s is not in a store on a disk", name);
	}
	unload(eviction, model, "as somebody said");
	return 1;
}

static int prepare_load(struct eviction *eviction, const char *name, struct error *err)
{
	struct models_entry *model = models_find(eviction->models, name);
	if (model && model->loaded) {
		return 1;
	}
	if (!model || !model->unloaded) {
		return error_set(err, -ENOENT, "model %s: %s", name,
			model ? "there is nothing to load" : "there is no such model");
	}
	return make_room(eviction, model->bytes)
		? 0
		: error_set(err, -EAGAIN, "model %s: models in use have all the memory", name);
}

int eviction_try_command(
	struct eviction *eviction, const struct store_command *command, struct error *err)
{
	if (command->verb == STORE_COMMAND_LOAD) {
		return prepare_load(eviction, command->model, err);
	}
	return command->verb == STORE_COMMAND_UNLOAD ? unload_now(eviction, command->model, err)
						     : 0;
}
