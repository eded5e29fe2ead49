/* SPDX-License-Identifier: Apache-2.0 */
/* Without libsystemd: there is no bus. */
#include "daemon/dbus.h"

struct dbus *dbus_start(struct edged *edged)
{
	(void)edged;
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

void dbus_models_stale(struct dbus *dbus)
{
	(void)dbus;
}

bool dbus_order_done(struct dbus *dbus, struct order *order)
{
	(void)dbus;
	(void)order;
	return false;
}
