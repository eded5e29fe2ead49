/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/stats.h"

#include <stdio.h>

#include "backends/backends.h"
#include "daemon/conn.h"
#include "daemon/edged.h"
#include "daemon/framing.h"

#define US UINT64_C(1000)

static const struct tally nothing;

/* The wire's numbers of classes are not those of the queue, where they are in order of urgency. */
static void depths(struct edged *edged, uint32_t ret_queued[WIRE_CLASSES])
{
	uint32_t by_urgency[QUEUE_CLASSES];
	sched_depths(&edged->dispatch.sched, by_urgency);
	ret_queued[WIRE_CLASS_NORMAL] = by_urgency[QUEUE_NORMAL];
	ret_queued[WIRE_CLASS_BATCH] = by_urgency[QUEUE_BATCH];
	ret_queued[WIRE_CLASS_REALTIME] = by_urgency[QUEUE_REALTIME];
	ret_queued[WIRE_CLASS_CONTROL] = by_urgency[QUEUE_CONTROL];
}

static void backends_print(const struct edged *edged, char *out, size_t size)
{
	char features[BACKENDS_CPU_SIZE];
	size_t used = 0;
	backends_cpu_names(edged->loader.cpu_features, features);
	out[0] = 0;
	for (const struct backend *const *b = backends_builtin(); *b && used < size; b++) {
		used += (size_t)snprintf(out + used, size - used, "%s%s: %s", used ? "\n" : "",
			(*b)->name, features);
	}
}

static bool shows(struct conn *conn, const struct account *account)
{
	return account->uid == conn->uid || framing_may(conn, ACCESS_MANAGE);
}

static uint32_t count_users(struct conn *conn)
{
	uint32_t n = 0;
	for (const struct account *a = conn->edged->accounts.first; a; a = a->next) {
		n += shows(conn, a);
	}
	return n;
}

static void note_queued(void *context)
{
	struct accounts *accounts = context;
	for (struct account *a = accounts->first; a; a = a->next) {
		a->queued = a->queue.n_queued;
	}
}

static void users_encode(struct conn *conn, struct bytes_writer *w)
{
	sched_look(&conn->edged->dispatch.sched, note_queued, &conn->edged->accounts);
	for (const struct account *a = conn->edged->accounts.first; a; a = a->next) {
		const struct wire_stats_user user = {.uid = (uint32_t)a->uid,
			.clients = a->clients,
			.queued = a->queued,
			.charged_bytes = a->charged,
			.requests = a->requests,
			.run_us = a->run_ns / US};
		if (shows(conn, a)) {
			wire_stats_user_encode(w, &user);
		}
	}
}

static void model_encode(struct bytes_writer *w, const struct store_model *model)
{
	const struct tally *tally = model->tally ? model->tally : &nothing;
	struct wire_stats_model out = {
		.name = wire_text_of(model->name),
		.version = wire_text_of(model->version),
		.state = wire_text_of(store_model_state(model)),
		.held_bytes = model->served ? model->served->bytes : 0,
	};
	memcpy(out.counts, tally->counts, sizeof(out.counts));
	memcpy(out.phases, tally->phases, sizeof(out.phases));
	wire_stats_model_encode(w, &out);
}

int stats_encode(struct conn *conn, struct bytes_writer *w, struct error *err)
{
	struct edged *edged = conn->edged;
	char backends[256];
	struct wire_stats stats = {
		.n_users = count_users(conn), .n_models = (uint32_t)edged->store.n};
	depths(edged, stats.queued);
	backends_print(edged, backends, sizeof(backends));
	stats.backends = wire_text_of(backends);
	wire_stats_encode(w, &stats);
	users_encode(conn, w);
	for (size_t i = 0; i < edged->store.n; i++) {
		model_encode(w, &edged->store.models[i]);
	}
	return w->failed ? error_no_memory(err) : 0;
}
