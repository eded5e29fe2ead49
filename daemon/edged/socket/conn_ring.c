/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies of a connection's ring. */
#include "daemon/edged/socket/conn.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/serve/observe.h"
#include "daemon/edged/socket/header_check.h"

/* time in a turn of the loop for all connections with pending reads; inline runs count */
#define MAX_POLL_NS 200000

/* Too large a body goes through the socket. */
int conn_ring_send(struct conn *conn, struct reply *reply)
{
	uint8_t header[WIRE_HEADER_BYTES];
	int code = 1;
	size_t in_slot = reply->body.size;
	if (reply->body.failed) {
		bytes_writer_deinit(&reply->body);
		return -ENOMEM;
	}
	conn_frame_header(conn, reply, header);
	if (in_slot > ring_most_body(conn->ring)) {
		in_slot = 0;
		code = conn_frame_send(conn, reply);
	}
	ring_put(conn->ring, header, reply->body.data, in_slot);
	bytes_writer_deinit(&reply->body);
	return code;
}

/* Refuses a request of which only the header was read. */
static void turn_away(struct conn *conn, const struct wire_header *header, const struct error *err)
{
	struct reply reply = {.type = header->type,
		.id = header->id,
		.status = err->status,
		.by_ring = true,
		.retry_after_us = err->retry_after_us};
	observe_refused(conn->server->serve, NULL, err->status);
	wire_error_encode(&reply.body, err->text);
	conn_handle_send_result(conn, conn_ring_send(conn, &reply));
}

static void take_one(struct conn *conn)
{
	struct ring *ring = conn->ring;
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header = {0};
	struct request *request = NULL;
	struct error err = {0};
	ring_take_header(ring, bytes);
	if (header_check_slot(bytes, ring->shape.slot_bytes, conn->minor, conn->capabilities,
		    &header, &err) < 0) {
		conn_drop_offender(conn, &header, &err);
		return;
	}
	if (conn_admit(conn, &header, &request, &err) < 0) {
		turn_away(conn, &header, &err);
		return;
	}
	request->client.by_ring = true;
	conn->server->last_active = NULL;
	ring_read_body(ring, request->body, header.body_bytes);
	conn_add_request(conn, request);
	conn_handle(conn, request);
}

void conn_ring_take(struct conn *conn)
{
	struct ring *ring = conn->ring;
	struct error err = {0};
	const struct wire_header none = {0};
	uint64_t until_ns = 0;
	if (conn->state != CONN_OPEN) {
		uv_poll_stop(&ring->poll);
		return;
	}
	if (ring_overflows(ring)) {
		error_set(&err, -EPROTO, "the ring has more requests than slots");
		conn_drop_offender(conn, &none, &err);
		return;
	}
	for (uint32_t n = 0; n < ring->shape.slots && conn_has_room(conn) && ring_has_more(ring);
		n++) {
		/* A single request needs no look at the clock. */
		if (n == 1) {
			until_ns =
				clock_now_ns() + MAX_POLL_NS / (1 + conn->server->pending_reads.n);
		} else if (n > 1 && clock_now_ns() >= until_ns) {
			break;
		}
		take_one(conn);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn); /* the rest is taken in the next turn */
	}
}

bool conn_ring_poll(struct server *server)
{
	bool found = false;
	for (struct ring *ring = server->rings, *next; ring; ring = next) {
		next = ring->next;
		if (ring_has_more(ring) && conn_has_room(ring->conn)) {
			conn_ring_take(ring->conn);
			found = true;
		}
	}
	return found;
}

static void on_rung(struct conn *conn, int code)
{
	const struct wire_header none = {0};
	struct error err = {0};
	if (code < 0) {
		error_set(&err, code, "the bell: %s", strerror(-code));
		conn_drop_offender(conn, &none, &err);
	} else {
		conn_ring_take(conn);
	}
}

int conn_ring_open(
	struct conn *conn, const struct wire_ring *shape, int *doorbell, struct error *err)
{
	struct server *server = conn->server;
	if (conn->ring) {
		return error_set(err, -EINVAL, "this connection has a ring already");
	}
	int code = ring_open(
		&server->rings, server->loop, &conn->regions, shape, doorbell, &conn->ring, err);
	if (code == 0) {
		conn->ring->conn = conn;
		conn->ring->rung = on_rung;
	}
	return code;
}
