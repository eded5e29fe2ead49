/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/edged/serve/admission.h"
#include "daemon/edged/serve/observe.h"
#include "daemon/edged/socket/fd_receive.h"
#include "daemon/edged/socket/header_check.h"

#define READS_PER_TURN 32 /* reads of one connection before others are read */

/* Clears the header of a message that was answered already. Keeps it while the body is read. */
static void header_forget(struct conn *conn)
{
	if (conn->in.part != CONN_BODY) {
		conn->in.header = (struct wire_header){0};
	}
}

void conn_drop(struct conn *conn, const struct wire_header *header, const struct error *err)
{
	account_log(conn->account, LOG_LEVEL_INFO, "connection closed: %s", err->text);
	conn_send_error(conn, header, err);
	conn_close_after_replies(conn);
}

void conn_drop_offender(
	struct conn *conn, const struct wire_header *header, const struct error *err)
{
	account_offend(conn->account);
	conn_drop(conn, header, err);
}

/* ---- requests */

void conn_handle(struct conn *conn, struct request *request)
{
	conn->server->serve->clients.handle(conn, request);
}

void conn_add_request(struct conn *conn, struct request *request)
{
	conn->in_flight++;
	request->client.conn = conn;
	request->client.pid = conn->peer.pid;
}

bool conn_has_room(const struct conn *conn)
{
	return conn->state == CONN_OPEN &&
		conn->in_flight + conn->unsent < conn->server->config->max_in_flight;
}

/* ---- headers */

/* Refuses the request at once. Its body is thrown away as it comes. */
static void refuse_request(struct conn *conn, const struct error *err)
{
	if (conn->in.header.type == WIRE_INFER) {
		observe_refused(conn->server->serve, conn->in.request, err->status);
	}
	request_free(conn->in.request);
	conn->in.request = NULL;
	conn->in.part = CONN_SKIP;
	conn_send_error(conn, &conn->in.header, err);
}

static void on_message(struct conn *conn)
{
	struct request *request = take(conn->in.request);
	conn->server->last_active = conn;
	conn->in.part = CONN_HEADER;
	conn->in.n_received = 0;
	conn->read_deadline_ms = 0;
	conn_handle(conn, request);
}

static void on_header(struct conn *conn)
{
	struct error err = {0};
	const struct config *config = conn->server->config;
	if (conn_check_header(conn, &err) < 0) {
		conn_drop_offender(conn, &conn->in.header, &err);
		return;
	}
	conn->in.n_received = 0;
	conn->in.validated = false;
	conn->read_deadline_ms = uv_now(conn->pipe.loop) +
		conn_transfer_ms(config->header_timeout_ms, conn->in.header.body_bytes);
	conn->in.part = CONN_BODY;
	if (conn_admit(conn, &conn->in.header, &conn->in.request, &err) < 0) {
		if (conn->state == CONN_HELLO) {
			conn_drop_offender(conn, &conn->in.header, &err);
		} else {
			refuse_request(conn, &err);
		}
		return;
	}
	conn_add_request(conn, conn->in.request);
	if (header_check_takes_fd(conn->in.header.type)) {
		conn->in.request->fd = take_fd(conn->in.fd);
	}
}

/* Validates and admits an INFER as soon as the first bytes of its body are there, so that the rest
 * of a refused body is not buffered. */
static void on_head(struct conn *conn)
{
	struct error err = {0};
	int code = request_validate(conn->in.request, conn->server->serve->models, &conn->sessions,
		&conn->regions, conn->in.n_received, conn->server->config->max_body, &err);
	code = code == 0
		? admission_check_head(conn->server->serve, conn->in.request, &conn->queue, &err)
		: code;
	conn->in.validated = code <= 0 || conn->in.n_received == REQUEST_HEAD_BYTES;
	if (code < 0) {
		conn->in_flight--;
		refuse_request(conn, &err);
	}
}

/* ---- reading */

