/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "daemon/mqtt/bridge.h"
#include "daemon/mqtt/flat.h"
#include "daemon/mqtt/threshold.h"

#define DIGITS 6
#define NS_PER_S UINT64_C(1000000000)

/* The others are told everything once they are up, or nothing any more. */
static bool is_to_know(const struct link *link)
{
	return link->state == LINK_UP && !link->leave_by_ns;
}

bool announce_publish(struct bridge *b, struct link *link, enum outbox_kind kind, bool retain,
	const char *topic, const void *payload, size_t size)
{
	bool all = true;
	for (size_t i = 0; i < b->n_links; i++) {
		if (link && link != b->links[i]) {
			continue;
		}
		struct outbox_message *m = outbox_message_new(kind, topic, payload, size);
		if (m) {
			m->qos = 1;
			m->retain = retain;
		}
		bool taken = m && link_publish(b->links[i], m);
		b->links[i]->owes |= retain && size == 0 && !taken; /* also while it is away */
		if (!taken && is_to_know(b->links[i]) &&
			outbox_may_hold(&b->links[i]->outbox, topic, size)) {
			b->links[i]->untold |= retain;
			all = false;
		}
	}
	return all;
}

void announce_note(const struct link *link, bool all, uint64_t now, uint64_t *hash)
{
	if (!all) {
		*hash = BRIDGE_SAY_AGAIN;
	} else if (!link || *hash != BRIDGE_SAY_AGAIN) { /* that may be for another broker */
		*hash = now;
	}
}

static void own_topic(const struct bridge *b, char out[TOPICS_MAX], const char *rest)
{
	snprintf(out, TOPICS_MAX, "%s/%s/%s", b->settings.prefix, b->settings.gateway, rest);
}

static void model_topic(const struct bridge *b, char out[TOPICS_MAX],
	const struct model_entry *model, const char *rest)
{
	snprintf(out, TOPICS_MAX, "%s/%s/%s/%s", b->settings.prefix, b->settings.gateway,
		model->name, rest);
}

static void publish_last(
	struct bridge *b, struct link *link, bool retain, const char *topic, struct bytes_writer *w)
{
	if (!w->failed) {
		announce_publish(b, link, OUTBOX_LAST, retain, topic, w->data, w->size);
	}
	bytes_writer_deinit(w);
}

/* ---- models */

/* Publishes when it differs from what *hash stands for. */
static void publish_news(struct bridge *b, struct link *link, const char *topic,
	const struct bytes_writer *w, uint64_t *hash)
{
	uint64_t now = dedup_hash(&b->dedup, 0, w->data, w->size);
	if (w->failed || (!link && *hash == now)) {
		return;
	}
	bool all = announce_publish(b, link, OUTBOX_LAST, true, topic, w->data, w->size);
	announce_note(link, all, now, hash);
}

static void write_state(struct bytes_writer *w, const struct model_entry *m, bool away)
{
	char shape[SHAPE_TEXT_SIZE];
	flat_begin(w, NULL, '{');
	flat_text(w, "state", m->off ? "off" : away ? "away" : m->state);
	flat_text(w, "version", m->version);
	flat_integer(w, "generation", (int64_t)m->generation);
	if (m->sha256[0]) {
		flat_text(w, "sha256", m->sha256);
	}
	if (m->reason[0]) {
		flat_told(w, "reason", m->reason);
	}
	if (models_is_ready(m) && m->n_inputs == 1) {
		flat_text(w, "input_type", dtype_name(m->inputs[0].type));
		flat_text(
			w, "input_shape", shape_format(shape, sizeof(shape), &m->inputs[0].shape));
		flat_integer(w, "input_bytes", (int64_t)m->inputs[0].bytes);
	}
	flat_end(w, '}');
}

static void say_setting(struct bridge *b, struct link *link, const struct model_entry *m,
	const char *key, const char *value, uint64_t *hash)
{
	char topic[TOPICS_MAX], rest[48];
	if (!settings_has_word(b->settings.commands, key)) {
		*hash = 0; /* it is emptied (leftover.c) */
		return;
	}
	snprintf(rest, sizeof(rest), "get/%s", key);
	model_topic(b, topic, m, rest);
	struct bytes_writer w = {0};
	bytes_write(&w, value, strlen(value));
	publish_news(b, link, topic, &w, hash);
	bytes_writer_deinit(&w);
}

static void say_settings(struct bridge *b, struct link *link, struct model_entry *m)
{
	struct models_said *said = &m->said;
	char number[THRESHOLD_TEXT_SIZE];
	threshold_print(m->threshold, number);
	if (!number[0] && m->n_outputs && !isnan(m->outputs[0].score_threshold)) {
		/* The digits of a float. */
		snprintf(number, sizeof(number), "%.7g", (double)m->outputs[0].score_threshold);
	}
	say_setting(b, link, m, "threshold", number, &said->threshold);
	say_setting(b, link, m, "enable", m->off ? "OFF" : "ON", &said->enable);
	say_setting(b, link, m, "pin", m->pinned ? "ON" : "OFF", &said->pin);
}

