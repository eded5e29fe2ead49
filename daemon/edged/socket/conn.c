/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/admission.h"
#include "daemon/edged.h"
#include "daemon/frame.h"
#include "daemon/framing.h"
#include "daemon/handle.h"
#include "daemon/observe.h"
#include "daemon/receive.h"
#include "daemon/ring.h"

#define MS UINT64_C(1000000)
#define MOST_UNSENT 256 /* frames, of which many are what nobody asked for */
#define READS_PER_TURN 32 /* of one connection, then others come to theirs */
#define SLOWEST_BYTES_PER_MS UINT64_C(10000) /* 10 MB/s */

/* ---- replies */

static uint64_t transfer_ms(uint64_t timeout_ms, uint64_t bytes)
{
	return timeout_ms + bytes / SLOWEST_BYTES_PER_MS;
}

void conn_sent(struct conn *conn, bool ok)
{
	conn->unsent--;
	conn->write_by_ms = 0;
	conn->edged->unsent--;
	if (conn->state == CONN_CLOSED) {
		return;
	}
	if (!ok || (conn->state == CONN_CLOSING && conn->unsent == 0)) {
		conn_close(conn);
	} else {
		conn_update(conn);
	}
	edged_check_drained(conn->edged);
}

/* What sending a frame came to. A connection for which there is no memory will be closed. */
void conn_note_sent(struct conn *conn, int code)
{
	if (code < 0) {
		conn_break(conn);
	} else if (code == 0) {
		conn->unsent++;
		conn->edged->unsent++;
	}
}

/* Takes the reply's body. */
static void send_reply(struct conn *conn, struct reply *reply)
{
	conn_note_sent(
		conn, reply->by_ring ? ring_send(conn->ring, reply) : frame_send(conn, reply));
}

void conn_tell(struct conn *conn, struct reply *reply)
{
	if (conn->state != CONN_OPEN) {
		bytes_writer_deinit(&reply->body);
		return;
	}
	send_reply(conn, reply);
	if (conn->unsent > MOST_UNSENT) {
		conn_break(conn);
	}
	conn_update(conn);
}

