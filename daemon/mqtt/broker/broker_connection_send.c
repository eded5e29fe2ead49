/* SPDX-License-Identifier: Apache-2.0 */
/* broker_connection_send - outbox and spool of a broker connection */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/broker/broker_connection.h"

/* Returns true if @message was written to the spool. */
static bool spool_message(struct broker_connection *conn, const struct outbox_message *message)
{
	struct error err = {0};
	if (spool_append(conn->spool, message->topic, message->payload, message->size, &err) < 0) {
		log_warning(conn->log, "broker %s: %s", conn->settings->name, err.text);
		return false;
	}
	conn->counts.spooled++;
	return true;
}

bool broker_connection_publish(struct broker_connection *conn, struct outbox_message *message)
{
	owned(outbox_message_free) struct outbox_message *m = message;
	bool later = conn->state != BROKER_CONNECTION_UP ||
		(conn->spool && spool_length(conn->spool) > 0);
	if (m->kind == OUTBOX_RESULT && conn->spool && later && spool_message(conn, m)) {
		return true;
	}
	return outbox_put(&conn->outbox, take(m));
}

/* Drops @message, which the library refuses, with a log line and on_unsendable(). */
static void refuse(struct broker_connection *conn, struct outbox_message *message, bool too_large,
	const char *why)
{
	owned(outbox_message_free) struct outbox_message *m = outbox_take(&conn->outbox, message);
	log_warning(conn->log, "broker %s: %zu bytes to %s are left out: %s", conn->settings->name,
		m->size, m->topic, why);
	if (too_large) {
		conn->counts.too_large++;
	} else {
		conn->outbox.dropped++;
	}
	if (m->of_spool) {
		spool_done(conn->spool, m->record);
	}
	conn->events->on_unsendable(conn, m, too_large);
}

void broker_connection_put_back(struct broker_connection *conn)
{
	outbox_rewind(&conn->outbox);
	if (!conn->spool) {
		return;
	}
	for (struct outbox_message *m; (m = outbox_take_result(&conn->outbox));) {
		if (!m->of_spool && !spool_message(conn, m)) {
			conn->outbox.dropped++;
		}
		outbox_message_free(m);
	}
	spool_rewind(conn->spool);
}

void broker_connection_log_missing(const struct broker_connection *conn, uint64_t before)
{
	uint64_t missing = spool_dropped(conn->spool) - before;
	if (missing > 0) {
		log_warning(conn->log,
			"broker %s: spool: %llu results are not to be read, and left out",
			conn->settings->name, (unsigned long long)missing);
	}
}

static bool read_spool(struct broker_connection *conn, struct spool_record *ret_record)
{
	uint64_t before = spool_dropped(conn->spool);
	bool there = spool_read(conn->spool, ret_record);
	broker_connection_log_missing(conn, before);
	return there;
}

/* Moves the next record of the spool to the outbox. */
static bool refill(struct broker_connection *conn)
{
	struct spool_record record;
	if (!conn->spool || !read_spool(conn, &record)) {
		return false;
	}
	if (!outbox_may_hold(&conn->outbox, record.topic, record.size)) {
		log_warning(conn->log,
			"broker %s: %zu bytes to %s are left out: more than outbox-bytes",
			conn->settings->name, record.size, record.topic);
		conn->outbox.dropped++;
		spool_done(conn->spool, record.number);
		return true;
	}
	struct outbox_message *m =
		outbox_message_new(OUTBOX_RESULT, record.topic, record.payload, record.size);
	if (!m) {
		spool_unread(conn->spool);
		return false;
	}
	m->qos = 1;
	m->content_type = "application/json";
	m->of_spool = true;
	m->record = record.number;
	if (!outbox_put(&conn->outbox, m)) {
		spool_unread(conn->spool); /* no room until messages in flight are acknowledged */
		return false;
	}
	conn->counts.replayed++;
	return true;
}

