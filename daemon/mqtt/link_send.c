/* SPDX-License-Identifier: Apache-2.0 */
/* link - what goes to the broker: the outbox, and the spool behind it */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/mqtt/link_send.h"

#define NS_PER_S UINT64_C(1000000000)
#define SOON_NS                                                                                    \
	(10 * NS_PER_S) /* what ends later does so for another reason, as a silent network */
#define HOUR_NS (3600 * NS_PER_S)
#define LARGE (16u << 10) /* what is smaller is ended for another reason than its size */

/* True when @message went to disk. */
static bool spool_message(struct link *link, const struct outbox_message *message)
{
	struct error err = {0};
	if (spool_append(link->spool, message->topic, message->payload, message->size, &err) < 0) {
		log_warning(link->log, "broker %s: %s", link->settings->name, err.text);
		return false;
	}
	link->counts.spooled++;
	return true;
}

bool link_publish(struct link *link, struct outbox_message *message)
{
	owned(outbox_message_free) struct outbox_message *m = message;
	bool later = link->state != LINK_UP || (link->spool && spool_length(link->spool) > 0);
	if (m->kind == OUTBOX_RESULT && link->spool && later && spool_message(link, m)) {
		return true;
	}
	return outbox_put(&link->outbox, take(m));
}

/* Somebody may want to know. */
static void give_up(
	struct link *link, struct outbox_message *message, bool too_large, const char *why)
{
	owned(outbox_message_free) struct outbox_message *m = outbox_take(&link->outbox, message);
	log_warning(link->log, "broker %s: %zu bytes to %s are left out: %s", link->settings->name,
		m->size, m->topic, why);
	if (too_large) {
		link->counts.too_large++;
	} else {
		link->outbox.dropped++;
	}
	if (m->of_spool) {
		spool_done(link->spool, m->record);
	}
	link->events->on_given_up(link, m, too_large);
}

/* Of MQTT 5's DISCONNECT: what the broker does whatever was sent to it. */
static bool is_no_message_to_blame(int reason)
{
	switch (reason) {
	case 0x89: /* server busy */
	case 0x8b: /* server shutting down */
	case 0x8d: /* keep alive timeout */
	case 0x8e: /* session taken over */
	case 0x98: /* administrative action */
	case 0x9c: /* use another server */
	case 0x9d: /* server moved */
	case 0x9f: /* connection rate exceeded */
	case 0xa0: /* maximum connect time */
		return true;
	default:
		return false;
	}
}

void link_look_for_culprit(struct link *link)
{
	struct outbox *o = &link->outbox;
	uint64_t now = clock_now_ns();
	struct outbox_message *m = now - link->sent_ns < SOON_NS ? outbox_alone(o) : NULL;
	link->careful = o->in_flight > 0;
	if (is_no_message_to_blame(link->lost_reason)) {
		return;
	}
	outbox_clear_others(o);
	link->suspect_ends = 0;
	if (!m) {
		return;
	}
	m->ends++;
	if (m->of_spool) {
		link->suspect = m->record;
		link->suspect_ends = m->ends;
	}
	if (m->ends < LINK_MAX_ENDS) {
		return;
	}
	bool too_large = m->size >= LARGE && m->size > link->largest;
	if (too_large) {
		link->too_large = m->size;
		link->too_large_until_ns = now + HOUR_NS;
	}
	give_up(link, m, too_large, "each time it was sent the connection ended");
}

/* Results that were on their way, or would be, go to disk; those that are there already stay there. */
void link_put_back(struct link *link)
{
	outbox_rewind(&link->outbox);
	if (!link->spool) {
		return;
	}
	for (struct outbox_message *m; (m = outbox_take_result(&link->outbox));) {
		if (!m->of_spool && !spool_message(link, m)) {
			link->outbox.dropped++;
		}
		outbox_message_free(m);
	}
	spool_rewind(link->spool);
}

/* Of the spool: the outbox can't hold it, or the program has ended each time that it was sent. */
static const char *why_not(const struct link *link, const struct spool_record *record)
{
	uint64_t number = 0;
	bool deadly = spool_tries(link->spool, &number) >= LINK_MAX_ENDS;
	if (deadly && record->number == number) {
		return "each time it was sent edged-mqtt ended";
	}
	bool fits = outbox_may_hold(&link->outbox, record->topic, record->size);
	return fits ? NULL : "more than outbox-bytes";
}

void link_say_missing(const struct link *link, uint64_t before)
{
	uint64_t missing = spool_dropped(link->spool) - before;
	if (missing > 0) {
		log_warning(link->log,
			"broker %s: spool: %llu results are not to be read, and left out",
			link->settings->name, (unsigned long long)missing);
	}
}

static bool read_spool(struct link *link, struct spool_record *ret_record)
{
	uint64_t before = spool_dropped(link->spool);
	bool there = spool_read(link->spool, ret_record);
	link_say_missing(link, before);
	return there;
}

