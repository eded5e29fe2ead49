/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/idle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/notice.h"

#define SECOND_NS UINT64_C(1000000000)
#define HALF_LIFE_NS (600 * SECOND_NS) /* a request counts half after that */
#define SOON_NS (30 * SECOND_NS) /* memory is short again: caches were not enough */

/* ---- how much a model is asked */

/* 2^-x, straight between whole x: near enough to compare. */
static double use_now(const struct served_use *use, uint64_t now_ns)
{
	const uint64_t age = now_ns > use->last_ns ? now_ns - use->last_ns : 0;
	const uint64_t halves = age / HALF_LIFE_NS;
	const double rest = (double)(age % HALF_LIFE_NS) / (double)HALF_LIFE_NS;
	return halves > 60 ? 0 : use->score / (double)(UINT64_C(1) << halves) * (1 - rest / 2);
}

void idle_note_use(struct served *served, uint64_t now_ns)
{
	served->use.score = use_now(&served->use, now_ns) + 1;
	served->use.last_ns = now_ns;
}

/* Expected cost of not having it: nanoseconds of loading times requests lately. */
static double regret_of(const struct served *served, uint64_t now_ns)
{
	return (double)served->load_ns * use_now(&served->use, now_ns);
}

/* ---- unloading */

static bool may_go(const struct store_model *model)
{
	return model->served && !model->about.pinned && model->served->stored &&
		served_idle(model->served);
}

/* The loader counts it no more; without memory to say so it counts it a little longer. */
static void tell_loader(const struct idle *idle, const struct store_model *model)
{
	struct order *order = order_new();
	if (order) {
		order->verb = ORDER_UNLOADED;
		order->digest = model->served->digest;
		memcpy(order->model, model->name, sizeof(order->model));
		loader_order(idle->loader, idle->config, order);
	}
}

static void unload(const struct idle *idle, struct store_model *model, const char *why)
{
	const struct notice_about about = {
		.model = model->name, .version = model->version, .digest = &model->served->digest};
	notice(idle->store->log, NOTICE_MODEL_UNLOADED, &about,
		"model %s version %s: unloaded %s, %zu bytes", model->name, model->version, why,
		model->served->bytes);
	tell_loader(idle, model);
	store_unload(model, why);
	if (idle->changed) {
		idle->changed(idle->context);
	}
}

/* Of those that may go the one with the least regret; among equals that which was used longest ago. */
static struct store_model *victim_find(const struct idle *idle)
{
	const uint64_t now_ns = clock_now_ns();
	struct store_model *found = NULL;
	double least = 0;
	for (size_t i = 0; i < idle->store->n; i++) {
		struct store_model *model = &idle->store->models[i];
		if (!may_go(model)) {
			continue;
		}
		double regret = regret_of(model->served, now_ns);
		if (!found || regret < least ||
			(regret == least &&
				model->served->use.last_ns < found->served->use.last_ns)) {
			found = model;
			least = regret;
		}
	}
	return found;
}

/* Sessions of models that nobody uses at this moment: the next request makes its own. */
static bool caches_drop(const struct idle *idle)
{
	const size_t before = atomic_load(&idle->budget->held);
	for (size_t i = 0; i < idle->store->n; i++) {
		struct store_model *model = &idle->store->models[i];
		if (model->served && served_idle(model->served)) {
			served_trim(model->served);
		}
	}
	return atomic_load(&idle->budget->held) < before;
}

/* What models on trial would go back to. False: there is nothing of that kind. */
static bool befores_drop(const struct idle *idle)
{
	bool dropped = false;
	for (size_t i = 0; !idle->store->keeps_before && i < idle->store->n; i++) {
		dropped = dropped || idle->store->models[i].before;
		store_drop_before(&idle->store->models[i]);
	}
	return dropped;
}

static bool make_room(const struct idle *idle, uint64_t bytes)
{
	if (budget_excess(idle->budget, bytes) > 0) {
		befores_drop(idle);
	}
	if (budget_excess(idle->budget, bytes) > 0) {
		caches_drop(idle);
	}
	while (budget_excess(idle->budget, bytes) > 0) {
		struct store_model *model = victim_find(idle);
		if (!model) {
			return false;
		}
		unload(idle, model, "for the memory budget");
	}
	return true;
}

static void pinned_count(const struct idle *idle)
{
	size_t pinned = 0;
	for (size_t i = 0; i < idle->store->n; i++) {
		const struct store_model *model = &idle->store->models[i];
		pinned += model->served && model->about.pinned ? model->served->bytes : 0;
	}
	atomic_store(&idle->budget->pinned, pinned);
}

void idle_enforce(struct idle *idle)
{
	pinned_count(idle);
	bool enough = make_room(idle, 0);
	(void)enough; /* what is in use goes on, and is looked at again when it is not */
}

/* ---- loading again */

static bool load_ask(const struct idle *idle, struct store_model *model)
{
	struct order *order = order_new();
	if (!order) {
		return false;
	}
	order->verb = ORDER_LOAD;
	memcpy(order->model, model->name, sizeof(order->model));
	loader_order(idle->loader, idle->config, order);
	return true;
}

void idle_load_wanted(struct idle *idle)
{
	for (size_t i = 0; i < idle->store->n; i++) {
		struct store_model *model = &idle->store->models[i];
		if (model->unloaded && model->wanted && !model->load_asked) {
			model->load_asked = make_room(idle, model->bytes) && load_ask(idle, model);
		}
	}
}

/* ---- the system is short of memory */

bool idle_relieve(struct idle *idle, uint64_t now_ns)
{
	const bool again = idle->relieved_ns && now_ns - idle->relieved_ns < SOON_NS;
	idle->relieved_ns = now_ns;
	const bool dropped = befores_drop(idle);
	if (caches_drop(idle) || dropped || !again) {
		notice(idle->store->log, NOTICE_MEMORY_SHORT, NULL,
			"memory is short: idle sessions are dropped");
		return true;
	}
	struct store_model *model = victim_find(idle);
	if (model) {
		unload(idle, model, "because memory is short");
	}
	return model != NULL;
}

/* ---- as somebody says */

int idle_unload(struct idle *idle, const char *name, struct error *err)
{
	struct store_model *model = store_find(idle->store, name);
	if (!model || (!model->served && !model->unloaded)) {
		return error_set(err, -ENOENT, "model %s: nothing of that name serves", name);
	}
	if (model->unloaded) {
		return 0;
	}
	if (model->about.pinned) {
		return error_set(err, -EPERM, "model %s is pinned", name);
	}
	if (!model->served->stored) {
		return error_set(err, -EOPNOTSUPP, "model %s is not in a store on a disk", name);
	}
	unload(idle, model, "as somebody said");
	return 0;
}

int idle_load(struct idle *idle, const char *name, struct error *err)
{
	struct store_model *model = store_find(idle->store, name);
	if (model && model->served) {
		return 1;
	}
	if (!model || !model->unloaded) {
		return error_set(err, -ENOENT, "model %s: %s", name,
			model ? "there is nothing to load" : "there is none of that name");
	}
	return make_room(idle, model->bytes)
		? 0
		: error_set(err, -EAGAIN, "model %s: models in use have all the memory", name);
}

int idle_order(struct idle *idle, const struct order *order, struct error *err)
{
	if (order->verb == ORDER_LOAD) {
		return idle_load(idle, order->model, err);
	}
	if (order->verb != ORDER_UNLOAD) {
		return 0;
	}
	int code = idle_unload(idle, order->model, err);
	return code < 0 ? code : 1;
}