/* Returns the buffer for the missing bytes of the header or body that is being read. */
static uv_buf_t missing_part(struct conn *conn)
{
	uint32_t all = conn->in.header.body_bytes;
	char *scratch = conn->server->scratch;
	uint32_t max = sizeof(conn->server->scratch);
	switch (conn->in.part) {
	case CONN_HEADER:
		return uv_buf_init((char *)conn->in.bytes + conn->in.n_received,
			WIRE_HEADER_BYTES - conn->in.n_received);
	case CONN_SKIP:
		return uv_buf_init(
			scratch, all - conn->in.n_received < max ? all - conn->in.n_received : max);
	case CONN_BODY:
		break;
	}
	if (!conn->in.validated && conn->in.header.type == WIRE_INFER && all > REQUEST_HEAD_BYTES) {
		all = REQUEST_HEAD_BYTES;
	}
	return uv_buf_init(
		(char *)conn->in.request->body + conn->in.n_received, all - conn->in.n_received);
}

static bool has_read_ahead(const struct conn *conn)
{
	return conn->in.read_ahead_at < conn->in.read_ahead_end;
}

static bool is_head(const struct conn *conn)
{
	/* all that is there of the body came in one read with the header */
	const bool came_with_header = conn->in.consuming_read_ahead && !has_read_ahead(conn) &&
		conn->in.header.body_bytes > REQUEST_HEAD_BYTES;
	return conn->in.part == CONN_BODY && !conn->in.validated &&
		conn->in.header.type == WIRE_INFER &&
		(came_with_header || conn->in.n_received == REQUEST_HEAD_BYTES);
}

/* Handles a header, head or body that is complete. */
static void advance(struct conn *conn)
{
	if (conn->in.part == CONN_HEADER && conn->in.n_received == WIRE_HEADER_BYTES) {
		on_header(conn);
		/* The request owns the descriptor now. If it was refused, close it here. */
		if (header_check_takes_fd(conn->in.header.type)) {
			own_close_fd(&conn->in.fd);
			conn->in.fd = -1;
		}
	}
	if (conn->state == CONN_CLOSED || conn->state == CONN_CLOSING ||
		conn->in.part == CONN_HEADER) {
		return;
	}
	bool all = conn->in.n_received == conn->in.header.body_bytes;
	if (conn->in.part == CONN_BODY && all) {
		on_message(conn);
	} else if (is_head(conn)) {
		on_head(conn);
	} else if (conn->in.part == CONN_SKIP && all) {
		conn->in.part = CONN_HEADER;
		conn->in.n_received = 0;
		conn->read_deadline_ms = 0;
	}
}

/* Reads ahead only from the first byte of a header. Not before HELLO is answered: a descriptor
 * that follows HELLO would be lost, because plain reads drop it. */
static bool reads_ahead(const struct conn *conn)
{
	return conn->in.part == CONN_HEADER && conn->in.n_received == 0 && conn->state == CONN_OPEN;
}