void announce_settings(struct bridge *b, struct model_entry *model)
{
	say_settings(b, NULL, model);
	announce_models(b);
}

/* Retained topics of a model that is gone are emptied. */
static void forget_model(struct bridge *b, struct model_entry *m)
{
	static const char *const rests[] = {"state", "get/threshold", "get/enable", "get/pin"};
	char topic[TOPICS_MAX];
	struct models_said *said = &m->said;
	bool all = true;
	if (!said->state) {
		return;
	}
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		model_topic(b, topic, m, rests[i]);
		all &= announce_publish(b, NULL, OUTBOX_LAST, true, topic, "", 0);
	}
	said->threshold = said->enable = said->pin = 0;
	said->state = all ? 0 : BRIDGE_SAY_AGAIN;
}

static void say_model(struct bridge *b, struct link *link, struct model_entry *m)
{
	char topic[TOPICS_MAX];
	struct bytes_writer w = {0};
	if (!m->listed) {
		return;
	}
	model_topic(b, topic, m, "state");
	write_state(&w, m, service_is_away(&b->service));
	publish_news(b, link, topic, &w, &m->said.state);
	bytes_writer_deinit(&w);
	say_settings(b, link, m);
}

void announce_models(struct bridge *b)
{
	for (size_t i = 0; i < b->models.n; i++) {
		struct model_entry *m = b->models.entries[i];
		if (m->listed) {
			say_model(b, NULL, m);
		} else {
			forget_model(b, m);
		}
	}
	home_follow(b);
	announce_pool(b);
}

/* ---- the gateway */

static void say_info(struct bridge *b, struct link *link)
{
	char topic[TOPICS_MAX];
	struct utsname u;
	struct bytes_writer w = {0};
	uname(&u);
	own_topic(b, topic, "info");
	flat_begin(&w, NULL, '{');
	flat_text(&w, "gw", b->settings.gateway);
	flat_text(&w, "version", EDGED_VERSION);
	flat_text(&w, "machine", u.machine);
	flat_text(&w, "model", b->device.machine);
	flat_text(&w, "edged",
		service_is_up(&b->service) ? edge_client_peer(b->service.client)->version : "");
	flat_integer(&w, "max_message", (int64_t)b->settings.max_message);
	flat_end(&w, '}');
	publish_last(b, link, true, topic, &w);
}

static void say_health(struct bridge *b, struct link *link, const char *status)
{
	char text[64];
	if (b->settings.health) {
		int n = snprintf(text, sizeof(text), "{\"pid\":%d,\"status\":\"%s\"}",
			(int)getpid(), status);
		announce_publish(b, link, OUTBOX_LAST, true,
			"te/device/main/service/edged/status/health", text, (size_t)n);
	}
}

void announce_gateway(struct bridge *b, struct link *link)
{
	say_info(b, link);
	say_health(b, link, service_is_up(&b->service) ? "up" : "down");
}

static void say_online(struct bridge *b, struct link *link)
{
	announce_publish(b, link, OUTBOX_LAST, true, b->status_topic, "online", 6);
	announce_gateway(b, link);
}

void announce_all(struct bridge *b, struct link *link)
{
	say_online(b, link);
	for (size_t i = 0; i < b->models.n; i++) {
		say_model(b, link, b->models.entries[i]);
	}
	pipes_announce(&b->pipes, link);
	leftover_look(b);
	home_tell_again(b, link);
	announce_on_capability(&b->capability);
}

/* Not while there is no room: what is told again is told to all brokers. */
void announce_untold(struct bridge *b)
{
	bool any = false;
	for (size_t i = 0; i < b->n_links; i++) {
		struct link *link = b->links[i];
		bool room = link->outbox.n < link->outbox.max_messages / 2 &&
			link->outbox.bytes < link->outbox.max_bytes / 2;
		if (link->untold && room && is_to_know(link)) {
			link->untold = false;
			say_online(b, link);
			any = true;
		}
	}
	if (any) {
		announce_models(b);
		pipes_announce(&b->pipes, NULL);
		pipes_tell_last(&b->pipes);
	}
}

void announce_stopped(struct bridge *b, struct link *link)
{
	say_health(b, link, "down");
	announce_publish(b, link, OUTBOX_LAST, true, b->status_topic, "stopped", 7);
}

