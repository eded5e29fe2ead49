/* SPDX-License-Identifier: Apache-2.0 */
/* What the other parts do when something happens at a broker. */
#include "daemon/mqtt/bridge.h"

static void on_up(struct broker_connection *conn)
{
	struct bridge *b = conn->data;
	struct error err = {0};
	bridge_publish_status(b);
	/* Subscribes what did not fit into the connection's table: what was unsubscribed has left
	 * it by now. */
	if (!broker_connection_is_leaving(conn) && reload_subscribe_all(b, conn, &err) < 0) {
		log_error(&b->log, "broker %s: %s", conn->settings->name, err.text);
	}
	announce_all(&b->announce, conn);
}

/* Requests stay queued; their responses are sent on the next connection. */
static void on_down(struct broker_connection *conn)
{
	struct bridge *b = conn->data;
	if (!b->brokers.draining) {
		bridge_publish_status(b);
	}
}

static void on_message(struct broker_connection *conn, const struct mosq_message *message)
{
	receive_message(conn->data, conn, message);
}

static void on_outbox_space(struct broker_connection *conn)
{
	struct bridge *b = conn->data;
	pipelines_dispatch(&b->pipelines);
}

static void on_unsendable(
	struct broker_connection *conn, struct outbox_message *message, bool too_large)
{
	struct bridge *b = conn->data;
	request_respond_given_up(&b->requests, conn, message, too_large);
}

static void on_before_retain(struct broker_connection *conn, const char *topic)
{
	struct bridge *b = conn->data;
	retained_list_add(&b->announce.retained, conn->settings->name, "topic", topic);
}

static void on_retained_cleared(struct broker_connection *conn, const char *topic)
{
	struct bridge *b = conn->data;
	retained_cleanup_on_cleared(&b->announce, conn, topic);
}

static int on_started(struct broker_connection *conn, struct error *err)
{
	return reload_subscribe_all(conn->data, conn, err);
}

static bool has_no_requests(const struct broker_connection *conn)
{
	const struct bridge *b = conn->data;
	const struct mqtt_request *request = b->requests.first;
	if (b->brokers.draining) { /* edged-mqtt ends: every broker waits for all requests */
		return !request && b->pipelines.n_requests == 0 && b->journal.n_waiting == 0;
	}
	while (request && request->conn != conn) {
		request = request->next;
	}
	return !request;
}

static void on_before_disconnect(struct broker_connection *conn)
{
	struct bridge *b = conn->data;
	home_assistant_leave(&b->announce, conn); /* the outbox has room now */
	announce_stopped(&b->announce, conn);
}

static void on_removed(struct broker_connection *conn)
{
	struct bridge *b = conn->data;
	for (struct mqtt_request *request = b->requests.first; request; request = request->next) {
		request->conn = request->conn == conn ? NULL : request->conn;
	}
	pipelines_forget_connection(&b->pipelines, conn);
}

static void on_connections_left(void *data)
{
	struct bridge *b = data;
	struct error err = {0};
	if (bridge_apply_brokers(b, &err) < 0) {
		log_error(&b->log, "%s", err.text);
	}
	bridge_publish_status(b);
}

static void on_drained(void *data)
{
	bridge_stop(data);
}

const struct brokers_events bridge_brokers_events = {
	.conn = {.on_up = on_up,
		.on_down = on_down,
		.on_message = on_message,
		.on_outbox_space = on_outbox_space,
		.on_unsendable = on_unsendable,
		.on_before_retain = on_before_retain,
		.on_retained_cleared = on_retained_cleared},
	.on_started = on_started,
	.has_no_requests = has_no_requests,
	.on_before_disconnect = on_before_disconnect,
	.on_removed = on_removed,
	.on_connections_left = on_connections_left,
	.on_drained = on_drained,
};

int bridge_apply_brokers(struct bridge *b, struct error *err)
{
	journal_set_brokers(&b->journal, b->settings.n_brokers);
	b->announce.cleanup_due = true; /* a new broker may retain old topics */
	return brokers_apply(&b->brokers, err);
}
