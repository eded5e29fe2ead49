/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/stats.h"

#include <stdio.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "daemon/edged/socket/conn.h"

static const struct counters nothing;

static void backends_print(const struct serve *serve, char *out, size_t size)
{
	char features[BACKENDS_CPU_SIZE];
	size_t used = 0;
	backends_cpu_names(serve->loader->cpu_features, features);
	out[0] = 0;
	for (const struct backend *const *b = backends_builtin(); *b && used < size; b++) {
		used += (size_t)snprintf(out + used, size - used, "%s%s: %s", used ? "\n" : "",
			(*b)->name, features);
	}
}

static bool shows(struct conn *conn, const struct account *account)
{
	return account->uid == conn->peer.uid || conn_may(conn, ACCESS_MANAGE);
}

static uint32_t count_users(struct conn *conn)
{
	uint32_t n = 0;
	for (const struct account *a = conn->server->serve->accounts.first; a; a = a->next) {
		n += shows(conn, a);
	}
	return n;
}

struct depths {
	struct serve *serve;
	uint32_t *queued; /* by the wire's numbers of classes */
};

static void note_queued(void *context)
{
	const struct depths *depths = context;
	const uint32_t *by_urgency = depths->serve->sched.queue.n_of_class;
	depths->queued[WIRE_CLASS_NORMAL] = by_urgency[QUEUE_NORMAL];
	depths->queued[WIRE_CLASS_BATCH] = by_urgency[QUEUE_BATCH];
	depths->queued[WIRE_CLASS_REALTIME] = by_urgency[QUEUE_REALTIME];
	depths->queued[WIRE_CLASS_CONTROL] = by_urgency[QUEUE_CONTROL];
	for (struct account *a = depths->serve->accounts.first; a; a = a->next) {
		a->queued = a->queue.n_queued;
	}
}

static void users_encode(struct conn *conn, struct bytes_writer *w)
{
	for (const struct account *a = conn->server->serve->accounts.first; a; a = a->next) {
		const struct wire_stats_user user = {.uid = (uint32_t)a->uid,
			.clients = a->clients,
			.queued = a->queued,
			.charged_bytes = a->charged,
			.requests = a->requests,
			.run_us = a->run_ns / NSEC_PER_USEC};
		if (shows(conn, a)) {
			wire_stats_user_encode(w, &user);
		}
	}
}

static void model_encode(struct bytes_writer *w, const struct models_entry *model)
{
	const struct counters *counters = model->counters ? model->counters : &nothing;
	struct wire_stats_model out = {
		.name = wire_text_of(model->name),
		.version = wire_text_of(model->version),
		.state = wire_text_of(models_model_state(model)),
		.held_bytes = model->loaded ? model->loaded->bytes : 0,
	};
	memcpy(out.counts, counters->counts, sizeof(out.counts));
	memcpy(out.phases, counters->phases, sizeof(out.phases));
	wire_stats_model_encode(w, &out);
}

int stats_encode(struct conn *conn, struct bytes_writer *w, struct error *err)
{
	struct serve *serve = conn->server->serve;
	char backends[256];
	struct wire_stats stats = {
		.n_users = count_users(conn), .n_models = (uint32_t)serve->models->n};
	struct depths depths = {serve, stats.queued};
	sched_with_lock(&serve->sched, note_queued, &depths);
	backends_print(serve, backends, sizeof(backends));
	stats.backends = wire_text_of(backends);
	wire_stats_encode(w, &stats);
	users_encode(conn, w);
	for (size_t i = 0; i < serve->models->n; i++) {
		model_encode(w, &serve->models->entries[i]);
	}
	return w->failed ? error_no_memory(err) : 0;
}
