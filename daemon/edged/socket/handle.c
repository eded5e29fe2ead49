/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/serve/dispatch.h"
#include "daemon/edged/serve/flight_recorder.h"
#include "daemon/edged/socket/config_show.h"
#include "daemon/edged/socket/events.h"
#include "daemon/edged/socket/fd_receive.h"
#include "daemon/edged/socket/header_check.h"
#include "daemon/edged/socket/message.h"
#include "daemon/edged/socket/stats.h"

static int answer_hello(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	struct wire_hello hello;
	char escaped[64];
	int code = wire_hello_decode(request->body, request->body_bytes, &hello, err);
	if (code == 0 && conn->state != CONN_HELLO) {
		code = error_set(err, -EINVAL, "HELLO was said already");
	}
	if (code == 0) {
		code = message_hello(conn->server->config, &hello,
			conn_start_fd_passing(conn, &hello), w, &conn->capabilities, err);
	}
	if (code == 0) {
		conn_enter(conn, CONN_OPEN);
		conn->minor = hello.minor < WIRE_MINOR ? hello.minor : WIRE_MINOR;
		account_log(conn->account, LOG_LEVEL_DEBUG, "%s connected",
			error_escape(escaped, sizeof(escaped), hello.name.data, hello.name.length));
	}
	return code;
}

static int answer_cancel(struct conn *conn, const struct request *request, struct error *err)
{
	struct serve *serve = conn->server->serve;
	uint64_t id = 0;
	int code = wire_cancel_decode(request->body, request->body_bytes, &id, err);
	if (code < 0) {
		return code;
	}
	struct request *found = dispatch_find(serve, conn, id);
	if (!found) {
		return error_set(err, -ENOENT, "no request of that id is in flight");
	}
	dispatch_end(serve, found, EDGE_CANCELLED, "cancelled by the client");
	return 0;
}

/* Borrows the session that a SESSION_RESET or SESSION_CLOSE names. */
static int find_session(struct conn *conn, const struct request *request,
	struct client_session **ret_session, struct error *err)
{
	uint32_t id = 0;
	int code = wire_session_decode(request->body, request->body_bytes, request->type, &id, err);
	return code < 0 ? code : client_session_find(&conn->sessions, id, ret_session, err);
}

/* Earlier requests of the session are still answered. */
static int answer_session_close(struct conn *conn, const struct request *request, struct error *err)
{
	struct client_session *session = NULL;
	int code = find_session(conn, request, &session, err);
	if (code == 0) {
		client_session_close(session);
	}
	return code;
}

static int answer_region_add(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	struct wire_region wanted;
	struct region *region = NULL;
	int code = wire_region_add_decode(request->body, request->body_bytes, &wanted, err);
	if (code == 0) {
		code = region_add(&conn->regions, request->fd, &wanted, conn->account,
			conn->server->config->max_regions, &region, err);
	}
	if (code == 0) {
		wire_region_encode(w, region->id);
	}
	return code;
}

static int answer_region_remove(struct conn *conn, const struct request *request, struct error *err)
{
	struct region *region = NULL;
	uint32_t id = 0;
	int code = wire_region_decode(request->body, request->body_bytes, request->type, &id, err);
	if (code == 0) {
		code = region_find(&conn->regions, id, &region, err);
	}
	if (code == 0) {
		region_remove(&conn->regions, region);
	}
	return code;
}

static int answer_ring_open(struct conn *conn, struct request *request, struct error *err)
{
	struct wire_ring shape;
	int code = wire_ring_decode(request->body, request->body_bytes, &shape, err);
	return code < 0 ? code : conn_ring_open(conn, &shape, &request->fd, err);
}

/* Checks that the body is empty. */
static int expect_empty(const struct request *request, struct error *err)
{
	const struct bytes_reader r = bytes_reader_of(request->body, request->body_bytes);
	return wire_end(&r, request->type, err);
}

/* FLIGHT and CONFIG are only for peers that may manage models: they show other users' requests
 * and the configuration. */
static int answer_admin_query(
	struct conn *conn, unsigned int type, struct bytes_writer *w, struct error *err)
{
	if (!conn_may(conn, ACCESS_MANAGE)) {
		return error_set(err, -EACCES, "this user may not manage models");
	}
	return type == WIRE_CONFIG ? config_show(conn->server, w, err)
				   : flight_recorder_encode(&conn->server->serve->flight,
					     conn->server->config->max_body, w, err);
}

