/* SPDX-License-Identifier: Apache-2.0 */
/* org.freedesktop.LogControl1(5): `systemctl service-log-level edged.service` */
#include <stdlib.h>
#include <string.h>

#include "daemon/edged/dbus/dbus_parts.h"

/* The syslog names of edged's log levels. */
static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{"err", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

static int get_level(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	const struct dbus *dbus = userdata;
	const int level = atomic_load(&dbus->serve->log->level);
	(void)bus, (void)path, (void)interface, (void)property, (void)ret_error;
	return dbus->api.bus_message_append(reply, "s", levels[level - LOG_LEVEL_ERROR].name);
}

static int set_level(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
	struct dbus *dbus = userdata;
	const char *name = NULL;
	(void)bus, (void)path, (void)interface, (void)property;
	int code = dbus->api.bus_message_read(value, "s", &name);
	for (size_t i = 0; code >= 0 && i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			atomic_store(&dbus->serve->log->level, (int)levels[i].level);
			log_notice(dbus->serve->log, "log level: %s", name);
			return 0;
		}
	}
	return code < 0 ? code
			: dbus->api.bus_error_set(ret_error, SD_BUS_ERROR_INVALID_ARGS,
				  "err, warning, notice, info or debug");
}

static const char *target_of(const struct dbus *dbus)
{
	return dbus->serve->log->journal >= 0 ? "journal" : "console";
}

static int get_target(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	const struct dbus *dbus = userdata;
	(void)bus, (void)path, (void)interface, (void)property, (void)ret_error;
	return dbus->api.bus_message_append(reply, "s", target_of(dbus));
}

/* Accepts only the current target: edged's start decides where its log goes. */
static int set_target(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
	struct dbus *dbus = userdata;
	const char *name = NULL;
	(void)bus, (void)path, (void)interface, (void)property;
	int code = dbus->api.bus_message_read(value, "s", &name);
	if (code < 0 || strcmp(name, target_of(dbus)) == 0) {
		return code < 0 ? code : 0;
	}
	return dbus->api.bus_error_set(ret_error, SD_BUS_ERROR_NOT_SUPPORTED,
		"where lines go is said when edged is started");
}

static int get_identifier(sd_bus *bus, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
	const struct dbus *dbus = userdata;
	(void)bus, (void)path, (void)interface, (void)property, (void)ret_error;
	return dbus->api.bus_message_append(reply, "s", "edged");
}

static const sd_bus_vtable members[] = {
	SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_level, set_level, 0, 0),
	SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_target, set_target, 0, 0),
	SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END,
};

int dbus_log_add(struct dbus *dbus)
{
	dbus_vtable(dbus, members, dbus->log_control);
	return dbus->api.bus_add_object_vtable(dbus->bus, NULL, "/org/freedesktop/LogControl1",
		"org.freedesktop.LogControl1", dbus->log_control, dbus);
}
