/* SPDX-License-Identifier: Apache-2.0 */
/* org.edged1.Manager: the store's verbs, as on the socket. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/dbus_parts.h"

static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return dbus_call(userdata, message, NULL, ret_error);
}

/* @text becomes the order's model, or its argument. */
static int order_call(struct dbus *dbus, sd_bus_message *message, enum order_verb verb,
	bool is_model, sd_bus_error *ret_error)
{
	const char *text = NULL;
	int code = dbus->api.bus_message_read(message, "s", &text);
	struct order *order = code < 0 ? NULL : order_new();
	if (!order) {
		return code < 0 ? code : -ENOMEM;
	}
	char *out = is_model ? order->model : order->argument;
	const size_t size = is_model ? sizeof(order->model) : sizeof(order->argument);
	order->verb = verb;
	if (strlen(text) >= size) {
		order_free(order);
		return dbus->api.bus_error_set(
			ret_error, SD_BUS_ERROR_INVALID_ARGS, "that text is too long");
	}
	memcpy(out, text, strlen(text) + 1);
	return dbus_call(dbus, message, order, ret_error);
}

static int on_rollback(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return order_call(userdata, message, ORDER_ROLLBACK, true, ret_error);
}

static int on_pin(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return order_call(userdata, message, ORDER_PIN, true, ret_error);
}

static int on_unpin(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return order_call(userdata, message, ORDER_UNPIN, true, ret_error);
}

static int on_forget_bad(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return order_call(userdata, message, ORDER_FORGET_BAD, false, ret_error);
}

static int on_history(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return order_call(userdata, message, ORDER_HISTORY, true, ret_error);
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	const struct dbus *dbus = userdata;
	(void)bus, (void)path, (void)interface, (void)property, (void)ret_error;
	return dbus->api.bus_message_append(reply, "s", EDGED_VERSION);
}

static int get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	const struct dbus *dbus = userdata;
	const struct store_count count = store_count(&dbus->edged->store);
	(void)bus, (void)path, (void)interface, (void)ret_error;
	return dbus->api.bus_message_append(
		reply, "u", strcmp(property, "Ready") == 0 ? count.ready : count.refused);
}

static const sd_bus_vtable members[] = {
	SD_BUS_METHOD_WITH_NAMES("Reload", "", , "uu", SD_BUS_PARAM(ready) SD_BUS_PARAM(refused),
		on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("Rollback", "s", SD_BUS_PARAM(model), "", , on_rollback,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Pin", "s", SD_BUS_PARAM(model), "", , on_pin, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Unpin", "s", SD_BUS_PARAM(model), "", , on_unpin, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("ForgetBad", "s", SD_BUS_PARAM(digest), "", , on_forget_bad,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("History", "s", SD_BUS_PARAM(model), "s", SD_BUS_PARAM(lines),
		on_history, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Ready", "u", get_count, 0, 0),
	SD_BUS_PROPERTY("Refused", "u", get_count, 0, 0),
	SD_BUS_VTABLE_END,
};

int dbus_manager_add(struct dbus *dbus)
{
	dbus_vtable(dbus, members, dbus->manager);
	int code = dbus->api.bus_add_object_manager(dbus->bus, NULL, DBUS_PATH);
	return code < 0 ? code
			: dbus->api.bus_add_object_vtable(
				  dbus->bus, NULL, DBUS_PATH, DBUS_MANAGER, dbus->manager, dbus);
}
