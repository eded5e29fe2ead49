/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes STATS and computes percentiles of its histograms. */
#include <errno.h>

#include "client/lib/replies.h"
#include "client/lib/reply_memory.h"

void edge_client_stats_free(struct edge_client_stats *stats)
{
	reply_memory_free(stats);
}
DEFINE_OWNED(struct edge_client_stats *, edge_client_stats_free)

static int fill_users(struct reply_memory *pool, struct bytes_reader *r, uint32_t n,
	struct edge_client_stats *stats, struct error *err)
{
	struct edge_client_stats_user *users =
		reply_memory_get(pool, (size_t)n + 1, sizeof(*users));
	struct wire_stats_user from = {0};
	int e = 0;
	for (uint32_t i = 0; users && i < n && e == 0; i++) {
		e = wire_stats_user_decode(r, &from, err);
		users[i] = (struct edge_client_stats_user){.uid = from.uid,
			.clients = from.clients,
			.queued = from.queued,
			.charged_bytes = from.charged_bytes,
			.requests = from.requests,
			.run_us = from.run_us};
	}
	stats->users = users;
	stats->n_users = n;
	return e;
}

static void fill_timing(
	struct reply_memory *pool, const struct histogram *from, struct edge_client_timing *to)
{
	uint32_t n = 0;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		n += from->buckets[i] > 0;
	}
	struct edge_client_bucket *buckets =
		reply_memory_get(pool, (size_t)n + 1, sizeof(*buckets));
	*to = (struct edge_client_timing){
		.count = from->n, .sum_ns = from->sum_ns, .max_ns = from->max_ns};
	for (unsigned int i = 0; buckets && i < HISTOGRAM_BUCKETS; i++) {
		if (from->buckets[i] > 0) {
			buckets[to->n_buckets++] =
				(struct edge_client_bucket){.low_ns = histogram_low_ns(i),
					.high_ns = histogram_low_ns(i + 1),
					.count = from->buckets[i]};
		}
	}
	to->buckets = buckets;
}

static void fill_model(struct reply_memory *pool, const struct wire_stats_model *from,
	struct edge_client_stats_model *to)
{
	_Static_assert((int)EDGE_CLIENT_PHASES == (int)WIRE_PHASES, "the same phases");
	to->name = reply_memory_text(pool, from->name);
	to->version = reply_memory_text(pool, from->version);
	to->state = reply_memory_text(pool, from->state);
	to->held_bytes = from->held_bytes;
	memcpy(to->counts, from->counts, sizeof(to->counts));
	for (unsigned int i = 0; i < WIRE_PHASES; i++) {
		fill_timing(pool, &from->phases[i], &to->phases[i]);
	}
}

static int fill_models(struct reply_memory *pool, struct bytes_reader *r, uint32_t n,
	struct edge_client_stats *stats, struct error *err)
{
	struct edge_client_stats_model *models =
		reply_memory_get(pool, (size_t)n + 1, sizeof(*models));
	struct wire_stats_model from;
	int e = 0;
	for (uint32_t i = 0; models && i < n && e == 0; i++) {
		e = wire_stats_model_decode(r, &from, err);
		if (e == 0) {
			fill_model(pool, &from, &models[i]);
		}
	}
	stats->models = models;
	stats->n_models = n;
	return e;
}

int replies_stats(
	const void *body, size_t size, struct edge_client_stats **ret_stats, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	owned(edge_client_stats_free) struct edge_client_stats *stats = NULL;
	struct wire_stats from;
	int e = wire_stats_decode(&r, &from, err);
	struct reply_memory *pool = e == 0 ? reply_memory_new(sizeof(*stats)) : NULL;
	if (!pool) {
		return e < 0 ? e : error_no_memory(err);
	}
	stats = (void *)pool->reply;
	memcpy(stats->queued, from.queued, sizeof(stats->queued));
	stats->backends = reply_memory_text(pool, from.backends);
	e = fill_users(pool, &r, from.n_users, stats, err);
	e = e < 0 ? e : fill_models(pool, &r, from.n_models, stats, err);
	if (pool->failed) {
		return error_no_memory(err);
	}
	e = e < 0 ? e : wire_end(&r, WIRE_STATS, err);
	if (e == 0) {
		*ret_stats = take(stats);
	}
	return e;
}

/* Must match histogram_percentile_ns(). */
uint64_t edge_client_percentile_ns(const struct edge_client_timing *timing, double part)
{
	uint64_t n = 0, seen = 0;
	for (uint32_t i = 0; i < timing->n_buckets; i++) {
		n += timing->buckets[i].count;
	}
	const double exact = part * (double)n;
	for (uint32_t i = 0; i < timing->n_buckets; i++) {
		const struct edge_client_bucket *bucket = &timing->buckets[i];
		seen += bucket->count;
		if (bucket->count > 0 && ((double)seen >= exact || seen == n)) {
			const uint64_t middle = (bucket->low_ns + bucket->high_ns) / 2;
			return middle < timing->max_ns ? middle : timing->max_ns;
		}
	}
	return 0;
}
