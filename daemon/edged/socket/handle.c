/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/config_show.h"
#include "daemon/edged.h"
#include "daemon/flight.h"
#include "daemon/framing.h"
#include "daemon/message.h"
#include "daemon/receive.h"
#include "daemon/sharing.h"
#include "daemon/stats.h"

static int answer_hello(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	struct wire_hello hello;
	char shown[64];
	int code = wire_hello_decode(request->body, request->body_bytes, &hello, err);
	if (code == 0 && conn->state != CONN_HELLO) {
		code = error_set(err, -EINVAL, "HELLO was said already");
	}
	if (code == 0) {
		uint64_t offered = sharing_begin(conn, &hello) ? sharing_capabilities(&hello) : 0;
		code = message_hello(conn->edged, &hello, offered, w, &conn->capabilities, err);
	}
	if (code == 0) {
		conn_enter(conn, CONN_OPEN);
		conn->minor = hello.minor < WIRE_MINOR ? hello.minor : WIRE_MINOR;
		account_log(conn->account, LOG_LEVEL_DEBUG, "%s connected",
			error_escape(shown, sizeof(shown), hello.name.data, hello.name.length));
	}
	return code;
}

static int answer_cancel(struct conn *conn, const struct request *request, struct error *err)
{
	struct dispatch *dispatch = &conn->edged->dispatch;
	uint64_t id = 0;
	int code = wire_cancel_decode(request->body, request->body_bytes, &id, err);
	if (code < 0) {
		return code;
	}
	struct request *found = dispatch_find(dispatch, conn, id);
	if (!found) {
		return error_set(err, -ENOENT, "no request of that id is in flight");
	}
	dispatch_end(dispatch, found, EDGE_CANCELLED, "cancelled by the client");
	return 0;
}

/* The session that a RESET or CLOSE names, borrowed. */
static int find_session(struct conn *conn, const struct request *request,
	struct client_session **ret_session, struct error *err)
{
	uint32_t id = 0;
	int code = wire_session_decode(request->body, request->body_bytes, request->type, &id, err);
	return code < 0 ? code : client_session_find(&conn->sessions, id, ret_session, err);
}

/* Requests of the session that came before are still answered. */
static int answer_close(struct conn *conn, const struct request *request, struct error *err)
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
			conn->edged->config.max_regions, &region, err);
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
	return code < 0 ? code : ring_open(conn, &shape, &request->fd, err);
}

/* Empty bodies of requests that have none. */
static int expect_empty(const struct request *request, struct error *err)
{
	const struct bytes_reader r = bytes_reader_of(request->body, request->body_bytes);
	return wire_end(&r, request->type, err);
}

/* Who else asked what, and how edged is configured, is for those only who manage. */
static int answer_manager(
	struct conn *conn, unsigned int type, struct bytes_writer *w, struct error *err)
{
	if (!framing_may(conn, ACCESS_MANAGE)) {
		return error_set(err, -EACCES, "this user may not manage models");
	}
	return type == WIRE_CONFIG
		? config_show(conn->edged, w, err)
		: flight_encode(&conn->edged->flight, conn->edged->config.max_body, w, err);
}

static int answer_empty(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	int code = expect_empty(request, err);
	if (code < 0) {
		return code;
	}
	switch (request->type) {
	case WIRE_LIST:
		return message_list(conn->edged, w, err);
	case WIRE_STORE_LIST:
		return message_store_list(conn->edged, w, err);
	case WIRE_FLIGHT:
	case WIRE_CONFIG:
		return answer_manager(conn, request->type, w, err);
	case WIRE_STATS:
		return stats_encode(conn, w, err);
	default:
		return message_status(conn->edged, conn->minor >= 3, w, err);
	}
}

/* ---- models that are not loaded */

/* 1, for who waits for it; -EACCES for who may not use it, and then others are not unloaded for it. */
static int want(struct conn *conn, struct wire_text model, struct error *err)
{
	char name[SERVED_NAME_SIZE];
	snprintf(name, sizeof(name), "%.*s", (int)model.length, (const char *)model.data);
	if (!framing_may_use(conn, name)) {
		return error_set(err, -EACCES, "this user may not use %s", name);
	}
	store_want(&conn->edged->store, name);
	return 1;
}

