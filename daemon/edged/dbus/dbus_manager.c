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

enum arguments {
	TAKES_MODEL,
	TAKES_ARGUMENT, /* a text that is no model's name */
	TAKES_FILE_AND_MODEL,
};

static const struct {
	const char *method;
	enum store_command_verb verb;
	enum arguments arguments;
} commands[] = {
	{"Rollback", STORE_COMMAND_ROLLBACK, TAKES_MODEL},
	{"Pin", STORE_COMMAND_PIN, TAKES_MODEL},
	{"Unpin", STORE_COMMAND_UNPIN, TAKES_MODEL},
	{"ForgetBad", STORE_COMMAND_FORGET_BAD, TAKES_ARGUMENT},
	{"History", STORE_COMMAND_HISTORY, TAKES_MODEL},
	{"Install", STORE_COMMAND_INSTALL, TAKES_FILE_AND_MODEL},
	{"Export", STORE_COMMAND_EXPORT, TAKES_FILE_AND_MODEL},
	{"Remove", STORE_COMMAND_REMOVE, TAKES_MODEL},
	{"Load", STORE_COMMAND_LOAD, TAKES_MODEL},
	{"Unload", STORE_COMMAND_UNLOAD, TAKES_MODEL},
};

static int arguments_read(struct dbus *dbus, sd_bus_message *message, enum arguments arguments,
	struct store_command *command, sd_bus_error *ret_error)
{
	if (arguments == TAKES_ARGUMENT) {
		return text_read(
			dbus, message, command->argument, sizeof(command->argument), ret_error);
	}
	int code = arguments == TAKES_FILE_AND_MODEL ? file_read(dbus, message, &command->fd) : 0;
	return code < 0
		? code
		: text_read(dbus, message, command->model, sizeof(command->model), ret_error);
}

/* A method that is in @commands; sd-bus calls it for no other one. */
static int on_command(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	struct dbus *dbus = userdata;
	const char *method = dbus->api.bus_message_get_member(message);
	struct store_command *command = store_command_new();
	size_t i = 0;
	if (!command) {
		return -ENOMEM;
	}
	while (strcmp(commands[i].method, method) != 0) {
		i++;
	}
	command->verb = commands[i].verb;
	int code = arguments_read(dbus, message, commands[i].arguments, command, ret_error);
	if (code < 0) {
		store_command_free(command);
		return code;
	}
	return dbus_call(dbus, message, command, ret_error);
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
	SD_BUS_METHOD_WITH_NAMES(
		"Rollback", "s", SD_BUS_PARAM(model), "", , on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Pin", "s", SD_BUS_PARAM(model), "", , on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Unpin", "s", SD_BUS_PARAM(model), "", , on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("ForgetBad", "s", SD_BUS_PARAM(digest), "", , on_command,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("History", "s", SD_BUS_PARAM(model), "s", SD_BUS_PARAM(lines),
		on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("Install", "hs", SD_BUS_PARAM(file) SD_BUS_PARAM(model), "s",
		SD_BUS_PARAM(lines), on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES("Export", "hs", SD_BUS_PARAM(file) SD_BUS_PARAM(model), "s",
		SD_BUS_PARAM(lines), on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Remove", "s", SD_BUS_PARAM(model), "", , on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Load", "s", SD_BUS_PARAM(model), "", , on_command, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_NAMES(
		"Unload", "s", SD_BUS_PARAM(model), "", , on_command, SD_BUS_VTABLE_UNPRIVILEGED),
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
