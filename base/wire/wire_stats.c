/* SPDX-License-Identifier: Apache-2.0 */
/* STATS and CONFIG messages. */
#include <errno.h>

#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

/* Three empty texts, a number, no counts, and three histograms without buckets. */
#define LEAST_MODEL_BYTES (3 * 2 + 8 + 4 + WIRE_PHASES * (3 * 8 + 2))

void wire_stats_encode(struct bytes_writer *w, const struct wire_stats *stats)
{
	for (unsigned int i = 0; i < WIRE_CLASSES; i++) {
		bytes_write_u32(w, stats->queued[i]);
	}
	wire_field_text_encode(w, stats->backends);
	bytes_write_u32(w, stats->n_users);
	bytes_write_u32(w, stats->n_models);
}

int wire_stats_decode(struct bytes_reader *r, struct wire_stats *ret_stats, struct error *err)
{
	struct wire_stats stats = {0};
	for (unsigned int i = 0; i < WIRE_CLASSES; i++) {
		stats.queued[i] = bytes_read_u32(r);
	}
	stats.backends = wire_field_text_decode(r);
	stats.n_users = bytes_read_u32(r);
	stats.n_models = bytes_read_u32(r);
	/* Rejects counts that do not fit the body. */
	const size_t left = r->size - r->at;
	const uint64_t least = (uint64_t)stats.n_users * WIRE_STATS_USER_BYTES +
		(uint64_t)stats.n_models * LEAST_MODEL_BYTES;
	if (r->failed || least > left) {
		return wire_field_malformed(WIRE_STATS, err);
	}
	*ret_stats = stats;
	return 0;
}

void wire_stats_user_encode(struct bytes_writer *w, const struct wire_stats_user *user)
{
	bytes_write_u32(w, user->uid);
	bytes_write_u32(w, user->clients);
	bytes_write_u32(w, user->queued);
	bytes_write_u32(w, user->reserved);
	bytes_write_u64(w, user->charged_bytes);
	bytes_write_u64(w, user->requests);
	bytes_write_u64(w, user->run_us);
}

int wire_stats_user_decode(
	struct bytes_reader *r, struct wire_stats_user *ret_user, struct error *err)
{
	struct wire_stats_user user = {.uid = bytes_read_u32(r)};
	user.clients = bytes_read_u32(r);
	user.queued = bytes_read_u32(r);
	user.reserved = bytes_read_u32(r);
	user.charged_bytes = bytes_read_u64(r);
	user.requests = bytes_read_u64(r);
	user.run_us = bytes_read_u64(r);
	*ret_user = user;
	return wire_field_check(r, WIRE_STATS, err);
}

/* ---- histograms: non-empty buckets in order */

static void histogram_encode(struct bytes_writer *w, const struct histogram *histogram)
{
	uint16_t n = 0;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		n += histogram->buckets[i] > 0;
	}
	bytes_write_u64(w, histogram->n);
	bytes_write_u64(w, histogram->sum_ns);
	bytes_write_u64(w, histogram->max_ns);
	bytes_write_u16(w, n);
	for (uint16_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (histogram->buckets[i] > 0) {
			bytes_write_u16(w, i);
			bytes_write_u32(w, histogram->buckets[i]);
		}
	}
}

static void histogram_decode(struct bytes_reader *r, struct histogram *ret_histogram)
{
	*ret_histogram = (struct histogram){.n = bytes_read_u64(r)};
	ret_histogram->sum_ns = bytes_read_u64(r);
	ret_histogram->max_ns = bytes_read_u64(r);
	const uint16_t n = bytes_read_u16(r);
	for (uint16_t i = 0; i < n && !r->failed; i++) {
		const uint16_t bucket = bytes_read_u16(r);
		const uint32_t count = bytes_read_u32(r);
		if (bucket >= HISTOGRAM_BUCKETS) {
			r->failed = true;
			return;
		}
		ret_histogram->buckets[bucket] = count;
	}
}

void wire_stats_model_encode(struct bytes_writer *w, const struct wire_stats_model *model)
{
	wire_field_text_encode(w, model->name);
	wire_field_text_encode(w, model->version);
	wire_field_text_encode(w, model->state);
	bytes_write_u64(w, model->held_bytes);
	bytes_write_u32(w, EDGE_STATUS_COUNT);
	for (unsigned int i = 0; i < EDGE_STATUS_COUNT; i++) {
		bytes_write_u64(w, model->counts[i]);
	}
	for (unsigned int i = 0; i < WIRE_PHASES; i++) {
		histogram_encode(w, &model->phases[i]);
	}
}

int wire_stats_model_decode(
	struct bytes_reader *r, struct wire_stats_model *ret_model, struct error *err)
{
	*ret_model = (struct wire_stats_model){.name = wire_field_text_decode(r)};
	ret_model->version = wire_field_text_decode(r);
	ret_model->state = wire_field_text_decode(r);
	ret_model->held_bytes = bytes_read_u64(r);
	const uint32_t n = bytes_read_u32(r);
	for (uint32_t i = 0; i < n && !r->failed; i++) {
		const uint64_t count = bytes_read_u64(r);
		if (i < EDGE_STATUS_COUNT) {
			ret_model->counts[i] = count;
		}
	}
	for (unsigned int i = 0; i < WIRE_PHASES; i++) {
		histogram_decode(r, &ret_model->phases[i]);
	}
	return wire_field_check(r, WIRE_STATS, err);
}

/* ---- CONFIG */

void wire_config_item_encode(struct bytes_writer *w, const struct wire_config_item *item)
{
	wire_field_text_encode(w, item->section);
	wire_field_text_encode(w, item->key);
	wire_field_text_encode(w, item->value);
	wire_field_text_encode(w, item->origin);
	wire_field_text_encode(w, item->pending);
}

int wire_config_item_decode(
	struct bytes_reader *r, struct wire_config_item *ret_item, struct error *err)
{
	struct wire_config_item item = {.section = wire_field_text_decode(r)};
	item.key = wire_field_text_decode(r);
	item.value = wire_field_text_decode(r);
	item.origin = wire_field_text_decode(r);
	item.pending = wire_field_text_decode(r);
	*ret_item = item;
	return wire_field_check(r, WIRE_CONFIG, err);
}
