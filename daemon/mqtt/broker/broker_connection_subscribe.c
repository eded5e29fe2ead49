/* SPDX-License-Identifier: Apache-2.0 */
/* broker_connection_subscribe - subscriptions, which are kept across connections */
#include "daemon/mqtt/broker/broker_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void subscribe_one(struct broker_connection *conn, struct broker_connection_subscription *s)
{
	struct error err = {0};
	char escaped[160];
	s->refused = false;
	if (mosq_subscribe(conn->mosq, s->filter, s->qos, &s->mid, &err) < 0) {
		s->mid = 0;
		log_warning(conn->log, "broker %s: no subscription to %s: %s", conn->settings->name,
			error_escape(escaped, sizeof(escaped), s->filter, strlen(s->filter)),
			err.text);
	}
	s->sent |= s->mid != 0;
}

static struct broker_connection_subscription *find_subscription(
	const struct broker_connection *conn, const char *filter)
{
	for (size_t i = 0; i < conn->subscriptions.n; i++) {
		if (strcmp(conn->subscriptions.items[i].filter, filter) == 0) {
			return (struct broker_connection_subscription *)&conn->subscriptions
				.items[i];
		}
	}
	return NULL;
}

bool broker_connection_is_subscribed(const struct broker_connection *conn, const char *filter)
{
	const struct broker_connection_subscription *s = find_subscription(conn, filter);
	return s && !s->gone;
}

/* Returns NULL without memory, or above BROKER_CONNECTION_MAX_SUBSCRIPTIONS. */
static struct broker_connection_subscription *add(
	struct broker_connection *conn, const char *filter)
{
	bool full = conn->subscriptions.n == BROKER_CONNECTION_MAX_SUBSCRIPTIONS;
	char *copy = full ? NULL : strdup(filter);
	if (!copy) {
		return NULL;
	}
	struct broker_connection_subscription *s =
		&conn->subscriptions.items[conn->subscriptions.n++];
	*s = (struct broker_connection_subscription){.filter = copy};
	return s;
}

int broker_connection_subscribe(
	struct broker_connection *conn, const char *filter, unsigned int qos, struct error *err)
{
	struct broker_connection_subscription *s = find_subscription(conn, filter);
	const bool same = s && s->qos == qos;
	s = s ? s : add(conn, filter);
	if (!s) {
		return conn->subscriptions.n == BROKER_CONNECTION_MAX_SUBSCRIPTIONS
			? error_set(err, -ENOSPC, "more than %d subscriptions",
				  BROKER_CONNECTION_MAX_SUBSCRIPTIONS)
			: error_no_memory(err);
	}
	s->gone = false;
	s->qos = qos;
	if (!same && conn->state == BROKER_CONNECTION_UP) {
		subscribe_one(conn, s);
	}
	return 0;
}

static void unsubscribe_now(struct broker_connection *conn, const char *filter)
{
	struct error err = {0};
	conn->subscriptions.unsubscribing += mosq_unsubscribe(conn->mosq, filter, &err) == 0;
}

static void drop_subscription(
	struct broker_connection *conn, struct broker_connection_subscription *s)
{
	free(s->filter);
	*s = conn->subscriptions.items[--conn->subscriptions.n];
}

void broker_connection_unsubscribe(struct broker_connection *conn, const char *filter)
{
	struct broker_connection_subscription *s = find_subscription(conn, filter);
	if (conn->state == BROKER_CONNECTION_UP) {
		unsubscribe_now(conn, filter);
	}
	if (s &&
		(conn->state == BROKER_CONNECTION_UP || broker_connection_is_leaving(conn) ||
			!s->sent)) {
		drop_subscription(conn, s);
	} else if (s) {
		s->gone = true;
	} else if (conn->state != BROKER_CONNECTION_UP && !broker_connection_is_leaving(conn)) {
		s = add(conn, filter);
		if (s) {
			s->sent = s->gone = true;
		}
	}
}

void broker_connection_subscribe_all(struct broker_connection *conn)
{
	for (size_t i = conn->subscriptions.n; i-- > 0;) {
		struct broker_connection_subscription *s = &conn->subscriptions.items[i];
		if (s->gone) {
			unsubscribe_now(conn, s->filter);
			drop_subscription(conn, s);
		} else {
			subscribe_one(conn, s);
		}
	}
}

void broker_connection_subscriptions_lost(struct broker_connection *conn)
{
	conn->subscriptions.unsubscribing = 0;
	for (size_t i = 0; i < conn->subscriptions.n; i++) {
		conn->subscriptions.items[i].mid = 0;
	}
}

void broker_connection_on_subscribed(void *data, int mid, int granted)
{
	struct broker_connection *conn = data;
	for (size_t i = 0; i < conn->subscriptions.n; i++) {
		struct broker_connection_subscription *s = &conn->subscriptions.items[i];
		if (s->mid != mid || granted < 128) {
			continue;
		}
		char escaped[160];
		s->refused = true;
		conn->counts.refused_subscriptions++;
		log_warning(conn->log, "broker %s: no subscription to %s (reason %d)",
			conn->settings->name,
			error_escape(escaped, sizeof(escaped), s->filter, strlen(s->filter)),
			granted);
	}
}

void broker_connection_on_unsubscribed(void *data)
{
	struct broker_connection *conn = data;
	conn->subscriptions.unsubscribing -= conn->subscriptions.unsubscribing > 0;
}

void broker_connection_subscribe_again(struct broker_connection *conn)
{
	for (size_t i = 0; i < conn->subscriptions.n; i++) {
		if (conn->subscriptions.items[i].refused || conn->subscriptions.items[i].mid == 0) {
			subscribe_one(conn, &conn->subscriptions.items[i]);
		}
	}
}