static uv_buf_t next_buffer(struct conn *conn)
{
	return reads_ahead(conn)
		? uv_buf_init((char *)conn->in.read_ahead, sizeof(conn->in.read_ahead))
		: missing_part(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	(void)suggested;
	*ret_buffer = next_buffer(handle->data);
}

/* @n bytes were added to the header or body that is being read. */
static void on_bytes(struct conn *conn, size_t n)
{
	if (n == 0 || conn->state == CONN_CLOSED || conn->state == CONN_CLOSING) {
		return;
	}
	if (conn->in.part == CONN_HEADER && conn->in.n_received == 0 && conn->state == CONN_OPEN) {
		conn->read_deadline_ms =
			uv_now(conn->pipe.loop) + conn->server->config->header_timeout_ms;
	}
	conn->in.n_received += (uint32_t)n;
	advance(conn);
}

/* A request that has begun is read to its end. The next one is begun only if max-in-flight allows
 * it. */
static bool may_read(const struct conn *conn)
{
	bool open = (conn->state == CONN_HELLO || conn->state == CONN_OPEN) && !conn->eof;
	bool inside = conn->in.part != CONN_HEADER || conn->in.n_received > 0;
	bool room = conn->in_flight + conn->unsent < conn->server->config->max_in_flight;
	return open && (inside || room);
}

/* Copies the read-ahead bytes to the headers and bodies that they belong to, and handles them. */
static void consume_read_ahead(struct conn *conn)
{
	conn->in.consuming_read_ahead = true;
	while (has_read_ahead(conn) && may_read(conn)) {
		const uv_buf_t to = missing_part(conn);
		const size_t there = conn->in.read_ahead_end - conn->in.read_ahead_at;
		const size_t n = there < to.len ? there : to.len;
		memcpy(to.base, conn->in.read_ahead + conn->in.read_ahead_at, n);
		conn->in.read_ahead_at = (uint16_t)(conn->in.read_ahead_at + n);
		on_bytes(conn, n);
	}
	conn->in.consuming_read_ahead = false;
}

/* @n bytes were read into the buffer of next_buffer(). @ahead: it is the read-ahead buffer. */
static void on_data(struct conn *conn, size_t n, bool ahead)
{
	if (ahead) {
		conn->in.read_ahead_at = 0;
		conn->in.read_ahead_end = (uint16_t)n;
		consume_read_ahead(conn);
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
		conn_on_eof(conn);
	} else if (n < 0) {
		conn_close(conn);
	} else if (n > 0) {
		on_data(conn, (size_t)n, buffer->base == (char *)conn->in.read_ahead);
	}
}

/* ---- reading by recvmsg() */

/* Reads once. Returns false if no more can be read now. *ret_came becomes true after data, EOF or
 * an error. */
static bool read_once(struct conn *conn, bool *ret_came)
{
	struct error err = {0};
	owned_fd int fd = -1;
	const bool first = conn->in.part == CONN_HEADER && conn->in.n_received == 0;
	const bool ahead = reads_ahead(conn);
	const uv_buf_t buffer = next_buffer(conn);
	ssize_t n = fd_receive_bytes(conn->poll_fd, buffer.base, buffer.len, &fd);
	if (n == -EAGAIN) {
		return false;
	}
	*ret_came = true;
	if (n == -EPROTO || (fd != -1 && !first)) {
		error_set(&err, -EPROTO, "one descriptor comes with the first byte of a header");
		header_forget(conn);
		conn_drop_offender(conn, &conn->in.header, &err);
		return false;
	}
	if (n == 0) {
		conn_on_eof(conn);
		return false;
	}
	if (n < 0) {
		conn_close(conn);
		return false;
	}
	conn->in.fd = fd != -1 ? take_fd(fd) : conn->in.fd;
	on_data(conn, (size_t)n, ahead);
	return conn->reading && (size_t)n == buffer.len;
}

/* Reads to the end of one message at most; the next turn of the loop reads on. Returns true after
 * data, EOF or an error. */
static bool read_message(struct conn *conn)
{
	bool came = false;
	for (int i = 0; i < READS_PER_TURN && read_once(conn, &came); i++) {
		if (conn->in.part == CONN_HEADER && conn->in.n_received == 0) {
			break;
		}
	}
	return came;
}

bool conn_busy_poll(struct conn *conn)
{
	return conn->poll_fd >= 0 && conn->reading && read_message(conn);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct conn *conn = poll->data;
	(void)events;
	if (status < 0) { /* the peer is gone and libuv stopped the handle */
		conn_close(conn);
		return;
	}
	read_message(conn);
}

/* ---- time limits and back-pressure */

/* The deadline of the request whose body is being read; UINT64_MAX: none. */
static uint64_t deadline_ns(const struct conn *conn)
{
	const struct request *request = conn->in.part == CONN_BODY ? conn->in.request : NULL;
	return request && request->deadline_ns && header_check_heeds_deadline(request->type)
		? request->deadline_ns
		: UINT64_MAX;
}

/* The deadline passed while the body was read: the rest is thrown away. */
static void end_late(struct conn *conn)
{
	struct error err = {0};
	error_set(&err, -ETIMEDOUT, "the deadline passed while the request was read");
	conn->in_flight--;
	refuse_request(conn, &err);
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *conn = timer->data;
	uint64_t now = uv_now(timer->loop);
	struct error err = {0};
	if (conn->send_failed || conn_is_done(conn)) {
		conn_close(conn);
		return;
	}
	if (conn->write_deadline_ms && now >= conn->write_deadline_ms) {
		account_log(conn->account, LOG_LEVEL_INFO,
			"connection closed: the client does not read its replies");
		account_offend(conn->account);
		conn_close(conn);
		return;
	}
	if (conn->read_deadline_ms && now >= conn->read_deadline_ms) {
		error_set(&err, -ETIMEDOUT, "the %s did not come in time",
			conn->state == CONN_HELLO              ? "HELLO"
				: conn->in.part == CONN_HEADER ? "header"
							       : "body");
		header_forget(conn);
		conn_drop_offender(conn, &conn->in.header, &err);
	} else if (clock_now_ns() >= deadline_ns(conn)) {
		end_late(conn);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn);
	}
}

