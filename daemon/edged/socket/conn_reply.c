/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a connection, which go through its ring or are frames on its socket. */
#include "daemon/edged/socket/conn.h"

#include <assert.h>
#include <errno.h>

#define UNCHARGED_REPLY_BYTES                                                                      \
	512u /* bodies up to this size are not charged: max-in-flight bounds them */
#define MAX_UNSENT 256 /* frames, of which most are events */
#define SLOWEST_BYTES_PER_MS UINT64_C(10000) /* slowest accepted transfer: 10 MB/s */

/* A frame that the socket did not take at once. */
struct frame {
	uv_write_t write;
	struct conn *conn;
	uint64_t charged;
	struct bytes_writer body;
	uint8_t header[WIRE_HEADER_BYTES];
};

static void frame_free(struct frame *frame)
{
	if (frame->charged) {
		account_release(frame->conn->account, frame->charged);
	}
	bytes_writer_deinit(&frame->body);
	free(frame);
}

/* The loop has written the rest of a frame, or failed to. */
static void frame_finished(struct conn *conn, bool ok)
{
	conn->unsent--;
	conn->write_deadline_ms = 0;
	conn->server->unsent--;
	if (conn->state == CONN_CLOSED) {
		return;
	}
	if (!ok || (conn->state == CONN_CLOSING && conn->unsent == 0)) {
		conn_close(conn);
	} else {
		conn_update(conn);
	}
}

static void on_written(uv_write_t *write, int status)
{
	struct frame *frame = write->data;
	struct conn *conn = frame->conn;
	frame_free(frame);
	frame_finished(conn, status == 0);
}

/* Charges the body of @reply. Above max-body or the account's limits the reply becomes an error. */
static uint64_t charge_reply(struct conn *conn, struct reply *reply)
{
	struct error err = {0};
	uint64_t bytes = reply->body.size;
	if (bytes <= UNCHARGED_REPLY_BYTES) {
		return 0;
	}
	int code = bytes > conn->server->config->max_body
		? error_set(&err, -EFBIG, "the reply has %llu bytes, above max-body",
			  (unsigned long long)bytes)
		: account_charge(conn->account, bytes, &err);
	if (code == 0) {
		return bytes;
	}
	bytes_writer_deinit(&reply->body);
	reply->body = (struct bytes_writer){0};
	reply->status = err.status;
	wire_error_encode(&reply->body, err.text);
	return 0;
}

/* The buffers of header and body without their first @skip bytes. */
static unsigned int buffers_of(const uint8_t header[WIRE_HEADER_BYTES],
	const struct bytes_writer *body, size_t skip, uv_buf_t ret_buffers[2])
{
	unsigned int n = 0;
	const size_t header_skip = skip < WIRE_HEADER_BYTES ? skip : WIRE_HEADER_BYTES;
	const size_t body_skip = skip - header_skip;
	if (header_skip < WIRE_HEADER_BYTES) {
		ret_buffers[n++] = uv_buf_init((char *)(uintptr_t)(header + header_skip),
			(unsigned int)(WIRE_HEADER_BYTES - header_skip));
	}
	if (body_skip < body->size) {
		ret_buffers[n++] = uv_buf_init(
			(char *)body->data + body_skip, (unsigned int)(body->size - body_skip));
	}
	return n;
}

/* Has libuv write the rest of a frame behind its first @skip bytes. */
static int write_later(struct conn *conn, const uint8_t header[WIRE_HEADER_BYTES],
	struct bytes_writer *body, uint64_t charged, size_t skip)
{
	uv_buf_t buffers[2];
	struct frame *frame = calloc(1, sizeof(*frame));
	if (!frame) {
		return -ENOMEM;
	}
	frame->conn = conn;
	frame->charged = charged;
	frame->body = *body;
	frame->write.data = frame;
	memcpy(frame->header, header, WIRE_HEADER_BYTES);
	unsigned int n = buffers_of(frame->header, &frame->body, skip, buffers);
	int code = uv_write(&frame->write, (uv_stream_t *)&conn->pipe, buffers, n, on_written);
	if (code < 0) {
		free(frame);
		return code;
	}
	*body = (struct bytes_writer){0};
	return 0;
}

/* Most replies fit into the socket's buffer: they need no memory and no turn of the loop. */
static int write_now(struct conn *conn, const uint8_t header[WIRE_HEADER_BYTES],
	struct bytes_writer *body, uint64_t charged)
{
	uv_buf_t buffers[2];
	unsigned int n = buffers_of(header, body, 0, buffers);
	int sent = uv_try_write((uv_stream_t *)&conn->pipe, buffers, n);
	const size_t done = sent > 0 ? (size_t)sent : 0; /* write_later() meets an error again */
	int code = done == WIRE_HEADER_BYTES + body->size
		? 1
		: write_later(conn, header, body, charged, done);
	if (code != 0) {
		bytes_writer_deinit(body);
		if (charged) {
			account_release(conn->account, charged);
		}
	}
	return code;
}

