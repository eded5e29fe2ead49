/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that change something: the bus gives the sender's user id. For users other than root and
 * edged's own, polkit decides whether the user may manage models
 * (https://www.freedesktop.org/software/polkit/docs/latest/eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html).
 * An authorized call becomes a store command or a scan, and is answered when that is done.
 */
#include <errno.h>
#include <string.h>

#include "daemon/edged/dbus/dbus_parts.h"

#define ACTION "org.edged1.manage"

struct dbus_call {
	struct dbus_call *next;
	struct dbus *dbus;
	sd_bus_message *message;
	struct store_command *command; /* store command, until the loader has it; NULL: a scan */
	/* the store command or the scan that it waits for; 0: none */
	uint64_t command_number, scan_number;
	bool asking; /* counted in n_asking: polkit has not answered */
	enum store_command_verb verb; /* verb of @command; 0: a scan */
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
	store_command_free(call->command);
	free(call);
}

static void call_end(struct dbus_call *call)
{
	unlink_call(call);
	call_free(call);
}

/* The D-Bus name of an error. */
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

/* ---- execution */

/* True for verbs whose method returns a text. */
static bool has_lines(enum store_command_verb verb)
{
	return verb == STORE_COMMAND_HISTORY || verb == STORE_COMMAND_INSTALL ||
		verb == STORE_COMMAND_EXPORT || verb == STORE_COMMAND_FSCK;
}

static void answer(struct dbus_call *call, const char *lines)
{
	const bool has = has_lines(call->verb);
	call->dbus->api.bus_reply_method_return(
		call->message, has ? "s" : "", has && lines ? lines : "");
	call_end(call);
}

/* Executes the store command: the loop does some itself, the loader the others. */
static void command_give(struct dbus_call *call)
{
	struct serve *serve = call->dbus->serve;
	struct error err = {0};
	int code = eviction_try_command(serve->eviction, call->command, &err);
	if (code < 0) {
		refuse(call, error_name(code), err.text);
	} else if (code > 0) {
		dbus_models_emit_changes(call->dbus);
		answer(call, NULL);
	} else {
		call->command_number =
			loader_queue_command(serve->loader, serve->config, take(call->command));
	}
}

static void carry_out(struct dbus_call *call)
{
	struct serve *serve = call->dbus->serve;
	call->dbus->n_asking -= call->asking;
	call->asking = false;
	if (serve->draining) {
		refuse(call, DBUS_ERROR("Stopping"), "edged is stopping");
	} else if (call->command) {
		command_give(call);
	} else {
		call->scan_number = serve->scan(serve->scan_context);
	}
}

void dbus_calls_scanned(struct dbus *dbus)
{
	const struct models *models = dbus->serve->models;
	const struct models_count count = models_count(models);
	for (struct dbus_call *call = dbus->calls, *next = NULL; call; call = next) {
		next = call->next;
		if (call->scan_number > 0 && call->scan_number <= models->scans_done) {
			dbus->api.bus_reply_method_return(
				call->message, "uu", count.ready, count.refused);
			call_end(call);
		}
	}
}

bool dbus_calls_finish_command(struct dbus *dbus, struct store_command *command)
{
	struct dbus_call *call = dbus->calls;
	while (call && call->command_number != command->number) {
		call = call->next;
	}
	if (!call || command->number == 0) {
		return false;
	}
	if (command->error.code < 0) {
		refuse(call, error_name(command->error.code), command->error.text);
	} else {
		answer(call, command->text);
	}
	store_command_free(command);
	return true;
}

/* ---- authorization */

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

/* DBUS_MAX_ASKING leaves room for calls that need no polkit. */
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
	if (call->command) {
		call->command->uid = user;
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

int dbus_call(struct dbus *dbus, sd_bus_message *message, struct store_command *command,
	sd_bus_error *ret_error)
{
	struct dbus_call *call = dbus->n_calls < DBUS_MAX_CALLS ? calloc(1, sizeof(*call)) : NULL;
	if (!call) {
		store_command_free(command);
		return dbus->api.bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"too many calls wait for an answer");
	}
	*call = (struct dbus_call){.next = dbus->calls,
		.dbus = dbus,
		.command = command,
		.verb = command ? command->verb : 0,
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