/* The next record of the spool into the outbox. */
static bool refill(struct link *link)
{
	struct spool_record record;
	if (!link->spool || !read_spool(link, &record)) {
		return false;
	}
	const char *why = why_not(link, &record);
	if (why) {
		log_warning(link->log, "broker %s: %zu bytes to %s are left out: %s",
			link->settings->name, record.size, record.topic, why);
		link->outbox.dropped++;
		spool_done(link->spool, record.number);
		return true;
	}
	struct outbox_message *m =
		outbox_message_new(OUTBOX_RESULT, record.topic, record.payload, record.size);
	if (!m) {
		spool_unread(link->spool);
		return false;
	}
	m->qos = 1;
	m->content_type = "application/json";
	m->of_spool = true;
	m->record = record.number;
	m->ends = record.number == link->suspect ? link->suspect_ends : 0;
	if (!outbox_put(&link->outbox, m)) {
		spool_unread(link->spool); /* there is no room beside what is on its way */
		return false;
	}
	link->counts.replayed++;
	return true;
}

/* After a connection, or a life, that ended with something on its way. */
static bool is_careful(const struct link *link, uint64_t now)
{
	return link->careful && now - link->up_since_ns < SOON_NS;
}

static int hand_over(struct link *link, struct outbox_message *m, uint64_t now, struct error *err)
{
	int mid = 0;
	if (link->too_large && m->size >= link->too_large && now < link->too_large_until_ns) {
		return error_set(err, -EFBIG, "too large for this broker");
	}
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
		p.expiry_s = (uint32_t)((m->expires_ns - now + NS_PER_S - 1) / NS_PER_S);
	}
	if (m->of_spool) {
		uint64_t first = 0;
		bool each = is_careful(link, now) && spool_tries(link->spool, &first) > 0;
		spool_try(link->spool, m->record, each);
	}
	int r = mosq_publish(link->mosq, &p, &mid, err);
	if (r == 0) {
		link->counts.sent++;
		link->sent_ns = now;
		outbox_sent(&link->outbox, m, mid);
		mosq_write(link->mosq);
	}
	return r;
}

void link_flush(struct link *link)
{
	if (!link->lost[0] && mosq_wants_write(link->mosq)) {
		mosq_write(link->mosq);
	}
}

/* As much as the broker takes at once: the library's own queue has no bound. */
void link_pump(struct link *link)
{
	struct error err = {0};
	uint64_t now = clock_now_ns();
	size_t most = is_careful(link, now) ? 1 : link->settings->in_flight;
	while (link->outbox.in_flight < most && !mosq_wants_write(link->mosq)) {
		struct outbox_message *m = outbox_next(&link->outbox, now);
		if (!m) {
			if (refill(link)) {
				continue;
			}
			return;
		}
		int r = hand_over(link, m, now, &err);
		if (r == -EFBIG || r == -EINVAL) {
			give_up(link, m, r == -EFBIG, err.text);
		} else if (r < 0) {
			return;
		}
	}
}

static void say_denied(struct link *link, const struct outbox_message *m, int reason)
{
	char others[HUSH_TEXT_SIZE], shown[160];
	link->counts.denied++;
	if (hush_allows(&link->denied, clock_now_ns(), others)) {
		log_warning(link->log, "broker %s: it refused a message to %s (reason %d)%s",
			link->settings->name,
			error_escape(shown, sizeof(shown), m->topic, strlen(m->topic)), reason,
			others);
	}
}

void link_on_published(void *data, int mid, int reason)
{
	struct link *link = data;
	owned(outbox_message_free) struct outbox_message *m = outbox_take_mid(&link->outbox, mid);
	if (!m) {
		return;
	}
	link->counts.acknowledged++;
	link->largest = m->size > link->largest && reason < 128 ? m->size : link->largest;
	if (reason >= 128) { /* PUBACK of MQTT 5: it will not be taken the next time either */
		say_denied(link, m, reason);
	}
	if (m->of_spool) {
		spool_done(link->spool, m->record);
	}
}

static void close_synced(struct link *link)
{
	while (link->n_sync_fds > 0) {
		close(link->sync_fds[--link->n_sync_fds]);
	}
}

static void sync_it(uv_work_t *work)
{
	struct link *link = work->data;
	for (size_t i = 0; i < link->n_sync_fds; i++) {
		int r = fsync(link->sync_fds[i]);
		(void)r; /* a disk that fails shows in writing */
	}
	close_synced(link);
}

static void on_synced(uv_work_t *work, int status)
{
	struct link *link = work->data;
	(void)status;
	link->syncing = false;
	link_release(link);
}

void link_sync(struct link *link)
{
	if (!link->spool || link->syncing || !spool_is_dirty(link->spool)) {
		return;
	}
	link->n_sync_fds = spool_take_fds(link->spool, link->sync_fds);
	link->sync.data = link;
	link->syncing = uv_queue_work(link->loop, &link->sync, sync_it, on_synced) == 0;
	link->holds += link->syncing;
	if (!link->syncing) {
		close_synced(link);
	}
}