static int hand_over(
	struct broker_connection *conn, struct outbox_message *m, uint64_t now, struct error *err)
{
	int mid = 0;
	struct mosq_publication p = {.topic = m->topic,
		.payload = m->payload,
		.size = m->size,
		.qos = m->qos,
		.retain = m->retain,
		.content_type = m->content_type,
		.status = m->status,
		.tensors = m->tensors,
		.traceparent = m->traceparent,
		.correlation = m->correlation,
		.correlation_bytes = m->correlation_bytes,
		.expiry_s = MOSQ_NO_EXPIRY};
	if (m->expires_ns) {
		p.expiry_s = (uint32_t)((clock_left_ns(m->expires_ns, now) + NSEC_PER_SEC - 1) /
			NSEC_PER_SEC);
	}
	if (m->retain && m->size > 0) {
		conn->events->on_before_retain(conn, m->topic);
	}
	int r = mosq_publish(conn->mosq, &p, &mid, err);
	if (r == 0) {
		conn->counts.sent++;
		outbox_sent(&conn->outbox, m, mid);
		mosq_write(conn->mosq);
	}
	return r;
}

void broker_connection_flush(struct broker_connection *conn)
{
	if (conn->state != BROKER_CONNECTION_LOST && mosq_wants_write(conn->mosq)) {
		mosq_write(conn->mosq);
	}
}

void broker_connection_pump(struct broker_connection *conn)
{
	struct error err = {0};
	uint64_t now = clock_now_ns();
	while (conn->outbox.in_flight < conn->settings->in_flight &&
		!mosq_wants_write(conn->mosq)) {
		struct outbox_message *m = outbox_next(&conn->outbox, now);
		if (!m) {
			if (refill(conn)) {
				continue;
			}
			return;
		}
		int r = hand_over(conn, m, now, &err);
		if (r == -EFBIG || r == -EINVAL) {
			refuse(conn, m, r == -EFBIG, err.text);
		} else if (r < 0) {
			return;
		}
	}
}

static void log_denied(struct broker_connection *conn, const struct outbox_message *m, int reason)
{
	char others[LOG_RATELIMIT_TEXT_SIZE], escaped[160];
	conn->counts.denied++;
	if (log_ratelimit_allows(&conn->denied, clock_now_ns(), others)) {
		log_warning(conn->log, "broker %s: it refused a message to %s (reason %d)%s",
			conn->settings->name,
			error_escape(escaped, sizeof(escaped), m->topic, strlen(m->topic)), reason,
			others);
	}
}

void broker_connection_on_published(void *data, int mid, int reason)
{
	struct broker_connection *conn = data;
	owned(outbox_message_free) struct outbox_message *m = outbox_take_mid(&conn->outbox, mid);
	if (!m) {
		return;
	}
	if (reason >= 128) { /* MQTT 5: the broker would refuse the message again */
		log_denied(conn, m, reason);
	}
	if (m->of_spool) {
		spool_done(conn->spool, m->record);
	}
	if (m->retain && m->size == 0 && !outbox_has(&conn->outbox, m->topic)) {
		conn->events->on_retained_cleared(conn, m->topic);
	}
}

static void close_synced(struct broker_connection *conn)
{
	while (conn->sync.n_fds > 0) {
		close(conn->sync.fds[--conn->sync.n_fds]);
	}
}

static void sync_it(uv_work_t *work)
{
	struct broker_connection *conn = work->data;
	for (size_t i = 0; i < conn->sync.n_fds; i++) {
		int r = fsync(conn->sync.fds[i]);
		(void)r; /* a failing disk shows as a write error */
	}
	close_synced(conn);
}

static void on_synced(uv_work_t *work, int status)
{
	struct broker_connection *conn = work->data;
	(void)status;
	conn->sync.running = false;
	broker_connection_release(conn);
}

void broker_connection_sync(struct broker_connection *conn)
{
	if (!conn->spool || conn->sync.running || !spool_is_dirty(conn->spool)) {
		return;
	}
	conn->sync.n_fds = spool_take_fds(conn->spool, conn->sync.fds);
	conn->sync.work.data = conn;
	conn->sync.running = uv_queue_work(conn->loop, &conn->sync.work, sync_it, on_synced) == 0;
	conn->handles.references += conn->sync.running;
	if (!conn->sync.running) {
		close_synced(conn);
	}
}