/* True if the next bytes or request can be taken without reading the socket, and max-in-flight
 * allows it. */
static bool can_resume_without_read(const struct conn *conn)
{
	return (has_read_ahead(conn) && may_read(conn)) ||
		(conn->ring && ring_has_more(conn->ring) && conn_has_room(conn));
}

void conn_resume(struct pending_link *pending)
{
	static_assert(offsetof(struct conn, pending) == 0, "the cast relies on it");
	struct conn *conn = (struct conn *)pending;
	consume_read_ahead(conn);
	if (conn->ring) {
		conn_ring_take(conn);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn);
	}
}

static void more_update(struct conn *conn)
{
	if (can_resume_without_read(conn)) {
		conn->server->serve->busy_poll.alone = false;
		pending_reads_add(&conn->server->pending_reads, &conn->pending);
	} else {
		pending_reads_remove(&conn->server->pending_reads, &conn->pending);
	}
}

static void timer_update(struct conn *conn)
{
	uint64_t now = uv_now(conn->timer.loop);
	if (conn->unsent > 0 && conn->write_deadline_ms == 0) {
		size_t bytes = uv_stream_get_write_queue_size((uv_stream_t *)&conn->pipe);
		conn->write_deadline_ms =
			now + conn_transfer_ms(conn->server->config->write_timeout_ms, bytes);
	}
	uint64_t next = conn->read_deadline_ms;
	if (conn->write_deadline_ms && (!next || conn->write_deadline_ms < next)) {
		next = conn->write_deadline_ms;
	}
	const uint64_t due_ns = deadline_ns(conn);
	if (due_ns != UINT64_MAX) {
		const uint64_t now_ns = clock_now_ns();
		const uint64_t at =
			now + (clock_left_ns(due_ns, now_ns) + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
		next = !next || at < next ? at : next;
	}
	next = conn->send_failed || conn_is_done(conn) ? now : next;
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
				  : uv_read_start((uv_stream_t *)&conn->pipe, on_alloc, on_read);
}

static void reading_stop(struct conn *conn)
{
	if (conn->poll_fd >= 0) {
		uv_poll_stop(&conn->poll);
	} else {
		uv_read_stop((uv_stream_t *)&conn->pipe);
	}
}

/* Starts or stops reading. While read-ahead bytes remain, the socket is not read. They are handled
 * in the next loop iteration: handling them here could free requests that the caller
 * iterates over. */
void conn_update(struct conn *conn)
{
	if (conn->in.consuming_read_ahead) {
		return;
	}
	const bool wanted = may_read(conn) && !has_read_ahead(conn);
	if (wanted && !conn->reading && reading_start(conn) < 0) {
		conn_close_in_next_turn(conn);
		return;
	}
	if (!wanted && conn->reading) {
		reading_stop(conn);
	}
	conn->reading = wanted;
	more_update(conn);
	timer_update(conn);
}
