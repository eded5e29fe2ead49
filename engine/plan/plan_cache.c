/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/plan_cache.h"

#include <string.h>

int plan_cache_init(struct plan_cache *cache, struct error *err)
{
	if (pthread_mutex_init(&cache->mutex, NULL) != 0) {
		return error_no_memory(err);
	}
	cache->initialised = true;
	cache->declared = calloc(cache->graph->n_subgraphs, sizeof(struct plan *));
	cache->others = calloc((size_t)cache->max_plans + 1, sizeof(struct plan *));
	return cache->declared && cache->others ? 0 : error_no_memory(err);
}

void plan_cache_deinit(struct plan_cache *cache)
{
	for (uint32_t i = 0; cache->declared && i < cache->graph->n_subgraphs; i++) {
		plan_unref(cache->declared[i]);
	}
	for (uint32_t i = 0; i < cache->n_others; i++) {
		plan_unref(cache->others[i]);
	}
	free(cache->declared);
	free(cache->others);
	if (cache->initialised) {
		pthread_mutex_destroy(&cache->mutex);
	}
}

static uint64_t declared_bytes(const struct plan_cache *cache)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < cache->graph->n_subgraphs; i++) {
		bytes += cache->declared[i] ? cache->declared[i]->prepared_bytes : 0;
	}
	return bytes;
}

static int build(struct plan_cache *cache, uint32_t subgraph, const struct shape *inputs,
	struct plan **ret_plan, struct error *err)
{
	const struct plan_request request = {
		/* What is asked for by shape is the caller's time, not the file's. */
		.work_done = inputs ? (struct plan_work){0} : cache->work_done,
		.graph = cache->graph,
		.subgraph = subgraph,
		.inputs = inputs,
		.backends = cache->backends,
		.cpu_features = cache->cpu_features,
		.rewrites = cache->rewrites,
		.threads = cache->threads,
		.max_arena_bytes = cache->max_arena_bytes,
		.max_prepared_bytes = cache->max_prepared_bytes - declared_bytes(cache),
		.max_macs = cache->max_macs,
		.packs = inputs ? NULL : cache->packs,
	};
	return plan_build(&request, ret_plan, err);
}

int plan_cache_enter(struct plan_cache *cache, uint32_t subgraph, struct error *err)
{
	if (cache->declared[subgraph]) {
		return 0;
	}
	int r = build(cache, subgraph, NULL, &cache->declared[subgraph], err);
	if (r == 0) {
		cache->work_done.fold += cache->declared[subgraph]->work.fold;
		cache->work_done.layout += cache->declared[subgraph]->work.layout;
	}
	return r;
}

static bool has_inputs(const struct plan *plan, uint32_t subgraph, const struct shape *inputs)
{
	const struct subgraph_plan *part = plan_entered(plan);
	bool same = part->index == subgraph;
	for (uint32_t i = 0; same && i < part->subgraph->n_inputs; i++) {
		same = shape_equal(&part->shapes[part->subgraph->inputs[i]], &inputs[i]);
	}
	return same;
}

/* Moves the plan at @at to the front. */
static void touch(struct plan_cache *cache, uint32_t at)
{
	struct plan *plan = cache->others[at];
	memmove(&cache->others[1], &cache->others[0], at * sizeof(struct plan *));
	cache->others[0] = plan;
}

static struct plan *find(struct plan_cache *cache, uint32_t subgraph, const struct shape *inputs)
{
	if (has_inputs(cache->declared[subgraph], subgraph, inputs)) {
		return plan_ref(cache->declared[subgraph]);
	}
	for (uint32_t i = 0; i < cache->n_others; i++) {
		if (has_inputs(cache->others[i], subgraph, inputs)) {
			touch(cache, i);
			return plan_ref(cache->others[0]);
		}
	}
	return NULL;
}

/* Puts the plan in front, then drops from the end what is too many or too much. The array has room
 * for one more than the limit. */
static void keep(struct plan_cache *cache, struct plan *plan)
{
	cache->others[cache->n_others] = plan_ref(plan);
	touch(cache, cache->n_others++);
	uint64_t bytes = declared_bytes(cache);
	for (uint32_t i = 0; i < cache->n_others; i++) {
		bytes += cache->others[i]->prepared_bytes;
	}
	while (cache->n_others > cache->max_plans ||
		(cache->n_others > 0 && bytes > cache->max_prepared_bytes)) {
		struct plan *oldest = cache->others[--cache->n_others];
		bytes -= oldest->prepared_bytes;
		plan_unref(oldest);
	}
}

int plan_cache_get(struct plan_cache *cache, uint32_t subgraph, const struct shape *inputs,
	struct plan **ret_plan, struct error *err)
{
	pthread_mutex_lock(&cache->mutex);
	struct plan *plan = find(cache, subgraph, inputs);
	pthread_mutex_unlock(&cache->mutex);
	if (plan) {
		*ret_plan = plan;
		return 0;
	}
	/* Made without the lock: another session's run does not wait for it. Two threads may make
	 * the same plan; both work. */
	int r = build(cache, subgraph, inputs, &plan, err);
	if (r < 0) {
		return r;
	}
	pthread_mutex_lock(&cache->mutex);
	keep(cache, plan);
	pthread_mutex_unlock(&cache->mutex);
	*ret_plan = plan;
	return 0;
}
