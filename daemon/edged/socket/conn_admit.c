/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a header's message may come in, and what its client may do. */
#include "daemon/edged/socket/conn.h"

#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "daemon/edged/serve/admission.h"
#include "daemon/edged/serve/dispatch.h"
#include "daemon/edged/socket/header_check.h"

#define SMALL_BODY 4096u /* limit of the body in bytes, of every message but INFER */

int conn_check_header(struct conn *conn, struct error *err)
{
	const struct conn_input *in = &conn->in;
	const struct wire_header *header = &in->header;
	int code = wire_header_decode(in->bytes, &conn->in.header, err);
	if (code < 0) {
		return code;
	}
	if (header->type & WIRE_REPLY) {
		return error_set(err, -EPROTO, "header: a client sends no replies");
	}
	if (header->body_bytes > conn->server->config->max_body) {
		return error_set(err, -EFBIG, "the body has %u bytes, the limit is %llu",
			header->body_bytes, (unsigned long long)conn->server->config->max_body);
	}
	if (conn->state == CONN_HELLO && header->type != WIRE_HELLO) {
		return error_set(err, -EPROTO, "the first message is not HELLO");
	}
	/* Bytes read together may hold several messages, and the first that may have a descriptor
	 * owns it. */
	if (in->fd != -1 && !header_check_takes_fd(header->type) &&
		!header_check_fd_follows(in->read_ahead,
			(uint64_t)in->read_ahead_at + header->body_bytes, in->read_ahead_end)) {
		return error_set(err, -EPROTO,
			"only REGION_ADD, RING_OPEN and STORE come with a descriptor");
	}
	return header_check_agreed(header, conn->minor, conn->capabilities, err);
}

static int socket_of(const struct conn *conn)
{
	int fd = -1;
	int code = uv_fileno((const uv_handle_t *)&conn->pipe, &fd);
	return code < 0 ? -1 : fd;
}

bool conn_may(struct conn *conn, enum access_right right)
{
	return access_may(
		conn->server->access, &conn->peer.access, socket_of(conn), conn->peer.uid, right);
}

bool conn_may_use(struct conn *conn, const char *model)
{
	return access_may_use(
		conn->server->access, &conn->peer.access, socket_of(conn), conn->peer.uid, model);
}

int conn_check_draining(const struct conn *conn, struct error *err)
{
	if (!conn->server->serve->draining) {
		return 0;
	}
	error_set(err, -ESHUTDOWN, "edged is about to stop");
	err->status = EDGE_DRAINING;
	return -ESHUTDOWN;
}

int conn_check_class(struct conn *conn, enum queue_class class, struct error *err)
{
	return conn_may(conn, ACCESS_CLASS + class)
		? 0
		: error_set(err, -EACCES, "this user may not ask in that class");
}

/* Checks an INFER with a large body by its header, so that a body which will be refused is not kept.
 * The others are validated once, when complete. */
static int check_large(
	struct conn *conn, const struct wire_header *header, uint64_t now_ns, struct error *err)
{
	if (header->type != WIRE_INFER || header->body_bytes <= REQUEST_HEAD_BYTES) {
		return 0;
	}
	int code = conn_check_draining(conn, err);
	if (code == 0) {
		code = conn_check_class(conn, request_class(header), err);
	}
	return code < 0
		? code
		: admission_check_header(conn->server->serve, header, &conn->queue, now_ns, err);
}

int conn_admit(struct conn *conn, const struct wire_header *header, struct request **ret_request,
	struct error *err)
{
	if (!header_check_knows(header->type, conn->minor, conn->capabilities)) {
		return error_set(
			err, -EOPNOTSUPP, "messages of type %u are not known", header->type);
	}
	if (header->type != WIRE_INFER && header->body_bytes > SMALL_BODY) {
		return error_set(err, -EPROTO, "%s: the body has %u bytes",
			wire_type_name(header->type), header->body_bytes);
	}
	if (dispatch_find(conn->server->serve, conn, header->id) ||
		(conn->subscription.active && conn->subscription.id == header->id)) {
		return error_set(err, -EINVAL, "a request of that id is in flight");
	}
	const uint64_t now_ns = clock_now_ns();
	int code = check_large(conn, header, now_ns, err);
	return code < 0 ? code : request_new(conn->account, header, now_ns, ret_request, err);
}

/* ---- descriptors */

/* Root and edged's own user always have room, because they install models by descriptors.
 * Another user never has more connections with shared memory than are left free. */
static bool has_room(const struct conn *conn)
{
	const struct server *server = conn->server;
	return conn->peer.uid == 0 || conn->peer.uid == geteuid() ||
		(server->config->max_regions > 0 &&
			(uint64_t)server->n_fd_passing + conn->account->n_fd_passing <
				server->config->max_shared_clients);
}

bool conn_start_fd_passing(struct conn *conn, const struct wire_hello *hello)
{
	struct server *server = conn->server;
	int fd = -1;
	bool wanted = hello->major == WIRE_MAJOR && hello->minor >= 2 &&
		hello->capabilities & WIRE_CAP_SHARED_MEMORY;
	if (!wanted || !has_room(conn) || uv_fileno((uv_handle_t *)&conn->pipe, &fd) < 0) {
		return false;
	}
	conn->poll_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (conn->poll_fd < 0 || uv_poll_init(server->loop, &conn->poll, conn->poll_fd) < 0) {
		own_close_fd(&conn->poll_fd);
		conn->poll_fd = -1;
		return false;
	}
	conn->poll.data = conn;
	conn->open_handles++;
	server->n_fd_passing++;
	conn->account->n_fd_passing++;
	if (conn->reading) {
		uv_read_stop((uv_stream_t *)&conn->pipe);
		conn->reading = false; /* conn_update() starts @poll */
	}
	return true;
}