static int answer_describe(
	struct conn *conn, const struct request *request, struct bytes_writer *w, struct error *err)
{
	struct wire_describe describe;
	int code = message_describe(conn->edged, request->body, request->body_bytes, w, err);
	if (code <= 0) {
		return code;
	}
	code = wire_describe_decode(request->body, request->body_bytes, &describe, err);
	return code < 0 ? code : want(conn, describe.model, err);
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
		return answer_empty(conn, request, w, err);
	case WIRE_DESCRIBE:
		return answer_describe(conn, request, w, err);
	case WIRE_POWER:
		return message_power(conn->edged, request->body, request->body_bytes, w, err);
	case WIRE_CANCEL:
		return answer_cancel(conn, request, err);
	case WIRE_SESSION_CLOSE:
		return answer_close(conn, request, err);
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

/* The first event comes behind the reply. */
static void on_subscribe(struct conn *conn, struct request *request)
{
	struct edged *edged = conn->edged;
	struct bytes_writer nothing = {0};
	struct error err = {0};
	if (answer_subscribe(conn, request, &err) < 0) {
		dispatch_refuse(&edged->dispatch, request, &err);
		return;
	}
	dispatch_answer(&edged->dispatch, request, &nothing);
	if (conn->state == CONN_OPEN) {
		events_begin(edged, conn);
	}
}

static void answer_simple(struct conn *conn, struct request *request)
{
	struct dispatch *dispatch = &conn->edged->dispatch;
	struct bytes_writer w = {0};
	struct error err = {0};
	bool hello = conn->state == CONN_HELLO;
	int code = answer(conn, request, &w, &err);
	if (code == 0) {
		dispatch_answer(dispatch, request, &w);
		return;
	}
	bytes_writer_deinit(&w);
	if (code > 0) {
		dispatch_park(dispatch, request);
		return;
	}
	dispatch_refuse(dispatch, request, &err);
	if (hello) {
		conn_close_after_replies(conn); /* without HELLO there is nothing to talk about */
	}
}

/* Lists and numbers, which the loop makes up itself. */
static bool is_look(unsigned int type)
{
	return type == WIRE_LIST || type == WIRE_STORE_LIST || type == WIRE_STATUS ||
		type == WIRE_STATS || type == WIRE_FLIGHT || type == WIRE_CONFIG ||
		type == WIRE_DESCRIBE || type == WIRE_POWER;
}

static void on_simple(struct conn *conn, struct request *request)
{
	struct account *account = conn->account;
	struct error err = {0};
	const uint64_t start_ns = clock_now_ns();
	if (!is_look(request->type)) {
		answer_simple(conn, request);
	} else if (account_may_look(account, start_ns, &err) < 0) {
		dispatch_refuse(&conn->edged->dispatch, request, &err);
	} else {
		answer_simple(
			conn, request); /* the account lives as long as the connection's memory */
		account_note_look(account, clock_now_ns() - start_ns);
	}
}

static void on_reload(struct conn *conn, struct request *request)
{
	struct error err = {0};
	int code = expect_empty(request, &err);
	if (code == 0 && !framing_may(conn, ACCESS_MANAGE)) {
		code = error_set(&err, -EACCES, "this user may not manage models");
	}
	if (code < 0) {
		dispatch_refuse(&conn->edged->dispatch, request, &err);
		return;
	}
	account_log(conn->account, LOG_LEVEL_INFO, "asked to look at the models again");
	dispatch_wait(&conn->edged->dispatch, request, edged_scan(conn->edged));
}

/* True when it is done with: edged is about to stop. */
static bool refuse_draining(struct conn *conn, struct request *request)
{
	struct error err = {0};
	if (!conn->edged->draining) {
		return false;
	}
	error_set(&err, -ESHUTDOWN, "edged is about to stop");
	err.status = EDGE_DRAINING;
	dispatch_refuse(&conn->edged->dispatch, request, &err);
	return true;
}

/* Names and arguments are short texts without a byte 0. */
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

static int order_judge(
	struct conn *conn, const struct wire_store *store, struct order *order, struct error *err)
{
	const bool anybody =
		store->verb == WIRE_STORE_HISTORY || store->verb == WIRE_STORE_EXAMPLES;
	if (!verb_known(store->verb)) {
		return error_set(err, -EOPNOTSUPP, "STORE: verb %u is not known", store->verb);
	}
	if (!anybody && !framing_may(conn, ACCESS_MANAGE)) {
		return error_set(err, -EACCES, "this user may not manage models");
	}
	order->verb = (enum order_verb)store->verb;
	order->by = conn->uid;
	int code =
		text_copy(order->model, sizeof(order->model), store->model, "a model's name", err);
	if (code == 0 && order->verb == ORDER_EXAMPLES && !framing_may_use(conn, order->model)) {
		return error_set(err, -EACCES, "this user may not use %s", order->model);
	}
	return code < 0 ? code
			: text_copy(order->argument, sizeof(order->argument), store->argument,
				  "an argument", err);
}

/* The verbs that need one have one, and no others. */
static int order_take_fd(struct order *order, struct request *request, struct error *err)
{
	const bool wanted = order->verb == ORDER_INSTALL || order->verb == ORDER_EXPORT ||
		order->verb == ORDER_TEACH;
	if (wanted != (request->fd >= 0)) {
		return error_set(err, -EINVAL, "STORE: the verb comes %s descriptor",
			wanted ? "with a" : "without a");
	}
	order->fd = take_fd(request->fd);
	return 0;
}

static int order_make(
	struct conn *conn, struct request *request, struct order **ret_order, struct error *err)
{
	struct wire_store store;
	struct order *order = order_new();
	if (!order) {
		return error_no_memory(err);
	}
	int code = wire_store_decode(request->body, request->body_bytes, &store, err);
	if (code == 0) {
		code = order_judge(conn, &store, order, err);
	}
	if (code == 0) {
		code = order_take_fd(order, request, err);
	}
	if (code < 0) {
		order_free(order);
		return code;
	}
	*ret_order = order;
	return 0;
}

static void on_store(struct conn *conn, struct request *request)
{
	struct error err = {0};
	struct order *order = NULL;
	struct edged *edged = conn->edged;
	if (refuse_draining(conn, request)) {
		return;
	}
	if (order_make(conn, request, &order, &err) < 0) {
		dispatch_refuse(&edged->dispatch, request, &err);
		return;
	}
	int code = idle_order(&edged->idle, order, &err);
	if (code == 0) {
		dispatch_wait_order(&edged->dispatch, request,
			loader_order(&edged->loader, &edged->config, order));
		return;
	}
	order_free(order);
	if (code < 0) {
		dispatch_refuse(&edged->dispatch, request, &err);
	} else {
		struct bytes_writer w = {0};
		wire_store_reply_encode(&w, wire_text_of(""));
		dispatch_answer(&edged->dispatch, request, &w);
	}
}

static int check_use(struct conn *conn, const struct request *request, struct error *err)
{
	return framing_may_use(conn, request->served->name)
		? 0
		: error_set(err, -EACCES, "this user may not use %s", request->served->name);
}

static int session_open(struct conn *conn, struct request *request, struct error *err)
{
	struct wire_session_open open;
	int code = wire_session_open_decode(request->body, request->body_bytes, &open, err);
	if (code == 0) {
		code = store_get(
			&conn->edged->store, open.model, open.version, &request->served, err);
	}
	code = code > 0 ? want(conn, open.model, err) : code;
	code = code == 0 ? check_use(conn, request, err) : code;
	return code != 0 ? code
			 : client_session_new(&conn->sessions, request->served, conn->account,
				   conn->edged->config.max_sessions, &request->session, err);
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

/* @code 1: its model is unloaded. */
static void take_turn(struct conn *conn, struct request *request, int code, const struct error *err)
{
	struct dispatch *dispatch = &conn->edged->dispatch;
	if (code < 0) {
		dispatch_refuse(dispatch, request, err);
	} else if (code > 0) {
		dispatch_park(dispatch, request);
	} else {
		dispatch_submit(dispatch, request, &conn->line);
	}
}

/* Opening and resetting take their turn as the session's other requests do. */
static void on_session(struct conn *conn, struct request *request)
{
	struct error err = {0};
	if (refuse_draining(conn, request)) {
		return;
	}
	int code = request->type == WIRE_SESSION_OPEN ? session_open(conn, request, &err)
						      : session_reset(conn, request, &err);
	take_turn(conn, request, code, &err);
}

static void on_infer(struct conn *conn, struct request *request)
{
	struct error err = {0};
	if (refuse_draining(conn, request)) {
		return;
	}
	int code = request_judge(request, &conn->edged->store, &conn->sessions, &conn->regions,
		request->body_bytes, conn->edged->config.max_body, &err);
	code = code > 0 ? want(conn, request->infer.model, &err) : code;
	code = code == 0 ? check_use(conn, request, &err) : code;
	take_turn(conn, request, code, &err);
}

static void refuse_lost(struct conn *conn, struct request *request)
{
	struct error err = {0};
	error_set(&err, -EAGAIN, "edged has no descriptor free for what came");
	dispatch_refuse(&conn->edged->dispatch, request, &err);
}

void handle_message(struct conn *conn, struct request *request)
{
	if (request->fd == RECEIVE_LOST) {
		refuse_lost(conn, request);
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
		on_simple(conn, request);
		break;
	}
}
