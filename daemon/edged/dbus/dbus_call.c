/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call that changes something: who sends it is asked of the bus, whether that user may of polkit
 * (https://www.freedesktop.org/software/polkit/docs/latest/eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html)
 * unless it is root or edged's own; then it is done as an order to the loader, and answered.
 */
#include <errno.h>
#include <string.h>

#include "daemon/dbus_parts.h"

#define ACTION "org.edged1.manage"

struct dbus_call {
	struct dbus_call *next;
	struct dbus *dbus;
	sd_bus_message *message;
	struct order *order; /* what is asked for, until it is given to the loader; NULL: a look */
	uint64_t order_number, scan_number; /* what it waits for; 0: not that */
	bool asking; /* polkit */
	enum order_verb verb; /* of @order; 0: a look */
};

static void unlink_call(struct dbus_call *call)
{
	struct dbus_call **at = &call->dbus->calls;
	while (*at != call) {
		at = &(*at)->next;
	}
	*at = call->next;
	call->dbus->n_calls--;
	call->dbus->n_asking -= call->asking;
}

static void call_free(struct dbus_call *call)
{
	call->dbus->api.bus_message_unref(call->message);
	order_free(call->order);
	free(call);
}

static void call_end(struct dbus_call *call)
{
	unlink_call(call);
	call_free(call);
}

/* The names of what can go wrong; anything else has the system's. */
static const char *error_name(int code)
{
	switch (-code) {
	case ENOENT:
		return DBUS_ERROR("NotFound");
	case EACCES:
		return SD_BUS_ERROR_ACCESS_DENIED;
	case EPERM:
		return DBUS_ERROR("Denied");
	case EBADMSG:
	case EFBIG:
		return DBUS_ERROR("ModelRefused");
	case EINVAL:
		return SD_BUS_ERROR_INVALID_ARGS;
	case EAGAIN:
	case EBUSY:
		return DBUS_ERROR("Overloaded");
	case ENOMEM:
		return SD_BUS_ERROR_NO_MEMORY;
	default:
		return DBUS_ERROR("Failed");
	}
}

static void refuse(struct dbus_call *call, const char *name, const char *why)
{
	call->dbus->api.bus_reply_method_errorf(call->message, name, "%s", why);
	call_end(call);
}

/* ---- doing it */

/* What is declared with lines has them, however few. */
static bool has_lines(enum order_verb verb)
{
	return verb == ORDER_HISTORY || verb == ORDER_INSTALL || verb == ORDER_EXPORT ||
		verb == ORDER_FSCK;
}

static void answer(struct dbus_call *call, const char *lines)
{
	const bool has = has_lines(call->verb);
	call->dbus->api.bus_reply_method_return(
		call->message, has ? "s" : "", has && lines ? lines : "");
	call_end(call);
}

/* The loop does some itself, the loader the rest. */
static void order_give(struct dbus_call *call)
{
	struct edged *edged = call->dbus->edged;
	struct error err = {0};
	int code = idle_order(&edged->idle, call->order, &err);
	if (code < 0) {
		refuse(call, error_name(code), err.text);
	} else if (code > 0) {
		dbus_models_tell(call->dbus);
		answer(call, NULL);
	} else {
		call->order_number =
			loader_order(&edged->loader, &edged->config, take(call->order));
	}
}

static void carry_out(struct dbus_call *call)
{
	struct edged *edged = call->dbus->edged;
	call->dbus->n_asking -= call->asking;
	call->asking = false;
	if (edged->draining) {
		refuse(call, DBUS_ERROR("Stopping"), "edged is stopping");
	} else if (call->order) {
		order_give(call);
	} else {
		call->scan_number = edged_scan(edged);
	}
}

void dbus_calls_scanned(struct dbus *dbus)
{
	const struct edged *edged = dbus->edged;
	const struct store_count count = store_count(&edged->store);
	for (struct dbus_call *call = dbus->calls, *next = NULL; call; call = next) {
		next = call->next;
		if (call->scan_number > 0 && call->scan_number <= edged->store.scans_done) {
			dbus->api.bus_reply_method_return(
				call->message, "uu", count.ready, count.refused);
			call_end(call);
		}
	}
}

bool dbus_calls_ordered(struct dbus *dbus, struct order *order)
{
	struct dbus_call *call = dbus->calls;
	while (call && call->order_number != order->number) {
		call = call->next;
	}
	if (!call || order->number == 0) {
		return false;
	}
	if (order->error.code < 0) {
		refuse(call, error_name(order->error.code), order->error.text);
	} else {
		answer(call, order->text);
	}
	order_free(order);
	return true;
}

/* ---- whether the sender may */

static int on_polkit(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	struct dbus_call *call = userdata;
	const struct dbus_api *api = &call->dbus->api;
	int authorized = 0, challenge = 0;
	(void)ret_error;
	if (api->bus_message_is_method_error(message, NULL) > 0) {
		refuse(call, SD_BUS_ERROR_ACCESS_DENIED,
			"only root and edged's own user may do that");
	} else if (api->bus_message_read(message, "(bba{ss})", &authorized, &challenge, 0) < 0) {
		refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "polkit's answer cannot be read");
	} else if (!authorized) {
		refuse(call,
			challenge ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
				  : SD_BUS_ERROR_ACCESS_DENIED,
			"polkit does not allow " ACTION);
	} else {
		carry_out(call);
	}
	return 0;
}

