/* SPDX-License-Identifier: Apache-2.0 */
/* org.edged1.Manager: the store commands of the socket, but fsck and those of few-shot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/edged/dbus/dbus_parts.h"

void dbus_vtable(const struct dbus *dbus, const sd_bus_vtable *members,
	sd_bus_vtable ret_table[DBUS_MAX_MEMBERS])
{
	size_t n = 0;
	ret_table[n].type = _SD_BUS_VTABLE_START;
	ret_table[n].x.start.element_size = sizeof(sd_bus_vtable);
	ret_table[n].x.start.features = _SD_BUS_VTABLE_PARAM_NAMES;
	ret_table[n].x.start.vtable_format_reference = dbus->api.vtable_format;
	do {
		ret_table[++n] = *members;
	} while (members++->type != _SD_BUS_VTABLE_END && n + 1 < DBUS_MAX_MEMBERS);
}

static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return dbus_call(userdata, message, NULL, ret_error);
}

/* Copies the next text of @message to @out. */
static int text_read(
	struct dbus *dbus, sd_bus_message *message, char *out, size_t size, sd_bus_error *ret_error)
{
	const char *text = NULL;
	int code = dbus->api.bus_message_read(message, "s", &text);
	if (code < 0) {
		return code;
	}
	if (strlen(text) >= size) {
		return dbus->api.bus_error_set(
			ret_error, SD_BUS_ERROR_INVALID_ARGS, "that text is too long");
	}
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* Duplicates the next descriptor of @message, which owns the original. */
static int file_read(struct dbus *dbus, sd_bus_message *message, int *ret_fd)
{
	int fd = -1;
	int code = dbus->api.bus_message_read(message, "h", &fd);
	if (code < 0) {
		return code;
	}
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret_fd < 0 ? -errno : 0;
}

/* Calls a verb whose only argument is a text: the model (@is_model) or the command's argument. */
static int command_call(struct dbus *dbus, sd_bus_message *message, enum store_command_verb verb,
	bool is_model, sd_bus_error *ret_error)
{
	struct store_command *command = store_command_new();
	if (!command) {
		return -ENOMEM;
	}
	command->verb = verb;
	int code = is_model
		? text_read(dbus, message, command->model, sizeof(command->model), ret_error)
		: text_read(dbus, message, command->argument, sizeof(command->argument), ret_error);
	if (code < 0) {
		store_command_free(command);
		return code;
	}
	return dbus_call(dbus, message, command, ret_error);
}

/* Calls a verb whose arguments are a descriptor and a model's name. */
static int file_call(struct dbus *dbus, sd_bus_message *message, enum store_command_verb verb,
	sd_bus_error *ret_error)
{
	struct store_command *command = store_command_new();
	if (!command) {
		return -ENOMEM;
	}
	command->verb = verb;
	int code = file_read(dbus, message, &command->fd);
	if (code == 0) {
		code = text_read(dbus, message, command->model, sizeof(command->model), ret_error);
	}
	if (code < 0) {
		store_command_free(command);
		return code;
	}
	return dbus_call(dbus, message, command, ret_error);
}

static int on_rollback(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_ROLLBACK, true, ret_error);
}

static int on_pin(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_PIN, true, ret_error);
}

static int on_unpin(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_UNPIN, true, ret_error);
}

static int on_forget_bad(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_FORGET_BAD, false, ret_error);
}

static int on_history(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_HISTORY, true, ret_error);
}

static int on_install(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return file_call(userdata, message, STORE_COMMAND_INSTALL, ret_error);
}

static int on_export(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return file_call(userdata, message, STORE_COMMAND_EXPORT, ret_error);
}

static int on_remove(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_REMOVE, true, ret_error);
}

static int on_load(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_LOAD, true, ret_error);
}

static int on_unload(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	return command_call(userdata, message, STORE_COMMAND_UNLOAD, true, ret_error);
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
	const struct models_count count = models_count(dbus->serve->models);
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
	SD_BUS_METHOD_WITH_NAMES("Install", "hs", SD_BUS_PARAM(file) SD_BUS_PARAM(model), "s",
		SD_BUS_PARAM(lines), on_install, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("Export", "hs", SD_BUS_PARAM(file) SD_BUS_PARAM(model), "s",
		SD_BUS_PARAM(lines), on_export, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Remove", "s", SD_BUS_PARAM(model), "", , on_remove, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Load", "s", SD_BUS_PARAM(model), "", , on_load, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Unload", "s", SD_BUS_PARAM(model), "", , on_unload, SD_BUS_VTABLE_UNPRIVILEGED),
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
