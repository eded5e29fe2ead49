/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_cache - the plans of a model: one per entered subgraph for its declared shapes, which stays, and
 * a few for other shapes, of which the one unused for longest goes first
 *
 * Any number of threads may ask at once. A plan lives as long as somebody holds a reference to it,
 * whether it is still kept here or not.
 */
#ifndef ENGINE_PLAN_PLAN_CACHE_H
#define ENGINE_PLAN_PLAN_CACHE_H

#include <pthread.h>

#include "engine/plan/plan.h"

struct plan_cache {
	/* Set before plan_cache_init(); every figure is a limit, none is 0 by default. */
	const struct graph *graph;
	const struct backend *const *backends;
	uint64_t cpu_features;
	uint32_t rewrites; /* REWRITE_* that are wanted */
	unsigned int threads;
	const struct pack_memory *packs; /* for the declared shapes; NULL: none */
	uint64_t max_arena_bytes, max_macs;
	uint64_t max_loops; /* rounds of all loops of one run */
	uint64_t max_prepared_bytes; /* of all plans kept here together */
	uint32_t max_plans; /* for other than declared shapes */

	pthread_mutex_t mutex;
	bool initialised;
	struct plan **declared; /* one per subgraph, NULL for those that nobody enters */
	struct plan **others; /* the latest used first */
	uint32_t n_others;
	struct plan_work work_done; /* for the declared ones */
};

int must_check plan_cache_init(struct plan_cache *cache, struct error *err);
void plan_cache_deinit(struct plan_cache *cache); /* a zeroed one is fine */

/* Makes the plan of @subgraph for its declared shapes, if it is not there yet. Called while nobody
 * else uses the cache. Errors as plan_build(). */
int must_check plan_cache_enter(struct plan_cache *cache, uint32_t subgraph, struct error *err);

/* A reference to the plan of @subgraph (one that was entered) for these input shapes, made now
 * unless it is there. Errors as plan_build(). */
int must_check plan_cache_get(struct plan_cache *cache, uint32_t subgraph,
	const struct shape *inputs, struct plan **ret_plan, struct error *err);

#endif