static int answer_query(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	int code = expect_empty(request, err);
	if (code < 0) {
		return code;
	}
	switch (request->type) {
	case WIRE_LIST:
		return message_list(conn->server->serve, w, err);
	case WIRE_STORE_LIST:
		return message_store_list(conn->server->serve, w, err);
	case WIRE_FLIGHT:
	case WIRE_CONFIG:
		return answer_admin_query(conn, request->type, w, err);
	case WIRE_STATS:
		return stats_encode(conn, w, err);
	case WIRE_STATUS:
		return message_status(conn->server->serve, conn->minor >= 3, w, err);
	default:
		return error_set(
			err, -EOPNOTSUPP, "messages of type %u are not known", request->type);
	}
}

/* ---- unloaded models */

/* Asks for @model to be loaded and returns 1: the request is parked. -EACCES for a peer that may
 * not use @model, so that it cannot make edged unload other models. */
static int request_load(struct conn *conn, struct wire_text model, struct error *err)
{
	char name[LOADED_MODEL_NAME_SIZE];
	snprintf(name, sizeof(name), "%.*s", (int)model.length, (const char *)model.data);
	if (!conn_may_use(conn, name)) {
		return error_set(err, -EACCES, "this user may not use %s", name);
	}
	models_request_load(conn->server->serve->models, name);
	return 1;
}

static int answer_describe(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	struct wire_describe describe;
	int code =
		message_describe(conn->server->serve, request->body, request->body_bytes, w, err);
	if (code <= 0) {
		return code;
	}
	code = wire_describe_decode(request->body, request->body_bytes, &describe, err);
	return code < 0 ? code : request_load(conn, describe.model, err);
}

static int answer(
	struct conn *conn, struct request *request, struct bytes_writer *w, struct error *err)
{
	switch (request->type) {
	case WIRE_HELLO:
		return answer_hello(conn, request, w, err);
	case WIRE_LIST:
	case WIRE_STORE_LIST:
	case WIRE_STATUS:
	case WIRE_STATS:
	case WIRE_FLIGHT:
	case WIRE_CONFIG:
		return answer_query(conn, request, w, err);
	case WIRE_DESCRIBE:
		return answer_describe(conn, request, w, err);
	case WIRE_POWER:
		return message_power(
			conn->server->serve, request->body, request->body_bytes, w, err);
	case WIRE_CANCEL:
		return answer_cancel(conn, request, err);
	case WIRE_SESSION_CLOSE:
		return answer_session_close(conn, request, err);
	case WIRE_REGION_ADD:
		return answer_region_add(conn, request, w, err);
	case WIRE_REGION_REMOVE:
		return answer_region_remove(conn, request, err);
	case WIRE_RING_OPEN:
		return answer_ring_open(conn, request, err);
	default:
		return error_set(
			err, -EOPNOTSUPP, "messages of type %u are not known", request->type);
	}
}

static int answer_subscribe(struct conn *conn, const struct request *request, struct error *err)
{
	uint32_t kinds = 0;
	int code = wire_subscribe_decode(request->body, request->body_bytes, &kinds, err);
	return code < 0 ? code : events_subscribe(conn, request->id, kinds, err);
}

/* The first EVENT follows the reply. */
static void on_subscribe(struct conn *conn, struct request *request)
{
	struct serve *serve = conn->server->serve;
	struct bytes_writer nothing = {0};
	struct error err = {0};
	if (answer_subscribe(conn, request, &err) < 0) {
		dispatch_refuse(serve, request, &err);
		return;
	}
	dispatch_answer(serve, request, &nothing);
	if (conn->state == CONN_OPEN) {
		events_begin(conn);
	}
}

static void answer_now(struct conn *conn, struct request *request)
{
	struct serve *serve = conn->server->serve;
	struct bytes_writer w = {0};
	struct error err = {0};
	bool hello = conn->state == CONN_HELLO;
	int code = answer(conn, request, &w, &err);
	if (code == 0) {
		dispatch_answer(serve, request, &w);
		return;
	}
	bytes_writer_deinit(&w);
	if (code > 0) {
		dispatch_park(serve, request);
		return;
	}
	dispatch_refuse(serve, request, &err);
	if (hello) {
		conn_close_after_replies(conn); /* a connection without HELLO is of no use */
	}
}

