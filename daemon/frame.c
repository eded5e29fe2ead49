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

static int frame_write(struct frame *frame, const struct wire_header *header)
{
	wire_header_encode(header, frame->header);
	const uv_buf_t buffers[2] = {uv_buf_init((char *)frame->header, sizeof(frame->header)),
		uv_buf_init((char *)frame->body.data, (unsigned int)frame->body.size)};
	return uv_write(&frame->write, (uv_stream_t *)&frame->conn->pipe, buffers,
		frame->body.size > 0 ? 2 : 1, on_written);
}

int frame_send(struct conn *conn, struct reply *reply)
{
	struct frame *frame = calloc(1, sizeof(*frame));
	if (!frame || reply->body.failed) {
		bytes_writer_deinit(&reply->body);
		free(frame);
		return -ENOMEM;
	}
	frame->conn = conn;
	frame->charged = charge_reply(conn, reply);
	frame->body = reply->body;
	frame->write.data = frame;
	const struct wire_header header = {.type = (uint16_t)(reply->type | WIRE_REPLY),
		.flags = reply->status == EDGE_OK ? reply->flags : 0,
		.id = reply->id,
		.body_bytes = (uint32_t)frame->body.size,
		.status = reply->status};
	int code = frame_write(frame, &header);
	if (code < 0) {
		frame_free(frame);
	}
	return code;
}