void conn_reply(void *peer, struct reply *reply)
{
	struct conn *conn = peer;
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

/* Answers the message that @header begins, if that much is known of it. */
static void refuse(struct conn *conn, const struct wire_header *header, const struct error *err)
{
	int code = frame_send_error(conn, header->type & (uint16_t)~WIRE_REPLY, header->id, err);
	conn_note_sent(conn, code);
}

/* Before refuse(), where the header at hand may be that of a message that was answered. */
static void header_forget(struct conn *conn)
{
	if (conn->part != CONN_BODY) {
		conn->header = (struct wire_header){0};
	}
}

void conn_drop(struct conn *conn, const struct wire_header *header, const struct error *err)
{
	account_log(conn->account, LOG_LEVEL_INFO, "connection closed: %s", err->text);
	refuse(conn, header, err);
	conn_close_after_replies(conn);
}

void conn_refuse(struct conn *conn, const struct wire_header *header, const struct error *err)
{
	account_offend(conn->account);
	conn_drop(conn, header, err);
}

/* ---- requests in a ring */

void conn_begin(struct conn *conn, struct request *request)
{
	conn->in_flight++;
	request->front = conn->front;
	request->peer = conn;
	request->pid = conn->pid;
}

bool conn_has_room(const struct conn *conn)
{
	return conn->state == CONN_OPEN &&
		conn->in_flight + conn->unsent < conn->edged->config.max_in_flight;
}

/* ---- headers */

/* Answers the request at once; its body is thrown away as it comes. */
static void skip(struct conn *conn, const struct error *err)
{
	if (conn->header.type == WIRE_INFER) {
		observe_refused(conn->edged, conn->request, err->status);
	}
	request_free(conn->request);
	conn->request = NULL;
	conn->part = CONN_SKIP;
	refuse(conn, &conn->header, err);
}

static void on_message(struct conn *conn)
{
	struct request *request = take(conn->request);
	conn->edged->asked = conn;
	conn->part = CONN_HEADER;
	conn->got = 0;
	conn->read_by_ms = 0;
	handle_message(conn, request);
}

static void on_header(struct conn *conn)
{
	struct error err = {0};
	const struct config *config = &conn->edged->config;
	if (framing_check(conn, &err) < 0) {
		conn_refuse(conn, &conn->header, &err);
		return;
	}
	conn->got = 0;
	conn->judged = false;
	conn->read_by_ms = uv_now(conn->pipe.loop) +
		transfer_ms(config->header_timeout_ms, conn->header.body_bytes);
	conn->part = CONN_BODY;
	if (framing_admit(conn, &conn->header, &conn->request, &err) < 0) {
		if (conn->state == CONN_HELLO) {
			conn_refuse(conn, &conn->header, &err);
		} else {
			skip(conn, &err);
		}
		return;
	}
	conn_begin(conn, conn->request);
	if (framing_takes_descriptor(conn->header.type)) {
		conn->request->fd = take_fd(conn->fd);
	}
}

/* A body is judged by its head, so that one that will be refused is not kept. The first bytes are often all of
 * that. */
static void on_head(struct conn *conn)
{
	struct error err = {0};
	int code = request_judge(conn->request, &conn->edged->store, &conn->sessions,
		&conn->regions, conn->got, conn->edged->config.max_body, &err);
	code = code == 0
		? admission_check_head(&conn->edged->dispatch, conn->request, &conn->line, &err)
		: code;
	conn->judged = code <= 0 || conn->got == REQUEST_HEAD_BYTES;
	if (code < 0) {
		conn->in_flight--;
		skip(conn, &err);
	}
}

/* ---- reading */

/* Where the next bytes belong, and how many. */
static uv_buf_t place(struct conn *conn)
{
	uint32_t all = conn->header.body_bytes;
	char *scratch = conn->edged->scratch;
	uint32_t most = sizeof(conn->edged->scratch);
	switch (conn->part) {
	case CONN_HEADER:
		return uv_buf_init((char *)conn->bytes + conn->got, WIRE_HEADER_BYTES - conn->got);
	case CONN_SKIP:
		return uv_buf_init(scratch, all - conn->got < most ? all - conn->got : most);
	case CONN_BODY:
		break;
	}
	if (!conn->judged && conn->header.type == WIRE_INFER && all > REQUEST_HEAD_BYTES) {
		all = REQUEST_HEAD_BYTES;
	}
	return uv_buf_init((char *)conn->request->body + conn->got, all - conn->got);
}

static bool has_ahead(const struct conn *conn)
{
	return conn->ahead_at < conn->ahead_end;
}

static bool is_head(const struct conn *conn)
{
	const bool first = conn->using_ahead && !has_ahead(conn) &&
		conn->header.body_bytes > REQUEST_HEAD_BYTES;
	return conn->part == CONN_BODY && !conn->judged && conn->header.type == WIRE_INFER &&
		(first || conn->got == REQUEST_HEAD_BYTES);
}

/* Goes on as far as the bytes that are there reach. */
static void advance(struct conn *conn)
{
	if (conn->part == CONN_HEADER && conn->got == WIRE_HEADER_BYTES) {
		on_header(conn);
		if (framing_takes_descriptor(conn->header.type)) { /* and was refused */
			own_close_fd(&conn->fd);
			conn->fd = -1;
		}
	}
	if (conn->state == CONN_CLOSED || conn->state == CONN_CLOSING ||
		conn->part == CONN_HEADER) {
		return;
	}
	bool all = conn->got == conn->header.body_bytes;
	if (conn->part == CONN_BODY && all) {
		on_message(conn);
	} else if (is_head(conn)) {
		on_head(conn);
	} else if (conn->part == CONN_SKIP && all) {
		conn->part = CONN_HEADER;
		conn->got = 0;
		conn->read_by_ms = 0;
	}
}

/* At the first byte of a header nobody knows yet what follows. A descriptor behind HELLO would be lost: it
 * is read before it is known how the rest will be. */
static bool reads_ahead(const struct conn *conn)
{
	return conn->part == CONN_HEADER && conn->got == 0 && conn->state == CONN_OPEN;
}

static uv_buf_t place_to_read(struct conn *conn)
{
	return reads_ahead(conn) ? uv_buf_init((char *)conn->ahead, sizeof(conn->ahead))
				 : place(conn);
}

static void on_place(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	(void)suggested;
	*ret_buffer = place_to_read(handle->data);
}

/* @n more bytes are in their place. */
static void on_bytes(struct conn *conn, size_t n)
{
	if (n == 0 || conn->state == CONN_CLOSED || conn->state == CONN_CLOSING) {
		return;
	}
	if (conn->part == CONN_HEADER && conn->got == 0 && conn->state == CONN_OPEN) {
		conn->read_by_ms = uv_now(conn->pipe.loop) + conn->edged->config.header_timeout_ms;
	}
	conn->got += (uint32_t)n;
	advance(conn);
}

/* A request that has begun is read to its end; another one only where there is room for it. */
static bool wants_more(const struct conn *conn)
{
	bool open = (conn->state == CONN_HELLO || conn->state == CONN_OPEN) && !conn->ended;
	bool inside = conn->part != CONN_HEADER || conn->got > 0;
	bool room = conn->in_flight + conn->unsent < conn->edged->config.max_in_flight;
	return open && (inside || room);
}

/* Takes what was read ahead to where it belongs. */
static void use_ahead(struct conn *conn)
{
	conn->using_ahead = true;
	while (has_ahead(conn) && wants_more(conn)) {
		const uv_buf_t to = place(conn);
		const size_t there = conn->ahead_end - conn->ahead_at;
		const size_t n = there < to.len ? there : to.len;
		memcpy(to.base, conn->ahead + conn->ahead_at, n);
		conn->ahead_at = (uint16_t)(conn->ahead_at + n);
		on_bytes(conn, n);
	}
	conn->using_ahead = false;
}

/* @n bytes have come to where place_to_read() wanted them. */
static void on_came(struct conn *conn, size_t n, bool ahead)
{
	if (ahead) {
		conn->ahead_at = 0;
		conn->ahead_end = (uint16_t)n;
		use_ahead(conn);
	} else {
		on_bytes(conn, n);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn);
	}
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct conn *conn = stream->data;
	if (n == UV_EOF) {
		conn_end(conn);
	} else if (n < 0) {
		conn_close(conn);
	} else if (n > 0) {
		on_came(conn, (size_t)n, buffer->base == (char *)conn->ahead);
	}
}