/* Clients before 1.3 expect 0 in the field. */
static uint32_t retry_of(const struct conn *conn, enum edge_status status, uint32_t retry_us)
{
	return conn->minor >= 3 && status == EDGE_OVERLOADED ? retry_us : 0;
}

void conn_frame_header(const struct conn *conn, const struct reply *reply, uint8_t *ret_bytes)
{
	const struct wire_header header = {.type = (uint16_t)(reply->type | WIRE_REPLY),
		.flags = reply->status == EDGE_OK ? reply->flags & WIRE_FLAG_REGIONS : 0,
		.id = reply->id,
		.body_bytes = (uint32_t)reply->body.size,
		.status = reply->status,
		/* in an OVERLOADED reply this field has the retry time */
		.deadline_us = retry_of(conn, reply->status, reply->retry_after_us)};
	wire_header_encode(&header, ret_bytes);
}

static int send_error(struct conn *conn, uint16_t type, uint64_t id, const struct error *err)
{
	uint8_t bytes[WIRE_HEADER_BYTES], text[2 + WIRE_MAX_TEXT];
	uv_buf_t buffers[2];
	struct bytes_writer body = {.data = text, .capacity = sizeof(text), .limit = sizeof(text)};
	wire_error_encode(&body, err->text);
	const struct wire_header header = {.type = (uint16_t)(type | WIRE_REPLY),
		.id = id,
		.body_bytes = (uint32_t)body.size,
		.status = err->status,
		/* as in conn_frame_header() */
		.deadline_us = retry_of(conn, err->status, err->retry_after_us)};

	wire_header_encode(&header, bytes);
	unsigned int n = buffers_of(bytes, &body, 0, buffers);
	int sent = uv_try_write((uv_stream_t *)&conn->pipe, buffers, n);
	const size_t done = sent > 0 ? (size_t)sent : 0;
	if (done == WIRE_HEADER_BYTES + body.size) {
		return 1;
	}
	struct bytes_writer copy = {0};
	bytes_write(&copy, body.data, body.size);
	int code = copy.failed ? -ENOMEM : write_later(conn, bytes, &copy, 0, done);
	bytes_writer_deinit(&copy);
	return code;
}

int conn_frame_send(struct conn *conn, struct reply *reply)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	if (reply->body.failed) {
		bytes_writer_deinit(&reply->body);
		return -ENOMEM;
	}
	const uint64_t charged = charge_reply(conn, reply);
	conn_frame_header(conn, reply, bytes);
	return write_now(conn, bytes, &reply->body, charged);
}

/* ---- replies */

uint64_t conn_transfer_ms(uint64_t timeout_ms, uint64_t bytes)
{
	return timeout_ms + bytes / SLOWEST_BYTES_PER_MS;
}

void conn_handle_send_result(struct conn *conn, int code)
{
	if (code < 0) {
		conn_close_in_next_turn(conn);
	} else if (code == 0) {
		conn->unsent++;
		conn->server->unsent++;
	}
}

/* Takes the body of @reply. */
static void send_reply(struct conn *conn, struct reply *reply)
{
	conn_handle_send_result(
		conn, reply->by_ring ? conn_ring_send(conn, reply) : conn_frame_send(conn, reply));
}

void conn_send_event(struct conn *conn, struct reply *reply)
{
	if (conn->state != CONN_OPEN) {
		bytes_writer_deinit(&reply->body);
		return;
	}
	send_reply(conn, reply);
	if (conn->unsent > MAX_UNSENT) {
		conn_close_in_next_turn(conn);
	}
	conn_update(conn);
}

void conn_reply(void *context, struct reply *reply)
{
	struct conn *conn = context;
	assert(conn->in_flight > 0);
	conn->in_flight--;
	if (conn->state == CONN_CLOSED || conn->state == CONN_CLOSING) {
		bytes_writer_deinit(&reply->body);
		return;
	}
	send_reply(conn, reply);
	if (conn->state != CONN_CLOSED) {
		conn_update(conn);
	}
}

void conn_send_error(struct conn *conn, const struct wire_header *header, const struct error *err)
{
	int code = send_error(conn, header->type & (uint16_t)~WIRE_REPLY, header->id, err);
	conn_handle_send_result(conn, code);
}