/* Those who may do nothing do not keep out those who may. */
static int ask_polkit(struct dbus_call *call)
{
	const struct dbus_api *api = &call->dbus->api;
	if (call->dbus->n_asking >= DBUS_MAX_ASKING) {
		return -EBUSY;
	}
	call->asking = true;
	call->dbus->n_asking++;
	return api->bus_call_method_async(call->dbus->bus, NULL, "org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization", on_polkit, call, "(sa{sv})sa{ss}us", "system-bus-name", 1,
		"name", "s", api->bus_message_get_sender(call->message), ACTION, 0,
		api->bus_message_get_allow_interactive_authorization(call->message) > 0 ? 1U : 0U,
		"");
}

static int on_user(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	struct dbus_call *call = userdata;
	const struct dbus_api *api = &call->dbus->api;
	uint32_t user = UINT32_MAX;
	(void)ret_error;
	if (api->bus_message_is_method_error(message, NULL) > 0 ||
		api->bus_message_read(message, "u", &user) < 0) {
		refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "the bus does not say who asks");
		return 0;
	}
	if (call->order) {
		call->order->by = user;
	}
	if (user == 0 || user == geteuid()) {
		carry_out(call);
	} else if (ask_polkit(call) < 0) {
		refuse(call, SD_BUS_ERROR_ACCESS_DENIED, "polkit cannot be asked");
	}
	return 0;
}

static int ask_user(struct dbus_call *call)
{
	const struct dbus_api *api = &call->dbus->api;
	return api->bus_call_method_async(call->dbus->bus, NULL, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixUser", on_user,
		call, "s", api->bus_message_get_sender(call->message));
}

int dbus_call(
	struct dbus *dbus, sd_bus_message *message, struct order *order, sd_bus_error *ret_error)
{
	struct dbus_call *call = dbus->n_calls < DBUS_MAX_CALLS ? calloc(1, sizeof(*call)) : NULL;
	if (!call) {
		order_free(order);
		return dbus->api.bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"too many calls wait for an answer");
	}
	*call = (struct dbus_call){.next = dbus->calls,
		.dbus = dbus,
		.order = order,
		.verb = order ? order->verb : 0,
		.message = dbus->api.bus_message_ref(message)};
	dbus->calls = call;
	dbus->n_calls++;
	int code = ask_user(call);
	if (code < 0) {
		call_end(call);
		return code;
	}
	return 1;
}

void dbus_calls_drop(struct dbus *dbus)
{
	while (dbus->calls) {
		call_end(dbus->calls);
	}
}