/* ---- reading with descriptors */

/* False when nothing more can be read now. *ret_came: something was. */
static bool read_once(struct conn *conn, bool *ret_came)
{
	struct error err = {0};
	owned_fd int fd = -1;
	const bool first = conn->part == CONN_HEADER && conn->got == 0;
	const bool ahead = reads_ahead(conn);
	const uv_buf_t buffer = place_to_read(conn);
	ssize_t n = receive_bytes(conn->poll_fd, buffer.base, buffer.len, &fd);
	if (n == -EAGAIN) {
		return false;
	}
	*ret_came = true;
	if (n == -EPROTO || (fd != -1 && !first)) {
		error_set(&err, -EPROTO, "one descriptor comes with the first byte of a header");
		header_forget(conn);
		conn_refuse(conn, &conn->header, &err);
		return false;
	}
	if (n == 0) {
		conn_end(conn);
		return false;
	}
	if (n < 0) {
		conn_close(conn);
		return false;
	}
	conn->fd = fd != -1 ? take_fd(fd) : conn->fd;
	on_came(conn, (size_t)n, ahead);
	return conn->reading && (size_t)n == buffer.len;
}

/* To the end of one message, if it is there: what follows is told by the next turn. True when something came. */
static bool read_message(struct conn *conn)
{
	bool came = false;
	for (int i = 0; i < READS_PER_TURN && read_once(conn, &came); i++) {
		if (conn->part == CONN_HEADER && conn->got == 0) {
			break;
		}
	}
	return came;
}

bool conn_look(struct conn *conn)
{
	return conn->poll_fd >= 0 && conn->reading && read_message(conn);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct conn *conn = poll->data;
	(void)events;
	if (status < 0) { /* libuv stopped the handle: the peer is gone */
		conn_close(conn);
		return;
	}
	read_message(conn);
}

/* ---- time and back-pressure */

/* Of what is being read and heeds a deadline; UINT64_MAX: nothing does. */
static uint64_t deadline_ns(const struct conn *conn)
{
	const struct request *request = conn->part == CONN_BODY ? conn->request : NULL;
	return request && request->deadline_ns && framing_heeds_deadline(request->type)
		? request->deadline_ns
		: UINT64_MAX;
}

