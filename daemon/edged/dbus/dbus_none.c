/* SPDX-License-Identifier: Apache-2.0 */
/* dbus.h in a build without libsystemd: there is no bus. */
#include "daemon/edged/dbus/dbus.h"

struct dbus *dbus_start(struct serve *serve, uv_loop_t *loop)
{
	(void)serve, (void)loop;
	return NULL;
}

void dbus_stop(struct dbus *dbus)
{
	(void)dbus;
}

void dbus_models_changed(struct dbus *dbus)
{
	(void)dbus;
}

void dbus_models_changed_later(struct dbus *dbus)
{
	(void)dbus;
}

bool dbus_command_done(struct dbus *dbus, struct store_command *command)
{
	(void)dbus;
	(void)command;
	return false;
}
