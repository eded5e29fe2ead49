/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frame.h"

#include <errno.h>

#include "daemon/conn.h"
#include "daemon/edged.h"

#define FREE_REPLY 512u /* a reply of so few bytes is not charged: its number is bounded */

/* A reply on its way out. */
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

static void on_written(uv_write_t *write, int status)
{
	struct frame *frame = write->data;
	struct conn *conn = frame->conn;
	frame_free(frame);
	conn_sent(conn, status == 0);
}

/* The body of a reply that would hold too much becomes an error's. */
static uint64_t charge_reply(struct conn *conn, struct reply *reply)
{
	struct error err = {0};
	uint64_t bytes = reply->body.size;
	if (bytes <= FREE_REPLY) {
		return 0;
	}
	int code = bytes > conn->edged->config.max_body
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

/* What follows the first @skip bytes of header and body. */
static unsigned int buffers_of(const uint8_t header[WIRE_HEADER_BYTES],
	const struct bytes_writer *body, size_t skip, uv_buf_t ret_buffers[2])
{
	unsigned int n = 0;
	const size_t of_header = skip < WIRE_HEADER_BYTES ? skip : WIRE_HEADER_BYTES;
	const size_t of_body = skip - of_header;
	if (of_header < WIRE_HEADER_BYTES) {
		ret_buffers[n++] = uv_buf_init((char *)(uintptr_t)(header + of_header),
			(unsigned int)(WIRE_HEADER_BYTES - of_header));
	}
	if (of_body < body->size) {
		ret_buffers[n++] = uv_buf_init(
			(char *)body->data + of_body, (unsigned int)(body->size - of_body));
	}
	return n;
}

/* What the socket does not take now is written as it does. */
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

/* Most replies fit into the socket's buffer: they need no memory of ours, and no turn of the loop. */
static int write_now(struct conn *conn, const uint8_t header[WIRE_HEADER_BYTES],
	struct bytes_writer *body, uint64_t charged)
{
	uv_buf_t buffers[2];
	unsigned int n = buffers_of(header, body, 0, buffers);
	int sent = uv_try_write((uv_stream_t *)&conn->pipe, buffers, n);
	const size_t done = sent > 0 ? (size_t)sent : 0; /* an error comes again */
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

/* Older clients do not know the field. */
static uint32_t retry_of(const struct conn *conn, enum edge_status status, uint32_t retry_us)
{
	return conn->minor >= 3 && status == EDGE_OVERLOADED ? retry_us : 0;
}

void frame_header(const struct conn *conn, const struct reply *reply, uint8_t *ret_bytes)
{
	const struct wire_header header = {.type = (uint16_t)(reply->type | WIRE_REPLY),
		.flags = reply->status == EDGE_OK ? reply->flags & WIRE_FLAG_REGIONS : 0,
		.id = reply->id,
		.body_bytes = (uint32_t)reply->body.size,
		.status = reply->status,
		.deadline_us = retry_of(conn, reply->status, reply->retry_after_us)};
	wire_header_encode(&header, ret_bytes);
}

int frame_send_error(struct conn *conn, uint16_t type, uint64_t id, const struct error *err)
{
	uint8_t bytes[WIRE_HEADER_BYTES], text[2 + WIRE_MAX_TEXT];
	uv_buf_t buffers[2];
	struct bytes_writer body = {.data = text, .capacity = sizeof(text), .limit = sizeof(text)};
	wire_error_encode(&body, err->text);
	const struct wire_header header = {.type = (uint16_t)(type | WIRE_REPLY),
		.id = id,
		.body_bytes = (uint32_t)body.size,
		.status = err->status,
		.deadline_us = retry_of(conn, err->status, err->retry_after_us)};
	wire_header_encode(&header, bytes);
	unsigned int n = buffers_of(bytes, &body, 0, buffers);
	int sent = uv_try_write((uv_stream_t *)&conn->pipe, buffers, n);
	const size_t done = sent > 0 ? (size_t)sent : 0;
	if (done == WIRE_HEADER_BYTES + body.size) {
		return 1;
	}
	struct bytes_writer kept = {0};
	bytes_write(&kept, body.data, body.size);
	int code = kept.failed ? -ENOMEM : write_later(conn, bytes, &kept, 0, done);
	bytes_writer_deinit(&kept);
	return code;
}

int frame_send(struct conn *conn, struct reply *reply)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	if (reply->body.failed) {
		bytes_writer_deinit(&reply->body);
		return -ENOMEM;
	}
	const uint64_t charged = charge_reply(conn, reply);
	frame_header(conn, reply, bytes);
	return write_now(conn, bytes, &reply->body, charged);
}
