/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/outbox.h"

#include <assert.h>
#include <string.h>

struct outbox_message *outbox_message_new(
	enum outbox_kind kind, const char *topic, const void *payload, size_t size)
{
	size_t of_topic = strlen(topic) + 1;
	struct outbox_message *m = calloc(1, sizeof(*m) + of_topic + size);
	if (m) {
		m->kind = kind;
		m->topic = (char *)(m + 1);
		m->payload = (uint8_t *)m->topic + of_topic;
		m->size = size;
		memcpy(m->topic, topic, of_topic);
		if (size) {
			memcpy(m->payload, payload, size);
		}
	}
	return m;
}

void outbox_message_free(struct outbox_message *message)
{
	if (message) {
		kept_cross_out(message->kept);
		free(message);
	}
}

static size_t cost(const struct outbox_message *m)
{
	return sizeof(*m) + strlen(m->topic) + 1 + m->size;
}

void outbox_init(struct outbox *outbox, size_t max_messages, size_t max_bytes)
{
	*outbox = (struct outbox){.max_messages = max_messages, .max_bytes = max_bytes};
	outbox->last = &outbox->first;
}

/* Unlinks what *at points to. */
static struct outbox_message *unlink_at(struct outbox *outbox, struct outbox_message **at)
{
	struct outbox_message *m = *at;
	*at = m->next;
	if (!*at) {
		outbox->last = at;
	}
	m->next = NULL;
	outbox->n--;
	outbox->bytes -= cost(m);
	outbox->in_flight -= m->mid != 0;
	return m;
}

void outbox_deinit(struct outbox *outbox)
{
	while (outbox->first) {
		outbox_message_free(unlink_at(outbox, &outbox->first));
	}
}

static bool fits(const struct outbox *outbox, const struct outbox_message *m)
{
	return outbox->n < outbox->max_messages && outbox->bytes + cost(m) <= outbox->max_bytes;
}

/* Drops the oldest of @kind that is not on its way. */
static bool drop_oldest(struct outbox *outbox, enum outbox_kind kind)
{
	for (struct outbox_message **at = &outbox->first; *at; at = &(*at)->next) {
		if ((*at)->kind == kind && (*at)->mid == 0 && !(*at)->of_spool) {
			outbox_message_free(unlink_at(outbox, at));
			outbox->dropped++;
			return true;
		}
	}
	return false;
}

static bool is_last(const struct outbox_message *m)
{
	return m->kind == OUTBOX_LAST || m->kind == OUTBOX_SNAPSHOT;
}

/* A newer message of the same topic that waits is enough. It is likely to do what the older one has done. */
static void replace_same_topic(struct outbox *outbox, struct outbox_message *newer)
{
	for (struct outbox_message **at = &outbox->first; *at; at = &(*at)->next) {
		if (is_last(*at) && (*at)->mid == 0 && strcmp((*at)->topic, newer->topic) == 0) {
			newer->ends = (*at)->ends;
			outbox_message_free(unlink_at(outbox, at));
			return;
		}
	}
}

bool outbox_may_hold(const struct outbox *outbox, const char *topic, size_t size)
{
	const size_t rest = sizeof(struct outbox_message) + strlen(topic) + 1;
	return rest <= outbox->max_bytes && size <= outbox->max_bytes - rest;
}

bool outbox_has(const struct outbox *outbox, const char *topic)
{
	const struct outbox_message *m = outbox->first;
	while (m && strcmp(m->topic, topic) != 0) {
		m = m->next;
	}
	return m;
}

/* In the order of the header; what is to come gives way itself before more than its own kind goes. */
static bool make_room(struct outbox *outbox, enum outbox_kind kind)
{
	return drop_oldest(outbox, OUTBOX_SNAPSHOT) ||
		(kind != OUTBOX_SNAPSHOT && drop_oldest(outbox, OUTBOX_RESULT)) ||
		(kind != OUTBOX_SNAPSHOT && kind != OUTBOX_RESULT &&
			drop_oldest(outbox, OUTBOX_RESPONSE));
}

bool outbox_put(struct outbox *outbox, struct outbox_message *message)
{
	owned(outbox_message_free) struct outbox_message *m = message;
	if (is_last(m)) {
		replace_same_topic(outbox, m);
	}
	if (cost(m) > outbox->max_bytes) {
		outbox->dropped++;
		return false;
	}
	while (!fits(outbox, m)) {
		if (!make_room(outbox, m->kind)) {
			outbox->dropped++;
			return false;
		}
	}
	outbox->n++;
	outbox->bytes += cost(m);
	*outbox->last = m;
	outbox->last = &m->next;
	m = NULL;
	return true;
}

struct outbox_message *outbox_next(struct outbox *outbox, uint64_t now_ns)
{
	struct outbox_message *suspect = NULL;
	bool results_wait = false;
	for (struct outbox_message **at = &outbox->first; *at;) {
		struct outbox_message *m = *at;
		if (m->mid == 0 && m->expires_ns && m->expires_ns <= now_ns) {
			outbox_message_free(unlink_at(outbox, at));
			outbox->expired++;
			continue;
		}
		bool is_result = m->kind == OUTBOX_RESULT;
		bool waits = m->ends > 0 || (is_result && results_wait);
		if (m->mid == 0 && !waits) {
			return m;
		}
		if (m->mid == 0) {
			suspect = suspect ? suspect : m;
			results_wait |= is_result;
		}
		at = &m->next;
	}
	return suspect;
}

static struct outbox_message **find(struct outbox *outbox, const struct outbox_message *message)
{
	struct outbox_message **at = &outbox->first;
	while (*at != message) {
		assert(*at);
		at = &(*at)->next;
	}
	return at;
}

struct outbox_message *outbox_take(struct outbox *outbox, struct outbox_message *message)
{
	return unlink_at(outbox, find(outbox, message));
}

void outbox_drop(struct outbox *outbox, struct outbox_message *message)
{
	outbox_message_free(outbox_take(outbox, message));
}

void outbox_sent(struct outbox *outbox, struct outbox_message *message, int mid)
{
	if (message->qos == 0) {
		outbox_drop(outbox, message);
		return;
	}
	message->mid = mid;
	outbox->in_flight++;
}

struct outbox_message *outbox_take_mid(struct outbox *outbox, int mid)
{
	for (struct outbox_message **at = &outbox->first; mid && *at; at = &(*at)->next) {
		if ((*at)->mid == mid) {
			return unlink_at(outbox, at);
		}
	}
	return NULL;
}

struct outbox_message *outbox_take_result(struct outbox *outbox)
{
	for (struct outbox_message **at = &outbox->first; *at; at = &(*at)->next) {
		if ((*at)->kind == OUTBOX_RESULT) {
			return unlink_at(outbox, at);
		}
	}
	return NULL;
}

struct outbox_message *outbox_alone(const struct outbox *outbox)
{
	struct outbox_message *m = outbox->in_flight == 1 ? outbox->first : NULL;
	while (m && m->mid == 0) {
		m = m->next;
	}
	return m;
}

void outbox_clear_others(struct outbox *outbox)
{
	for (struct outbox_message *m = outbox->first; m; m = m->next) {
		m->ends = m->mid == 0 ? 0 : m->ends;
	}
}

void outbox_rewind(struct outbox *outbox)
{
	for (struct outbox_message *m = outbox->first; m; m = m->next) {
		m->mid = 0;
	}
	outbox->in_flight = 0;
}
