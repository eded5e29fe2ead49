/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/dbus/dbus.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/edged/dbus/dbus_parts.h"

#define TURN_NS 200000 /* time for the bus in one turn of the loop */
#define RETRY_MS 5000 /* between attempts to connect again after the bus has gone */
#define OWNER 1 /* DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER */
#define USUAL_SOCKET "/run/dbus/system_bus_socket"

/* ---- the loop */

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_timer(uv_timer_t *timer)
{
	on_poll(&((struct dbus *)timer->data)->poll, 0, 0);
}

/* Sets poll and timer to the bus's next event. @more: messages are left for the next turn. */
static void wait_for_it(struct dbus *dbus, bool more)
{
	uint64_t until = UINT64_MAX;
	const uint64_t now = clock_now_ns() / 1000;
	int events = dbus->api.bus_get_events(dbus->bus);
	uv_poll_start(&dbus->poll,
		(events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0),
		on_poll);
	if (dbus->stale || more) {
		uv_timer_start(&dbus->timer, on_timer, 0, 0);
	} else if (dbus->api.bus_get_timeout(dbus->bus, &until) < 0 || until == UINT64_MAX) {
		uv_timer_stop(&dbus->timer);
	} else {
		uv_timer_start(
			&dbus->timer, on_timer, until > now ? (until - now + 999) / 1000 : 0, 0);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct dbus *dbus = handle->data;
	dbus->handles--;
	if (dbus->stopping && dbus->handles == 0) {
		free(dbus->shown);
		free(dbus);
	}
}

static void on_retry(uv_timer_t *timer);

static void disconnect(struct dbus *dbus)
{
	dbus_calls_drop(dbus);
	uv_close((uv_handle_t *)&dbus->poll, on_closed);
	dbus->bus = dbus->api.bus_close_unref(dbus->bus);
	uv_timer_start(&dbus->timer, on_retry, RETRY_MS, 0);
}

/* Receives and sends messages, as many as fit into a turn. Every function that used the bus ends
 * with it. */
static void settle(struct dbus *dbus)
{
	const uint64_t until = clock_now_ns() + TURN_NS;
	int code = 1;
	if (dbus->stale) {
		dbus->stale = false;
		dbus_models_emit_changes(dbus);
	}
	while (code > 0 && clock_now_ns() < until) {
		code = dbus->api.bus_process(dbus->bus, NULL);
	}
	if (code < 0) {
		log_warning(dbus->serve->log, "the bus has gone: %s; edged looks for it every %d s",
			strerror(-code), RETRY_MS / 1000);
		disconnect(dbus);
	} else {
		wait_for_it(dbus, code > 0);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct dbus *dbus = poll->data;
	(void)status;
	(void)events;
	if (dbus->bus) {
		settle(dbus);
	}
}

/* ---- calls from other modules */

void dbus_models_changed(struct dbus *dbus)
{
	if (dbus && dbus->bus) {
		dbus_models_emit_changes(dbus);
		dbus_calls_scanned(dbus);
		settle(dbus);
	}
}

void dbus_models_changed_later(struct dbus *dbus)
{
	if (dbus && dbus->bus) {
		dbus->stale = true;
		uv_timer_start(&dbus->timer, on_timer, 0, 0);
	}
}

bool dbus_command_done(struct dbus *dbus, struct store_command *command)
{
	if (!dbus || !dbus->bus || !dbus_calls_finish_command(dbus, command)) {
		return false;
	}
	settle(dbus);
	return true;
}

/* ---- start and end */

static int on_name(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	struct dbus *dbus = userdata;
	uint32_t outcome = 0;
	(void)ret_error;
	if (dbus->api.bus_message_is_method_error(message, NULL) > 0) {
		log_notice(dbus->serve->log, "not on the bus as " DBUS_NAME ": %s",
			dbus->api.bus_message_get_error(message)->message);
	} else if (dbus->api.bus_message_read(message, "u", &outcome) >= 0 && outcome != OWNER) {
		log_notice(dbus->serve->log,
			"not on the bus as " DBUS_NAME ": somebody else has the name");
	}
	return 0;
}

static bool there_is_one(void)
{
	return getenv("DBUS_SYSTEM_BUS_ADDRESS") || access(USUAL_SOCKET, F_OK) == 0;
}

static int objects_add(struct dbus *dbus)
{
	int code = dbus_manager_add(dbus);
	if (code >= 0) {
		code = dbus_models_add(dbus);
	}
	if (code >= 0) {
		code = dbus_log_add(dbus);
	}
	return code < 0
		? code
		: dbus->api.bus_request_name_async(dbus->bus, NULL, DBUS_NAME, 0, on_name, dbus);
}

static int poll_init(struct dbus *dbus)
{
	int code = uv_poll_init(dbus->loop, &dbus->poll, dbus->api.bus_get_fd(dbus->bus));
	if (code == 0) {
		dbus->poll.data = dbus;
		dbus->handles++;
	}
	return code;
}

static int connect_it(struct dbus *dbus)
{
	int code = dbus->api.bus_open_system(&dbus->bus);
	if (code >= 0) {
		code = objects_add(dbus);
	}
	if (code >= 0) {
		code = poll_init(dbus);
	}
	if (code < 0 && dbus->bus) {
		dbus->bus = dbus->api.bus_close_unref(dbus->bus);
	}
	return code;
}

static void on_retry(uv_timer_t *timer)
{
	struct dbus *dbus = timer->data;
	if (connect_it(dbus) < 0) {
		uv_timer_start(&dbus->timer, on_retry, RETRY_MS, 0);
	} else {
		log_notice(dbus->serve->log, "there is a bus again");
		settle(dbus);
	}
}

struct dbus *dbus_start(struct serve *serve, uv_loop_t *loop)
{
	owned_mem struct dbus *dbus = NULL;
	if (!serve->config->d_bus || !there_is_one()) {
		return NULL;
	}
	dbus = calloc(1, sizeof(*dbus));
	int code = dbus ? 0 : -ENOMEM;
	if (code == 0) {
		dbus->serve = serve;
		dbus->loop = loop;
		code = dbus_api_load(&dbus->api) ? connect_it(dbus) : -ELIBACC;
	}
	if (code < 0) {
		log_notice(serve->log, "not on the bus: %s", strerror(-code));
		return NULL;
	}
	uv_timer_init(loop, &dbus->timer);
	dbus->timer.data = dbus;
	dbus->handles++;
	settle(dbus);
	return take(dbus);
}

void dbus_stop(struct dbus *dbus)
{
	if (!dbus) {
		return;
	}
	dbus->stopping = true;
	if (dbus->bus) {
		dbus_calls_drop(dbus);
		uv_poll_stop(&dbus->poll);
		dbus->bus = dbus->api.bus_flush_close_unref(dbus->bus);
		uv_close((uv_handle_t *)&dbus->poll, on_closed);
	}
	uv_close((uv_handle_t *)&dbus->timer, on_closed);
}