static void on_immediate(struct conn *conn, struct request *request)
{
	struct account *account = conn->account;
	struct error err = {0};
	const uint64_t start_ns = clock_now_ns();
	if (!header_check_is_query(request->type)) {
		answer_now(conn, request);
	} else if (account_may_query(account, start_ns, &err) < 0) {
		dispatch_refuse(conn->server->serve, request, &err);
	} else {
		/* This may close conn; its memory, and the account's reference, last until its
		 * handles have closed. */
		answer_now(conn, request);
		account_note_query(account, clock_now_ns() - start_ns);
	}
}

static void on_reload(struct conn *conn, struct request *request)
{
	struct serve *serve = conn->server->serve;
	struct error err = {0};
	int code = expect_empty(request, &err);
	if (code == 0 && !conn_may(conn, ACCESS_MANAGE)) {
		code = error_set(&err, -EACCES, "this user may not manage models");
	}
	if (code < 0) {
		dispatch_refuse(serve, request, &err);
		return;
	}
	account_log(conn->account, LOG_LEVEL_INFO, "asked to look at the models again");
	dispatch_wait(serve, request, serve->scan(serve->scan_context));
}

/* Refuses @request if edged is draining. True when it did. */
static bool refuse_draining(struct conn *conn, struct request *request)
{
	struct error err = {0};
	if (conn_check_draining(conn, &err) == 0) {
		return false;
	}
	dispatch_refuse(conn->server->serve, request, &err);
	return true;
}

/* Copies a name or argument. -EINVAL for a text that is too long or holds a byte 0. */
static int text_copy(
	char *out, size_t size, struct wire_text text, const char *what, struct error *err)
{
	if (text.length >= size || memchr(text.data, 0, text.length)) {
		return error_set(err, -EINVAL, "STORE: that cannot be %s", what);
	}
	memcpy(out, text.data, text.length);
	out[text.length] = 0;
	return 0;
}

static bool verb_known(uint32_t verb)
{
	return verb >= WIRE_STORE_ROLLBACK && verb <= WIRE_STORE_EXAMPLES;
}

/* Checks the peer's rights and copies the fields of @wanted to @command. */
static int command_fill(struct conn *conn, const struct wire_store *wanted,
	struct store_command *command, struct error *err)
{
	const bool needs_no_right =
		wanted->verb == WIRE_STORE_HISTORY || wanted->verb == WIRE_STORE_EXAMPLES;
	if (!verb_known(wanted->verb)) {
		return error_set(err, -EOPNOTSUPP, "STORE: verb %u is not known", wanted->verb);
	}
	if (!needs_no_right && !conn_may(conn, ACCESS_MANAGE)) {
		return error_set(err, -EACCES, "this user may not manage models");
	}
	command->verb = (enum store_command_verb)wanted->verb;
	command->uid = conn->peer.uid;
	int code = text_copy(
		command->model, sizeof(command->model), wanted->model, "a model's name", err);
	if (code == 0 && command->verb == STORE_COMMAND_EXAMPLES &&
		!conn_may_use(conn, command->model)) {
		return error_set(err, -EACCES, "this user may not use %s", command->model);
	}
	return code < 0 ? code
			: text_copy(command->argument, sizeof(command->argument), wanted->argument,
				  "an argument", err);
}

/* Takes the descriptor. -EINVAL when the verb needs one and none came, or the reverse. */
static int command_take_fd(
	struct store_command *command, struct request *request, struct error *err)
{
	const bool needs_fd = command->verb == STORE_COMMAND_INSTALL ||
		command->verb == STORE_COMMAND_EXPORT || command->verb == STORE_COMMAND_TEACH;
	if (needs_fd != (request->fd >= 0)) {
		return error_set(err, -EINVAL, "STORE: the verb comes %s descriptor",
			needs_fd ? "with a" : "without a");
	}
	command->fd = take_fd(request->fd);
	return 0;
}

static int command_make(struct conn *conn, struct request *request,
	struct store_command **ret_command, struct error *err)
{
	struct wire_store wanted;
	struct store_command *command = store_command_new();
	if (!command) {
		return error_no_memory(err);
	}
	int code = wire_store_decode(request->body, request->body_bytes, &wanted, err);
	if (code == 0) {
		code = command_fill(conn, &wanted, command, err);
	}
	if (code == 0) {
		code = command_take_fd(command, request, err);
	}
	if (code < 0) {
		store_command_free(command);
		return code;
	}
	*ret_command = command;
	return 0;
}