static void write_links(struct bytes_writer *w, const struct bridge *b)
{
	struct link_counts sum = {0};
	uint64_t dropped = 0, expired = 0, up = 0, spool = 0;
	for (size_t i = 0; i < b->n_links; i++) {
		const struct link *l = b->links[i];
		up += l->state == LINK_UP;
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
	flat_integer(w, "brokers_up", (int64_t)up);
	flat_integer(w, "brokers_lost", (int64_t)sum.lost);
	flat_integer(w, "messages_received", (int64_t)sum.received);
	flat_integer(w, "messages_sent", (int64_t)sum.sent);
	flat_integer(w, "messages_dropped", (int64_t)dropped);
	flat_integer(w, "messages_expired", (int64_t)expired);
	flat_integer(w, "messages_too_large", (int64_t)sum.too_large);
	flat_integer(w, "messages_refused", (int64_t)sum.denied);
	flat_integer(w, "subscriptions_refused", (int64_t)sum.refused_subscriptions);
	flat_integer(w, "results_spooled", (int64_t)sum.spooled);
	flat_integer(w, "results_replayed", (int64_t)sum.replayed);
	flat_integer(w, "spool_length", (int64_t)spool);
}

static void write_counts(struct bytes_writer *w, const struct bridge *b)
{
	const struct bridge_counts *c = &b->counts;
	flat_integer(w, "requests", (int64_t)c->requests);
	flat_integer(w, "answers", (int64_t)c->answers);
	flat_integer(w, "answers_ok", (int64_t)c->by_code[EDGE_CLIENT_OK]);
	flat_integer(w, "answers_overloaded", (int64_t)c->by_code[EDGE_CLIENT_OVERLOADED]);
	flat_integer(w, "results", (int64_t)c->results);
	flat_integer(w, "expired", (int64_t)c->expired);
	flat_integer(w, "shed", (int64_t)c->shed);
	flat_integer(w, "duplicates", (int64_t)c->duplicates);
	flat_integer(w, "resumed", (int64_t)c->resumed);
	flat_integer(w, "kept", (int64_t)b->kept.n_used);
	flat_integer(w, "not_kept", (int64_t)b->kept.full);
	flat_integer(w, "given_up", (int64_t)b->kept.given_up);
	flat_integer(w, "retained_ignored", (int64_t)c->retained);
	flat_integer(w, "refused", (int64_t)c->refused);
	flat_integer(w, "commands", (int64_t)c->commands);
	flat_integer(w, "decoder_restarts", (int64_t)b->decoder.restarts);
}

static void write_pipelines(struct bytes_writer *w, const struct bridge *b)
{
	const struct pipes_counts *c = &b->pipes.counts;
	flat_integer(w, "pipelines", (int64_t)b->pipes.n);
	flat_integer(w, "pipeline_inputs", (int64_t)c->inputs);
	flat_integer(w, "pipeline_inputs_refused", (int64_t)c->refused);
	flat_integer(w, "pipeline_inputs_sampled", (int64_t)c->sampled);
	flat_integer(w, "pipeline_questions", (int64_t)c->questions);
	flat_integer(w, "pipeline_results", (int64_t)c->results);
	flat_integer(w, "pipeline_events", (int64_t)c->events);
	flat_integer(w, "pipeline_skipped", (int64_t)c->skipped);
	flat_integer(w, "pipeline_failed", (int64_t)c->failed);
	flat_integer(w, "pipeline_restarts", (int64_t)c->restarts);
}

static void write_edged(struct bytes_writer *w, const struct bridge *b)
{
	const struct edge_client_status *s = &b->service.status;
	flat_integer(w, "edged_up", service_is_up(&b->service));
	flat_integer(w, "edged_models_ready", s->models_ready);
	flat_integer(w, "edged_queue_length", s->queue_length);
	flat_integer(w, "edged_requests_ok", (int64_t)s->counts[EDGE_CLIENT_OK]);
	flat_integer(w, "edged_resident_bytes", (int64_t)s->resident_bytes);
	flat_integer(w, "edged_run_ms_total", (int64_t)(s->run_us / 1000));
}

void announce_on_stats(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	char topic[TOPICS_MAX];
	struct bytes_writer w = {0};
	own_topic(b, topic, "stats");
	flat_begin(&w, NULL, '{');
	flat_time(&w);
	flat_integer(&w, "uptime_s", (int64_t)((clock_now_ns() - b->started_ns) / NS_PER_S));
	flat_integer(&w, "queue_length", (int64_t)b->asks.n);
	flat_integer(&w, "in_flight", (int64_t)b->asks.running);
	flat_real(&w, "wait_ms", serve_wait_ms(b), DIGITS);
	write_counts(&w, b);
	write_pipelines(&w, b);
	write_links(&w, b);
	write_edged(&w, b);
	flat_end(&w, '}');
	publish_last(b, NULL, false, topic, &w);
}

/* ---- the pool */

void announce_pool_filter(const struct bridge *b, char out[TOPICS_MAX], const char *model)
{
	snprintf(out, TOPICS_MAX, "$share/%s/%s/pool/%s/infer", b->settings.pool_group,
		b->settings.prefix, model);
}

void announce_pool_filter_of_pipeline(
	const struct bridge *b, char out[TOPICS_MAX], const char *pipeline)
{
	snprintf(out, TOPICS_MAX, "$share/%s/%s/pool/pipeline/%s/in/+", b->settings.pool_group,
		b->settings.prefix, pipeline);
}

/* In while there is time, out while a request would wait too long: it comes back at half of that. */
static bool has_time(const struct bridge *b)
{
	double most = (double)b->settings.pool_max_wait_ms;
	return serve_wait_ms(b) < (b->in_pool ? most : most / 2);
}

static void be_in_pool(struct bridge *b, struct link *link, const char *filter, bool in)
{
	struct error err = {0};
	if (in == link_is_subscribed(link, filter)) {
		return;
	}
	if (!in) {
		link_unsubscribe(link, filter);
	} else if (link_subscribe(link, filter, 1, &err) < 0) {
		log_warning(&b->log, "pool: %s", err.text);
	}
}

void announce_pool(struct bridge *b)
{
	char filter[TOPICS_MAX];
	b->in_pool = !b->draining && service_is_up(&b->service) && b->listed && has_time(b);
	for (size_t i = 0; i < b->n_links; i++) {
		struct link *link = b->links[i];
		bool in = b->in_pool && !link->leave_by_ns;
		for (size_t k = 0; k < b->models.n && link->settings->pool; k++) {
			const struct model_entry *m = b->models.entries[k];
			announce_pool_filter(b, filter, m->name);
			be_in_pool(b, link, filter, in && models_is_ready(m) && !m->off);
		}
		for (size_t k = 0; k < b->pipes.n && link->settings->pool; k++) {
			const struct pipe *pipe = b->pipes.items[k];
			announce_pool_filter_of_pipeline(b, filter, pipe->name);
			be_in_pool(b, link, filter, in && pipes_is_poolable(&b->pipes, pipe));
		}
	}
}

static void add_name(struct bytes_writer *names, const char *name)
{
	if (names->size) {
		bytes_write_u8(names, ' ');
	}
	bytes_write(names, name, strlen(name));
}

/* Not every broker's pool has this gateway. */
static void write_capability(struct bytes_writer *w, const struct bridge *b,
	const struct link *link, const char *models, const char *pipelines, int64_t ready)
{
	flat_begin(w, NULL, '{');
	flat_text(w, "gw", b->settings.gateway);
	flat_text(w, "models", models);
	flat_integer(w, "models_ready", ready);
	flat_text(w, "pipelines", pipelines);
	flat_integer(w, "pool", b->in_pool && link->settings->pool && !link->leave_by_ns);
	flat_integer(w, "draining", b->draining);
	flat_integer(w, "queue_length", (int64_t)b->asks.n);
	flat_integer(w, "in_flight", (int64_t)b->asks.running);
	flat_real(w, "wait_ms", serve_wait_ms(b), 3);
	flat_end(w, '}');
}

/* Those that are ready, by blanks; their number. */
static int64_t name_models(const struct bridge *b, struct bytes_writer *names)
{
	int64_t ready = 0;
	for (size_t i = 0; i < b->models.n && !service_is_away(&b->service); i++) {
		const struct model_entry *m = b->models.entries[i];
		if (models_is_ready(m) && !m->off) {
			add_name(names, m->name);
			ready++;
		}
	}
	bytes_write_u8(names, 0);
	return ready;
}

static void name_pipelines(struct bridge *b, struct bytes_writer *names)
{
	for (size_t i = 0; i < b->pipes.n && !service_is_away(&b->service); i++) {
		const struct pipe *pipe = b->pipes.items[i];
		if (pipes_is_poolable(&b->pipes, pipe)) {
			add_name(names, pipe->name);
		}
	}
	bytes_write_u8(names, 0);
}

/* What others need to know to send work here, or elsewhere. */
void announce_on_capability(uv_timer_t *timer)
{
	struct bridge *b = timer->data;
	char topic[TOPICS_MAX];
	struct bytes_writer models = {0}, pipelines = {0};
	int64_t ready = name_models(b, &models);
	name_pipelines(b, &pipelines);
	announce_pool(b);
	own_topic(b, topic, "capability");
	for (size_t i = 0; i < b->n_links && !models.failed && !pipelines.failed; i++) {
		struct link *link = b->links[i];
		struct bytes_writer w = {0};
		write_capability(&w, b, link, (const char *)models.data,
			(const char *)pipelines.data, ready);
		publish_last(b, link, true, topic, &w);
	}
	bytes_writer_deinit(&models);
	bytes_writer_deinit(&pipelines);
}
