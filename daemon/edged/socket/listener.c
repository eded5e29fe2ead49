/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/listener.h"

#include <errno.h>

#include "daemon/edged/models/stats_persist.h"
#include "daemon/edged/socket/accept.h"
#include "daemon/edged/socket/conn.h"
#include "daemon/system/service_manager.h"

#define BACKLOG 511
#define RETRY_MS 100
#define ACCEPTS 16 /* accepts per turn of the loop, so that open connections are read */

static void on_retry(uv_timer_t *timer);

static void accept_one(struct server *server)
{
	struct error err = {0};
	int code = accept_connection(server, &err);
	if (code < 0) {
		log_debug(server->log, "connection refused: %s", err.text);
	}
	if (code == -ENOMEM) {
		/* The connection may still wait, and libuv reports no other until it is
		 * accepted. */
		uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
	}
}

static void on_retry(uv_timer_t *timer)
{
	struct server *server = timer->data;
	server->n_accepted = 1;
	accept_one(server);
}

/* True when ACCEPTS connections were accepted in this turn. libuv calls on_connection() until no
 * connection waits, and stops while one is not accepted. */
static bool is_enough(struct server *server)
{
	const uint64_t now_ms = uv_now(server->loop);
	server->n_accepted = now_ms == server->accepted_ms ? server->n_accepted + 1 : 1;
	server->accepted_ms = now_ms;
	return server->n_accepted > ACCEPTS;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct server *server = listener->data;
	if (status < 0) {
		log_warning(server->log, "accept: %s", uv_strerror(status));
		return;
	}
	if (is_enough(server)) {
		uv_timer_start(&server->retry, on_retry, 0, 0);
	} else {
		accept_one(server);
	}
}

/* Takes the socket that the service manager passed, or opens one. Loads the statistics that the
 * last edged left with the service manager. */
static int open_listener(struct server *server, int *ret_fd, struct error *err)
{
	const struct config *config = server->config;
	owned_fd int kept = -1;
	int code = service_manager_passed_fds(STATS_PERSIST_NAME, ret_fd, &kept, err);
	if (kept >= 0 &&
		!stats_persist_load(kept, &server->serve->metrics, server->serve->models)) {
		log_notice(server->log, "the statistics of the last edged cannot be read: ignored");
	}
	if (kept >= 0) {
		/* removed there: stale at the next start unless stats_persist_save() stores new ones */
		service_manager_remove_fd(STATS_PERSIST_NAME);
	}
	if (code < 0 || *ret_fd >= 0) {
		return code;
	}
	code = listen_open(config->socket, (mode_t)config->socket_mode, config->socket_group,
		ret_fd, &server->file, err);
	server->own_file = code == 0;
	return code;
}

int listener_start(struct server *server, struct error *err)
{
	owned_fd int fd = -1;
	pending_reads_init(&server->pending_reads, server->loop, conn_resume);
	int code = open_listener(server, &fd, err);
	if (code < 0) {
		return code;
	}
	uv_pipe_init(server->loop, &server->listener, 0);
	uv_timer_init(server->loop, &server->retry);
	server->listener.data = server->retry.data = server;
	server->listening = true;
	code = uv_pipe_open(&server->listener, fd);
	if (code == 0) {
		fd = -1; /* owned by the listener now */
		code = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
	}
	return code == 0 ? 0 : error_set(err, code, "listen: %s", uv_strerror(code));
}

void listener_drain(struct server *server)
{
	if (!server->listening) {
		return;
	}
	server->listening = false;
	uv_close((uv_handle_t *)&server->listener, NULL);
	uv_close((uv_handle_t *)&server->retry, NULL);
	if (server->own_file) {
		listen_remove(server->config->socket, &server->file);
	}
}

void listener_stop(struct server *server)
{
	listener_drain(server);
	while (server->first) {
		conn_close(server->first);
	}
}

bool listener_poll(void *context, bool thoroughly)
{
	struct server *server = context;
	struct conn *conn = thoroughly ? server->last_active : NULL;
	server->serve->inline_connection = NULL; /* each look counts as a turn of the loop */
	return conn_ring_poll(server) || (conn && conn_busy_poll(conn));
}

void listener_sleep(void *context, bool asleep)
{
	const struct server *server = context;
	ring_sleep_all(server->rings, asleep);
}