static void on_store(struct conn *conn, struct request *request)
{
	struct error err = {0};
	struct store_command *command = NULL;
	struct serve *serve = conn->server->serve;
	if (refuse_draining(conn, request)) {
		return;
	}
	if (command_make(conn, request, &command, &err) < 0) {
		dispatch_refuse(serve, request, &err);
		return;
	}
	int code = eviction_try_command(serve->eviction, command, &err);
	if (code == 0) {
		dispatch_wait(serve, request,
			loader_queue_command(serve->loader, serve->config, command));
		return;
	}
	store_command_free(command);
	if (code < 0) {
		dispatch_refuse(serve, request, &err);
	} else {
		struct bytes_writer w = {0};
		wire_store_reply_encode(&w, wire_text_of(""));
		dispatch_answer(serve, request, &w);
	}
}

static int check_use(struct conn *conn, const struct request *request, struct error *err)
{
	return conn_may_use(conn, request->loaded->name)
		? 0
		: error_set(err, -EACCES, "this user may not use %s", request->loaded->name);
}

static int session_open(struct conn *conn, struct request *request, struct error *err)
{
	struct wire_session_open open;
	int code = wire_session_open_decode(request->body, request->body_bytes, &open, err);
	if (code == 0) {
		code = models_get(conn->server->serve->models, open.model, open.version,
			&request->loaded, err);
	}
	code = code > 0 ? request_load(conn, open.model, err) : code;
	code = code == 0 ? check_use(conn, request, err) : code;
	return code != 0 ? code
			 : client_session_new(&conn->sessions, request->loaded, conn->account,
				   conn->server->config->max_sessions, &request->session, err);
}

static int session_reset(struct conn *conn, struct request *request, struct error *err)
{
	struct client_session *session = NULL;
	int code = find_session(conn, request, &session, err);
	if (code == 0) {
		request->session = client_session_ref(session);
	}
	return code;
}

/* Refuses @request, parks it (@code 1: its model is unloaded) or submits it. */
static void route_request(
	struct conn *conn, struct request *request, int code, const struct error *err)
{
	struct serve *serve = conn->server->serve;
	if (code < 0) {
		dispatch_refuse(serve, request, err);
	} else if (code > 0) {
		dispatch_park(serve, request);
	} else {
		dispatch_submit(serve, request, &conn->queue);
	}
}

/* SESSION_OPEN and SESSION_RESET wait for their turn like the session's other requests. */
static void on_session(struct conn *conn, struct request *request)
{
	struct error err = {0};
	if (refuse_draining(conn, request)) {
		return;
	}
	int code = request->type == WIRE_SESSION_OPEN ? session_open(conn, request, &err)
						      : session_reset(conn, request, &err);
	route_request(conn, request, code, &err);
}

/* Checks an INFER's rights, model and tensors. Returns 1 if the model is unloaded. */
static int validate_infer(struct conn *conn, struct request *request, struct error *err)
{
	const struct server *server = conn->server;
	int code = conn_check_class(conn, request->item.class, err);
	if (code == 0) {
		code = request_validate(request, server->serve->models, &conn->sessions,
			&conn->regions, request->body_bytes, server->config->max_body, err);
	}
	code = code > 0 ? request_load(conn, request->infer.model, err) : code;
	return code == 0 ? check_use(conn, request, err) : code;
}

static void on_infer(struct conn *conn, struct request *request)
{
	struct error err = {0};
	if (!refuse_draining(conn, request)) {
		route_request(conn, request, validate_infer(conn, request, &err), &err);
	}
}

static void refuse_fd_lost(struct conn *conn, struct request *request)
{
	struct error err = {0};
	error_set(&err, -EAGAIN, "edged has no descriptor free for the one that came");
	dispatch_refuse(conn->server->serve, request, &err);
}

void handle_message(void *context, struct request *request)
{
	struct conn *conn = context;
	if (request->fd == FD_RECEIVE_LOST) {
		refuse_fd_lost(conn, request);
		return;
	}
	switch (request->type) {
	case WIRE_INFER:
		on_infer(conn, request);
		break;
	case WIRE_RELOAD:
		on_reload(conn, request);
		break;
	case WIRE_STORE:
		on_store(conn, request);
		break;
	case WIRE_SUBSCRIBE:
		on_subscribe(conn, request);
		break;
	case WIRE_SESSION_OPEN:
	case WIRE_SESSION_RESET:
		on_session(conn, request);
		break;
	default:
		on_immediate(conn, request);
		break;
	}
}