/* The rest of the body is thrown away as it comes. */
static void end_late(struct conn *conn)
{
	struct error err = {0};
	error_set(&err, -ETIMEDOUT, "the deadline passed while the request was read");
	conn->in_flight--;
	skip(conn, &err);
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *conn = timer->data;
	uint64_t now = uv_now(timer->loop);
	struct error err = {0};
	if (conn->broken || conn_is_done(conn)) {
		conn_close(conn);
		return;
	}
	if (conn->write_by_ms && now >= conn->write_by_ms) {
		account_log(
			conn->account, LOG_LEVEL_INFO, "connection closed: it takes no replies");
		account_offend(conn->account);
		conn_close(conn);
		return;
	}
	if (conn->read_by_ms && now >= conn->read_by_ms) {
		error_set(&err, -ETIMEDOUT, "the %s did not come in time",
			conn->state == CONN_HELLO           ? "HELLO"
				: conn->part == CONN_HEADER ? "header"
							    : "body");
		header_forget(conn);
		conn_refuse(conn, &conn->header, &err);
	} else if (clock_now_ns() >= deadline_ns(conn)) {
		end_late(conn);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn);
	}
}

/* What is there already, and wanted by now. */
static bool has_more(const struct conn *conn)
{
	return (has_ahead(conn) && wants_more(conn)) ||
		(conn->ring && ring_has_more(conn->ring) && conn_has_room(conn));
}

void conn_go_on(struct conn *conn)
{
	use_ahead(conn);
	if (conn->ring) {
		ring_take(conn->ring);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn);
	}
}

static void more_update(struct conn *conn)
{
	if (has_more(conn)) {
		conn->edged->dispatch.spin.alone = false;
		more_put(&conn->edged->more, conn);
	} else {
		more_remove(&conn->edged->more, conn);
	}
}

static void timer_update(struct conn *conn)
{
	uint64_t now = uv_now(conn->timer.loop);
	if (conn->unsent > 0 && conn->write_by_ms == 0) {
		size_t bytes = uv_stream_get_write_queue_size((uv_stream_t *)&conn->pipe);
		conn->write_by_ms = now + transfer_ms(conn->edged->config.write_timeout_ms, bytes);
	}
	uint64_t next = conn->read_by_ms;
	if (conn->write_by_ms && (!next || conn->write_by_ms < next)) {
		next = conn->write_by_ms;
	}
	const uint64_t due_ns = deadline_ns(conn);
	if (due_ns != UINT64_MAX) {
		const uint64_t now_ns = clock_now_ns();
		const uint64_t at = now + (due_ns > now_ns ? (due_ns - now_ns + MS - 1) / MS : 0);
		next = !next || at < next ? at : next;
	}
	next = conn->broken || conn_is_done(conn) ? now : next;
	next = next < now && next ? now : next;
	if (next == 0) {
		uv_timer_stop(&conn->timer);
	} else {
		uv_timer_start(&conn->timer, on_timer, next > now ? next - now : 0, 0);
	}
}

static int reading_start(struct conn *conn)
{
	return conn->poll_fd >= 0 ? uv_poll_start(&conn->poll, UV_READABLE, on_readable)
				  : uv_read_start((uv_stream_t *)&conn->pipe, on_place, on_read);
}

static void reading_stop(struct conn *conn)
{
	if (conn->poll_fd >= 0) {
		uv_poll_stop(&conn->poll);
	} else {
		uv_read_stop((uv_stream_t *)&conn->pipe);
	}
}

/* Reads while something is wanted. What was read ahead comes before what the socket has: it waits for
 * the loop's next turn, because who calls this may be walking over the requests. */
void conn_update(struct conn *conn)
{
	if (conn->using_ahead) {
		return;
	}
	const bool wanted = wants_more(conn) && !has_ahead(conn);
	if (wanted && !conn->reading && reading_start(conn) < 0) {
		conn_break(conn);
		return;
	}
	if (!wanted && conn->reading) {
		reading_stop(conn);
	}
	conn->reading = wanted;
	more_update(conn);
	timer_update(conn);
}
