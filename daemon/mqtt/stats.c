/* SPDX-License-Identifier: Apache-2.0 */
/* The stats topic: counters of all parts. */
#include <stdio.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/text/json_writer.h"

#define DIGITS 6

static void write_connections(struct bytes_writer *w, const struct bridge *b)
{
	struct broker_connection_counts sum = {0};
	uint64_t dropped = 0, expired = 0, up = 0, spool = 0;
	for (size_t i = 0; i < b->brokers.n; i++) {
		const struct broker_connection *l = b->brokers.connections[i];
		up += l->state == BROKER_CONNECTION_UP;
		sum.received += l->counts.received;
		sum.sent += l->counts.sent;
		sum.lost += l->counts.lost;
		sum.spooled += l->counts.spooled;
		sum.replayed += l->counts.replayed;
		sum.too_large += l->counts.too_large;
		sum.denied += l->counts.denied;
		sum.refused_subscriptions += l->counts.refused_subscriptions;
		dropped += l->outbox.dropped + (l->spool ? spool_dropped(l->spool) : 0);
		expired += l->outbox.expired;
		spool += l->spool ? spool_length(l->spool) : 0;
	}
	json_writer_integer(w, "brokers_up", (int64_t)up);
	json_writer_integer(w, "brokers_lost", (int64_t)sum.lost);
	json_writer_integer(w, "messages_received", (int64_t)sum.received);
	json_writer_integer(w, "messages_sent", (int64_t)sum.sent);
	json_writer_integer(w, "messages_dropped", (int64_t)dropped);
	json_writer_integer(w, "messages_expired", (int64_t)expired);
	json_writer_integer(w, "messages_too_large", (int64_t)sum.too_large);
	json_writer_integer(w, "messages_refused", (int64_t)sum.denied);
	json_writer_integer(w, "subscriptions_refused", (int64_t)sum.refused_subscriptions);
	json_writer_integer(w, "results_spooled", (int64_t)sum.spooled);
	json_writer_integer(w, "results_replayed", (int64_t)sum.replayed);
	json_writer_integer(w, "spool_length", (int64_t)spool);
}

static void write_counts(struct bytes_writer *w, const struct bridge *b)
{
	const struct mqtt_requests_counts *c = &b->counts;
	json_writer_integer(w, "requests", (int64_t)c->requests);
	json_writer_integer(w, "answers", (int64_t)c->responses);
	json_writer_integer(w, "answers_ok", (int64_t)c->by_code[EDGE_CLIENT_OK]);
	json_writer_integer(w, "answers_overloaded", (int64_t)c->by_code[EDGE_CLIENT_OVERLOADED]);
	json_writer_integer(w, "results", (int64_t)c->results);
	json_writer_integer(w, "expired", (int64_t)c->expired);
	json_writer_integer(w, "shed", (int64_t)c->shed);
	json_writer_integer(w, "duplicates", (int64_t)c->duplicates);
	json_writer_integer(w, "resumed", (int64_t)c->resumed);
	json_writer_integer(w, "kept", (int64_t)b->journal.n_used);
	json_writer_integer(w, "not_kept", (int64_t)b->journal.full);
	json_writer_integer(w, "given_up", (int64_t)b->journal.given_up);
	json_writer_integer(w, "retained_ignored", (int64_t)c->retained);
	json_writer_integer(w, "refused", (int64_t)c->refused);
	json_writer_integer(w, "commands", (int64_t)c->commands);
}

static void write_pipelines(struct bytes_writer *w, const struct bridge *b)
{
	const struct pipelines_counts *c = &b->pipelines.counts;
	json_writer_integer(w, "pipelines", (int64_t)b->pipelines.n);
	json_writer_integer(w, "pipeline_inputs", (int64_t)c->inputs);
	json_writer_integer(w, "pipeline_inputs_refused", (int64_t)c->refused);
	json_writer_integer(w, "pipeline_inputs_sampled", (int64_t)c->sampled);
	json_writer_integer(w, "pipeline_questions", (int64_t)c->model_requests);
	json_writer_integer(w, "pipeline_results", (int64_t)c->results);
	json_writer_integer(w, "pipeline_events", (int64_t)c->events);
	json_writer_integer(w, "pipeline_skipped", (int64_t)c->skipped);
	json_writer_integer(w, "pipeline_failed", (int64_t)c->failed);
	json_writer_integer(w, "pipeline_restarts", (int64_t)b->pipelines.worker.restarts);
}

static void write_edged(struct bytes_writer *w, const struct bridge *b)
{
	const struct edge_client_status *s = &b->edged.status;
	json_writer_integer(w, "edged_up", edged_client_is_up(&b->edged));
	json_writer_integer(w, "edged_models_ready", s->models_ready);
	json_writer_integer(w, "edged_queue_length", s->queue_length);
	json_writer_integer(w, "edged_requests_ok", (int64_t)s->counts[EDGE_CLIENT_OK]);
	json_writer_integer(w, "edged_resident_bytes", (int64_t)s->resident_bytes);
	json_writer_integer(w, "edged_run_ms_total", (int64_t)(s->run_us / 1000));
}

void stats_on_timer(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	char topic[TOPIC_SIZE];
	struct bytes_writer w = {0};
	settings_own_topic(&b->settings, topic, "stats");
	json_writer_begin(&w, NULL, '{');
	json_writer_time(&w);
	json_writer_integer(
		&w, "uptime_s", (int64_t)((clock_now_ns() - b->started_ns) / NSEC_PER_SEC));
	json_writer_integer(&w, "queue_length", (int64_t)b->requests.n);
	json_writer_integer(&w, "in_flight", (int64_t)b->requests.running);
	json_writer_real(&w, "wait_ms", request_serve_wait_ms(&b->requests), DIGITS);
	write_counts(&w, b);
	write_pipelines(&w, b);
	write_connections(&w, b);
	write_edged(&w, b);
	json_writer_end(&w, '}');
	if (!w.failed) {
		brokers_publish(&b->brokers, NULL, OUTBOX_LAST, false, topic, w.data, w.size);
	}
	bytes_writer_deinit(&w);
}
